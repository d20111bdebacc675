//! Operands of 32-bit ARM and Thumb in objdump's syntax: `[r1, r2, lsl #1]`, `[r1, -r2]`,
//! `[r1, #-4]!`, `[r1], #4`, lists of registers.

use super::{Access, Meant, Part, Place, Row, load, number, store, update};
use crate::disasm::insn::Register;

fn register(name: &str) -> Option<u8> {
    match name {
        "sb" => Some(9),
        "sl" => Some(10),
        "fp" => Some(11),
        "ip" => Some(12),
        "sp" => Some(13),
        "lr" => Some(14),
        "pc" => Some(Register::POINTER),
        _ => name.strip_prefix('r')?.parse().ok(),
    }
}

const CONDITIONS: [&str; 16] = [
    "eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "hs", "lo",
];

/// Returns the access of an instruction name that may end with a condition.
fn access(name: &str) -> Option<Access> {
    let exact = |name: &str| match name {
        "ldr" | "ldrt" | "ldrex" | "lda" | "ldaex" => load(4),
        "ldrb" | "ldrsb" | "ldrbt" | "ldrsbt" | "ldrexb" | "ldab" | "tbb" => load(1),
        "ldrh" | "ldrsh" | "ldrht" | "ldrsht" | "ldrexh" | "ldah" | "tbh" => load(2),
        "ldrd" | "ldrexd" => load(8),
        "str" | "strt" | "strex" | "stl" => store(4),
        "strb" | "strbt" | "strexb" | "stlb" => store(1),
        "strh" | "strht" | "strexh" | "stlh" => store(2),
        "strd" | "strexd" => store(8),
        "swp" => update(4),
        "swpb" => update(1),
        // Hints.
        "pld" | "pldw" => Some(Access::default()),
        _ => None,
    };
    exact(name).or_else(|| {
        let condition = CONDITIONS.iter().find(|condition| name.ends_with(**condition))?;
        exact(name.strip_suffix(condition)?)
    })
}

/// Returns the number of registers in a list, which may have ranges: `{r4, r5, lr}`.
fn count(list: &str) -> Option<u64> {
    let inside = list.trim_end_matches('^').strip_prefix('{')?.strip_suffix('}')?;
    let of_part = |part: &str| match part.trim().split_once('-') {
        Some((first, last)) => Some(u64::from(register(last)?.checked_sub(register(first)?)? + 1)),
        None => register(part.trim()).map(|_| 1),
    };
    inside.split(',').map(of_part).sum()
}

/// Returns the operand of an instruction with several registers: the address of the lowest one.
fn several(name: &str, operands: &[&str]) -> Option<Meant> {
    let stem = name.trim_end_matches(".w").trim_end_matches(".n");
    let bare = |stem: &str| {
        let rest = stem.strip_prefix("ldm").or(stem.strip_prefix("stm"))?;
        let is_condition = |text: &str| text.is_empty() || CONDITIONS.contains(&text);
        let mode = ["ia", "ib", "da", "db"]
            .into_iter()
            .find(|mode| rest.strip_prefix(mode).is_some_and(is_condition));
        mode.or_else(|| is_condition(rest).then_some("ia"))
    };
    let (mode, base, list, is_load, is_changed) = match (stem, operands) {
        (name, [list]) if name.starts_with("push") => ("db", "sp", *list, false, true),
        (name, [list]) if name.starts_with("pop") => ("ia", "sp", *list, true, true),
        (name, [base, list]) => {
            let is_changed = base.ends_with('!');
            (bare(name)?, base.trim_end_matches('!'), *list, name.starts_with('l'), is_changed)
        }
        _ => return None,
    };
    let bytes = 4 * count(list)?;
    let size = bytes.cast_signed();
    let displacement = match mode {
        "ib" => 4,
        "da" => 4 - size,
        "db" => -size,
        _ => 0,
    };
    let base = register(base);
    let place = Place { base, index: None, displacement };
    let access = if is_load { load(bytes) } else { store(bytes) };
    Some(Meant { updates: base.filter(|_| is_changed), ..Meant::at(place, access) })
}

/// Parses the text between the brackets. Addresses relative to the instruction become absolute.
fn place(inside: &str, row: &Row<'_>, is_thumb: bool) -> Option<Place> {
    let parts: Vec<&str> = inside.split(',').map(str::trim).collect();
    let base = register(parts.first()?);
    let second = parts.get(1).copied().unwrap_or("#0");
    let displacement = number(second).filter(|_| second.starts_with('#'));
    let here = match base {
        Some(Register::POINTER) if row.name.starts_with("tb") => (row.address + 4).cast_signed(),
        Some(Register::POINTER) if is_thumb => ((row.address + 4) & !3).cast_signed(),
        Some(Register::POINTER) => (row.address + 8).cast_signed(),
        _ => 0,
    };
    if let Some(displacement) = displacement {
        return Some(Place { base, index: None, displacement: displacement + here });
    }
    let shift = match parts.get(2) {
        Some(shift) => number(shift.strip_prefix("lsl ")?)?,
        None => 0,
    };
    let index = Part {
        register: register(second.trim_start_matches('-'))?,
        size: 4,
        shift: u8::try_from(shift).ok()?,
        is_signed: false,
        is_negative: second.starts_with('-'),
    };
    Some(Place { base, index: Some(index), displacement: here })
}

pub(super) fn meant(row: &Row<'_>) -> Meant {
    let name = row.name.trim_end_matches(".w").trim_end_matches(".n");
    let is_thumb = row.machine == "thumb";
    let is_branch = |stem: &str| {
        name == stem || name.strip_prefix(stem).is_some_and(|rest| CONDITIONS.contains(&rest))
    };
    let operands = row.operands();
    if is_branch("blx") && is_thumb {
        // The target is relative to the address rounded down to four, but only offsets are known
        // here.
        return Meant::default();
    }
    if is_branch("b") || is_branch("bl") || is_branch("blx") || matches!(name, "cbz" | "cbnz") {
        // Data that decodes as branches has any target.
        return Meant::to(row.target().filter(|target| *target >> 31 == 0));
    }
    if let Some(several) = several(name, &operands) {
        return several;
    }
    let Some(access) = access(name) else { return Meant::default() };
    let Some(at) = operands.iter().position(|operand| operand.starts_with('[')) else {
        return Meant::default();
    };
    let operand = operands.get(at).copied().unwrap_or_default();
    let inside = operand.trim_start_matches('[').trim_end_matches(['!', ']']);
    let Some(place) = place(inside, row, is_thumb) else { return Meant::default() };
    let is_changed = operand.ends_with('!') || operands.len() > at + 1;
    let base = place.base.filter(|base| is_changed && *base != Register::POINTER);
    Meant { updates: base, ..Meant::at(place, Some(access)) }
}
