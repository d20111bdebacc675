//! Which function of a stall or a hang names it.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::words;

/// Entries into the kernel, and dispatchers within it: the whole name.
#[rustfmt::skip] // words
const ENTRIES: &[&str] = &[
    "accept", "kthread", "listen", "page_fault", "setsockopt",
];

/// The same: how the name begins.
#[rustfmt::skip] // words
const ENTRY_STARTS: &[&str] = &[
    "__sock_release", "call_mmap", "call_read_iter", "call_write_iter", "compat_sock_ioctl",
    "netlink_dump", "nfnetlink_rcv_msg", "rtnetlink_rcv_msg", "sock_do_ioctl", "sock_ioctl",
    "sock_mmap", "sock_recvmsg", "sock_release", "sock_sendmsg",
];

/// The same: a part of the name.
#[rustfmt::skip] // words
const ENTRY_PARTS: &[&str] = &[
    "__do_fault", "__fput", "_run_timers", "blkdev_driver_ioctl", "blkdev_ioctl", "call_read_iter",
    "call_timer_fn", "call_write_iter", "compat_ioctl", "compat_sys_ioctl", "cpu_startup_entry",
    "do_dentry_open", "do_fast_syscall_", "do_iter_read", "do_iter_readv_writev", "do_iter_write",
    "do_mmap", "do_page_fault", "do_softirq", "do_syscall_", "el0_svc_handler", "exit_to_usermode",
    "hrtimer_run", "invoke_syscall", "kernel_accept", "kernel_listen", "kernel_setsockopt",
    "ksys_ioctl", "mmap_region", "netif_receive_skb", "new_sync_read", "new_sync_write",
    "process_one_work", "ret_fast_syscall", "ret_from_fork", "run_ksoftirqd", "run_timer_softirq",
    "sk_common_release", "smp_call_function", "smpboot_thread_fn", "sock_common_setsockopt",
    "start_secondary", "sysenter_dispatch", "task_work_run", "tasklet_action", "tasklet_hi_action",
    "tracesys_phase2", "vfs_ioctl", "vfs_iter_read", "vfs_iter_write", "vfs_open", "vfs_read",
    "vfs_write",
];

static ENTRY_SEARCH: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| words::search(ENTRY_PARTS, MatchKind::LeftmostFirst));

/// Functions that wait, or switch to another task: a part of the name.
#[rustfmt::skip] // words
const WAITING: &[&str] = &[
    "__switch_to", "_lock", "_slowlock", "cancel_delayed_work", "completion", "context_switch", "down",
    "kthread", "rcu_barrier", "rwsem", "sched", "synchronize", "wait",
];

/// Functions that wait for all readers, whose many names are one to a reader of titles.
#[rustfmt::skip] // words
const SYNCHRONIZE: &[&str] = &[
    "synchronize_net", "synchronize_rcu", "synchronize_sched", "synchronize_srcu",
];

fn has_any(function: &str, words: &[&str]) -> bool {
    words.iter().any(|word| function.contains(word))
}

fn is_entry(function: &str) -> bool {
    let call = function.strip_prefix("sys_").unwrap_or(function);
    ENTRIES.contains(&function)
        || ENTRY_STARTS.iter().any(|start| function.starts_with(start))
        || ["socketpair", "connect", "ioctl"].iter().any(|name| call.starts_with(name))
        || ENTRY_SEARCH.as_ref().is_some_and(|parts| parts.is_match(function))
}

/// A choice: the index of a function, and its name in the title if that is another.
pub(super) type Chosen = (usize, Option<&'static str>);

/// The function below the first entry: what was asked of the kernel, however deep it was in it.
pub(super) fn stalled(functions: &[&str]) -> Option<Chosen> {
    let entry = functions.iter().position(|function| is_entry(function))?;
    if functions.get(entry)?.contains("smp_call_function") {
        return Some((entry, Some("smp_call_function")));
    }
    Some((entry.saturating_sub(1), None))
}

/// The first function that does not only wait.
pub(super) fn hung(functions: &[&str]) -> Option<Chosen> {
    for (index, function) in functions.iter().enumerate() {
        if function.contains("rtnl_lock") {
            return Some((index, None));
        }
        if has_any(function, SYNCHRONIZE) {
            return Some((index, Some("synchronize_rcu")));
        }
    }
    functions.iter().position(|function| !has_any(function, WAITING)).map(|index| (index, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(choice: fn(&[&str]) -> Option<Chosen>, functions: &str) -> Option<String> {
        let functions: Vec<_> = functions.split(' ').collect();
        choice(&functions).map(|(index, name)| name.unwrap_or(functions[index]).to_owned())
    }

    #[test]
    fn ok_stalled() {
        let p = |functions| name(stalled, functions);
        assert_eq!(p("foo bar vfs_write ksys_write").as_deref(), Some("bar"));
        assert_eq!(p("vfs_write").as_deref(), Some("vfs_write"));
        assert_eq!(p("foo smp_call_function_many x").as_deref(), Some("smp_call_function"));
        assert_eq!(p("foo bar"), None);
    }

    #[test]
    fn ok_hung() {
        let p = |functions| name(hung, functions);
        assert_eq!(p("__schedule schedule foo bar").as_deref(), Some("foo"));
        assert_eq!(p("schedule rtnl_lock foo").as_deref(), Some("rtnl_lock"));
        assert_eq!(p("schedule synchronize_srcu_x foo").as_deref(), Some("synchronize_rcu"));
        assert_eq!(p("schedule wait_event"), None);
    }
}
