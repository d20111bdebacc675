//! 64-bit SPARC: `show_regs()` in arch/sparc/kernel/process_64.c.

use super::{ArchInfo, Decoder};

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    pointers: &["TPC:"],
    beside: &[],
    names_pointer: true,
    links: &["RPC:"],
    numbered: &[],
    rows: &[],
    general: &[
        ("g0", "g0"), ("g1", "g1"), ("g2", "g2"), ("g3", "g3"), ("g4", "g4"), ("g5", "g5"),
        ("g6", "g6"), ("g7", "g7"), ("i0", "i0"), ("i1", "i1"), ("i2", "i2"), ("i3", "i3"),
        ("i4", "i4"), ("i5", "i5"), ("i6", "i6"), ("i7", "i7"), ("l0", "l0"), ("l1", "l1"),
        ("l2", "l2"), ("l3", "l3"), ("l4", "l4"), ("l5", "l5"), ("l6", "l6"), ("l7", "l7"),
        ("o0", "o0"), ("o1", "o1"), ("o2", "o2"), ("o3", "o3"), ("o4", "o4"), ("o5", "o5"),
        ("o6", "o6"), ("o7", "o7"), ("sp", "sp"), ("ret_pc", "ret_pc"),
    ],
    system: &[
        ("TSTATE", "tstate"), ("TNPC", "tnpc"),
    ],
    digits: &[16],
    heads: &["TSTATE TPC", "g0 g1", "g4 g5", "o0 o1", "o4 o5", "l0 l1", "l4 l5", "i0 i1", "i4 i5"],
    is_user: |_| false,
    fault: |_| None,
    layouts: &[],
    shadow: None,
    calls: None,
    exact_to: 1,
    tag: 0,
    syscalls: &[],
    entries: &[
        "linux_sparc_syscall32",
        "rtrap_nmi",
        "sparc64_realfault_common",
        "start_early_boot",
        "sun4v_dtsb_miss",
        "tlb_fixup_done",
    ],
    code: &[(4, Decoder::None)],
};
