//! Operands of PowerPC in objdump's syntax: `8(r1)`, and two registers that are added.

use super::{Access, Meant, Part, Place, Row, load, number, store};

fn register(name: &str) -> Option<u8> {
    name.strip_prefix('r')?.parse().ok()
}

/// Returns the access of an instruction name, for all its forms: indexed, with update, reservation,
/// byte-reversed.
fn access(name: &str) -> Option<Access> {
    let stem = name.trim_end_matches('.');
    Some(match stem {
        "lxvd2x" | "lvx" | "lxv" | "lxvx" => load(16)?,
        "stxvd2x" | "stvx" | "stxv" | "stxvx" => store(16)?,
        "lxvp" => load(32)?,
        "lxsdx" | "lxvdsx" => load(8)?,
        "stxsdx" => store(8)?,
        "lfiwzx" => load(4)?,
        "stfiwx" => store(4)?,
        _ => {
            let stem = stem.trim_end_matches("cx").trim_end_matches("arx").trim_end_matches("brx");
            match stem.trim_end_matches('x').trim_end_matches('u') {
                "lbz" | "lb" => load(1)?,
                "lhz" | "lha" | "lh" => load(2)?,
                "lwz" | "lwa" | "lw" | "lfs" => load(4)?,
                "ld" | "lfd" => load(8)?,
                "stb" => store(1)?,
                "sth" => store(2)?,
                "stw" | "stfs" => store(4)?,
                "std" | "stfd" => store(8)?,
                _ => return None,
            }
        }
    })
}

/// Returns whether a name is that of a branch to an address.
fn is_branch(name: &str) -> bool {
    let name = name.trim_end_matches(['+', '-']);
    matches!(
        name,
        "b" | "bl"
            | "bcl"
            | "beq"
            | "bne"
            | "blt"
            | "bgt"
            | "ble"
            | "bge"
            | "bdnz"
            | "bdz"
            | "bns"
            | "bso"
    )
}

pub(super) fn meant(row: &Row<'_>) -> Meant {
    let name = row.name;
    if is_branch(name) {
        return Meant::to(row.target());
    }
    let Some(access) = access(name) else { return Meant::default() };
    let operands = row.operands();
    let [_, rest @ ..] = operands.as_slice() else { return Meant::default() };
    let place = match rest {
        [operand] => operand
            .strip_suffix(')')
            .and_then(|operand| operand.split_once('('))
            .and_then(|(displacement, base)| {
                let displacement = number(displacement)?;
                Some(Place { base: register(base), displacement, ..Place::default() })
            }),
        [base, index] => register(index).map(|index| Place {
            base: register(base),
            index: Some(Part { register: index, size: 8, ..Part::default() }),
            displacement: 0,
        }),
        _ => None,
    };
    let Some(place) = place else { return Meant::default() };
    let is_changed = name.ends_with('u') || name.ends_with("ux");
    Meant { updates: place.base.filter(|_| is_changed), ..Meant::at(place, Some(access)) }
}
