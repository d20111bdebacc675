//! 64-bit RISC-V with compressed instructions, decoded by the crate raki.

use raki::{Decode, InstFormat, Instruction, Isa};

use super::insn::{Compute, Memory, Register, Source, Trap};
use super::machine::riscv_name as register_name;
use super::verb::{self, Operands, Verb};
use super::{Decoded, Words};
use crate::model::Relation;

const STACK_POINTER: usize = 2;

/// Code that is printed in halfwords: `dump_kernel_instr()` in arch/riscv/kernel/traps.c.
pub(super) const HALVES: Words = Words {
    follow: |_, _| {},
    decode: |bytes, offset| {
        let low = u16::from_be_bytes(*bytes.first_chunk::<2>()?);
        // The two lowest bits identify a compressed instruction.
        if low & 3 != 3 {
            return decoded(&low.decode(Isa::Rv64).ok()?, 2, offset);
        }
        let high = u16::from_be_bytes(*bytes.get(2..)?.first_chunk::<2>()?);
        let word = u32::from(high) << 16 | u32::from(low);
        decoded(&word.decode(Isa::Rv64).ok()?, 4, offset)
    },
};

/// Code that is printed in words.
pub(super) const WORDS: Words = Words {
    follow: |_, _| {},
    decode: |bytes, offset| {
        let word = u32::from_be_bytes(*bytes.first_chunk::<4>()?);
        let is_whole = word & 3 == 3;
        decoded(&is_whole.then(|| word.decode(Isa::Rv64).ok()).flatten()?, 4, offset)
    },
};

fn decoded(instruction: &Instruction, len: usize, offset: usize) -> Option<Decoded> {
    let name = instruction.opc.to_string().to_ascii_lowercase();
    let memory = memory(instruction, &name);
    let text = text(instruction, &name, memory.as_ref())?;
    let verb = verb(&name, instruction);
    let operands = operands(instruction, verb, memory.as_ref());
    let insn = verb.map(|verb| verb::insn(verb, &operands, None, offset));
    Some(Decoded { len, text, memory: memory.and_then(|memory| memory.text()), insn })
}

/// A memory operand: the register that is loaded or stored, the displacement and the base.
struct Place {
    register: usize,
    displacement: i32,
    base: usize,
}

impl Place {
    /// Returns it in objdump's syntax.
    fn text(&self) -> Option<String> {
        Some(format!("{}({})", self.displacement, register_name(self.base)?))
    }
}

/// The instructions that read memory.
const LOADS: [&str; 7] = ["lb", "lh", "lw", "ld", "lbu", "lhu", "lwu"];

fn memory(instruction: &Instruction, name: &str) -> Option<Place> {
    let Instruction { rd, rs1, rs2, imm, .. } = instruction;
    let is_compressed_load = name.starts_with("c.l") && name.ends_with("sp");
    let (register, base) = match instruction.inst_format {
        InstFormat::ClFormat => (*rd, *rs1),
        InstFormat::IFormat if LOADS.contains(&name) => (*rd, *rs1),
        InstFormat::CiFormat if is_compressed_load => (*rd, Some(STACK_POINTER)),
        InstFormat::CssFormat => (*rs2, Some(STACK_POINTER)),
        InstFormat::SFormat | InstFormat::CsFormat => (*rs2, *rs1),
        InstFormat::AFormat | InstFormat::ALrFormat => {
            let register = rd.or(*rs2)?;
            return Some(Place { register, displacement: 0, base: (*rs1)? });
        }
        _ => return None,
    };
    Some(Place { register: register?, displacement: (*imm)?, base: base? })
}

/// Returns the text of an instruction, with memory operands and branches in objdump's syntax.
/// Reserved instructions lack operands that raki expects.
fn text(instruction: &Instruction, name: &str, memory: Option<&Place>) -> Option<String> {
    let Instruction { rd, rs1, rs2, imm, .. } = instruction;
    let is_whole = match instruction.inst_format {
        InstFormat::NoOperand => return Some(name.to_owned()),
        InstFormat::ClFormat
        | InstFormat::CssFormat
        | InstFormat::SFormat
        | InstFormat::CsFormat => {
            let memory = memory?;
            return Some(format!("{name} {}, {}", register_name(memory.register)?, memory.text()?));
        }
        InstFormat::IFormat | InstFormat::CiFormat if memory.is_some() => {
            let memory = memory?;
            return Some(format!("{name} {}, {}", register_name(memory.register)?, memory.text()?));
        }
        InstFormat::IFormat if LOADS.contains(&name) => return None,
        InstFormat::CbFormat => {
            return Some(format!("{name} {}, {}", register_name(rd.or(*rs1)?)?, (*imm)?));
        }
        InstFormat::CrFormat if rd.is_none() || rs2.is_none() => {
            return Some(format!("{name} {}", register_name((*rs1)?)?));
        }
        InstFormat::BFormat => {
            let (left, right) = (register_name((*rs1)?)?, register_name((*rs2)?)?);
            return Some(format!("{name} {left}, {right}, {}", (*imm)?));
        }
        InstFormat::OnlyRd => rd.is_some(),
        InstFormat::OnlyRs1 => rs1.is_some(),
        InstFormat::OnlyRs2 => rs2.is_some(),
        InstFormat::RFormat | InstFormat::MFormat => rd.and(*rs1).and(*rs2).is_some(),
        _ => true,
    };
    is_whole.then(|| instruction.to_string().to_ascii_lowercase())
}

