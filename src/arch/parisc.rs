//! PA-RISC: `show_regs()` in arch/parisc/kernel/traps.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    pointers: &["IAOQ[0]:"],
    links: &["RP(r2):"],
    general: &[
        ("IIR", "iir"), ("ISR", "isr"), ("IOR", "ior"),
    ],
    system: &[
    ],
    is_user: |_| false,
};
