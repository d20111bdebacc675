//! Patterns of the kind table, for a headline or a body.
//!
//! A pattern is a list of pieces, split into segments by the gaps [`Piece::Any`], [`Piece::Later`]
//! and [`Piece::Near`]. The pieces of a segment are adjacent. Each segment takes the first place
//! where it matches, so no place is tried twice, and matching is linear in the text.

use crate::search;
use crate::syntax::died::{self, Died};
use crate::syntax::frame;
use crate::token;

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Piece {
    /// This text.
    Lit(&'static str),
    /// One of these texts, the first that matches; captured.
    One(&'static [&'static str]),
    /// One of these texts, not captured.
    Either(&'static [&'static str]),
    /// A function: letters, digits and `_` up to a `.` or `+`; captured.
    Func,
    /// An address in brackets, or nothing.
    Addr,
    /// A source file with a line number.
    Source,
    /// Letters, digits and `_`; captured.
    Name,
    /// Anything without a blank.
    Token,
    /// One byte or more up to this text, which is not consumed; captured.
    Until(&'static str),
    /// Lower-case letters and `-`; captured.
    Words,
    /// Decimal digits.
    Digits,
    /// Hexadecimal digits, `0x` before them optional.
    Hex,
    /// The rest of the line; captured.
    Rest,
    /// White space up to the end of the line.
    End,
    /// The line of `die()` with a cause that begins with one of these, or with any cause if the list is empty;
    /// the cause is captured.
    Cause(&'static [&'static str]),
    /// Anything within the line.
    Any,
    /// Anything, but at least to the next line.
    Later,
    /// Anything within the line or the next two: the name of a task may contain line feeds.
    Near,
}

impl Piece {
    /// Returns whether the next piece may be on another line.
    pub(crate) fn leaves_the_line(&self) -> bool {
        matches!(self, Self::Later | Self::Near)
    }

    /// Returns whether a match may begin with a byte, which excludes most matches at low cost.
    pub(crate) fn may_begin(&self, byte: Option<u8>) -> bool {
        let begins = |text: &str| text.as_bytes().first().copied() == byte;
        match self {
            Self::Lit(text) => begins(text),
            Self::One(all) | Self::Either(all) => all.iter().any(|text| begins(text)),
            _ => true,
        }
    }
}

/// The number of lines that [`Piece::Near`] covers.
const NEAR: usize = 2;

/// The match of a pattern.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Found<'a> {
    /// The index of the line where the match begins.
    pub(crate) line: usize,
    /// The offset in this line.
    pub(crate) offset: usize,
    /// The texts of the capturing pieces, in order.
    pub(crate) captures: Vec<&'a [u8]>,
}

/// Finds the first match of `pieces` that begins in one of the lines `starts`, which are in order.
pub(crate) fn find<'a>(
    pieces: &[Piece],
    lines: &[&'a [u8]],
    starts: impl IntoIterator<Item = usize>,
) -> Option<Found<'a>> {
    let (segment, rest) = split(pieces);
    for line in starts {
        let text = lines.get(line)?;
        let mut captures = Vec::new();
        let Some((offset, end)) = search(segment, text, 0, &mut captures) else { continue };
        match follow(rest, lines, (line, end), &mut captures) {
            Ok(()) => return Some(Found { line, offset, captures }),
            Err(Fail::Line) => {}
            Err(Fail::Text) => return None,
        }
    }
    None
}

/// Returns the match of `pieces` that begins at an offset in a line.
pub(crate) fn find_at<'a>(
    pieces: &[Piece],
    lines: &[&'a [u8]],
    line: usize,
    offset: usize,
) -> Option<Found<'a>> {
    let (segment, rest) = split(pieces);
    let text = *lines.get(line)?;
    let mut tail = text.get(offset..)?;
    let mut captures = Vec::new();
    let begins = segment.iter().all(|piece| step(*piece, &mut tail, &mut captures));
    let end = text.len() - tail.len();
    let is_whole = begins && follow(rest, lines, (line, end), &mut captures).is_ok();
    is_whole.then_some(Found { line, offset, captures })
}

/// The scope of a failure.
enum Fail {
    /// Another line may match.
    Line,
    /// No line from here on can match: none contains the text.
    Text,
}

