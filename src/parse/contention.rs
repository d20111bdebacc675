//! Lock contention: the cycle of a dependency chain, and the holder of the lock that a hung task waits for.

use std::borrow::Cow;

use crate::model::{Holder, Lock, LockState, Report, Role};

/// Fills in the facts that follow from the locks of a report.
pub(super) fn complete(report: &mut Report<'_>) {
    report.cycle = cycle(&report.locks);
    if report.holder.is_none() && report.seconds.is_some() && waits_for_lock(report) {
        report.holder = report.task.pid.and_then(|pid| holder(&report.locks, pid));
    }
}

/// Returns the classes of a chain in the order in which the locks were acquired, the wanted lock
/// first.
///
/// print_circular_bug() in kernel/locking/lockdep.c prints
/// `the existing dependency chain (in reverse order)`: the last link is the wanted lock, and each
/// link was acquired while the one printed below it was held.
fn cycle<'log>(locks: &[Lock<'log>]) -> Vec<Cow<'log, str>> {
    let links = locks.iter().filter(|lock| lock.state == LockState::Chain);
    links.rev().map(|lock| lock.class.clone()).collect()
}

/// Parts of the names of lock functions that sleep: kernel/locking/mutex.c, rwsem.c, semaphore.c,
/// rtmutex.c.
const LOCKING: &[&str] =
    &["mutex_lock", "rwsem_down", "down_read", "down_write", "__down", "rt_mutex"];

/// The maximum number of innermost frames between schedule() and the lock function.
const WITHIN: usize = 8;

/// Returns whether the crash stack waits for a lock.
fn waits_for_lock(report: &Report<'_>) -> bool {
    let stack = report.stacks.iter().find(|stack| stack.role == Role::Crash);
    let frames = stack.map(|stack| stack.frames.iter()).into_iter().flatten();
    // All frames of some stacks are unreliable.
    let is_reliable = frames.clone().any(|frame| frame.reliable);
    let frames = frames.filter(|frame| frame.reliable || !is_reliable).take(WITHIN);
    frames
        .filter_map(|frame| frame.function.as_deref())
        .any(|function| LOCKING.iter().any(|name| function.contains(name)))
}

/// Returns the only task that holds the lock which a task acquired last and waits for.
///
/// lockdep lists a lock from the time at which a task starts to wait for it. So the last lock in
/// the list of a task may be one for which it waits, and all locks before it are held.
fn holder<'log>(locks: &[Lock<'log>], pid: u64) -> Option<Holder<'log>> {
    let wanted = locks.iter().rfind(|lock| lock.holder == Some(pid))?;
    let address = wanted.address.filter(|address| address.value != 0)?;
    let is_other = |lock: &&Lock<'_>| {
        lock.holder.is_some_and(|holder| holder != pid)
            && lock.address == Some(address)
            && lock.class == wanted.class
    };
    let others: Vec<_> = locks.iter().enumerate().filter(|(_, lock)| is_other(lock)).collect();
    let is_last = |at: usize, lock: &Lock<'_>| {
        locks.get(at + 1).is_none_or(|next| next.holder != lock.holder)
    };
    let mut sure = others.iter().filter(|(at, lock)| !is_last(*at, lock)).peekable();
    let lock = match sure.peek() {
        Some(_) => only(sure),
        None => only(others.iter()),
    }?
    .clone();
    Some(Holder { comm: lock.comm?, pid: lock.holder?, lock: lock.class })
}

/// Returns the lock of a list, if all are of one task.
fn only<'a, 'log: 'a>(
    mut locks: impl Iterator<Item = &'a (usize, &'a Lock<'log>)>,
) -> Option<&'a Lock<'log>> {
    let (_, first) = locks.next()?;
    locks.all(|(_, lock)| lock.holder == first.holder).then_some(first)
}

#[cfg(test)]
mod tests {
    const STACK: &str = "Call Trace:\n __schedule+0x1/0x2\n schedule+0x1/0x2\n __mutex_lock+0x1/0x2\n \
         cm_log_commit+0x1/0x2\n cm_write+0x1/0x2\n";

    fn read(locks: &str) -> Option<(String, u64, String)> {
        let log = format!(
            "INFO: task cm-a:93 blocked for more than 122 seconds.\n{STACK}\n\
             Showing all locks held in the system:\n{locks}\n=============\n"
        );
        let report = crate::parse::reports(log.as_bytes()).next().expect("a report").into_owned();
        report.holder.map(|holder| (holder.comm.into_owned(), holder.pid, holder.lock.into_owned()))
    }

    #[test]
    fn the_holder_follows_from_the_list_of_all_locks() {
        let waits = "2 locks held by cm-a/93:\n \
             #0: ffff888000852430 (sb_writers#4){.+.+}-{0:0}, at: ksys_write+0xfb/0x1d0\n \
             #1: ffff888000100000 (&log->lock){+.+.}-{3:3}, at: cm_log_commit+0x1/0x2\n";
        let other = |name: &str, more: &str| {
            format!(
                "1 lock held by {name}:\n \
             #0: ffff888000100000 (&log->lock){{+.+.}}-{{3:3}}, at: cm_flush+0x1/0x2\n{more}"
            )
        };
        let holder = Some(("b/c".to_owned(), 94, "&log->lock".to_owned()));
        assert_eq!(read(&format!("{waits}{}", other("b/c/94", ""))), holder);
        // Of two tasks, the one that has acquired another lock since.
        let more = " #1: ffff888000200000 (&io){+.+.}-{3:3}, at: cm_io+0x1/0x2\n";
        let (first, second) = (other("d/95", ""), other("b/c/94", more));
        assert_eq!(read(&format!("{waits}{first}{second}")), holder);
        // Two tasks that may both wait.
        assert_eq!(read(&format!("{waits}{first}{}", other("e/96", ""))), None);
        // Another lock of the same class.
        let another = other("b/c/94", "").replace("100000", "300000");
        assert_eq!(read(&format!("{waits}{another}")), None);
        assert_eq!(read(waits), None);
    }

    #[test]
    fn the_cycle_begins_with_the_wanted_lock() {
        let log = "WARNING: possible circular locking dependency detected\n\
            cm/46 is trying to acquire lock:\n\
            ffff888000100000 (a){+.+.}-{3:3}, at: cm_ca+0x21/0x40\n\
            but task is already holding lock:\n\
            ffff888000200000 (c){+.+.}-{3:3}, at: cm_ca+0x13/0x40\n\
            the existing dependency chain (in reverse order) is:\n\
            -> #2 (c){+.+.}-{3:3}:\n       cm_bc+0x1c/0x40\n\
            -> #1 (b){+.+.}-{3:3}:\n       cm_ab+0x1c/0x40\n\
            -> #0 (a){+.+.}-{3:3}:\n       cm_ca+0x1c/0x40\n";
        let report = crate::parse::reports(log.as_bytes()).next().expect("a report");
        assert_eq!(report.cycle, ["a", "b", "c"]);
    }
}
