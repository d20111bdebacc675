//! The encodings of mails: transfer encodings, parts, and words of headers in another character set.
//!
//! Archives of the kernel's lists need two encodings and text parts. The crate mailparse decodes all of MIME, and
//! brings nine crates, of which encoding_rs alone has the tables of all character sets.

use crate::search;

/// The maximum depth of parts within parts, and the maximum number of parts on each level.
const MOST: (usize, usize) = (4, 64);

/// The maximum number of bytes of an encoded word: RFC 2047 allows 75, and some programs write more.
const MAX_WORD: usize = 1024;

/// The encoding of a text as lines of ASCII.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Encoding {
    #[default]
    Plain,
    QuotedPrintable,
    Base64,
}

/// The fields of a header that describe its body.
#[derive(Debug, Default)]
struct Content {
    encoding: Encoding,
    /// The text between parts.
    boundary: Option<String>,
    /// Whether it is HTML or no text.
    is_other: bool,
}

impl Content {
    fn of(head: &str) -> Self {
        let mut content = Self::default();
        for (name, value) in fields(head) {
            let lower = value.to_ascii_lowercase();
            match name.as_str() {
                "content-transfer-encoding" => {
                    content.encoding = match lower.as_str() {
                        "quoted-printable" => Encoding::QuotedPrintable,
                        "base64" => Encoding::Base64,
                        _ => Encoding::Plain,
                    };
                }
                "content-type" => {
                    content.boundary = boundary(value, &lower);
                    content.is_other =
                        !lower.starts_with("text/") || lower.starts_with("text/html");
                }
                _ => {}
            }
        }
        content
    }
}

/// Returns the boundary in the type of a body with parts; `lower` is the same in lower case.
fn boundary(value: &str, lower: &str) -> Option<String> {
    let at = lower.find("boundary=").filter(|_| lower.starts_with("multipart/"))?;
    let text = value.get(at + "boundary=".len()..)?;
    let text = match text.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => text.split([';', ' ']).next()?,
    };
    (!text.is_empty()).then(|| text.to_owned())
}

/// Splits a mail or a part into its header, with one line a field, and its body.
pub(super) fn split(text: &[u8]) -> (String, &[u8]) {
    if text.starts_with(b"\n") {
        return (String::new(), text);
    }
    let end = search::find(text, "\n\n").unwrap_or(text.len());
    let (head, body) = text.split_at_checked(end).unwrap_or((text, &[]));
    (String::from_utf8_lossy(head).replace("\n ", " ").replace("\n\t", " "), body)
}

/// Returns the fields of a header: the names in lower case, and the values.
pub(super) fn fields(head: &str) -> impl Iterator<Item = (String, &str)> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
}

/// Returns the decoded text of a body; of one with parts all parts that are plain text.
pub(super) fn text(head: &str, body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    add(head, body, 0, &mut decoded);
    decoded
}

fn add(head: &str, body: &[u8], depth: usize, to: &mut Vec<u8>) {
    let content = Content::of(head);
    if let Some(boundary) = content.boundary.filter(|_| depth < MOST.0) {
        for part in parts(body, &boundary).into_iter().take(MOST.1) {
            let (head, body) = split(part);
            add(&head, body, depth + 1, to);
        }
    } else if depth == 0 || !content.is_other {
        match content.encoding {
            Encoding::Plain => to.extend_from_slice(body),
            Encoding::QuotedPrintable => quoted_printable(body, to),
            Encoding::Base64 => base64(body, to),
        }
    }
}

/// Returns the parts of a body, without the text before the first boundary and behind the last.
fn parts<'b>(body: &'b [u8], boundary: &str) -> Vec<&'b [u8]> {
    let mut parts = Vec::new();
    let mut from = None;
    let mut at = 0;
    for line in body.split_inclusive(|b| *b == b'\n') {
        let mark = line.strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary.as_bytes()));
        if let Some(rest) = mark.map(<[u8]>::trim_ascii_end)
            && (rest.is_empty() || rest == b"--")
        {
            parts.extend(from.and_then(|from| body.get(from..at)));
            from = rest.is_empty().then_some(at + line.len());
        }
        at += line.len();
    }
    // The end of a long mail is cut.
    parts.extend(from.and_then(|from| body.get(from..)));
    parts
}

