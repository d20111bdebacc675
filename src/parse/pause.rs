//! The reports that a monitor returns before they are complete.

use std::collections::BTreeMap;
use std::time::Duration;

use super::event::Event;
use super::open::Open;
use crate::model::Report;
use crate::scan::END_PANIC;
use crate::search;

/// Texts of lines after which no line of a report follows: panic() in kernel/panic.c prints the
/// first two, start_kernel() in init/main.c the third, kdb_local() in kernel/debug/kdb/kdb_main.c
/// the last.
const LAST: [&str; 4] = [END_PANIC, "Rebooting in ", "Linux version ", "Entering kdb ("];

/// Returns whether one of some lines reports that the kernel halts or boots.
pub(super) fn halts_or_boots(lines: &[u8]) -> bool {
    LAST.iter().any(|text| search::has(lines, text))
}

/// The reports that may make a pause, and those that were returned in one.
#[derive(Clone, Debug, Default)]
pub(super) struct Pauses {
    /// By the offset of their start in the log.
    all: BTreeMap<usize, Pause>,
    /// Offset in the log up to which the lines were searched for the end of all reports.
    pub(super) searched: usize,
    /// The offset in the log of the end of the lines when the log was last silent.
    silent: Option<usize>,
}

#[derive(Clone, Debug, Default)]
struct Pause {
    /// The offset of the end of its last line, the time at which that was first seen, and whether
    /// the report has been returned since.
    end: usize,
    since: Duration,
    is_asked: bool,
    /// Whether its end was printed, and a line of something else below it.
    is_over: bool,
    /// The report as it was returned.
    given: Option<Box<Report<'static>>>,
}

impl Pauses {
    /// Updates the open reports and their ends. Those that begin below `above` are not parsed yet.
    pub(super) fn note(&mut self, open: &[Open<'_>], above: usize, now: Duration) {
        let is_open = |start| start >= above || open.iter().any(|open| open.start == start);
        self.all.retain(|start, _| is_open(*start));
        for open in open.iter().filter(|open| !open.is_bare()) {
            let pause = self.all.entry(open.start).or_default();
            if pause.end != open.end {
                (pause.end, pause.since, pause.is_asked) = (open.end, now, false);
            }
            pause.is_over = open.is_over();
        }
    }

    /// Returns whether a report is due, and marks it as returned: all reports, or those that are
    /// over or had no line for the time of a pause. `place` is the end of the lines.
    pub(super) fn are_due(
        &mut self,
        all: bool,
        place: usize,
        now: Duration,
        pause: Duration,
    ) -> bool {
        if all {
            return self.silent.replace(place) != Some(place);
        }
        let is_due = |report: &&mut Pause| {
            let is_silent = now.saturating_sub(report.since) >= pause;
            !report.is_asked && report.end > 0 && (report.is_over || is_silent)
        };
        let due = self.all.values_mut().filter(is_due);
        due.map(|report| report.is_asked = true).count() > 0
    }

    /// Returns the event of a report in a pause; `None` if it is not due, or was returned
    /// unchanged.
    pub(super) fn paused(&mut self, all: bool, report: Box<Report<'static>>) -> Option<Event> {
        let pause = self.all.entry(report.span.start).or_default();
        if !all && !pause.is_asked {
            return None;
        }
        let event = event(pause.given.as_deref(), &report)?;
        pause.given = Some(report.clone());
        Some(event(report))
    }

    /// Returns the event of a complete report; `None` if it was returned unchanged.
    pub(super) fn complete(&mut self, report: Box<Report<'static>>) -> Option<Event> {
        let given = self.all.remove(&report.span.start).and_then(|pause| pause.given);
        event(given.as_deref(), &report).map(|event| event(report))
    }
}

/// Returns the event of a report.
fn event(
    given: Option<&Report<'static>>,
    report: &Report<'static>,
) -> Option<fn(Box<Report<'static>>) -> Event> {
    match given {
        None => Some(Event::Finished),
        Some(given) if given == report => None,
        Some(_) => Some(Event::Revised),
    }
}
