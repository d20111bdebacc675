//! What is read of a log, and how much.

use std::time::Duration;

use super::limits::Limits;
use super::mention;
use super::monitor::{Monitor, QUIET};
use super::{Reports, reports_from};
use crate::kind::Marker;
use crate::log_kind;

/// Parses console logs: whole ones by [`reports`](Self::reports), growing ones by a
/// [`monitor`](Self::monitor).
///
/// A parser holds options only. One parser makes any number of readers, in any thread.
///
/// ```
/// use ksplat::{Limits, Parser};
///
/// let parser = Parser::new().with_information(true).with_limits(Limits::default().with_frames(64));
/// let log = b"Out of memory: Killed process 512 (stress) total-vm:2097152kB\n";
/// let report = parser.reports(log).next().expect("a report");
/// assert_eq!(report.title(), "out of memory: killed stress");
///
/// let mut monitor = parser.monitor();
/// assert_eq!(monitor.push(log).count() + monitor.finish().count(), 2);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Parser {
    limits: Limits,
    information: bool,
    any_program: bool,
    quiet: Duration,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new()
    }
}

impl Parser {
    /// The options of [`reports`](crate::reports): crash reports only, the default limits.
    pub fn new() -> Self {
        Self { limits: Limits::default(), information: false, any_program: false, quiet: QUIET }
    }

    /// Limits the size of a report and the number of open ones.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Whether information reports are returned, too: tasks that were killed because memory ran out,
    /// requests for memory that failed, damaged file systems. See
    /// [`Kind::is_information`](crate::Kind::is_information).
    ///
    /// What stands within another report stays a part of it, so that report is the same.
    #[must_use]
    pub fn with_information(self, information: bool) -> Self {
        Self { information, ..self }
    }

    /// Whether lines count whose carrier names another program than the kernel, such as
    /// `Oct 01 10:00:00 host dockerd[812]: panic: …`, and panics of Go programs and of other systems.
    ///
    /// By default they do not: a journal is full of programs that print the words of the kernel.
    ///
    /// ```
    /// use ksplat::Parser;
    ///
    /// let log = b"Oct 01 10:00:00 host dockerd[812]: panic: close of closed channel\n";
    /// assert_eq!(Parser::new().reports(log).count(), 0);
    /// assert_eq!(Parser::new().with_any_program(true).reports(log).count(), 1);
    /// ```
    #[must_use]
    pub fn with_any_program(self, any_program: bool) -> Self {
        Self { any_program, ..self }
    }

    /// Sets the time of silence after which a [`Monitor`] takes open reports for complete at its next
    /// [`tick`](Monitor::tick); [`QUIET`] by default. Whole logs have no time.
    #[must_use]
    pub fn with_quiet(self, quiet: Duration) -> Self {
        Self { quiet, ..self }
    }

    /// The reports of a whole log, in the order in which they start.
    ///
    /// What the iterator promises stands at [`reports`](crate::reports).
    pub fn reports<'log>(&self, log: &'log [u8]) -> Reports<'log> {
        reports_from(*self, log, log_kind::start(log))
    }

    /// A monitor at the start of a log that is still written.
    pub fn monitor(&self) -> Monitor {
        Monitor::of(*self)
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) fn information(&self) -> bool {
        self.information
    }

    pub(super) fn any_program(&self) -> bool {
        self.any_program
    }

    /// Whether a line that holds a marker counts, by the program that its carrier names.
    pub(super) fn takes(&self, raw: &[u8], marker: &Marker) -> bool {
        self.any_program || !mention::is_of_program(raw, marker)
    }

    pub(super) fn quiet(&self) -> Duration {
        self.quiet
    }
}
