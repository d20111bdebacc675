//! 32-bit ARM and Thumb, decoded by the crate `yaxpeax-arm`.

use yaxpeax_arch::{Decoder, U8Reader};
use yaxpeax_arm::armv7::{
    ConditionCode, InstDecoder, Instruction, Opcode, Operand, Reg, RegShift, RegShiftStyle,
    ShiftStyle,
};

use super::insn::{
    Compute, Condition, Flags, Index, Insn, Memory, Op, Register, Set, Source, Trap,
};
use super::verb::{self, Operands, Verb};
use super::{Decoded, Words, little_endian, machine};
use crate::model::Relation;

/// 32-bit ARM.
pub(super) const A32: Words = Words {
    follow: |_, _| {},
    decode: |bytes, offset| {
        let word = little_endian(bytes)?;
        let is_bug = u32::from_le_bytes(word) == BUG_A32;
        if has_no_pair(u32::from_le_bytes(word)) {
            return None;
        }
        let decoded = InstDecoder::default().decode(&mut U8Reader::new(&word)).ok();
        decoded_of(decoded, 4, is_bug, offset)
    },
};

/// Thumb: instructions of one or two halfwords.
pub(super) const T32: Words = Words {
    follow: blocks,
    decode: |bytes, offset| {
        let halves: Vec<u8> =
            bytes.chunks_exact(2).take(2).flat_map(|half| half.iter().rev().copied()).collect();
        // The five highest bits identify an instruction of two halfwords: ARM ARM, A6.1.
        let len = if halves.get(1)? >> 3 >= 0b11101 { 4 } else { 2 };
        let bytes = halves.get(..len)?;
        let is_bug = *bytes == BUG_T32.to_le_bytes();
        let decoded = InstDecoder::default_thumb().decode(&mut U8Reader::new(bytes)).ok();
        decoded_of(decoded, len, is_bug, offset)
    },
};

/// `BUG_INSTR_VALUE` in arch/arm/include/asm/bug.h.
const BUG_A32: u32 = 0xe7f0_01f2;
const BUG_T32: u16 = 0xde02;

fn decoded_of(
    decoded: Option<Instruction>,
    len: usize,
    is_bug: bool,
    offset: usize,
) -> Option<Decoded> {
    if is_bug {
        let insn = verb::insn(Verb::Trap(Trap::Assertion), &Operands::default(), None, offset);
        let text = match &decoded {
            Some(decoded) => decoded.to_string(),
            None if len == 2 => format!(".inst {BUG_T32:#x}"),
            None => format!(".inst {BUG_A32:#x}"),
        };
        return Some(Decoded { len, text, memory: None, insn: Some(insn) });
    }
    let decoded = decoded?;
    let mut operands = operands(&decoded);
    // A read of the program counter returns the address two instructions ahead.
    let ahead = if decoded.thumb { 4 } else { 8 };
    if decoded.thumb && decoded.opcode == Opcode::BLX {
        // The target is relative to the address rounded down to four, but only offsets are known
        // here.
        operands.distance = None;
    }
    if let Some(memory) = &mut operands.memory
        && memory.base.is_some_and(|base| base.number == Register::POINTER)
    {
        // Thumb addresses are relative to a multiple of four, except in table branches.
        memory.is_aligned = decoded.thumb && !is_table(decoded.opcode);
        if memory.is_aligned && memory.displacement % 4 != 0 {
            return None;
        }
        memory.displacement += i64::try_from(offset + ahead).unwrap_or_default();
    }
    let memory = decoded.operands.into_iter().find_map(memory);
    let predicate = match decoded.condition {
        ConditionCode::AL => None,
        code => Some(relation(code)),
    };
    let verb = verb(&decoded);
    let is_table = is_table(decoded.opcode);
    let is_to_pointer = is_table
        || matches!(operands.get(0), Source::Register(Register { number: Register::POINTER, .. }));
    let verb = match (verb, predicate) {
        (Some(Verb::Jump), Some(relation)) => Some(Verb::Branch(relation)),
        // Thumb encodes `pld` and other hints as loads of a part of the program counter.
        (Some(Verb::Load(1 | 2)), _) if is_to_pointer && !is_table => Some(Verb::Nothing),
        (verb, _) => verb,
    };
    let insn = verb.map(|verb| {
        let insn = verb::insn(verb, &operands, predicate, offset);
        match verb {
            // `mov pc, lr`, `ldrls pc, [pc, r3, lsl 2]`.
            Verb::Move | Verb::Load(_) | Verb::Compute(..) | Verb::Change if is_to_pointer => {
                Insn { op: Op::Leave, destination: None, sources: [Source::None; 2], ..insn }
            }
            Verb::Move if decoded.s => Insn { flags: Flags::Set(0), ..insn },
            Verb::Change if decoded.s => Insn { flags: Flags::Lost, ..insn },
            _ => insn,
        }
    });
    let insn = row(&decoded, predicate, offset).or(insn).map(|insn| {
        let condition = insn.condition.map(|it| it.of_sign(is_sign(decoded.condition)));
        Insn { condition, ..insn }
    });
    Some(Decoded {
        len,
        text: decoded.to_string(),
        memory: memory.map(|(memory, updates)| text(&memory, updates)),
        insn,
    })
}

