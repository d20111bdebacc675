//! Operands of 64-bit ARM in objdump's syntax: `[x0, #16]`, `[x1, w2, sxtw #3]`, `[x0], #16`,
//! `[x0, #-16]!`, an address alone.

use super::{Access, Meant, Part, Place, Row, load, number, store, update};
use crate::disasm::insn::Register;

fn register(name: &str) -> Option<u8> {
    match name {
        "sp" => Some(31),
        "xzr" | "wzr" => Some(Register::ZERO),
        _ => name.get(1..)?.parse().ok(),
    }
}

/// Returns the size of a register in bytes, by its letter.
fn width(name: &str) -> u64 {
    match name.as_bytes().first() {
        Some(b'b') => 1,
        Some(b'h') => 2,
        Some(b'w' | b's') => 4,
        Some(b'q') => 16,
        _ => 8,
    }
}

/// Returns the size of a list of vectors in bytes: `{v0.16b, v1.16b}`, `{v0.16b-v3.16b}`,
/// `{v0.b}[1]`.
fn vectors(operand: &str, is_repeated: bool) -> Option<u64> {
    let (list, lane) = operand.strip_prefix('{')?.split_once('}')?;
    let numbers: Vec<u64> = list
        .split(['-', ','])
        .filter_map(|part| part.trim().strip_prefix('v')?.split('.').next()?.parse().ok())
        .collect();
    let count = if list.contains('-') {
        (numbers.last()? + 32 - numbers.first()?) % 32 + 1
    } else {
        numbers.len() as u64
    };
    let shape = list.split('.').nth(1)?.split([',', '-', ' ']).next()?;
    let element = width(shape.trim_start_matches(|c: char| c.is_ascii_digit()));
    let lanes: u64 = shape.trim_end_matches(char::is_alphabetic).parse().unwrap_or(1);
    let is_single = is_repeated || !lane.is_empty();
    Some(count * element * if is_single { 1 } else { lanes })
}

/// Returns the size of an element in bytes, from the suffix of an instruction name.
fn suffixed(rest: &str, of_register: u64) -> u64 {
    match rest.as_bytes().last() {
        Some(b'b') => 1,
        Some(b'h') => 2,
        Some(b'w') => 4,
        _ => of_register,
    }
}

fn access(name: &str, operands: &[&str]) -> Option<Access> {
    let of = |at: usize| operands.get(at).map_or(0, |name| width(name));
    let is_list = operands.first().is_some_and(|first| first.starts_with('{'));
    if is_list {
        // The size of scalable vectors depends on the CPU.
        let size = vectors(operands.first()?, name.ends_with('r'))?;
        return if name.starts_with("ld") { load(size) } else { store(size) };
    }
    let atomic = ["ldadd", "ldclr", "ldeor", "ldset", "ldsmax", "ldsmin", "ldumax", "ldumin"];
    let mut atomics = atomic.iter().chain(&["swp", "casp", "cas"]);
    if let Some(family) = atomics.find(|family| name.starts_with(**family)) {
        // `a` and `l` are acquire and release.
        let rest = name.trim_start_matches(family).trim_start_matches(['a', 'l']);
        let size = suffixed(rest, of(0)) * if *family == "casp" { 2 } else { 1 };
        return update(size);
    }
    match name {
        "prfm" | "prfum" => Some(Access::default()),
        "stg" | "st2g" | "stzg" | "stz2g" | "ldg" => None,
        "ldpsw" => load(8),
        "ldp" | "ldnp" | "ldxp" | "ldaxp" => load(2 * of(0)),
        "stp" | "stnp" => store(2 * of(0)),
        "stxp" | "stlxp" => store(2 * of(1)),
        _ if name.starts_with("stxr") || name.starts_with("stlxr") => store(suffixed(name, of(1))),
        _ if name.starts_with("ld") => load(suffixed(name, of(0))),
        _ if name.starts_with("st") => store(suffixed(name, of(0))),
        _ => None,
    }
}

fn place(inside: &str) -> Option<Place> {
    let parts: Vec<&str> = inside.split(',').map(str::trim).collect();
    let base = register(parts.first()?);
    let second = parts.get(1).copied().unwrap_or("#0");
    if second.starts_with('#') {
        return Some(Place { base, displacement: number(second)?, ..Place::default() });
    }
    let (style, amount) = match parts.get(2) {
        Some(shift) => shift.split_once(' ').unwrap_or((shift, "#0")),
        None => ("lsl", "#0"),
    };
    let index = Part {
        register: register(second)?,
        size: if second.starts_with('w') { 4 } else { 8 },
        shift: u8::try_from(number(amount)?).ok()?,
        is_signed: style.starts_with("sxt"),
        is_negative: false,
    };
    Some(Place { base, index: Some(index), displacement: 0 })
}

pub(super) fn meant(row: &Row<'_>) -> Meant {
    let name = row.name;
    let is_branch = matches!(name, "b" | "bl" | "cbz" | "cbnz" | "tbz" | "tbnz");
    if is_branch || name.starts_with("b.") {
        return Meant::to(row.target());
    }
    if !name.starts_with(['l', 's', 'c', 'p']) || name.starts_with("lsl") {
        return Meant::default();
    }
    let operands = row.operands();
    let access = access(name, &operands);
    let Some(at) = operands.iter().position(|operand| operand.starts_with('[')) else {
        let literal = row.target().filter(|_| matches!(name, "ldr" | "ldrsw"));
        let place = |at: u64| Place {
            base: Some(Register::POINTER),
            displacement: at.cast_signed(),
            ..Place::default()
        };
        return literal.map_or(Meant::default(), |at| Meant::at(place(at), access));
    };
    let operand = operands.get(at).copied().unwrap_or_default();
    let inside = operand.trim_start_matches('[').trim_end_matches(['!', ']']);
    let Some(place) = place(inside) else { return Meant::default() };
    let is_changed = operand.ends_with('!') || operands.len() > at + 1;
    Meant { updates: place.base.filter(|_| is_changed), ..Meant::at(place, access) }
}
