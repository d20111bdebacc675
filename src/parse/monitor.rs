//! Reports out of a log that is still being written.

use std::collections::VecDeque;
use std::collections::vec_deque::Drain;
use std::time::Duration;

use memchr::{memchr, memchr_iter, memrchr};

use super::build;
use super::demux::Demux;
use super::join;
use super::log_flags::LogFlags;
use super::open::Open;
use super::parser::Parser;
use super::surroundings::{MAX_ABOVE, Opening};
use crate::kind::{Kind, Marker};
use crate::log::{self, Line, MAX_LINE, Shape};
use crate::log_kind;
use crate::model::Report;
use crate::scan::{self, Start};
use crate::title;

/// How much of a chunk is taken in at once, in bytes: what is kept grows by no more.
const PIECE: usize = 64 * 1024;

/// How long a console is silent before its reports are taken for complete.
pub const QUIET: Duration = Duration::from_secs(10);

/// Finds reports in a log that comes in chunks of any size.
///
/// It gives the same reports, titles and [spans](Report::span) as [`reports`](crate::reports) gives for
/// the whole log, whatever the chunks; but `panicked`, `suppressed`, and that the console was lost, are
/// told only of what had come when the report was complete, and since the machine booted last. A report is complete when the next one of
/// its context begins, when nothing more of it came for some lines or, as
/// [`tick`](Self::tick) says, for some time.
///
/// Memory is bounded by 32 MB whatever comes: at most [`MAX_OPEN`](crate::MAX_OPEN) reports are open,
/// each of at most [`MAX_LINES`](crate::MAX_LINES) lines and 384 KiB; of a line 64 KiB are kept, and of the log above
/// a report as much. What is left out is told by [`Report::corrupted`].
///
/// ```
/// use ksplat::{Event, Monitor};
///
/// let mut monitor = Monitor::new();
/// assert_eq!(monitor.push(b"[ 1.0] usb 1-1: new device\n[ 1.5] kernel BU").count(), 0);
/// let begun: Vec<_> = monitor.push(b"G at fs/a.c:1!\n[ 1.6] RIP: 0010:f+0x1/0x2\n").collect();
/// let [Event::Started(started)] = &begun[..] else { panic!("{begun:?}") };
/// assert_eq!((started.line, started.title.as_str()), (2, "kernel BUG"));
/// let ended: Vec<_> = monitor.finish().collect();
/// let [Event::Finished(report)] = &ended[..] else { panic!("{ended:?}") };
/// assert_eq!((report.title(), report.span.line), ("kernel BUG in f", 2));
/// ```
#[derive(Debug)]
pub struct Monitor {
    /// What is kept of the log: complete lines that were read, then what was not yet read.
    buffer: Vec<u8>,
    /// Offset in the log of the first byte of the buffer.
    base: usize,
    /// Where in the buffer the next line begins.
    at: usize,
    /// Where in the buffer the line begins that has no end yet.
    complete: usize,
    /// Bytes of the last line that were left out, as it is too long.
    dropped: usize,
    /// The number of the next line, from 1.
    line: usize,
    /// Up to where in the log no further line starts a report, or the line that does.
    next: Next,
    head: Head,
    /// The prefix of the lines of the report that began last.
    shape: Shape,
    demux: Demux<'static>,
    /// The line that may go on, by its offset in the log, and up to where lines had come then.
    held: Option<(usize, usize)>,
    facts: LogFlags,
    events: VecDeque<Event>,
    parser: Parser,
    /// When bytes came last, as far as a tick told.
    last: Option<Duration>,
    is_fresh: bool,
}

/// Something that a [`Monitor`] saw.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A report began. Where the headline may be a mention by somebody else, this comes with the report
    /// itself, or not at all. A headline that the kernel or a mail repeats below, with its report, begins
    /// too: the report that is finished then has its title among [`Report::alt_titles`].
    Started(Started),
    /// A report is complete.
    Finished(Box<Report<'static>>),
}

