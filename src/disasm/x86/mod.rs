//! x86 instructions, decoded by iced-x86.

mod att;
pub(crate) mod record;

use std::fmt::Write as _;

#[cfg(feature = "disasm-intel")]
use iced_x86::IntelFormatter;
use iced_x86::{
    Decoder, DecoderOptions, Formatter, GasFormatter, Instruction as Decoded,
    InstructionInfoFactory, OpKind, Register,
};

use super::insn::{Insn, Register as Kept};
use super::{Machine, Syntax};
use crate::model::Instruction;

/// The longest instruction in bytes.
const LONGEST: usize = 15;

/// Decodes `bytes`, in which an instruction starts at `trap`.
pub(super) fn decode(
    bytes: &[u8],
    trap: Option<usize>,
    bits: u32,
    syntax: Syntax,
) -> Vec<Instruction> {
    let trap = trap.filter(|&trap| trap < bytes.len());
    let start = trap.map_or(0, |trap| start(bytes, trap, bits));
    let mut writer = Writer::new(syntax);
    let mut decoder = decoder(bytes, start, bits);
    let mut decoded = Decoded::default();
    let mut instructions = Vec::with_capacity(bytes.len() / 3);
    let mut at = start;
    let mut text = String::with_capacity(64);
    while at < bytes.len() {
        // An instruction that extends past the mark is dropped: the mark is certain.
        let limit = trap.filter(|&trap| at < trap).unwrap_or(bytes.len());
        let found = decoder.set_position(at).is_ok();
        decoder.set_ip(at as u64);
        if found {
            decoder.decode_out(&mut decoded);
        }
        text.clear();
        let len = if !found || decoded.is_invalid() || at + decoded.len() > limit {
            // The rest of a cut instruction, byte by byte.
            let byte = bytes.get(at).copied().unwrap_or_default();
            let _ = write!(text, ".byte {byte:#x}");
            1
        } else {
            writer.write(&mut text, &decoded);
            decoded.len()
        };
        instructions.push(Instruction {
            offset: at,
            bytes: bytes.get(at..at + len).unwrap_or_default().to_vec(),
            text: text.clone(),
            trapping: trap == Some(at),
        });
        at += len;
    }
    instructions
}

/// Returns the instructions from the start of [`decode`] to the first invalid byte, and the index
/// of the trapping one. Their addresses are offsets into the bytes.
pub(crate) fn window(bytes: &[u8], trap: usize, bits: u32) -> Option<(Vec<Decoded>, usize)> {
    let start = start(bytes, trap, bits);
    let mut decoder = decoder(bytes, start, bits);
    decoder.set_ip(start as u64);
    let mut instructions = Vec::with_capacity(bytes.len() / 3);
    let mut index = None;
    while decoder.can_decode() {
        let decoded = decoder.decode();
        if decoded.is_invalid() {
            break;
        }
        if decoded.ip() == trap as u64 {
            index = Some(instructions.len());
        }
        instructions.push(decoded);
    }
    Some((instructions, index?))
}

/// Returns the records of instructions; that of the trapping one with all its memory operands.
pub(super) fn records(decoded: &[Decoded], trap: usize) -> Vec<Insn> {
    let mut factory = InstructionInfoFactory::new();
    let record = |(index, decoded)| record::record(decoded, index == trap, &mut factory);
    decoded.iter().enumerate().map(record).collect()
}

/// Returns the registers of 32-bit or 64-bit code.
pub(super) fn machine(bits: u32) -> &'static Machine {
    const fn machine(registers: &'static [&'static str]) -> Machine {
        Machine { registers, name: |register, syntax| name(register, syntax) }
    }
    const WIDE: &Machine = &machine(record::WIDE);
    const NARROW: &Machine = &machine(record::NARROW);
    if bits == 64 { WIDE } else { NARROW }
}

