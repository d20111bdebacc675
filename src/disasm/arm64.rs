//! 64-bit ARM, decoded by the crate `yaxpeax-arm`.

use yaxpeax_arch::{Decoder, U8Reader};
use yaxpeax_arm::armv8::a64::{
    InstDecoder, Instruction, Opcode, Operand, SIMDSizeCode, ShiftStyle, SizeCode,
};

use super::insn::{Compute, Index, Insn, Memory, Register, Source, Trap};
use super::machine::ARM64_STACK_POINTER as STACK_POINTER;
use super::verb::{self, Operands, Verb};
use super::{Decoded, Words, little_endian};
use crate::model::Relation;

/// The number of the link register.
const LINK: u16 = 30;

/// 64-bit ARM.
pub(super) const A64: Words = Words {
    follow: |_, _| {},
    decode: |bytes, offset| {
        let word = little_endian(bytes)?;
        let decoded = InstDecoder::default().decode(&mut U8Reader::new(&word)).ok()?;
        let memory = decoded.operands.iter().find(|operand| is_memory(operand));
        let (verb, operands) = read(&decoded);
        Some(Decoded {
            len: 4,
            text: decoded.to_string(),
            memory: memory.map(memory_text),
            insn: verb.map(|verb| {
                let insn = verb::insn(verb, &operands, None, offset);
                let condition = insn.condition.map(|it| it.of_sign(is_sign(decoded.opcode)));
                Insn { condition, ..insn }
            }),
        })
    },
};

/// Returns whether a branch tests only the sign of a result: `b.mi`, `b.pl`.
fn is_sign(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::Bcc(0b0100 | 0b0101) | Opcode::BCcc(0b0100 | 0b0101))
}

fn is_memory(operand: &Operand) -> bool {
    use Operand::{RegPostIndex, RegPostIndexReg, RegPreIndex, RegRegOffset};
    matches!(operand, RegPreIndex(..) | RegPostIndex(..) | RegPostIndexReg(..) | RegRegOffset(..))
}

/// Returns a memory operand as text; an offset that is added after the access is not part of its
/// address.
fn memory_text(operand: &Operand) -> String {
    match *operand {
        Operand::RegPostIndex(base, _) | Operand::RegPostIndexReg(base, _) => {
            Operand::RegPreIndex(base, 0, false).to_string()
        }
        operand => operand.to_string(),
    }
}

fn size(code: SizeCode) -> u8 {
    if code == SizeCode::X { 8 } else { 4 }
}

/// Returns a register; number 31 is the zero register.
fn register(code: SizeCode, number: u16) -> Register {
    let number = u8::try_from(number).ok().filter(|number| *number < 31);
    Register::new(number.unwrap_or(Register::ZERO), size(code))
}

/// Returns a register; number 31 is the stack pointer.
fn base(number: u16) -> Register {
    Register::new(u8::try_from(number).unwrap_or(STACK_POINTER), 8)
}

