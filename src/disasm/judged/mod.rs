//! Compares the decoders with objdump on compiled code. `.ci/operands` makes the file and runs this
//! test.
//!
//! ```text
//! row     = machine " " address " " digits " " text
//! machine = "arm64" / "arm" / "thumb" / "powerpc64" / "riscv64" / "s390x"
//! digits  = the bytes as objdump prints them
//! text    = the instruction as objdump writes it, blanks in place of tabs
//! ```
//!
//! The meaning of objdump's text is determined here, one file per syntax, without the code of the
//! decoders.

#![allow(
    clippy::expect_used,
    clippy::match_same_arms,
    clippy::print_stderr,
    clippy::unnecessary_wraps
)]

mod arm;
mod arm64;
mod powerpc;
mod riscv;
mod s390;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::insn::{Insn, Memory, Op, Register};
use super::{arm as arm_decoder, arm64 as arm64_decoder, powerpc as powerpc_decoder};
use super::{riscv as riscv_decoder, s390 as s390_decoder};
use crate::model::Instruction;

/// The environment variable with the name of the file.
const FILE: &str = "KSPLAT_OPERANDS";

/// The address of an operand, with registers by number.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Place {
    base: Option<u8>,
    index: Option<Part>,
    displacement: i64,
}

/// A part of an address that is added to the base.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Part {
    register: u8,
    size: u8,
    shift: u8,
    is_signed: bool,
    is_negative: bool,
}

/// The size and the kind of an access.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Access {
    size: u64,
    reads: bool,
    writes: bool,
}

const fn load(size: u64) -> Option<Access> {
    Some(Access { size, reads: true, writes: false })
}

const fn store(size: u64) -> Option<Access> {
    Some(Access { size, reads: false, writes: true })
}

const fn update(size: u64) -> Option<Access> {
    Some(Access { size, reads: true, writes: true })
}

/// The meaning of an instruction that objdump prints.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Meant {
    /// The memory operand.
    place: Option<Place>,
    /// The access; `None` if the mnemonic does not determine it.
    access: Option<Access>,
    /// The target of a branch or a call.
    target: Option<u64>,
    /// The register that is set to the address.
    updates: Option<u8>,
}

impl Meant {
    fn at(place: Place, access: Option<Access>) -> Self {
        Self { place: Some(place), access, ..Self::default() }
    }

    fn to(target: Option<u64>) -> Self {
        Self { target, ..Self::default() }
    }
}

/// An instruction as objdump prints it: its name and its operands, without comments and symbols.
struct Row<'t> {
    machine: &'t str,
    name: &'t str,
    rest: String,
    address: u64,
    bytes: Vec<u8>,
}

impl Row<'_> {
    /// Splits the operands at commas outside of brackets.
    fn operands(&self) -> Vec<&str> {
        let (mut all, mut depth, mut from) = (Vec::new(), 0, 0);
        for (at, byte) in self.rest.bytes().enumerate() {
            match byte {
                b'[' | b'(' | b'{' => depth += 1,
                b']' | b')' | b'}' => depth -= 1,
                b',' if depth == 0 => {
                    all.push(self.rest.get(from..at).expect("a part").trim());
                    from = at + 1;
                }
                _ => {}
            }
        }
        all.push(self.rest.get(from..).expect("a part").trim());
        all
    }

    /// Returns the last operand as an address.
    fn target(&self) -> Option<u64> {
        let last = *self.operands().last()?;
        u64::from_str_radix(last.trim_start_matches("0x"), 16).ok()
    }
}

/// Parses a number: `#-0x10`, `16`.
fn number(text: &str) -> Option<i64> {
    let text = text.trim().trim_start_matches('#');
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let value = match digits.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    Some(sign * value.ok()?)
}

