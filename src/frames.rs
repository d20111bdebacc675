//! Which functions of a stack can name a bug.
//!
//! A crash in a function that reports, enters, waits, locks, counts, copies or dispatches on behalf
//! of others is its caller's. [`TABLE`] says which those are, and why.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::title;
use crate::words;

/// What a function in a stack is good for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum FrameClass {
    /// Part of how the kernel noticed or told of it: never names a bug, and says nothing of it.
    Dropped,
    /// Works for whoever calls it: never names a bug, but says something of the way there.
    Generic,
    /// May name a bug.
    Ordinary,
}

macro_rules! reasons {
    ($( $reason:ident: $class:ident, $why:literal, )+) => {
        /// Why a function does not name a bug.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum Reason { $( $reason, )+ }

        impl Reason {
            pub(crate) fn class(self) -> FrameClass {
                match self { $( Self::$reason => FrameClass::$class, )+ }
            }

            pub(crate) fn why(self) -> &'static str {
                match self { $( Self::$reason => $why, )+ }
            }
        }
    };
}

reasons! {
    Trap: Dropped, "brings the processor from the trap to the kernel's handler",
    Reporting: Dropped, "notices, checks or prints",
    Unwinding: Dropped, "walks the stack",
    Stall: Dropped, "looks after CPUs that make no progress",
    Entry: Generic, "enters the kernel, or runs a thread, work or timer",
    Dispatch: Generic, "calls what an object's table of functions says",
    Waiting: Generic, "waits for somebody else",
    Allocator: Generic, "gives and takes memory",
    Copying: Generic, "copies for its caller",
    Counting: Generic, "locks, counts, lists",
    Control: Generic, "sets off what was asked for",
    Convention: Generic, "is skipped by the convention for titles",
}