/// The begin of a report.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Started {
    /// Where it begins, in bytes from the begin of the log.
    pub offset: usize,
    /// The number of that line, from 1.
    pub line: usize,
    /// What went wrong, by the first line.
    pub kind: Kind,
    /// The title by the first line: the function is mostly in a later one.
    pub title: String,
}

/// The begin of a report; the lines with the function may yet come.
fn started(open: &Open<'_>) -> Started {
    let (kind, title) = title::so_far(open.marker, &open.outline);
    Started { offset: open.start, line: open.opening.line, kind, title }
}

/// What is known of the next line that starts a report.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// None before this offset in the log.
    NoneTo(usize),
    /// The one at this offset.
    At(usize, &'static Marker),
    /// Perhaps the one at this offset; the one below it begins at the other, and has not come.
    Held(usize, usize),
}

/// Whether the log is that of a bisection, of which only the end is a console.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Head {
    Unknown,
    /// It is one, and its console has not begun.
    Bisection,
    Console,
}

impl Default for Monitor {
    fn default() -> Self {
        Self::new()
    }
}

impl Monitor {
    /// A monitor at the start of a log: [`Parser::monitor`] with the default options.
    pub fn new() -> Self {
        Self::of(Parser::new())
    }

    pub(super) fn of(parser: Parser) -> Self {
        Self {
            buffer: Vec::new(),
            base: 0,
            at: 0,
            complete: 0,
            dropped: 0,
            line: 1,
            next: Next::NoneTo(0),
            head: Head::Unknown,
            shape: Shape::PLAIN,
            demux: Demux::new(parser.limits()),
            held: None,
            facts: LogFlags::of_a_boot(),
            events: VecDeque::new(),
            parser,
            last: None,
            is_fresh: false,
        }
    }

