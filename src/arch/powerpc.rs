//! PowerPC, 32-bit and 64-bit: `__show_regs()` in arch/powerpc/kernel/process.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    pointers: &["NIP "],
    links: &["LR "],
    numbered: &[
        "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13",
        "r14", "r15", "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25",
        "r26", "r27", "r28", "r29", "r30", "r31",
    ],
    // Four in a row on 64-bit machines, eight on 32-bit ones.
    rows: &[
        ("GPR00:", 0), ("GPR04:", 4), ("GPR08:", 8), ("GPR12:", 12), ("GPR16:", 16),
        ("GPR20:", 20), ("GPR24:", 24), ("GPR28:", 28),
    ],
    general: &[
        ("NIP", "nip"), ("LR", "lr"), ("CTR", "ctr"),
    ],
    system: &[
        ("MSR", "msr"), ("CR", "cr"), ("XER", "xer"), ("CFAR", "cfar"), ("DAR", "dar"),
        ("DEAR", "dear"), ("DSISR", "dsisr"), ("IRQMASK", "irqmask"),
    ],
    ..ArchInfo::BASE
};