/// Returns whether a word would load or store the register after the last one, which the decoder
/// does not expect: LDRD, STRD and their exclusive forms with the program counter.
fn has_no_pair(word: u32) -> bool {
    let is_double = word & 0x0e10_00d0 == 0x0000_00d0;
    let is_exclusive = word & 0x0fe0_00f0 == 0x01a0_0090;
    let from_pc = word & 0xf000 == 0xf000;
    (is_double && from_pc) || (is_exclusive && (from_pc || word & 0xf == 0xf))
}

/// Adds conditions to the instructions of IT blocks: ARM ARM, A7.3.
fn blocks(bytes: &[u8], all: &mut [(usize, Decoded)]) {
    let mut conditions = Vec::new().into_iter();
    for (at, decoded) in all {
        if let Some(code) = conditions.next() {
            predicate(decoded, code);
        }
        let half = bytes.get(*at..).and_then(<[u8]>::first_chunk).copied();
        if let Some(block) = half.and_then(block).filter(|_| decoded.len == 2) {
            conditions = block.into_iter();
        }
    }
}

/// Returns the conditions of an IT block from its first halfword.
fn block(half: [u8; 2]) -> Option<Vec<u8>> {
    let [0xbf, fields] = half else { return None };
    let (first, mask) = (fields >> 4, fields & 15);
    let others = (1..4).map(|at| first & 0b1110 | mask >> (4 - at) & 1);
    let count = 4usize.checked_sub(mask.trailing_zeros() as usize)?;
    Some(std::iter::once(first).chain(others).take(count).collect())
}

/// Adds a condition, given by its number, to an instruction.
fn predicate(decoded: &mut Decoded, code: u8) {
    let Some(insn) = &mut decoded.insn else { return };
    // 16-bit instructions set the flags only outside of a block, except comparisons.
    if decoded.len == 2 && matches!(insn.op, Op::Compute(_) | Op::Move | Op::Other) {
        insn.flags = Flags::Kept;
    }
    if let Some(code) = CONDITIONS.get(usize::from(code)) {
        let condition = Condition::on_flags(relation(*code)).of_sign(is_sign(*code));
        insn.condition = Some(condition);
    }
}

/// The conditions by number; numbers 14 and 15 always hold.
#[rustfmt::skip] // rows
const CONDITIONS: [ConditionCode; 14] = [
    ConditionCode::EQ, ConditionCode::NE, ConditionCode::HS, ConditionCode::LO, ConditionCode::MI,
    ConditionCode::PL, ConditionCode::VS, ConditionCode::VC, ConditionCode::HI, ConditionCode::LS,
    ConditionCode::GE, ConditionCode::LT, ConditionCode::GT, ConditionCode::LE,
];

/// Returns whether a condition tests only the sign of a result.
fn is_sign(code: ConditionCode) -> bool {
    matches!(code, ConditionCode::MI | ConditionCode::PL)
}

/// Returns whether an instruction branches by a table of distances in memory.
fn is_table(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::TBB | Opcode::TBH)
}

