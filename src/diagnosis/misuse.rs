//! Diagnoses of misused locks: spinlocks, and the reports of lockdep other than cycles.

use super::{Sentence, crash_site, held, holds, lock, taken, task, within};
use crate::functions;
use crate::kind::Kind;
use crate::model::{Evidence, LockState, Report};

/// The reports of spin_dump() and rwlock_bug() in kernel/locking/spinlock_debug.c, and the action
/// of the task.
const SPINLOCKS: &[(&str, &str)] = &[
    ("bad magic", "that was never initialized, or is overwritten"),
    ("cpu recursion", "that its CPU holds already"),
    ("cpu-recursion", "that its CPU holds already"),
    ("recursion", "that it holds already"),
    ("already unlocked", "that is free already"),
    ("wrong owner", "that another task holds"),
    ("wrong CPU", "that another CPU acquired"),
    ("lockup", "that is not released"),
];

/// A spinlock in an invalid state.
pub(super) fn spinlock(report: &Report<'_>) -> Sentence {
    let (_, rest) = report.headline.split_once("BUG: ")?;
    let (kind, rest) = ["spinlock", "rwlock"]
        .into_iter()
        .find_map(|kind| Some((kind, rest.strip_prefix(kind)?.strip_prefix(' ')?)))?;
    let (_, what) = SPINLOCKS.iter().find(|(start, _)| rest.starts_with(start))?;
    let (task, place) = (task(report)?, within(crash_site(report)));
    let mut why = Vec::new();
    if let Some(lock) = &report.spinlock {
        // The owner field of an overwritten lock is not valid.
        if rest.starts_with("bad magic") {
            let magic = lock.magic.value;
            why.push(Evidence::new(format!("the magic of {} is {magic:#x}", lock.name), None));
        } else if let (Some(owner), Some(pid)) = (&lock.owner, lock.owner_pid) {
            let cpu = lock.owner_cpu.map(|cpu| format!(", on CPU {cpu}")).unwrap_or_default();
            why.push(Evidence::new(format!("{owner}/{pid} holds {}{cpu}", lock.name), None));
        }
    }
    Some((format!("{task} uses a {kind}{place} {what}"), why))
}

/// print_unlock_imbalance_bug() in kernel/locking/lockdep.c.
pub(super) fn release(report: &Report<'_>) -> Sentence {
    let released = lock(report, LockState::Released)?;
    let (task, class) = (task(report)?, &released.class);
    let place = released.function.as_deref().map(functions::base);
    let why = holds(held(report)).into_iter().collect();
    Some((format!("{task} releases {class}{}, which it does not hold", within(place)), why))
}

/// The reports about locks that a task still holds, and the action that forbids it.
const LEFT: &[(&str, &str)] = &[
    ("held lock freed", "frees the memory of a lock that is held"), // print_freed_lock_bug()
    ("lock held when returning to user space", "returns to user space with a lock"), // lockdep_sys_exit()
    ("still has locks held", "goes to sleep or exits with a lock"), // print_held_locks_bug()
];

/// A lock that is still held.
pub(super) fn left(report: &Report<'_>) -> Sentence {
    let (_, what) = LEFT.iter().find(|(words, _)| report.headline.contains(words))?;
    let (task, held) = (task(report)?, held(report).next()?);
    Some((format!("{task} {what}: {}", taken(held)), Vec::new()))
}

/// A work item that returns with a lock held: process_one_work() in kernel/workqueue.c. The report
/// has its function.
pub(super) fn work(report: &Report<'_>) -> Sentence {
    let function = crash_site(report).filter(|_| report.headline.contains("workqueue leaked "))?;
    let summary = format!("the work {function} returns in atomic context, or with a lock");
    Some((summary, holds(held(report)).into_iter().collect()))
}

/// register_lock_class() in kernel/locking/lockdep.c.
pub(super) fn unregistered(report: &Report<'_>) -> Sentence {
    let is_static = report.headline.contains("trying to register non-static key");
    let function = crash_site(report).filter(|_| is_static)?;
    Some((format!("{function} takes a lock that was never initialized"), Vec::new()))
}

/// print_lock_invalid_wait_context() in kernel/locking/lockdep.c.
pub(super) fn wait_context(report: &Report<'_>) -> Sentence {
    let is_context =
        report.kind == Kind::LockBug && report.headline.contains("Invalid wait context");
    let wanted = lock(report, LockState::Wanted).filter(|_| is_context)?;
    let summary =
        format!("{} takes {} in a context that must not wait", task(report)?, taken(wanted));
    Some((summary, holds(held(report)).into_iter().collect()))
}
