//! The lines of one report while it is being read.

use super::class::{self, Class};
use super::context::{self, MAX_ABOVE, MAX_AFTER, Opening};
use super::limits::Limits;
use super::track::Joint;
use crate::kind::Marker;
use crate::kind::table::CONSEQUENCES;
use crate::line::{Context, Line};
use crate::words;

/// How a headline ends that goes on in the next line.
const OPEN_ENDS: [&str; 7] = [" at", " for", " address", " address:", " in", ",", " kernel"];

/// The lines that most reports have.
const ROOM: usize = 128;

/// A list that begins with `first` and need not grow in most reports.
fn with_room<T>(first: T) -> Vec<T> {
    let mut list = Vec::with_capacity(ROOM);
    list.push(first);
    list
}

/// A report that may go on.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub(super) struct Region<'log> {
    /// What starts it.
    pub(super) marker: &'static Marker,
    /// Who prints it.
    pub(super) context: Context,
    /// Its lines, and lines of others between them.
    pub(super) lines: Vec<Line<'log>>,
    /// What each of them is.
    pub(super) classes: Vec<Class>,
    /// How many of [`Region::lines`] are its own for sure: up to the last that only a report has.
    pub(super) len: usize,
    /// Offset in the log of the end of the last line that is its own.
    pub(super) end: usize,
    /// Lines that would have started a report, had this one not caused them.
    pub(super) consequences: Vec<(usize, &'static Marker)>,
    /// Whether lines of its own were left out because there were too many.
    pub(super) cut: bool,
    /// Whether it had to end for others to begin, and had not said that it ended.
    pub(super) ended_early: bool,
    /// Whether lines of any kind are left out.
    full: bool,
    pub(super) limits: Limits,
    /// Lines since the last that is its own.
    pub(super) silence: usize,
    /// Lines of other contexts since then.
    pub(super) foreign: usize,
    /// Whether nothing more is read into it.
    pub(super) closed: bool,
    /// Where the line below the last one begins.
    below: usize,
    /// Bytes of the lines.
    text: usize,
    /// What is known of it from the lines above.
    pub(super) opening: Opening<'log>,
    /// How many lines were read since the last of [`Region::lines`].
    pub(super) since: usize,
    /// Lines of its context below the last of [`Region::lines`].
    pub(super) after: Vec<Line<'log>>,
    /// Bytes of them.
    after_text: usize,
    /// Whether they may tell what it is, once that was asked.
    pub(super) asks: Option<bool>,
    /// Lines of the headline: with inlined functions it has one for each.
    headlines: usize,
    /// Whether the report said that it ended.
    ended: bool,
    /// Whether it asked other CPUs for their stacks.
    asks_cpus: bool,
}

impl<'log> Region<'log> {
    /// A report of which only the first line is known.
    pub(super) fn new(
        marker: &'static Marker,
        line: Line<'log>,
        opening: Opening<'log>,
        limits: Limits,
    ) -> Self {
        Self {
            limits,
            text: line.text.len(),
            opening,
            since: 0,
            after: Vec::new(),
            after_text: 0,
            asks: None,
            marker,
            context: line.context,
            len: 1,
            end: line.end,
            below: line.next(),
            lines: with_room(line),
            classes: with_room(Class::Headline),
            consequences: Vec::new(),
            cut: false,
            ended_early: false,
            full: false,
            silence: 0,
            foreign: 0,
            closed: false,
            headlines: 1,
            ended: false,
            asks_cpus: false,
        }
    }

    /// Offset in the log of the first line.
    pub(super) fn start(&self) -> usize {
        self.lines.first().map_or(0, |line| line.start)
    }

    /// Whether lines of a context go to this report.
    ///
    /// Once it has asked other CPUs for their stacks (`nmi_trigger_cpumask_backtrace()` in
    /// lib/nmi_backtrace.c), what CPUs print in interrupts is an answer.
    pub(super) fn takes(&self, context: Context) -> bool {
        self.context == context || (self.asks_cpus && context.is_cpu())
    }

    /// Whether a line with this marker only continues the headline.
    ///
    /// A symbolizer repeats the line for each inlined function, the last one being that which
    /// holds them.
    pub(super) fn goes_on_with(&self, marker: &Marker) -> bool {
        std::ptr::eq(self.marker, marker)
            && self.headlines == self.lines.len()
            && self.lines.last().is_some_and(|line| words::has(&line.text, "[inline]"))
    }

    /// Whether a line that could start a report tells what this one led to.
    pub(super) fn caused(&self, line: &Line<'_>) -> bool {
        let headline = self.lines.first().map_or(&[][..], |line| &line.text);
        // Netconsole may cut the line before the reason.
        if line.text.trim_ascii_end().ends_with(b"Kernel panic - not syncing:") {
            return true;
        }
        CONSEQUENCES.iter().any(|rule| {
            (!rule.before_end || !self.ended)
                && words::has(&line.text, rule.text)
                && words::has(headline, rule.after)
        })
    }

