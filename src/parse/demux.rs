//! Assigns lines to reports, and ends reports.

use std::borrow::Cow;

use super::limits::Limits;
use super::open::{Open, Relation};
use super::surroundings::Opening;
use crate::escape;
use crate::kind::Marker;
use crate::log::{self, Context, Line};
use crate::syntax::{self, Record};
use crate::title::Step;

/// The maximum number of unrelated lines between two lines of one report.
///
/// Other parts of the kernel and, without caller information, other CPUs print in between.
const MAX_SILENCE: usize = 64;

/// The maximum number of lines of other contexts between them.
///
/// Reports are printed concurrently, so this is more.
const MAX_FOREIGN: usize = 1024;

/// The maximum number of lines between a headline without its prefix and the first line below it:
/// an empty one, and `[...]`.
const MAX_BETWEEN: usize = 2;

/// The maximum number of lines between a headline and the first line of xmon.
const MAX_ABOVE: usize = 4;

/// The maximum size in bytes of complete reports that wait for an earlier one: reports are returned
/// in the order in which they begin.
const MAX_WAITING: usize = 8 << 20;

/// Adds a line to a closed report above it.
fn below<'log>(report: &mut Open<'log>, line: &Line<'log>, record: &Record<'_>) {
    if report.asks_for_more() {
        report.take_below(line, record);
    }
    report.pass();
}

/// The role of a report that has only a headline.
enum Heads {
    /// A report of its own.
    Nothing,
    /// It depends on a report below that is still open.
    Undecided,
    /// The headline of the report with this index.
    Report(usize),
}

/// The open reports, and the rules by which they end.
#[derive(Clone, Debug, Default)]
pub(super) struct Demux<'log> {
    /// The open reports, in the order in which they start.
    open: Vec<Open<'log>>,
    /// The buffers of completed reports, for reuse.
    rooms: Vec<Vec<Step<'log>>>,
    /// The context of the line above, if it has a prefix and no text.
    empty: Option<Context>,
    /// Offset of the end of the last headline.
    pub(super) headline_end: usize,
    limits: Limits,
}

impl<'log> Demux<'log> {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Returns whether no report is open.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Reads the next line, with its marker if it has one; true if it begins a report.
    ///
    /// `opening` reads the lines above a report that begins.
    pub(super) fn line(
        &mut self,
        line: &Line<'log>,
        marker: Option<&'static Marker>,
        opening: impl FnOnce(&Line<'log>, usize) -> Opening<'log>,
    ) -> bool {
        // The rest of a line that is missing, or was too long.
        if line.is_rest && marker.is_none() {
            return false;
        }
        if line.is_wrapping {
            self.pass();
            return false;
        }
        let record = syntax::record(&line.text);
        self.note_empty(line, &record);
        for report in self.open.iter_mut().filter(|report| report.closed) {
            below(report, line, &record);
        }
        match marker {
            Some(marker) if !self.is_part(marker, line, &record) => {
                self.start(marker, line, &record, opening)
            }
            _ => {
                self.add(line, &record);
                false
            }
        }
    }

    /// Returns the reports that are not built yet, in the order in which they start.
    pub(super) fn open(&self) -> &[Open<'log>] {
        &self.open
    }

    /// Returns the report that began last.
    pub(super) fn last(&self) -> Option<&Open<'log>> {
        self.open.last()
    }

    /// Sets the time of the report that began last, from the prefix of its headline.
    pub(super) fn set_time(&mut self, carrier: &[u8]) {
        if let Some(report) = self.open.last_mut() {
            report.opening.time = log::boot_time(carrier);
            let wall_time = log::wall_time(carrier);
            report.opening.wall_time =
                wall_time.map(|date| Cow::Owned(escape::text(date).into_owned()));
        }
    }

    /// Ends all reports.
    pub(super) fn close(&mut self) {
        self.open.iter_mut().for_each(Open::close);
    }

