//! Lines to reports: which line belongs to which report, and when one is over.

use std::borrow::Cow;

use super::limits::Limits;
use super::open::{Open, Relation};
use super::surroundings::Opening;
use crate::escape;
use crate::kind::Marker;
use crate::log::{self, Context, Line};
use crate::syntax::{self, Record};
use crate::title::Step;

/// How many lines of other things may stand between two lines of one report.
///
/// Other parts of the kernel and, without caller information, other CPUs print in between.
const MAX_SILENCE: usize = 64;

/// How many lines of other contexts may.
///
/// Reports that are printed at the same time do not wait for each other, so this is more.
const MAX_FOREIGN: usize = 1024;

/// How many lines may be between a headline that lost its prefix and the first line below it: an empty
/// one, and `[...]`.
const MAX_BETWEEN: usize = 2;

/// How many lines may be between a headline and the first line of xmon.
const MAX_ABOVE: usize = 4;

/// The most bytes of reports that are complete and wait for an earlier one; a log gives reports in the
/// order in which they begin.
const MAX_WAITING: usize = 8 << 20;

/// Gives a line to a report that is closed above it.
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

/// The reports that may go on, and the rules by which they do.
#[derive(Clone, Debug, Default)]
pub(super) struct Demux<'log> {
    /// In the order in which they start.
    open: Vec<Open<'log>>,
    /// Room of reports that are built, for others.
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

    /// Whether no report takes lines.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes the next line, with the marker that it holds; true if it begins a report.
    ///
    /// `opening` reads the lines above a report that begins.
    pub(super) fn line(
        &mut self,
        line: &Line<'log>,
        marker: Option<&'static Marker>,
        opening: impl FnOnce(&Line<'log>, usize) -> Opening<'log>,
    ) -> bool {
        // The rest of a line that is not there, or was too long.
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

    /// The reports that are not built yet, in the order in which they start.
    pub(super) fn open(&self) -> &[Open<'log>] {
        &self.open
    }

    /// The report that began last.
    pub(super) fn last(&self) -> Option<&Open<'log>> {
        self.open.last()
    }

    /// Notes when the report that began last was printed, by what stands before its headline.
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

    /// Takes out the first report, if it is closed and does not ask for the lines below it; at the end
    /// of the log there are none.
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

    /// What the first report is the headline of, if it has no more than a headline.
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

    /// Takes back the room of a report.
    pub(super) fn give_back(&mut self, room: Vec<Step<'log>>) {
        if self.rooms.len() < self.limits.open {
            self.rooms.push(room);
        }
    }

    /// Whether a line with a marker of information belongs to the report that is open: each line does
    /// to a fault, and the line above a stack to any report.
    fn is_part(&mut self, marker: &Marker, line: &Line<'log>, record: &Record<'_>) -> bool {
        let is_stack = matches!(record, Record::StackStart(_));
        let takes = |report: &mut Open<'_>| is_stack || !report.marker.kind.is_information();
        marker.kind.is_information()
            && (self.open_in(line.context).is_some_and(takes)
                || is_stack && self.bare_headline(line.context).is_some())
    }

    /// Takes a line that holds a marker.
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

    /// Whether one more report may begin. Those that are closed wait for the first one to end.
    fn has_room(&self) -> bool {
        let waiting = || self.open.iter().filter(|report| report.closed);
        let count = waiting().count();
        self.open.len() - count < self.limits.open
            && count <= self.limits.open
            && waiting().map(Open::weight).sum::<usize>() <= MAX_WAITING
    }

    /// Takes any other line.
    fn add(&mut self, line: &Line<'log>, record: &Record<'_>) {
        let context = self.context_of(line);
        // The lines below the end of a report belong to a headline below it.
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

    /// The context of a line. A message with a line feed in it has its prefix on the first line alone: lockdep
    /// prints an empty line before some of its sentences.
    fn context_of(&mut self, line: &Line<'log>) -> Context {
        let above = self.empty.filter(|_| line.context == Context::Bare);
        above.filter(|_| self.open_in(Context::Bare).is_none()).unwrap_or(line.context)
    }

    /// Notes the context of an empty line, for the lines of a report without a prefix that follow at once.
    fn note_empty(&mut self, line: &Line<'log>, record: &Record<'_>) {
        if line.context != Context::Bare {
            self.empty = line.text.trim_ascii().is_empty().then_some(line.context);
        } else if !record.is_of_report() {
            self.empty = None;
        }
    }

    /// Counts a line that no report takes.
    fn pass(&mut self) {
        for report in self.open.iter_mut().filter(|report| !report.closed) {
            report.foreign += 1;
            if report.foreign > MAX_FOREIGN {
                report.close();
            }
        }
    }

    /// The report of which only the headline was read, which has another prefix than the lines below it:
    /// somebody pasted it without, or a prompt precedes it.
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

    /// The report without a stack whose own line, with a marker, has no prefix: xmon of powerpc prints
    /// without printk().
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

    /// The open report to which lines of a context go.
    fn open_in(&mut self, context: Context) -> Option<&mut Open<'log>> {
        self.open.iter_mut().find(|report| !report.closed && report.takes(context))
    }
}
