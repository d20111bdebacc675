//! Lines to regions: which line belongs to which report, and when one is over.

use std::ops::RangeInclusive;

use super::context::Opening;
use super::limits::Limits;
use super::region::Region;
use crate::kind::Marker;
use crate::line::{Context, Line};

/// How many lines of other things may stand between two lines of one report.
///
/// Other parts of the kernel and, without caller information, other CPUs print in between.
const MAX_SILENCE: usize = 64;

/// How many lines of other contexts may.
///
/// Reports that are printed at the same time do not wait for each other, so this is more.
const MAX_FOREIGN: usize = 1024;

/// The most bytes of reports that are complete and wait for an earlier one; a log gives reports in the
/// order in which they begin.
const MAX_WAITING: usize = 8 << 20;

/// How a line came to be two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Joint {
    /// A mail program broke it at a blank.
    Broken,
    /// Netconsole cut it anywhere.
    Cut,
}

/// The widths at which mail programs break lines, in bytes.
const MAIL_WIDTH: RangeInclusive<usize> = 66..=90;

/// What must be known of a line to tell whether the next is the rest of it.
#[derive(Clone, Copy, Debug)]
struct Above {
    /// Where the line below begins.
    next: usize,
    width: usize,
    context: Context,
}

impl Above {
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

/// The reports that may go on, and the rules by which they do.
#[derive(Debug, Default)]
pub(super) struct Tracker<'log> {
    /// In the order in which they start.
    open: Vec<Region<'log>>,
    /// The line that was read last.
    above: Option<Above>,
    pub(super) limits: Limits,
}

impl<'log> Tracker<'log> {
    /// Whether no report may go on: then lines need not be given up to the next that starts one.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes the next line, with the marker that makes it start a report if it does; `opening` tells
    /// what is known of that then. True if one began.
    pub(super) fn line(
        &mut self,
        line: Line<'log>,
        marker: Option<&'static Marker>,
        opening: impl FnOnce(&Line<'log>) -> Opening<'log>,
    ) -> bool {
        for region in &mut self.open {
            region.since += 1;
            region.keep(&line);
        }
        let joint = match self.above {
            Some(_) if marker.is_none() && line.is_rest => Some(Joint::Cut),
            Some(above) if marker.is_none() && above.goes_on_in(&line) => Some(Joint::Broken),
            _ => None,
        };
        let context = match self.above {
            Some(above) if joint.is_some() => above.context,
            _ => line.context,
        };
        self.above = Some(Above { next: line.next(), width: line.end - line.start, context });
        match marker {
            Some(marker) if !self.is_part(marker, &line) => self.start(marker, line, opening),
            _ => {
                self.add(line, joint);
                false
            }
        }
    }

    /// The report that began last.
    pub(super) fn last(&self) -> Option<&Region<'log>> {
        self.open.last()
    }

    /// Ends all reports.
    pub(super) fn close(&mut self) {
        self.open.iter_mut().for_each(|region| region.closed = true);
    }

    /// Takes out the closed reports that no open one precedes.
    pub(super) fn closed(&mut self) -> impl Iterator<Item = Region<'log>> + '_ {
        let ready = self.open.iter().take_while(|region| region.closed).count();
        self.open.drain(..ready)
    }

    /// Whether a line with a marker of information belongs to the report that is open.
    fn is_part(&mut self, marker: &Marker, line: &Line<'log>) -> bool {
        let is_fault = |region: &mut Region<'_>| !region.marker.kind.is_information();
        marker.kind.is_information() && self.open_in(line.context).is_some_and(is_fault)
    }

    /// Takes a line that holds a marker.
    fn start(
        &mut self,
        marker: &'static Marker,
        line: Line<'log>,
        opening: impl FnOnce(&Line<'log>) -> Opening<'log>,
    ) -> bool {
        if let Some(region) = self.open_in(line.context) {
            if region.goes_on_with(marker) {
                region.add_headline(line);
                return false;
            }
            // What is no fault leads to none.
            let may_cause = !region.marker.kind.is_information() || marker.kind.is_information();
            if may_cause && region.caused(&line) {
                region.add_consequence(marker, line);
                return false;
            }
            region.closed = true;
            region.keep(&line);
        }
        if !self.has_room()
            && let Some(oldest) = self.open.iter_mut().find(|region| !region.closed)
        {
            oldest.end_early();
        }
        let opening = opening(&line);
        self.open.push(Region::new(marker, line, opening, self.limits));
        true
    }

    /// Whether one more report may begin. Those that are closed wait for the first one to end.
    fn has_room(&self) -> bool {
        let waiting = || self.open.iter().filter(|region| region.closed);
        let count = waiting().count();
        self.open.len() - count < self.limits.open
            && count <= self.limits.open
            && waiting().map(Region::weight).sum::<usize>() <= MAX_WAITING
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
    }

    /// The open report to which lines of a context go.
    fn open_in(&mut self, context: Context) -> Option<&mut Region<'log>> {
        self.open.iter_mut().find(|region| !region.closed && region.takes(context))
    }
}