    /// Takes the next bytes of the log, and gives what they brought.
    ///
    /// Events that are not taken out of the iterator are dropped. They are kept until then, so that a
    /// chunk of very many reports needs memory for all of them.
    pub fn push(&mut self, chunk: &[u8]) -> Drain<'_, Event> {
        self.is_fresh |= !chunk.is_empty();
        for piece in chunk.chunks(PIECE) {
            self.take(piece);
        }
        self.events.drain(..)
    }

    /// Tells the time, and gives the reports that are complete as the log has been silent since.
    ///
    /// `now` is the time since any moment, the same for all calls: the monitor reads no clock. A line
    /// that has no end yet is not in them.
    pub fn tick(&mut self, now: Duration) -> Drain<'_, Event> {
        if std::mem::take(&mut self.is_fresh) || self.last.is_none() {
            self.last = Some(now);
        }
        let silent = self.last.is_some_and(|last| now.saturating_sub(last) >= self.parser.quiet());
        if silent && !self.is_idle() && self.head != Head::Unknown {
            self.read(true);
        }
        self.events.drain(..)
    }

    /// Ends the log, and gives the reports that were open. The next bytes begin another log.
    pub fn finish(&mut self) -> Drain<'_, Event> {
        self.end_line();
        self.read(true);
        let events = std::mem::take(&mut self.events);
        *self = Self { events, last: self.last, ..Self::of(self.parser) };
        self.events.drain(..)
    }

    /// Whether no report is open.
    fn is_idle(&self) -> bool {
        self.demux.is_idle() && self.at == self.buffer.len()
    }

    /// Takes in a piece of the log.
    fn take(&mut self, mut piece: &[u8]) {
        let room = (self.complete + MAX_LINE).saturating_sub(self.buffer.len());
        // Of a line without end only the begin is kept.
        if memchr(b'\n', piece).unwrap_or(piece.len()) > room {
            let (kept, rest) = piece.split_at(room);
            self.keep(kept);
            self.read(false);
            let end = memchr(b'\n', rest).unwrap_or(rest.len());
            self.dropped += end;
            piece = rest.get(end..).unwrap_or_default();
            if let [b'\n', rest @ ..] = piece {
                self.keep(b"\n");
                self.read(false);
                piece = rest;
            }
        }
        self.keep(piece);
        self.read(false);
        self.forget();
    }

    fn keep(&mut self, bytes: &[u8]) {
        if let Some(feed) = memrchr(b'\n', bytes) {
            self.complete = self.buffer.len() + feed + 1;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Makes a line of what has no end.
    fn end_line(&mut self) {
        if self.complete < self.buffer.len() {
            self.keep(b"\n");
        }
    }

    /// Forgets what no report can need any more.
    fn forget(&mut self) {
        // One byte more than is looked at, so that no part of a line looks like a whole one.
        let old = self.at.saturating_sub(MAX_ABOVE + 1);
        if old >= 4 * MAX_ABOVE {
            self.buffer.drain(..old);
            self.base += old;
            self.at -= old;
            self.complete -= old;
        }
    }

    /// Reads the lines that are complete; with `is_end` there are no others, and all reports end.
    fn read(&mut self, is_end: bool) {
        if !self.skip_head(is_end) {
            return;
        }
        let complete = self.complete;
        while self.at < complete {
            let start = self.find(complete, is_end);
            // A line that starts a report needs the one below it: see `scan`.
            let readable = match start {
                Err(held) => held,
                Ok(start) => start.map_or(complete, |(at, _)| at),
            };
            if self.demux.is_idle() {
                self.pass(readable);
            }
            let is_read = match start {
                Ok(Some((at, marker))) if at == self.at => self.line(Some(marker), is_end),
                _ if self.at < readable => self.line(None, is_end),
                _ => false,
            };
            if !is_read {
                break;
            }
        }
        if is_end {
            self.demux.close();
        }
        self.build(is_end);
    }

    /// The line that starts a report, from the next one on, as its place in the buffer; `Err` with a
    /// line that may, but the one below it has not come yet.
    fn find(
        &mut self,
        complete: usize,
        is_end: bool,
    ) -> Result<Option<(usize, &'static Marker)>, usize> {
        // Offsets from before a line that was cut are too small, and looked for again.
        let now = self.base + self.at;
        let from = match self.next {
            Next::At(offset, marker) if offset >= now => {
                return Ok(Some((offset - self.base, marker)));
            }
            // So that a line that comes byte by byte is not looked at each time.
            Next::Held(offset, below) if offset >= now && !is_end && !self.has_come(below) => {
                return Err(offset - self.base);
            }
            Next::NoneTo(offset) => offset.saturating_sub(self.base).max(self.at),
            Next::At(..) | Next::Held(..) => self.at,
        };
        // Of a line that is too long there is all that is read of it.
        let is_long = self.buffer.len() - complete >= MAX_LINE;
        let end = if is_long { self.buffer.len() } else { complete };
        let lines = self.buffer.get(..end).unwrap_or_default();
        let start = scan::next_start(lines, from, self.parser.information());
        let Some(start) = start.filter(|start| start.at < complete) else {
            self.next = Next::NoneTo(self.base + complete);
            return Ok(None);
        };
        let below = memchr(b'\n', lines.get(start.at..).unwrap_or_default())
            .map_or(complete, |feed| start.at + feed + 1);
        let below = self.base + below;
        if !is_end && !self.has_come(below) {
            self.next = Next::Held(self.base + start.at, below);
            return Err(start.at);
        }
        self.next = Next::At(self.base + start.at, start.marker);
        Ok(Some((start.at, start.marker)))
    }

    /// Whether there is a line at an offset, or as much of it as is read of any.
    fn has_come(&self, offset: usize) -> bool {
        offset < self.base + self.complete || self.buffer.len() - self.complete >= MAX_LINE
    }

    /// Passes over lines that no report needs.
    fn pass(&mut self, to: usize) {
        let lines = self.buffer.get(self.at..to).unwrap_or_default();
        self.facts.read(lines);
        self.line += memchr_iter(b'\n', lines).count();
        // Only the first line can be one that was cut.
        if !lines.is_empty() {
            self.base += std::mem::take(&mut self.dropped);
            self.at = to;
        }
    }

    /// Reads the next line, with its rest; false if the rest of it may still come.
    fn line(&mut self, marker: Option<&'static Marker>, is_end: bool) -> bool {
        // A line that is too long has no rest, and is the rest of none.
        let may_wait = !is_end && self.dropped == 0 && self.buffer.len() - self.complete < MAX_LINE;
        // What has come since the last look has no further line.
        let place = (self.base + self.at, self.base + self.complete);
        if may_wait && self.held == Some(place) {
            return false;
        }
        let lines = self.buffer.get(..self.complete).unwrap_or_default();
        let start = marker.map(|marker| Start { at: self.at, marker });
        let learned = start.map(|start| start.shape(lines));
        let shape = learned.as_ref().unwrap_or(&self.shape);
        let read = if learned.is_some() { Line::headline } else { Line::at };
        let Some(line) = read(lines, self.at, shape) else { return false };
        let own = lines.get(line.start..line.end.min(line.start + MAX_LINE)).unwrap_or_default();
        let marker = marker.filter(|marker| self.parser.takes(own, marker));
        let carrier = own.len().saturating_sub(line.text.len());
        let carrier = own.get(..carrier).unwrap_or_default();
        let line = match self.dropped {
            0 => {
                let mut line = line;
                join::whole(lines, &mut line, marker.is_some(), self.parser.information(), shape);
                line
            }
            _ => line,
        };
        if may_wait && !self.has_come(self.base + line.next()) {
            self.held = Some(place);
            return false;
        }
        let (at, next) = (self.at, line.next());
        let raw = lines.get(at..next).unwrap_or_default();
        self.facts.read(raw);
        let count = memchr_iter(b'\n', raw).count();
        let mut line = line.into_owned(self.base);
        line.end += self.dropped;
        line.is_cut |= self.dropped > 0;
        let above = lines.get(..at).unwrap_or_default();
        let (number, executors, base) = (self.line, self.facts.executors, self.base);
        let began = self.demux.line(&line, marker, |line, last| {
            let last = last.saturating_sub(base);
            Opening::of(above, line, last, number, executors, shape).into_owned()
        });
        if began {
            self.demux.set_time(log::boot_time(carrier));
            self.shape = learned.unwrap_or(Shape::PLAIN);
        }
        self.base += std::mem::take(&mut self.dropped);
        self.at = next;
        self.line += count;
        if began && let Some(open) = self.demux.last().filter(|open| !open.is_doubtful()) {
            self.events.push_back(Event::Started(started(open)));
        }
        self.build(false);
        true
    }

    /// Builds the reports that are complete; at the end, all that are closed.
    fn build(&mut self, is_end: bool) {
        while let Some(open) = self.demux.closed(is_end) {
            if open.is_mention(self.parser.any_program()) {
                continue;
            }
            if open.is_doubtful() {
                self.events.push_back(Event::Started(started(&open)));
            }
            let (report, room) = build::report(open, self.facts);
            self.demux.give_back(room);
            self.events.push_back(Event::Finished(Box::new(report.into_owned())));
        }
    }

    /// Passes over the part of a bisection log that is none of a console; false if it is not known yet
    /// whether there is more of it.
    fn skip_head(&mut self, is_end: bool) -> bool {
        if self.head == Head::Unknown {
            let head = self.buffer.get(..self.complete).unwrap_or_default();
            let first = head.split(|b| *b == b'\n').next().unwrap_or_default();
            let is_short = self.buffer.len() - self.complete < MAX_LINE;
            let has_two = memchr_iter(b'\n', head).count() > 1;
            let needs_more = log_kind::is_manager(first) && !has_two && is_short;
            if self.complete == 0 || (needs_more && !is_end) {
                return is_end;
            }
            let is_bisection = log_kind::is_bisection(&self.buffer);
            self.head = if is_bisection { Head::Bisection } else { Head::Console };
        }
        while self.head == Head::Bisection && self.at < self.complete {
            let lines = self.buffer.get(self.at..self.complete).unwrap_or_default();
            let end = memchr(b'\n', lines).map_or(lines.len(), |feed| feed + 1);
            if self.line > 1 && lines.starts_with(log_kind::CRASH) {
                self.head = Head::Console;
            }
            self.base += std::mem::take(&mut self.dropped);
            self.line += 1;
            self.at += end;
        }
        self.head == Head::Console
    }
}
