//! Operands of RISC-V in objdump's syntax: `12(a0)`, `(a0)`.

use super::{Access, Meant, Place, Row, load, number, store, update};

const NAMES: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4",
    "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4",
    "t5", "t6",
];

const TARGETS: [&str; 18] = [
    "beq", "bne", "blt", "bge", "bltu", "bgeu", "beqz", "bnez", "bltz", "bgez", "blez", "bgtz",
    "bgt", "ble", "bgtu", "bleu", "j", "jal",
];

fn access(name: &str) -> Option<Access> {
    let mut parts = name.split('.');
    let size = |letter: Option<&str>| if letter == Some("d") { 8 } else { 4 };
    match (parts.next()?, parts.next()) {
        ("lr", letter) => load(size(letter)),
        ("sc", letter) => store(size(letter)),
        (name, letter) if name.starts_with("amo") => update(size(letter)),
        ("lb" | "lbu", _) => load(1),
        ("lh" | "lhu", _) => load(2),
        ("lw" | "lwu" | "flw", _) => load(4),
        ("ld" | "fld", _) => load(8),
        ("sb", _) => store(1),
        ("sh", _) => store(2),
        ("sw" | "fsw", _) => store(4),
        ("sd" | "fsd", _) => store(8),
        _ => None,
    }
}

pub(super) fn meant(row: &Row<'_>) -> Meant {
    if TARGETS.contains(&row.name) {
        return Meant::to(row.target());
    }
    let Some(access) = access(row.name) else { return Meant::default() };
    let operands = row.operands();
    let place = operands.last().and_then(|last| {
        let (displacement, base) = last.strip_suffix(')')?.split_once('(')?;
        let base = NAMES.iter().position(|name| *name == base)?;
        Some(Place {
            base: u8::try_from(base).ok().filter(|base| *base > 0),
            displacement: if displacement.is_empty() { 0 } else { number(displacement)? },
            ..Place::default()
        })
    });
    place.map_or(Meant::default(), |place| Meant::at(place, Some(access)))
}