/// Returns the operands of an instruction.
fn operands(instruction: &Instruction) -> Operands {
    let mut all = Operands::default();
    let memory = Memory { address_size: 8, ..Memory::default() };
    for operand in &instruction.operands {
        match *operand {
            Operand::Nothing | Operand::ConditionCode(_) => {}
            Operand::Register(size, number) => {
                all.push(Source::Register(register(size, number)));
            }
            Operand::RegisterPair(size, number) => {
                all.push(Source::Register(register(size, number)));
                all.push(Source::Register(register(size, number + 1)));
            }
            Operand::RegisterOrSP(code, number) => {
                all.push(Source::Register(Register { size: size(code), ..base(number) }));
            }
            Operand::Immediate(value) => all.push(Source::Number(u64::from(value))),
            Operand::Imm64(value) => all.push(Source::Number(value)),
            Operand::Imm16(value) => all.push(Source::Number(u64::from(value))),
            Operand::ImmShift(value, shift) => {
                let shifted = u64::from(value).checked_shl(u32::from(shift));
                all.push(shifted.map_or(Source::Other, Source::Number));
            }
            Operand::RegShift(style, shift, size, number) => {
                let register = register(size, number);
                all.push(match (style, shift) {
                    (ShiftStyle::LSL | ShiftStyle::UXTX, 0) => Source::Register(register),
                    // An extended register and a shifted one have the same form.
                    (ShiftStyle::LSL, shift) if size == SizeCode::X => {
                        Source::Shifted(register, shift)
                    }
                    _ => Source::Other,
                });
            }
            Operand::PCOffset(distance) => all.distance = Some(distance),
            Operand::RegPreIndex(number, displacement, updates) => {
                let displacement = i64::from(displacement);
                all.memory = Some(Memory { base: Some(base(number)), displacement, ..memory });
                all.updates = Some(base(number)).filter(|_| updates);
            }
            Operand::RegPostIndex(number, _) | Operand::RegPostIndexReg(number, _) => {
                all.memory = Some(Memory { base: Some(base(number)), ..memory });
                all.updates = Some(base(number));
            }
            Operand::RegRegOffset(number, index, size, style, shift) => {
                let is_signed = matches!(style, ShiftStyle::SXTW | ShiftStyle::SXTX);
                let register = register(size, index);
                let index = Index { register, shift, is_signed, is_negative: false };
                all.memory =
                    Some(Memory { base: Some(base(number)), index: Some(index), ..memory });
            }
            _ => all.push(Source::Other),
        }
    }
    all
}

/// Returns the relation of a condition by its number; the last two always hold.
fn relation(code: u8) -> Option<Relation> {
    Some(match code {
        0b0000 => Relation::Equal,
        0b0001 => Relation::NotEqual,
        0b0010 => Relation::AboveOrEqual,
        0b0011 => Relation::Below,
        0b1000 => Relation::Above,
        0b1001 => Relation::BelowOrEqual,
        // The sign of the result, and signed order.
        0b0101 | 0b1010 => Relation::GreaterOrEqual,
        0b0100 | 0b1011 => Relation::Less,
        0b1100 => Relation::Greater,
        0b1101 => Relation::LessOrEqual,
        _ => return None,
    })
}

/// `KCFI_BRK_IMM_BASE` in arch/arm64/include/asm/brk-imm.h: its low ten bits are the registers.
const INDIRECT_CALL: u16 = 0x8000;

/// Returns the operation of an instruction, and its operands in the order of that.
fn read(instruction: &Instruction) -> (Option<Verb>, Operands) {
    let mut all = operands(instruction);
    let verb = access(instruction)
        .or_else(|| flow(instruction))
        .or_else(|| computation(instruction, &mut all))
        .or_else(|| other(instruction.opcode));
    // The return address is signed or authenticated.
    if is_signed(instruction.opcode) {
        all.replace(&[Source::Register(register(SizeCode::X, LINK))]);
        return (Some(Verb::Change), all);
    }
    if let (Some(Verb::Trap(Trap::IndirectCall)), [Operand::Imm16(code), ..]) =
        (verb, instruction.operands)
    {
        all.replace(&[Source::Register(register(SizeCode::X, code & 31))]);
    }
    (verb, all)
}

