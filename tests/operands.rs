//! Loads and stores of all architectures except x86, encoded from the fields of the architecture
//! manuals, with random registers. The access in the explanation must have the address that the
//! test computes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

use std::fmt::Write;

use ksplat::model::{AccessKind, Confidence, Explanation};
use proptest::prelude::*;

/// The access of an encoded instruction.
#[derive(Clone, Debug)]
struct Meant {
    /// The units of code, the first of which is marked.
    code: Vec<String>,
    address: u64,
    size: u64,
    writes: bool,
}

/// An architecture: the report of a fault at an address.
struct Machine {
    log: fn(address: u64, values: &[u64], code: &[String]) -> String,
    /// The multiple of bytes to which its addresses are rounded down.
    exact_to: u64,
    mask: u64,
}

fn explained(log: &str) -> Option<Explanation> {
    let mut report = ksplat::reports(log.as_bytes()).next().expect("a report");
    ksplat::Analyzer::new().annotate(&mut report);
    report.explanation
}

/// Compares the explanation of a fault with the encoded access. A fault at another address is never
/// certain.
fn judge(machine: &Machine, values: &[u64], meant: &Meant, elsewhere: u64) {
    let Machine { log, exact_to, mask } = machine;
    let address = meant.address & mask;
    let printed = address / exact_to * exact_to;
    let text = log(printed, values, &meant.code);
    let found = explained(&text).expect("an explanation");
    let access = found.access.as_ref().expect("an access");
    let kind = if meant.writes { AccessKind::Write } else { AccessKind::Read };
    assert_eq!(access.address.map(|address| address.value), Some(address), "{text}{found:?}");
    assert_eq!((access.size, access.kind), (Some(meant.size), Some(kind)), "{text}{found:?}");
    assert_eq!(found.confidence, Confidence::Certain, "{text}{found:?}");
    if let Some(pointer) = &found.pointer {
        let sum = pointer.value.value.wrapping_add_signed(pointer.offset);
        assert_eq!(sum & mask, address, "{text}{found:?}");
    }
    let other = (elsewhere / exact_to * exact_to) & mask;
    if other.wrapping_sub(printed) & mask >= meant.size.max(*exact_to) {
        let text = log(other, values, &meant.code);
        if let Some(found) = explained(&text) {
            assert_ne!(found.confidence, Confidence::Certain, "{text}{found:?}");
        }
    }
}

/// The lowest `bits` bits of a value, sign-extended.
fn signed(value: u64, bits: u32) -> u64 {
    ((value << (64 - bits)).cast_signed() >> (64 - bits)).cast_unsigned()
}

/// Returns bit fields of a random number.
struct Fields(u64);

impl Fields {
    fn bits(&mut self, count: u32) -> u64 {
        let value = self.0 & ((1 << count) - 1);
        self.0 >>= count;
        value
    }

    fn flag(&mut self) -> bool {
        self.bits(1) == 1
    }
}

/// One element of a list.
fn pick<T: Copy>(list: &[T], number: u64) -> T {
    list[number as usize % list.len()]
}

fn word(word: u64) -> Vec<String> {
    vec![format!("{word:08x}")]
}

fn halves(halves: &[u64]) -> Vec<String> {
    halves.iter().map(|half| format!("{half:04x}")).collect()
}

/// The units of a `Code:` line with the first one marked.
fn marked(code: &[String]) -> String {
    format!("({}) {}", code[0], code[1..].join(" "))
}

const ARM64: Machine = Machine {
    log: |address, values, code| {
        let mut registers = String::new();
        for (number, value) in values[..30].iter().enumerate().rev() {
            writeln!(registers, "x{number}: {value:016x}").unwrap();
        }
        format!(
            "Unable to handle kernel paging request at virtual address {address:016x}\n\
             pc : f+0x10/0x20\nlr : g+0x8/0x20\nsp : {:016x}\n{registers}Call trace:\n \
             f+0x10/0x20\n g+0x1/0x2\nCode: {}\n",
            values[31],
            marked(code)
        )
    },
    exact_to: 1,
    mask: u64::MAX,
};

