//! 64-bit RISC-V: `__show_regs()` in arch/riscv/kernel/process.c.

use super::{ArchInfo, Area, Calls, Decoder, Fault, Layout, Prefix};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    pointers: &["epc :", "epc:"],
    beside: &[],
    names_pointer: true,
    links: &["ra :"],
    numbered: &[],
    rows: &[],
    general: &[
        ("epc", "epc"), ("ra", "ra"), ("sp", "sp"), ("gp", "gp"), ("tp", "tp"), ("t0", "t0"),
        ("t1", "t1"), ("t2", "t2"), ("s0", "s0"), ("s1", "s1"), ("a0", "a0"), ("a1", "a1"),
        ("a2", "a2"), ("a3", "a3"), ("a4", "a4"), ("a5", "a5"), ("a6", "a6"), ("a7", "a7"),
        ("s2", "s2"), ("s3", "s3"), ("s4", "s4"), ("s5", "s5"), ("s6", "s6"), ("s7", "s7"),
        ("s8", "s8"), ("s9", "s9"), ("s10", "s10"), ("s11", "s11"), ("t3", "t3"), ("t4", "t4"),
        ("t5", "t5"), ("t6", "t6"),
    ],
    system: &[
        ("ssp", "ssp"), ("status", "status"), ("badaddr", "badaddr"), ("cause", "cause"),
    ],
    digits: &[8, 16],
    heads: &[
        "epc ra", "gp tp", "t1 t2", "s1 a0", "a2 a3", "a5 a6", "s2 s3", "s5 s6", "s8 s9", "s11 t3",
        "t5 t6", "status badaddr",
    ],
    is_user: |_| false,
    // The exception codes of the privileged architecture: misaligned, access and page faults.
    fault: |register| match register("cause")? {
        0x0 | 0x1 | 0xc => Some(Fault::Execute),
        0x4 | 0x5 | 0xd => Some(Fault::Read),
        0x6 | 0x7 | 0xf => Some(Fault::Write),
        _ => None,
    },
    layouts: &[Layout::only(&[(0x0000_0000_0000_0000, 0x0000_003f_ffff_ffff, Area::User)])],
    shadow: None,
    calls: Some(Calls {
        result: "a0",
        saved: &["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "sp"],
    }),
    exact_to: 1,
    tag: 0,
    syscalls: &[
        Prefix { text: "__riscv_", titles: false, signatures: true },
    ],
    entries: &[
        "__riscv_compat_sys_*",
        "__riscv_sys_*",
        "do_trap_break",
        "do_trap_ecall_*",
        "do_trap_error",
        "do_trap_insn_*",
        "do_trap_load_*",
        "do_trap_store_*",
        "do_trap_unknown",
        "handle_riscv_irq",
        "ret_from_fork_kernel*",
        "ret_from_fork_user*",
        "riscv_intc_*",
    ],
    code: &[(2, Decoder::RiscvHalves), (4, Decoder::RiscvWords)],
};

/// The registers by number, with the names of the calling convention.
#[cfg(any(feature = "disasm", feature = "symbolize"))]
#[rustfmt::skip] // rows
pub(crate) const RISCV: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
    "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
];
