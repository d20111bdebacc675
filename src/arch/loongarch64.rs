//! 64-bit LoongArch: `__show_regs()` in arch/loongarch/kernel/traps.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    // Before Linux 6.3, and since.
    pointers: &["era   :", "ERA:"],
    links: &["ra:"],
    // Before Linux 6.3, as MIPS prints them.
    numbered: &[
        "$0", "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13",
        "$14", "$15", "$16", "$17", "$18", "$19", "$20", "$21", "$22", "$23", "$24", "$25",
        "$26", "$27", "$28", "$29", "$30", "$31",
    ],
    rows: &[
        ("$ 0   :", 0), ("$ 4   :", 4), ("$ 8   :", 8), ("$12   :", 12), ("$16   :", 16),
        ("$20   :", 20), ("$24   :", 24), ("$28   :", 28),
    ],
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
