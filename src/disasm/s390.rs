//! z/Architecture, from the kernel's own disassembly: `show_code()` in arch/s390/kernel/dis.c.
//!
//! ```text
//! instruction = name [ 1*BLANK operand *( "," operand ) ]
//! operand     = "%r" number                                            ; a general register
//!             / number "(" [ ( "%r" number / number ) "," ] "%r" number ")"     ; memory
//!             / number                                                 ; also an address in hex
//! ```
//!
//! Memory without a base has its displacement alone: `lg %r1,896` reads the lowcore.

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::combinator::{opt, value};
use nom::multi::separated_list0;
use nom::sequence::{delimited, preceded, terminated};

use super::insn::{Compute, Flags, Index, Insn, Memory, Op, Register, Source, Trap};
use super::verb::{self, Operands, Verb};
use super::{Decoded, Machine};
use crate::model::{Instruction, Relation};
use crate::token::{Parsed, decimal};

#[rustfmt::skip] // rows
const REGISTERS: &[&str] = &[
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];

pub(super) const MACHINE: &Machine =
    &Machine { registers: REGISTERS, name: |register, _| format!("%r{}", register.number) };

/// A parsed operand.
#[derive(Clone, Copy, Debug)]
enum Written<'t> {
    Register(Register),
    Number(i64),
    Memory(Memory, &'t [u8]),
    /// An address, or a register of another kind.
    Other,
}

/// Parses an instruction of the kernel's disassembly.
pub(super) fn read(listed: &Instruction) -> Decoded {
    let text = &listed.text;
    let parsed = instruction(text.as_bytes()).ok();
    let memory = parsed.as_ref().and_then(|(_, (_, operands))| {
        operands.iter().find_map(|operand| match operand {
            Written::Memory(_, text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        })
    });
    let insn = parsed.and_then(|(_, (name, operands))| record(name, &operands, listed));
    Decoded { len: listed.bytes.len(), text: text.clone(), memory, insn }
}

fn instruction(text: &[u8]) -> Parsed<'_, (&[u8], Vec<Written<'_>>)> {
    let blanks = || take_while1(|b| b == b' ' || b == b'\t');
    let name = take_while1(|b: u8| b.is_ascii_alphanumeric());
    let operands = separated_list0(tag(","), operand);
    (name, opt(preceded(blanks(), operands)).map(Option::unwrap_or_default)).parse(text)
}

fn operand(text: &[u8]) -> Parsed<'_, Written<'_>> {
    let other = take_while1(|b: u8| b != b',' && b != b' ');
    alt((
        terminated(register, end).map(Written::Register),
        memory.map(|(memory, text)| Written::Memory(memory, text)),
        terminated(number, end).map(Written::Number),
        value(Written::Other, other),
    ))
    .parse(text)
}

/// The end of an operand.
fn end(text: &[u8]) -> Parsed<'_, ()> {
    match text.first() {
        None | Some(b',' | b' ') => Ok((text, ())),
        _ => Err(nom::Err::Error(())),
    }
}

fn register(text: &[u8]) -> Parsed<'_, Register> {
    let (rest, number) = preceded(tag("%r"), decimal).parse(text)?;
    match u8::try_from(number) {
        Ok(number @ 0..16) => Ok((rest, Register::new(number, 8))),
        _ => Err(nom::Err::Error(())),
    }
}

fn number(text: &[u8]) -> Parsed<'_, i64> {
    let (rest, (minus, value)) = (opt(tag("-")), decimal).parse(text)?;
    let value = i64::try_from(value).map_err(|_| nom::Err::Error(()))?;
    Ok((rest, if minus.is_some() { -value } else { value }))
}

fn memory(text: &[u8]) -> Parsed<'_, (Memory, &[u8])> {
    let first = alt((register.map(|index| (Some(index), 0)), number.map(|len| (None, len))));
    let inside = (opt(terminated(first, tag(","))), register);
    let (rest, (displacement, (first, base))) =
        (number, delimited(tag("("), inside, tag(")"))).parse(text)?;
    let (index, len) = first.unwrap_or_default();
    // Register 0 reads as zero in an address.
    let kept = |register: Register| Some(register).filter(|register| register.number != 0);
    let index = index.and_then(kept).map(|register| Index::shifted(register, 0));
    let size = u64::try_from(len).unwrap_or_default();
    let memory = Memory { base: kept(base), index, size, ..absolute(displacement) };
    Ok((rest, (memory, text.get(..text.len() - rest.len()).unwrap_or_default())))
}

fn absolute(displacement: i64) -> Memory {
    Memory { displacement, address_size: 8, ..Memory::default() }
}

