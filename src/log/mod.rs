//! Splits bytes into lines, strips the prefix of each, and keeps its caller.
//!
//! A kernel line reaches a file through a printk prefix (time, caller), a log level, a serial
//! console (carriage returns, NUL bytes of an idle line) and a terminal (ANSI escapes).
//! [`Line::text`] borrows from the log, unless escapes or NUL bytes are in the middle of the line.

mod fit;
mod prefix;
mod shape;
mod wrap;

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memchr3};

use crate::escape;
use crate::search;

pub(crate) use prefix::{boot_time, wall_time};
use shape::Before;
pub(crate) use shape::Shape;

/// The longest part of a line that is parsed, in bytes.
///
/// `printk` ends a record at 1,024 bytes (`PRINTKRB_RECORD_MAX`, earlier `LOG_LINE_MAX`), and
/// prefixes add some hundred, so no line of the kernel is longer. The limit also bounds the work on
/// a log without line feeds.
pub(crate) const MAX_LINE: usize = 64 * 1024;

/// The caller that printed a line, as far as its prefix names it.
///
/// Lines of one report share their context, which separates reports of two CPUs that were printed
/// at the same time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Context {
    /// No printk prefix: the output of another program, or a log whose prefix was stripped.
    Bare,
    /// A printk time without a caller.
    Console,
    /// `CONFIG_PRINTK_CALLER`: `T12` is a task, `C0` a CPU in an interrupt.
    Caller(Caller),
}

/// The name of a caller: a letter and a 32-bit number, printed by print_caller() in
/// kernel/printk/printk.c.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Caller {
    name: [u8; Self::ROOM],
}

impl Caller {
    const ROOM: usize = 16;

    pub(crate) fn new(name: &[u8]) -> Self {
        let mut room = [0; Self::ROOM];
        room.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
        Self { name: room }
    }

    /// Returns whether it is a task.
    pub(crate) fn is_task(self) -> bool {
        self.name.starts_with(b"T")
    }

    /// Returns whether it is a CPU in an interrupt.
    pub(crate) fn is_cpu(self) -> bool {
        self.name.starts_with(b"C")
    }
}

impl Context {
    /// Returns whether a task printed the line.
    pub(crate) fn is_task(self) -> bool {
        matches!(self, Self::Caller(caller) if caller.is_task())
    }

    /// Returns whether a CPU in an interrupt printed the line.
    pub(crate) fn is_cpu(self) -> bool {
        matches!(self, Self::Caller(caller) if caller.is_cpu())
    }
}

/// One line of the log.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate property")]
pub(crate) struct Line<'log> {
    /// The offset of the first byte, including the prefix.
    pub(crate) start: usize,
    /// The offset one past the last byte, without the line feed.
    pub(crate) end: usize,
    /// The line without its prefix, at most [`MAX_LINE`] bytes.
    pub(crate) text: Cow<'log, [u8]>,
    /// The caller that printed it.
    pub(crate) context: Context,
    /// Whether it continues the line above, which netconsole had to split.
    pub(crate) is_rest: bool,
    /// Whether the text is in the log byte for byte.
    pub(crate) is_verbatim: bool,
    /// Whether the line was cut at [`MAX_LINE`].
    pub(crate) is_cut: bool,
    /// Whether a logger added a prefix: a time or a program before the text, or the learned prefix.
    pub(crate) is_carried: bool,
    /// Whether it contains no kernel line: punctuation of JSON, another field of a journal.
    pub(crate) is_wrapping: bool,
}

impl<'log> Line<'log> {
    /// Parses the line at `start`, with a learned or a known prefix; `None` at the end of the log.
    pub(crate) fn at(log: &'log [u8], start: usize, shape: &Shape) -> Option<Self> {
        Self::read(log, start, shape, Shape::prefix)
    }

    /// Parses the line from which the prefix was learned.
    pub(crate) fn headline(log: &'log [u8], start: usize, shape: &Shape) -> Option<Self> {
        Self::read(log, start, shape, Shape::prefix_of_headline)
    }

