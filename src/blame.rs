//! The function that most likely holds the bug.
//!
//! A judgement of our own over the model, free of the conventions of titles. It follows the stack
//! from where the kernel noticed to the first function that works for itself: what reports, checks,
//! copies, counts or locks does so for its caller.

use std::borrow::Cow;

use crate::kind::Kind;
use crate::model::{AccessKind, Blame, Context, Frame, Report, Role, Stack};
use crate::title;

/// How often a function must be in a stack that overflowed to be its cause.
const RECURSION: usize = 3;

/// Functions that wait for somebody else: a part of the name.
#[rustfmt::skip] // words
const WAITING: &[&str] = &[
    "__switch_to", "schedule", "rwsem", "wait_for_", "wait_on_", "wait_event", "io_wait", "context_switch",
    "synchronize_", "_slowlock", "_slowpath", "down_common", "rcu_barrier", "wait_rcu_gp", "do_wait",
    "bit_wait", "__wait_", "__cv_", "wake_up_", "default_wake_function", "cv_wait", "rtnl_lock", "percpu_down", "percpu_rwsem",
];

/// Functions that enter the kernel, run others, or notice what others did, which titles do not skip.
#[rustfmt::skip] // words
const MACHINERY: &[&str] = &[
    "asm_exc_", "exc_", "asm_sysvec_", "sysvec_", "apic_timer_interrupt", "handle_bug", "handle_invalid_op",
    "do_invalid_op", "__die", "die", "page_fault", "do_user_addr_fault", "bad_area", "no_context",
    "watchdog_timer_fn", "rcu_dump_cpu_stacks", "rcu_check_callbacks", "rcu_sched_clock_irq",
    "print_cpu_stall", "print_other_cpu_stall", "check_cpu_stall", "update_process_times", "tick_",
    "hrtimer_", "__hrtimer", "nmi_", "arch_trigger", "trigger_", "do_IRQ", "handle_irq", "gic_",
    "generic_handle", "__handle_domain_irq", "handle_percpu", "el1_", "el1h_", "el0_", "el0t_",
    "brk_handler", "bug_handler", "call_break_hook", "do_debug_exception", "do_undefinstr",
    "usercopy_abort", "__check_heap_object", "__check_object_size", "fortify_panic", "__stack_chk_fail",
    "check_noncircular", "__lock_acquire", "print_circular_bug", "print_irq", "check_deadlock",
    "validate_chain", "valid_state", "print_deadlock", "print_unlock", "check_wait_context",
    "__schedule_bug", "__schedule", "__might_sleep", "rcu_note_context_switch", "ubsan_epilogue",
    "__ubsan", "object_err", "slab_err", "print_trailer", "free_debug_processing", "alloc_debug_processing",
    "free_to_partial_list", "___slab_alloc", "__slab_alloc", "__slab_free", "free_consistency_checks",
    "slab_pad_check", "check_bytes_and_report", "kfree", "__kmem_cache", "do_slab_free", "vfree",
    "debug_check_no_obj_freed", "free_large_kmalloc", "free_nonslab_page", "__pi_", "__fortify",
    "clear_user_erms", "rep_movs", "copy_user", "_copy_to", "_copy_from", "__arch_copy", "raw_copy",
    "__list_", "refcount_warn", "kvfree", "sysrq_handle", "__handle_sysrq", "lkdtm_do_action",
    "dump_header", "warn_", "console_", "vprintk", "debug_", "__debug_", "__create_object", "create_object", "__lookup_object", "lookup_object", "delete_object",
    "paint_ptr", "kmemleak",
    "unwind_backtrace", "__refcount", "kernel_stack_overflow", "stack_overflow", "vpanic", "rcu_read_unlock_special", "dequeue_", "lock_commit", "debug_locks_off", "do_trap", "check_preemption",
    "debug_smp_processor_id", "__this_cpu_preempt_check", "exit_to_user_mode", "kernel_init_freeable",
];

/// The function that most likely holds the bug of a report.
pub(crate) fn blame<'log>(report: &Report<'log>) -> Option<Blame<'log>> {
    if report.kind.is_information() {
        return None;
    }
    let stack = main_stack(report)?;
    let frames: Vec<&Frame<'log>> = useful(stack);
    let (frame, why) = overflow(report, &frames)
        .or_else(|| nowhere(report, stack))
        .or_else(|| interrupted(report, &frames))
        .or_else(|| leaf(report, &frames))
        .or_else(|| first(report, &frames))?;
    let function = frame.function.as_deref()?;
    Some(Blame {
        function: Cow::Owned(base(function).to_owned()),
        file: frame.file.clone(),
        line: frame.line,
        why: Cow::Borrowed(why),
    })
}

/// The stack that tells most: that of the crash, or where lost memory came from.
fn main_stack<'a, 'log>(report: &'a Report<'log>) -> Option<&'a Stack<'log>> {
    let role = match report.kind {
        Kind::MemoryLeak => Role::Allocation,
        // Who wrote is not known; who let go of the object is.
        Kind::Slab if report.crash_stack().is_none_or(|stack| is_check(stack)) => Role::Free,
        _ => Role::Crash,
    };
    let of = |role| report.stacks.iter().find(move |stack| stack.role == role);
    of(role).or_else(|| report.stacks.first())
}

