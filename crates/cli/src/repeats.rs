//! Consecutive equal reports: text output has the first one and the number of others; JSON output
//! numbers them.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;

use ksplat::Report;

use crate::writer::Writer;

/// A run of equal reports.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    last: Option<u64>,
    /// The number of the last report in its run.
    number: u64,
    /// The number of reports of the run that were only counted.
    count: usize,
    /// The line of the last of them.
    line: usize,
}

/// Returns a hash of the fields that are equal in repetitions: the same task hung again, leaks of
/// one site.
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

impl Repeats {
    /// Returns the number of a report in its run of equal ones, from 1.
    pub(crate) fn number(&mut self, report: &Report<'_>) -> u64 {
        let key = key(report);
        let is_equal = key.is_some() && key == self.last;
        self.number = if is_equal { self.number + 1 } else { 1 };
        self.last = key;
        self.number
    }

    /// Counts a report that is not written.
    pub(crate) fn fold(&mut self, report: &Report<'_>) {
        self.count += 1;
        self.line = report.span.line;
    }

    /// Writes the number of equal reports after the last one.
    pub(crate) fn finish(&mut self, writer: &mut Writer<'_>) -> io::Result<()> {
        let count = std::mem::take(&mut self.count);
        if count == 0 {
            return Ok(());
        }
        let mut text = String::new();
        let (s, line) = (if count == 1 { "" } else { "s" }, self.line);
        let _ = writeln!(text, "\n({count} equal report{s} up to line {line}: --all prints each)");
        writer.add(text.as_bytes())
    }
}
