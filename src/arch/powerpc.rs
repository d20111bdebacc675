//! PowerPC, 32-bit and 64-bit: `__show_regs()` in arch/powerpc/kernel/process.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    pointers: &["NIP "],
    links: &["LR "],
    general: &[
        ("GPR00", "r0"), ("GPR01", "r1"), ("GPR02", "r2"), ("GPR03", "r3"), ("GPR04", "r4"),
        ("GPR05", "r5"), ("GPR06", "r6"), ("GPR07", "r7"), ("GPR08", "r8"), ("GPR09", "r9"),
        ("GPR10", "r10"), ("GPR11", "r11"), ("GPR12", "r12"), ("GPR13", "r13"), ("GPR14", "r14"),
        ("GPR15", "r15"), ("GPR16", "r16"), ("GPR17", "r17"), ("GPR18", "r18"), ("GPR19", "r19"),
        ("GPR20", "r20"), ("GPR21", "r21"), ("GPR22", "r22"), ("GPR23", "r23"), ("GPR24", "r24"),
        ("GPR25", "r25"), ("GPR26", "r26"), ("GPR27", "r27"), ("GPR28", "r28"), ("GPR29", "r29"),
        ("GPR30", "r30"), ("GPR31", "r31"), ("NIP", "nip"), ("LR", "lr"), ("CTR", "ctr"),
    ],
    system: &[
        ("MSR", "msr"), ("CR", "cr"), ("XER", "xer"), ("CFAR", "cfar"), ("DAR", "dar"),
        ("DEAR", "dear"), ("DSISR", "dsisr"), ("IRQMASK", "irqmask"),
    ],
    is_user: |_| false,
};