/// Makes the record of an instruction that loads or stores a list of registers, the lowest register
/// at the lowest address.
fn row(decoded: &Instruction, predicate: Option<Option<Relation>>, offset: usize) -> Option<Insn> {
    // Whether it loads, counts up, and changes the address before each access.
    let (is_load, is_up, is_before) = match decoded.opcode {
        Opcode::POP => (true, true, false),
        Opcode::PUSH => (false, false, true),
        // Thumb has two forms: up after each access, and down before it.
        Opcode::LDM(is_up, ..) if decoded.thumb => (true, is_up, !is_up),
        Opcode::STM(is_up, ..) if decoded.thumb => (false, is_up, !is_up),
        Opcode::LDM(is_up, is_before, ..) => (true, is_up, is_before),
        Opcode::STM(is_up, is_before, ..) => (false, is_up, is_before),
        _ => return None,
    };
    let (base, updates, list) = match decoded.operands {
        [Operand::RegList(list), ..] => (Register::new(STACK_POINTER, 4), true, list),
        [Operand::RegWBack(base, updates), Operand::RegList(list), ..] => {
            (register(base), updates, list)
        }
        _ => return None,
    };
    let size = 4 * i64::from(list.count_ones());
    let lowest = if is_up { 0 } else { 4 - size };
    let displacement = match (is_before, is_up) {
        (false, _) => lowest,
        (true, true) => lowest + 4,
        (true, false) => lowest - 4,
    };
    let memory = Memory {
        base: Some(base),
        displacement,
        size: size.cast_unsigned(),
        reads: is_load,
        writes: !is_load,
        address_size: 4,
        ..Memory::default()
    };
    let loaded = (0..15).filter(|number| is_load && list & (1 << number) != 0);
    let changed = loaded.map(|number| Register::new(number, 4));
    let writes: Set = changed.chain(Some(base).filter(|_| updates)).collect();
    let is_leave = is_load && list & (1 << 15) != 0;
    Some(Insn {
        offset,
        op: if is_leave { Op::Leave } else { Op::Other },
        size: 4,
        memory: [Some(memory), None],
        condition: predicate.map(Condition::on_flags),
        writes,
        ..Insn::default()
    })
}

const STACK_POINTER: u8 = 13;

fn register(register: Reg) -> Register {
    let number = if register.number() == 15 { Register::POINTER } else { register.number() };
    Register::new(number, 4)
}

/// Returns a memory operand, and whether its base is changed.
fn memory(operand: Operand) -> Option<(Memory, bool)> {
    let at =
        |base: Reg| Memory { base: Some(register(base)), address_size: 4, ..Memory::default() };
    let by = |base: Reg, bytes: u16, is_added: bool| {
        let bytes = i64::from(bytes);
        Memory { displacement: if is_added { bytes } else { -bytes }, ..at(base) }
    };
    let index = |base: Reg, other: Reg, shift: u8, is_added: bool| {
        let register = register(other);
        let index = Index { register, shift, is_signed: false, is_negative: !is_added };
        Memory { index: Some(index), ..at(base) }
    };
    Some(match operand {
        Operand::RegDeref(base) => (at(base), false),
        Operand::RegDerefPreindexOffset(base, bytes, add, update) => (by(base, bytes, add), update),
        Operand::RegDerefPreindexReg(base, other, add, update) => {
            (index(base, other, 0, add), update)
        }
        Operand::RegDerefPreindexRegShift(base, shift, add, update) => {
            let (other, shift) = shifted(shift)?;
            (index(base, other, shift, add), update)
        }
        Operand::RegDerefPostindexOffset(base, ..)
        | Operand::RegDerefPostindexReg(base, ..)
        | Operand::RegDerefPostindexRegShift(base, ..) => (at(base), true),
        _ => return None,
    })
}

/// Returns a memory operand in the decoder's syntax.
fn text(memory: &Memory, updates: bool) -> String {
    let name = |register: Register| (machine::ARM.name)(register, super::Syntax::Att);
    let base = memory.base.map(name).unwrap_or_default();
    let inside = match (memory.index, memory.displacement) {
        (Some(index), _) => {
            let sign = if index.is_negative { "-" } else { "" };
            let shift = match index.shift {
                0 => String::new(),
                shift => format!(", lsl {shift}"),
            };
            format!("{base}, {sign}{}{shift}", name(index.register))
        }
        (None, 0) => base,
        (None, by @ ..0) => format!("{base}, -{:#x}", by.unsigned_abs()),
        (None, by) => format!("{base}, {by:#x}"),
    };
    // An offset that is added after the access is not part of its address.
    let is_before = memory.displacement != 0 || memory.index.is_some();
    format!("[{inside}]{}", if updates && is_before { "!" } else { "" })
}

/// Returns a register and the number by which it is shifted to the left.
fn shifted(shift: RegShift) -> Option<(Reg, u8)> {
    match shift.into_shift() {
        RegShiftStyle::RegImm(shift) if shift.stype() == ShiftStyle::LSL => {
            Some((shift.shiftee(), shift.imm()))
        }
        _ => None,
    }
}

