//! Wraps: kernel lines as strings in JSON or a table, as fields of a journal, or as text in
//! Markdown or HTML.
//!
//! No key has a special meaning: the headline shows which string contains the kernel lines.

use std::borrow::Cow;

use memchr::memchr2;

use super::clean;
use crate::search;

/// The most nested wraps: the log of a container whose program logs JSON has two.
const MAX_WRAPS: usize = 3;

/// The longest key of a string, in bytes.
const MAX_KEY: usize = 128;

/// A wrap around kernel lines.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Wrap {
    /// A string behind a key; the key of JSON includes its quotes: `"MESSAGE": "…"`, `msg="…"`.
    Member(Vec<u8>),
    /// The string with this index in a list, from 0: JSON arrays, comma-separated values.
    Item(usize),
    /// `MESSAGE=`, printed by `journalctl -o verbose` and `-o export`: each field is on its own
    /// line.
    Field(Vec<u8>),
    /// Markdown in which marks are escaped with `\`.
    Escaped,
    /// HTML tags.
    Tags,
}

/// The tags that web pages put around lines and words. `<TASK>`, `<IRQ>` and `<0f>` are printed by
/// the kernel.
const TAGS: &[&str] = &[
    "a", "b", "br", "code", "div", "em", "font", "i", "kbd", "li", "mark", "p", "pre", "samp",
    "span", "strong", "td", "tr", "tt", "u",
];

/// Learns the wraps around a headline, and returns the text inside.
///
/// `find` returns the offset of the headline's marker in a text.
pub(super) fn learn(
    headline: Vec<u8>,
    find: impl Fn(&[u8]) -> Option<usize>,
) -> (Vec<Wrap>, Vec<u8>) {
    let (mut wraps, mut text) = (Vec::new(), headline);
    while wraps.len() < MAX_WRAPS
        && let Some(at) = find(&text)
        && let Some(wrap) = string(&text, at).or_else(|| field(text.get(..at)?))
    {
        let inside = open(std::slice::from_ref(&wrap), Cow::Borrowed(&text));
        let is_inside = |inside: &Cow<'_, [u8]>| **inside != *text && find(inside).is_some();
        let Some(inside) = inside.filter(is_inside) else { break };
        text = inside.into_owned();
        wraps.push(wrap);
    }
    for (wrap, is_around) in
        [(Wrap::Tags, has_tags as fn(&[u8]) -> bool), (Wrap::Escaped, has_escapes)]
    {
        if is_around(&text) {
            text = open(std::slice::from_ref(&wrap), Cow::Borrowed(&text))
                .map(Cow::into_owned)
                .unwrap_or_default();
            wraps.push(wrap);
        }
    }
    (wraps, text)
}

/// Unwraps a line; `None` if it contains no kernel line.
pub(super) fn open<'t>(wraps: &[Wrap], text: Cow<'t, [u8]>) -> Option<Cow<'t, [u8]>> {
    wraps.iter().try_fold(text, |text, wrap| match wrap {
        Wrap::Member(key) => match member(&text, key) {
            Some(string) => Some(Cow::Owned(unquoted(string))),
            None => (!key.starts_with(b"\"") || !is_json(&text)).then_some(text),
        },
        Wrap::Item(number) => match item(&text, *number) {
            Some(string) => Some(Cow::Owned(unquoted(string))),
            None => (!is_json(&text)).then_some(text),
        },
        Wrap::Field(key) => match text.trim_ascii_start().strip_prefix(&**key) {
            Some(rest) => Some(Cow::Owned(rest.to_vec())),
            None => (field(&text).is_none() && !is_entry(&text)).then_some(text),
        },
        Wrap::Escaped => Some(Cow::Owned(unescaped(&text))),
        Wrap::Tags => Some(Cow::Owned(untagged(&text))),
    })
}

/// Returns the wrap of the string that contains `at`.
fn string(text: &[u8], at: usize) -> Option<Wrap> {
    let mut number = 0;
    let mut from = 0;
    loop {
        let start = from + memchr::memchr(b'"', text.get(from..at)?)? + 1;
        let end = start + length(text.get(start..)?);
        if at <= end {
            return around(text.get(..start - 1)?, number);
        }
        from = end + 1;
        number += 1;
    }
}

/// Returns the wrap of the string with this index in a line, by the text before it.
fn around(before: &[u8], number: usize) -> Option<Wrap> {
    match before.trim_ascii_end() {
        [head @ .., b':'] => {
            let key = head.trim_ascii_end().strip_suffix(b"\"")?;
            let start = memchr::memrchr(b'"', key)?;
            let key = head.trim_ascii_end().get(start..)?;
            (key.len() <= MAX_KEY).then(|| Wrap::Member(key.to_vec()))
        }
        [head @ .., b'='] => {
            let length = head.iter().rev().take_while(|b| is_key(**b)).count();
            let key = head.get(head.len() - length..)?;
            (1..=MAX_KEY).contains(&length).then(|| Wrap::Member(key.to_vec()))
        }
        [] | [.., b',' | b';' | b'['] => Some(Wrap::Item(number)),
        _ => None,
    }
}

