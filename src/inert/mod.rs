//! Text of a log that nothing obeys.

#[cfg(feature = "serde")]
mod json;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

#[cfg(feature = "serde")]
pub(crate) use json::{Json, write_json};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_text() {
        assert!(matches!(text("a ünï\x1b".as_bytes()), Cow::Borrowed("a ünï\x1b")));
        assert_eq!(text(b"a\xff\xc3(\xe2\x80"), "a\\xff\\xc3(\\xe2\\x80");
    }
}
