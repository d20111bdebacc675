//! Compares the start of a line with a learned prefix: equal marks, other numbers and padding.

/// The maximum number of possible starts of the text that are kept for a line.
const PARTS: usize = 4;

/// The longest text between brackets that is one field, in bytes.
const MAX_GROUP: usize = 64;

/// A part of a prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Token {
    Blank,
    /// Digits.
    Number,
    /// Letters, in any language.
    Word,
    /// A run of other bytes between two marks.
    Field,
    /// Brackets and the text between them.
    Group,
    /// One byte of punctuation.
    Mark,
}

/// How closely a line must match a prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Likeness {
    /// Equal words and marks; numbers may differ.
    Same,
    /// The same, with `-` in place of `:`, as `grep -C` prints around a match.
    Dashed,
    /// Equal marks; words, and text in brackets, may differ.
    Alike,
}

/// How far a line matches a prefix.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Fit {
    /// The start of the text, if the whole prefix matches.
    pub(super) whole: Option<usize>,
    parts: [usize; PARTS],
    count: usize,
    /// The number of fields that are equal except for numbers, and of the others.
    same: usize,
    other: usize,
}

impl Fit {
    /// The possible starts of the text, if the prefix ends with words of the headline; the last
    /// first.
    pub(super) fn parts(&self) -> impl Iterator<Item = usize> {
        let last = |back: usize| self.parts.get(self.count.checked_sub(back)? % PARTS).copied();
        (1..=PARTS).map_while(last)
    }

    /// Returns whether most of the fields are equal.
    pub(super) fn is_close(&self) -> bool {
        self.same > 0 && self.same >= self.other
    }

    fn push(&mut self, at: usize) {
        if let Some(part) = self.parts.get_mut(self.count % PARTS) {
            *part = at;
            self.count += 1;
        }
    }
}

/// Compares `line` with `shape`, the prefix of a headline.
pub(super) fn fit(shape: &[u8], line: &[u8], likeness: Likeness) -> Fit {
    let mut fit = Fit::default();
    let (mut rest, mut at, mut before) = (shape, 0, Token::Mark);
    while let Some((token, part, tail)) = next(rest, likeness) {
        let text = line.get(at..).unwrap_or_default();
        let length = match token {
            Token::Blank => blank(part, before, tail, text),
            Token::Number => number(before, text),
            Token::Mark => mark(part, tail, text, likeness),
            Token::Word => text.starts_with(part).then_some(part.len()),
            Token::Field | Token::Group => like(token, part, before, text),
        };
        let Some(length) = length else { return fit };
        if matches!(token, Token::Field | Token::Group) {
            let is_same = is_same(token, part, text.get(..length).unwrap_or_default());
            fit.same += usize::from(is_same);
            fit.other += usize::from(!is_same);
        }
        match token {
            Token::Blank => fit.push(at + length.min(part.len())),
            Token::Mark | Token::Group => fit.push(at + length),
            Token::Number | Token::Word | Token::Field => {}
        }
        at += length;
        (rest, before) = (tail, token);
    }
    fit.whole = Some(at);
    fit
}

/// Returns whether a prefix has so many fields that other text is unlikely to have the same marks.
pub(super) fn is_rich(shape: &[u8]) -> bool {
    let (mut rest, mut fields) = (shape, 0);
    while let Some((token, _, tail)) = next(rest, Likeness::Alike) {
        fields += match token {
            Token::Field => 1,
            Token::Group => 2,
            _ => 0,
        };
        rest = tail;
    }
    fields > 2 || fields == 2 && shape.iter().any(u8::is_ascii_digit)
}

/// Returns the first token of a prefix, and the rest.
fn next(text: &[u8], likeness: Likeness) -> Option<(Token, &[u8], &[u8])> {
    let first = *text.first()?;
    let run = |is: fn(u8) -> bool| text.iter().take_while(|b| is(**b)).count();
    let is_alike = likeness == Likeness::Alike;
    let (token, length) = match first {
        b' ' | b'\t' => (Token::Blank, run(is_blank)),
        _ if is_alike && let Some(length) = group(text) => (Token::Group, length),
        _ if is_alike && is_field(first) => (Token::Field, run(is_field)),
        b'0'..=b'9' if !is_alike => (Token::Number, run(|b| b.is_ascii_digit())),
        _ if !is_alike && is_letter(first) => (Token::Word, run(is_letter)),
        _ => (Token::Mark, 1),
    };
    let (part, tail) = text.split_at(length);
    Some((token, part, tail))
}

/// Returns the length of brackets and the text between them.
fn group(text: &[u8]) -> Option<usize> {
    let close = match text.first()? {
        b'[' => b']',
        b'(' => b')',
        b'<' => b'>',
        b'{' => b'}',
        _ => return None,
    };
    text.iter().take(MAX_GROUP).position(|b| *b == close).map(|at| at + 1)
}

fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

fn is_letter(b: u8) -> bool {
    b.is_ascii_alphabetic() || b >= 0x80
}

fn is_field(b: u8) -> bool {
    !is_blank(b) && !b":|,\"'=;#[](){}<>".contains(&b)
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|b| is_blank(**b)).count()
}

/// Matches blanks next to a mark, which pad a field. At the end of a prefix further blanks belong
/// to the text, and a logger may strip them on an empty line.
fn blank(part: &[u8], before: Token, tail: &[u8], text: &[u8]) -> Option<usize> {
    let length = blanks(text);
    let Some(next) = tail.first() else {
        return (length > 0 || text.is_empty()).then_some(length.min(part.len()));
    };
    let pads = before == Token::Mark || !(is_letter(*next) || next.is_ascii_digit());
    (pads || length > 0).then_some(length)
}

/// Matches the padding of a number behind a mark.
fn number(before: Token, text: &[u8]) -> Option<usize> {
    let padding = if before == Token::Mark { blanks(text) } else { 0 };
    let digits = text.iter().skip(padding).take_while(|b| b.is_ascii_digit()).count();
    (digits > 0).then_some(padding + digits)
}

/// Matches a mark. `grep` prints another mark behind the file and line of a context line than of a
/// match.
fn mark(part: &[u8], tail: &[u8], text: &[u8], likeness: Likeness) -> Option<usize> {
    let is_numbered = || tail.first().is_none_or(|b| !is_blank(*b));
    let is_dashed = likeness == Likeness::Dashed
        && part == b":"
        && text.first() == Some(&b'-')
        && is_numbered();
    (text.first() == part.first() || is_dashed).then_some(1)
}

/// Matches a field or brackets with other content.
fn like(token: Token, part: &[u8], before: Token, text: &[u8]) -> Option<usize> {
    if token == Token::Group {
        return group(text).filter(|_| text.first() == part.first());
    }
    let padding = if before == Token::Mark { blanks(text) } else { 0 };
    let length = text.iter().skip(padding).take_while(|b| is_field(**b)).count();
    (length > 0).then_some(padding + length)
}

/// Returns whether two fields are equal except for numbers, or two brackets contain the same marks.
fn is_same(token: Token, part: &[u8], text: &[u8]) -> bool {
    let is_kept = |b: &&u8| match token {
        Token::Group => !is_field(**b) && !is_blank(**b),
        _ => !b.is_ascii_digit() && !is_blank(**b),
    };
    part.iter().filter(is_kept).eq(text.iter().filter(is_kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(shape: &str, line: &str, likeness: Likeness) -> Option<usize> {
        fit(shape.as_bytes(), line.as_bytes(), likeness).whole
    }

    #[test]
    fn numbers_are_free_and_padded() {
        let p = |shape: &'static str, line: &'static str| whole(shape, line, Likeness::Same);
        assert_eq!(p("May  1 10:00:01 pc kernel: ", "May 11 9:59:0 pc kernel:  x"), Some(25));
        assert_eq!(p("     9\t", "    10\t  x"), Some(7));
        assert_eq!(p("[    9.5, 3] ", "[12345.5,13] x"), Some(13));
        assert_eq!(p("[12] ", "[ 9] x"), Some(5));
        assert_eq!(p("machine # ", "machine #"), Some(9));
        assert_eq!(p("web-1  | ", "web-1  |  x"), Some(9));
        assert_eq!(p("machine # ", "machine: x"), None);
        assert_eq!(p("a b", "ab"), None);
    }

    #[test]
    fn words_are_free_where_marks_agree() {
        let (shape, line) = ("1 kern.alert kernel: ", "1 kern.warn kernel:  x");
        assert_eq!(whole(shape, line, Likeness::Same), None);
        assert_eq!(whole(shape, line, Likeness::Alike), Some(20));
        assert_eq!(whole("[1:init] c1 ", "[0:swapper/0] c0 x", Likeness::Alike), Some(17));
        assert_eq!(whole("a.txt:12:", "a.txt-13-x", Likeness::Dashed), Some(9));
    }

    #[test]
    fn a_headline_may_have_words_of_its_own() {
        let fit = fit(b"1 host kernel: watchdog: ", b"2 host kernel:  x", Likeness::Same);
        assert_eq!(fit.whole, None);
        assert_eq!(fit.parts().collect::<Vec<_>>(), [15, 14, 7, 2]);
    }

    #[test]
    fn few_fields_are_not_enough() {
        assert!(!is_rich(b"watchdog: ") && !is_rich(b"NMI watchdog: ") && is_rich(b"1 kernel: "));
    }
}