/// Register 30 is printed as the name of a function.
fn arm64_register(number: u64) -> u64 {
    if number == 30 { 29 } else { number }
}

fn arm64(form: u64, random: u64, values: &[u64]) -> Meant {
    let mut fields = Fields(random);
    let base = arm64_register(fields.bits(5));
    let others: Vec<u64> = (0..30).filter(|other| *other != base).collect();
    let (data, second) = (pick(&others, fields.bits(4)), pick(&others, 16 + fields.bits(3)));
    let size = fields.bits(2);
    let (opc, writes) = if fields.flag() { (0, true) } else { (1, false) };
    let start = values[base as usize];
    let common = base << 5 | data;
    let single = size << 30 | opc << 22 | common;
    let (code, address, bytes) = match form % 4 {
        // Unsigned offset, in units of the size.
        0 => {
            let offset = fields.bits(12);
            (0x3900_0000 | single | offset << 10, start.wrapping_add(offset << size), 1 << size)
        }
        // Unscaled, post-indexed and pre-indexed.
        1 => {
            let (offset, mode) = (fields.bits(9), pick(&[0, 1, 3], fields.bits(4)));
            let by = if mode == 1 { 0 } else { signed(offset, 9) };
            let code = 0x3800_0000 | single | offset << 12 | mode << 10;
            (code, start.wrapping_add(by), 1 << size)
        }
        // With another register, extended and shifted.
        2 => {
            let (index, option) =
                (arm64_register(fields.bits(5)), pick(&[2, 3, 6, 7], fields.bits(2)));
            let is_shifted = fields.bits(1);
            let value = if index == 31 { 0 } else { values[index as usize] };
            let part = match option {
                2 => value & 0xffff_ffff,
                6 => signed(value, 32),
                _ => value,
            };
            let code = 0x3820_0800 | single | index << 16 | option << 13 | is_shifted << 12;
            (code, start.wrapping_add(part << (size * is_shifted)), 1 << size)
        }
        // A pair of words or doublewords: post-indexed, offset and pre-indexed.
        _ => {
            let (is_wide, offset) = (fields.bits(1), fields.bits(7));
            let mode = pick(&[1, 2, 3], fields.bits(4));
            let by = if mode == 1 { 0 } else { signed(offset, 7) << (2 + is_wide) };
            let is_load = u64::from(!writes);
            let code = 0x2800_0000 | is_wide << 31 | mode << 23 | is_load << 22 | offset << 15;
            (code | second << 10 | common, start.wrapping_add(by), 8 << is_wide)
        }
    };
    Meant { code: word(code), address, size: bytes, writes }
}

fn arm_log(psr: u64, address: u64, values: &[u64], code: &[String]) -> String {
    let names =
        ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "fp", "ip", "sp"];
    let mut registers = String::new();
    for (name, value) in names.iter().zip(values).rev() {
        writeln!(registers, "{name} : {:08x}", value & 0xffff_ffff).unwrap();
    }
    format!(
        "Unable to handle kernel paging request at virtual address {address:08x}\n\
         PC is at f+0x10/0x20\nLR is at g+0x1/0x2\npc : [<c0008000>]    lr : [<c0008000>]    \
         psr: {psr:08x}\n{registers}Backtrace:\n f+0x10/0x20\n g+0x1/0x2\nCode: {}\n",
        marked(code)
    )
}

const ARM: Machine = Machine {
    log: |address, values, code| arm_log(0x6000_0013, address, values, code),
    exact_to: 1,
    mask: 0xffff_ffff,
};

const THUMB: Machine = Machine {
    log: |address, values, code| arm_log(0x6000_0033, address, values, code),
    exact_to: 1,
    mask: 0xffff_ffff,
};

/// Up or down, pre-indexed or post-indexed: bits 24, 23 and 21, and the signed offset.
fn arm_mode(fields: &mut Fields, by: u64) -> (u64, u64) {
    let is_up = fields.flag();
    let (mode, is_before) =
        pick(&[(1 << 24, true), (1 << 24 | 1 << 21, true), (0, false)], fields.bits(4));
    let by = if is_up { by } else { by.wrapping_neg() };
    (mode | u64::from(is_up) << 23, if is_before { by } else { 0 })
}

