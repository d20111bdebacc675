//! Text of a log that nothing obeys.

use std::borrow::Cow;
use std::fmt::Write as _;
#[cfg(feature = "serde")]
use std::io;
use std::ops::RangeInclusive;

#[cfg(feature = "serde")]
use serde::Serialize;
#[cfg(feature = "serde")]
use serde_json::ser::Formatter;

/// Marks of direction, separators of lines, and what has no width or no ink: Unicode's
/// `Default_Ignorable_Code_Point`, and the blank of Braille.
const ACTIVE: [RangeInclusive<char>; 16] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Whether a character acts on a terminal, changes the direction of text, or cannot be seen.
pub(crate) fn is_active(c: char) -> bool {
    c.is_control() || c > '\u{a0}' && ACTIVE.iter().any(|range| range.contains(&c))
}

/// Bytes as text; those that are no UTF-8 become `\xff` and the like.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    Cow::Owned(text)
}

/// Writes a value as JSON in which active characters, and these, are escapes.
#[cfg(feature = "serde")]
pub(crate) fn write_json(
    out: impl io::Write,
    value: &impl Serialize,
    also: &'static [char],
) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(out, Inert { also });
    value.serialize(&mut serializer).map_err(io::Error::from)
}

#[cfg(feature = "serde")]
struct Inert {
    also: &'static [char],
}

#[cfg(feature = "serde")]
impl Formatter for Inert {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Nearly all text is ASCII, and serde_json itself escapes the controls below the blank.
        let is_plain = fragment.bytes().fold(0, u8::max) < 0x7f;
        if is_plain && self.also.is_empty() {
            return out.write_all(fragment.as_bytes());
        }
        let is_escaped = |c| is_active(c) || self.also.contains(&c);
        let mut rest = fragment;
        while let Some(at) = rest.find(is_escaped) {
            let (plain, tail) = rest.split_at(at);
            out.write_all(plain.as_bytes())?;
            let Some(c) = tail.chars().next() else { break };
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = tail.get(c.len_utf8()..).unwrap_or_default();
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_text() {
        assert!(matches!(text("a ünï\x1b".as_bytes()), Cow::Borrowed("a ünï\x1b")));
        assert_eq!(text(b"a\xff\xc3(\xe2\x80"), "a\\xff\\xc3(\\xe2\\x80");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn ok_write_json() {
        let p = |text: &str, also| {
            let mut out = Vec::new();
            write_json(&mut out, &text, also).expect("memory");
            assert_eq!(serde_json::from_slice::<String>(&out).expect("JSON"), text);
            String::from_utf8(out).expect("UTF-8")
        };
        assert_eq!(p("ünï\n\"\x1b", &[]), "\"ünï\\n\\\"\\u001b\"");
        assert_eq!(p("\u{9b}\u{7f}a\u{202e}", &[]), "\"\\u009b\\u007fa\\u202e\"");
        assert_eq!(p("\u{e0041}", &[]), "\"\\udb40\\udc41\"");
        assert_eq!(p("</a>", &['<']), "\"\\u003c/a>\"");
    }
}
