//! PowerPC, by the crate `powerpc`.

use powerpc::{Argument, Extension, Extensions, Ins, Offset, Opcode, ParsedIns};

use super::insn::{Compute, Index, Memory, Register, Source, Trap};
use super::verb::{self, Operands, Verb};
use super::{Decoded, Machine, Words};
use crate::model::Relation;

#[rustfmt::skip] // rows
const REGISTERS: &[&str] = &[
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15", "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26",
    "r27", "r28", "r29", "r30", "r31",
];

/// 32-bit and 64-bit PowerPC.
pub(super) const POWERPC: Words = Words {
    machine: &Machine {
        registers: REGISTERS,
        name: |register, _| match register.number {
            Register::ZERO => "0".to_owned(),
            number => format!("r{number}"),
        },
    },
    decode: |bytes, offset| {
        let mut extensions = Extensions::none();
        extensions.insert(Extension::Ppc64);
        extensions.insert(Extension::AltiVec);
        let ins = Ins::new(u32::from_be_bytes(*bytes.first_chunk::<4>()?), extensions);
        if ins.op == Opcode::Illegal {
            return None;
        }
        let parsed = ins.simplified();
        let (operands, memory) = operands(&parsed);
        let verb = verb(parsed.mnemonic);
        Some(Decoded {
            len: 4,
            text: parsed.to_string(),
            memory,
            insn: verb.map(|verb| verb::insn(verb, &operands, None, offset)),
        })
    },
};

fn register(number: u8) -> Register {
    Register::new(number, 8)
}

/// The base of an address: register 0 reads as zero there.
fn base(number: u8) -> Option<Register> {
    (number != 0).then(|| register(number))
}

