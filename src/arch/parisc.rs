//! PA-RISC: `show_regs()` in arch/parisc/kernel/traps.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    pointers: &["IAOQ[0]:"],
    links: &["RP(r2):"],
    numbered: &[
        "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13",
        "r14", "r15", "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25",
        "r26", "r27", "r28", "r29", "r30", "r31",
    ],
    rows: &[
        ("r00-03", 0), ("r04-07", 4), ("r08-11", 8), ("r12-15", 12), ("r16-19", 16),
        ("r20-23", 20), ("r24-27", 24), ("r28-31", 28),
    ],
    system: &[
        ("IIR", "iir"), ("ISR", "isr"), ("IOR", "ior"), ("ORIG_R28", "orig_r28"),
    ],
    ..ArchInfo::BASE
};
