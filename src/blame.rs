//! The function that most likely holds the bug.
//!
//! A judgement of our own over the model, free of the conventions of titles. It follows the stack
//! from where the kernel noticed to the first function that works for itself: what reports, checks,
//! copies, counts or locks does so for its caller. Where no function does, nothing is blamed.

use std::borrow::Cow;

use crate::functions::{self, Reason, Skips};
use crate::kind::Kind;
use crate::model::{AccessKind, Blame, Frame, LockState, Report, Role, Stack, StackContext};
use crate::reason::BlameReason;

/// How often a function must be in a stack that overflowed to be its cause.
const RECURSION: usize = 3;

/// Functions that never return, so that their call may be the last instruction of a function:
/// tools/objtool/noreturns.h.
const NORETURN: &[&str] = &[
    "__fortify_panic",
    "__module_put_and_kthread_exit",
    "__stack_chk_fail",
    "arm64_serror_panic",
    "do_exit",
    "do_group_exit",
    "do_task_dead",
    "fortify_panic",
    "kthread_exit",
    "make_task_dead",
    "panic",
    "panic_bad_stack",
    "usercopy_abort",
    "vpanic",
];

/// The function that most likely holds the bug of a report; `named` is the place that its headline
/// names.
pub(crate) fn blame<'log>(
    report: &Report<'log>,
    named: Option<&Frame<'log>>,
) -> Option<Blame<'log>> {
    // The stack below a bad interrupt is that of the interrupted code.
    if report.kind.is_information() || report.kind == Kind::BadInterrupt {
        return None;
    }
    // The stacks of a chain show where other locks were taken.
    let stack = main_stack(report).filter(|stack| stack.role != Role::Chain);
    let Some(stack) = stack else { return wanted(report) };
    let frames: Vec<&Frame<'log>> = of_interrupt(report, useful(stack));
    let (frame, why) = overflow(report, &frames)
        .or_else(|| nowhere(report, stack))
        .or_else(|| interrupted(report, &frames))
        .or_else(|| leaf(report, &frames))
        .or_else(|| first(report, &frames))
        .or_else(|| in_headline(report, named))?;
    let function = frame.function.as_deref()?;
    Some(Blame {
        function: Cow::Owned(functions::base(function).to_owned()),
        file: frame.file.clone(),
        line: frame.line,
        why,
    })
}

/// The function that wanted the lock of which lockdep warns, where no stack shows it.
fn wanted<'log>(report: &Report<'log>) -> Option<Blame<'log>> {
    let lock = report.locks.iter().find(|lock| lock.state == LockState::Wanted)?;
    let function =
        lock.function.as_deref().filter(|function| !is_machinery(function, report.kind))?;
    Some(Blame {
        function: Cow::Owned(functions::base(function).to_owned()),
        file: None,
        line: None,
        why: BlameReason::CalledReporter,
    })
}

/// The stack that tells most: that of the crash, or where lost memory came from.
pub(crate) fn main_stack<'a, 'log>(report: &'a Report<'log>) -> Option<&'a Stack<'log>> {
    let role = match report.kind {
        Kind::MemoryLeak => Role::Allocation,
        // Who wrote is not known; who let go of the object is.
        Kind::Slab if report.crash_stack().is_none_or(|stack| is_check(stack)) => Role::Free,
        _ => Role::Crash,
    };
    let of = |role| report.stacks.iter().find(move |stack| stack.role == role);
    // The thread of RCU itself is shown where it did not run; who kept it from running is below.
    if matches!(report.kind, Kind::RcuStall)
        && let Some(stack) =
            report.stacks.iter().find(|stack| !stack.frames.is_empty() && !is_of_rcu(stack))
    {
        return Some(stack);
    }
    of(role).or_else(|| report.stacks.first())
}

/// Whether a stack is that of a check that looked through a slab, and not of a user of the object.
fn is_check(stack: &Stack<'_>) -> bool {
    let is = |frame: &Frame<'_>| {
        frame.function.as_deref().is_some_and(|function| function.starts_with("validate_slab"))
    };
    stack.frames.iter().any(is)
}

