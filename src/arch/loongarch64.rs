//! 64-bit LoongArch: `__show_regs()` in arch/loongarch/kernel/traps.c.

use super::{ArchInfo, mips};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    // Before Linux 6.3, and since.
    pointers: &["era   :", "ERA:"],
    links: &["ra:"],
    // Before Linux 6.3, as MIPS prints them.
    numbered: mips::INFO.numbered,
    rows: mips::INFO.rows,
    general: &[
        ("pc", "pc"), ("ra", "ra"), ("tp", "tp"), ("sp", "sp"), ("a0", "a0"), ("a1", "a1"),
        ("a2", "a2"), ("a3", "a3"), ("a4", "a4"), ("a5", "a5"), ("a6", "a6"), ("a7", "a7"),
        ("u0", "u0"), ("s9", "s9"),
    ],
    system: &[
        ("CRMD", "crmd"), ("PRMD", "prmd"), ("EUEN", "euen"), ("ECFG", "ecfg"), ("ESTAT", "estat"),
        ("BADV", "badv"), ("PRID", "prid"),
    ],
    ..ArchInfo::BASE
};
