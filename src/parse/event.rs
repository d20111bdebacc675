//! The events of a monitor.

use super::open::Open;
use crate::kind::Kind;
use crate::model::Report;
use crate::title;

/// An event of a [`Monitor`](crate::Monitor).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A report began.
    ///
    /// If the headline may be a quotation by a program or a person, this event comes together with
    /// `Finished`, or not at all. A headline that the kernel repeats below with its report causes
    /// an event of its own; the finished report then has its title in [`Report::alt_titles`].
    Started(Started),
    /// A report is complete, or makes a pause: see [`Monitor::tick`](crate::Monitor::tick).
    Finished(Box<Report<'static>>),
    /// A report continued after its pause. This one replaces the one with the same start of its
    /// [span](Report::span).
    Revised(Box<Report<'static>>),
}

/// The start of a report.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Started {
    /// The offset of its first line, in bytes from the start of the log.
    pub offset: usize,
    /// The number of that line, from 1.
    pub line: usize,
    /// The kind of failure, from the first line.
    pub kind: Kind,
    /// The title from the first line. It often lacks the function, which a later line has.
    pub title: String,
}

/// Makes the event of a report whose function may be in a later line.
pub(super) fn started(open: &Open<'_>) -> Started {
    let (kind, title) = title::so_far(open.marker, &open.outline);
    Started { offset: open.start, line: open.opening.line, kind, title }
}