fn is_key(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'@')
}

/// Returns the wrap of a line that is a field of a journal.
fn field(line: &[u8]) -> Option<Wrap> {
    let line = line.trim_ascii_start();
    let is_name = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_';
    let name = line.iter().take_while(|b| is_name(b)).count();
    let key = line.get(..=name).filter(|key| key.ends_with(b"="))?;
    (1..=MAX_KEY).contains(&name).then(|| Wrap::Field(key.to_vec()))
}

/// `Wed 2024-05-01 10:00:00.425000 UTC [s=4b7…;i=1f;b=…]`: the line above the fields of an entry.
fn is_entry(line: &[u8]) -> bool {
    line.trim_ascii_end().ends_with(b"]") && search::has(line, " [s=")
}

/// Returns the string behind a key, from its first byte on.
fn member<'t>(text: &'t [u8], key: &[u8]) -> Option<&'t [u8]> {
    let mut from = 0;
    loop {
        let at = from + search::find(text.get(from..)?, key)?;
        from = at + key.len();
        let is_whole =
            at == 0 || key.starts_with(b"\"") || text.get(at - 1).is_none_or(|b| !is_key(*b));
        let value = text.get(from..)?.trim_ascii_start();
        if is_whole && let [b':' | b'=', value @ ..] = value {
            let value = value.trim_ascii_start();
            if let Some(string) = value.strip_prefix(b"\"") {
                return Some(string);
            }
        }
    }
}

/// Returns the string with this index in a list, from its first byte on.
fn item(text: &[u8], number: usize) -> Option<&[u8]> {
    let mut start = memchr::memchr(b'"', text)? + 1;
    for _ in 0..number {
        let end = start + length(text.get(start..)?);
        start = end + 1 + memchr::memchr(b'"', text.get(end + 1..)?)? + 1;
    }
    let is_item = matches!(around(text.get(..start - 1)?, number), Some(Wrap::Item(_)));
    text.get(start..).filter(|_| is_item)
}

/// Returns whether a line is punctuation of JSON, or another part of it.
fn is_json(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let is_list = || line.iter().all(|b| matches!(b, b'[' | b']' | b',' | b'}'));
    matches!(line.first(), None | Some(b'{' | b'}' | b'"')) || is_list()
}

/// Returns the length of a string up to its closing quote, or to the end of the line. Quotes inside
/// are escaped with `\` in JSON, and doubled in a table.
fn length(string: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr2(b'"', b'\\', string.get(at..).unwrap_or_default()) {
        at += found;
        match (string.get(at), string.get(at + 1)) {
            (Some(b'"'), next) if next != Some(&b'"') => return at,
            _ => at += 2,
        }
    }
    string.len()
}

/// Returns the decoded text of a string, up to its closing quote.
fn unquoted(string: &[u8]) -> Vec<u8> {
    let string = string.get(..length(string)).unwrap_or(string);
    let mut text = Vec::with_capacity(string.len());
    let mut rest = string;
    while let Some(at) = memchr2(b'"', b'\\', rest) {
        let (head, tail) = rest.split_at(at);
        text.extend_from_slice(head);
        rest = escape(tail, &mut text);
    }
    text.extend_from_slice(rest);
    match clean(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(text) => text,
    }
}

/// Decodes an escape to `text`, and returns the rest.
fn escape<'t>(escape: &'t [u8], text: &mut Vec<u8>) -> &'t [u8] {
    let (length, byte) = match escape {
        // The end of the line.
        [b'\\', b'n' | b'r'] | [b'\\', b'r', b'\\', b'n'] => return &[],
        [b'\\', b'n' | b'r', ..] => (2, b' '),
        [b'\\', b't', ..] => (2, b'\t'),
        [b'\\', b'u', code @ ..] => return unicode(code, text),
        [_, byte, ..] => (2, *byte),
        _ => (1, b'\\'),
    };
    text.push(byte);
    escape.get(length..).unwrap_or_default()
}

/// `\u003c`: Docker and other programs escape the special characters of HTML.
fn unicode<'t>(code: &'t [u8], text: &mut Vec<u8>) -> &'t [u8] {
    let digits = code.get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
    let Some(value) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
        return code;
    };
    let c = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    code.get(4..).unwrap_or_default()
}

fn has_escapes(headline: &[u8]) -> bool {
    search::has(headline, "\\[") || search::has(headline, "\\_")
}

