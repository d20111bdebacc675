//! 64-bit x86: `__show_regs()` in arch/x86/kernel/process_64.c.

use super::{ArchInfo, Area, Calls, Decoder, Layout, Prefix, Shadow};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    // `IP:` was printed above the dump of a page fault before Linux 4.20: show_fault_oops().
    pointers: &["RIP:", "IP:"],
    beside: &[],
    names_pointer: true,
    links: &[],
    numbered: &[],
    rows: &[],
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
    digits: &[16],
    heads: &[
        "RSP EFLAGS", "RAX RBX", "RDX RSI", "RBP R08", "R10 R11", "R13 R14", "FS GS", "CS DS",
        "CR2 CR3", "DR0 DR1", "DR3 DR6", "PKRU",
    ],
    // The two low bits of a selector are the privilege level: 0x10 is __KERNEL_CS, 0x33 __USER_CS.
    is_user: |selector| selector & 3 == 3,
    fault: |_| None,
    // Documentation/x86/x86_64/mm.rst. KASLR moves the bounds between the linear map and vmalloc
    // (`kernel_randomize_memory()`), so those two are only likely.
    layouts: &[
        // Five levels of page tables: CR4.LA57 is set, or the stack is at an address that four
        // levels do not have.
        Layout {
            is_used: |value| match value("cr4") {
                Some(cr4) => cr4 & 1 << 12 != 0,
                None => value("rsp").is_some_and(|at| (0xff00 << 48..0xffff_8000 << 32).contains(&at)),
            },
            ranges: &[
                (0x0000_0000_0000_0000, 0x00ff_ffff_ffff_ffff, Area::User),
                (0x0100_0000_0000_0000, 0xfeff_ffff_ffff_ffff, Area::NonCanonical),
                (0xff11_0000_0000_0000, 0xff90_ffff_ffff_ffff, Area::Linear),
                (0xff91_0000_0000_0000, 0xffd1_ffff_ffff_ffff, Area::Vmalloc),
                (0xffff_ffff_8000_0000, 0xffff_ffff_bfff_ffff, Area::Text),
                (0xffff_ffff_c000_0000, 0xffff_ffff_feff_ffff, Area::Module),
            ],
        },
        Layout::only(&[
        (0x0000_0000_0000_0000, 0x0000_7fff_ffff_ffff, Area::User),
        (0x0000_8000_0000_0000, 0xffff_7fff_ffff_ffff, Area::NonCanonical),
        (0xffff_8880_0000_0000, 0xffff_c87f_ffff_ffff, Area::Linear),
        (0xffff_c900_0000_0000, 0xffff_e8ff_ffff_ffff, Area::Vmalloc),
        (0xffff_ffff_8000_0000, 0xffff_ffff_bfff_ffff, Area::Text),
        (0xffff_ffff_c000_0000, 0xffff_ffff_feff_ffff, Area::Module),
    ]),
    ],
    shadow: Some(Shadow {
        offset: 0xdfff_fc00_0000_0000,
        own: 0xffff_ec00_0000_0000..0xffff_fc00_0000_0000,
    }),
    calls: Some(Calls { result: "rax", saved: &["rbx", "rbp", "rsp", "r12", "r13", "r14", "r15"] }),
    exact_to: 1,
    tag: 0,
    syscalls: &[
        Prefix { text: "__ia32_", titles: true, signatures: true },
        Prefix { text: "__x64_", titles: true, signatures: true },
    ],
    entries: &[
        "__x64_sys_*",
        "asm_exc_alignment_check",
        "asm_exc_bounds",
        "asm_exc_debug",
        "asm_exc_device_not_available",
        "asm_exc_divide_error",
        "asm_exc_general_protection",
        "asm_exc_int3",
        "asm_exc_invalid_op",
        "asm_exc_overflow",
        "asm_exc_page_fault",
        "asm_exc_segment_not_present",
        "asm_exc_stack_segment",
        "asm_sysvec_*",
        "do_syscall_64",
        "do_syscall_x64",
        "entry_INT80_compat",
        "entry_SYSCALL64_slow_path",
        "entry_SYSCALL_64*",
        "entry_SYSCALL_compat*",
        "entry_SYSENTER_compat*",
        "ia32_cstar_target",
        "ia32_sysenter_target",
        "int_ret_from_sys_call",
        "ret_from_fork_nospec_begin",
        "ret_from_fork_nospec_end",
        "secondary_startup_64*",
        "sysenter_dispatch",
        "system_call_after_swapgs",
        "system_call_fastpath",
        "x64_sys_call",
        "x86_64_start_*",
    ],
    code: &[(1, Decoder::X86(64))],
};
