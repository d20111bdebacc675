//! OpenRISC: `show_registers()` in arch/openrisc/kernel/traps.c.

use super::{ArchInfo, Area, Decoder, Layout};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 32,
    pointers: &["PC:"],
    beside: &["SR:", "SP:"],
    names_pointer: false,
    links: &[],
    numbered: &[],
    rows: &[],
    // Each with its own tag, four on a line; r9 is the link register.
    general: &[
        ("GPR00", "r0"), ("GPR01", "r1"), ("GPR02", "r2"), ("GPR03", "r3"),
        ("GPR04", "r4"), ("GPR05", "r5"), ("GPR06", "r6"), ("GPR07", "r7"),
        ("GPR08", "r8"), ("GPR09", "r9"), ("GPR10", "r10"), ("GPR11", "r11"),
        ("GPR12", "r12"), ("GPR13", "r13"), ("GPR14", "r14"), ("GPR15", "r15"),
        ("GPR16", "r16"), ("GPR17", "r17"), ("GPR18", "r18"), ("GPR19", "r19"),
        ("GPR20", "r20"), ("GPR21", "r21"), ("GPR22", "r22"), ("GPR23", "r23"),
        ("GPR24", "r24"), ("GPR25", "r25"), ("GPR26", "r26"), ("GPR27", "r27"),
        ("GPR28", "r28"), ("GPR29", "r29"), ("GPR30", "r30"), ("GPR31", "r31"),
    ],
    system: &[
        ("PC", "pc"), ("SR", "sr"), ("SP", "sp"), ("RES", "res"), ("oGPR11", "orig_r11"),
    ],
    digits: &[8],
    heads: &[
        "GPR00 GPR01", "GPR04 GPR05", "GPR08 GPR09", "GPR12 GPR13", "GPR16 GPR17", "GPR20 GPR21",
        "GPR24 GPR25", "GPR28 GPR29", "RES oGPR11",
    ],
    is_user: |_| false,
    fault: |_| None,
    // TASK_SIZE in asm/processor.h, VMALLOC_START in asm/pgtable.h, PAGE_OFFSET in asm/page.h.
    layouts: &[Layout::only(&[
        (0x0000_0000, 0x7fff_ffff, Area::User),
        (0xbc00_0000, 0xbfff_ffff, Area::Vmalloc),
        (0xc000_0000, 0xffff_efff, Area::Linear),
    ])],
    shadow: None,
    calls: None,
    exact_to: 1,
    tag: 0,
    syscalls: &[],
    entries: &[
        "_data_page_fault_handler",
        "_dtlb_miss_page_fault_handler",
        "_external_irq_handler",
        "_insn_page_fault_handler",
        "_resume_userspace",
        "_sys_call_handler",
        "_syscall_call",
        "_syscall_check*",
        "_syscall_return",
        "_tng_kernel_start",
    ],
    // `Code: ` and then one word on each line, after its address: print_data().
    code: &[(4, Decoder::None)],
};