/// Whether a stack is that of RCU's own thread, which waits for the others.
fn is_of_rcu(stack: &Stack<'_>) -> bool {
    let is = |frame: &Frame<'_>| {
        frame.function.as_deref().is_some_and(|function| function.starts_with("rcu_gp_"))
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
    stack.frames.iter().filter(|frame| !frame.inline && !frame.is_behind_its_symbol()).collect()
}

/// Where an interrupt comes in on machines whose traces have no marks: what is below was interrupted.
#[rustfmt::skip] // a machine a line
const INTERRUPT_ENTRIES: &[&str] = &[
    "__irq_svc", // arch/arm/kernel/entry-armv.S
    "el1_irq", "el1h_64_fiq", "el1h_64_irq", // arch/arm64/kernel/entry.S
    "handle_vint", // arch/loongarch/kernel/genex.S
    "handle_int", // arch/mips/kernel/genex.S
    "do_irq", // arch/riscv/kernel/traps.c
    "ext_int_handler", "io_int_handler", // arch/s390/kernel/entry.S
    "apic_timer_interrupt", "ret_from_intr", // arch/x86/entry/entry_64.S before Linux 5.8
];

/// The frames of the interrupt in which the kernel noticed, of all others none: what was interrupted has
/// no part in it, except where a CPU was found stuck.
fn of_interrupt<'a, 'log>(
    report: &Report<'log>,
    mut frames: Vec<&'a Frame<'log>>,
) -> Vec<&'a Frame<'log>> {
    if matches!(report.kind, Kind::RcuStall | Kind::SoftLockup | Kind::HardLockup) {
        return frames;
    }
    let is_marked = |frame: &&Frame<'_>| {
        matches!(frame.context, Some(StackContext::Irq | StackContext::Softirq))
    };
    let is_entry = |frame: &&Frame<'_>| {
        frame.function.as_deref().is_some_and(|name| INTERRUPT_ENTRIES.contains(&name))
    };
    // The instruction pointer stands above the mark.
    let before = frames.iter().take_while(|frame| frame.exact && frame.context.is_none()).count();
    let marked = frames.iter().skip(before).take_while(|frame| is_marked(frame)).count();
    let entry = frames.iter().position(is_entry).map(|at| at + 1);
    let end = if marked > 0 { Some(before + marked) } else { entry };
    frames.truncate(end.unwrap_or(frames.len()));
    frames
}

type Answer<'a, 'log> = Option<(&'a Frame<'log>, BlameReason)>;

/// A stack that overflowed: the function that calls itself.
fn overflow<'a, 'log>(report: &Report<'log>, frames: &[&'a Frame<'log>]) -> Answer<'a, 'log> {
    if !matches!(report.kind, Kind::StackOverflow | Kind::DoubleFault | Kind::InternalError) {
        return None;
    }
    // Sorted, so that the stack is not read once for each of its frames.
    let mut functions: Vec<_> =
        frames.iter().filter_map(|frame| frame.function.as_deref()).collect();
    functions.sort_unstable();
    let count = |frame: &Frame<'log>| {
        let Some(function) = frame.function.as_deref() else { return 0 };
        let first = functions.partition_point(|other| *other < function);
        let behind = functions.partition_point(|other| *other <= function);
        behind - first
    };
    let most = frames.iter().rev().max_by_key(|frame| count(frame))?;
    (count(most) >= RECURSION).then_some((*most, BlameReason::CallsItself))
}

/// A jump to where no code is: the function that jumped.
///
/// The call that went wrong left its return address on top of the stack, whether the unwinder
/// vouches for it or not.
fn nowhere<'a, 'log>(report: &'a Report<'log>, stack: &'a Stack<'log>) -> Answer<'a, 'log> {
    let (pointer, rest) = stack.frames.split_first().filter(|(first, _)| first.exact)?;
    let rest: Vec<_> = rest.iter().filter(|frame| !frame.is_behind_its_symbol()).collect();
    let fetched = report.access.and_then(|access| access.kind) == Some(AccessKind::Execute);
    // A size beyond any function is that of data, up to the next symbol.
    let is_data = pointer.size.is_some_and(|size| size > 1 << 24);
    let is_unnamed = report.kernel.arch.is_some_and(|arch| !arch.info().names_pointer);
    if (pointer.function.is_some() || is_unnamed) && !fetched && !is_data {
        return None;
    }
    let why = BlameReason::JumpedNowhere;
    let caller = report.link.as_ref().filter(|link| link.function.is_some());
    caller.map(|link| (link, why)).or_else(|| first_of(report, &rest).map(|frame| (frame, why)))
}

