//! 32-bit x86: `__show_regs()` in arch/x86/kernel/process_32.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 32,
    // The two low bits of a selector are the privilege level: 0x60 is __KERNEL_CS, 0x73 __USER_CS.
    pointers: &["EIP:", "EIP is at"],
    links: &[],
    general: &[
        ("EAX", "eax"), ("EBX", "ebx"), ("ECX", "ecx"), ("EDX", "edx"), ("ESI", "esi"),
        ("EDI", "edi"), ("EBP", "ebp"), ("ESP", "esp"), ("EFLAGS", "eflags"), ("CR2", "cr2"),
    ],
    system: &[
        ("DS", "ds"), ("ES", "es"), ("FS", "fs"), ("GS", "gs"), ("SS", "ss"), ("CR0", "cr0"),
        ("CR3", "cr3"), ("CR4", "cr4"), ("DR0", "dr0"), ("DR1", "dr1"), ("DR2", "dr2"),
        ("DR3", "dr3"), ("DR6", "dr6"), ("DR7", "dr7"),
    ],
    is_user: |selector| selector & 3 == 3,
    ..ArchInfo::BASE
};
