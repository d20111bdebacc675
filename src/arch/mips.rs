//! MIPS, 32-bit and 64-bit: `__show_regs()` in arch/mips/kernel/traps.c.

use super::ArchInfo;

#[rustfmt::skip] // rows
pub(super) const INFO: ArchInfo = ArchInfo {
    pointers: &["epc   :"],
    links: &["ra    :"],
    // The names of registers differ between the two ABIs; $26 and $27 are not printed.
    numbered: &[
        "$0", "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13",
        "$14", "$15", "$16", "$17", "$18", "$19", "$20", "$21", "$22", "$23", "$24", "$25",
        "$26", "$27", "$28", "$29", "$30", "$31",
    ],
    rows: &[
        ("$ 0   :", 0), ("$ 4   :", 4), ("$ 8   :", 8), ("$12   :", 12), ("$16   :", 16),
        ("$20   :", 20), ("$24   :", 24), ("$28   :", 28),
    ],
    general: &[
        ("Hi", "hi"), ("Lo", "lo"),
    ],
    system: &[
        ("Status", "status"), ("Cause", "cause"), ("BadVA", "badva"), ("PrId", "prid"),
    ],
    ..ArchInfo::BASE
};