/// Functions by reason. `^` before a word: the name begins so; `$` behind it: it ends so; neither: a
/// part of it. Of two that fit, the first counts.
#[rustfmt::skip] // words
pub(crate) const TABLE: &[(Reason, &[&str])] = &[
    (Reason::Trap, &[
        "^__die", "^arm_notify_die", "^asm_exc_", "^asm_sysvec_", "^bad_area", "^brk_handler", "^bug_handler",
        "^call_break_hook", "^die", "^do_debug_exception", "^do_invalid_op", "^do_trap", "^do_undefinstr",
        "^do_user_addr_fault", "^do_error_trap", "^el0_da", "^el1_", "^el1h_", "^exc_", "^handle_bug",
        "^handle_invalid_op", "^kernel_stack_overflow", "^no_context", "^page_fault", "^stack_overflow",
        "^fixup_bug$", "^invalid_op$", "^fixup_exception$", "^oops_", "^do_page_fault$", "^__do_page_fault$",
        "^general_protection$", "^do_general_protection$", "^divide_error$", "^__bad_area", "^do_PrefetchAbort$",
        "^do_DataAbort$", "^__dabt_svc$", "^__und_svc$", "^do_sea$", "^do_alignment_fault$", "^bug_get_file_line$",
        "^error_entry$", "^error_code$", "^handle_page_fault$", "^kernelmode_fixup_or_oops$", "^page_fault_oops$",
        "^program_check", "^do_mem_abort$", "^do_translation_fault$", "^el1_abort$", "^double_fault$", "^do_double_fault$",
    ]),
    (Reason::Reporting, &[
        "kasan", "kmsan", "kcsan", "kfence", "kcov", "^__asan_", "^__msan_", "^__tsan_", "^__hwasan", "^__sanitizer_cov", "^write_comp_data$",
        "^__ubsan", "^ubsan_", "^check_memory_region", "^memory_is_", "^bytes_is_nonzero", "^memory_is_poisoned",
        "^check_region_inline$", "^print_", "^__report", "^report_bug$", "^__warn", "^warn_", "^panic", "^vpanic", "^dump_stack",
        "^__dump_stack", "^check_noncircular", "^__lock_acquire", "^lock_acquire", "^lock_release", "^__lock_release",
        "^check_prev", "^check_deadlock", "^check_irq_usage", "^check_usage", "^check_path",
        "^validate_chain", "^valid_state", "^check_wait_context", "^mark_lock", "^mark_usage", "^mark_held_locks", "^lock_commit",
        "^register_lock_class", "^assign_lock_key", "^look_up_lock_class", "^lockdep_", "^debug_locks_off", "^__lockdep_",
        "^lock_is_held", "^match_held_lock", "^find_held_lock",
        "^__schedule_bug", "^__might_", "^___might_", "^might_", "^check_preemption", "^debug_smp_processor_id",
        "^__this_cpu_preempt_check", "^object_err", "^slab_err", "^slab_bug", "^usercopy_abort", "^__check_heap_object",
        "^__check_object_size", "^check_object_size$", "^check_copy_size$", "^check_heap_object$", "^check_bogus_address$", "^__fortify",
        "^fortify_panic", "^__stack_chk_fail", "^refcount_warn", "^console_", "^vprintk", "^printk", "^_printk", "^devkmsg_emit",
        "^dump_header", "^debug_print_object", "^__debug_", "^debug_", "^__list_add_valid", "^__list_del_entry_valid", "^list_add_valid",
        "^check_bytes_and_report", "^slab_pad_check", "^__create_object", "^create_object", "^__lookup_object", "^lookup_object",
        "^delete_object", "^paint_ptr", "^kmemleak", "^scan_block", "^save_stack$", "^save_trace$", "^set_track", "^stack_depot",
        "^instrument_", "^ref_tracker_", "^rcu_lockdep", "^trace_hardirqs", "^trace_softirqs", "^trace_suspend", "^check_kcov_mode$",
        "^show_stack", "^show_regs", "^dump_backtrace", "^read_word_at_a_time$", "^bad_page", "^check_stack_object$",
        "^usercopy_warn", "^ex_handler", "^check_flush_dependency$", "^slab_fix$", "^exit_to_user_mode",
    ]),
    (Reason::Unwinding, &[
        "^unwind_", "^arch_stack_walk", "^stack_trace_", "^walk_stackframe", "^__save_stack", "^save_stack_trace", "^get_wchan$",
        "^__unwind", "^orc_", "^unwind_next_frame", "^show_trace", "^get_stack_info", "^stack_access_ok$",
    ]),
    (Reason::Stall, &[
        "^watchdog_timer_fn", "^watchdog_overflow", "^watchdog_check", "^rcu_dump_cpu_stacks", "^rcu_check_callbacks", "^rcu_sched_clock_irq", "^print_cpu_stall", "^print_other_cpu_stall",
        "^check_cpu_stall", "^rcu_pending", "^__rcu_pending", "^update_process_times", "^tick_", "^hrtimer_", "^__hrtimer", "^__run_hrtimer", "^nmi_",
        "^arch_trigger", "^trigger_", "^check_hung_", "^rcu_stall", "^apic_timer_interrupt", "^smp_apic_timer_interrupt", "^local_apic_timer",
        "^sysvec_", "^__sysvec_", "^exiting_irq$", "^irq_exit", "^__irq_exit", "^do_IRQ", "^handle_irq", "^gic_", "^generic_handle", "^__handle_domain_irq",
        "^handle_percpu", "^handle_domain_irq", "^arch_timer_handler", "^timer_interrupt", "^generic_exec_single$", "^csd_lock",
        "^smp_call_function_many_cond$", "^sched_tick$", "^scheduler_tick$", "^io_serial_", "^serial8250_console", "^wait_for_lsr",
        "^wait_for_xmitr", "^univ8250_console", "^rcu_gp_", "^call_console_drivers$", "^native_safe_halt", "^acpi_safe_halt$", "^default_idle", "^cpuidle_",
        "^do_idle$", "^cpu_startup_entry$", "^arch_cpu_idle$", "^acpi_idle_", "^call_cpuidle$", "^cpu_idle", "^intel_idle",
        "^native_apic_", "^asm_call_irq", "^asm_call_on", "^__run_on_irqstack$", "^run_on_irqstack", "^rcu_read_unlock_special",
    ]),
    (Reason::Entry, &[
        "^entry_SYSCALL", "^entry_SYSENTER", "^entry_INT80", "^do_syscall", "^x64_sys_call", "^ia32_sys_call", "^do_int80", "^do_fast_syscall", "^__do_fast_syscall",
        "^__invoke_syscall", "^invoke_syscall", "^el0_svc", "^do_el0_svc", "^el0t_", "^el0_", "^ret_from_fork", "^ret_fast_syscall",
        "^kthread$", "^worker_thread$", "^process_one_work$", "^process_scheduled_works$", "^smpboot_thread_fn$", "^run_ksoftirqd$",
        "^task_work_run$", "^exit_task_work$", "^do_exit$", "^do_group_exit$", "^get_signal$", "^do_signal$", "^arch_do_signal", "^do_notify_resume$",
        "^syscall_exit_to_user_mode", "^syscall_return_slowpath$", "^prepare_exit_to_usermode$", "^exit_to_usermode_loop$", "^tracehook_notify_resume$",
        "^handle_signal_work$", "^resume_user_mode_work$", "^__syscall_exit", "^ret_from_", "^system_call", "^sysenter", "^syscall_call$",
        "^__do_softirq", "^do_softirq", "^handle_softirqs", "^invoke_softirq", "^__local_bh_enable_ip$", "^local_bh_enable$", "^asm_call_", "^call_on_stack$", "^__softirqentry",
        "^call_timer_fn$", "^expire_timers$", "^__run_timers", "^run_timer_", "^run_timer_softirq$", "^timer_expire_remote", "^__run_timer_base", "^rcu_do_batch$", "^rcu_core", "^rcu_process_callbacks$", "^__rcu_process_callbacks$",
        "^rcu_reclaim$", "^__rcu_reclaim$", "^start_kernel$", "^rest_init$", "^kernel_init", "^do_one_initcall$", "^do_initcall", "^do_basic_setup$", "^start_secondary$",
        "^secondary_startup", "^x86_64_start", "^cpuhp_thread_fun$", "^cpuhp_invoke_callback", "^do_init_module$", "^load_module$", "^init_module_from_file$",
        "^idempotent_init_module$", "^__sys_", "^ksys_", "^__x64_sys_", "^__ia32_sys_", "^__arm64_sys_", "^__arm64_compat_sys_", "^__riscv_sys_", "^__s390x_sys_", "^__s390_sys_", "^__se_sys_", "^__do_sys_",
        "^___sys_", "^____sys_", "^SyS_", "^SYSC_", "^compat_SyS_", "^compat_SYSC_", "^C_SYSC_", "^__se_compat_sys_", "^__do_compat_sys_", "^__ia32_compat_sys_", "^__x64_compat_sys_",
        "^sys_", "^compat_sys_", "^__pi_", "^__primary_switched$", "^_start", "^sysrq_handle", "^__handle_sysrq", "^flush_smp_call_function", "^generic_smp_call",
        "^__flush_smp_call_function_queue$", "^smp_call_function_single_interrupt$", "^call_function_", "^smp_call_function", "^ipi_handler$", "^do_handle_IPI$", "^handle_IPI$",
        "^call_usermodehelper_exec_async$", "^interrupt_entry$", "^common_interrupt", "^mmput$", "^__mmput$", "^exit_mm$", "^____fput$", "^__fput$", "^syscall_trace_", "^sysret_",
    ]),
    (Reason::Dispatch, &[
        "^vfs_ioctl$", "^do_vfs_ioctl$", "^file_ioctl$", "^vfs_write$", "^__vfs_write$", "^vfs_read$", "^__vfs_read$", "^new_sync_write$", "^new_sync_read$",
        "^call_write_iter$", "^call_read_iter$", "^do_iter_write$", "^do_iter_read$", "^do_iter_readv_writev$", "^do_loop_readv_writev$", "^vfs_writev$",
        "^vfs_readv$", "^do_writev$", "^do_readv$", "^sock_sendmsg", "^__sock_sendmsg", "^sock_recvmsg", "^sock_write_iter$", "^sock_read_iter$", "^sock_ioctl$",
        "^sock_do_ioctl$", "^sock_close$", "^__sock_release$", "^sock_release$", "^netlink_unicast", "^netlink_sendmsg$", "^netlink_rcv_skb$", "^rtnetlink_rcv",
        "^genl_rcv", "^genl_family_rcv", "^nfnetlink_rcv", "^sock_common_setsockopt$", "^sock_common_getsockopt$", "^do_mount$", "^path_mount$", "^do_new_mount$",
        "^vfs_get_tree$", "^vfs_kern_mount$", "^mount_fs$", "^legacy_get_tree$", "^mount_bdev$", "^get_tree_bdev$", "^path_openat$", "^do_filp_open$", "^do_sys_open", "^do_last$",
        "^do_dentry_open$", "^vfs_open$", "^do_open$", "^chrdev_open$", "^driver_probe_device$", "^really_probe$", "^__driver_probe_device$", "^call_driver_probe$", "^__device_attach",
        "^bus_for_each_drv$", "^bus_for_each_dev$", "^bus_probe_device$", "^device_initial_probe$", "^usb_probe_", "^usb_new_device$", "^hub_port_connect", "^hub_event$", "^port_event$", "^usb_set_configuration$", "^usb_generic_driver_probe$",
        "^generic_probe$", "^notifier_call_chain$", "^__raw_notifier", "^raw_notifier", "^blocking_notifier", "^__blocking_notifier", "^atomic_notifier", "^__atomic_notifier", "^call_netdevice_notifiers", "^kref_put$", "^kobject_release$", "^kobject_cleanup$", "^device_release$",
        "^splice_direct_to_actor$", "^do_splice_direct", "^direct_splice_actor$", "^do_splice_from$", "^do_sendfile$", "^vfs_poll$", "^do_select$", "^core_sys_select$",
        "^filp_close$", "^bpf_dispatcher_nop_func$", "^bpf_prog_run", "^NF_HOOK", "^nf_hook", "^net_rx_action$", "^napi_poll$", "^__napi_poll$", "^process_backlog$",
        "^kernel_clone$", "^_do_fork$", "^do_iter_readv_writev_common$", "^security_",
    ]),
    (Reason::Waiting, &[
        "__switch_to", "^schedule$", "^__schedule", "^schedule_", "^io_schedule", "^preempt_schedule", "rwsem", "wait_for_", "wait_on_",
        "wait_event", "io_wait", "context_switch", "synchronize_", "_slowlock", "_slowpath", "down_common", "rcu_barrier", "wait_rcu_gp",
        "^do_wait", "bit_wait", "__wait_", "__cv_", "wake_up_", "default_wake_function", "cv_wait", "rtnl_lock", "^usb_start_wait_urb$", "^blk_mq_freeze_queue_wait$", "^remove_wait_queue$", "^add_wait_queue$", "^kvm_wait$", "percpu_down", "percpu_rwsem",
    ]),
    (Reason::Allocator, &[
        "^free_debug_processing", "^alloc_debug_processing", "^free_to_partial_list", "^___slab_alloc", "^__slab_alloc", "^__slab_free", "^free_consistency_checks",
        "^kfree", "^__kmem_cache", "^do_slab_free", "^vfree", "^debug_check_no_obj_freed", "^free_large_kmalloc", "^free_nonslab_page", "^kvfree", "^__kmalloc", "^kmalloc",
        "^kzalloc", "^__do_kmalloc", "^slab_", "^print_trailer", "^qlink_free$", "^qlist_free_all$", "^cache_alloc", "^__cache_free", "^___cache_free$", "^__cache_alloc", "^kmem_cache", "^__alloc_pages", "^__get_free_pages", "^get_page_from_freelist$", "^prep_new_page$", "^post_alloc_hook$",
        "^rmqueue", "^prepare_alloc_pages$", "^__alloc_skb$", "^alloc_skb", "^kvmalloc", "^__kvmalloc", "^__vmalloc", "^vmalloc", "^vzalloc", "^free_pages", "^__free_pages", "^free_unref", "^free_percpu$", "^pcpu_alloc", "^__kfree_skb$", "^kfree_skb", "^skb_release_", "^skb_free_head$", "^bt_skb_alloc$", "^sock_alloc_send_", "^__netdev_alloc_skb", "^usb_alloc_", "^__ptr_ring_init_queue_alloc$", "^sk_prot_alloc$", "^sk_alloc$", "^new_inode", "^alloc_inode$", "^krealloc", "^memdup", "^kmemdup", "^kstrdup", "^kasprintf$", "^__do_krealloc$", "^poison_slab", "^fs_reclaim_",
    ]),
    (Reason::Copying, &[
        "^clear_user_erms", "^rep_movs", "^copy_user", "^_copy_to", "^_copy_from", "^__arch_copy", "^raw_copy", "^copy_to_user", "^copy_from_user", "^__copy_from_user", "^__copy_to_user",
        "^__clear_user", "^iterate_", "^__get_user", "^__put_user", "^memcpy", "^__memcpy", "^memset", "^__memset", "^memmove", "^__memmove", "^memcmp$", "^copy_page",
    ]),
    (Reason::Counting, &[
        "^__list_", "^list_", "^hlist_", "^__hlist_", "^__refcount", "^refcount_", "^atomic_", "^arch_atomic", "^atomic64_", "^raw_atomic", "^arch_local_irq", "^arch_irqs_", "^arch_local_save_flags$", "^native_save_fl$", "^native_irq",
        "^__read_once_size", "^__write_once_size", "^READ_ONCE", "^rcu_read_", "^__rcu_read", "^rcu_lock_", "^rcu_is_watching$", "^spin_", "^_raw_", "^__raw_", "^do_raw_", "^raw_spin", "^queued_", "^native_queued", "^__pv_queued", "^pv_wait", "^mutex_", "^__mutex",
        "^down_read", "^down_write", "^__down_", "^up_read", "^up_write", "^__up_", "^percpu_", "^__percpu_", "^__preempt", "^preempt_", "^test_bit", "^set_bit", "^clear_bit", "^__set_bit", "^__clear_bit", "^arch_set_bit$", "^arch_clear_bit$", "^arch_test_bit$", "^constant_test_bit$", "^variable_test_bit$", "^_test_bit", "^test_and_", "^xa_", "^xas_", "^__xa_", "^radix_tree_", "^__radix_tree", "^rb_", "^__rb_", "^idr_", "^ida_",
        "^kref_", "^dequeue_", "^seqcount", "^read_seq", "^lock_sock", "^device_lock$", "^inode_lock", "^__sb_start_write$", "^dev_put$", "^dev_hold$", "^netdev_put$", "^put_net_track$", "^sock_put$", "^__sock_put$", "^sock_hold$", "^dev_net$", "^read_pnet$", "^sock_owned_by_me$", "^sock_net$", "^static_key_slow_", "^cpu_max_bits_warn$", "^cpumask_", "^__queue_work$", "^__lock_sock", "^release_sock$", "^local_bh_", "^local_irq", "^trace_", "^__trace_", "^ktime_get", "^fput", "^fdget", "^__fget", "^try_cmpxchg", "^cmpxchg", "^xchg", "^__seqprop", "^put_unaligned", "^get_unaligned", "^__swab", "^__arch_swab", "^__fswab", "^jhash", "^crc32", "^mod_timer", "^__mod_timer", "^del_timer", "^timer_delete", "^add_timer",
    ]),
    (Reason::Control, &["^lkdtm_do_action"]),
];

