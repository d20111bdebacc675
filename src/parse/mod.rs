//! From a log to its reports: which lines belong to which report, and where it ends.
//!
//! The log is read once, from start to end. While no report is open, `scan` jumps to the next
//! line that starts one; while one is open, each line goes to the report whose context it has.
//! A report is closed, and built, when the next one of its context begins, when nothing more of
//! it was seen for a while, or at the end of the log.

mod build;
mod class;
mod context;
mod dump;
mod facts;
mod region;

use std::collections::VecDeque;
use std::iter::FusedIterator;
use std::ops::RangeInclusive;

use crate::console;
use crate::kind::Marker;
use crate::line::{Context, Line};
use crate::model::Report;
use crate::scan::{self, Start};
use facts::Facts;
use region::Region;

pub use context::text;

/// The most lines that a report may have. The rest is left out, and the report says so.
///
/// The longest reports that kernels print (all locks of a system, a stack for each CPU) have some
/// thousand; the limit keeps the memory for one report below a megabyte.
pub const MAX_LINES: usize = 4096;

/// How many lines of other things may stand between two lines of one report.
///
/// Other parts of the kernel and, without caller information, other CPUs print in between.
const MAX_SILENCE: usize = 64;

/// How many lines of other contexts may.
///
/// Reports that are printed at the same time do not wait for each other, so this is more.
const MAX_FOREIGN: usize = 1024;

/// The most reports that are open at the same time, one for each context.
///
/// A machine has at most as many as CPUs that crash at once; the limit keeps hostile logs, with a
/// context for every line, from making each line compare against all of them.
const MAX_OPEN: usize = 16;

/// Finds the reports of a console log, in the order in which they start.
///
/// A report that was caused by the one before it in the same context is listed with that one, as
/// one of its [`consequences`](Report::consequences). The lines are those that `printk` makes;
/// of a syzkaller bisection log only the crash at its end is read.
///
/// Never fails and never panics: what cannot be read is told by [`Report::corrupted`] and
/// [`Report::diagnostics`]. Time is linear in the log; memory is bounded by the reports that are
/// open at the same time (16, each of at most [`MAX_LINES`] lines).
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
    reports_from(log, console::start(log))
}

/// The reports of a log from a byte on.
pub(crate) fn reports_from(log: &[u8], at: usize) -> Reports<'_> {
    Reports {
        log,
        at,
        next: None,
        open: Vec::new(),
        done: VecDeque::new(),
        information: false,
        lines: LineCount { log, at: 0, line: 1 },
        facts: None,
        above: None,
    }
}

/// An iterator over the reports of a log; see [`reports`].
#[derive(Debug)]
pub struct Reports<'log> {
    log: &'log [u8],
    /// The line that is read next.
    at: usize,
    /// The next line that starts a report, if that has been looked for.
    next: Option<Option<Start>>,
    /// Reports that may go on, in the order in which they start.
    open: Vec<Region<'log>>,
    /// Reports that are whole, and start before all that are open.
    done: VecDeque<Report<'log>>,
    /// Whether reports are given that tell of no fault.
    information: bool,
    lines: LineCount<'log>,
    /// What the whole log says, once that is asked.
    facts: Option<Facts>,
    /// The line that was read last.
    above: Option<Above<'log>>,
}

/// How a line came to be two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Joint {
    /// A mail program broke it at a blank.
    Broken,
    /// Netconsole cut it anywhere.
    Cut,
}

/// The widths at which mail programs break lines, in bytes.
const MAIL_WIDTH: RangeInclusive<usize> = 66..=90;

/// What must be known of a line to tell whether the next is the rest of it.
#[derive(Clone, Copy, Debug)]
struct Above<'log> {
    /// Where the line below begins.
    next: usize,
    width: usize,
    context: Context<'log>,
}

impl Above<'_> {
    /// Whether `line` is the rest of this one, which a mail program broke.
    ///
    /// Such a line has no prefix where this one has, and its first word did not fit behind this one.
    /// That is told by the lines alone, so that it does not depend on which reports are open.
    fn goes_on_in(&self, line: &Line<'_>) -> bool {
        let word = line.text.iter().take_while(|b| !b.is_ascii_whitespace()).count();
        line.start == self.next
            && self.context != Context::Bare
            && line.context == Context::Bare
            && word > 0
            && self.width <= *MAIL_WIDTH.end()
            && self.width + 1 + word > *MAIL_WIDTH.start()
    }
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

