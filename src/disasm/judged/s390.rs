//! Operands of z/Architecture from the bytes. The kernel's disassembly has the same text as
//! objdump, so the decoder is compared with the fields of the instruction words (Principles of
//! Operation, chapter 5).

use super::{Access, Meant, Part, Place, Row, load, store, update};

/// The formats of instructions with a memory operand.
#[derive(Clone, Copy)]
enum Format {
    /// R1, X2(B2), D2 of 12 bits.
    Rx,
    /// The same with a displacement of 20 bits.
    Rxy,
    /// R1, R3, B2, D2 of 20 bits; also B1, D1 with an immediate.
    Rsy,
    /// B1, D1 of 12 bits with an immediate; also R1, R3, B2, D2.
    Si,
    /// L, B1, D1, B2, D2: the first of the two operands.
    Ss,
}

/// Returns format and access by the operation code. The second byte of a code is the last of the
/// instruction, or the second one for format SIL.
fn known(bytes: &[u8]) -> Option<(Format, Option<Access>)> {
    use Format::{Rsy, Rx, Rxy, Si, Ss};
    Some(match *bytes {
        [0xd2, len, ..] => (Ss, store(u64::from(len) + 1)),
        [0xd4 | 0xd6 | 0xd7, len, ..] => (Ss, update(u64::from(len) + 1)),
        [0xd5, len, ..] => (Ss, load(u64::from(len) + 1)),
        [0x94 | 0x96 | 0x97, ..] => (Si, update(1)),
        [0x58, ..] => (Rx, load(4)),
        [0x50, ..] => (Rx, store(4)),
        [0x40, ..] => (Rx, store(2)),
        [0x42, ..] => (Rx, store(1)),
        [0x43, ..] => (Rx, load(1)),
        [0x48, ..] => (Rx, load(2)),
        [0x49, ..] => (Rx, load(2)),
        [0x54..=0x57 | 0x59..=0x5b | 0x5e | 0x5f, ..] => (Rx, load(4)),
        [0x91, ..] => (Si, load(1)),
        [0x92, ..] => (Si, store(1)),
        [0x95, ..] => (Si, load(1)),
        [0xba, ..] => (Si, update(4)),
        [0xe5, 0x4c, ..] => (Si, store(4)),
        [0xe5, 0x48, ..] => (Si, store(8)),
        [0xe5, 0x44, ..] => (Si, store(2)),
        [0xe3, .., op] => match op {
            0x02 | 0x04 | 0x08..=0x0b | 0x20 | 0x21 | 0x80 | 0x81 | 0x82 => (Rxy, load(8)),
            0x14 | 0x12 | 0x16 | 0x54 | 0x55 | 0x57..=0x5b | 0x5e | 0x5f => (Rxy, load(4)),
            0x15 | 0x78 | 0x91 | 0x95 => (Rxy, load(2)),
            0x73 | 0x76 | 0x77 | 0x90 | 0x94 => (Rxy, load(1)),
            0x24 => (Rxy, store(8)),
            0x50 => (Rxy, store(4)),
            0x70 => (Rxy, store(2)),
            0x72 => (Rxy, store(1)),
            _ => return None,
        },
        [0xeb, .., op] => match op {
            0x30 | 0x7a | 0xe8 | 0xf8 => (Rsy, update(if matches!(op, 0xf8) { 4 } else { 8 })),
            0x14 | 0x6a => (Rsy, update(4)),
            0x04 => (Rsy, load(8 * row(bytes))),
            0x24 => (Rsy, store(8 * row(bytes))),
            0x54 | 0x56 | 0x57 => (Rsy, update(1)),
            0x52 => (Rsy, store(1)),
            0x51 | 0x55 => (Rsy, load(1)),
            _ => return None,
        },
        _ => return None,
    })
}

/// Returns the number of registers from R1 to R3, with wraparound.
fn row(bytes: &[u8]) -> u64 {
    let fields = u64::from(bytes.get(1).copied().unwrap_or_default());
    ((fields & 15) + 16 - (fields >> 4)) % 16 + 1
}

pub(super) fn meant(row: &Row<'_>) -> Meant {
    let bytes = row.bytes.as_slice();
    if let [0xc0, second, a, b, c, d] = *bytes
        && second & 15 == 5
    {
        let halves = i64::from(i32::from_be_bytes([a, b, c, d]));
        return Meant::to(row.address.checked_add_signed(2 * halves));
    }
    if matches!(*bytes, [0x41, ..] | [0xe3, .., 0x71]) {
        // The instruction computes an address.
        return Meant::default();
    }
    if let [0xa7, second, high, low] = *bytes
        && second & 15 == 5
    {
        let halves = i64::from(i16::from_be_bytes([high, low]));
        return Meant::to(row.address.checked_add_signed(2 * halves));
    }
    let Some((format, access)) = known(bytes) else { return Meant::default() };
    let [_, second, third, fourth, rest @ ..] = bytes else { return Meant::default() };
    let kept = |register: u8| Some(register).filter(|register| *register > 0);
    let base = kept(third >> 4);
    let low = i64::from(third & 15) << 8 | i64::from(*fourth);
    let high = rest.first().map_or(0, |high| i64::from(high.cast_signed()) << 12);
    let (has_index, displacement) = match format {
        Format::Rx => (true, low),
        Format::Rxy => (true, low + high),
        Format::Rsy => (false, low + high),
        Format::Si | Format::Ss => (false, low),
    };
    let index = kept(second & 15).filter(|_| has_index);
    let index = index.map(|register| Part { register, size: 8, ..Part::default() });
    Meant::at(Place { base, index, displacement }, access)
}
