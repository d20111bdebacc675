//! Parses a log: assigns lines to reports, and ends each report.
//!
//! While no report is open, `scan` jumps to the next line that starts one. While one is open, each
//! line is joined with its rest (`join`), read once by `syntax`, and its record given to the report
//! whose context it has (`demux`). The report keeps no lines: it adds the record to the model
//! (`build`) and to the outline that its title is made from. It is closed when the next one of its
//! context begins, when nothing more of it was seen for a while, or at the end of the log; then the
//! facts that need all of it are added (`complete`).

mod build;
mod complete;
mod contention;
mod convert;
mod cpu_state;
mod demux;
mod event;
mod join;
mod limits;
mod log_flags;
mod machine;
mod mention;
mod monitor;
mod open;
mod parser;
mod pause;
mod surroundings;
mod who;
mod whole;

use std::collections::VecDeque;
use std::iter::FusedIterator;

use crate::log::{Line, MAX_LINE, Shape};
use crate::model::Report;
use crate::scan::{self, Start};
use demux::Demux;
use log_flags::LogFlags;
use surroundings::Opening;

pub use event::{Event, Started};
pub use limits::{Limits, MAX_FRAMES, MAX_LINES, MAX_OPEN};
pub use monitor::Monitor;
pub use parser::{PAUSE, Parser, QUIET};
pub use surroundings::text;

/// Finds the reports of a console log, in the order in which they start: [`Parser::reports`] with the
/// default options.
///
/// A report that was caused by the one before it in the same context is one of the
/// [`consequences`](Report::consequences) of that one. The lines are those of `printk`; of a
/// syzkaller bisection log only the crash at its end is read.
///
/// Never fails and never panics: parts that cannot be read are in [`Report::corrupted`] and
/// [`Report::diagnostics`]. Time is linear in the log; memory is bounded by the reports that are
/// open at the same time ([`MAX_OPEN`], each of at most [`MAX_LINES`] lines).
///
/// ```
/// let log = b"BUG: kernel NULL pointer dereference, address: 0000000000000008\n\
///             RIP: 0010:cm_a_lookup+0x1d/0x40 [crashme]\n\
///             Call Trace:\n cm_a_open+0x5/0x10 [crashme]\n cm_write+0x139/0x1d0 [crashme]\n";
/// let reports: Vec<_> = ksplat::reports(log).collect();
/// assert_eq!(reports.len(), 1);
/// assert_eq!(
///     reports[0].title(),
///     "BUG: unable to handle kernel NULL pointer dereference in cm_a_lookup"
/// );
/// ```
pub fn reports(log: &[u8]) -> Reports<'_> {
    Parser::new().reports(log)
}

/// Returns the reports of a log from an offset on.
pub(crate) fn reports_from(parser: Parser, log: &[u8], at: usize) -> Reports<'_> {
    Reports {
        parser,
        log,
        at,
        next: None,
        demux: Demux::new(parser.limits()),
        done: VecDeque::new(),
        lines: LineCount { log, at: 0, line: 1 },
        shape: Shape::PLAIN,
        facts: None,
    }
}

/// An iterator over the reports of a log; see [`reports`].
#[derive(Debug)]
pub struct Reports<'log> {
    parser: Parser,
    log: &'log [u8],
    /// The start of the next line.
    at: usize,
    /// The next line that starts a report, if it has been searched.
    next: Option<Option<Start>>,
    /// The open reports.
    demux: Demux<'log>,
    /// Complete reports that start before all open ones.
    done: VecDeque<Report<'log>>,
    lines: LineCount<'log>,
    /// The prefix of the lines of the report that began last.
    shape: Shape,
    /// The flags of the whole log, once they are needed.
    facts: Option<LogFlags>,
}

impl<'log> Iterator for Reports<'log> {
    type Item = Report<'log>;

    fn next(&mut self) -> Option<Report<'log>> {
        loop {
            if let Some(report) = self.done.pop_front() {
                return Some(report);
            }
            if !self.step() && self.done.is_empty() {
                return None;
            }
        }
    }
}

impl FusedIterator for Reports<'_> {}

impl Reports<'_> {
    /// Reads one line; false at the end of the log.
    fn step(&mut self) -> bool {
        let start = *self
            .next
            .get_or_insert_with(|| scan::next_start(self.log, self.at, self.parser.information()));
        if self.demux.is_idle() {
            match start {
                Some(start) => self.at = start.at,
                None => return false,
            }
        }
        let start = start.filter(|start| start.at == self.at);
        let learned = start.map(|start| start.shape(self.log));
        let shape = learned.as_ref().unwrap_or(&self.shape);
        let read = if learned.is_some() { Line::headline } else { Line::at };
        let Some(mut line) = read(self.log, self.at, shape) else {
            self.demux.close();
            self.flush(true);
            return false;
        };
        let marker = start.map(|start| start.marker);
        if marker.is_some() {
            self.next = None;
        }
        let raw = self.log.get(line.start..line.end.min(line.start + MAX_LINE)).unwrap_or_default();
        let marker = marker.filter(|marker| self.parser.takes(raw, marker));
        let carrier = raw.len().saturating_sub(line.text.len());
        join::whole(self.log, &mut line, marker.is_some(), self.parser.information(), shape);
        self.at = line.next();
        let (whole, lines, facts) = (self.log, &mut self.lines, &mut self.facts);
        let began = self.demux.line(&line, marker, |line, last| {
            let facts = facts.get_or_insert_with(|| LogFlags::of(whole));
            let above = whole.get(..line.start).unwrap_or_default();
            Opening::of(above, line, last, lines.of(line.start), facts.executors, shape)
        });
        if began {
            self.demux.set_time(raw.get(..carrier).unwrap_or_default());
            self.shape = learned.unwrap_or(Shape::PLAIN);
        }
        self.flush(false);
        true
    }

    /// Builds the closed reports that start before all open ones.
    fn flush(&mut self, is_end: bool) {
        while let Some(open) = self.demux.closed(is_end) {
            let facts = *self.facts.get_or_insert_with(|| LogFlags::of(self.log));
            if open.is_mention(self.parser.any_program()) {
                continue;
            }
            let (report, room) = complete::report(open, facts);
            self.demux.give_back(room);
            self.done.push_back(report);
        }
    }
}

/// Counts lines up to offsets, which must be in the order of the log.
#[derive(Debug)]
struct LineCount<'log> {
    log: &'log [u8],
    at: usize,
    line: usize,
}

impl LineCount<'_> {
    /// Returns the number of the line that begins at `offset`, from 1.
    fn of(&mut self, offset: usize) -> usize {
        let between = self.log.get(self.at..offset).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', between).count();
        self.at = self.at.max(offset);
        self.line
    }
}
