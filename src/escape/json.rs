//! JSON with control characters, bidirectional marks and invisible characters escaped.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

use super::needs_escape;

/// Writes a value as JSON with those characters, and `also`, as escapes.
pub(crate) fn write_json(
    mut out: impl Write,
    value: &impl Serialize,
    also: &'static [char],
) -> io::Result<()> {
    let mut json = Json::new(&mut out);
    let mut serializer = serde_json::Serializer::with_formatter(&mut json, Escaped { also });
    value.serialize(&mut serializer).map_err(io::Error::from)?;
    json.flush()
}

/// The size of the buffer in bytes.
const PIECES: usize = 1024;

/// A writer of JSON in small pieces, most of them single bytes.
///
/// Strings are escaped as by [`write_json`]. The caller must call `flush` at the end.
pub(crate) struct Json<'w> {
    text: [u8; PIECES],
    len: usize,
    /// Whether the innermost open object has a field.
    has_field: bool,
    out: &'w mut dyn Write,
}

impl<'w> Json<'w> {
    pub(crate) fn new(out: &'w mut dyn Write) -> Self {
        Self { text: [0; PIECES], len: 0, has_field: false, out }
    }

    /// Begins an object.
    pub(crate) fn open(&mut self) -> io::Result<()> {
        self.has_field = false;
        self.write_all(b"{")
    }

    /// Begins a field. `key` is the comma before it, the quoted name and the colon.
    #[inline]
    pub(crate) fn key(&mut self, key: &str) -> io::Result<()> {
        let is_first = !std::mem::replace(&mut self.has_field, true);
        self.append(key.as_bytes().get(usize::from(is_first)..).unwrap_or_default())
    }

    /// Ends an object.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        // The outer object has at least the field that ends here.
        self.has_field = true;
        self.write_all(b"}")
    }

    /// Begins a field with a name that is only known at run time.
    pub(crate) fn name(&mut self, name: &str) -> io::Result<()> {
        self.key(",")?;
        self.string(name)?;
        self.write_all(b":")
    }

    /// Writes a piece unchanged: a quotation mark, digits.
    #[inline]
    pub(crate) fn bare(&mut self, piece: &[u8]) -> io::Result<()> {
        self.write_all(piece)
    }

    /// Writes a number.
    pub(crate) fn number(&mut self, mut number: u64) -> io::Result<()> {
        let mut digits = [0; 20];
        let mut start = digits.len();
        for place in digits.iter_mut().rev() {
            *place = b'0' + (number % 10) as u8;
            number /= 10;
            start -= 1;
            if number == 0 {
                break;
            }
        }
        self.append(digits.get(start..).unwrap_or_default())
    }

    /// Writes a string, with the escapes that it needs.
    pub(crate) fn string(&mut self, text: &str) -> io::Result<()> {
        if is_plain(text.as_bytes()) { self.quoted(text.as_bytes()) } else { self.value(text) }
    }

    /// Writes a string that needs no escapes.
    pub(crate) fn quoted(&mut self, text: &[u8]) -> io::Result<()> {
        let len = text.len() + 2;
        if let Some([open, place @ .., close]) = self.text.get_mut(self.len..self.len + len) {
            *open = b'"';
            copy(place, text);
            *close = b'"';
            self.len += len;
            return Ok(());
        }
        self.write_all(b"\"")?;
        self.append(text)?;
        self.write_all(b"\"")
    }

    /// Writes an array of values, each with `write`.
    pub(crate) fn array<T>(
        &mut self,
        values: &[T],
        mut write: impl FnMut(&mut Self, &T) -> io::Result<()>,
    ) -> io::Result<()> {
        self.write_all(b"[")?;
        let mut comma: &[u8] = b"";
        for value in values {
            self.write_all(comma)?;
            comma = b",";
            write(self, value)?;
        }
        self.write_all(b"]")
    }

    /// Writes any value that serde can serialize.
    pub(crate) fn value(&mut self, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
        let inert = Escaped { also: &[] };
        value
            .serialize(&mut serde_json::Serializer::with_formatter(self, inert))
            .map_err(io::Error::from)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(place) = self.text.get_mut(self.len..self.len + bytes.len()) else {
            return self.spill(bytes);
        };
        copy(place, bytes);
        self.len += bytes.len();
        Ok(())
    }

    /// Flushes the buffer, then writes bytes that exceed its free space.
    #[cold]
    fn spill(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.flush()?;
        match self.text.get_mut(..bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.len = bytes.len();
                Ok(())
            }
            None => self.out.write_all(bytes),
        }
    }
}

impl Write for Json<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes).map(|()| bytes.len())
    }

    #[expect(
        clippy::inline_always,
        reason = "most pieces are constants: then only the store of a byte is left"
    )]
    #[inline(always)]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let ([byte], Some(place)) = (bytes, self.text.get_mut(self.len)) {
            *place = *byte;
            self.len += 1;
            return Ok(());
        }
        self.append(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        let text = self.text.get(..self.len).unwrap_or_default();
        self.len = 0;
        self.out.write_all(text)
    }
}

