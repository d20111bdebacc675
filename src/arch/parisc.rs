//! PA-RISC: `show_regs()` in arch/parisc/kernel/traps.c.

use super::{ArchInfo, powerpc};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    pointers: &["IAOQ[0]:"],
    beside: &[],
    names_pointer: true,
    links: &["RP(r2):"],
    // The registers have the same names as on PowerPC.
    numbered: powerpc::INFO.numbered,
    rows: &[
        ("r00-03", 0), ("r04-07", 4), ("r08-11", 8), ("r12-15", 12), ("r16-19", 16),
        ("r20-23", 20), ("r24-27", 24), ("r28-31", 28),
    ],
    general: &[],
    system: &[
        ("IIR", "iir"), ("ISR", "isr"), ("IOR", "ior"), ("ORIG_R28", "orig_r28"),
    ],
    digits: &[8, 16],
    heads: &["IIR ISR", "ORIG_R28"],
    is_user: |_| false,
    fault: |_| None,
    layouts: &[],
    shadow: None,
    calls: None,
    exact_to: 1,
    tag: 0,
    syscalls: &[],
    entries: &[
        "intr_return",
        "linux_gateway_entry",
    ],
    code: &[],
};