fn name(register: Kept, syntax: Syntax) -> String {
    let mark = if syntax == Syntax::Att { "%" } else { "" };
    format!("{mark}{}", record::name(register))
}

/// Returns an instruction as text.
pub(super) fn text(decoded: &Decoded, syntax: Syntax) -> String {
    let mut text = String::new();
    Writer::new(syntax).write(&mut text, decoded);
    text
}

/// Returns the first offset from which an instruction starts at `trap`, with valid instructions up
/// to there.
///
/// x86 decoding synchronizes within a few instructions, so the first such offset is most likely the
/// start of a real instruction. The last candidate is the mark itself.
fn start(bytes: &[u8], trap: usize, bits: u32) -> usize {
    (0..trap.min(LONGEST)).find(|&start| reaches(bytes, start, trap, bits)).unwrap_or(trap)
}

fn reaches(bytes: &[u8], start: usize, trap: usize, bits: u32) -> bool {
    let mut decoder = decoder(bytes, start, bits);
    let mut decoded = Decoded::default();
    while decoder.position() < trap {
        decoder.decode_out(&mut decoded);
        if decoded.is_invalid() {
            return false;
        }
    }
    decoder.position() == trap
}

fn decoder(bytes: &[u8], start: usize, bits: u32) -> Decoder<'_> {
    let mut decoder = Decoder::with_ip(bits, bytes, 0, DecoderOptions::NONE);
    // A start past the last byte leaves the decoder at offset 0; the instruction it returns there
    // is not used.
    let _ = decoder.set_position(start);
    decoder
}

/// Writes instructions in objdump's syntax.
pub(crate) struct Writer {
    syntax: Syntax,
    /// Made at its first use: see [`att`].
    iced: Option<Box<dyn Formatter>>,
}

impl Writer {
    pub(crate) fn new(syntax: Syntax) -> Self {
        Self { syntax, iced: None }
    }

    /// Writes an instruction.
    pub(crate) fn write(&mut self, text: &mut String, instruction: &Decoded) {
        if self.syntax != Syntax::Att || !att::write(text, instruction) {
            self.iced(instruction).format(instruction, text);
        }
    }

    /// Returns the memory operand of an instruction.
    pub(crate) fn memory(&mut self, instruction: &Decoded) -> Option<String> {
        let known = (self.syntax == Syntax::Att).then(|| att::memory_operand(instruction));
        known.flatten().or_else(|| self.memory_by_iced(instruction))
    }

    fn memory_by_iced(&mut self, instruction: &Decoded) -> Option<String> {
        let mut operands = 0..instruction.op_count();
        let operand = operands.find(|&op| instruction.op_kind(op) == OpKind::Memory)?;
        let formatter = self.iced(instruction);
        let shown = formatter.get_formatter_operand(instruction, operand).ok()??;
        let mut text = String::new();
        formatter.format_operand(instruction, &mut text, shown).ok()?;
        Some(text)
    }

    fn iced(&mut self, instruction: &Decoded) -> &mut dyn Formatter {
        let formatter = self.iced.get_or_insert_with(|| formatter(self.syntax));
        // objdump writes a scale of 1 if there is an index.
        let is_scaled = self.syntax == Syntax::Att && instruction.memory_index() != Register::None;
        formatter.options_mut().set_always_show_scale(is_scaled);
        &mut **formatter
    }
}

