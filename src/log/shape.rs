//! The prefix of the lines of one report, learned from its headline.
//!
//! A logger adds the same prefix to each line: the text before the marker in the headline is its
//! shape.
//!
//! ```text
//! machine # [    6.425406] c0 Unable to handle kernel …
//! ─ outer ──┴──── stamp ──┴inner┴ marker
//! ```
//!
//! Known prefixes are stripped first; the shape is the rest before the marker. It may include words
//! of the headline, as in `watchdog: BUG: …`. So if only the first part of the shape matches a
//! line, the grammar of records decides where the text starts.

use std::borrow::Cow;

use super::fit::{Fit, Likeness, fit, is_rich};
use super::prefix;
use super::wrap::{self, Wrap};
use super::{Context, clean};
use crate::search;
use crate::syntax::{self, Record};

/// The longest learned prefix, in bytes.
const MAX_PREFIX: usize = 1024;

/// The least indentation that is a prefix: `dmesg` and `journalctl` indent the further lines of a
/// record to the column of its first line.
const MIN_WIDTH: usize = 12;

/// Marks that may enclose a line.
const PAIRS: [&str; 5] = ["**", "`", "'", "\"", "|"];

/// The bytes that may follow a closing mark.
const BEHIND: &[u8] = b" ,;)]}";

/// The prefix and suffix of the lines of a report.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// The wraps around the lines, the outermost first.
    wraps: Vec<Wrap>,
    /// The text before the printk time, or before the message without one.
    outer: Part,
    /// Whether the printk time follows it.
    is_stamped: bool,
    /// The text behind the printk time, or behind a known prefix.
    inner: Part,
    /// The mark at the end of a line.
    close: Option<&'static str>,
    /// The context of the headline.
    context: Context,
    /// Whether there is no blank between a known prefix and the text.
    is_tight: bool,
    /// The length of the headline's prefix in bytes.
    width: usize,
}

/// A part of the prefix of a headline.
#[derive(Clone, Debug)]
struct Part {
    text: Vec<u8>,
    /// The result of [`is_rich`], which each line that does not match the part needs.
    is_rich: bool,
}

impl Part {
    const NONE: Self = Self { text: Vec::new(), is_rich: false };

    fn new(text: &[u8]) -> Self {
        Self { text: text.to_vec(), is_rich: is_rich(text) }
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// The prefix of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    /// The caller that printed the line.
    pub(super) context: Context,
    /// The length in bytes.
    pub(super) length: usize,
    /// Whether a logger added it.
    pub(super) is_carried: bool,
}

impl Shape {
    /// The shape of lines with known prefixes only.
    pub(crate) const PLAIN: Self = Self {
        wraps: Vec::new(),
        outer: Part::NONE,
        is_stamped: false,
        inner: Part::NONE,
        close: None,
        context: Context::Bare,
        is_tight: false,
        width: 0,
    };

    /// Learns the shape from the headline `raw`; `find` returns the offset of the marker in a text.
    pub(super) fn learn(raw: &[u8], find: impl Fn(&[u8]) -> Option<usize>) -> Self {
        let (wraps, text) = wrap::learn(clean(raw).into_owned(), &find);
        let (context, skip) = prefix::prefix(&text);
        let mut shape = Self { wraps, context, width: skip, ..Self::PLAIN };
        let rest = text.get(skip..).unwrap_or_default();
        let Some(head) = find(rest).filter(|at| *at <= MAX_PREFIX).and_then(|at| rest.get(..at))
        else {
            return shape;
        };
        shape.close = closing(text.get(..skip + head.len()).unwrap_or_default(), &text);
        let last = skip.checked_sub(1).and_then(|at| text.get(at));
        shape.is_tight = context != Context::Bare && last != Some(&b' ');
        if context != Context::Bare {
            shape.inner = Part::new(head);
            return shape;
        }
        if let Some((start, end, context)) = stamp(rest, head.len()) {
            shape.is_stamped = true;
            shape.context = context;
            shape.outer = Part::new(head.get(..start).unwrap_or_default());
            shape.inner = Part::new(head.get(end..).unwrap_or_default());
            shape.width += end;
        } else {
            shape.outer = Part::new(head);
            shape.width += head.len();
        }
        shape
    }

