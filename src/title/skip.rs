//! Functions that never name a bug.
//!
//! The machinery that reports, locks, counts, copies and frees on behalf of others: a crash there
//! is its caller's. Names are compared as the convention for titles compares them, with parts of
//! names rather than whole ones, because compilers and versions vary the rest.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::words;

#[rustfmt::skip] // words
/// The whole name.
const WHOLE: &[&str] = &[
    "complete", "copyin", "copyout", "down", "get_taint", "ihold", "iput", "iput_final", "kfree",
    "kvfree", "put_device",
];

#[rustfmt::skip] // words
/// How the name begins.
const STARTS: &[&str] = &[
    "__mutex_", "__rb_", "klist_", "kref_", "lock_page", "mutex_", "rb_", "refcount_", "rt_mutex_",
    "unlock_page",
];

#[rustfmt::skip] // words
/// How the name ends.
const ENDS: &[&str] = &[
    "_trap", "readb", "readl", "readq", "readw", "writeb", "writel", "writeq", "writew",
];

#[rustfmt::skip] // words
/// A part of the name.
const PARTS: &[&str] = &[
    "__alloc_frozen_pages_noprof", "__asan", "__cancel_work_timer", "__filemap_get_folio",
    "__fortify_report", "__might_fault", "__might_resched", "__mod_timer", "__msan", "__phys_addr",
    "__queue_delayed_work", "__sanitizer", "__timer_delete_sync", "__unregister_client",
    "__wake_up", "__warn", "_indirect_thunk_", "add_uevent_var", "alloc_page", "allocate_slab",
    "arch_stack_walk", "assertfail", "atomic64_add", "atomic64_and", "atomic64_cmpxchg",
    "atomic64_dec", "atomic64_fetch", "atomic64_inc", "atomic64_or", "atomic64_read",
    "atomic64_set", "atomic64_sub", "atomic64_try", "atomic64_xchg", "atomic64_xor", "atomic_add",
    "atomic_and", "atomic_cmpxchg", "atomic_dec", "atomic_fetch", "atomic_inc", "atomic_or",
    "atomic_read", "atomic_set", "atomic_sub", "atomic_try", "atomic_xchg", "atomic_xor",
    "bh_disable", "bh_enable", "calloc", "cancel_work_sync", "change_bit", "check_heap_object",
    "check_memory_region", "check_object", "cleanup_srcu_struct", "clear_bit", "copy_folio_to_iter",
    "copy_from_iter", "copy_from_user", "copy_page_from_iter", "copy_page_to_iter", "copy_to_iter",
    "copy_to_user", "crc_itu_t", "debug_object", "del_timer", "destroy_workqueue", "dev_alert",
    "dev_crit", "dev_emerg", "dev_err", "dev_info", "dev_notice", "dev_warn", "device_add",
    "device_del", "device_destroy", "device_for_each_child", "device_release", "device_remove_file",
    "device_unregister", "devres_release_all", "do_error", "do_kernel_fault", "do_mem_abort",
    "do_read_cache_folio", "do_translation_fault", "do_trap", "down_read", "down_read_trylock",
    "down_trylock", "down_write", "down_write_trylock", "dput", "drain_workqueue", "drop_nlink",
    "dummy_urb_enqueue", "dump_backtrace", "dump_stack", "el1_abort", "el1h_64_sync",
    "extract_iter_to_sg", "extract_user_to_sg", "fast_dput", "filemap_alloc_folio",
    "find_lock_entries", "find_or_create_page", "finish_wait", "fixup_bug", "flush_work",
    "flush_workqueue", "folio_alloc", "folio_unlock", "get_device_parent", "get_user",
    "grab_cache_page_write_begin", "hex_dump_to_buffer", "hwasan", "hwrng_unregister",
    "i2c_del_adapter", "ida_free", "imbalance_bug", "insert_work", "invalid_op", "kasan",
    "kasprintf", "kcsan_setup_watchpoint", "kfree_skb", "kmem_cache", "kmsan", "kobject_",
    "krealloc", "kthread_stop", "kvasprintf", "list_add", "list_del", "list_move", "list_replace",
    "list_splice", "lock_acquire", "lock_class", "lock_release", "lock_timer_base", "lockdep",
    "lockdep_hardirq", "lockdep_softirq", "logic_in", "logic_out", "malloc", "mark_buffer_dirty",
    "mark_held_locks", "mark_lock", "memchr", "memcmp", "memcpy", "memdup", "memmove", "memset",
    "might_fault", "might_sleep", "osq_lock", "osq_unlock", "owner_on_cpu", "pagecache_get_page",
    "panic", "perf_trace", "pointer", "print_address_description", "print_hex_dump", "print_report",
    "print_tainted", "print_unlock", "print_usage_bug", "printk", "program_check_common",
    "program_check_exception", "put_user", "queue_delayed_work_on", "queue_work", "raw_spin_rq",
    "reacquire_held_locks", "read_cache_page", "read_lock", "read_trylock", "read_unlock",
    "read_word_at_a_time", "ref_tracker", "report_bug", "rhashtable_lookup", "rollback_registered",
    "scnprintf", "seqprop_assert", "set_bit", "show_stack", "sk_stop_timer_sync", "slab_",
    "snprintf", "spin_lock", "spin_trylock", "spin_unlock", "stack_trace_consume_entry",
    "stack_trace_save", "strchr", "strcmp", "strcpy", "strdup", "string", "strlcpy", "strlen",
    "strncmp", "strncpy", "strndup", "strnlen", "strnstr", "strscpy", "strstr", "sysfs_remove",
    "test_bit", "timer_is_static_object", "trace_hardirq", "trace_softirq",
    "truncate_inode_pages_range", "try_to_grab_pending", "tty_unregister_device",
    "unregister_netdev", "up_read", "up_write", "usb_control_msg", "usb_hcd_submit_urb",
    "usb_kill_anchored_urbs", "usb_kill_urb", "usb_submit_urb", "va_format", "wait_for_completion",
    "walk_stack", "warn_alloc", "warn_bogus", "warn_slowpath", "work_is_static_object",
    "write_lock", "write_trylock", "write_unlock", "xas_find", "xas_load", "xas_start", "zalloc",
];