fn arm(form: u64, random: u64, values: &[u64]) -> Meant {
    let mut fields = Fields(random);
    let base = pick(&[0, 1, 2, 3, 4, 5, 8, 10, 11, 13], fields.bits(5));
    let data = if base == 6 { 8 } else { 6 };
    let index = pick(&[7u64, 9, 12], fields.bits(3));
    let writes = fields.flag();
    let is_byte = fields.bits(1);
    let common = 0xe << 28 | base << 16 | data << 12 | u64::from(!writes) << 20;
    let start = values[base as usize];
    let (code, by, size) = match form % 3 {
        0 => {
            let offset = fields.bits(12);
            let (mode, by) = arm_mode(&mut fields, offset);
            (0x0400_0000 | is_byte << 22 | mode | offset, by, 4 >> (2 * is_byte))
        }
        1 => {
            let shift = fields.bits(5);
            let value = values[index as usize] << shift;
            let (mode, by) = arm_mode(&mut fields, value);
            let code = 0x0600_0000 | is_byte << 22 | mode | shift << 7 | index;
            (code, by, 4 >> (2 * is_byte))
        }
        // Halfwords, signed bytes and doublewords.
        _ => {
            let offset = fields.bits(8);
            let (kind, is_load, size) = match (writes, fields.bits(2)) {
                (true, 0 | 1) => (0xb, 0, 2),
                (true, _) => (0xf, 0, 8),
                (false, 0) => (0xb, 1, 2),
                (false, 1) => (0xd, 1, 1),
                (false, 2) => (0xf, 1, 2),
                (false, _) => (0xd, 0, 8),
            };
            let (mode, by) = arm_mode(&mut fields, offset);
            let code = 1 << 22 | mode | (offset >> 4) << 8 | kind << 4 | offset & 15;
            let code = code | (common & !(1 << 20)) | is_load << 20;
            let address = start.wrapping_add(by);
            return Meant { code: word(code), address, size, writes };
        }
    };
    Meant { code: word(code | common), address: start.wrapping_add(by), size, writes }
}

fn thumb(form: u64, random: u64, values: &[u64]) -> Meant {
    let mut fields = Fields(random);
    let (base, data, index) = (fields.bits(3), fields.bits(3), fields.bits(3));
    let writes = fields.flag();
    let is_load = u64::from(!writes);
    let start = values[base as usize];
    let (code, address, size) = match form % 5 {
        0 => {
            let (offset, size) = (fields.bits(5), fields.bits(2) % 3);
            // The size in bytes as a power of two, by its operation.
            let (op, shift) = pick(&[(0x6000, 2), (0x7000, 0), (0x8000, 1)], size);
            let code = op | is_load << 11 | offset << 6 | base << 3 | data;
            (halves(&[code]), start.wrapping_add(offset << shift), 1 << shift)
        }
        1 => {
            let (op, size) = pick(
                &[(0, 4), (1, 2), (2, 1), (3, 1), (4, 4), (5, 2), (6, 1), (7, 2)],
                fields.bits(3),
            );
            let code = 0x5000 | op << 9 | index << 6 | base << 3 | data;
            let address = start.wrapping_add(values[index as usize]);
            return Meant { code: halves(&[code]), address, size, writes: op < 3 };
        }
        2 => {
            let offset = fields.bits(8);
            let code = 0x9000 | is_load << 11 | data << 8 | offset;
            (halves(&[code]), values[13].wrapping_add(4 * offset), 4)
        }
        3 => {
            let (size, offset) = (fields.bits(2) % 3, fields.bits(12));
            let first = 0xf880 | size << 5 | is_load << 4 | base;
            (halves(&[first, data << 12 | offset]), start.wrapping_add(offset), 1 << size)
        }
        _ => {
            let (size, shift) = (fields.bits(2) % 3, fields.bits(2));
            let first = 0xf800 | size << 5 | is_load << 4 | base;
            let by = values[index as usize] << shift;
            let code = halves(&[first, data << 12 | shift << 4 | index]);
            (code, start.wrapping_add(by), 1 << size)
        }
    };
    Meant { code, address, size, writes }
}