/// Returns the relation of a condition code mask, whose bits from 8 down are equal, less, greater.
fn relation(mask: i64) -> Option<Relation> {
    Some(match mask & 0b1110 {
        0b1000 => Relation::Equal,
        0b0110 => Relation::NotEqual,
        0b0100 => Relation::Below,
        0b0010 => Relation::Above,
        0b1100 => Relation::BelowOrEqual,
        0b1010 => Relation::AboveOrEqual,
        _ => return None,
    })
}

/// Returns the distance of a relative branch, from the halfwords in its bytes: the text has an
/// absolute address.
fn distance(bytes: &[u8]) -> Option<i64> {
    let halves = match bytes {
        [0xa7 | 0xec, _, high, low, ..] => i64::from(i16::from_be_bytes([*high, *low])),
        [0xc0, _, a, b, c, d] => i64::from(i32::from_be_bytes([*a, *b, *c, *d])),
        _ => return None,
    };
    Some(halves * 2)
}

/// Returns which operand of an instruction is in memory.
fn place_of_memory(name: &str, count: usize) -> Option<usize> {
    match name {
        "agsi" | "asi" | "cli" | "cliy" | "mvghi" | "mvhhi" | "mvhi" | "mvi" | "mviy" | "ni"
        | "niy" | "oi" | "oiy" | "tm" | "tmy" | "xi" | "xiy" => Some(0),
        "a" | "ag" | "al" | "alg" | "ay" | "c" | "cg" | "cl" | "clg" | "cly" | "cs" | "csg"
        | "csy" | "cy" | "ic" | "icy" | "l" | "la" | "laa" | "laag" | "lay" | "lb" | "lg"
        | "lgb" | "lgf" | "lgh" | "lh" | "lhy" | "llc" | "llgc" | "llgf" | "llgh" | "llh"
        | "lmg" | "lt" | "ltg" | "ly" | "n" | "ng" | "o" | "og" | "s" | "sg" | "sl" | "slg"
        | "st" | "stc" | "stcy" | "stg" | "sth" | "sthy" | "stmg" | "sty" | "sy" | "x" | "xg" => {
            count.checked_sub(1)
        }
        _ => None,
    }
}

