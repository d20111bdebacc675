//! 32-bit ARM: `__show_regs()` in arch/arm/kernel/process.c.

use super::{ArchInfo, Area, Calls, Decoder, Layout};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 32,
    pointers: &["PC is at"],
    beside: &[],
    names_pointer: true,
    links: &["LR is at"],
    numbered: &[],
    rows: &[],
    general: &[
        ("r0", "r0"), ("r1", "r1"), ("r2", "r2"), ("r3", "r3"), ("r4", "r4"), ("r5", "r5"),
        ("r6", "r6"), ("r7", "r7"), ("r8", "r8"), ("r9", "r9"), ("r10", "r10"), ("fp", "fp"),
        ("ip", "ip"), ("sp", "sp"), ("lr", "lr"), ("pc", "pc"), ("psr", "psr"),
    ],
    system: &[
        ("Control", "control"), ("Table", "table"), ("DAC", "dac"),
    ],
    digits: &[8],
    heads: &["pc lr", "lr psr", "sp ip", "r10 r9", "r7 r6", "r3 r2", "Control Table"],
    is_user: |_| false,
    fault: |_| None,
    // Documentation/arm/memory.rst.
    layouts: &[Layout::only(&[
        (0x0000_0000, 0xbeff_ffff, Area::User),
        (0xbf00_0000, 0xbfff_ffff, Area::Module),
        (0xc000_0000, 0xefff_ffff, Area::Linear),
    ])],
    shadow: None,
    calls: Some(Calls {
        result: "r0",
        saved: &["r4", "r5", "r6", "r7", "r8", "r9", "r10", "fp", "sp"],
    }),
    exact_to: 1,
    tag: 0,
    syscalls: &[],
    entries: &[
        "__dabt_svc",
        "__dabt_usr",
        "__fiq_svc",
        "__irq_svc",
        "__irq_usr",
        "__pabt_svc",
        "__pabt_usr",
        "__sys_trace_return",
        "__und_svc*",
        "__und_usr*",
        "do_DataAbort",
        "do_PrefetchAbort",
        "ret_fast_syscall",
        "vector_swi",
    ],
    code: &[(2, Decoder::T32), (4, Decoder::A32)],
};