/// Returns the operation of an instruction that reads or writes memory.
fn access(instruction: &Instruction) -> Option<Verb> {
    use Opcode as O;
    let [first, ..] = instruction.operands;
    Some(match instruction.opcode {
        O::LDR
        | O::LDUR
        | O::LDAR
        | O::LDLAR
        | O::LDAXR
        | O::LDXR
        | O::LDAPR
        | O::LDTR
        | O::LDAPUR
        | O::LD1
        | O::LD2
        | O::LD3
        | O::LD4 => Verb::Load(vector(first)),
        O::LDRB
        | O::LDURB
        | O::LDRSB
        | O::LDURSB
        | O::LDARB
        | O::LDLARB
        | O::LDAXRB
        | O::LDXRB
        | O::LDTRB
        | O::LDTRSB
        | O::LDAPRB
        | O::LDAPURB
        | O::LDAPURSB => Verb::Load(1),
        O::LDRH
        | O::LDURH
        | O::LDRSH
        | O::LDURSH
        | O::LDARH
        | O::LDLARH
        | O::LDAXRH
        | O::LDXRH
        | O::LDTRH
        | O::LDTRSH
        | O::LDAPRH
        | O::LDAPURH
        | O::LDAPURSH => Verb::Load(2),
        O::LDRSW | O::LDURSW | O::LDTRSW | O::LDAPURSW => Verb::Load(4),
        O::LDP | O::LDNP | O::LDXP | O::LDAXP => Verb::LoadPair(vector(first)),
        O::LDPSW => Verb::LoadPair(4),
        O::STR
        | O::STUR
        | O::STLR
        | O::STLLR
        | O::STTR
        | O::STLUR
        | O::ST1
        | O::ST2
        | O::ST3
        | O::ST4 => Verb::Store(vector(first)),
        O::STRB | O::STURB | O::STLRB | O::STLLRB | O::STTRB | O::STLURB => Verb::Store(1),
        O::STRH | O::STURH | O::STLRH | O::STLLRH | O::STTRH | O::STLURH => Verb::Store(2),
        O::STP | O::STNP => Verb::StorePair(vector(first)),
        O::STXR | O::STLXR => Verb::StoreExclusive(0),
        O::STXRB | O::STLXRB => Verb::StoreExclusive(1),
        O::STXRH | O::STLXRH => Verb::StoreExclusive(2),
        O::LD1R | O::LD2R | O::LD3R | O::LD4R => Verb::Load(element(first)),
        // Tags for this number of bytes, which the second form also zeroes.
        O::STG | O::STZG => Verb::Store(16),
        O::ST2G | O::STZ2G => Verb::Store(32),
        O::LDADD(_)
        | O::LDCLR(_)
        | O::LDEOR(_)
        | O::LDSET(_)
        | O::LDSMAX(_)
        | O::LDSMIN(_)
        | O::LDUMAX(_)
        | O::LDUMIN(_)
        | O::SWP(_)
        | O::CAS(_) => Verb::Update(0),
        O::LDADDB(_) | O::LDCLRB(_) | O::LDEORB(_) | O::LDSETB(_) | O::SWPB(_) | O::CASB(_) => {
            Verb::Update(1)
        }
        O::LDADDH(_) | O::LDCLRH(_) | O::LDEORH(_) | O::LDSETH(_) | O::SWPH(_) | O::CASH(_) => {
            Verb::Update(2)
        }
        _ => return None,
    })
}

/// Returns the operation of an instruction that moves or combines registers, and reorders the
/// operands for it.
fn computation(instruction: &Instruction, all: &mut Operands) -> Option<Verb> {
    use Opcode as O;
    let [first, second, third, fourth] = instruction.operands;
    let is_zero = |operand: Operand| matches!(operand, Operand::Register(_, 31));
    let width = match first {
        Operand::Register(code, _) | Operand::RegisterOrSP(code, _) => u32::from(size(code)) * 8,
        _ => 64,
    };
    let number = |value: u64| Source::Number(value & (u64::MAX >> (64 - width)));
    Some(match instruction.opcode {
        O::MOVZ => Verb::Move,
        O::MOVN => {
            let Operand::ImmShift(value, shift) = second else { return None };
            let value = !(u64::from(value) << (shift & 63));
            all.replace(&[source(first), number(value)]);
            Verb::Move
        }
        O::ORR if is_zero(second) => {
            all.replace(&[destination(first), source(third)]);
            Verb::Move
        }
        O::ORN if is_zero(second) => {
            all.replace(&[source(first), source(third)]);
            Verb::Compute(Compute::Not, false)
        }
        O::SUB | O::SUBS if is_zero(second) && !is_zero(first) => {
            all.replace(&[source(first), source(third)]);
            Verb::Compute(Compute::Negate, instruction.opcode == O::SUBS)
        }
        O::SUBS if is_zero(first) => Verb::Compare(0),
        O::ANDS if is_zero(first) => Verb::Test(0),
        O::ADDS if is_zero(first) => match source(third) {
            // `cmn` compares with the negative number.
            Source::Number(value) => {
                all.replace(&[all.get(1), number(value.wrapping_neg())]);
                Verb::Compare(0)
            }
            _ => Verb::LoseFlags,
        },
        O::ADD => Verb::Compute(Compute::Add, false),
        O::ADDS => Verb::Compute(Compute::Add, true),
        O::SUB => Verb::Compute(Compute::Subtract, false),
        O::SUBS => Verb::Compute(Compute::Subtract, true),
        O::AND => Verb::Compute(Compute::And, false),
        O::ANDS => Verb::Compute(Compute::And, true),
        O::ORR => Verb::Compute(Compute::Or, false),
        O::EOR => Verb::Compute(Compute::Xor, false),
        O::UBFM | O::SBFM => match (third, fourth) {
            (Operand::Immediate(from), Operand::Immediate(to)) => {
                let is_signed = instruction.opcode == O::SBFM;
                let Some((compute, by)) = field(from, to, width, is_signed) else {
                    return Some(Verb::Change);
                };
                all.replace(&[source(first), source(second), number(by)]);
                Verb::Compute(compute, false)
            }
            _ => Verb::Change,
        },
        O::CSEL => match fourth {
            Operand::ConditionCode(code) => relation(code).map_or(Verb::Change, Verb::Select),
            _ => Verb::Change,
        },
        _ => return None,
    })
}

