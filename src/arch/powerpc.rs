//! PowerPC, 32-bit and 64-bit: `__show_regs()` in arch/powerpc/kernel/process.c.

use super::{ArchInfo, Area, Calls, Decoder, Layout, Prefix};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    pointers: &["NIP ", "pc: "],
    beside: &[],
    names_pointer: true,
    links: &["LR ", "lr: "],
    numbered: &[
        "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13",
        "r14", "r15", "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25",
        "r26", "r27", "r28", "r29", "r30", "r31",
    ],
    // Four in a row on 64-bit machines, eight on 32-bit ones.
    rows: &[
        ("GPR00:", 0), ("GPR04:", 4), ("GPR08:", 8), ("GPR12:", 12), ("GPR16:", 16),
        ("GPR20:", 20), ("GPR24:", 24), ("GPR28:", 28),
    ],
    general: &[
        ("NIP", "nip"), ("LR", "lr"), ("CTR", "ctr"),
    ],
    system: &[
        ("MSR", "msr"), ("CR", "cr"), ("XER", "xer"), ("CFAR", "cfar"), ("DAR", "dar"),
        ("DEAR", "dear"), ("DSISR", "dsisr"), ("IRQMASK", "irqmask"),
        // The debugger: excprint() in arch/powerpc/xmon/xmon.c.
        ("msr", "msr"), ("dar", "dar"), ("dsisr", "dsisr"),
    ],
    digits: &[8, 16],
    heads: &["NIP LR", "MSR CR", "CFAR DAR", "CFAR DEAR", "CFAR IRQMASK", "DAR DSISR", "DEAR ESR", "msr",
        "dar", "dsisr",
    ],
    is_user: |_| false,
    fault: |_| None,
    layouts: &[Layout::only(&[
        (0x0000_0000_0000_0000, 0x000f_ffff_ffff_ffff, Area::User),
        (0xc000_0000_0000_0000, 0xc007_ffff_ffff_ffff, Area::Linear),
        (0xc008_0000_0000_0000, 0xc00a_ffff_ffff_ffff, Area::Vmalloc),
    ])],
    shadow: None,
    calls: Some(Calls {
        result: "r3",
        saved: &[
            "r1", "r2", "r13", "r14", "r15", "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23",
            "r24", "r25", "r26", "r27", "r28", "r29", "r30", "r31",
        ],
    }),
    exact_to: 1,
    tag: 0,
    syscalls: &[
        Prefix { text: "__powerpc_", titles: false, signatures: true },
    ],
    entries: &[
        ".kthread",
        ".ret_from_except",
        ".ret_from_kernel_thread",
        ".start_kernel",
        ".system_call_exception",
        "DataAccess_virt",
        "InstructionAccess_virt",
        "data_access_common*",
        "data_access_slb_common*",
        "decrementer_common*",
        "doorbell_super_common*",
        "hardware_interrupt_common*",
        "instruction_access_common*",
        "interrupt_return_srr_*",
        "program_check_common*",
        "ret_from_except_full",
        "ret_from_except_lite",
        "ret_from_kernel_user_thread",
        "start_here_common",
        "start_kernel_thread",
        "start_secondary_prolog",
        "start_secondary_resume",
        "system_call_common*",
        "system_call_exception",
        "system_call_vectored_*",
    ],
    code: &[(4, Decoder::Powerpc)],
};
