//! 32-bit x86: `__show_regs()` in arch/x86/kernel/process_32.c.

use super::{ArchInfo, Area, Calls, Decoder, Layout, Prefix};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 32,
    pointers: &["EIP:", "EIP is at"],
    beside: &[],
    names_pointer: true,
    links: &[],
    numbered: &[],
    rows: &[],
    general: &[
        ("EAX", "eax"), ("EBX", "ebx"), ("ECX", "ecx"), ("EDX", "edx"), ("ESI", "esi"),
        ("EDI", "edi"), ("EBP", "ebp"), ("ESP", "esp"), ("EFLAGS", "eflags"), ("CR2", "cr2"),
    ],
    system: &[
        ("DS", "ds"), ("ES", "es"), ("FS", "fs"), ("GS", "gs"), ("SS", "ss"), ("CR0", "cr0"),
        ("CR3", "cr3"), ("CR4", "cr4"), ("DR0", "dr0"), ("DR1", "dr1"), ("DR2", "dr2"),
        ("DR3", "dr3"), ("DR6", "dr6"), ("DR7", "dr7"),
    ],
    digits: &[8],
    heads: &["EAX EBX", "ESI EDI", "DS ES", "CR0 CR2", "DR0 DR1", "DR6 DR7"],
    // The two low bits of a selector are the privilege level: 0x60 is __KERNEL_CS, 0x73 __USER_CS.
    is_user: |selector| selector & 3 == 3,
    fault: |_| None,
    layouts: &[Layout::only(&[
        (0x0000_0000, 0xbfff_ffff, Area::User),
        (0xc000_0000, 0xf7ff_ffff, Area::Linear),
    ])],
    shadow: None,
    calls: Some(Calls { result: "eax", saved: &["ebx", "ebp", "esp", "esi", "edi"] }),
    exact_to: 1,
    tag: 0,
    syscalls: &[
        Prefix { text: "__ia32_", titles: true, signatures: true },
    ],
    entries: &[
        "entry_INT80_32",
        "entry_SYSENTER_32",
        "i386_start_kernel",
        "startup_32_smp",
        "sysenter_past_esp",
    ],
    code: &[(1, Decoder::X86(32))],
};
