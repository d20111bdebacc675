//! 32-bit ARM: `__show_regs()` in arch/arm/kernel/process.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 32,
    pointers: &["PC is at"],
    links: &["LR is at"],
    general: &[
        ("r0", "r0"), ("r1", "r1"), ("r2", "r2"), ("r3", "r3"), ("r4", "r4"), ("r5", "r5"),
        ("r6", "r6"), ("r7", "r7"), ("r8", "r8"), ("r9", "r9"), ("r10", "r10"), ("fp", "fp"),
        ("ip", "ip"), ("sp", "sp"), ("lr", "lr"), ("pc", "pc"), ("psr", "psr"),
    ],
    system: &[
        ("Control", "control"), ("Table", "table"), ("DAC", "dac"),
    ],
    ..ArchInfo::BASE
};
