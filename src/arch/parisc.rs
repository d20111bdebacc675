//! PA-RISC: `show_regs()` in arch/parisc/kernel/traps.c.

use super::{ArchInfo, powerpc};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    pointers: &["IAOQ[0]:"],
    links: &["RP(r2):"],
    // They have the same names there.
    numbered: powerpc::INFO.numbered,
    rows: &[
        ("r00-03", 0), ("r04-07", 4), ("r08-11", 8), ("r12-15", 12), ("r16-19", 16),
        ("r20-23", 20), ("r24-27", 24), ("r28-31", 28),
    ],
    system: &[
        ("IIR", "iir"), ("ISR", "isr"), ("IOR", "ior"), ("ORIG_R28", "orig_r28"),
    ],
    ..ArchInfo::BASE
};
