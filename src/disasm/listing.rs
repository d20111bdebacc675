//! The code of a report as records, with the data to print them.

use super::insn::{Insn, Register};
use super::machine::Machine;
use super::{Syntax, s390, x86};
use crate::arch::{Arch, Decoder};
use crate::model::{Code, Instruction};

/// A decoded instruction.
#[derive(Debug, PartialEq)]
pub(super) struct Decoded {
    /// The length in bytes.
    pub(super) len: usize,
    pub(super) text: String,
    /// The memory operand as text.
    pub(super) memory: Option<String>,
    /// The record; `None` if the operation is unknown.
    pub(super) insn: Option<Insn>,
}

/// A decoder of code that is printed as words.
pub(super) struct Words {
    /// Decodes the instruction at the start of the bytes, in which words have their most
    /// significant byte first. The number is its offset in the code.
    pub(super) decode: fn(&[u8], usize) -> Option<Decoded>,
    /// Adjusts records for instructions that affect later ones, such as IT blocks; given the bytes
    /// of the code.
    pub(super) follow: fn(&[u8], &mut [(usize, Decoded)]),
}

impl Words {
    /// Decodes code. Returns each instruction with its offset.
    ///
    /// If instructions have one or two words, the first word may be the second half of an
    /// instruction: decoding starts at the first word from which an instruction starts at the mark.
    pub(super) fn decode(&self, code: &Code) -> Vec<(usize, Decoded)> {
        let from = |start: usize| {
            let mut all = Vec::with_capacity(code.bytes.len() / code.unit.max(1));
            let mut at = start;
            while let Some(rest) = code.bytes.get(at..).filter(|rest| !rest.is_empty()) {
                let decoded = (self.decode)(rest, at).unwrap_or_else(|| unknown(rest, code.unit));
                let len = decoded.len.max(1);
                all.push((at, decoded));
                at += len;
            }
            (self.follow)(&code.bytes, &mut all);
            all
        };
        let marked = |all: &Vec<(usize, Decoded)>| {
            code.trap_offset.is_none_or(|trap| all.iter().any(|(at, _)| *at == trap))
        };
        [0, code.unit].into_iter().map(from).find(marked).unwrap_or_default()
    }
}

/// Returns decoded instructions as text.
pub(super) fn instructions(code: &Code, decoded: Vec<(usize, Decoded)>) -> Vec<Instruction> {
    let instruction = |(offset, decoded): (usize, Decoded)| {
        let rest = code.bytes.get(offset..).unwrap_or_default();
        Instruction {
            offset,
            bytes: rest.get(..decoded.len).unwrap_or(rest).to_vec(),
            text: decoded.text,
            trapping: code.trap_offset == Some(offset),
        }
    };
    decoded.into_iter().map(instruction).collect()
}

fn unknown(rest: &[u8], unit: usize) -> Decoded {
    let word = rest.get(..unit).unwrap_or(rest);
    let value = word.iter().fold(0u32, |sum, &byte| (sum << 8) | u32::from(byte));
    let text = format!(".inst {value:#0width$x}", width = 2 + 2 * word.len());
    Decoded { len: word.len(), text, memory: None, insn: None }
}

/// The instructions around a trap.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) machine: &'static Machine,
    pub(crate) insns: Vec<Insn>,
    /// The index of the trapping instruction.
    pub(crate) trap: usize,
    syntax: Syntax,
    texts: Texts,
}

/// The source of the instructions' text.
#[derive(Debug)]
enum Texts {
    Written(Vec<Decoded>),
    X86(Vec<iced_x86::Instruction>),
}

impl Listing {
    /// Decodes code that has a trap mark; `bits` is the width of a register.
    pub(crate) fn of(code: &Code, arch: Arch, bits: u8, syntax: Syntax) -> Option<Self> {
        let trap = code.trap_offset?;
        let decoder = arch.info().decoder(code.unit);
        let (machine, decoded) = match decoder {
            Decoder::X86(bits) => {
                let (decoded, trap) = x86::window(&code.bytes, trap, bits)?;
                let insns = x86::records(&decoded, trap);
                let texts = Texts::X86(decoded);
                return Some(Self { machine: x86::machine(bits), insns, trap, syntax, texts });
            }
            Decoder::Listed => {
                let listed = code.instructions.iter();
                (s390::MACHINE, listed.map(|listed| (listed.offset, s390::read(listed))).collect())
            }
            decoder => (Machine::of_words(decoder)?, super::decode_words(decoder, bits, code)?),
        };
        let trap = decoded.iter().position(|(offset, _)| *offset == trap)?;
        let unknown = |offset| Insn { offset, ..Insn::default() };
        let insn =
            |(offset, decoded): &(usize, Decoded)| decoded.insn.unwrap_or_else(|| unknown(*offset));
        let insns = decoded.iter().map(insn).collect();
        let texts = Texts::Written(decoded.into_iter().map(|(_, decoded)| decoded).collect());
        Some(Self { machine, insns, trap, syntax, texts })
    }

    /// Returns an instruction as text.
    pub(crate) fn text(&self, index: usize) -> String {
        match &self.texts {
            Texts::Written(all) => all.get(index).map(|decoded| decoded.text.clone()),
            Texts::X86(all) => all.get(index).map(|decoded| x86::text(decoded, self.syntax)),
        }
        .unwrap_or_default()
    }

    /// Returns the memory operand of an instruction as text.
    pub(crate) fn memory(&self, index: usize) -> Option<String> {
        match &self.texts {
            Texts::Written(all) => all.get(index)?.memory.clone(),
            Texts::X86(all) => x86::Writer::new(self.syntax).memory(all.get(index)?),
        }
    }

    /// Returns a register as text.
    pub(crate) fn name(&self, register: Register) -> String {
        (self.machine.name)(register, self.syntax)
    }
}
