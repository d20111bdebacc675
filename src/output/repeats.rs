//! Consecutive equal reports.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::model::Report;

/// Numbers consecutive equal reports: the same task hung again, leaks of one site.
///
/// # Examples
///
/// ```
/// use ksplat::output::Repeats;
///
/// let report = "kernel BUG at fs/a.c:1!\nRIP: 0010:f+0x1/0x2\nCall Trace:\n g+0x1/0x2\n\
///               ---[ end trace 0000000000000000 ]---\n";
/// let log = report.repeat(2);
/// let mut repeats = Repeats::default();
/// let numbers: Vec<u64> =
///     ksplat::reports(log.as_bytes()).map(|report| repeats.number(&report)).collect();
/// assert_eq!(numbers, [1, 2]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Repeats {
    last: Option<u64>,
    /// The number of the last report in its run.
    number: u64,
}

impl Repeats {
    /// Returns the number of the next report of a log in its run of equal ones, from 1.
    pub fn number(&mut self, report: &Report<'_>) -> u64 {
        let key = key(report);
        let is_equal = key.is_some() && key == self.last;
        self.number = if is_equal { self.number + 1 } else { 1 };
        self.last = key;
        self.number
    }
}

/// Returns a hash of the fields that are equal in repetitions.
fn key(report: &Report<'_>) -> Option<u64> {
    let stack = report.crash_stack().or_else(|| report.stacks.first())?;
    let mut hasher = DefaultHasher::new();
    report.title.hash(&mut hasher);
    // Only the same task counts as a repetition of a hang.
    report.task.pid.filter(|_| report.seconds.is_some()).hash(&mut hasher);
    for frame in stack.frames.iter().filter(|frame| frame.reliable) {
        (frame.function.as_deref(), frame.offset).hash(&mut hasher);
    }
    Some(hasher.finish())
}
