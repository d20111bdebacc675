//! Blame: the function that most likely contains the bug.
//!
//! It is determined from the model alone, without the conventions of titles. The search starts at
//! the instruction pointer and skips helpers: functions that report, check, copy, count or lock for
//! their caller. `None` if all functions are helpers.

use std::borrow::Cow;

use crate::functions::{self, Reason, Skips};
use crate::kind::Kind;
use crate::model::{AccessKind, Blame, Frame, LockState, Report, Role, Stack, StackContext};
use crate::order;
use crate::reason::BlameReason;

/// The number of frames that a function must have in a stack that overflowed to be its cause.
const RECURSION: usize = 3;

/// Functions that never return, so that their call may be the last instruction of a function
/// (tools/objtool/noreturns.h).
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

/// Returns the function that most likely contains the bug of a report. `named` is the function in
/// the headline.
pub(crate) fn blame<'log>(
    report: &Report<'log>,
    named: Option<&Frame<'log>>,
) -> Option<Blame<'log>> {
    // The stack below a bad interrupt is that of the interrupted code.
    if report.kind.is_information() || report.kind == Kind::BadInterrupt {
        return None;
    }
    // The stacks of a dependency chain show where other locks were acquired.
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

/// Returns the function that tried to acquire the lock of a lockdep report, if no stack shows it.
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

/// Returns the stack of the bug: that of the crash, or that of the allocation or free of an object.
pub(crate) fn main_stack<'a, 'log>(report: &'a Report<'log>) -> Option<&'a Stack<'log>> {
    let role = match report.kind {
        Kind::MemoryLeak => Role::Allocation,
        // The function that wrote to the object is unknown; the one that freed it is known.
        Kind::Slab if report.crash_stack().is_none_or(|stack| is_check(stack)) => Role::Free,
        _ => Role::Crash,
    };
    let of = |role| report.stacks.iter().find(move |stack| stack.role == role);
    // The stack of the grace-period thread only shows that it did not run. The stack of the CPU is
    // below it.
    if matches!(report.kind, Kind::RcuStall)
        && let Some(stack) =
            report.stacks.iter().find(|stack| !stack.frames.is_empty() && !is_of_rcu(stack))
    {
        return Some(stack);
    }
    of(role).or_else(|| report.stacks.first())
}

/// Returns whether a stack is that of a check of a slab, instead of a user of the object.
fn is_check(stack: &Stack<'_>) -> bool {
    let is = |frame: &Frame<'_>| {
        frame.function.as_deref().is_some_and(|function| function.starts_with("validate_slab"))
    };
    stack.frames.iter().any(is)
}

/// Returns whether a stack is that of the grace-period thread of RCU.
fn is_of_rcu(stack: &Stack<'_>) -> bool {
    let is = |frame: &Frame<'_>| {
        frame.function.as_deref().is_some_and(|function| function.starts_with("rcu_gp_"))
    };
    stack.frames.iter().any(is)
}

/// Returns the reliable frames; all frames if only the instruction pointer is reliable.
fn useful<'a, 'log>(stack: &'a Stack<'log>) -> Vec<&'a Frame<'log>> {
    let vouched: Vec<_> =
        stack.frames.iter().filter(|frame| frame.reliable && !frame.inline).collect();
    if vouched.iter().any(|frame| !frame.exact && frame.function.is_some()) {
        return vouched;
    }
    stack.frames.iter().filter(|frame| !frame.inline && !frame.is_behind_its_symbol()).collect()
}

/// Interrupt entries of machines whose traces have no marks: the frames below were interrupted.
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

/// Returns the frames of the interrupt in which the report was printed, or all frames outside an
/// interrupt. The interrupted code is unrelated, except for a CPU that was stuck.
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
    // The frame of the instruction pointer is above the mark.
    let before = frames.iter().take_while(|frame| frame.exact && frame.context.is_none()).count();
    let marked = frames.iter().skip(before).take_while(|frame| is_marked(frame)).count();
    let entry = frames.iter().position(is_entry).map(|at| at + 1);
    let end = if marked > 0 { Some(before + marked) } else { entry };
    frames.truncate(end.unwrap_or(frames.len()));
    frames
}

type Answer<'a, 'log> = Option<(&'a Frame<'log>, BlameReason)>;

/// For a stack that overflowed: the function that recurses.
fn overflow<'a, 'log>(report: &Report<'log>, frames: &[&'a Frame<'log>]) -> Answer<'a, 'log> {
    if !matches!(report.kind, Kind::StackOverflow | Kind::DoubleFault | Kind::InternalError) {
        return None;
    }
    // Sorted, so that counting the frames takes no quadratic time.
    let mut functions: Vec<_> =
        frames.iter().filter_map(|frame| frame.function.as_deref()).collect();
    order::sort(&mut functions);
    let count = |frame: &Frame<'log>| {
        let Some(function) = frame.function.as_deref() else { return 0 };
        let first = functions.partition_point(|other| *other < function);
        let behind = functions.partition_point(|other| *other <= function);
        behind - first
    };
    let most = frames.iter().rev().max_by_key(|frame| count(frame))?;
    (count(most) >= RECURSION).then_some((*most, BlameReason::CallsItself))
}

