//! Consecutive equal reports: text output has the first one and the number of others; JSON output
//! numbers them.

use std::fmt::Write as _;
use std::io;

use ksplat::Report;
use ksplat::output;

use crate::writer::Writer;

/// A run of equal reports.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    numbers: output::Repeats,
    /// The number of reports of the run that were only counted.
    count: usize,
    /// The line of the last of them.
    line: usize,
}

impl Repeats {
    /// Returns the number of a report in its run of equal ones, from 1.
    pub(crate) fn number(&mut self, report: &Report<'_>) -> u64 {
        self.numbers.number(report)
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
