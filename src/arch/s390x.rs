//! z/Architecture: `show_registers()` in arch/s390/kernel/dumpstack.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    pointers: &["Krnl PSW :"],
    links: &[],
    general: &[
        ("GPRS00", "r0"), ("GPRS01", "r1"), ("GPRS02", "r2"), ("GPRS03", "r3"), ("GPRS04", "r4"),
        ("GPRS05", "r5"), ("GPRS06", "r6"), ("GPRS07", "r7"), ("GPRS08", "r8"), ("GPRS09", "r9"),
        ("GPRS10", "r10"), ("GPRS11", "r11"), ("GPRS12", "r12"), ("GPRS13", "r13"),
        ("GPRS14", "r14"), ("GPRS15", "r15"),
    ],
    system: &[
    ],
    is_user: |_| false,
};
