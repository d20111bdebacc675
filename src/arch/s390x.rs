//! z/Architecture: `show_registers()` in arch/s390/kernel/dumpstack.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    pointers: &["Krnl PSW :"],
    numbered: &[
        "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13",
        "r14", "r15",
    ],
    // The rows after the first have no tag.
    rows: &[("Krnl GPRS:", 0)],
    ..ArchInfo::BASE
};