/// The operands of an instruction, and the text of the one in memory.
fn operands(parsed: &ParsedIns) -> (Operands, Option<String>) {
    let mut all = Operands::default();
    let mut text = None;
    let mut displacement: Option<Offset> = None;
    let memory = Memory { address_size: 8, ..Memory::default() };
    for argument in parsed.args_iter() {
        match (argument, displacement.take()) {
            (Argument::GPR(gpr), Some(offset)) => {
                text = Some(format!("{offset}({gpr})"));
                let displacement = i64::from(offset.0);
                all.memory = Some(Memory { base: base(gpr.0), displacement, ..memory });
                // `ldu` and `stdu` keep the address.
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
            (Argument::BranchDest(distance), _) => all.distance = Some(i64::from(distance.0)),
            _ => all.push(Source::Other),
        }
    }
    // Two registers make the address: `ldx r7, r9, r10`.
    if parsed.mnemonic.ends_with('x')
        && let [Source::Register(first), Source::Register(second)] = [all.get(1), all.get(2)]
    {
        let index = Index::shifted(second, 0);
        all.memory = Some(Memory { base: base(first.number), index: Some(index), ..memory });
        all.replace(&[all.get(0)]);
    }
    (all, text)
}

/// What an instruction does, by its simplified name.
fn verb(name: &str) -> Option<Verb> {
    Some(match name {
        "ld" | "ldx" | "ldarx" | "ldu" => Verb::Load(8),
        "lwz" | "lwzx" | "lwa" | "lwax" | "lwarx" | "lwbrx" | "lwzu" => Verb::Load(4),
        "lhz" | "lhzx" | "lha" | "lhax" | "lhbrx" | "lhzu" => Verb::Load(2),
        "lbz" | "lbzx" | "lbzu" => Verb::Load(1),
        "std" | "stdx" | "stdu" => Verb::Store(8),
        "stw" | "stwx" | "stwbrx" | "stwu" => Verb::Store(4),
        "sth" | "sthx" | "sthu" => Verb::Store(2),
        "stb" | "stbx" | "stbu" => Verb::Store(1),
        "mr" | "li" => Verb::Move,
        "addi" | "add" => Verb::Compute(Compute::Add, false),
        "subi" | "sub" => Verb::Compute(Compute::Subtract, false),
        "and" => Verb::Compute(Compute::And, false),
        "andi." | "and." => Verb::Compute(Compute::And, true),
        "or" | "ori" => Verb::Compute(Compute::Or, false),
        "or." => Verb::Compute(Compute::Or, true),
        "xor" | "xori" => Verb::Compute(Compute::Xor, false),
        "neg" => Verb::Compute(Compute::Negate, false),
        "not" => Verb::Compute(Compute::Not, false),
        "sldi" => Verb::Compute(Compute::ShiftLeft, false),
        "srdi" => Verb::Compute(Compute::ShiftRight, false),
        "addis" | "subis" | "lis" | "oris" | "xoris" | "nor" | "subf" | "subfic" | "mulli"
        | "mulld" | "mullw" | "divd" | "divw" | "slwi" | "srwi" | "rldicl" | "rldicr"
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
        "beq" | "beq-" | "beq+" => Verb::Branch(Some(Relation::Equal)),
        "bne" | "bne-" | "bne+" => Verb::Branch(Some(Relation::NotEqual)),
        "bge" | "bge-" | "bge+" => Verb::Branch(Some(Relation::AboveOrEqual)),
        "blt" | "blt-" | "blt+" => Verb::Branch(Some(Relation::Below)),
        "bgt" | "bgt-" | "bgt+" => Verb::Branch(Some(Relation::Above)),
        "ble" | "ble-" | "ble+" => Verb::Branch(Some(Relation::BelowOrEqual)),
        "b" => Verb::Jump,
        "bl" | "bctrl" => Verb::Call,
        "blr" | "bctr" | "rfid" => Verb::Leave,
        "trap" | "twui" => Verb::Trap(Trap::Assertion),
        "tdnei" => Verb::TrapIf(Relation::NotEqual, 8),
        "tdeqi" => Verb::TrapIf(Relation::Equal, 8),
        "tdgti" => Verb::TrapIf(Relation::Greater, 8),
        "tdlti" => Verb::TrapIf(Relation::Less, 8),
        "tdlgti" => Verb::TrapIf(Relation::Above, 8),
        "tdllti" => Verb::TrapIf(Relation::Below, 8),
        "twnei" => Verb::TrapIf(Relation::NotEqual, 4),
        "tweqi" => Verb::TrapIf(Relation::Equal, 4),
        "twgti" => Verb::TrapIf(Relation::Greater, 4),
        "twlti" => Verb::TrapIf(Relation::Less, 4),
        "twlgti" => Verb::TrapIf(Relation::Above, 4),
        "twllei" => Verb::TrapIf(Relation::BelowOrEqual, 4),
        "twllti" => Verb::TrapIf(Relation::Below, 4),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_decode() {
        let text = |bytes: &[u8]| (POWERPC.decode)(bytes, 0).map(|decoded| decoded.text);
        assert_eq!(text(&[0xf9, 0x49, 0, 0x68]).as_deref(), Some("std r10, 0x68(r9)"));
        assert_eq!(text(&[0x4e, 0x80, 0, 0x20]).as_deref(), Some("blr"));
        assert_eq!(text(&[0, 0, 0, 0]), None);
    }

    #[test]
    fn ok_memory() {
        let memory = |word: u32| {
            let decoded = (POWERPC.decode)(&word.to_be_bytes(), 0).expect("an instruction");
            let memory = decoded.insn.expect("a record").memory[0].expect("an operand");
            (
                decoded.memory,
                memory.base,
                memory.index.map(|index| index.register),
                memory.displacement,
                memory.size,
            )
        };
        let at = |number| Some(register(number));
        // std r10, 0x68(r9); lwz r0, -4(0); ldx r7, r9, r10; ldu r3, 8(r4)
        assert_eq!(memory(0xf949_0068), (Some("0x68(r9)".into()), at(9), None, 0x68, 8));
        assert_eq!(memory(0x8000_fffc), (Some("-0x4(r0)".into()), None, None, -4, 4));
        assert_eq!(memory(0x7ce9_502a), (None, at(9), at(10), 0, 8));
        assert_eq!(memory(0xe864_0009), (Some("0x8(r4)".into()), at(4), None, 8, 8));
    }
}