fn register(number: usize) -> Register {
    let number = u8::try_from(number).ok().filter(|number| *number > 0);
    Register::new(number.unwrap_or(Register::ZERO), 8)
}

/// Returns the operands in the order of the operation.
fn operands(instruction: &Instruction, verb: Option<Verb>, memory: Option<&Place>) -> Operands {
    let Instruction { rd, rs1, rs2, imm, .. } = instruction;
    let mut all = Operands::default();
    let number = imm.map(|imm| Source::Number(i64::from(imm).cast_unsigned()));
    let registers = |list: [&Option<usize>; 3]| {
        list.map(|number| number.map(|number| Source::Register(register(number))))
    };
    let list = match verb {
        Some(Verb::Load(_) | Verb::Store(_) | Verb::Update(_) | Verb::StoreExclusive(_)) => {
            all.memory = memory.map(|place| Memory {
                base: Some(register(place.base)).filter(|base| base.number != Register::ZERO),
                displacement: i64::from(place.displacement),
                address_size: 8,
                ..Memory::default()
            });
            memory.map(|place| Source::Register(register(place.register))).into_iter().collect()
        }
        Some(Verb::Call) => {
            // `jalr` adds its immediate to a register.
            all.distance = imm.filter(|_| rs1.is_none()).map(i64::from);
            Vec::new()
        }
        Some(Verb::BranchZero(_) | Verb::BranchCompare(_) | Verb::Jump) => {
            all.distance = imm.map(i64::from);
            // `c.beqz` has its register in either field.
            let left = if rs1.is_some() { rs1 } else { rd };
            let list = registers([left, rs2, &None]);
            list.into_iter().flatten().collect::<Vec<_>>()
        }
        _ => {
            // Compressed instructions change their first operand: `c.addi a0, 8`.
            let is_short = instruction.is_compressed && matches!(verb, Some(Verb::Compute(..)));
            let second = if is_short && rs1.is_none() { rd } else { rs1 };
            let list = registers([rd, second, rs2]);
            list.into_iter().flatten().chain(number).collect()
        }
    };
    for operand in list {
        all.push(operand);
    }
    all
}