/// Whether a stack is that of a check that looked through a slab, and not of a user of the object.
fn is_check(stack: &Stack<'_>) -> bool {
    let is = |frame: &Frame<'_>| {
        frame.function.as_deref().is_some_and(|function| function.starts_with("validate_slab"))
    };
    stack.frames.iter().any(is)
}

/// The frames that are vouched for; where there is none but the instruction pointer, all of them.
fn useful<'a, 'log>(stack: &'a Stack<'log>) -> Vec<&'a Frame<'log>> {
    let vouched: Vec<_> =
        stack.frames.iter().filter(|frame| frame.reliable && !frame.inline).collect();
    if vouched.iter().any(|frame| !frame.exact && frame.function.is_some()) {
        return vouched;
    }
    stack.frames.iter().filter(|frame| !frame.inline).collect()
}

type Answer<'a, 'log> = Option<(&'a Frame<'log>, &'static str)>;

/// A stack that overflowed: the function that calls itself.
fn overflow<'a, 'log>(report: &Report<'log>, frames: &[&'a Frame<'log>]) -> Answer<'a, 'log> {
    let count = |frame: &Frame<'log>| {
        frames
            .iter()
            .filter(|other| other.function.is_some() && other.function == frame.function)
            .count()
    };
    if !matches!(report.kind, Kind::StackOverflow | Kind::DoubleFault | Kind::InternalError) {
        return None;
    }
    let most = frames.iter().rev().max_by_key(|frame| count(frame))?;
    (count(most) >= RECURSION).then_some((*most, "calls itself until the stack is full"))
}

/// A jump to where no code is: the function that jumped.
///
/// The call that went wrong left its return address on top of the stack, whether the unwinder
/// vouches for it or not.
fn nowhere<'a, 'log>(report: &'a Report<'log>, stack: &'a Stack<'log>) -> Answer<'a, 'log> {
    let (pointer, rest) = stack.frames.split_first().filter(|(first, _)| first.exact)?;
    let rest: Vec<_> = rest.iter().collect();
    let fetched = report.access.and_then(|access| access.kind) == Some(AccessKind::Execute);
    // A size beyond any function is that of data, up to the next symbol.
    let is_data = pointer.size.is_some_and(|size| size > 1 << 24);
    if pointer.function.is_some() && !fetched && !is_data {
        return None;
    }
    let why = "jumped to where no code is";
    let caller = report.link.as_ref().filter(|link| link.function.is_some());
    caller.map(|link| (link, why)).or_else(|| first_of(report, &rest).map(|frame| (frame, why)))
}

/// A CPU that made no progress: what the interrupt that noticed it had interrupted.
fn interrupted<'a, 'log>(report: &Report<'log>, frames: &[&'a Frame<'log>]) -> Answer<'a, 'log> {
    if !matches!(report.kind, Kind::RcuStall | Kind::SoftLockup | Kind::HardLockup) {
        return None;
    }
    let at = frames.iter().position(|frame| frame.exact && frame.context != Some(Context::Irq))?;
    let frame = first_of(report, frames.get(at..)?)?;
    Some((frame, "was running when the CPU was found stuck"))
}

/// A small function that was called last and is not on the stack.
fn leaf<'a, 'log>(report: &'a Report<'log>, frames: &[&'a Frame<'log>]) -> Answer<'a, 'log> {
    let link = report.link.as_ref()?;
    let (pointer, _) = frames.split_first().filter(|(first, _)| first.exact)?;
    let is_generic = is_machinery(pointer.function.as_deref()?, report.kind);
    let known = frames.iter().skip(1).take(3).any(|frame| frame.function == link.function);
    let own = link.function.as_deref().filter(|function| !is_machinery(function, report.kind));
    (is_generic && !known && own.is_some()).then_some((link, "called the function that failed"))
}

/// The first function that works for itself.
fn first<'a, 'log>(report: &Report<'log>, frames: &[&'a Frame<'log>]) -> Answer<'a, 'log> {
    let frame = first_of(report, frames)?;
    let why = match report.kind {
        Kind::HungTask => "waits, in the task that hangs",
        Kind::MemoryLeak => "allocated what is lost",
        _ if frame.exact => "was running",
        _ => "called what noticed it",
    };
    Some((frame, why))
}

fn first_of<'a, 'log>(
    report: &Report<'log>,
    frames: &[&'a Frame<'log>],
) -> Option<&'a Frame<'log>> {
    let works = |frame: &&&Frame<'log>| {
        frame.function.as_deref().is_some_and(|function| !is_machinery(function, report.kind))
    };
    frames
        .iter()
        .find(works)
        .or_else(|| frames.iter().find(|frame| frame.function.is_some()))
        .copied()
}

/// Whether a function does its work for its caller.
fn is_machinery(function: &str, kind: Kind) -> bool {
    let name = base(function);
    let may_wait = matches!(kind, Kind::HungTask | Kind::AtomicSleep);
    let waits = may_wait && WAITING.iter().any(|word| name.contains(word));
    waits
        || title::is_generic(name)
        || MACHINERY.iter().any(|start| {
            start.as_bytes().first() == name.as_bytes().first() && name.starts_with(start)
        })
}

/// A function's name without what compilers add: `.cold`, `.isra.0`, `.part.3`.
fn base(function: &str) -> &str {
    function.split('.').next().filter(|name| !name.is_empty()).unwrap_or(function)
}