/// Returns the operands of an instruction.
fn operands(instruction: &Instruction) -> Operands {
    let mut all = Operands::default();
    for operand in &instruction.operands {
        match *operand {
            Operand::Nothing => {}
            Operand::Reg(found) | Operand::RegWBack(found, _) => {
                all.push(Source::Register(register(found)));
            }
            Operand::Imm12(value) => all.push(Source::Number(u64::from(value))),
            Operand::Imm32(value) => all.push(Source::Number(u64::from(value))),
            Operand::RegShift(shift) => all.push(match shifted(shift) {
                Some((found, 0)) => Source::Register(register(found)),
                Some((found, by)) => Source::Shifted(register(found), by),
                None => Source::Other,
            }),
            Operand::BranchOffset(words) => all.distance = Some(i64::from(words) * 4),
            Operand::BranchThumbOffset(halves) => {
                // The decoder adds one halfword to the distance of short conditional branches only;
                // the processor counts from two instructions ahead.
                let is_compared = matches!(instruction.opcode, Opcode::CBZ | Opcode::CBNZ);
                let is_short = !instruction.wide
                    && (is_compared || instruction.condition != ConditionCode::AL);
                all.distance = Some(i64::from(halves) * 2 + if is_short { 2 } else { 4 });
            }
            _ => match memory(*operand) {
                Some((found, updates)) => {
                    all.memory = Some(found);
                    all.updates = found.base.filter(|_| updates);
                }
                None => all.push(Source::Other),
            },
        }
    }
    all
}

fn relation(code: ConditionCode) -> Option<Relation> {
    use ConditionCode as C;
    Some(match code {
        C::EQ => Relation::Equal,
        C::NE => Relation::NotEqual,
        C::HS => Relation::AboveOrEqual,
        C::LO => Relation::Below,
        C::HI => Relation::Above,
        C::LS => Relation::BelowOrEqual,
        C::GE | C::PL => Relation::GreaterOrEqual,
        C::LT | C::MI => Relation::Less,
        C::GT => Relation::Greater,
        C::LE => Relation::LessOrEqual,
        C::VS | C::VC | C::AL => return None,
    })
}