    /// Whether the line that begins at `start` goes on with the headline, which ends where nothing
    /// can end: a mail program broke it.
    pub(super) fn has_open_headline(&self, start: usize) -> bool {
        let ends_open = |line: &Line<'_>| {
            OPEN_ENDS.iter().any(|end| line.text.trim_ascii_end().ends_with(end.as_bytes()))
        };
        self.is_above(start)
            && self.lines.len() == self.headlines
            && self.lines.last().is_some_and(ends_open)
    }

    /// Whether the last line of the report stands right above the one that begins at `start`.
    pub(super) fn is_above(&self, start: usize) -> bool {
        !self.closed && self.below == start
    }

    /// Adds the rest of the last line.
    pub(super) fn join(&mut self, line: &Line<'log>, joint: Joint) {
        let is_own = self.len == self.lines.len();
        let is_headline = self.headlines == self.lines.len();
        self.below = line.next();
        if self.text >= self.limits.text() {
            self.full = true;
            self.cut |= is_own;
            return;
        }
        let Some(last) = self.lines.last_mut() else { return };
        let text = last.text.to_mut();
        if joint == Joint::Broken {
            text.truncate(text.trim_ascii_end().len());
            text.push(b' ');
            text.extend_from_slice(line.text.trim_ascii_start());
        } else {
            text.extend_from_slice(&line.text);
        }
        last.end = line.end;
        last.is_verbatim = false;
        last.is_cut |= line.is_cut;
        // What is joined was copied, each time anew.
        self.text += text.len();
        self.since = 0;
        let class = if is_headline { Class::Headline } else { class::class(text) };
        if let Some(last) = self.classes.last_mut() {
            *last = class;
        }
        if is_own {
            self.end = line.end;
        }
    }

    /// Adds a line that continues the headline.
    pub(super) fn add_headline(&mut self, line: Line<'log>) {
        self.headlines += 1;
        self.push(line, Class::Headline, true);
    }

    /// Adds a line that starts what this report led to.
    pub(super) fn add_consequence(&mut self, marker: &'static Marker, line: Line<'log>) {
        self.ended = false;
        if self.push(line, Class::Other, true) {
            self.consequences.push((self.lines.len() - 1, marker));
        }
    }

    /// Adds any other line.
    pub(super) fn add(&mut self, line: Line<'log>) {
        let class = match class::class(&line.text) {
            Class::Words if !self.classes.last().is_some_and(|class| class.has_more()) => {
                Class::Other
            }
            class => class,
        };
        let may_ask = matches!(class, Class::Detail | Class::Other);
        self.asks_cpus |= may_ask && words::has(&line.text, "Sending NMI from CPU");
        let own = match class {
            Class::Blank | Class::Other | Class::Cut => false,
            // After its end a report repeats its registers; another stack is not its own.
            Class::Stack(_) | Class::Entry | Class::Mark => !self.ended,
            Class::End => {
                self.ended = true;
                true
            }
            _ => true,
        };
        self.push(line, class, own);
    }

    /// Ends the report, which may not be at its end.
    pub(super) fn end_early(&mut self) {
        self.closed = true;
        self.ended_early = !self.ended;
    }

    /// About the bytes that it needs.
    pub(super) fn weight(&self) -> usize {
        self.text + self.after_text + self.lines.len() * size_of::<Line<'_>>()
    }

    /// Keeps a line below the report, if it is of its context.
    pub(super) fn keep(&mut self, line: &Line<'log>) {
        let is_own = context::has_more(self) && line.context == self.context;
        if (self.closed || self.full) && self.since <= MAX_AFTER && is_own {
            self.after_text += line.text.len();
            if self.after_text <= MAX_ABOVE {
                self.after.push(line.clone());
            }
        }
    }

    /// Adds a line; false if there are too many.
    fn push(&mut self, line: Line<'log>, class: Class, own: bool) -> bool {
        let end = line.end;
        self.below = line.next();
        self.text += line.text.len();
        let is_kept = self.lines.len() < self.limits.lines && self.text < self.limits.text();
        if is_kept {
            self.since = 0;
            self.lines.push(line);
            self.classes.push(class);
        } else {
            self.cut |= own;
            if !std::mem::replace(&mut self.full, true) {
                self.keep(&line);
            }
        }
        if own {
            self.len = self.lines.len();
            self.end = end;
            self.silence = 0;
            self.foreign = 0;
        } else {
            self.silence += 1;
        }
        is_kept
    }
}