    fn read(
        log: &'log [u8],
        start: usize,
        shape: &Shape,
        prefix: impl Fn(&Shape, &[u8]) -> Before,
    ) -> Option<Self> {
        let rest = log.get(start..).filter(|rest| !rest.is_empty())?;
        let end = start + memchr(b'\n', rest).unwrap_or(rest.len());
        let raw = clean(log.get(start..end.min(start + MAX_LINE)).unwrap_or_default());
        let is_cut = end - start > MAX_LINE;
        let opened = if is_announcement(&raw) { None } else { shape.open(raw) };
        let is_wrapping = opened.is_none();
        let raw = opened.unwrap_or_default();
        let mut is_verbatim = matches!(raw, Cow::Borrowed(_));
        let mut is_rest = false;
        // A prefix is at the front, so it can be cut off a copy as well.
        let (Before { context, is_carried, .. }, text) = match raw {
            Cow::Borrowed(raw) => {
                let end = shape.end(raw);
                is_verbatim &= end == raw.len();
                let raw = raw.get(..end).unwrap_or_default();
                let before = prefix(shape, raw);
                let skip = before.length;
                is_rest = prefix::is_rest(raw.get(..skip).unwrap_or_default());
                (before, Cow::Borrowed(raw.get(skip..).unwrap_or_default()))
            }
            Cow::Owned(mut raw) => {
                raw.truncate(shape.end(&raw));
                let before = prefix(shape, &raw);
                raw.drain(..before.length.min(raw.len()));
                (before, Cow::Owned(raw))
            }
        };
        Some(Self {
            start,
            end,
            text,
            context,
            is_rest,
            is_verbatim,
            is_cut,
            is_carried,
            is_wrapping,
        })
    }

    /// Learns the prefix of the lines of a report from the line that starts it.
    ///
    /// `find` returns the offset of the report's marker in a text.
    pub(crate) fn shape(log: &[u8], start: usize, find: impl Fn(&[u8]) -> Option<usize>) -> Shape {
        let rest = log.get(start..).unwrap_or_default();
        let rest = rest.get(..MAX_LINE).unwrap_or(rest);
        Shape::learn(memchr(b'\n', rest).and_then(|end| rest.get(..end)).unwrap_or(rest), find)
    }

    /// Copies the line, and moves its offsets by `base` bytes.
    pub(crate) fn into_owned(self, base: usize) -> Line<'static> {
        let Self {
            start,
            end,
            text,
            context,
            is_rest,
            is_verbatim,
            is_cut,
            is_carried,
            is_wrapping,
        } = self;
        Line {
            start: start + base,
            end: end + base,
            text: Cow::Owned(text.into_owned()),
            context,
            is_rest,
            is_verbatim,
            is_cut,
            is_carried,
            is_wrapping,
        }
    }

    /// Returns the offset of the next line.
    pub(crate) fn next(&self) -> usize {
        self.end + 1
    }

    /// Returns a part of this line's text with the lifetime of the log.
    ///
    /// `part` must be a slice of [`Line::text`]. It is borrowed if the text is borrowed, and copied
    /// otherwise. Bytes that are not valid UTF-8 become `\xff` and the like.
    pub(crate) fn own(&self, part: &[u8]) -> Cow<'log, str> {
        let Cow::Borrowed(text) = self.text else {
            return Cow::Owned(escape::text(part).into_owned());
        };
        let offset = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        match text.get(offset..offset.saturating_add(part.len())) {
            Some(part) => escape::text(part),
            None => Cow::Owned(escape::text(part).into_owned()),
        }
    }

    /// Returns the offset in the log of a part of this line's text.
    ///
    /// If bytes were removed from the text, it is the start of the line.
    pub(crate) fn offset_of(&self, part: &[u8]) -> usize {
        let text: &[u8] = &self.text;
        if !self.is_verbatim {
            return self.start;
        }
        let offset = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        let carrier = (self.end - self.start).saturating_sub(text.len());
        if offset <= text.len() {
            (self.start + carrier + offset).min(self.end)
        } else {
            self.start
        }
    }
}

