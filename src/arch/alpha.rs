//! Alpha: `dik_show_regs()` in arch/alpha/kernel/traps.c.

use super::{ArchInfo, Decoder};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    pointers: &["pc is at"],
    beside: &[],
    names_pointer: true,
    links: &["ra is at"],
    numbered: &[],
    rows: &[],
    general: &[
        ("v0", "v0"), ("t0", "t0"), ("t1", "t1"), ("t2", "t2"), ("t3", "t3"), ("t4", "t4"),
        ("t5", "t5"), ("t6", "t6"), ("t7", "t7"), ("t8", "t8"), ("t9", "t9"), ("t10", "t10"),
        ("t11", "t11"), ("s0", "s0"), ("s1", "s1"), ("s2", "s2"), ("s3", "s3"), ("s4", "s4"),
        ("s5", "s5"), ("s6", "s6"), ("a0", "a0"), ("a1", "a1"), ("a2", "a2"), ("a3", "a3"),
        ("a4", "a4"), ("a5", "a5"), ("pv", "pv"), ("at", "at"), ("gp", "gp"), ("sp", "sp"),
    ],
    system: &[],
    digits: &[16],
    heads: &[
        "v0 t0", "t2 t3", "t5 t6", "s0 s1", "s3 s4", "a0 a1", "a3 a4", "t8 t9", "t11 pv", "gp sp",
    ],
    is_user: |_| false,
    fault: |_| None,
    layouts: &[],
    shadow: None,
    calls: None,
    exact_to: 1,
    tag: 0,
    syscalls: &[],
    entries: &[
        "do_entArith",
        "do_entDbg",
        "do_entIF",
        "do_entInt",
        "do_entUna*",
        "entArith",
        "entDbg",
        "entIF",
        "entInt",
        "entMM",
        "entSys",
        "entUna",
    ],
    code: &[(4, Decoder::None)],
};
