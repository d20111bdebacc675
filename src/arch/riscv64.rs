//! 64-bit RISC-V: `__show_regs()` in arch/riscv/kernel/process.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    pointers: &["epc :", "epc:"],
    links: &["ra :"],
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
    ..ArchInfo::BASE
};

/// The registers in the order of their numbers, by the names that the calling convention gives them.
#[cfg(any(feature = "disasm-riscv", feature = "symbolize"))]
#[rustfmt::skip] // rows
pub(crate) const RISCV: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
    "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
];
