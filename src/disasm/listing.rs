//! The code of a report as records, with what is needed to write them.

use super::insn::{Insn, Register};
use super::{Syntax, s390, x86};
use crate::arch::{Arch, Decoder};
use crate::model::{Code, Instruction};

/// How a machine names its registers.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Their names in the model, by number.
    pub(crate) registers: &'static [&'static str],
    /// The name of a part of a register in the assembler's language.
    pub(super) name: fn(Register, Syntax) -> String,
}

/// An instruction that was decoded.
#[derive(Debug)]
pub(super) struct Decoded {
    /// How many bytes it has.
    pub(super) len: usize,
    pub(super) text: String,
    /// Its operand in memory as text.
    pub(super) memory: Option<String>,
    /// `None` where it is not known what it does.
    pub(super) insn: Option<Insn>,
}

/// A machine whose code is printed as words.
pub(super) struct Words {
    pub(super) machine: &'static Machine,
    /// The instruction that the bytes begin with, words with the most significant byte first; its
    /// offset in the code.
    pub(super) decode: fn(&[u8], usize) -> Option<Decoded>,
    /// Puts into records what instructions say of those below them; the bytes of all.
    pub(super) follow: fn(&[u8], &mut [(usize, Decoded)]),
}

impl Words {
    /// Decodes code: the offset of each instruction, and what it is.
    ///
    /// Where instructions have one word or two, the first may be the second half of one: decoding
    /// starts at the first word from which an instruction begins at the mark.
    fn decode(&self, code: &Code) -> Vec<(usize, Decoded)> {
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

    /// The same as text.
    pub(super) fn instructions(&self, code: &Code) -> Vec<Instruction> {
        let instruction = |(offset, decoded): (usize, Decoded)| {
            let rest = code.bytes.get(offset..).unwrap_or_default();
            Instruction {
                offset,
                bytes: rest.get(..decoded.len).unwrap_or(rest).to_vec(),
                text: decoded.text,
                trapping: code.trap_offset == Some(offset),
            }
        };
        self.decode(code).into_iter().map(instruction).collect()
    }
}

fn unknown(rest: &[u8], unit: usize) -> Decoded {
    let word = rest.get(..unit).unwrap_or(rest);
    let value = word.iter().fold(0u32, |sum, &byte| (sum << 8) | u32::from(byte));
    let text = format!(".inst {value:#0width$x}", width = 2 + 2 * word.len());
    Decoded { len: word.len(), text, memory: None, insn: None }
}

/// Instructions around a trap.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) machine: &'static Machine,
    pub(crate) insns: Vec<Insn>,
    /// The index of the one that trapped.
    pub(crate) trap: usize,
    syntax: Syntax,
    texts: Texts,
}

/// What instructions are written from.
#[derive(Debug)]
enum Texts {
    Written(Vec<Decoded>),
    X86(Vec<iced_x86::Instruction>),
}

impl Listing {
    /// Decodes code that has a mark, of a machine whose registers have so many bits.
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
            decoder => {
                let words = super::machine(decoder, bits)?;
                (words.machine, words.decode(code))
            }
        };
        let trap = decoded.iter().position(|(offset, _)| *offset == trap)?;
        let unknown = |offset| Insn { offset, ..Insn::default() };
        let insn =
            |(offset, decoded): &(usize, Decoded)| decoded.insn.unwrap_or_else(|| unknown(*offset));
        let insns = decoded.iter().map(insn).collect();
        let texts = Texts::Written(decoded.into_iter().map(|(_, decoded)| decoded).collect());
        Some(Self { machine, insns, trap, syntax, texts })
    }

    /// An instruction as text.
    pub(crate) fn text(&self, index: usize) -> String {
        match &self.texts {
            Texts::Written(all) => all.get(index).map(|decoded| decoded.text.clone()),
            Texts::X86(all) => all.get(index).map(|decoded| x86::text(decoded, self.syntax)),
        }
        .unwrap_or_default()
    }

    /// The operand in memory of an instruction as text.
    pub(crate) fn memory(&self, index: usize) -> Option<String> {
        match &self.texts {
            Texts::Written(all) => all.get(index)?.memory.clone(),
            Texts::X86(all) => x86::Writer::new(self.syntax).memory(all.get(index)?),
        }
    }

    /// A register as text.
    pub(crate) fn name(&self, register: Register) -> String {
        (self.machine.name)(register, self.syntax)
    }
}
