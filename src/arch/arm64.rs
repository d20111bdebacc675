//! 64-bit ARM: `__show_regs()` in arch/arm64/kernel/process.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    pointers: &["pc :", "pc:"],
    links: &["lr :", "lr:"],
    general: &[
        ("x0", "x0"), ("x1", "x1"), ("x2", "x2"), ("x3", "x3"), ("x4", "x4"), ("x5", "x5"),
        ("x6", "x6"), ("x7", "x7"), ("x8", "x8"), ("x9", "x9"), ("x10", "x10"), ("x11", "x11"),
        ("x12", "x12"), ("x13", "x13"), ("x14", "x14"), ("x15", "x15"), ("x16", "x16"),
        ("x17", "x17"), ("x18", "x18"), ("x19", "x19"), ("x20", "x20"), ("x21", "x21"),
        ("x22", "x22"), ("x23", "x23"), ("x24", "x24"), ("x25", "x25"), ("x26", "x26"),
        ("x27", "x27"), ("x28", "x28"), ("x29", "x29"), ("x30", "x30"), ("sp", "sp"), ("lr", "lr"),
        ("pc", "pc"), ("pstate", "pstate"),
    ],
    system: &[
        ("pmr_save", "pmr_save"), ("ESR", "esr"), ("FAR", "far"),
    ],
    ..ArchInfo::BASE
};
