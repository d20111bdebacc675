//! Locks in a report.

use crate::string_enum::string_enum;
use std::borrow::Cow;

/// A lock, as lockdep names it.
///
/// Printed by `print_lock()` in kernel/locking/lockdep.c.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Lock<'log> {
    /// Its class, such as `&tree->tree_lock`, without the numbers that tell subclasses apart.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub class: Cow<'log, str>,
    /// What it has to do with the report.
    pub state: LockState,
    /// The thread that holds it or waits for it, where locks are listed by thread.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub holder: Option<u64>,
    /// The function that took it.
    #[cfg_attr(feature = "serde", serde(borrow, skip_serializing_if = "Option::is_none"))]
    pub function: Option<Cow<'log, str>>,
}

/// The task that holds the lock for which a hung task waits; its stack has
/// [`Role::Holder`](crate::model::Role::Holder).
///
/// Printed by `debug_show_blocker()` in kernel/hung_task.c since Linux 6.16.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Holder<'log> {
    /// The name of the thread.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub comm: Cow<'log, str>,
    /// Its id.
    pub pid: u64,
    /// The kind of lock: `mutex`, `semaphore`, `rw-semaphore`.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub lock: Cow<'log, str>,
}

string_enum! {
    /// What a lock has to do with a report.
    pub enum LockState {
        /// It was being taken: `is trying to acquire lock:`.
        Wanted = "wanted",
        /// It was held, or waited for by the thread that is named: lockdep lists both alike.
        Held = "held",
        /// It is a link of the chain that closes to a circle: `-> #1 (&x){+.+.}:`.
        Chain = "chain",
    }
}