    /// Unwraps a line; `None` if it contains no kernel line.
    pub(super) fn open<'t>(&self, raw: Cow<'t, [u8]>) -> Option<Cow<'t, [u8]>> {
        if self.wraps.is_empty() { Some(raw) } else { wrap::open(&self.wraps, raw) }
    }

    /// Returns the prefix of a line.
    pub(super) fn prefix(&self, line: &[u8]) -> Before {
        let mut known = self.known(line);
        if self.is_tight && known.context != Context::Bare {
            // The blank belongs to the text.
            let last = known.length.checked_sub(1).and_then(|at| line.get(at));
            known.length -= usize::from(last == Some(&b' '));
        }
        if self.is_plain() { known } else { self.strip(line, known) }
    }

    fn known(&self, line: &[u8]) -> Before {
        let (context, length) = prefix::prefix(line);
        let is_carried = context != Context::Bare || !self.wraps.is_empty();
        Before { context, length, is_carried }
    }

    /// Returns the prefix of the headline. The words before its marker may belong to its text.
    pub(super) fn prefix_of_headline(&self, line: &[u8]) -> Before {
        if self.is_stamped {
            Before { context: self.context, length: self.width, is_carried: true }
        } else {
            self.known(line)
        }
    }

    /// Returns the prefix including the learned part, behind the known one.
    fn strip(&self, line: &[u8], known: Before) -> Before {
        let mut before = known;
        let rest = |length| line.get(length..).unwrap_or_default();
        if known.context == Context::Bare
            && let Some((context, length)) = self.strip_outer(rest(known.length))
        {
            before = Before { context, length: known.length + length, is_carried: true };
        }
        before.length += text_at(&self.inner, rest(before.length)).unwrap_or(0);
        before
    }

    fn strip_outer(&self, line: &[u8]) -> Option<(Context, usize)> {
        if self.is_stamped {
            let is_stamp =
                |at: &usize| line.get(*at..).is_some_and(|rest| prefix::of_stamp(rest).is_some());
            let likeness = [Likeness::Same, Likeness::Dashed, Likeness::Alike];
            let places = likeness.map(|likeness| fit(&self.outer.text, line, likeness).whole);
            if let Some(at) = places.into_iter().flatten().find(is_stamp) {
                let (context, length) = prefix::of_stamp(line.get(at..)?)?;
                return Some((context, at + length));
            }
            // A further line of a record with several lines.
            if let Some(at) = places.first().copied().flatten().filter(|at| *at > 0) {
                return Some((self.context, at));
            }
        } else if let Some(at) = text_at(&self.outer, line) {
            return Some((self.context, at));
        }
        let indentation = line.iter().take_while(|b| **b == b' ').count();
        let is_further = self.width >= MIN_WIDTH && indentation >= self.width;
        is_further.then_some((self.context, self.width))
    }

    /// Returns the length of a line without its closing mark.
    pub(super) fn end(&self, text: &[u8]) -> usize {
        let Some(close) = self.close else { return text.len() };
        let end = text.iter().rposition(|b| !BEHIND.contains(b)).map_or(0, |at| at + 1);
        let closed = text.get(..end).and_then(|text| text.strip_suffix(close.as_bytes()));
        closed.map_or(text.len(), |text| text.trim_ascii_end().len())
    }

    /// Returns whether all lines have known prefixes only.
    fn is_plain(&self) -> bool {
        self.outer.is_empty() && self.inner.is_empty() && !self.is_stamped && self.width < MIN_WIDTH
    }
}

/// Returns the last printk time before `end`: its start and end, and the caller.
fn stamp(line: &[u8], end: usize) -> Option<(usize, usize, Context)> {
    let places = memchr::memrchr_iter(b'[', line.get(..end)?);
    places.into_iter().find_map(|at| {
        let start = level(line, at);
        let (context, length) = prefix::of_stamp(line.get(start..)?)?;
        (start + length <= end).then_some((start, start + length, context))
    })
}

/// Returns the start of the level before a time: `<4>[    6.425406]`.
fn level(line: &[u8], at: usize) -> usize {
    let before = line.get(..at).unwrap_or_default();
    let digits = before.strip_suffix(b">").map(<[u8]>::trim_ascii_end);
    match digits {
        Some([.., b'<', digit]) if digit.is_ascii_digit() => at - 3,
        _ => at,
    }
}

/// Returns where the text of a line starts that matches a prefix.
fn text_at(part: &Part, line: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return None;
    }
    let shape = part.text.as_slice();
    let same = fit(shape, line, Likeness::Same);
    if same.whole.is_some() {
        return same.whole;
    }
    let (dashed, alike) = if part.is_rich {
        (fit(shape, line, Likeness::Dashed).whole, fit(shape, line, Likeness::Alike))
    } else {
        (None, Fit::default())
    };
    let mut places = same.parts().chain(dashed).chain(alike.whole).chain(alike.parts()).peekable();
    // A line that matches a record without removing anything has no prefix.
    places.peek()?;
    if is_of_report(line) {
        return None;
    }
    let is_text = |at: &usize| *at > 0 && is_of_report(line.get(*at..).unwrap_or_default());
    places.find(is_text).or(dashed).or_else(|| alike.whole.filter(|_| alike.is_close()))
}

/// Returns whether a line is one that only reports have, or continues registers or code.
fn is_of_report(text: &[u8]) -> bool {
    let record = syntax::record(text);
    record.is_of_report() || matches!(record, Record::Words(_))
}

/// Returns the mark at the end of the lines: the closing one of a mark before the marker.
fn closing(head: &[u8], line: &[u8]) -> Option<&'static str> {
    if head.is_empty() {
        return None;
    }
    let is_open = |mark: &&str| {
        let mut count = 0;
        let mut rest = head;
        while let Some(at) = search::find(rest, mark) {
            rest = rest.get(at + mark.len()..).unwrap_or_default();
            count += 1;
        }
        count % 2 == 1 || *mark == "|" && count > 0 && line.trim_ascii_end().ends_with(b"|")
    };
    PAIRS.into_iter().find(is_open)
}