/// Copies bytes. Most pieces are so short that a call of `memcpy` costs more than the copy.
fn copy(place: &mut [u8], bytes: &[u8]) {
    match bytes.len() {
        4..=7 => copy_ends::<4>(place, bytes),
        8..=16 => copy_ends::<8>(place, bytes),
        17..=32 => copy_ends::<16>(place, bytes),
        _ => place.copy_from_slice(bytes),
    }
}

/// Copies from `N` to twice as many bytes: the first and the last `N`, which may overlap.
fn copy_ends<const N: usize>(place: &mut [u8], bytes: &[u8]) {
    if let (Some(to), Some(from)) = (place.first_chunk_mut::<N>(), bytes.first_chunk()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (place.last_chunk_mut::<N>(), bytes.last_chunk()) {
        *to = *from;
    }
}

/// The lowest bit of each byte of a word.
const ONES: u64 = u64::MAX / 0xff;

/// Returns whether no byte needs an escape: all are printable ASCII except quote and backslash.
fn is_plain(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk() else {
        let mut word = [b' '; 8];
        for (place, byte) in word.iter_mut().zip(bytes) {
            *place = *byte;
        }
        return marks(word) == 0;
    };
    bytes.as_chunks().0.iter().fold(marks(*last), |all, word| all | marks(*word)) == 0
}

/// Returns a word that is not 0 if a byte needs an escape.
///
/// The highest bit of each such byte is set. A borrow may also set bits above the lowest one.
fn marks(word: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(word);
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    let quotes = is_zero(word ^ (ONES * u64::from(b'"')));
    let backslashes = is_zero(word ^ (ONES * u64::from(b'\\')));
    // Sets the highest bit of bytes that are not ASCII, and of DEL.
    let high = word | word.wrapping_add(ONES);
    (controls | quotes | backslashes | high) & (ONES << 7)
}

struct Escaped {
    also: &'static [char],
}

impl Formatter for Escaped {
    #[inline]
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if self.also.is_empty() && is_plain(fragment.as_bytes()) {
            return out.write_all(fragment.as_bytes());
        }
        self.escape(out, fragment)
    }
}

impl Escaped {
    /// Writes text in which `serde_json` has escaped the control characters below the blank, and
    /// escapes the other characters.
    #[cold]
    fn escape<W: ?Sized + Write>(&self, out: &mut W, text: &str) -> io::Result<()> {
        let is_escaped = |c| needs_escape(c) || self.also.contains(&c);
        let mut rest = text;
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
    fn ok_is_plain() {
        for len in 0..40 {
            assert!(is_plain(&b"~ az![]#"[..].repeat(5)[..len]), "{len}");
            for at in 0..len {
                for byte in 0..=255 {
                    let mut text = vec![b'~'; len];
                    text[at] = byte;
                    let plain = (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
                    assert_eq!(is_plain(&text), plain, "{byte:#x} at {at} of {len}");
                }
            }
        }
    }

    /// The same output as `serde_json`, for any lengths of the pieces.
    #[test]
    fn ok_pieces() {
        for len in
            (0..40).chain([PIECES - 3, PIECES - 2, PIECES - 1, PIECES, PIECES + 1, 3 * PIECES])
        {
            let value = ["a".repeat(len), "b".repeat(len), "c".to_owned()];
            let mut out = Vec::new();
            write_json(&mut out, &value, &[]).expect("memory");
            assert_eq!(out, serde_json::to_vec(&value).expect("JSON"), "{len}");
            let mut out = Vec::new();
            let mut json = Json::new(&mut out);
            json.array(&value, |json, text| json.string(text)).expect("memory");
            json.flush().expect("memory");
            assert_eq!(out, serde_json::to_vec(&value).expect("JSON"), "{len}");
        }
    }

    #[test]
    fn ok_number() {
        for number in [0, 9, 10, 1234, u64::MAX] {
            let mut out = Vec::new();
            let mut json = Json::new(&mut out);
            json.number(number).and_then(|()| json.flush()).expect("memory");
            assert_eq!(out, number.to_string().as_bytes());
        }
    }

    #[test]
    fn ok_write_json() {
        let p = |text: &str, also| {
            let mut out = Vec::new();
            write_json(&mut out, &text, also).expect("memory");
            assert_eq!(serde_json::from_slice::<String>(&out).expect("JSON"), text);
            if also.is_empty() {
                let mut same = Vec::new();
                let mut json = Json::new(&mut same);
                json.string(text).and_then(|()| json.flush()).expect("memory");
                assert_eq!(same, out);
            }
            String::from_utf8(out).expect("UTF-8")
        };
        assert_eq!(p("ünï\n\"\x1b", &[]), "\"ünï\\n\\\"\\u001b\"");
        assert_eq!(p("\u{9b}\u{7f}a\u{202e}", &[]), "\"\\u009b\\u007fa\\u202e\"");
        assert_eq!(p("\u{e0041}", &[]), "\"\\udb40\\udc41\"");
        assert_eq!(p("</a>", &['<']), "\"\\u003c/a>\"");
        assert_eq!(p("C:\\ plain", &[]), "\"C:\\\\ plain\"");
    }
}