/// Decodes the encoded words of a header: `=?utf-8?q?a_b?=`. Words in other character sets than
/// UTF-8 and Latin-1 are left as they are.
pub(super) fn words(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    let mut is_behind_word = false;
    while let Some(at) = rest.find("=?") {
        let (before, word) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let Some((plain, after)) = self::word(word) else {
            let (mark, after) = word.split_at_checked(2).unwrap_or((word, ""));
            decoded.push_str(before);
            decoded.push_str(mark);
            (rest, is_behind_word) = (after, false);
            continue;
        };
        // Blanks between two words are not part of the text.
        if !is_behind_word || !before.trim().is_empty() {
            decoded.push_str(before);
        }
        decoded.push_str(&plain);
        (rest, is_behind_word) = (after, true);
    }
    decoded.push_str(rest);
    decoded
}

/// Decodes the word at the start of a text, and returns the rest.
fn word(text: &str) -> Option<(String, &str)> {
    let mut parts = text.strip_prefix("=?")?.splitn(3, '?');
    let (set, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let end = rest.get(..rest.floor_char_boundary(MAX_WORD))?.find("?=")?;
    let (encoded, rest) = (rest.get(..end)?, rest.get(end + 2..)?);
    if encoded.contains(' ') {
        return None;
    }
    let mut bytes = Vec::new();
    match encoding {
        "q" | "Q" => quoted_printable(encoded.replace('_', "=20").as_bytes(), &mut bytes),
        "b" | "B" => base64(encoded.as_bytes(), &mut bytes),
        _ => return None,
    }
    let decoded = match set.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" | "us-ascii" => String::from_utf8_lossy(&bytes).into_owned(),
        "iso-8859-1" | "latin1" => bytes.iter().copied().map(char::from).collect(),
        _ => return None,
    };
    Some((decoded, rest))
}

fn quoted_printable(body: &[u8], to: &mut Vec<u8>) {
    let mut rest = body;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'=' {
            to.push(*first);
        } else if let Some(next) = after.strip_prefix(b"\n") {
            rest = next;
        } else {
            let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                Some(byte) => {
                    to.push(byte);
                    rest = after.get(2..).unwrap_or_default();
                }
                None => to.push(b'='),
            }
        }
    }
}

fn base64(body: &[u8], to: &mut Vec<u8>) {
    let (mut bits, mut count) = (0_u32, 0);
    for byte in body {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            let [.., low] = (bits >> count).to_be_bytes();
            to.push(low);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_header_are_decoded() {
        for (encoded, plain) in [
            ("=?utf-8?q?cm=3A_check_the_l=C3=A4nge?=", "cm: check the länge"),
            ("a =?UTF-8?B?Y206?= =?UTF-8?B?IHg=?= b", "a cm: x b"),
            ("=?iso-8859-1?Q?l=E4nge?=", "länge"),
            ("=?koi8-r?q?a?=", "=?koi8-r?q?a?="),
            ("=?utf-8?x?a?= =?utf-8?q?a b?=", "=?utf-8?x?a?= =?utf-8?q?a b?="),
            ("a ? b =? c", "a ? b =? c"),
            ("", ""),
        ] {
            assert_eq!(words(encoded), plain);
        }
    }

    #[test]
    fn open_words_take_linear_time() {
        let hostile = "=?a?q? ".repeat(1 << 17);
        assert_eq!(words(&hostile), hostile);
    }

    #[test]
    fn parts_are_decoded() {
        let head = "Content-Type: multipart/mixed;\n boundary=\"=_b\"";
        let body = b"\n\nPreamble\n--=_b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\
            Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\na=3Db\n--c\n\
            Content-Type: text/html\n\n<b>\n--c--\n--=_b\nContent-Type: text/x-patch\n\
            Content-Transfer-Encoding: base64\n\nK2EK\n--=_b\nContent-Type: image/png\n\nx\n--=_b\n\nno header\n\
            --=_b--\nEpilogue\n";
        let head = head.replace("\n ", " ");
        assert_eq!(text(&head, body), b"\n\na=b\n+a\n\nno header\n");
        // A body that ends within a part, and parts without end.
        assert_eq!(text("content-type: multipart/x; boundary=c", b"\n\n--c\n\na"), b"\na");
        let deep = "Content-Type: multipart/x; boundary=c\n\n--c\n".repeat(99);
        let (head, body) = split(deep.as_bytes());
        assert!(text(&head, body).is_empty());
    }
}
