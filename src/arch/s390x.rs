//! z/Architecture: `show_registers()` in arch/s390/kernel/dumpstack.c.

use super::{ArchInfo, Calls, Decoder, Prefix};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    pointers: &["Krnl PSW :"],
    beside: &[],
    names_pointer: true,
    links: &[],
    numbered: &[
        "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13",
        "r14", "r15",
    ],
    // The rows after the first have no tag.
    rows: &[("Krnl GPRS:", 0)],
    general: &[],
    system: &[],
    digits: &[16],
    heads: &[],
    is_user: |_| false,
    fault: |_| None,
    layouts: &[],
    shadow: None,
    calls: Some(Calls {
        result: "r2",
        saved: &["r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13", "r15"],
    }),
    // The lowest bits of the failing address are lost: `dump_fault_info()`.
    exact_to: 4096,
    tag: 0,
    syscalls: &[
        Prefix { text: "__s390_", titles: false, signatures: true },
        Prefix { text: "__s390x_", titles: false, signatures: true },
    ],
    entries: &[
        "__do_pgm_check",
        "__do_syscall",
        "__ret_from_fork",
        "__s390_compat_sys_*",
        "__s390_sys_*",
        "__s390x_compat_sys_*",
        "__s390x_sys_*",
        "do_ext_irq",
        "do_io_irq",
        "ext_int_handler",
        "io_int_handler",
        "mcck_int_handler",
        "pgm_check_handler",
        "restart_int_handler",
        "smp_start_secondary",
    ],
    code: &[(1, Decoder::Listed)],
};
