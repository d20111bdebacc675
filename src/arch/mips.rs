//! MIPS, 32-bit and 64-bit: `__show_regs()` in arch/mips/kernel/traps.c.

use super::{ArchInfo, Decoder, Fault};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    pointers: &["epc   :"],
    beside: &[],
    names_pointer: true,
    links: &["ra    :"],
    // The names of registers differ between the two ABIs; $26 and $27 are not printed.
    numbered: &[
        "$0", "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13",
        "$14", "$15", "$16", "$17", "$18", "$19", "$20", "$21", "$22", "$23", "$24", "$25",
        "$26", "$27", "$28", "$29", "$30", "$31",
    ],
    rows: &[
        ("$ 0   :", 0), ("$ 4   :", 4), ("$ 8   :", 8), ("$12   :", 12), ("$16   :", 16),
        ("$20   :", 20), ("$24   :", 24), ("$28   :", 28),
    ],
    general: &[
        ("Hi", "hi"), ("Lo", "lo"), ("ra", "ra"),
    ],
    system: &[
        ("Status", "status"), ("Cause", "cause"), ("BadVA", "badva"), ("PrId", "prid"),
    ],
    digits: &[8, 16],
    heads: &[],
    is_user: |_| false,
    // The ExcCode of the cause: arch/mips/include/asm/mipsregs.h. Loads and fetches share a code.
    fault: |register| match register("cause")? >> 2 & 0x1f {
        1 | 3 | 5 => Some(Fault::Write), // Mod, TLBS, AdES
        2 | 4 if register("badva") != register("epc") => Some(Fault::Read), // TLBL, AdEL
        _ => None,
    },
    layouts: &[],
    shadow: None,
    calls: None,
    exact_to: 1,
    tag: 0,
    syscalls: &[],
    entries: &[
        "except_vec4",
        "except_vec_vi*",
        "handle_fpe_int",
        "handle_sys64",
        "handle_sysn32",
        "plat_irq_dispatch",
        "r4k_wait",
        "smp_bootstrap",
        "syscall_common",
    ],
    code: &[(4, Decoder::None)],
};
