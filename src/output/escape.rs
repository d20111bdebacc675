//! Text from a log, made safe for a terminal.

use std::borrow::Cow;
use std::fmt;

use crate::inert::{self, is_active};

/// Shows text so that nothing in it can act on a terminal, or hide.
///
/// Control characters, among them the escape that begins terminal sequences and the line feed,
/// become `\x1b` and the like; marks that change the direction of text, and other invisible
/// characters, become `\u{202e}` and the like. Everything else stays as it is.
///
/// ```
/// use ksplat::output::escape::escape;
/// assert_eq!(escape("a\x1b[31mb\u{202e}c").to_string(), r"a\x1b[31mb\u{202e}c");
/// ```
pub fn escape(text: &str) -> impl fmt::Display + '_ {
    Escape(text)
}

/// Bytes as text, not yet escaped: those that are not UTF-8 become `\xff` and the like.
///
/// ```
/// use ksplat::output::escape::text;
/// assert_eq!(text(b"a\xff\xfe"), r"a\xff\xfe");
/// ```
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    inert::text(bytes)
}

/// The same as [`escape`](escape()) for bytes: those that are not UTF-8 become `\xff` and the like.
///
/// ```
/// use ksplat::output::escape::escape_bytes;
/// assert_eq!(escape_bytes(b"a\x1b[31m\xff\xfe").to_string(), r"a\x1b[31m\xff\xfe");
/// ```
pub fn escape_bytes(bytes: &[u8]) -> impl fmt::Display + '_ {
    let text = inert::text(bytes);
    fmt::from_fn(move |f| write!(f, "{}", Escape(&text)))
}

struct Escape<'a>(&'a str);

impl fmt::Display for Escape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(is_active) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_escape() {
        let p = |text| escape(text).to_string();
        assert_eq!(p("plain ünïcödé ✓"), "plain ünïcödé ✓");
        assert_eq!(p("\x1b]0;title\x07"), r"\x1b]0;title\x07");
        assert_eq!(p("a\nb\tc\u{9b}d\u{7f}"), r"a\x0ab\x09c\x9bd\x7f");
        assert_eq!(p("\u{2067}x\u{2069}"), r"\u{2067}x\u{2069}");
    }
}
