//! Equal reports in a row: text shows the first, and how many followed.

use std::fmt::Write as _;
use std::io;

use ksplat::Report;

use crate::writer::Writer;

/// The report that was written last, and how many equal ones came since.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    last: Option<Key>,
    count: usize,
    /// The line of the last of them.
    line: usize,
}

/// What is equal in reports of one thing that happened again: the same task hung again, leaks of one site.
#[derive(Debug, Eq, PartialEq)]
struct Key {
    title: String,
    /// A task that hangs again is the same one.
    pid: Option<u64>,
    frames: Vec<(String, Option<u64>)>,
}

impl Key {
    fn of(report: &Report<'_>) -> Option<Self> {
        let stack = report.crash_stack().or_else(|| report.stacks.first())?;
        let frames = stack.frames.iter().filter(|frame| frame.reliable);
        let frames = frames
            .map(|frame| (frame.function.as_deref().unwrap_or_default().to_owned(), frame.offset));
        let pid = report.task.pid.filter(|_| report.seconds.is_some());
        Some(Self { title: report.title.clone(), pid, frames: frames.collect() })
    }
}

impl Repeats {
    /// Whether a report is equal to the one before it, and only counted.
    pub(crate) fn is_repeated(
        &mut self,
        report: &Report<'_>,
        writer: &mut Writer<'_>,
    ) -> io::Result<bool> {
        let key = Key::of(report);
        if key.is_some() && key == self.last {
            self.count += 1;
            self.line = report.span.line;
            return Ok(true);
        }
        self.finish(writer)?;
        self.last = key;
        Ok(false)
    }

    /// Writes how many equal reports followed the last one.
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