static PART_SEARCH: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| words::search(PARTS, MatchKind::LeftmostFirst));

/// Whether a function is no answer: by the tables, or by the words of a format.
///
/// A word of a format is a part of the name, with `^` before it the beginning, with `$` behind it
/// the end.
pub(super) fn is_skipped(function: &[u8], words: &[&str]) -> bool {
    let starts = |prefix: &str| function.starts_with(prefix.as_bytes());
    WHOLE.iter().any(|name| name.as_bytes() == function)
        || STARTS.iter().any(|prefix| starts(prefix))
        || ENDS.iter().any(|suffix| function.ends_with(suffix.as_bytes()))
        || is_checksum(function)
        || PART_SEARCH.as_ref().is_some_and(|parts| parts.is_match(function))
        || is_unchecked_access(function)
        || words.iter().any(|word| match word.strip_prefix('^') {
            Some(prefix) => starts(prefix),
            None => match word.strip_suffix('$') {
                Some(suffix) => function.ends_with(suffix.as_bytes()),
                None => words::has(function, word),
            },
        })
}

/// The tables in the words of formats: `^` before the beginning of a name, `$` behind its end.
pub(crate) fn generic() -> impl Iterator<Item = String> {
    let whole = WHOLE.iter().map(|name| format!("^{name}$"));
    let starts = STARTS.iter().map(|start| format!("^{start}"));
    let ends = ENDS.iter().map(|end| format!("{end}$"));
    whole.chain(starts).chain(ends).chain(PARTS.iter().map(|part| (*part).to_owned()))
}

/// Whether a function is no answer by what is in no table.
pub(crate) fn is_generic_by_shape(function: &str) -> bool {
    is_checksum(function.as_bytes()) || is_unchecked_access(function.as_bytes())
}

/// `crc32_le` and its like.
fn is_checksum(function: &[u8]) -> bool {
    matches!(function, [b'c', b'r', b'c', digit, ..] if digit.is_ascii_digit())
}

/// `read_once_…nocheck` and `write_once_…nocheck`.
fn is_unchecked_access(function: &[u8]) -> bool {
    ["read_once_", "write_once_"].iter().any(|start| {
        words::find(function, start)
            .and_then(|at| function.get(at + start.len()..))
            .is_some_and(|rest| words::has(rest, b"nocheck"))
    })
}

/// What architectures and compilers put before the name of a syscall.
#[rustfmt::skip] // words
pub(super) const SYSCALL_PREFIXES: &[&str] = &[
    "SYSC_", "SyS_", "sys_", "__x64_", "__ia32_", "__arm64_", "____sys_", "___sys_", "__sys_",
    "__se_", "__se_sys_", "__do_sys_", "compat_SYSC_", "compat_SyS_", "ksys_",
];

/// The shortest name that is left when one of the prefixes is taken off.
pub(super) fn canonical(function: &str) -> &str {
    SYSCALL_PREFIXES
        .iter()
        .filter_map(|prefix| function.strip_prefix(prefix))
        .min_by_key(|name| name.len())
        .unwrap_or(function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        for table in [WHOLE, STARTS, ENDS, PARTS] {
            assert!(table.is_sorted_by(|a, b| a < b), "not sorted or not unique: {table:?}");
        }
    }

    #[test]
    fn ok_is_skipped() {
        let skipped = |name: &str| is_skipped(name.as_bytes(), &["rcu", "^skb_"]);
        for name in [
            "kfree",
            "mutex_lock",
            "ioread_readb",
            "do_kmalloc_node",
            "crc32_le",
            "call_rcu",
            "skb_put",
            "atomic_dec",
            "__read_once_size_nocheck",
            "exc_trap",
        ] {
            assert!(skipped(name), "{name}");
        }
        for name in
            ["kfree_sensitive", "my_mutex", "readb_relaxed", "crc_x", "my_skb_put", "atomic_long"]
        {
            assert!(!skipped(name), "{name}");
        }
    }

    #[test]
    fn ok_canonical() {
        for (name, want) in [
            ("__x64_sys_rmdir", "sys_rmdir"),
            ("__do_sys_bpf", "bpf"),
            ("__se_sys_bpf", "bpf"),
            ("do_sys", "do_sys"),
        ] {
            assert_eq!(canonical(name), want);
        }
    }
}
