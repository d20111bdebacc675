//! Decodes `Code:` bytes to instructions.
//!
//! The first byte of a `Code:` line may be in the middle of an instruction, but the trapping
//! instruction is marked. The decoder starts at an offset from which an instruction starts exactly
//! at the mark.

#[cfg(feature = "disasm-arm")]
mod arm;
#[cfg(feature = "disasm-arm")]
mod arm64;
pub(crate) mod insn;
#[cfg(all(test, feature = "disasm-arm", feature = "disasm-powerpc", feature = "disasm-riscv"))]
mod judged;
mod listing;
mod machine;
#[cfg(feature = "disasm-powerpc")]
mod powerpc;
#[cfg(any(feature = "disasm-remote", test))]
pub mod remote;
#[cfg(feature = "disasm-riscv")]
mod riscv;
mod s390;
#[cfg_attr(
    not(all(feature = "disasm-arm", feature = "disasm-powerpc", feature = "disasm-riscv")),
    allow(dead_code, reason = "each decoder uses a part")
)]
mod verb;
#[cfg(any(feature = "disasm-remote", test))]
mod wire;
pub(crate) mod x86;

pub(crate) use listing::Listing;
use listing::{Decoded, Words};
use machine::Machine;

use crate::arch::{Arch, Decoder};
use crate::model::{Code, Instruction, Report};
use crate::reason::DiagnosticKind;
use crate::search;
use crate::syntax::code;

/// The syntax of x86 instructions.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Syntax {
    /// AT&T, as objdump and the kernel's tools print it: `mov 0x70(%rbp),%r12`.
    #[default]
    Att,
    /// Intel: `mov r12, [rbp+0x70]`.
    #[cfg(feature = "disasm-intel")]
    Intel,
}

/// Decodes the bytes of a `Code:` line.
///
/// The result covers all bytes from the first instruction on. It is empty if the architecture is
/// unknown, or if its decoder is not enabled by a feature. Targets of branches are offsets into the
/// bytes on x86, and relative elsewhere. `syntax` applies to x86 only.
///
/// # Examples
///
/// ```
/// use ksplat::disasm::{self, Syntax};
///
/// let code = disasm::parse_code(b"Code: 48 8b 87 88 00 00 00 <48> 89 50 68 c3")?;
/// let instructions = disasm::decode(&code, Syntax::Att);
/// assert_eq!(instructions[1].text, "mov %rdx,0x68(%rax)");
/// assert!(instructions[1].trapping);
/// # Ok::<(), disasm::CodeError>(())
/// ```
pub fn decode(code: &Code, syntax: Syntax) -> Vec<Instruction> {
    let Some(arch) = code.arch else { return Vec::new() };
    match arch.info().decoder(code.unit) {
        Decoder::X86(bits) => x86::decode(&code.bytes, code.trap_offset, bits, syntax),
        decoder => decode_words(decoder, arch.bits(), code)
            .map(|decoded| listing::instructions(code, decoded))
            .unwrap_or_default(),
    }
}

/// Decodes code that is printed as words. Returns each instruction with its offset.
fn decode_words(decoder: Decoder, bits: u8, code: &Code) -> Option<Vec<(usize, Decoded)>> {
    #[cfg(feature = "disasm-remote")]
    if cfg!(target_family = "wasm") {
        return remote::ask(decoder, bits, code);
    }
    words(decoder, bits).map(|words| words.decode(code))
}

/// Returns the decoder of printed words; `bits` is the width of a register.
#[cfg_attr(
    not(feature = "disasm-powerpc"),
    allow(unused_variables, reason = "one architecture has two widths")
)]
fn words(decoder: Decoder, bits: u8) -> Option<&'static Words> {
    match decoder {
        #[cfg(feature = "disasm-arm")]
        Decoder::A64 => Some(&arm64::A64),
        #[cfg(feature = "disasm-arm")]
        Decoder::A32 => Some(&arm::A32),
        #[cfg(feature = "disasm-arm")]
        Decoder::T32 => Some(&arm::T32),
        #[cfg(feature = "disasm-powerpc")]
        Decoder::Powerpc if bits == 32 => Some(&powerpc::NARROW),
        #[cfg(feature = "disasm-powerpc")]
        Decoder::Powerpc => Some(&powerpc::WIDE),
        #[cfg(feature = "disasm-riscv")]
        Decoder::RiscvHalves => Some(&riscv::HALVES),
        #[cfg(feature = "disasm-riscv")]
        Decoder::RiscvWords => Some(&riscv::WORDS),
        _ => None,
    }
}

/// Converts a word of four bytes from its printed order, most significant byte first, to that in
/// memory.
#[cfg(feature = "disasm-arm")]
fn little_endian(bytes: &[u8]) -> Option<[u8; 4]> {
    let mut word = *bytes.first_chunk::<4>()?;
    word.reverse();
    Some(word)
}

/// Fills in the instructions of a report.
pub(crate) fn annotate(report: &mut Report<'_>, syntax: Syntax) {
    if let Some(code) = &mut report.code {
        let mut instructions = decode(code, syntax);
        for instruction in instructions.iter_mut().filter(|_| !report.kind.traps()) {
            instruction.trapping = false;
        }
        if !instructions.is_empty() {
            code.instructions = instructions;
        }
    }
}

/// Parses a `Code:` line: the first one in `text`, or `text` as the part after `Code:`.
///
/// Bytes are assumed to be x86-64. Words have no architecture; set [`Code::arch`] before decoding
/// them.
///
/// # Errors
///
/// The line has no byte, a word that is not hexadecimal, or a second trap mark.
pub fn parse_code(text: &[u8]) -> Result<Code, CodeError> {
    let line = text
        .split(|&b| b == b'\n')
        .find_map(|line| {
            let at = search::find(line, b"Code:")?;
            line.get(at + 5..)
        })
        .unwrap_or(text);
    let mut found = code::Code::default();
    found.read(line.trim_ascii());
    match found.fault {
        Some((kind, offset)) => Err(CodeError { offset, kind }),
        None if found.bytes.is_empty() => {
            Err(CodeError { offset: 0, kind: DiagnosticKind::NoBytes })
        }
        None => Ok(Code {
            arch: (found.unit == 1).then_some(Arch::X86_64),
            bytes: found.bytes,
            unit: found.unit,
            trap_offset: found.trap,
            instructions: Vec::new(),
        }),
    }
}

/// The error of parsing a `Code:` line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CodeError {
    /// The place of the error, in bytes from the first byte after `Code:`.
    pub offset: usize,
    /// The problem.
    pub kind: DiagnosticKind,
}

impl std::fmt::Display for CodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} at byte {} of the line (expected such as `48 89 <0f> b6`)",
            self.kind, self.offset
        )
    }
}

impl std::error::Error for CodeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_parse_code() {
        let code = parse_code(b"x\n[   1.5] Code: 90 <0f> 0b\ny").expect("bytes");
        assert_eq!((code.bytes.as_slice(), code.trap_offset), (&[0x90, 0x0f, 0x0b][..], Some(1)));
        assert_eq!(parse_code(b" 90\n").expect("bytes").trap_offset, None);
    }

    #[test]
    fn err_parse_code() {
        let why = |text: &[u8]| parse_code(text).map_err(|error| error.to_string());
        assert_eq!(
            why(b"").unwrap_err(),
            "no bytes at byte 0 of the line (expected such as `48 89 <0f> b6`)"
        );
        assert!(why(b"Code: zz").unwrap_err().starts_with("no hexadecimal number"));
        assert!(why(b"Code: <90> <90>").unwrap_err().starts_with("a second trap mark at byte 5"));
    }
}