const POWERPC: Machine = Machine {
    log: |address, values, code| {
        let mut registers = String::new();
        for (row, values) in values.chunks(4).enumerate() {
            write!(registers, "GPR{:02}:", 4 * row).unwrap();
            for value in values {
                write!(registers, " {value:016x}").unwrap();
            }
            registers.push('\n');
        }
        format!(
            "BUG: Unable to handle kernel data access at 0x{address:016x}\n\
             Faulting instruction address: 0xc000000000008000\n\
             Oops: Kernel access of bad area, sig: 11 [#1]\n\
             NIP:  c000000000008000 LR: c000000000008000 CTR: 0000000000000000\n{registers}\
             NIP [c000000000008000] f+0x10/0x20\nLR [c000000000008000] g+0x1/0x2\nCall Trace:\n\
             [c000000000008000] [c000000000008000] g+0x1/0x2\nInstruction dump:\n\
             60000000 60000000 <{}> 60000000\n",
            code[0]
        )
    },
    exact_to: 1,
    mask: u64::MAX,
};

fn powerpc(form: u64, random: u64, values: &[u64]) -> Meant {
    let mut fields = Fields(random);
    let (base, index) = (fields.bits(5), fields.bits(5));
    let data = (base + 1 + fields.bits(4)) % 32;
    let is_update = base != 0 && fields.flag();
    let update = u64::from(is_update);
    let start = if base == 0 { 0 } else { values[base as usize] };
    let common = data << 21 | base << 16;
    let (code, by, size, writes) = match form % 3 {
        // lwz, lbz, stw, stb, lhz, lha, sth
        0 => {
            let (op, size, writes) = pick(
                &[
                    (32, 4, false),
                    (34, 1, false),
                    (36, 4, true),
                    (38, 1, true),
                    (40, 2, false),
                    (42, 2, false),
                    (44, 2, true),
                ],
                fields.bits(5),
            );
            let offset = fields.bits(16);
            ((op + update) << 26 | offset, signed(offset, 16), size, writes)
        }
        // ld, std; lwa has no update.
        1 => {
            let (op, low, size, writes) = match fields.bits(2) {
                0 => (58, 2, 4, false),
                1 => (58, update, 8, false),
                _ => (62, update, 8, true),
            };
            let offset = fields.bits(14) << 2;
            (op << 26 | offset | low, signed(offset, 16), size, writes)
        }
        _ => {
            let (op, size, writes) = pick(
                &[
                    (23, 4, false),
                    (87, 1, false),
                    (279, 2, false),
                    (343, 2, false),
                    (21, 8, false),
                    (341, 4, false),
                    (151, 4, true),
                    (215, 1, true),
                    (407, 2, true),
                    (149, 8, true),
                ],
                fields.bits(6),
            );
            // With update the operation is 32 higher.
            let op = op + 32 * update;
            (31 << 26 | index << 11 | op << 1, values[index as usize], size, writes)
        }
    };
    Meant { code: word(code | common), address: start.wrapping_add(by), size, writes }
}

const RISCV: Machine = Machine {
    log: |address, values, code| {
        let names = [
            "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4",
            "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3",
            "t4", "t5", "t6",
        ];
        let mut registers = String::new();
        for (name, value) in names.iter().zip(&values[1..]) {
            write!(registers, " {name} : {value:016x}").unwrap();
        }
        format!(
            "Unable to handle kernel paging request at virtual address {address:016x}\nOops [#1]\n\
             epc : f+0x10/0x20\n ra : g+0x8/0x20\nepc : ffffffff80001234{registers}\n\
             [<ffffffff80001234>] f+0x10/0x20\n[<ffffffff80001234>] g+0x1/0x2\nCode: 0001 {}\n",
            marked(code)
        )
    },
    exact_to: 1,
    mask: u64::MAX,
};

