//! The prefix of the lines of one report, learned from its headline.
//!
//! Whatever brought the lines to a file put the same before each: what stands before the marker in the
//! headline is the shape of it.
//!
//! ```text
//! machine # [    6.425406] c0 Unable to handle kernel …
//! ─ outer ──┴──── stamp ──┴inner┴ marker
//! ```
//!
//! Carriers that `prefix` knows are taken off first; then the shape is what is left before the marker.
//! Words of the headline's own, `watchdog: BUG: …`, stand there too. So of a line that follows the shape
//! only so far the grammar of records decides where the text begins.

use std::borrow::Cow;

use super::fit::{Fit, Likeness, fit, is_rich};
use super::prefix;
use super::wrap::{self, Wrap};
use super::{Context, clean};
use crate::search;
use crate::syntax::{self, Record};

/// The maximum length of a learned prefix, in bytes.
const MAX_PREFIX: usize = 1024;

/// The least indentation that stands for a prefix: `dmesg` and `journalctl` indent the further lines of a
/// record as far as its first.
const MIN_WIDTH: usize = 12;

/// Marks that may open before a line, and close behind it.
const PAIRS: [&str; 5] = ["**", "`", "'", "\"", "|"];

/// The bytes that may follow a closing mark.
const BEHIND: &[u8] = b" ,;)]}";

/// The prefix and suffix of the lines of a report.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// What the lines are a value of, the outermost first.
    wraps: Vec<Wrap>,
    /// What stands before the time of printk; before the text, if there is no time.
    outer: Part,
    /// Whether the time of printk stands behind it.
    is_stamped: bool,
    /// What stands behind the time of printk, or behind a known carrier.
    inner: Part,
    /// The mark that closes behind a line.
    close: Option<&'static str>,
    /// The context of the headline.
    context: Context,
    /// Whether no blank stands between a known carrier and the text.
    is_tight: bool,
    /// How many bytes of the headline stand before its text.
    width: usize,
}

/// A part of the prefix of a headline.
#[derive(Clone, Debug)]
struct Part {
    text: Vec<u8>,
    /// See [`is_rich`]; each line that does not follow the part asks for it.
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
    /// Who printed the line.
    pub(super) context: Context,
    /// In bytes.
    pub(super) length: usize,
    /// Whether a carrier put it there.
    pub(super) is_carried: bool,
}

impl Shape {
    /// Of lines with no more before them than carriers that are known.
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

    /// Of the report whose headline is `raw`; `find` gives the place of the marker in a text.
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

    /// The text in what is around the lines; `None` for lines that hold no line of the kernel.
    pub(super) fn open<'t>(&self, raw: Cow<'t, [u8]>) -> Option<Cow<'t, [u8]>> {
        if self.wraps.is_empty() { Some(raw) } else { wrap::open(&self.wraps, raw) }
    }

    /// The prefix of a line.
    pub(super) fn prefix(&self, line: &[u8]) -> Before {
        let mut known = self.known(line);
        if self.is_tight && known.context != Context::Bare {
            // The blank is of the text.
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

    /// What stands before the text of the headline: the words before its marker may be its own.
    pub(super) fn prefix_of_headline(&self, line: &[u8]) -> Before {
        if self.is_stamped {
            Before { context: self.context, length: self.width, is_carried: true }
        } else {
            self.known(line)
        }
    }

    /// The same, behind what is known.
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
            // A line of a record that has more than one.
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

    /// The length of a line without the mark that closes behind it.
    pub(super) fn end(&self, text: &[u8]) -> usize {
        let Some(close) = self.close else { return text.len() };
        let end = text.iter().rposition(|b| !BEHIND.contains(b)).map_or(0, |at| at + 1);
        let closed = text.get(..end).and_then(|text| text.strip_suffix(close.as_bytes()));
        closed.map_or(text.len(), |text| text.trim_ascii_end().len())
    }

    /// Whether lines need no more than what `prefix` does.
    fn is_plain(&self) -> bool {
        self.outer.is_empty() && self.inner.is_empty() && !self.is_stamped && self.width < MIN_WIDTH
    }
}

/// The last time of printk before `end`: where it begins and ends, and who printed the line.
fn stamp(line: &[u8], end: usize) -> Option<(usize, usize, Context)> {
    let places = memchr::memrchr_iter(b'[', line.get(..end)?);
    places.into_iter().find_map(|at| {
        let start = level(line, at);
        let (context, length) = prefix::of_stamp(line.get(start..)?)?;
        (start + length <= end).then_some((start, start + length, context))
    })
}

/// Where the level before a time begins: `<4>[    6.425406]`.
fn level(line: &[u8], at: usize) -> usize {
    let before = line.get(..at).unwrap_or_default();
    let digits = before.strip_suffix(b">").map(<[u8]>::trim_ascii_end);
    match digits {
        Some([.., b'<', digit]) if digit.is_ascii_digit() => at - 3,
        _ => at,
    }
}

/// Where the text of a line begins that follows a prefix.
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
    // A line that is one of a report as it stands has no prefix.
    places.peek()?;
    if is_of_report(line) {
        return None;
    }
    let is_text = |at: &usize| *at > 0 && is_of_report(line.get(*at..).unwrap_or_default());
    places.find(is_text).or(dashed).or_else(|| alike.whole.filter(|_| alike.is_close()))
}

/// Whether only reports have such a line, or registers and code go on in it.
fn is_of_report(text: &[u8]) -> bool {
    let record = syntax::record(text);
    record.is_of_report() || matches!(record, Record::Words(_))
}

/// The mark that closes behind the lines: one that is open before the marker.
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