/// Returns whether a line is the announcement of a kernel line on all terminals: syslogd's
/// `*.emerg :omusrmsg:*`, systemd-journald's `ForwardToWall=`.
fn is_announcement(raw: &[u8]) -> bool {
    raw.starts_with(b"Message from syslogd@")
        || raw.starts_with(b"Broadcast message from systemd-journald@")
}

/// U+00A0, which mail programs and web pages use for blanks.
const NO_BREAK: &[u8] = &[NO_BREAK_LEAD, 0xa0];
const NO_BREAK_LEAD: u8 = 0xc2;

/// Returns whether [`clean`] removes bytes from the middle of a line.
pub(crate) fn is_odd(raw: &[u8]) -> bool {
    let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
    !is_plain(raw) && raw.iter().any(|b| matches!(*b, 0x1b | 0 | b'\r' | NO_BREAK_LEAD | b'&'))
}

/// The number of bytes that are compared at once: the compiler emits two vector instructions for a
/// comparison.
const LANES: usize = 16;

/// Returns whether all bytes are printable ASCII except `&`, as in nearly all lines.
///
/// Lines are short, so this costs less than one call of `memchr`.
fn is_plain(raw: &[u8]) -> bool {
    let is_plain = |b: u8| b.wrapping_sub(b' ') < 0x5f && b != b'&';
    let Some(last) = raw.last_chunk::<LANES>() else { return raw.iter().all(|b| is_plain(*b)) };
    let other = |chunk: &[u8; LANES]| chunk.iter().fold(false, |any, b| any | !is_plain(*b));
    !raw.as_chunks().0.iter().fold(other(last), |any, chunk| any | other(chunk))
}

/// HTML character references and the bytes that they encode.
const ENTITIES: &[(&str, &[u8])] = &[
    ("&lt;", b"<"),
    ("&gt;", b">"),
    ("&amp;", b"&"),
    ("&quot;", b"\""),
    ("&#34;", b"\""),
    ("&#39;", b"'"),
    ("&#x27;", b"'"),
    ("&apos;", b"'"),
    ("&#60;", b"<"),
    ("&#62;", b">"),
    ("&#91;", b"["),
    ("&#93;", b"]"),
    ("&#160;", b" "),
    ("&nbsp;", b" "),
];

/// Returns the character reference at the start of a text, and the bytes that it encodes.
fn entity(text: &[u8]) -> Option<(usize, &'static [u8])> {
    let found = ENTITIES.iter().find(|(name, _)| text.starts_with(name.as_bytes()));
    found.map(|(name, stands_for)| (name.len(), *stands_for))
}

/// Decodes character references.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'&', rest) {
        let (head, tail) = rest.split_at(at);
        kept.extend_from_slice(head);
        let (length, stands_for) = entity(tail).unwrap_or((1, b"&"));
        kept.extend_from_slice(stands_for);
        rest = tail.get(length..).unwrap_or_default();
    }
    kept.extend_from_slice(rest);
    kept
}

/// Removes the carriage return, NUL bytes and ANSI escapes; replaces no-break spaces by blanks, and
/// decodes HTML character references.
pub(crate) fn clean(raw: &[u8]) -> Cow<'_, [u8]> {
    let mut raw = raw;
    while let [head @ .., b'\r' | 0] = raw {
        raw = head;
    }
    while let [b'\r' | 0, tail @ ..] = raw {
        raw = tail;
    }
    if !is_odd(raw) {
        return Cow::Borrowed(raw);
    }
    // Names of locks start with `&`, and most lines with `&` have no character reference.
    let is_entity = |at| raw.get(at..).is_some_and(|text| entity(text).is_some());
    let has_entity = memchr_iter(b'&', raw).any(is_entity);
    if !has_entity && memchr3(0x1b, 0, b'\r', raw).is_none() && !search::has(raw, NO_BREAK) {
        return Cow::Borrowed(raw);
    }
    let mut kept = Vec::with_capacity(raw.len());
    let mut copy = |part: &[u8]| {
        let mut rest = part;
        while let Some(at) = search::find(rest, NO_BREAK) {
            let (head, tail) = rest.split_at(at);
            kept.extend_from_slice(head);
            kept.push(b' ');
            rest = tail.get(NO_BREAK.len()..).unwrap_or_default();
        }
        kept.extend_from_slice(rest);
    };
    while let Some(at) = memchr3(0x1b, 0, b'\r', raw) {
        let (head, tail) = raw.split_at(at);
        copy(head);
        raw = tail.get(escape_len(tail)..).unwrap_or_default();
    }
    copy(raw);
    if has_entity {
        kept = decoded(&kept);
    }
    // A line of escapes may have little text, and may be kept.
    kept.shrink_to_fit();
    Cow::Owned(kept)
}