/// For a jump to an address without code: the function that jumped.
///
/// The call left its return address on top of the stack. The unwinder may mark that frame as
/// unreliable.
fn nowhere<'a, 'log>(report: &'a Report<'log>, stack: &'a Stack<'log>) -> Answer<'a, 'log> {
    let (pointer, rest) = stack.frames.split_first().filter(|(first, _)| first.exact)?;
    let rest: Vec<_> = rest.iter().filter(|frame| !frame.is_behind_its_symbol()).collect();
    // mc of s390 traps at a valid address, whose line may be broken.
    if matches!(report.kind, Kind::KernelBug | Kind::Warning) {
        return None;
    }
    let fetched = report.access.and_then(|access| access.kind) == Some(AccessKind::Execute);
    // A size beyond that of any function is the distance from data to the next symbol.
    let is_data = pointer.size.is_some_and(|size| size > 1 << 24);
    let is_unnamed = report.kernel.arch.is_some_and(|arch| !arch.info().names_pointer);
    if (pointer.function.is_some() || is_unnamed) && !fetched && !is_data {
        return None;
    }
    let why = BlameReason::JumpedNowhere;
    let caller = report.link.as_ref().filter(|link| link.function.is_some());
    caller.map(|link| (link, why)).or_else(|| first_of(report, &rest).map(|frame| (frame, why)))
}

/// For a stuck CPU: the function that was interrupted, in a task or in a soft interrupt.
fn interrupted<'a, 'log>(report: &Report<'log>, frames: &[&'a Frame<'log>]) -> Answer<'a, 'log> {
    if !matches!(report.kind, Kind::RcuStall | Kind::SoftLockup | Kind::HardLockup) {
        return None;
    }
    let at = frames.iter().position(|frame| frame.exact)?;
    let frame = first_of(report, frames.get(at..)?)?;
    Some((frame, BlameReason::RunningWhenStuck))
}

/// For a helper that failed: the leaf function in the link register, which called it.
fn leaf<'a, 'log>(report: &'a Report<'log>, frames: &[&'a Frame<'log>]) -> Answer<'a, 'log> {
    let link = report.link.as_ref()?;
    let (pointer, _) = frames.split_first().filter(|(first, _)| first.exact)?;
    let is_generic = is_machinery(pointer.function.as_deref()?, report.kind);
    let known = frames.iter().skip(1).take(3).any(|frame| frame.function == link.function);
    let own = link.function.as_deref().filter(|function| !is_machinery(function, report.kind));
    (is_generic && !known && own.is_some()).then_some((link, BlameReason::CalledFailing))
}

/// The first frame that is not a helper.
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

/// The function in the headline, if all frames are helpers: `__stack_chk_fail()` in kernel/panic.c.
fn in_headline<'a, 'log>(
    report: &Report<'log>,
    named: Option<&'a Frame<'log>>,
) -> Answer<'a, 'log> {
    let function = named?.function.as_deref()?;
    let works = !is_machinery(function, report.kind);
    works.then_some((named?, BlameReason::CalledReporter))
}

/// Returns the first frame that is not a helper; else the first helper that may be blamed.
fn first_of<'a, 'log>(
    report: &Report<'log>,
    frames: &[&'a Frame<'log>],
) -> Option<&'a Frame<'log>> {
    let mut callee = None;
    for frame in frames {
        let Some(function) = frame.function.as_deref() else { continue };
        // A return address at offset 0 follows a call at the end of the function before it.
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

/// Returns whether a helper may be blamed if all frames are helpers.
fn may_fail(function: &str, kind: Kind) -> bool {
    use Reason::{Allocator, Control, Convention, Copying, Counting, Dispatch};
    let reason = functions::reason(functions::base(function));
    kind != Kind::HungTask
        && matches!(reason, Some(Allocator | Control | Convention | Copying | Counting | Dispatch))
}

/// Returns whether a function is a helper in reports of a kind.
fn is_machinery(function: &str, kind: Kind) -> bool {
    let name = functions::base(function);
    match functions::reason(name) {
        // A function that waits is relevant to a hang, or where waiting is forbidden. `INFO:` lines of an unknown
        // form are mostly those of watchdogs.
        Some(Reason::Waiting) => {
            matches!(kind, Kind::HungTask | Kind::AtomicSleep | Kind::RcuStall | Kind::Info)
                || functions::is_skipped_in_titles(name, Skips::NONE)
        }
        reason => reason.is_some(),
    }
}
