//! Reports from a log that is still being written.

use std::collections::VecDeque;
use std::collections::vec_deque::Drain;
use std::time::Duration;

use memchr::{memchr, memchr_iter, memrchr};

use super::complete;
use super::demux::Demux;
use super::event::{Event, started};
use super::join;
use super::log_flags::LogFlags;
use super::parser::Parser;
use super::pause::{self, Pauses};
use super::surroundings::{MAX_ABOVE, Opening};
use crate::kind::Marker;
use crate::log::{Line, MAX_LINE, Shape};
use crate::log_kind;
use crate::scan::{self, Start};

/// The maximum number of bytes of a chunk that are added to the buffer at once, which bounds its
/// growth.
const PIECE: usize = 64 * 1024;

/// Parses reports from a log that arrives in chunks of any size.
///
/// The reports, titles and [spans](crate::Report::span) are those that
/// [`reports`](crate::reports) returns for the whole log, for any sizes of the chunks. The
/// exceptions are `panicked`, `suppressed` and
/// [`Corruption::ConsoleLost`](crate::model::Corruption::ConsoleLost): they cover the log from the
/// last boot to the completion of the report.
///
/// A report is complete when the next report of its context begins, after a number of lines of
/// other contexts, or when the log was silent for some time. Before that, [`tick`](Self::tick)
/// returns the incomplete report when it pauses, and again if it continues.
///
/// A monitor needs at most 32 MB of memory for any input: it has at most
/// [`MAX_OPEN`](crate::MAX_OPEN) open reports of at most [`MAX_LINES`](crate::MAX_LINES) lines and
/// 384 KiB, keeps 64 KiB of a line, and 64 KiB of the log above a report.
/// [`Report::corrupted`](crate::Report::corrupted) and
/// [`Report::diagnostics`](crate::Report::diagnostics) record the limits that cut a report.
///
/// # Examples
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
#[derive(Clone, Debug)]
pub struct Monitor {
    /// The kept part of the log: complete lines that were parsed, then bytes that were not.
    buffer: Vec<u8>,
    /// The offset of the first byte of the buffer, in the log.
    base: usize,
    /// The start of the next line, in the buffer.
    at: usize,
    /// The start of the incomplete last line, in the buffer.
    complete: usize,
    /// The bytes of the last line that were dropped, because it is too long.
    dropped: usize,
    /// The number of the next line, from 1.
    line: usize,
    /// The next line that starts a report, as far as it was searched for.
    next: Next,
    head: Head,
    /// The prefix of the lines of the report that began last.
    shape: Shape,
    demux: Demux<'static>,
    /// A line that may have a continuation: its offset in the log, and the end of the complete
    /// lines when it was read.
    held: Option<(usize, usize)>,
    facts: LogFlags,
    events: VecDeque<Event>,
    parser: Parser,
    /// The time of the tick that first saw the last bytes.
    last: Option<Duration>,
    is_fresh: bool,
    /// The reports that `tick` returned.
    pauses: Pauses,
}

/// The state of the search for the next line that starts a report.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// No such line before this offset in the log.
    NoneTo(usize),
    /// The line at this offset.
    At(usize, &'static Marker),
    /// The line at the first offset, depending on the line below it at the second offset, which has
    /// not arrived.
    Held(usize, usize),
}

/// Whether the log is a bisection log, of which only the end is a console.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Head {
    Unknown,
    /// A bisection log whose console has not begun.
    Bisection,
    Console,
}

impl Parser {
    /// Makes a monitor at the start of a log that is still being written.
    pub fn monitor(&self) -> Monitor {
        Monitor::of(*self)
    }
}

impl Default for Monitor {
    fn default() -> Self {
        Self::new()
    }
}

impl Monitor {
    /// Makes a monitor at the start of a log: [`Parser::monitor`] with the default options.
    pub fn new() -> Self {
        Self::of(Parser::new())
    }

