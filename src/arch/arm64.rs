//! 64-bit ARM: `__show_regs()` in arch/arm64/kernel/process.c.

use super::{ArchInfo, Area, Calls, Decoder, Fault, Layout, Prefix, Shadow};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    pointers: &["pc :", "pc:"],
    beside: &[],
    names_pointer: true,
    links: &["lr :", "lr:"],
    numbered: &[],
    rows: &[],
    general: &[
        ("x0", "x0"), ("x1", "x1"), ("x2", "x2"), ("x3", "x3"), ("x4", "x4"), ("x5", "x5"),
        ("x6", "x6"), ("x7", "x7"), ("x8", "x8"), ("x9", "x9"), ("x10", "x10"), ("x11", "x11"),
        ("x12", "x12"), ("x13", "x13"), ("x14", "x14"), ("x15", "x15"), ("x16", "x16"),
        ("x17", "x17"), ("x18", "x18"), ("x19", "x19"), ("x20", "x20"), ("x21", "x21"),
        ("x22", "x22"), ("x23", "x23"), ("x24", "x24"), ("x25", "x25"), ("x26", "x26"),
        ("x27", "x27"), ("x28", "x28"), ("x29", "x29"), ("x30", "x30"), ("sp", "sp"), ("lr", "lr"),
        ("pc", "pc"), ("pstate", "pstate"),
    ],
    system: &[
        ("pmr_save", "pmr_save"), ("ESR", "esr"), ("FAR", "far"),
    ],
    digits: &[8, 16],
    heads: &[
        "x29 x28", "x27 x26", "x26 x25", "x25 x24", "x23 x22", "x21 x20", "x20 x19", "x19 x18",
        "x17 x16", "x15 x14", "x14 x13", "x13 x12", "x11 x10", "x9 x8", "x8 x7", "x7 x6", "x5 x4",
        "x3 x2", "x2 x1", "x1 x0", "pc lr", "lr pstate", "sp pstate", "pstate", "pmr_save",
    ],
    is_user: |_| false,
    fault: |register| Fault::of_syndrome(register("esr")?),
    // Documentation/arm64/memory.rst, for 48-bit addresses.
    layouts: &[Layout::only(&[
        (0x0000_0000_0000_0000, 0x0000_ffff_ffff_ffff, Area::User),
        (0x0001_0000_0000_0000, 0xfffe_ffff_ffff_ffff, Area::NonCanonical),
        (0xffff_0000_0000_0000, 0xffff_7fff_ffff_ffff, Area::Linear),
        (0xffff_8000_0000_0000, 0xffff_8000_07ff_ffff, Area::Module),
        (0xffff_8000_0800_0000, 0xffff_fbff_ffff_ffff, Area::Vmalloc),
    ])],
    shadow: Some(Shadow {
        offset: 0xdfff_8000_0000_0000,
        // Without KASAN the linear map is at these addresses.
        own: 0..0,
    }),
    calls: Some(Calls {
        result: "x0",
        saved: &[
            "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "sp",
        ],
    }),
    exact_to: 1,
    // The CPU ignores the top byte, and `untagged_addr()` clears it before the address is printed.
    tag: 0xff00_0000_0000_0000,
    syscalls: &[
        Prefix { text: "__arm64_", titles: true, signatures: true },
    ],
    entries: &[
        "__arm64_compat_sys_*",
        "__arm64_sys_*",
        "__invoke_syscall",
        "__primary_switched",
        "do_el0_irq_bp_hardening",
        "do_el0_svc*",
        "do_el1_*",
        "el0_*",
        "el0t_*",
        "el1_*",
        "el1h_*",
        "el1t_*",
        "invoke_syscall",
    ],
    code: &[(4, Decoder::A64)],
};
