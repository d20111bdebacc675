//! 64-bit LoongArch: `__show_regs()` in arch/loongarch/kernel/traps.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    pointers: &["ERA:"],
    links: &["ra:"],
    general: &[
        ("a0", "a0"), ("a1", "a1"), ("a2", "a2"), ("a3", "a3"), ("a4", "a4"), ("a5", "a5"),
        ("a6", "a6"), ("a7", "a7"), ("u0", "u0"), ("s9", "s9"),
    ],
    system: &[
        ("CRMD", "crmd"), ("PRMD", "prmd"), ("EUEN", "euen"), ("ECFG", "ecfg"), ("ESTAT", "estat"),
        ("BADV", "badv"), ("PRID", "prid"),
    ],
    is_user: |_| false,
};