/// An architecture: the parser of its rows, and the decoder of its bytes.
struct Judge {
    name: &'static str,
    meant: fn(&Row<'_>) -> Meant,
    decoded: fn(&Row<'_>) -> Option<Insn>,
}

const JUDGES: &[Judge] = &[
    Judge {
        name: "arm64",
        meant: arm64::meant,
        decoded: |row| (arm64_decoder::A64.decode)(&row.bytes, offset(row))?.insn,
    },
    Judge {
        name: "arm",
        meant: arm::meant,
        decoded: |row| (arm_decoder::A32.decode)(&row.bytes, offset(row))?.insn,
    },
    Judge {
        name: "thumb",
        meant: arm::meant,
        decoded: |row| (arm_decoder::T32.decode)(&row.bytes, offset(row))?.insn,
    },
    Judge {
        name: "powerpc64",
        meant: powerpc::meant,
        decoded: |row| {
            let word: Vec<u8> = row.bytes.iter().rev().copied().collect();
            (powerpc_decoder::WIDE.decode)(&word, offset(row))?.insn
        },
    },
    Judge {
        name: "riscv64",
        meant: riscv::meant,
        decoded: |row| {
            let halves: Vec<u8> = row.bytes.chunks(2).rev().flatten().copied().collect();
            (riscv_decoder::HALVES.decode)(&halves, offset(row))?.insn
        },
    },
    Judge {
        name: "s390x",
        meant: s390::meant,
        decoded: |row| {
            let listed = Instruction {
                offset: offset(row),
                bytes: row.bytes.clone(),
                text: format!("{} {}", row.name, row.rest),
                trapping: false,
            };
            s390_decoder::read(&listed).insn
        },
    },
];

fn offset(row: &Row<'_>) -> usize {
    usize::try_from(row.address).expect("an address")
}

/// Converts the operand of a record to the same form.
fn place(memory: &Memory) -> Place {
    Place {
        base: memory.base.map(|base| base.number),
        index: memory.index.map(|index| Part {
            register: index.register.number,
            size: index.register.size,
            shift: index.shift,
            is_signed: index.is_signed,
            is_negative: index.is_negative,
        }),
        displacement: memory.displacement & if memory.is_aligned { !3 } else { !0 },
    }
}

/// Describes the difference between a record and objdump's text; `None` if they are equal.
fn fault(meant: &Meant, insn: Option<&Insn>) -> Option<String> {
    let Some(insn) = insn.filter(|insn| insn.op != Op::Unknown) else {
        return (meant.place.is_some() || meant.target.is_some()).then(|| "unread".to_owned());
    };
    let memory = insn.memory[0].filter(|_| insn.op != Op::Address);
    let mut fault = String::new();
    let found = memory.as_ref().map(place);
    if found != meant.place {
        write!(fault, "operand {found:?}, not {:?}; ", meant.place).expect("text");
    }
    let found = memory.map(|memory| Access {
        size: memory.size,
        reads: memory.reads,
        writes: memory.writes,
    });
    if meant.access.is_some() && found != meant.access {
        write!(fault, "access {found:?}, not {:?}; ", meant.access).expect("text");
    }
    let target = insn.target.map(|target| target as u64);
    if target != meant.target {
        write!(fault, "target {target:x?}, not {:x?}; ", meant.target).expect("text");
    }
    if let Some(updated) = meant.updates
        && !insn.writes.has(Register::new(updated, 8))
    {
        write!(fault, "{updated} is kept").expect("text");
    }
    (!fault.is_empty()).then_some(fault)
}

/// Instructions that the decoders do not support, by architecture: an explanation has no operand
/// for them.
#[rustfmt::skip] // rows
const UNREAD: &[(&str, &[&str])] = &[
    // Data that decodes as pairs of registers; `pld` outside of Thumb.
    ("arm", &["ldrdeq", "pld", "strdeq"]),
    // Scalable vectors, which no code of the kernel uses; loads of tags.
    ("arm64", &["ld1b", "ldg", "st1b"]),
    // Floating point and vectors.
    ("powerpc64", &[
        "ldbrx", "lfiwzx", "lvx", "lxsdx", "lxv", "lxvd2x", "lxvdsx", "lxvp", "stvx", "stxsdx", "stxv",
        "stxvd2x",
    ]),
    ("riscv64", &["fld", "flw", "fsd", "fsw"]),
    ("s390x", &["ch"]),
    ("thumb", &[]),
];

/// The counts of an architecture.
#[derive(Debug, Default)]
struct Count {
    instructions: usize,
    operands: usize,
    targets: usize,
    unequal: usize,
    /// Instructions without a record, by name.
    unread: BTreeMap<String, usize>,
}

fn row<'t>(machine: &'t str, address: &str, digits: &str, text: &'t str) -> Option<Row<'t>> {
    let bytes = (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok())
        .collect::<Option<Vec<u8>>>()?;
    let text = [" <", " # ", " @ ", " // ", " ; "]
        .iter()
        .fold(text, |text, mark| text.split_once(mark).map_or(text, |(text, _)| text));
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let address = u64::from_str_radix(address, 16).ok()?;
    Some(Row { machine, name, rest: rest.trim().to_owned(), address, bytes })
}

/// Compares the rows of a file, and prints the first two mismatches of each mnemonic.
fn compare(rows: &str) -> BTreeMap<&'static str, Count> {
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    for line in rows.lines() {
        let mut fields = line.splitn(4, ' ');
        let mut field = || fields.next().expect(line);
        let (machine, address, digits, text) = (field(), field(), field(), field());
        let judge = JUDGES.iter().find(|judge| judge.name == machine).expect(line);
        let row = row(machine, address, digits, text).expect(line);
        let meant = (judge.meant)(&row);
        let insn = (judge.decoded)(&row);
        let count = counts.entry(judge.name).or_default();
        count.instructions += 1;
        count.operands += usize::from(meant.place.is_some());
        count.targets += usize::from(meant.target.is_some());
        match fault(&meant, insn.as_ref()) {
            None => {}
            Some(fault) if fault == "unread" => {
                *count.unread.entry(row.name.to_owned()).or_default() += 1;
            }
            Some(fault) => {
                count.unequal += 1;
                let shown = shown.entry(format!("{machine} {}", row.name)).or_default();
                *shown += 1;
                if *shown <= 2 {
                    eprintln!("{line}: {fault}");
                }
            }
        }
    }
    counts
}

#[test]
#[ignore = "compiled code of all machines: run .ci/operands"]
fn operands_as_objdump_reads_them() {
    let file = std::env::var(FILE).expect("KSPLAT_OPERANDS: the file that .ci/operands makes");
    let rows = std::fs::read_to_string(&file).expect(&file);
    let counts = compare(&rows);
    for (machine, count) in &counts {
        eprintln!(
            "{machine}: {} instructions, {} operands in memory, {} targets, {} unequal, {} unread",
            count.instructions,
            count.operands,
            count.targets,
            count.unequal,
            count.unread.values().sum::<usize>()
        );
        eprintln!("  unread: {:?}", count.unread);
    }
    assert_eq!(counts.len(), JUDGES.len(), "a machine is missing");
    for (machine, names) in UNREAD {
        let mut unread = counts.get(machine).expect(machine).unread.keys();
        let more = unread.find(|name| !names.contains(&name.as_str()));
        assert_eq!(more, None, "{machine}: no record");
    }
    assert!(counts.values().all(|count| count.unequal == 0), "operands differ");
}