/// Matches the pieces from the place `at` on, a line and an offset in it.
fn follow<'a>(
    pieces: &[Piece],
    lines: &[&'a [u8]],
    at: (usize, usize),
    captures: &mut Vec<&'a [u8]>,
) -> Result<(), Fail> {
    let Some((gap, pieces)) = pieces.split_first() else { return Ok(()) };
    let (segment, rest) = split(pieces);
    if *gap != Piece::Later {
        let text = lines.get(at.0).copied().unwrap_or_default();
        if let Some((_, end)) = search(segment, text, at.1, captures) {
            return follow(rest, lines, (at.0, end), captures);
        }
        if *gap == Piece::Any {
            return Err(Fail::Line);
        }
    }
    let known = captures.len();
    let reach = if *gap == Piece::Near { NEAR } else { usize::MAX };
    for (line, text) in lines.iter().enumerate().skip(at.0 + 1).take(reach) {
        captures.truncate(known);
        let Some((_, end)) = search(segment, text, 0, captures) else { continue };
        match follow(rest, lines, (line, end), captures) {
            Err(Fail::Line) => {}
            done => return done,
        }
    }
    Err(if *gap == Piece::Near { Fail::Line } else { Fail::Text })
}

/// Splits off the first segment; the rest begins with the gap after it.
fn split(pieces: &[Piece]) -> (&[Piece], &[Piece]) {
    let gap =
        pieces.iter().position(|piece| matches!(piece, Piece::Any | Piece::Later | Piece::Near));
    pieces.split_at(gap.unwrap_or(pieces.len()))
}

/// Finds a segment in a line from `from` on, and returns its start and end.
fn search<'a>(
    segment: &[Piece],
    text: &'a [u8],
    from: usize,
    captures: &mut Vec<&'a [u8]>,
) -> Option<(usize, usize)> {
    let known = captures.len();
    let mut at = from;
    while at <= text.len() {
        if let Some(Piece::Lit(literal)) = segment.first() {
            at += search::find(text.get(at..)?, literal)?;
        }
        captures.truncate(known);
        if let Some(Piece::Cause(_)) = segment.first() {
            // A line has one cause.
            let start = from + died::died(text.get(from..)?)?.start;
            if at > start {
                break;
            }
            at = start;
        }
        let mut rest = text.get(at..)?;
        // A name or a number is only searched at its start: the rest of it gives no match, and
        // would be read again for each of its bytes.
        let inside = at > from
            && segment.first().is_some_and(|&piece| {
                text.get(at - 1)
                    .zip(rest.first())
                    .is_some_and(|(&a, &b)| is_run(piece, a) && is_run(piece, b))
            });
        if !inside && segment.iter().all(|piece| step(*piece, &mut rest, captures)) {
            return Some((at, text.len() - rest.len()));
        }
        at += 1;
    }
    captures.truncate(known);
    None
}

/// Returns whether a piece that matches a run of bytes includes this one.
fn is_run(piece: Piece, byte: u8) -> bool {
    match piece {
        Piece::Func | Piece::Name | Piece::Digits | Piece::Hex => {
            byte.is_ascii_alphanumeric() || byte == b'_'
        }
        Piece::Words => byte.is_ascii_lowercase() || byte == b'-',
        Piece::Source => token::is_path(byte),
        _ => false,
    }
}

