//! The options of parsing.

use std::time::Duration;

use super::limits::Limits;
use super::mention;
use super::{Reports, reports_from};
use crate::kind::Marker;
use crate::log_kind;

/// The time of silence after which a monitor completes its open reports, by default.
pub const QUIET: Duration = Duration::from_secs(10);

/// The time after the last line of a report at which a monitor returns it, by default.
pub const PAUSE: Duration = Duration::from_secs(1);

/// Parses console logs: whole logs with [`reports`](Self::reports), growing logs with a
/// [`monitor`](Self::monitor).
///
/// A parser holds options only. It can be copied, and makes any number of iterators and monitors in
/// any thread.
///
/// # Examples
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
    pause: Duration,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new()
    }
}

impl Parser {
    /// Makes a parser with the options of [`reports`](crate::reports): crash reports only, the
    /// default limits.
    pub fn new() -> Self {
        Self {
            limits: Limits::default(),
            information: false,
            any_program: false,
            quiet: QUIET,
            pause: PAUSE,
        }
    }

    /// Sets the limits on the size of a report and on the number of open reports.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets whether information reports are returned as well: out-of-memory kills, failed page
    /// allocations, damaged file systems. See
    /// [`Kind::is_information`](crate::Kind::is_information).
    ///
    /// Information inside a crash report stays a part of that report, which is the same with either
    /// setting.
    #[must_use]
    pub fn with_information(self, information: bool) -> Self {
        Self { information, ..self }
    }

    /// Sets whether to parse lines whose prefix names a program other than the kernel, such as `Oct
    /// 01 10:00:00 host dockerd[812]: panic: …`, and panics of Go programs and of other systems.
    ///
    /// False by default, because programs in a journal print the same words as the kernel.
    ///
    /// # Examples
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

    /// Sets the time of silence after which [`Monitor::tick`](crate::Monitor::tick) completes the open reports; [`QUIET`],
    /// 10 seconds, by default. [`reports`](Self::reports) does not use it.
    #[must_use]
    pub fn with_quiet(self, quiet: Duration) -> Self {
        Self { quiet, ..self }
    }

    /// Sets the time after the last line of a report at which [`Monitor::tick`](crate::Monitor::tick) returns it, before it is
    /// complete; [`PAUSE`], 1 second, by default. [`reports`](Self::reports) does not use it.
    #[must_use]
    pub fn with_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// Returns the reports of a whole log, in the order in which they start.
    ///
    /// See [`reports`](crate::reports) for the guarantees of the iterator.
    pub fn reports<'log>(&self, log: &'log [u8]) -> Reports<'log> {
        reports_from(*self, log, log_kind::start(log))
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

    /// Returns whether a line with a marker is parsed, by the program that its prefix names.
    pub(super) fn takes(&self, raw: &[u8], marker: &Marker) -> bool {
        self.any_program || !mention::is_of_program(raw, marker)
    }

    pub(super) fn pause(&self) -> Duration {
        self.pause
    }

    pub(super) fn quiet(&self) -> Duration {
        self.quiet
    }
}
