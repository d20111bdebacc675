//! Crashes that come in bisections of many bugs.

/// Titles, and in bisections of how many other bugs each decided a step.
///
/// Made by `examples/fit_doubts.rs --flakes`.
#[rustfmt::skip] // rows
const FLAKES: &[(&str, u32)] = &[
    ("BUG: MAX_STACK_TRACE_ENTRIES too low!", 4),
    ("BUG: sleeping function called from invalid context in lock_sock_nested", 8),
    ("BUG: sleeping function called from invalid context in sta_info_move_state", 5),
    ("BUG: sleeping function called from invalid context in tap_get_minor", 16),
    ("KASAN: use-after-free Read in __d_alloc", 4),
    ("KASAN: use-after-free Read in batadv_iv_ogm_queue_add", 4),
    ("SYZFAIL: wrong response packet", 4),
    ("SYZFATAL: executor failed NUM times: executor NUM: failed to write control pipe: write |NUM: broken pipe", 4),
    ("WARNING in __nf_unregister_net_hook", 6),
    ("WARNING in corrupted", 4),
    ("WARNING in kvm_wait", 17),
    ("WARNING in nf_unregister_net_hook", 11),
    ("WARNING in sysfs_warn_dup", 9),
    ("WARNING: ODEBUG bug in netdev_freemem", 6),
    ("WARNING: ODEBUG bug in netdev_run_todo", 8),
    ("general protection fault in batadv_iv_ogm_queue_add", 15),
    ("general protection fault in send_hsr_supervision_frame", 6),
    ("unregister_netdevice: waiting for DEV to become free", 5),
];

/// In bisections of how many other bugs a crash was seen, if it is known for that.
pub(super) fn bugs(title: &str) -> Option<u32> {
    let at = FLAKES.binary_search_by_key(&title, |(title, _)| title).ok()?;
    FLAKES.get(at).map(|(_, bugs)| *bugs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flakes_are_in_order() {
        assert!(FLAKES.is_sorted());
        assert!(bugs("WARNING in io_wqe_enqueue").is_none());
    }
}