/// Matches one piece at the front of `rest` and takes it off.
fn step<'a>(piece: Piece, rest: &mut &'a [u8], captures: &mut Vec<&'a [u8]>) -> bool {
    let text: &'a [u8] = rest;
    if let Piece::Cause(begins) = piece {
        return cause(begins, rest, captures);
    }
    let len = match piece {
        Piece::Lit(literal) => text.starts_with(literal.as_bytes()).then_some(literal.len()),
        Piece::One(all) | Piece::Either(all) => {
            all.iter().find(|one| text.starts_with(one.as_bytes())).map(|one| one.len())
        }
        Piece::Func => frame::title_function(text).map(<[u8]>::len),
        Piece::Addr => token::bracketed(text).ok().map(|(rest, _)| text.len() - rest.len()),
        Piece::Name => some_of(text, |b| b.is_ascii_alphanumeric() || b == b'_'),
        Piece::Token => some_of(text, |b| !b.is_ascii_whitespace()),
        Piece::Until(end) => crate::search::find(text, end).filter(|&len| len > 0),
        Piece::Source => token::file_and_line(text).ok().map(|(rest, _)| text.len() - rest.len()),
        Piece::Words => some_of(text, |b| b.is_ascii_lowercase() || b == b'-'),
        Piece::Digits => some_of(text, |b| b.is_ascii_digit()),
        Piece::Hex => token::hex(text).ok().map(|(rest, _)| text.len() - rest.len()),
        Piece::Rest => Some(text.len()),
        Piece::End => text.iter().all(u8::is_ascii_whitespace).then_some(text.len()),
        // Gaps are not part of a segment, and a cause is a part of its line.
        Piece::Any | Piece::Later | Piece::Near | Piece::Cause(_) => None,
    };
    let Some(len) = len else { return false };
    let (matched, tail) = text.split_at(len);
    if is_captured(piece) {
        captures.push(matched);
    }
    *rest = tail;
    true
}

/// Matches [`Piece::Cause`].
fn cause<'a>(begins: &[&str], rest: &mut &'a [u8], captures: &mut Vec<&'a [u8]>) -> bool {
    let Some(Died { cause, rest: tail, .. }) = died::died(rest) else { return false };
    let fits = begins.is_empty() || begins.iter().any(|text| cause.starts_with(text.as_bytes()));
    if fits {
        captures.push(cause);
        *rest = tail;
    }
    fits
}

fn is_captured(piece: Piece) -> bool {
    use Piece::{Func, Name, One, Rest, Until, Words};
    matches!(piece, One(_) | Func | Words | Rest | Name | Until(_))
}

fn some_of(text: &[u8], is: impl Fn(u8) -> bool) -> Option<usize> {
    let len = text.iter().take_while(|&&b| is(b)).count();
    (len > 0).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::Piece::{Any, End, Func, Later, Lit, One, Rest, Words};
    use super::*;

    fn check(pieces: &[Piece], text: &str) -> Option<(usize, usize, Vec<String>)> {
        let lines: Vec<_> = text.lines().map(str::as_bytes).collect();
        let found = find(pieces, &lines, 0..lines.len())?;
        let text = |capture: &&[u8]| String::from_utf8_lossy(capture).into_owned();
        Some((found.line, found.offset, found.captures.iter().map(text).collect()))
    }

    #[test]
    fn pieces_follow_without_a_gap() {
        let p = [Lit("BUG: "), Words, Lit(" in "), Func];
        assert_eq!(
            check(&p, "x\n BUG: use-after in foo.cold+1"),
            Some((1, 1, vec!["use-after".into(), "foo".into()]))
        );
        assert_eq!(check(&p, "BUG: a in foo"), None, "a function has an offset");
        assert_eq!(check(&[Lit("INFO:"), End], "INFO: a\nINFO:  "), Some((1, 0, vec![])));
        assert_eq!(check(&[Lit("a"), Rest], "xab c"), Some((0, 1, vec!["b c".into()])));
    }

    #[test]
    fn gaps() {
        let p = [Lit("a"), Any, Lit("c"), Later, One(&["Read", "Write"]), Lit(" of")];
        assert_eq!(check(&p, "a b c\nRead of"), Some((0, 0, vec!["Read".into()])));
        assert_eq!(check(&p, "a b\na c\nx\n Write of"), Some((1, 0, vec!["Write".into()])));
        assert_eq!(check(&p, "a c Read of"), None, "not on the same line");
        assert_eq!(check(&p, "a c\nRead\nRead x"), None);
        // A long name is read once, not once for each of its letters.
        assert_eq!(check(&[Lit("h"), Any, Func], &format!("h {}", "a".repeat(1 << 20))), None);
        // A line that fails behind a gap does not hide the next one.
        let p = [Lit("h"), Later, Lit("x"), Any, Func];
        assert_eq!(check(&p, "h\nx y\nx f+1"), Some((0, 0, vec!["f".into()])));
    }
}