/// Returns the operands in the order of the text.
fn operands(name: &str, written: &[Written<'_>]) -> Operands {
    let mut operands = Operands::default();
    let place = place_of_memory(name, written.len());
    for (at, operand) in written.iter().enumerate() {
        let memory = match *operand {
            Written::Memory(memory, _) => Some(memory),
            Written::Number(displacement) => Some(absolute(displacement)),
            _ => None,
        };
        if place == Some(at) {
            operands.memory = memory;
        }
        operands.push(match *operand {
            _ if place == Some(at) && memory.is_some() => Source::Memory,
            Written::Register(register) => Source::Register(register),
            Written::Number(number) => Source::Number(number.cast_unsigned()),
            // The count of a shift has the syntax of an address.
            Written::Memory(..) | Written::Other => Source::Other,
        });
    }
    operands
}

/// Makes the record of an instruction with two memory operands; the first has the length.
fn between(name: &str, written: &[Written<'_>], offset: usize) -> Option<Insn> {
    let [Written::Memory(first, _), Written::Memory(second, _)] = *written else { return None };
    let (reads, writes, flags) = match name {
        "mvc" => (false, true, Flags::Kept),
        "clc" => (true, false, Flags::Lost),
        "nc" | "oc" | "xc" => (true, true, Flags::Lost),
        _ => return None,
    };
    let first = Memory { reads, writes, ..first };
    let second = Memory { size: first.size, reads: true, writes: false, ..second };
    let memory = [Some(first), Some(second)];
    Some(Insn { offset, op: Op::Other, memory, flags, ..Insn::default() })
}

/// Makes the record of an instruction that loads or stores a range of registers, which wraps
/// around.
fn row(name: &str, operands: &Operands, offset: usize) -> Option<Insn> {
    let is_load = match name {
        "lmg" => true,
        "stmg" => false,
        _ => return None,
    };
    let (Source::Register(first), Source::Register(last)) = (operands.get(0), operands.get(1))
    else {
        return None;
    };
    let count = (last.number + 16 - first.number) % 16 + 1;
    let number = |at| Register { number: (first.number + at) % 16, ..first };
    let size = 8 * u64::from(count);
    let memory = Memory { size, reads: is_load, writes: !is_load, ..operands.memory? };
    let writes = (0..count).filter(|_| is_load).map(number).collect();
    Some(Insn { offset, op: Op::Other, memory: [Some(memory), None], writes, ..Insn::default() })
}

fn record(name: &[u8], written: &[Written<'_>], listed: &Instruction) -> Option<Insn> {
    let name = std::str::from_utf8(name).ok()?;
    let mut operands = operands(name, written);
    let several = || row(name, &operands, listed.offset);
    if let Some(insn) = between(name, written, listed.offset).or_else(several) {
        return Some(insn);
    }
    operands.distance = distance(&listed.bytes);
    // A register of another kind.
    if matches!(operands.get(0), Source::Other) {
        return None;
    }
    let number = |index| match operands.get(index) {
        Source::Number(number) => Some(number.cast_signed()),
        _ => None,
    };
    let verb = match name {
        "lg" | "ltg" => Verb::Load(8),
        "l" | "ly" | "lgf" | "llgf" | "lt" => Verb::Load(4),
        "lh" | "lhy" | "llgh" | "llh" | "lgh" => Verb::Load(2),
        "llgc" | "llc" | "lb" | "lgb" => Verb::Load(1),
        "ag" | "alg" | "sg" | "slg" | "ng" | "og" | "xg" => Verb::Combine(8),
        "a" | "al" | "ay" | "s" | "sl" | "sy" | "n" | "o" | "x" => Verb::Combine(4),
        "ic" | "icy" | "tm" | "tmy" => Verb::Combine(1),
        "stg" | "mvghi" => Verb::Store(8),
        "st" | "sty" | "mvhi" => Verb::Store(4),
        "sth" | "sthy" | "mvhhi" => Verb::Store(2),
        "stc" | "stcy" | "mvi" | "mviy" => Verb::Store(1),
        "agsi" | "csg" | "laag" => Verb::Update(8),
        "asi" | "cs" | "csy" | "laa" => Verb::Update(4),
        "ni" | "niy" | "oi" | "oiy" | "xi" | "xiy" => Verb::Update(1),
        "la" | "lay" => Verb::Address,
        "lgr" | "lghi" | "lhi" | "ltgr" => Verb::Move,
        "aghik" | "agrk" | "aghi" | "agr" | "agfi" => Verb::Compute(Compute::Add, true),
        "sgrk" | "sgr" => Verb::Compute(Compute::Subtract, true),
        "ngr" | "ngrk" => Verb::Compute(Compute::And, true),
        "ogr" | "ogrk" => Verb::Compute(Compute::Or, true),
        "srlg" => Verb::Compute(Compute::ShiftRight, false),
        "sllg" => Verb::Compute(Compute::ShiftLeft, false),
        "lr" | "lgfr" | "llgfr" | "lgfi" | "llihf" | "llihl" | "llilh" | "llilf" | "llill"
        | "llihh" | "larl" | "lgrl" | "lrl" | "llgfrl" | "llgcr" | "llcr" | "lgbr" | "ltr"
        | "lcgr" | "lngr" | "lpgr" | "ahi" | "ahik" | "nilf" | "nihh" | "nill" | "risbg"
        | "risbgn" | "sra" | "srl" | "sll" | "ar" | "sr" | "nr" | "or" | "xr" | "xgr" | "ark"
        | "srk" | "msgr" => Verb::Change,
        "cg" | "cgr" | "cghi" | "cgfi" => Verb::CompareSigned(8),
        "c" | "cy" | "cr" | "chi" | "cfi" => Verb::CompareSigned(4),
        "clg" | "clgr" | "clgfi" => Verb::Compare(8),
        "cl" | "cly" | "clr" | "clfi" => Verb::Compare(4),
        "cli" | "cliy" => Verb::Compare(1),
        "brc" | "brcl" => match number(0)? & 0b1111 {
            0b1111 => Verb::Jump,
            0 => Verb::Nothing,
            mask => Verb::Branch(relation(mask)),
        },
        "bcr" | "bc" => match number(0)? & 0b1111 {
            0 => Verb::Nothing,
            0b1111 => Verb::Leave,
            _ => return None,
        },
        "cgrj" | "cgij" | "crj" | "cij" => Verb::BranchCompare(relation(number(2)?)?.signed()),
        "clgrj" | "clgij" | "clrj" | "clij" => Verb::BranchCompare(relation(number(2)?)?),
        "brasl" | "basr" | "bras" => Verb::Call,
        "dsgfr" | "dlr" | "dr" => Verb::Divide(4),
        "dsgr" | "dlgr" => Verb::Divide(8),
        "mc" => Verb::Trap(Trap::Assertion),
        _ => return None,
    };
    let insn = verb::insn(verb, &operands, None, listed.offset);
    let flags = match name {
        "ltgr" | "ltg" => Flags::SetSigned(0),
        // A bit test results in equal or unequal, without an order.
        "ngr" | "ngrk" | "ogr" | "ogrk" | "lt" | "ltr" | "lcgr" | "lngr" | "lpgr" | "laa"
        | "laag" => Flags::Lost,
        _ => match (verb, insn.flags) {
            (_, Flags::Set(result)) if matches!(verb, Verb::Compute(..)) => {
                Flags::SetSigned(result)
            }
            (Verb::Change | Verb::Combine(_) | Verb::Update(_), _) if !name.starts_with('l') => {
                Flags::Lost
            }
            (_, flags) => flags,
        },
    };
    let size = match name {
        "cij" | "crj" | "clij" | "clrj" => 4,
        _ => insn.size,
    };
    // Quotient and remainder are in two registers.
    let writes = match (verb, operands.get(0)) {
        (Verb::Divide(_), Source::Register(first)) => {
            insn.writes.with(Register { number: first.number | 1, ..first })
        }
        _ => insn.writes,
    };
    Some(Insn { size, flags, writes, ..insn })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, bytes: &[u8]) -> Decoded {
        let listed =
            Instruction { offset: 0x20, bytes: bytes.to_vec(), text: text.into(), trapping: false };
        read(&listed)
    }

    #[test]
    fn ok_memory() {
        let at = |text: &str| {
            let decoded = of(text, &[]);
            let memory = decoded.insn.expect("a record").memory[0].expect("an operand");
            let index = memory.index.map(|index| index.register.number);
            (
                decoded.memory,
                memory.base.map(|base| base.number),
                index,
                memory.displacement,
                memory.size,
            )
        };
        assert_eq!(at("lg %r1,24(%r2)"), (Some("24(%r2)".into()), Some(2), None, 24, 8));
        assert_eq!(
            at("llgc %r1,-8(%r3,%r4)"),
            (Some("-8(%r3,%r4)".into()), Some(4), Some(3), -8, 1)
        );
        assert_eq!(at("st %r1,0(%r0)"), (Some("0(%r0)".into()), None, None, 0, 4));
        assert_eq!(at("mvi 8(%r11),3"), (Some("8(%r11)".into()), Some(11), None, 8, 1));
    }

    #[test]
    fn ok_branches() {
        let brc = of("brc 8,000003ff7fd02876", &[0xa7, 0x84, 0xff, 0xfe]).insn.expect("a record");
        assert_eq!(
            (brc.target, brc.condition.and_then(|c| c.relation)),
            (Some(0x1c), Some(Relation::Equal))
        );
        let cij = of("cij %r2,0,6,000003ff7fd02876", &[0xec, 0x26, 0, 4, 0, 0x7e])
            .insn
            .expect("a record");
        assert_eq!(
            (cij.target, cij.condition.and_then(|c| c.relation)),
            (Some(0x28), Some(Relation::NotEqual))
        );
        assert_eq!(cij.sources[1], Source::Number(0));
    }

    #[test]
    fn err_read() {
        for text in ["", "lg", "lg %r1", "lg %r16,8(%r1)", "bc 3,0(%r1)", "frob %r1"] {
            let insn = of(text, &[]).insn;
            assert!(insn.is_none_or(|insn| insn.memory[0].is_none()), "{text}");
        }
    }

    #[test]
    fn ok_sizes() {
        let sizes = |text: &str| {
            let insn = of(text, &[]).insn.expect("a record");
            insn.memory
                .map(|memory| memory.map(|memory| (memory.size, memory.reads, memory.writes)))
        };
        assert_eq!(sizes("lgf %r1,12(%r1)"), [Some((4, true, false)), None]);
        assert_eq!(sizes("oi 3(%r1),128"), [Some((1, true, true)), None]);
        let both = [Some((8, false, true)), Some((8, true, false))];
        assert_eq!(sizes("mvc 8(8,%r1),16(%r2)"), both);
        // r14, r15 and r0
        assert_eq!(sizes("stmg %r14,%r0,160(%r15)"), [Some((24, false, true)), None]);
        let loaded = of("lmg %r14,%r0,160(%r15)", &[]).insn.expect("a record").writes;
        assert_eq!(loaded.numbers().collect::<Vec<_>>(), [0, 14, 15]);
    }

    #[test]
    fn ok_memory_without_a_base() {
        let memory = |text: &str| of(text, &[]).insn.and_then(|insn| insn.memory[0]);
        for (text, displacement) in
            [("lg %r1,896", 896), ("asi 936,1", 936), ("cg %r1,832", 832), ("cs %r1,%r2,8", 8)]
        {
            let memory = memory(text).expect(text);
            assert_eq!((memory.base, memory.displacement), (None, displacement), "{text}");
        }
        let compared = of("cg %r1,832", &[]).insn.expect("a record");
        assert_eq!(compared.sources[1], Source::Memory);
        // Counts of shifts.
        for text in ["sra %r3,0(%r2)", "srlg %r1,%r2,3", "sllg %r1,%r1,0(%r5)"] {
            assert_eq!(memory(text), None, "{text}");
        }
        let made = of("la %r3,160(%r15)", &[]).insn.expect("a record");
        assert_eq!(made.op, Op::Address);
    }
}