/// All words of [`TABLE`] in one search, and what each leads to.
struct Search {
    automaton: Option<AhoCorasick>,
    rows: Vec<Row>,
}

#[derive(Clone, Copy)]
struct Row {
    reason: Reason,
    at_start: bool,
    at_end: bool,
}

static SEARCH: LazyLock<Search> = LazyLock::new(|| {
    let mut words = Vec::new();
    let mut rows = Vec::new();
    let own = TABLE
        .iter()
        .flat_map(|(reason, names)| names.iter().map(move |name| (*reason, (*name).to_owned())));
    let convention = title::generic().map(|name| (Reason::Convention, name));
    for (reason, name) in own.chain(convention) {
        let (word, at_start) = name.strip_prefix('^').map_or((&*name, false), |word| (word, true));
        let (word, at_end) = word.strip_suffix('$').map_or((word, false), |word| (word, true));
        words.push(word.to_owned());
        rows.push(Row { reason, at_start, at_end });
    }
    Search { automaton: words::search(words, MatchKind::Standard), rows }
});

/// Why a function, named without what compilers add, does not name a bug, `None` if it may; and
/// whether the convention for titles skips it.
fn look_up(function: &str) -> (Option<Reason>, bool) {
    let search = &*SEARCH;
    let (mut first, mut is_skipped) = (usize::MAX, title::is_generic_by_shape(function));
    for found in
        search.automaton.iter().flat_map(|automaton| automaton.find_overlapping_iter(function))
    {
        let index = found.pattern().as_usize();
        let Some(row) = search.rows.get(index) else { continue };
        let fits =
            (!row.at_start || found.start() == 0) && (!row.at_end || found.end() == function.len());
        if fits {
            first = first.min(index);
            is_skipped |= row.reason == Reason::Convention;
        }
    }
    let reason = search.rows.get(first).map(|row| row.reason);
    (reason.or(is_skipped.then_some(Reason::Convention)), is_skipped)
}