/// Returns an operand of a computation.
fn source(operand: Operand) -> Source {
    match operand {
        Operand::Register(size, number) => Source::Register(register(size, number)),
        Operand::Immediate(value) => Source::Number(u64::from(value)),
        Operand::Imm64(value) => Source::Number(value),
        Operand::ImmShift(value, shift) => Source::Number(u64::from(value) << (shift & 63)),
        Operand::RegShift(ShiftStyle::LSL, 0, size, number) => {
            Source::Register(register(size, number))
        }
        _ => Source::Other,
    }
}

/// Returns the operation of a branch or trap.
fn flow(instruction: &Instruction) -> Option<Verb> {
    use Opcode as O;
    let [first, ..] = instruction.operands;
    Some(match instruction.opcode {
        O::CBZ => Verb::BranchZero(Relation::Equal),
        O::CBNZ => Verb::BranchZero(Relation::NotEqual),
        O::TBZ => Verb::BranchBit(Relation::Equal),
        O::TBNZ => Verb::BranchBit(Relation::NotEqual),
        O::B => Verb::Jump,
        O::Bcc(code) | O::BCcc(code) => Verb::Branch(relation(code)),
        O::BL | O::BLR | O::BLRAA | O::BLRAAZ | O::BLRAB | O::BLRABZ => Verb::Call,
        O::RET
        | O::BR
        | O::ERET
        | O::RETAA
        | O::RETAB
        | O::BRAA
        | O::BRAAZ
        | O::BRAB
        | O::BRABZ => Verb::Leave,
        O::BRK => Verb::Trap(match first {
            Operand::Imm16(code) if code & !0x3ff == INDIRECT_CALL => Trap::IndirectCall,
            _ => Trap::Assertion,
        }),
        _ => return None,
    })
}

/// Returns the operation of instructions whose results are not tracked.
fn other(opcode: Opcode) -> Option<Verb> {
    use Opcode as O;
    Some(match opcode {
        O::MOVK
        | O::ADRP
        | O::ADR
        | O::ORN
        | O::BIC
        | O::EON
        | O::MADD
        | O::MSUB
        | O::UDIV
        | O::SDIV
        | O::CSINC
        | O::CSINV
        | O::CSNEG
        | O::BFM
        | O::EXTR
        | O::CLZ
        | O::CLS
        | O::RBIT
        | O::REV
        | O::REV16
        | O::REV32
        | O::LSLV
        | O::LSRV
        | O::ASRV
        | O::RORV
        | O::SMADDL
        | O::UMADDL
        | O::SMULH
        | O::UMULH
        | O::ADC
        | O::SBC
        | O::MRS
        | O::XPACI
        | O::XPACD
        | O::CRC32B
        | O::CRC32H
        | O::CRC32W
        | O::CRC32X => Verb::Change,
        O::HINT
        | O::DMB(_)
        | O::DSB(_)
        | O::ISB
        | O::SB
        | O::PRFM
        | O::PRFUM
        | O::MSR
        | O::CLREX => Verb::Nothing,
        O::CCMP | O::CCMN => Verb::LoseFlags,
        _ => return None,
    })
}

