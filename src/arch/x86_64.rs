//! 64-bit x86: `__show_regs()` in arch/x86/kernel/process_64.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    // `IP:` stood above the dump of a page fault before Linux 4.20: show_fault_oops().
    pointers: &["RIP:", "IP:"],
    links: &[],
    general: &[
        ("RAX", "rax"), ("RBX", "rbx"), ("RCX", "rcx"), ("RDX", "rdx"),
        ("RSI", "rsi"), ("RDI", "rdi"), ("RBP", "rbp"), ("RSP", "rsp"),
        ("R08", "r8"), ("R09", "r9"), ("R10", "r10"), ("R11", "r11"),
        ("R12", "r12"), ("R13", "r13"), ("R14", "r14"), ("R15", "r15"),
        ("EFLAGS", "eflags"), ("CR2", "cr2"),
    ],
    system: &[
        ("ORIG_RAX", "orig_rax"),
        ("FS", "fs_base"), ("GS", "gs_base"), ("knlGS", "kernel_gs_base"),
        ("CS", "cs"), ("DS", "ds"), ("ES", "es"),
        ("CR0", "cr0"), ("CR3", "cr3"), ("CR4", "cr4"),
        ("DR0", "dr0"), ("DR1", "dr1"), ("DR2", "dr2"), ("DR3", "dr3"),
        ("DR6", "dr6"), ("DR7", "dr7"), ("PKRU", "pkru"),
    ],
    // The two low bits of a selector are the privilege level: 0x10 is __KERNEL_CS, 0x33 __USER_CS.
    is_user: |selector| selector & 3 == 3,
    ..ArchInfo::BASE
};
