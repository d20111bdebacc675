//! Locks in a report.

use std::borrow::Cow;

use super::Address;
use crate::string_enum::string_enum;

/// A lock, in the format of lockdep.
///
/// Printed by `print_lock()` in kernel/locking/lockdep.c.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Lock<'log> {
    /// The lock class, such as `&tree->tree_lock`, without the number of a subclass.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub class: Cow<'log, str>,
    /// The number of the subclass behind a `/`, by which nested locks of one class are annotated.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub subclass: Option<u64>,
    /// The address of the lock, which distinguishes locks of one class.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub address: Option<Address>,
    /// The previous uses of its class, as lockdep prints them in braces: `+.+.`.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub usage: Option<Cow<'log, str>>,
    /// The outer and the inner wait type of its class, `2:2`: of a spinlock 2, of a lock that may sleep 3 or 4, 0 without
    /// a check (`print_lock_name()` since Linux 5.7).
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub wait: Option<Cow<'log, str>>,
    /// The role of the lock in the report.
    pub state: LockState,
    /// The name of the thread that holds it or waits for it, if locks are listed by thread.
    #[cfg_attr(feature = "serde", serde(borrow, default, skip_serializing_if = "Option::is_none"))]
    pub comm: Option<Cow<'log, str>>,
    /// The id of that thread.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub holder: Option<u64>,
    /// The function that acquired it.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub function: Option<Cow<'log, str>>,
    /// The offset in the log of the line with the lock, in bytes.
    #[cfg_attr(feature = "serde", serde(default))]
    pub offset: usize,
}

/// The task that holds the lock for which a hung task waits. Its stack has
/// [`Role::Holder`](crate::model::Role::Holder).
///
/// Printed by `debug_show_blocker()` in kernel/hung_task.c since Linux 6.16. For older kernels it
/// is derived from the list of all locks (`debug_show_all_locks()` in kernel/locking/lockdep.c):
/// the only task that holds the lock which the hung task acquired last and waits for.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Holder<'log> {
    /// The name of the thread.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub comm: Cow<'log, str>,
    /// The thread ID.
    pub pid: u64,
    /// The type of the lock: `mutex`, `semaphore`, `rw-semaphore`; from the list of all locks, its
    /// class.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub lock: Cow<'log, str>,
}

string_enum! {
    /// The role of a lock in a report.
    pub enum LockState {
        /// The lock was being acquired: `is trying to acquire lock:`.
        Wanted = "wanted",
        /// The lock was held, or the named thread was waiting for it: `lockdep_print_held_locks()`
        /// lists both in the same way.
        Held = "held",
        /// The lock was taken earlier, with another state of interrupts:
        /// `but this lock took another, SOFTIRQ-unsafe lock in the past:`.
        Past = "past",
        /// The lock is a link of the circular dependency: `-> #1 (&x){+.+.}:`.
        Chain = "chain",
        /// The lock was released, and the task does not hold it: `is trying to release lock`.
        Released = "released",
    }
}
