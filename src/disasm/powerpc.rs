//! PowerPC, decoded by the crate `powerpc`.

use powerpc::{Argument, Extension, Extensions, Ins, Offset, Opcode, ParsedIns};

use super::insn::{Compute, Flags, Index, Insn, Memory, Register, Source, Trap};
use super::verb::{self, Operands, Verb};
use super::{Decoded, Words};
use crate::model::Relation;

/// 64-bit PowerPC.
pub(super) const WIDE: Words = Words { follow: |_, _| {}, decode: decode::<8> };

/// 32-bit PowerPC.
pub(super) const NARROW: Words = Words { follow: |_, _| {}, decode: decode::<4> };

/// Decodes a word; `SIZE` is the size of a register in bytes.
fn decode<const SIZE: u8>(bytes: &[u8], offset: usize) -> Option<Decoded> {
    let mut extensions = Extensions::none();
    if SIZE == 8 {
        extensions.insert(Extension::Ppc64);
    }
    extensions.insert(Extension::AltiVec);
    let ins = Ins::new(u32::from_be_bytes(*bytes.first_chunk::<4>()?), extensions);
    if ins.op == Opcode::Illegal {
        return None;
    }
    let parsed = ins.simplified();
    let (operands, memory) = operands(&parsed, SIZE);
    let insn = match branch(ins).or_else(|| trap(ins)) {
        Some((verb, operands, predicate)) => Some(verb::insn(verb, &operands, predicate, offset)),
        None => plain(parsed.mnemonic, &operands, offset),
    };
    Some(Decoded { len: 4, text: parsed.to_string(), memory, insn })
}

/// Operation, operands and condition of an instruction.
type Fields = (Verb, Operands, Option<Option<Relation>>);

/// Decodes a branch from the fields of its word, because simplified names contain hints.
///
/// Power ISA, Book I, 2.4: the BO field selects whether the branch tests the count register, a bit of
/// CR, or both.
fn branch(ins: Ins) -> Option<Fields> {
    let distance = ins.branch_offset().filter(|_| !ins.field_aa()).map(i64::from);
    let (asks_flags, asks_count) = match ins.op {
        Opcode::B => (false, false),
        Opcode::Bc | Opcode::Bclr | Opcode::Bcctr => {
            (ins.field_bo() & 0b10000 == 0, ins.field_bo() & 0b00100 == 0)
        }
        _ => return None,
    };
    let is_wanted = ins.field_bo() & 0b01000 != 0;
    let relation = match ins.field_bi() & 3 {
        0 => Some(Relation::Below),
        1 => Some(Relation::Above),
        2 => Some(Relation::Equal),
        _ => None,
    };
    let relation = relation.filter(|_| !asks_count);
    let relation = if is_wanted { relation } else { relation.map(Relation::negated) };
    let predicate = (asks_flags || asks_count).then_some(relation);
    let verb = match (ins.op, predicate) {
        _ if ins.field_lk() => Verb::Call,
        (Opcode::Bclr | Opcode::Bcctr, _) => Verb::Leave,
        (_, None) => Verb::Jump,
        (_, Some(relation)) => Verb::Branch(relation),
    };
    let mut operands = Operands::default();
    (operands.flags, operands.distance) = (ins.field_bi() >> 2, distance);
    Some((verb, operands, predicate))
}