fn formatter(syntax: Syntax) -> Box<dyn Formatter> {
    let mut formatter: Box<dyn Formatter> = match syntax {
        Syntax::Att => Box::new(GasFormatter::new()),
        #[cfg(feature = "disasm-intel")]
        Syntax::Intel => Box::new(IntelFormatter::new()),
    };
    let options = formatter.options_mut();
    options.set_uppercase_hex(false);
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_small_hex_numbers_in_decimal(false);
    options.set_branch_leading_zeros(false);
    options.set_rip_relative_addresses(true);
    formatter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hex: &str, trap: Option<usize>) -> Vec<String> {
        let bytes: Vec<u8> =
            hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).expect("a byte")).collect();
        let show = |i: &Instruction| {
            format!("{}{}: {}", if i.trapping { "*" } else { "" }, i.offset, i.text)
        };
        decode(&bytes, trap, 64, Syntax::Att).iter().map(show).collect()
    }

    #[test]
    fn decoding_starts_where_it_reaches_the_mark() {
        // ff belongs to the instruction before the window: c7 02 … is a mov, ff c7 would be inc.
        let all = check("ff ff ff c7 02 f1 f1 f1 f1 48 c1 ea 03 0f b6 04 02", Some(13));
        assert_eq!(all.last().map(String::as_str), Some("*13: movzbl (%rdx,%rax,1),%eax"));
        assert_eq!(all[all.len() - 2], "9: shr $0x3,%rdx");
    }

    #[test]
    fn the_mark_is_certain() {
        // No start leads to offset 2: the bytes before it are one long instruction.
        assert_eq!(check("48 b8 0f 0b", Some(2)), ["*2: ud2"]);
        assert_eq!(check("90 0f 0b", Some(1)), ["0: nop", "*1: ud2"]);
        assert_eq!(check("0f 0b", Some(7)), ["0: ud2"]);
    }

    #[test]
    fn a_cut_instruction_is_shown_as_bytes() {
        assert_eq!(check("90 48 8b", Some(0)), ["*0: nop", "1: .byte 0x48", "2: .byte 0x8b"]);
    }

    /// Instructions with random bytes, some of which start like common instructions.
    #[test]
    fn common_ones_as_iced_writes_them() {
        const STARTS: [&[u8]; 12] = [
            b"\x48",
            b"\x0f",
            b"\x66",
            b"\x65",
            b"\xff",
            b"\x4c\x8b",
            b"\x65\x48",
            b"\xf0",
            b"",
            b"",
            b"",
            b"",
        ];
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state.to_be_bytes()[2]
        };
        let mut writer = Writer::new(Syntax::Att);
        let (mut known, mut all) = (0, 0);
        for round in 0..400_000 {
            let mut bytes: [u8; LONGEST] = std::array::from_fn(|_| random());
            let start = STARTS[round % STARTS.len()];
            bytes[..start.len()].copy_from_slice(start);
            for bits in [32, 64] {
                let mut decoder = Decoder::with_ip(bits, &bytes, 0x10, DecoderOptions::NONE);
                let decoded = decoder.decode();
                if decoded.is_invalid() {
                    continue;
                }
                all += 1;
                let mut ours = String::new();
                if att::write(&mut ours, &decoded) {
                    known += 1;
                    let mut text = String::new();
                    writer.iced(&decoded).format(&decoded, &mut text);
                    assert_eq!(ours, text, "{bits} {bytes:02x?}");
                    let operand = writer.memory_by_iced(&decoded);
                    assert_eq!(writer.memory(&decoded), operand, "{bits} {bytes:02x?}");
                }
            }
        }
        assert!(known * 2 > all, "{known} of {all}");
    }

    #[test]
    fn att_as_objdump_prints_it() {
        for (hex, text) in [
            ("4c 8b 65 70", "mov 0x70(%rbp),%r12"),
            ("48 b8 00 00 00 00 00 fc ff df", "movabs $0xdffffc0000000000,%rax"),
            ("80 3c 02 00", "cmpb $0x0,(%rdx,%rax,1)"),
            ("65 48 8b 0c 25 28 00 00 00", "mov %gs:0x28,%rcx"),
            ("48 8b 83 e0 fe ff ff", "mov -0x120(%rbx),%rax"),
            ("74 08", "je 0xa"),
            ("48 8b 05 10 00 00 00", "mov 0x10(%rip),%rax"),
        ] {
            assert_eq!(check(hex, None), [format!("0: {text}")]);
        }
    }
}