/// Removes the `\` before marks in Markdown.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (head, tail) = rest.split_at(at);
        kept.extend_from_slice(head);
        let is_escape = tail.get(1).is_some_and(u8::is_ascii_punctuation);
        let (mark, after) = tail.split_at(if is_escape { 2 } else { 1 });
        kept.extend_from_slice(if is_escape { mark.get(1..).unwrap_or_default() } else { mark });
        rest = after;
    }
    kept.extend_from_slice(rest);
    kept
}

fn has_tags(headline: &[u8]) -> bool {
    memchr::memchr_iter(b'<', headline)
        .any(|at| headline.get(at..).is_some_and(|text| tag(text).is_some()))
}

/// The longest tag, in bytes.
const MAX_TAG: usize = 256;

/// Returns the length of the tag at the start of a text.
fn tag(text: &[u8]) -> Option<usize> {
    let inside = text.strip_prefix(b"<")?;
    let inside = inside.strip_prefix(b"/").unwrap_or(inside);
    let name = inside.iter().take_while(|b| b.is_ascii_lowercase()).count();
    let name = inside.get(..name).filter(|name| TAGS.iter().any(|tag| tag.as_bytes() == *name))?;
    let is_end = |b: &u8| matches!(b, b'>' | b'/' | b' ');
    inside.get(name.len()).filter(|b| is_end(b))?;
    memchr::memchr(b'>', text.get(..MAX_TAG).unwrap_or(text)).map(|at| at + 1)
}

/// Removes tags.
fn untagged(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'<', rest) {
        let (head, tail) = rest.split_at(at);
        kept.extend_from_slice(head);
        if let Some(length) = tag(tail) {
            rest = tail.get(length..).unwrap_or_default();
        } else {
            kept.push(b'<');
            rest = tail.get(1..).unwrap_or_default();
        }
    }
    kept.extend_from_slice(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(headline: &str, line: &str) -> Option<String> {
        let find = |text: &[u8]| search::find(text, "BUG: ");
        let (wraps, _) = learn(headline.as_bytes().to_vec(), find);
        open(&wraps, Cow::Borrowed(line.as_bytes()))
            .map(|text| String::from_utf8(text.into_owned()).expect("text"))
    }

    #[test]
    fn strings() {
        let json = r#"{"log": "[ 1.5] BUG: a\n", "stream": "stdout"}"#;
        assert_eq!(
            p(json, r#"{"stream":"","log":" f \u003c1\u003e \"x\"\n"}"#).as_deref(),
            Some(" f <1> \"x\"")
        );
        assert_eq!(p(json, r#"{"stream": "stdout"}"#), None);
        assert_eq!(p(json, "   },"), None);
        assert_eq!(p(json, "[    1.5] f").as_deref(), Some("[    1.5] f"));
        let nested = r#"{"log":"{\"level\":\"info\",\"msg\":\"BUG: a\"}\n"}"#;
        assert_eq!(
            p(nested, r#"{"log":"{\"msg\":\"b\",\"level\":\"\"}\n"}"#).as_deref(),
            Some("b")
        );
        let row = r#"["17", "BUG: a"],"#;
        assert_eq!(p(row, r#"  ["18","b"],"#).as_deref(), Some("b"));
        assert_eq!(p(r#""x","y","BUG: a""#, r#""z","","b ""c"" d""#).as_deref(), Some("b \"c\" d"));
        assert_eq!(p(r#"level=info msg="BUG: a""#, r#"level=info msg="b""#).as_deref(), Some("b"));
        assert_eq!(p(r#"level=info msg="BUG: a""#, "b").as_deref(), Some("b"));
        assert_eq!(p("\"BUG: a", "b").as_deref(), Some("b"));
    }

    #[test]
    fn fields_marks_and_tags() {
        assert_eq!(p("    MESSAGE=BUG: a", "    MESSAGE=  b").as_deref(), Some("  b"));
        assert_eq!(p("    MESSAGE=BUG: a", "    _PID=1"), None);
        assert_eq!(
            p("\\[ 1.5\\] BUG: a\\_b", "\\[ 1.5\\]  c\\_d\\x").as_deref(),
            Some("[ 1.5]  c_d\\x")
        );
        assert_eq!(
            p("<p>[ 1.5] BUG: a</p>", "<span class=\"n\">1</span> <TASK> <0f> a < b<br/>")
                .as_deref(),
            Some("1 <TASK> <0f> a < b")
        );
    }

    #[test]
    fn other_text_is_not_wrapped() {
        for line in ["BUG: a \"b\"", "he said: \"BUG: a\"", "x \"y\" BUG: z", "\"\"\"BUG: "] {
            let _ = p(line, line);
        }
        assert_eq!(p("he said: \"BUG: a\"", "\"b\"").as_deref(), Some("\"b\""));
    }
}