/// Decodes a trap from the fields of its word.
///
/// Power ISA, Book I, 3.3.11: bits of TO from 16 down are less, greater, equal, below and above.
fn trap(ins: Ins) -> Option<Fields> {
    let (size, second) = match ins.op {
        Opcode::Td => (8, None),
        Opcode::Tw => (4, None),
        Opcode::Tdi => (8, Some(ins.field_simm())),
        Opcode::Twi => (4, Some(ins.field_simm())),
        _ => return None,
    };
    let verb = match ins.field_to() {
        31 => return Some((Verb::Trap(Trap::Assertion), Operands::default(), None)),
        1 => Verb::TrapIf(Some(Relation::Above), size),
        2 => Verb::TrapIf(Some(Relation::Below), size),
        3 | 24 => Verb::TrapIf(Some(Relation::NotEqual), size),
        4 => Verb::TrapIf(Some(Relation::Equal), size),
        5 => Verb::TrapIf(Some(Relation::AboveOrEqual), size),
        6 => Verb::TrapIf(Some(Relation::BelowOrEqual), size),
        8 => Verb::TrapIf(Some(Relation::Greater), size),
        12 => Verb::TrapIf(Some(Relation::GreaterOrEqual), size),
        16 => Verb::TrapIf(Some(Relation::Less), size),
        20 => Verb::TrapIf(Some(Relation::LessOrEqual), size),
        _ => Verb::TrapIf(None, size),
    };
    let mut operands = Operands::default();
    let of = |number| Source::Register(Register::new(number, size));
    operands.push(of(ins.field_ra()));
    operands.push(match second {
        Some(number) => Source::Number(i64::from(number).cast_unsigned()),
        None => of(ins.field_rb()),
    });
    Some((verb, operands, None))
}

/// Makes the record of any other instruction. A dot in its name means that the result is compared
/// with zero.
fn plain(name: &str, operands: &Operands, offset: usize) -> Option<Insn> {
    let stem = name.strip_suffix('.');
    let verb = verb(name).or_else(|| verb(stem?))?;
    let insn = verb::insn(verb, operands, None, offset);
    let flags = match verb {
        _ if stem.is_none() => insn.flags,
        Verb::Store(_) => Flags::Lost,
        _ => Flags::SetSigned(0),
    };
    Some(Insn { flags, ..insn })
}

/// Returns the operands of an instruction, and the text of its memory operand.
fn operands(parsed: &ParsedIns, size: u8) -> (Operands, Option<String>) {
    let register = |number| Register::new(number, size);
    // Register 0 reads as zero in an address.
    let base = |number: u8| (number != 0).then(|| register(number));
    let mut all = Operands::default();
    let mut text = None;
    let mut displacement: Option<Offset> = None;
    let memory = Memory { address_size: size, ..Memory::default() };
    for argument in parsed.args_iter() {
        match (argument, displacement.take()) {
            (Argument::GPR(gpr), Some(offset)) => {
                text = Some(format!("{offset}({gpr})"));
                let displacement = i64::from(offset.0);
                all.memory = Some(Memory { base: base(gpr.0), displacement, ..memory });
                // `ldu` and `stdu` store the address in the base.
                let updates = parsed.mnemonic.ends_with('u');
                all.updates = Some(register(gpr.0)).filter(|_| updates);
            }
            (Argument::GPR(gpr), None) => all.push(Source::Register(register(gpr.0))),
            (Argument::Offset(offset), _) => displacement = Some(*offset),
            (Argument::Uimm(value), _) => all.push(Source::Number(u64::from(value.0))),
            (Argument::Simm(value), _) => {
                all.push(Source::Number(i64::from(value.0).cast_unsigned()));
            }
            (Argument::OpaqueU(value), _) => all.push(Source::Number(u64::from(value.0))),
            (Argument::CRField(field), _) => all.flags = field.0,
            (Argument::CRBit(bit), _) => all.flags = bit.0 >> 2,
            _ => all.push(Source::Other),
        }
    }
    // Two registers are added: `ldx r7, r9, r10`.
    let name = parsed.mnemonic.trim_end_matches('.');
    if name.ends_with('x')
        && let [Source::Register(first), Source::Register(second)] = [all.get(1), all.get(2)]
    {
        let index = Index::shifted(second, 0);
        all.memory = Some(Memory { base: base(first.number), index: Some(index), ..memory });
        all.updates = Some(first).filter(|_| name.ends_with("ux"));
        all.replace(&[all.get(0)]);
    }
    (all, text)
}