/// Returns the operation of an instruction by its name.
fn verb(name: &str, instruction: &Instruction) -> Option<Verb> {
    Some(match name {
        "ld" | "c.ld" | "c.ldsp" | "lr.d" => Verb::Load(8),
        "lw" | "lwu" | "c.lw" | "c.lwsp" | "lr.w" => Verb::Load(4),
        "lh" | "lhu" => Verb::Load(2),
        "lb" | "lbu" => Verb::Load(1),
        "sd" | "c.sd" | "c.sdsp" => Verb::Store(8),
        "sw" | "c.sw" | "c.swsp" => Verb::Store(4),
        "sh" => Verb::Store(2),
        "sb" => Verb::Store(1),
        "sc.d" => Verb::StoreExclusive(8),
        "sc.w" => Verb::StoreExclusive(4),
        name if name.starts_with("amo") => {
            Verb::Update(if name.bytes().last() == Some(b'd') { 8 } else { 4 })
        }
        "c.mv" | "c.li" => Verb::Move,
        "addi" | "c.addi" | "add" | "c.add" | "c.addi16sp" => Verb::Compute(Compute::Add, false),
        "sub" | "c.sub" => Verb::Compute(Compute::Subtract, false),
        "and" | "andi" | "c.and" | "c.andi" => Verb::Compute(Compute::And, false),
        "or" | "ori" | "c.or" => Verb::Compute(Compute::Or, false),
        "xor" | "xori" | "c.xor" => Verb::Compute(Compute::Xor, false),
        "slli" | "c.slli" => Verb::Compute(Compute::ShiftLeft, false),
        "srli" | "c.srli" => Verb::Compute(Compute::ShiftRight, false),
        "srai" | "c.srai" => Verb::Compute(Compute::ShiftRightSigned, false),
        "lui" | "c.lui" | "auipc" | "sll" | "srl" | "sra" | "slt" | "sltu" | "slti" | "sltiu"
        | "addiw" | "addw" | "subw" | "c.addiw" | "c.addw" | "c.subw" | "c.addi4spn" | "mul"
        | "mulh" | "mulhu" | "mulw" | "div" | "divu" | "rem" | "remu" | "slliw" | "srliw"
        | "sraiw" | "sllw" | "srlw" | "sraw" => Verb::Change,
        "c.nop" | "fence" | "fence.i" => Verb::Nothing,
        "beq" => Verb::BranchCompare(Relation::Equal),
        "bne" => Verb::BranchCompare(Relation::NotEqual),
        "blt" => Verb::BranchCompare(Relation::Less),
        "bge" => Verb::BranchCompare(Relation::GreaterOrEqual),
        "bltu" => Verb::BranchCompare(Relation::Below),
        "bgeu" => Verb::BranchCompare(Relation::AboveOrEqual),
        "c.beqz" => Verb::BranchZero(Relation::Equal),
        "c.bnez" => Verb::BranchZero(Relation::NotEqual),
        "c.j" => Verb::Jump,
        // `j` and `jr` store no return address.
        "jal" if instruction.rd == Some(0) => Verb::Jump,
        "jalr" if instruction.rd == Some(0) => Verb::Leave,
        "jal" | "jalr" | "c.jalr" => Verb::Call,
        "c.jr" => Verb::Leave,
        "ebreak" | "c.ebreak" => Verb::Trap(Trap::Assertion),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halves(bytes: &[u8]) -> Option<(usize, String)> {
        (HALVES.decode)(bytes, 0).map(|decoded| (decoded.len, decoded.text))
    }

    fn words(bytes: &[u8]) -> Option<(usize, String)> {
        (WORDS.decode)(bytes, 0).map(|decoded| (decoded.len, decoded.text))
    }

    #[test]
    fn ok_decode() {
        // The low half first.
        assert_eq!(halves(&[0x63, 0x9c]), Some((2, "c.ld a5, 0(a5)".into())));
        assert_eq!(halves(&[0x27, 0x83, 0, 0x85]), Some((4, "lw a5, 8(a0)".into())));
        assert_eq!(words(&[0, 0x85, 0x27, 0x83]), Some((4, "lw a5, 8(a0)".into())));
        for (word, want) in [
            (0x0011_3423, "sd ra, 8(sp)"),
            (0xff01_3083, "ld ra, -16(sp)"),
            (0x00b5_1463, "bne a0, a1, 8"),
            (0xfe05_0ee3, "beq a0, zero, -4"),
            (0x0010_0073, "ebreak"),
        ] {
            assert_eq!(words(&u32::to_be_bytes(word)), Some((4, want.into())));
        }
        // c.ldsp, c.sdsp, c.sd, c.beqz, c.ebreak
        for (half, want) in [
            (0x60a2, "c.ldsp ra, 8(sp)"),
            (0xe406, "c.sdsp ra, 8(sp)"),
            (0xe51c, "c.sd a5, 8(a0)"),
            (0xc111, "c.beqz a0, 4"),
            (0x8082, "c.jr ra"),
            (0x9782, "c.jalr a5"),
            (0x853e, "c.mv a0, a5"),
            (0x9002, "c.ebreak"),
        ] {
            assert_eq!(halves(&u16::to_be_bytes(half)), Some((2, want.into())));
        }
        assert_eq!(words(&[0, 0, 0, 0]), None);
        assert_eq!(halves(&[0x27, 0x83]), None);
    }

    #[test]
    fn no_halfword_is_too_odd() {
        for half in 0..=u16::MAX {
            let _ = halves(&half.to_be_bytes());
        }
        for word in [0x13cd_0073u32, 0x12c2_83f3, u32::MAX] {
            let _ = words(&word.to_be_bytes());
        }
    }

    #[test]
    fn ok_targets() {
        let target = |word: u32| {
            let decoded = (WORDS.decode)(&word.to_be_bytes(), 8).expect("an instruction");
            decoded.insn.expect("a record").target
        };
        // jal ra, 4; j -8; jalr 4(ra)
        assert_eq!(target(0x0040_00ef), Some(12));
        assert_eq!(target(0xff9f_f06f), Some(0));
        assert_eq!(target(0x0040_80e7), None);
    }
}
