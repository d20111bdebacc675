//! 64-bit LoongArch: `__show_regs()` in arch/loongarch/kernel/traps.c.

use super::{ArchInfo, Decoder, mips};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    // Until Linux 6.2, and since 6.3.
    pointers: &["era   :", "ERA:"],
    beside: &[],
    names_pointer: true,
    links: &["ra:"],
    // Until Linux 6.2, with the names of MIPS.
    numbered: mips::INFO.numbered,
    rows: mips::INFO.rows,
    general: &[
        ("pc", "pc"), ("ra", "ra"), ("tp", "tp"), ("sp", "sp"), ("a0", "a0"), ("a1", "a1"),
        ("a2", "a2"), ("a3", "a3"), ("a4", "a4"), ("a5", "a5"), ("a6", "a6"), ("a7", "a7"),
        ("t0", "t0"), ("t1", "t1"), ("t2", "t2"), ("t3", "t3"), ("t4", "t4"), ("t5", "t5"),
        ("t6", "t6"), ("t7", "t7"), ("t8", "t8"), ("u0", "u0"), ("s9", "s9"), ("s0", "s0"),
        ("s1", "s1"), ("s2", "s2"), ("s3", "s3"), ("s4", "s4"), ("s5", "s5"), ("s6", "s6"),
        ("s7", "s7"), ("s8", "s8"),
    ],
    system: &[
        ("CRMD", "crmd"), ("PRMD", "prmd"), ("EUEN", "euen"), ("ECFG", "ecfg"), ("ESTAT", "estat"),
        ("BADV", "badv"), ("PRID", "prid"),
    ],
    digits: &[16],
    heads: &[
        "pc ra", "a0 a1", "a4 a5", "t0 t1", "t4 t5", "t8 u0", "s1 s2", "s5 s6", "CRMD", "PRMD",
        "EUEN", "ECFG", "ESTAT", "BADV", "PRID",
    ],
    is_user: |_| false,
    fault: |_| None,
    layouts: &[],
    shadow: None,
    calls: None,
    exact_to: 1,
    tag: 0,
    syscalls: &[],
    entries: &[
        "do_vint",
        "handle_loongarch_irq",
        "handle_vint",
        "ret_from_kernel_thread_asm",
    ],
    code: &[(4, Decoder::None)],
};
