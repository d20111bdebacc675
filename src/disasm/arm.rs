//! 64-bit and 32-bit ARM, and Thumb, by yaxpeax-arm.

use yaxpeax_arch::{Decoder, U8Reader};
use yaxpeax_arm::{armv7, armv8::a64};

use super::Words;

/// 64-bit ARM.
pub(super) const A64: Words = Words {
    decode: |bytes| {
        let word = little_endian(bytes)?;
        let decoded = a64::InstDecoder::default().decode(&mut U8Reader::new(&word)).ok()?;
        Some((4, decoded.to_string()))
    },
};

/// 32-bit ARM.
pub(super) const A32: Words = Words {
    decode: |bytes| {
        let word = little_endian(bytes)?;
        if has_no_pair(u32::from_le_bytes(word)) {
            return None;
        }
        let decoded = armv7::InstDecoder::default().decode(&mut U8Reader::new(&word)).ok()?;
        Some((4, decoded.to_string()))
    },
};

/// Thumb: instructions of one or two halfwords.
pub(super) const T32: Words = Words {
    decode: |bytes| {
        let halves: Vec<u8> =
            bytes.chunks_exact(2).take(2).flat_map(|half| half.iter().rev().copied()).collect();
        // The five highest bits tell an instruction of two halfwords: ARM ARM, A6.1.
        let len = if halves.get(1)? >> 3 >= 0b11101 { 4 } else { 2 };
        let bytes = halves.get(..len)?;
        let decoder = armv7::InstDecoder::default_thumb();
        let decoded = decoder.decode(&mut U8Reader::new(bytes)).ok()?;
        Some((len, decoded.to_string()))
    },
};

fn little_endian(bytes: &[u8]) -> Option<[u8; 4]> {
    let mut word = *bytes.first_chunk::<4>()?;
    word.reverse();
    Some(word)
}

/// Whether a word would load or store the register after the last, which the decoder does not expect:
/// LDRD, STRD and their exclusive forms with the program counter.
fn has_no_pair(word: u32) -> bool {
    let is_double = word & 0x0e10_00d0 == 0x0000_00d0;
    let is_exclusive = word & 0x0fe0_00f0 == 0x01a0_0090;
    let from_pc = word & 0xf000 == 0xf000;
    (is_double && from_pc) || (is_exclusive && (from_pc || word & 0xf == 0xf))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_decode() {
        let text = |machine: &Words, bytes: &[u8]| (machine.decode)(bytes);
        assert_eq!(text(&A64, &[0xf9, 0x40, 0x02, 0x60]), Some((4, "ldr x0, [x19]".into())));
        assert_eq!(text(&A64, &[0xd4, 0x21, 0, 0]), Some((4, "brk #0x800".into())));
        assert_eq!(text(&A32, &[0xe5, 0x03, 0x40, 0x20]), Some((4, "str r4, [r3, -0x20]".into())));
        assert_eq!(text(&T32, &[0x46, 0x02, 0x68, 0x13]), Some((2, "mov r2, r0".into())));
        assert_eq!(text(&A32, &[0xe5]), None);
    }

    #[test]
    fn no_word_is_too_odd() {
        for word in [0xa12b_f2d2u32, 0x40c8_faf0, 0xe1bf_ff9f, 0xe1a0_0f9f, u32::MAX, 0] {
            let bytes = word.to_be_bytes();
            for machine in [&A64, &A32, &T32] {
                let _ = (machine.decode)(&bytes);
            }
        }
    }
}