/// Returns the operation of an instruction.
fn verb(instruction: &Instruction) -> Option<Verb> {
    use Opcode as O;
    let sets_flags = instruction.s;
    let compute = |compute| Some(Verb::Compute(compute, sets_flags));
    match instruction.opcode {
        O::LDR | O::LDREX | O::LDRT | O::LDA | O::LDAEX => Some(Verb::Load(4)),
        O::LDRB | O::LDRSB | O::LDREXB | O::LDRBT | O::LDAB | O::TBB => Some(Verb::Load(1)),
        O::LDRH | O::LDRSH | O::LDREXH | O::LDRHT | O::LDAH | O::TBH => Some(Verb::Load(2)),
        O::LDRD | O::LDREXD => Some(Verb::LoadPair(4)),
        O::STR | O::STRT | O::STL => Some(Verb::Store(4)),
        O::STRB | O::STRBT | O::STLB => Some(Verb::Store(1)),
        O::STRH | O::STRHT | O::STLH => Some(Verb::Store(2)),
        O::STRD => Some(Verb::StorePair(4)),
        O::STREX | O::STLEX => Some(Verb::StoreExclusive(4)),
        O::STREXB | O::STLEXB => Some(Verb::StoreExclusive(1)),
        O::STREXH | O::STLEXH => Some(Verb::StoreExclusive(2)),
        O::MOV => Some(Verb::Move),
        O::MVN => compute(Compute::Not),
        O::ADD => compute(Compute::Add),
        O::SUB => compute(Compute::Subtract),
        O::AND => compute(Compute::And),
        O::ORR => compute(Compute::Or),
        O::EOR => compute(Compute::Xor),
        O::LSL => compute(Compute::ShiftLeft),
        O::LSR => compute(Compute::ShiftRight),
        O::ASR => compute(Compute::ShiftRightSigned),
        O::MOVT
        | O::BIC
        | O::ROR
        | O::RRX
        | O::RSB
        | O::RSC
        | O::ADC
        | O::SBC
        | O::MUL
        | O::MLA
        | O::MLS
        | O::UBFX
        | O::SBFX
        | O::UXTB
        | O::UXTH
        | O::SXTB
        | O::SXTH
        | O::UXTAB
        | O::UXTAH
        | O::BFI
        | O::BFC
        | O::CLZ
        | O::RBIT
        | O::REV
        | O::REV16
        | O::ORN
        | O::UDIV
        | O::SDIV
        | O::MRS => Some(Verb::Change),
        O::NOP | O::DMB | O::DSB | O::ISB | O::IT | O::PLD | O::HINT | O::CSDB => {
            Some(Verb::Nothing)
        }
        O::CMP => Some(Verb::Compare(4)),
        O::TST => Some(Verb::Test(4)),
        O::CBZ => Some(Verb::BranchZero(Relation::Equal)),
        O::CBNZ => Some(Verb::BranchZero(Relation::NotEqual)),
        O::B => Some(Verb::Jump),
        O::BL | O::BLX => Some(Verb::Call),
        O::BX => Some(Verb::Leave),
        O::UDF => Some(Verb::Trap(Trap::Assertion)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a32(word: u32) -> Insn {
        (A32.decode)(&word.to_be_bytes(), 8).and_then(|decoded| decoded.insn).expect("a record")
    }

    fn t32(halves: &[u16]) -> Insn {
        let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_be_bytes()).collect();
        (T32.decode)(&bytes, 8).and_then(|decoded| decoded.insn).expect("a record")
    }

    /// Base, displacement, size, whether it is read, and the registers that change.
    fn memory(insn: &Insn) -> (u8, i64, u64, bool, Vec<u8>) {
        let memory = insn.memory[0].expect("an operand");
        let base = memory.base.expect("a base").number;
        let writes = insn.writes.numbers().collect();
        (base, memory.displacement, memory.size, memory.reads, writes)
    }

    #[test]
    fn ok_literals() {
        // ldr r3, [pc, #8]: relative to the next multiple of four but one.
        let memory = t32(&[0x4b02]).memory[0].expect("an operand");
        assert_eq!((memory.displacement, memory.is_aligned), (8 + 4 + 8, true));
        assert_eq!(memory.address(|_| None, Some(0x1002)), Some(0x1014));
        // The address of ldrh.w r3, [pc, #2] is unknown; tbb [pc, r0] counts from the instruction.
        assert!((T32.decode)(&[0xf8, 0xbf, 0x30, 2], 8).is_none());
        let table = t32(&[0xe8df, 0xf000]);
        assert!(!table.memory[0].expect("an operand").is_aligned);
        assert_eq!(table.op, Op::Leave);
    }

    #[test]
    fn ok_rows() {
        // pop {r4, pc}; push {r4, lr}; ldmia.w r3, {r0, r1}; stmdb r3!, {r0, r1}
        let pop = t32(&[0xbd10]);
        assert_eq!((pop.op, memory(&pop)), (Op::Leave, (13, 0, 8, true, vec![4, 13])));
        assert_eq!(memory(&t32(&[0xb510])), (13, -8, 8, false, vec![13]));
        assert_eq!(memory(&t32(&[0xe893, 3])), (3, 0, 8, true, vec![0, 1]));
        assert_eq!(memory(&t32(&[0xe923, 3])), (3, -8, 8, false, vec![3]));
        // ldmib r3, {r0, r1}; stmda r3!, {r0, r1}; popeq {r4, pc}
        assert_eq!(memory(&a32(0xe993_0003)), (3, 4, 8, true, vec![0, 1]));
        assert_eq!(memory(&a32(0xe823_0003)), (3, -4, 8, false, vec![3]));
        let pop = a32(0x08bd_8010);
        assert!(pop.op == Op::Leave && pop.is_conditional());
    }

    #[test]
    fn ok_program_counter() {
        // ldr pc, [r3, #4]! reads; pld [r0, #64] does not.
        let jump = a32(0xe5b3_f004);
        assert_eq!((jump.op, memory(&jump)), (Op::Leave, (3, 4, 4, true, vec![3])));
        let hint = t32(&[0xf890, 0xf040]);
        assert_eq!((hint.op, memory(&hint)), (Op::Nothing, (0, 64, 0, false, vec![])));
        // bl +4; blx from Thumb counts from a multiple of four.
        assert_eq!(a32(0xebff_ffff).target, Some(12));
        assert_eq!(t32(&[0xf04e, 0xec1a]).target, None);
    }

    #[test]
    fn ok_blocks() {
        assert_eq!(block([0xbf, 0x18]), Some(vec![1]));
        // ittee eq: eq, eq, ne, ne
        assert_eq!(block([0xbf, 0x07]), Some(vec![0, 0, 1, 1]));
        // nop
        assert_eq!(block([0xbf, 0]), None);
        assert_eq!(block([0x68, 0x48]), None);
    }
}