/// A CPU that made no progress: what the interrupt that noticed it had interrupted.
fn interrupted<'a, 'log>(report: &Report<'log>, frames: &[&'a Frame<'log>]) -> Answer<'a, 'log> {
    if !matches!(report.kind, Kind::RcuStall | Kind::SoftLockup | Kind::HardLockup) {
        return None;
    }
    let at =
        frames.iter().position(|frame| frame.exact && frame.context != Some(StackContext::Irq))?;
    let frame = first_of(report, frames.get(at..)?)?;
    Some((frame, BlameReason::RunningWhenStuck))
}

/// A small function that was called last and is not on the stack.
fn leaf<'a, 'log>(report: &'a Report<'log>, frames: &[&'a Frame<'log>]) -> Answer<'a, 'log> {
    let link = report.link.as_ref()?;
    let (pointer, _) = frames.split_first().filter(|(first, _)| first.exact)?;
    let is_generic = is_machinery(pointer.function.as_deref()?, report.kind);
    let known = frames.iter().skip(1).take(3).any(|frame| frame.function == link.function);
    let own = link.function.as_deref().filter(|function| !is_machinery(function, report.kind));
    (is_generic && !known && own.is_some()).then_some((link, BlameReason::CalledFailing))
}

/// The first function that works for itself.
fn first<'a, 'log>(report: &Report<'log>, frames: &[&'a Frame<'log>]) -> Answer<'a, 'log> {
    let frame = first_of(report, frames)?;
    let why = match report.kind {
        Kind::HungTask => BlameReason::Waits,
        Kind::MemoryLeak => BlameReason::AllocatedLost,
        _ if frame.exact => BlameReason::WasRunning,
        _ => BlameReason::CalledReporter,
    };
    Some((frame, why))
}

/// The place in the headline, which says more than a stack without a function that works for itself:
/// `__stack_chk_fail()` in kernel/panic.c.
fn in_headline<'a, 'log>(
    report: &Report<'log>,
    named: Option<&'a Frame<'log>>,
) -> Answer<'a, 'log> {
    let function = named?.function.as_deref()?;
    let works = !is_machinery(function, report.kind);
    works.then_some((named?, BlameReason::CalledReporter))
}

/// The first frame of a function that works for itself; of one that does so for its caller, if no
/// other does.
fn first_of<'a, 'log>(
    report: &Report<'log>,
    frames: &[&'a Frame<'log>],
) -> Option<&'a Frame<'log>> {
    let mut callee = None;
    for frame in frames {
        let Some(function) = frame.function.as_deref() else { continue };
        // A return address at the start of a function is behind a call at the end of another.
        let is_before = frame.offset == Some(0) && !frame.exact;
        if is_before && callee.is_some_and(|callee| NORETURN.contains(&callee)) {
            return None;
        }
        if !is_before && !is_machinery(function, report.kind) {
            return Some(frame);
        }
        callee = Some(functions::base(function));
    }
    let works = |frame: &&&Frame<'log>| {
        frame.function.as_deref().is_some_and(|function| may_fail(function, report.kind))
    };
    frames.iter().find(works).copied()
}

/// Whether a helper may be blamed where no other function is left.
fn may_fail(function: &str, kind: Kind) -> bool {
    use Reason::{Allocator, Control, Convention, Copying, Counting, Dispatch};
    let reason = functions::reason(functions::base(function));
    kind != Kind::HungTask
        && matches!(reason, Some(Allocator | Control | Convention | Copying | Counting | Dispatch))
}

/// Whether a function does its work for its caller.
fn is_machinery(function: &str, kind: Kind) -> bool {
    let name = functions::base(function);
    match functions::reason(name) {
        // Who waits is asked where somebody waits too long, or where nobody may. `INFO:` lines of an
        // unknown form are mostly those of watchdogs.
        Some(Reason::Waiting) => {
            matches!(kind, Kind::HungTask | Kind::AtomicSleep | Kind::RcuStall | Kind::Info)
                || functions::is_skipped_in_titles(name, Skips::NONE)
        }
        reason => reason.is_some(),
    }
}