fn riscv(form: u64, random: u64, values: &[u64]) -> Meant {
    let mut fields = Fields(random);
    let base = 1 + fields.bits(5) % 31;
    let data = 1 + fields.bits(5) % 31;
    let (short_base, short_data) = (fields.bits(3), fields.bits(3));
    let writes = fields.flag();
    let is_wide = fields.flag();
    let size = if is_wide { 8 } else { 4 };
    let start = values[base as usize];
    let long = |word: u64| halves(&[word & 0xffff, word >> 16]);
    let bits = |value: u64, from: u32, count: u32| value >> from & ((1 << count) - 1);
    // The operations of words and doublewords, loads and stores.
    let op = (u64::from(writes) << 2 | 2 | u64::from(is_wide)) << 13;
    let (code, address, size) = match form % 5 {
        0 => {
            let (kind, offset) = (fields.bits(3) % 7, fields.bits(12));
            let code = offset << 20 | base << 15 | kind << 12 | data << 7 | 0x03;
            let address = start.wrapping_add(signed(offset, 12));
            return Meant { code: long(code), address, size: 1 << (kind & 3), writes: false };
        }
        1 => {
            let (kind, offset) = (fields.bits(2), fields.bits(12));
            let code = bits(offset, 5, 7) << 25 | data << 20 | base << 15 | kind << 12;
            let code = code | bits(offset, 0, 5) << 7 | 0x23;
            let address = start.wrapping_add(signed(offset, 12));
            return Meant { code: long(code), address, size: 1 << kind, writes: true };
        }
        // amoadd
        2 => {
            let code = data << 20 | base << 15 | (2 + u64::from(is_wide)) << 12 | data << 7 | 0x2f;
            return Meant { code: long(code), address: start, size, writes: true };
        }
        3 => {
            let offset = fields.bits(5) * size;
            let low = if is_wide {
                bits(offset, 6, 2) << 5
            } else {
                bits(offset, 2, 1) << 6 | bits(offset, 6, 1) << 5
            };
            let code = op | bits(offset, 3, 3) << 10 | short_base << 7 | low | short_data << 2;
            (halves(&[code]), values[8 + short_base as usize].wrapping_add(offset), size)
        }
        // Relative to the stack pointer.
        _ => {
            let offset = fields.bits(6) * size;
            let scale = if is_wide { 3 } else { 2 };
            let high = bits(offset, 6, scale);
            let code = if writes {
                op | bits(offset, scale, 6 - scale) << (7 + scale) | high << 7 | data << 2 | 2
            } else {
                let low = bits(offset, scale, 5 - scale) << (2 + scale) | high << 2;
                op | bits(offset, 5, 1) << 12 | data << 7 | low | 2
            };
            (halves(&[code]), values[2].wrapping_add(offset), size)
        }
    };
    Meant { code, address, size, writes }
}

const S390: Machine = Machine {
    log: |address, values, code| {
        let mut registers = String::from("Krnl GPRS:");
        for (number, value) in values[..16].iter().enumerate() {
            let start = if number % 4 == 0 && number > 0 { "\n          " } else { "" };
            write!(registers, "{start} {value:016x}").unwrap();
        }
        format!(
            "Unable to handle kernel pointer dereference in virtual kernel address space\n\
             Failing address: {address:016x} TEID: {:016x}\n\
             Fault in home space mode while using kernel ASCE.\nOops: 0004 ilc:3 [#1] SMP \n\
             Krnl PSW : 0704c00180000000 000003ff7fd02658 (f+0x20/0x28)\n{registers}\n\
             Krnl Code: 000003ff7fd0264c: e31010880004\tlg\t%r1,136(%r1)\n          \
             #000003ff7fd02652: e33030000004\tlg\t%r3,0(%r3)\n          \
             >000003ff7fd02658: e33010680024\t{}\nCall Trace:\n \
             [<000003ff7fd02658>] f+0x20/0x28 \n [<000003ff7fd02aaa>] g+0x22/0x50 \n",
            address | 0x803,
            code[0]
        )
    },
    exact_to: 4096,
    mask: u64::MAX,
};