/// Returns the length of the escape sequence, or of the single byte, at the start of `raw`.
///
/// `ESC [` up to a letter sets colours and moves the cursor (ECMA-48, CSI).
fn escape_len(raw: &[u8]) -> usize {
    let [0x1b, b'[', rest @ ..] = raw else { return 1 };
    let parameters = rest.iter().take_while(|b| (0x20..0x40).contains(*b)).count();
    2 + parameters + usize::from(rest.get(parameters).is_some_and(|b| (0x40..0x7f).contains(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(log: &[u8]) -> (Context, String) {
        let line = Line::at(log, 0, &Shape::PLAIN).expect("a line");
        (line.context, String::from_utf8_lossy(&line.text).into_owned())
    }

    #[test]
    fn ok_carriers() {
        let p = |log: &'static str| first(log.as_bytes());
        assert_eq!(p("BUG: x"), (Context::Bare, "BUG: x".into()));
        assert_eq!(p("[   12.345678] BUG: x\r\n"), (Context::Console, "BUG: x".into()));
        assert_eq!(
            p("<4>[   12.3][   T12]  f+0x1/0x2"),
            (Context::Caller(Caller::new(b"T12")), " f+0x1/0x2".into())
        );
        assert_eq!(
            p("\x1b[32m[    1.5] \x1b[0m\x1b[33mBUG\x1b[0m: x"),
            (Context::Console, "BUG: x".into())
        );
        assert_eq!(
            p("\x1b[1m[    1.5][    C0] BUG: x\0"),
            (Context::Caller(Caller::new(b"C0")), "BUG: x".into())
        );
        assert_eq!(p("a\0b\rc"), (Context::Bare, "abc".into()));
    }

    #[test]
    fn own_borrows_where_the_text_does() {
        let line = Line::at(b"[    1.5] BUG: x", 0, &Shape::PLAIN).expect("a line");
        let text = line.text.clone();
        let Cow::Borrowed(text) = text else { panic!("copied") };
        let part = &text[5..];
        assert!(matches!(line.own(part), Cow::Borrowed("x")));
        assert_eq!(line.offset_of(part), 15);

        let line = Line::at(b"[    1.5] B\x1b[0mUG: \xff", 0, &Shape::PLAIN).expect("a line");
        let part = line.text[5..].to_vec();
        assert_eq!(line.own(&part), "\\xff");
        assert_eq!(line.offset_of(&part), 0);
    }

    #[test]
    fn odd_bytes_are_found_at_any_offset() {
        for len in 1..20 {
            for (at, byte) in (0..len).flat_map(|at| (0..=255).map(move |byte| (at, byte))) {
                let mut line = vec![b'a'; len];
                line[at] = byte;
                let ends = byte == b'\r' && at == len - 1;
                let want = matches!(byte, 0x1b | 0 | b'\r' | NO_BREAK_LEAD | b'&') && !ends;
                assert_eq!(is_odd(&line), want, "{byte:#x} at {at} of {len}");
            }
        }
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let log = vec![b'a'; 3 * MAX_LINE];
        let line = Line::at(&log, 0, &Shape::PLAIN).expect("a line");
        assert_eq!((line.text.len(), line.end), (MAX_LINE, log.len()));
        assert!(Line::at(&log, line.next(), &Shape::PLAIN).is_none());
    }
}
