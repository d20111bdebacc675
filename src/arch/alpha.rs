//! Alpha: `dik_show_regs()` in arch/alpha/kernel/traps.c.

use super::ArchInfo;

pub(super) const INFO: ArchInfo = ArchInfo {
    bits: 64,
    pointers: &["pc is at"],
    links: &["ra is at"],
    general: &[],
    system: &[],
    is_user: |_| false,
};
