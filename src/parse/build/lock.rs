//! The locks of a report.

use super::{Builder, address};
use crate::log::Line;
use crate::model::{Lock, LockState};
use crate::reason::ReportPart;
use crate::syntax::{lock, symbol};

/// The maximum number of locks; lockdep's own limit for one task is 48, and hung tasks list those
/// of all tasks.
const MAX_LOCKS: usize = 256;

impl<'log> Builder<'log> {
    /// Adds a lock: of the report itself, of a chain, or of the list of a thread.
    pub(super) fn lock(&mut self, line: &Line<'log>, found: &lock::Lock<'_>) {
        // The line of an inlined function precedes that of its caller.
        if found.is_inlined {
            return;
        }
        if self.report.locks.len() >= MAX_LOCKS {
            return self.leave_too_many(ReportPart::Locks);
        }
        let announced = self.lock_below.take();
        let function = found.place.and_then(|place| place.function);
        let function = function.map(|name| symbol::name(line.own(name)));
        // A mail program may break the line of an inlined function, which the one of its caller follows.
        let is_again = |last: &&mut Lock<'_>| {
            let address = found.address.map(address);
            last.state == LockState::Wanted && last.address.is_some() && last.address == address
        };
        if let Some(last) =
            self.report.locks.last_mut().filter(is_again).filter(|_| found.index.is_none())
        {
            last.function = function.or(last.function.take());
            return;
        }
        let state = match found.index {
            _ if found.is_link => LockState::Chain,
            None if let Some(state) = announced => state,
            // print_freed_lock_bug() in kernel/locking/lockdep.c.
            None if self.report.headline.contains("held lock freed") => LockState::Held,
            None if self.report.locks.is_empty() => LockState::Wanted,
            _ => LockState::Held,
        };
        let holder = self.holder.clone().filter(|_| found.index.is_some());
        self.report.locks.push(Lock {
            class: line.own(found.class),
            subclass: found.subclass,
            address: found.address.map(address),
            usage: found.usage.map(|usage| line.own(usage)),
            wait: found.wait.map(|wait| line.own(wait)),
            state,
            comm: holder.as_ref().map(|(comm, _)| comm.clone()),
            holder: holder.map(|(_, pid)| pid),
            function,
            offset: line.start,
        });
    }
}