    /// Removes the first report, if it is closed and needs no lines below it; at the end of the log
    /// there are none.
    pub(super) fn closed(&mut self, is_end: bool) -> Option<Open<'log>> {
        loop {
            let first = self.open.first()?;
            if !first.closed || (!is_end && first.asks_for_more()) {
                return None;
            }
            match self.heads() {
                Heads::Nothing => return Some(self.open.remove(0)),
                Heads::Undecided => return None,
                Heads::Report(index) => {
                    let above = self.open.remove(0);
                    self.open.get_mut(index - 1)?.take_echo(above);
                }
            }
        }
    }

    /// Returns the role of the first report, if it has only a headline.
    fn heads(&self) -> Heads {
        let Some((first, below)) = self.open.split_first().filter(|(first, _)| first.is_bare())
        else {
            return Heads::Nothing;
        };
        let near = below.iter().take_while(|report| report.is_near(first));
        for (index, report) in near.enumerate() {
            if !report.closed {
                return Heads::Undecided;
            }
            if !report.is_bare() {
                let is_headed = report.is_headed_by(first);
                return if is_headed { Heads::Report(index + 1) } else { Heads::Nothing };
            }
        }
        Heads::Nothing
    }

    /// Stores the buffer of a report for reuse.
    pub(super) fn give_back(&mut self, room: Vec<Step<'log>>) {
        if self.rooms.len() < self.limits.open {
            self.rooms.push(room);
        }
    }

    /// Returns whether a line with a marker of information is a part of the open report: each such
    /// line is a part of a fault, and the line above a stack is a part of any report.
    fn is_part(&mut self, marker: &Marker, line: &Line<'log>, record: &Record<'_>) -> bool {
        let is_stack = matches!(record, Record::StackStart(_));
        let takes = |report: &mut Open<'_>| is_stack || !report.marker.kind.is_information();
        marker.kind.is_information()
            && (self.open_in(line.context).is_some_and(takes)
                || is_stack && self.bare_headline(line.context).is_some())
    }

    /// Reads a line with a marker.
    fn start(
        &mut self,
        marker: &'static Marker,
        line: &Line<'log>,
        record: &Record<'_>,
        opening: impl FnOnce(&Line<'log>, usize) -> Opening<'log>,
    ) -> bool {
        if let Some(report) = self.headline_above(marker, line) {
            report.context = line.context;
            report.add_own(line, record);
            return false;
        }
        if let Some(report) = self.open_in(line.context) {
            if report.goes_on_with(marker) {
                report.add_headline(line);
                return false;
            }
            if report.has_part(line) {
                report.add_part(line, record);
                return false;
            }
            // An information report does not cause a fault.
            let may_cause = !report.marker.kind.is_information() || marker.kind.is_information();
            if let Some(relation) = report.relation(marker, line).filter(|_| may_cause) {
                match relation {
                    Relation::Own => report.add_own(line, record),
                    Relation::Consequence => report.add_consequence(marker, line, record),
                }
                return false;
            }
            report.close();
            below(report, line, record);
        }
        if !self.has_room()
            && let Some(oldest) = self.open.iter_mut().find(|report| !report.closed)
        {
            oldest.end_early();
        }
        let opening = opening(line, self.headline_end);
        self.headline_end = line.end;
        let room = self.rooms.pop().unwrap_or_default();
        self.open.push(Open::new(marker, line, record, opening, self.limits, room));
        true
    }

    /// Returns whether one more report may begin. Closed reports wait for the first one to end.
    fn has_room(&self) -> bool {
        let waiting = || self.open.iter().filter(|report| report.closed);
        let count = waiting().count();
        self.open.len() - count < self.limits.open
            && count <= self.limits.open
            && waiting().map(Open::weight).sum::<usize>() <= MAX_WAITING
    }

    /// Adds any other line.
    fn add(&mut self, line: &Line<'log>, record: &Record<'_>) {
        let context = self.context_of(line);
        // The lines below the end of a report belong to the headline below it.
        let is_of_next = record.is_of_report() && self.bare_headline(context).is_some();
        if is_of_next && let Some(over) = self.open_in(context).filter(|over| over.gives_way()) {
            over.close();
        }
        match self.open_in(context) {
            Some(report) => {
                report.add(line, record);
                if report.silence > MAX_SILENCE {
                    report.close();
                }
            }
            None => match self.bare_headline(context) {
                Some(report) if record.is_of_report() => {
                    report.context = context;
                    report.add(line, record);
                }
                _ => self.pass(),
            },
        }
    }

    /// Returns the context of a line. A message with a line feed has its prefix on the first line
    /// only: lockdep prints an empty line before some of its sentences.
    fn context_of(&mut self, line: &Line<'log>) -> Context {
        let above = self.empty.filter(|_| line.context == Context::Bare);
        above.filter(|_| self.open_in(Context::Bare).is_none()).unwrap_or(line.context)
    }

    /// Stores the context of an empty line, for the lines without a prefix directly below it.
    fn note_empty(&mut self, line: &Line<'log>, record: &Record<'_>) {
        if line.context != Context::Bare {
            self.empty = line.text.trim_ascii().is_empty().then_some(line.context);
        } else if !record.is_of_report() {
            self.empty = None;
        }
    }

    /// Counts a line that belongs to no report.
    fn pass(&mut self) {
        for report in self.open.iter_mut().filter(|report| !report.closed) {
            report.foreign += 1;
            if report.foreign > MAX_FOREIGN {
                report.close();
            }
        }
    }

    /// Returns the report with only a headline, whose prefix differs from that of the lines below
    /// it: the headline was pasted without prefix, or follows a prompt.
    fn bare_headline(&mut self, context: Context) -> Option<&mut Open<'log>> {
        let is_bare = |report: &Open<'_>| {
            let has_lost = report.context == Context::Bare
                || report.context == Context::Console && context == Context::Bare;
            has_lost
                && report.is_headline(MAX_BETWEEN)
                && report.needs_stack()
                && report.foreign <= MAX_BETWEEN
        };
        self.open.last_mut().filter(|report| !report.closed && is_bare(report))
    }

    /// Returns the report without a stack whose own line, with a marker, has no prefix: xmon of
    /// powerpc prints without printk().
    fn headline_above(&mut self, marker: &Marker, line: &Line<'log>) -> Option<&mut Open<'log>> {
        let is_above = |report: &Open<'_>| {
            report.context != line.context
                && report.foreign <= MAX_ABOVE
                && report.lacks_stack()
                && matches!(report.relation(marker, line), Some(Relation::Own))
        };
        let is_bare = line.context == Context::Bare;
        self.open.last_mut().filter(|report| is_bare && !report.closed && is_above(report))
    }

    /// Returns the open report for lines of a context.
    fn open_in(&mut self, context: Context) -> Option<&mut Open<'log>> {
        self.open.iter_mut().find(|report| !report.closed && report.takes(context))
    }
}
