//! Escaping of untrusted text: control characters, bidirectional marks and invalid UTF-8.

#[cfg(feature = "serde")]
mod json;

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::ops::RangeInclusive;

#[cfg(feature = "serde")]
pub(crate) use json::{Json, write_json};

/// Bidirectional marks, line separators, and invisible characters: Unicode's
/// `Default_Ignorable_Code_Point`, and the Braille blank.
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

/// Returns whether a character controls a terminal, changes the direction of text, or is invisible.
pub(crate) fn needs_escape(c: char) -> bool {
    c.is_control() || c > '\u{a0}' && ACTIVE.iter().any(|range| range.contains(&c))
}

/// Escapes text so that it cannot control a terminal or hide characters.
///
/// Control characters, including the escape character and the line feed, become `\x1b` and the
/// like; bidirectional marks and invisible characters become `\u{202e}` and the like. All other
/// characters are unchanged.
///
/// ```
/// use ksplat::output::escape::escape;
/// assert_eq!(escape("a\x1b[31mb\u{202e}c").to_string(), r"a\x1b[31mb\u{202e}c");
/// ```
pub fn escape(text: &str) -> impl fmt::Display + '_ {
    Escape(text)
}

/// Escapes bytes as [`escape`](escape()) does; bytes that are not valid UTF-8 become `\xff` and the
/// like.
///
/// ```
/// use ksplat::output::escape::escape_bytes;
/// assert_eq!(escape_bytes(b"a\x1b[31m\xff\xfe").to_string(), r"a\x1b[31m\xff\xfe");
/// ```
pub fn escape_bytes(bytes: &[u8]) -> impl fmt::Display + '_ {
    let text = text(bytes);
    fmt::from_fn(move |f| write!(f, "{}", Escape(&text)))
}

struct Escape<'a>(&'a str);

impl fmt::Display for Escape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(needs_escape) {
            let (safe, tail) = rest.split_at(at);
            f.write_str(safe)?;
            let Some(c) = tail.chars().next() else { break };
            match u32::from(c) {
                code @ ..0x100 => write!(f, "\\x{code:02x}")?,
                code => write!(f, "\\u{{{code:x}}}")?,
            }
            rest = tail.get(c.len_utf8()..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

/// Converts bytes to text: bytes that are not valid UTF-8 become `\xff` and the like. All others
/// are unchanged, including control characters.
///
/// ```
/// use ksplat::output::escape::text;
/// assert_eq!(text(b"a\xff\xfe"), r"a\xff\xfe");
/// ```
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_text() {
        assert!(matches!(text("a ünï\x1b".as_bytes()), Cow::Borrowed("a ünï\x1b")));
        assert_eq!(text(b"a\xff\xc3(\xe2\x80"), "a\\xff\\xc3(\\xe2\\x80");
    }

    #[test]
    fn ok_escape() {
        let p = |text| escape(text).to_string();
        assert_eq!(p("plain ünïcödé ✓"), "plain ünïcödé ✓");
        assert_eq!(p("\x1b]0;title\x07"), r"\x1b]0;title\x07");
        assert_eq!(p("a\nb\tc\u{9b}d\u{7f}"), r"a\x0ab\x09c\x9bd\x7f");
        assert_eq!(p("\u{2067}x\u{2069}"), r"\u{2067}x\u{2069}");
    }
}