/// An address as `print_insn()` in arch/s390/kernel/dis.c prints it; `first` is an index or a
/// length.
fn s390_operand(displacement: u64, first: &str, base: u64) -> String {
    let displacement = displacement.cast_signed();
    match (first, base) {
        ("", 0) => displacement.to_string(),
        ("", base) => format!("{displacement}(%r{base})"),
        (first, base) => format!("{displacement}({first},%r{base})"),
    }
}

fn s390(form: u64, random: u64, values: &[u64]) -> Meant {
    let mut fields = Fields(random);
    let (base, index, data) = (fields.bits(4), fields.bits(4), fields.bits(4));
    let (short, long) = (fields.bits(12), signed(fields.bits(20), 20));
    let value = |number: u64| if number == 0 { 0 } else { values[number as usize] };
    let with_index = |by: u64| value(base).wrapping_add(value(index)).wrapping_add(by);
    let indexed = if index == 0 { String::new() } else { format!("%r{index}") };
    let chosen = fields.bits(5);
    let (code, address, size, writes) = match form % 4 {
        0 => {
            let (name, size, writes) = pick(
                &[
                    ("l", 4, false),
                    ("st", 4, true),
                    ("sth", 2, true),
                    ("stc", 1, true),
                    ("ic", 1, false),
                    ("lh", 2, false),
                    ("c", 4, false),
                    ("a", 4, false),
                ],
                chosen,
            );
            let operand = s390_operand(short, &indexed, base);
            (format!("{name}\t%r{data},{operand}"), with_index(short), size, writes)
        }
        1 => {
            let (name, size, writes) = pick(
                &[
                    ("lg", 8, false),
                    ("stg", 8, true),
                    ("lgf", 4, false),
                    ("llgf", 4, false),
                    ("llgc", 1, false),
                    ("sty", 4, true),
                    ("llgh", 2, false),
                    ("ag", 8, false),
                    ("cg", 8, false),
                    ("stcy", 1, true),
                    ("ltg", 8, false),
                ],
                chosen,
            );
            let operand = s390_operand(long, &indexed, base);
            (format!("{name}\t%r{data},{operand}"), with_index(long), size, writes)
        }
        2 => {
            let (name, size, by) = pick(
                &[("cs", 4, short), ("csg", 8, long), ("laag", 8, long), ("laa", 4, long)],
                chosen,
            );
            let operand = s390_operand(by, "", base);
            let code = format!("{name}\t%r{data},%r{index},{operand}");
            (code, value(base).wrapping_add(by), size, true)
        }
        _ => {
            let (name, size, by, writes) = pick(
                &[
                    ("mvi", 1, short, true),
                    ("mvghi", 8, short, true),
                    ("cli", 1, short, false),
                    ("asi", 4, long, true),
                    ("agsi", 8, long, true),
                    ("oi", 1, short, true),
                    ("tm", 1, short, false),
                ],
                chosen,
            );
            let operand = s390_operand(by, "", base);
            (format!("{name}\t{operand},{data}"), value(base).wrapping_add(by), size, writes)
        }
    };
    Meant { code: vec![code], address, size, writes }
}

fn values() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(prop_oneof![any::<u64>(), any::<u64>(), 0u64..4096, Just(0)], 32)
}

macro_rules! judged {
    ($( $name:ident: $machine:ident by $encode:ident, )+) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(1500))]
            $(
                #[test]
                fn $name(
                    form in 0u64..60, random in any::<u64>(), values in values(), other in any::<u64>(),
                ) {
                    let values: Vec<u64> = values.iter().map(|value| value & $machine.mask).collect();
                    judge(&$machine, &values, &$encode(form, random, &values), other);
                }
            )+
        }
    };
}

judged! {
    operands_of_arm64: ARM64 by arm64,
    operands_of_arm: ARM by arm,
    operands_of_thumb: THUMB by thumb,
    operands_of_powerpc: POWERPC by powerpc,
    operands_of_riscv: RISCV by riscv,
    operands_of_s390: S390 by s390,
}