impl<'log> Reports<'log> {
    /// The same with reports that tell what happened without a fault of the kernel: tasks that were
    /// killed because memory ran out, requests for memory that failed, damaged file systems. See
    /// [`Kind::is_information`](crate::Kind::is_information).
    ///
    /// What stands within another report stays a part of it, so that report is the same.
    ///
    /// ```
    /// let log = b"Out of memory: Killed process 512 (stress) total-vm:2097152kB\n";
    /// assert_eq!(ksplat::reports(log).count(), 0);
    /// let report = ksplat::reports(log).with_information().next().expect("a report");
    /// assert_eq!(report.title(), "out of memory: killed stress");
    /// assert!(report.kind.is_information());
    /// ```
    #[must_use]
    pub fn with_information(self) -> Self {
        Self { information: true, ..self }
    }

    /// Reads on; false at the end of the log.
    fn step(&mut self) -> bool {
        let start =
            *self.next.get_or_insert_with(|| scan::next_start(self.log, self.at, self.information));
        if self.open.is_empty() {
            match start {
                Some(start) => self.at = start.at,
                None => return false,
            }
        }
        let Some(line) = Line::at(self.log, self.at) else {
            self.open.iter_mut().for_each(|region| region.closed = true);
            self.flush();
            return false;
        };
        self.at = line.next();
        let is_start = start.is_some_and(|start| start.at == line.start);
        let joint = match self.above {
            Some(_) if !is_start && line.is_rest => Some(Joint::Cut),
            Some(above) if !is_start && above.goes_on_in(&line) => Some(Joint::Broken),
            _ => None,
        };
        let context = match self.above {
            Some(above) if joint.is_some() => above.context,
            _ => line.context,
        };
        self.above = Some(Above { next: line.next(), width: line.end - line.start, context });
        if is_start {
            self.next = None;
        }
        match start {
            Some(start) if is_start && !self.is_part(start.marker, &line) => {
                self.start(start.marker, line);
            }
            _ => self.add(line, joint),
        }
        true
    }

    /// Whether a line with a marker of information belongs to the report that is open.
    fn is_part(&mut self, marker: &Marker, line: &Line<'log>) -> bool {
        let is_fault = |region: &mut Region<'_>| !region.marker.kind.is_information();
        marker.kind.is_information() && self.open_in(line.context).is_some_and(is_fault)
    }

    /// Takes a line that holds a marker.
    fn start(&mut self, marker: &'static Marker, line: Line<'log>) {
        if let Some(region) = self.open_in(line.context) {
            if region.goes_on_with(marker) {
                return region.add_headline(line);
            }
            // What is no fault leads to none.
            let may_cause = !region.marker.kind.is_information() || marker.kind.is_information();
            if may_cause && region.caused(&line) {
                return region.add_consequence(marker, line);
            }
            region.closed = true;
        }
        if self.open.len() >= MAX_OPEN {
            self.open.iter_mut().for_each(|region| region.closed = true);
        }
        self.flush();
        self.open.push(Region::new(marker, line));
    }

    /// Takes any other line, which may be the rest of the line above it.
    fn add(&mut self, line: Line<'log>, joint: Option<Joint>) {
        let below_headline = |region: &&mut Region<'_>| {
            line.context == Context::Bare && region.has_open_headline(line.start)
        };
        if let Some(region) = self.open.iter_mut().find(below_headline) {
            return region.join(&line, Joint::Broken);
        }
        if let Some(joint) = joint {
            if let Some(region) = self.open.iter_mut().find(|region| region.is_above(line.start)) {
                region.join(&line, joint);
            }
            return;
        }
        match self.open_in(line.context) {
            Some(region) => {
                region.add(line);
                region.closed = region.silence > MAX_SILENCE;
            }
            None => {
                for region in &mut self.open {
                    region.foreign += 1;
                    region.closed |= region.foreign > MAX_FOREIGN;
                }
            }
        }
        self.flush();
    }

    /// The open report to which lines of a context go.
    fn open_in(&mut self, context: Context<'log>) -> Option<&mut Region<'log>> {
        self.open.iter_mut().find(|region| !region.closed && region.takes(context))
    }

    /// Builds the closed reports that no open one precedes.
    fn flush(&mut self) {
        let ready = self.open.iter().take_while(|region| region.closed).count();
        for region in self.open.drain(..ready) {
            let line = self.lines.of(region.start());
            let facts = *self.facts.get_or_insert_with(|| Facts::of(self.log));
            let before = if facts.executors {
                context::before(self.log, region.start(), region.context)
            } else {
                Vec::new()
            };
            let after = || context::after(self.log, &region);
            let mut report = build::report(&region, line, &before, after, facts);
            report.message = context::message(self.log, &region);
            self.done.push_back(report);
        }
    }
}

/// Counts lines up to places that come in the order of the log.
#[derive(Debug)]
struct LineCount<'log> {
    log: &'log [u8],
    at: usize,
    line: usize,
}

impl LineCount<'_> {
    /// The number of the line that begins at `offset`, from 1.
    fn of(&mut self, offset: usize) -> usize {
        let between = self.log.get(self.at..offset).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', between).count();
        self.at = self.at.max(offset);
        self.line
    }
}