fn bytes(size: SIMDSizeCode) -> u8 {
    match size {
        SIMDSizeCode::B => 1,
        SIMDSizeCode::H => 2,
        SIMDSizeCode::S => 4,
        SIMDSizeCode::D => 8,
        SIMDSizeCode::Q => 16,
    }
}

/// Returns whether an instruction signs or authenticates the return address.
fn is_signed(opcode: Opcode) -> bool {
    use Opcode as O;
    matches!(
        opcode,
        O::PACIASP
            | O::PACIBSP
            | O::PACIAZ
            | O::PACIBZ
            | O::AUTIASP
            | O::AUTIBSP
            | O::AUTIAZ
            | O::AUTIBZ
            | O::XPACLRI
    )
}

/// Returns the size in bytes of an element of a vector register.
fn element(operand: Operand) -> u8 {
    match operand {
        Operand::SIMDRegisterGroup(_, _, size, count) => bytes(size).saturating_mul(count),
        _ => 0,
    }
}

/// Returns the size of a vector register in bytes; 0 for other registers, which have it themselves.
fn vector(operand: Operand) -> u8 {
    match operand {
        Operand::SIMDRegister(size, _) => bytes(size),
        Operand::SIMDRegisterGroup(size, _, _, count)
        | Operand::SIMDRegisterGroupLane(_, size, count, _) => bytes(size).saturating_mul(count),
        _ => 0,
    }
}

fn destination(operand: Operand) -> Source {
    match operand {
        Operand::Register(code, number) => Source::Register(register(code, number)),
        Operand::RegisterOrSP(code, number) => {
            Source::Register(Register { size: size(code), ..base(number) })
        }
        _ => Source::Other,
    }
}

/// Returns the operation of `ubfm` and `sbfm` with bits `from` and `to`: `lsr`, `lsl`, `uxtb` and
/// others.
fn field(from: u32, to: u32, width: u32, is_signed: bool) -> Option<(Compute, u64)> {
    let shift = if is_signed { Compute::ShiftRightSigned } else { Compute::ShiftRight };
    let extend = if is_signed { Compute::ExtendSigned } else { Compute::Extend };
    Some(match (from, to) {
        (from, to) if to == width - 1 => (shift, u64::from(from)),
        (from, to) if to + 1 == from && !is_signed => (Compute::ShiftLeft, u64::from(width - from)),
        (0, 7 | 15 | 31) => (extend, u64::from(to + 1) / 8),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::insn::Op;
    use super::*;

    fn insn(word: u32) -> Insn {
        (A64.decode)(&word.to_be_bytes(), 8).and_then(|decoded| decoded.insn).expect("a record")
    }

    #[test]
    fn ok_targets() {
        // bl +4; cbz x0, -8; blr x1
        assert_eq!((insn(0x9400_0001).op, insn(0x9400_0001).target), (Op::Call, Some(12)));
        assert_eq!(insn(0xb4ff_ffc0).target, Some(0));
        assert_eq!(insn(0xd63f_0020).target, None);
    }

    #[test]
    fn ok_vectors() {
        let size = |word| insn(word).memory[0].expect("an operand").size;
        // ld1 {v0.16b, v1.16b}, [x0]; ld1r {v2.2d}, [x0]; stz2g x0, [x0], #32
        assert_eq!(size(0x4c40_a000), 32);
        assert_eq!(size(0x4d40_cc02), 8);
        assert_eq!(size(0xd9e0_2400), 32);
    }

    #[test]
    fn ok_signatures() {
        let writes = |word| insn(word).writes.numbers().collect::<Vec<_>>();
        // paciasp, pacibsp, autiasp, autibsp, xpaclri; nop
        for word in [0xd503_233f, 0xd503_237f, 0xd503_23bf, 0xd503_23ff, 0xd503_20ff] {
            assert_eq!(writes(word), [30], "{word:x}");
        }
        assert_eq!(writes(0xd503_201f), [0u8; 0]);
    }
}