/// Why a function, named without what compilers add, does not name a bug; `None` if it may.
pub(crate) fn reason(function: &str) -> Option<Reason> {
    look_up(function).0
}

/// Whether the convention for titles skips a function.
pub(crate) fn is_skipped(function: &str) -> bool {
    look_up(function).1
}

/// What a function, named without what compilers add, is good for in a stack.
pub(crate) fn class(function: &str) -> FrameClass {
    reason(function).map_or(FrameClass::Ordinary, Reason::class)
}

/// Why functions of this class do not name a bug, for people; `None` if they may.
pub(crate) fn why(function: &str) -> Option<&'static str> {
    reason(function).map(Reason::why)
}

/// What compilers add to a name behind a dot: `.cold`, `.isra.0`, `.constprop.1`, `.part.3`, and
/// clang's `.llvm.123`, `.__uniq.456`, `.cfi`, `.cfi_jt`.
pub(crate) fn base(function: &str) -> &str {
    function.split('.').next().filter(|name| !name.is_empty()).unwrap_or(function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for (_, names) in TABLE {
            for name in *names {
                assert!(seen.insert(name), "`{name}` stands twice");
            }
        }
    }

    #[test]
    fn every_word_is_reached() {
        for name in TABLE.iter().flat_map(|(_, names)| *names) {
            let function = name.trim_start_matches('^').trim_end_matches('$');
            assert!(reason(function).is_some(), "`{name}` is never found");
        }
    }

    #[test]
    fn ok_class() {
        for (name, want) in [
            ("kasan_report", FrameClass::Dropped),
            ("__asan_report_load8_noabort", FrameClass::Dropped),
            ("asm_exc_page_fault", FrameClass::Dropped),
            ("worker_thread", FrameClass::Generic),
            ("my_worker_thread", FrameClass::Ordinary),
            ("vfs_write", FrameClass::Generic),
            ("vfs_write_begin", FrameClass::Ordinary),
            ("mutex_lock", FrameClass::Generic),
            ("batadv_iv_ogm_queue_add", FrameClass::Ordinary),
            ("io_wqe_enqueue", FrameClass::Ordinary),
        ] {
            assert_eq!(class(name), want, "{name}");
        }
    }

    #[test]
    fn ok_base() {
        assert_eq!(base("f.isra.0.cold"), "f");
        assert_eq!(base(".text"), ".text");
    }
}