/// Returns the operation of an instruction by its simplified name.
fn verb(name: &str) -> Option<Verb> {
    Some(match name {
        "ld" | "ldarx" | "ldu" | "ldux" | "ldx" | "lfd" | "lfdu" | "lfdux" | "lfdx" => {
            Verb::Load(8)
        }
        "lwa" | "lwarx" | "lwaux" | "lwax" | "lwbrx" | "lwz" | "lwzu" | "lwzux" | "lwzx"
        | "lfs" | "lfsu" | "lfsux" | "lfsx" => Verb::Load(4),
        "lha" | "lhau" | "lhaux" | "lhax" | "lhbrx" | "lhz" | "lhzu" | "lhzux" | "lhzx" => {
            Verb::Load(2)
        }
        "lbz" | "lbzu" | "lbzux" | "lbzx" => Verb::Load(1),
        "std" | "stdcx." | "stdu" | "stdux" | "stdx" | "stfd" | "stfdu" | "stfdux" | "stfdx" => {
            Verb::Store(8)
        }
        "stw" | "stwbrx" | "stwcx." | "stwu" | "stwux" | "stwx" | "stfiwx" | "stfs" | "stfsu"
        | "stfsux" | "stfsx" => Verb::Store(4),
        "sth" | "sthbrx" | "sthu" | "sthux" | "sthx" => Verb::Store(2),
        "stb" | "stbu" | "stbux" | "stbx" => Verb::Store(1),
        "mr" | "li" => Verb::Move,
        "addi" | "addic" | "add" => Verb::Compute(Compute::Add, false),
        "subi" | "subic" | "sub" => Verb::Compute(Compute::Subtract, false),
        "and" | "andi." => Verb::Compute(Compute::And, false),
        "or" | "ori" => Verb::Compute(Compute::Or, false),
        "xor" | "xori" => Verb::Compute(Compute::Xor, false),
        "neg" => Verb::Compute(Compute::Negate, false),
        "not" => Verb::Compute(Compute::Not, false),
        "sldi" => Verb::Compute(Compute::ShiftLeft, false),
        "srdi" => Verb::Compute(Compute::ShiftRight, false),
        "addis" | "subis" | "andis." | "lis" | "oris" | "xoris" | "nor" | "subf" | "subfic"
        | "mulli" | "mulld" | "mullw" | "divd" | "divw" | "slwi" | "srwi" | "rldicl" | "rldicr"
        | "rldimi" | "rldic" | "rlwinm" | "clrlwi" | "clrldi" | "extrwi" | "extsb" | "extsh"
        | "extsw" | "cntlzw" | "cntlzd" | "sld" | "srd" | "slw" | "srw" | "clrlslwi" | "mflr"
        | "mfmsr" | "mfctr" | "sradi" | "srawi" | "rlwimi" | "andc" | "orc" | "eqv" | "nand" => {
            Verb::Change
        }
        "nop" | "sync" | "isync" | "lwsync" | "mtlr" | "mtctr" | "ptesync" | "eieio" => {
            Verb::Nothing
        }
        "cmpwi" | "cmpw" => Verb::CompareSigned(4),
        "cmplwi" | "cmplw" => Verb::Compare(4),
        "cmpdi" | "cmpd" => Verb::CompareSigned(8),
        "cmpldi" | "cmpld" => Verb::Compare(8),
        "rfi" | "rfid" => Verb::Leave,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::insn::{On, Op};
    use super::*;

    #[test]
    fn ok_decode() {
        let text = |bytes: &[u8]| (WIDE.decode)(bytes, 0).map(|decoded| decoded.text);
        assert_eq!(text(&[0xf9, 0x49, 0, 0x68]).as_deref(), Some("std r10, 0x68(r9)"));
        assert_eq!(text(&[0x4e, 0x80, 0, 0x20]).as_deref(), Some("blr"));
        assert_eq!(text(&[0, 0, 0, 0]), None);
    }

    #[test]
    fn ok_memory() {
        let memory = |word: u32| {
            let decoded = (WIDE.decode)(&word.to_be_bytes(), 0).expect("an instruction");
            let memory = decoded.insn.expect("a record").memory[0].expect("an operand");
            (
                decoded.memory,
                memory.base,
                memory.index.map(|index| index.register),
                memory.displacement,
                memory.size,
            )
        };
        let at = |number| Some(Register::new(number, 8));
        // std r10, 0x68(r9); lwz r0, -4(0); ldx r7, r9, r10; ldu r3, 8(r4)
        assert_eq!(memory(0xf949_0068), (Some("0x68(r9)".into()), at(9), None, 0x68, 8));
        assert_eq!(memory(0x8000_fffc), (Some("-0x4(r0)".into()), None, None, -4, 4));
        assert_eq!(memory(0x7ce9_502a), (None, at(9), at(10), 0, 8));
        assert_eq!(memory(0xe864_0009), (Some("0x8(r4)".into()), at(4), None, 8, 8));
    }

    fn insn(word: u32) -> Insn {
        (WIDE.decode)(&word.to_be_bytes(), 8).and_then(|decoded| decoded.insn).expect("a record")
    }

    #[test]
    fn ok_updates() {
        // ldux r3, r4, r5; stdux r3, r4, r5; stwcx. r3, 0, r5
        for (word, writes) in [(0x7c64_286a, vec![3, 4]), (0x7c64_296a, vec![4])] {
            assert_eq!(insn(word).writes.numbers().collect::<Vec<_>>(), writes, "{word:x}");
        }
        let exclusive = insn(0x7c60_292d);
        let memory = exclusive.memory[0].expect("an operand");
        assert_eq!((memory.base, memory.size, memory.writes), (None, 4, true));
        assert_eq!(exclusive.flags, Flags::Lost);
    }

    #[test]
    fn ok_branches() {
        let read = |word| {
            let insn = insn(word);
            (insn.op, insn.target, insn.condition.map(|condition| condition.relation))
        };
        // bne- with a hint, bdnz, ble cr7, beqlr, bl, bctrl, rfid
        assert_eq!(read(0x40c2_0008), (Op::Branch, Some(16), Some(Some(Relation::NotEqual))));
        assert_eq!(read(0x4200_fff8), (Op::Branch, Some(0), Some(None)));
        assert_eq!(read(0x409d_0008), (Op::Branch, Some(16), Some(Some(Relation::BelowOrEqual))));
        assert_eq!(read(0x4d82_0020), (Op::Leave, None, Some(Some(Relation::Equal))));
        assert_eq!(read(0x4800_0009), (Op::Call, Some(16), None));
        assert_eq!(read(0x4e80_0421), (Op::Call, None, None));
        assert_eq!(read(0x4c00_0024), (Op::Leave, None, None));
        let insn = insn(0x409d_0008);
        assert_eq!(insn.condition.map(|condition| condition.on), Some(On::Flags(7)));
    }

    #[test]
    fn ok_traps() {
        let read = |word| {
            let insn = insn(word);
            (insn.size, insn.sources, insn.condition.and_then(|condition| condition.relation))
        };
        let of = |number, size| Source::Register(Register::new(number, size));
        // tdlei r3, 5; tw lge r3, r4; tdi with greater or below; tdne r3, r4
        let number = Source::Number(5);
        assert_eq!(read(0x0a83_0005), (8, [of(3, 8), number], Some(Relation::LessOrEqual)));
        let above = Some(Relation::AboveOrEqual);
        assert_eq!(read(0x7ca3_2008), (4, [of(3, 4), of(4, 4)], above));
        assert_eq!(read(0x0943_0005), (8, [of(3, 8), number], None));
        assert_eq!(read(0x7f03_2088), (8, [of(3, 8), of(4, 8)], Some(Relation::NotEqual)));
        // trap; twui r0, 0
        assert_eq!(insn(0x7fe0_0008).condition, None);
        assert_eq!(insn(0x0fe0_0000).op, Op::Trap(Trap::Assertion));
    }

    #[test]
    fn ok_results() {
        // add. r3, r4, r5; clrldi. r3, r3, 32; and. r3, r4, r5
        for word in [0x7c64_2a15, 0x7863_0021, 0x7c83_2839] {
            assert_eq!(insn(word).flags, Flags::SetSigned(0), "{word:x}");
        }
    }
}