    fn of(parser: Parser) -> Self {
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
            pauses: Pauses::default(),
        }
    }

    /// Parses the next bytes of the log, and returns the events that they caused.
    ///
    /// Events are dropped with the iterator if they are not taken from it. All events of a chunk
    /// are in memory at once, so split a chunk with very many reports.
    pub fn push(&mut self, chunk: &[u8]) -> Drain<'_, Event> {
        self.is_fresh |= !chunk.is_empty();
        for piece in chunk.chunks(PIECE) {
            self.take(piece);
        }
        self.events.drain(..)
    }

    /// Returns the events of the reports that make a pause, and completes the open reports if the log
    /// was silent for the time of [`Parser::with_quiet`](crate::Parser::with_quiet).
    ///
    /// A report makes a pause if no line of it arrived for the time of
    /// [`Parser::with_pause`](crate::Parser::with_pause), or at once if the kernel prints that it
    /// halts or boots, or if lines of another task, of a program or a prompt follow its
    /// `---[ end trace`. If lines of it arrive later, the report is returned again, as
    /// [`Event::Revised`]. A report that has only a headline is not returned before it is complete,
    /// because the headline may be that of a report below.
    ///
    /// `now` is the time since any moment, the same for all calls: the monitor has no clock. The lines
    /// that were pushed since the last call arrived at `now`. So call it regularly, also right after
    /// [`push`](Self::push): a report that makes a pause is returned by the second call after its last
    /// line at the earliest. An incomplete last line is not parsed.
    pub fn tick(&mut self, now: Duration) -> Drain<'_, Event> {
        if std::mem::take(&mut self.is_fresh) || self.last.is_none() {
            self.last = Some(now);
        }
        let silent = now.saturating_sub(self.last.unwrap_or(now));
        if !self.is_idle() && self.head != Head::Unknown {
            if silent >= self.parser.quiet() {
                self.read(true);
            } else if self.head == Head::Console {
                self.pause(now, silent);
            }
        }
        self.events.drain(..)
    }

    /// Ends the log, and returns the events of all open reports. The next bytes begin another log.
    pub fn finish(&mut self) -> Drain<'_, Event> {
        self.end_line();
        self.read(true);
        let events = std::mem::take(&mut self.events);
        *self = Self { events, last: self.last, ..Self::of(self.parser) };
        self.events.drain(..)
    }

    /// Returns the events of the reports that make a pause. They are those of a copy at the end of
    /// its log, so that the state of this monitor does not change.
    fn pause(&mut self, now: Duration, silent: Duration) {
        let above = self.base + self.at;
        self.pauses.note(self.demux.open(), above, now);
        let place = self.base + self.complete;
        let from = self.pauses.searched.saturating_sub(self.base).min(self.complete);
        let lines = self.buffer.get(from..self.complete).unwrap_or_default();
        let is_over = std::mem::replace(&mut self.pauses.searched, place) < place
            && pause::halts_or_boots(lines);
        let pause = self.parser.pause();
        let all = is_over || silent >= pause;
        if !self.pauses.are_due(all, place, now, pause) {
            return;
        }
        let mut copy = self.clone();
        copy.events.clear();
        copy.read_lines(true);
        let bare: Vec<_> =
            copy.demux.open().iter().filter(|open| open.is_bare()).map(|open| open.start).collect();
        copy.pauses = Pauses::default();
        copy.demux.close();
        copy.build(true);
        for event in copy.events {
            if let Event::Finished(report) = event
                && !bare.contains(&report.span.start)
            {
                self.events.extend(self.pauses.paused(all, report));
            }
        }
    }

    /// Returns whether no report is open and all bytes were parsed.
    fn is_idle(&self) -> bool {
        self.demux.is_idle() && self.at == self.buffer.len()
    }

    /// Adds a piece of the log to the buffer and parses the complete lines.
    fn take(&mut self, mut piece: &[u8]) {
        let room = (self.complete + MAX_LINE).saturating_sub(self.buffer.len());
        // Only the first `MAX_LINE` bytes of a line are kept.
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

    /// Completes an incomplete last line.
    fn end_line(&mut self) {
        if self.complete < self.buffer.len() {
            self.keep(b"\n");
        }
    }

    /// Drops the lines that no later report can need.
    fn forget(&mut self) {
        // Keeps one more byte than is searched, so that the rest of a line is not read as a
        // complete one.
        let old = self.at.saturating_sub(MAX_ABOVE + 1);
        if old >= 4 * MAX_ABOVE {
            self.buffer.drain(..old);
            self.base += old;
            self.at -= old;
            self.complete -= old;
        }
    }

    /// Parses the complete lines; with `is_end` also the last one, and completes all reports.
    fn read(&mut self, is_end: bool) {
        if self.skip_head(is_end) {
            self.read_lines(is_end);
            if is_end {
                self.demux.close();
            }
            self.build(is_end);
        }
    }

    /// Parses the complete lines; with `is_end` also the last one.
    fn read_lines(&mut self, is_end: bool) {
        let complete = self.complete;
        while self.at < complete {
            let start = self.find(complete, is_end);
            // Whether a line starts a report may depend on the line below it: see `scan`.
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
    }

    /// Returns the next line that starts a report, as its place in the buffer; `Err` with the place
    /// of a line that depends on the line below it, which has not arrived.
    fn find(
        &mut self,
        complete: usize,
        is_end: bool,
    ) -> Result<Option<(usize, &'static Marker)>, usize> {
        // Offsets from before a line was cut are too small: search again.
        let now = self.base + self.at;
        let from = match self.next {
            Next::At(offset, marker) if offset >= now => {
                return Ok(Some((offset - self.base, marker)));
            }
            // Skips the search while the same line grows byte by byte.
            Next::Held(offset, below) if offset >= now && !is_end && !self.has_come(below) => {
                return Err(offset - self.base);
            }
            Next::NoneTo(offset) => offset.saturating_sub(self.base).max(self.at),
            Next::At(..) | Next::Held(..) => self.at,
        };
        // A line at the limit is treated as complete.
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

    /// Returns whether the line at an offset is complete, or as long as the limit.
    fn has_come(&self, offset: usize) -> bool {
        offset < self.base + self.complete || self.buffer.len() - self.complete >= MAX_LINE
    }

    /// Skips lines that no report needs.
    fn pass(&mut self, to: usize) {
        let lines = self.buffer.get(self.at..to).unwrap_or_default();
        self.facts.read(lines);
        self.line += memchr_iter(b'\n', lines).count();
        // Only the first line can be a cut one.
        if !lines.is_empty() {
            self.base += std::mem::take(&mut self.dropped);
            self.at = to;
        }
    }

    /// Parses the next line with its continuation; false if the continuation may still arrive.
    fn line(&mut self, marker: Option<&'static Marker>, is_end: bool) -> bool {
        // A line that was cut has no continuation, and continues no other.
        let may_wait = !is_end && self.dropped == 0 && self.buffer.len() - self.complete < MAX_LINE;
        // No further line is complete since the last attempt.
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
            self.demux.set_time(carrier);
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

    /// Builds the complete reports; with `is_end` all closed ones.
    fn build(&mut self, is_end: bool) {
        while let Some(open) = self.demux.closed(is_end) {
            if open.is_mention(self.parser.any_program()) {
                continue;
            }
            if open.is_doubtful() {
                self.events.push_back(Event::Started(started(&open)));
            }
            let (report, room) = complete::report(open, self.facts);
            self.demux.give_back(room);
            self.events.extend(self.pauses.complete(Box::new(report.into_owned())));
        }
    }

    /// Skips the part of a bisection log above its console; false if more of that part may follow.
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
