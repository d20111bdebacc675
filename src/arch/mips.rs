//! MIPS, 32-bit and 64-bit: `__show_regs()` in arch/mips/kernel/traps.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    pointers: &["epc   :"],
    links: &["ra    :"],
    general: &[
        ("Hi", "hi"), ("Lo", "lo"),
    ],
    system: &[
        ("Status", "status"), ("Cause", "cause"), ("BadVA", "badva"), ("PrId", "prid"),
    ],
    is_user: |_| false,
};
