//! Whether bytes are the text of a console.
//!
//! ```
//! use ksplat::encoding::{self, Encoding};
//!
//! assert_eq!(encoding::of(b"\x7fELF\x02"), Err("is an ELF file: name a console log"));
//! let log = b"\xff\xfeB\0U\0G\0";
//! assert_eq!(encoding::of(log), Ok(Encoding::Utf16Le));
//! assert_eq!(&*encoding::utf8(log, Encoding::Utf16Le), b"BUG");
//! ```

use std::borrow::Cow;

use crate::binary::is_binary;

/// File types that users pass by mistake: their first bytes, and a remedy.
const FOREIGN: [(&[u8], &str); 6] = [
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive: unpack it, and name the logs"),
    (b"BZh", "is packed by bzip2, which is not supported: use `bzip2 -dc FILE | ksplat`"),
    (b"PK\x03\x04", "is a zip archive: unpack it, and name the logs"),
    (b"\x04\x22\x4d\x18", "is packed by lz4, which is not supported: use `lz4 -dc FILE | ksplat`"),
    (b"\x7fELF", "is an ELF file: name a console log"),
    (b"\x89PNG", "is a picture: the text of the console is needed"),
];

/// How the text of a log is encoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// As consoles print it.
    Bytes,
    /// UTF-16, with the low byte of a unit first.
    Utf16Le,
    /// UTF-16, with the high byte of a unit first.
    Utf16Be,
}

/// The number of bytes at the start of a log that decide about its encoding.
pub const SAMPLE: usize = 64 << 10;

/// The encoding of a log by its first bytes, at most [`SAMPLE`] of them.
///
/// # Errors
///
/// They are not text: what they are, as the end of a sentence.
pub fn of(start: &[u8]) -> Result<Encoding, &'static str> {
    if let Some((_, what)) = FOREIGN.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Err(what);
    }
    match start {
        [0xff, 0xfe, ..] => Ok(Encoding::Utf16Le),
        [0xfe, 0xff, ..] => Ok(Encoding::Utf16Be),
        _ if is_binary(start) => Err("is not text: name a console log"),
        _ => Ok(Encoding::Bytes),
    }
}

/// Converts UTF-16 with a byte order mark, which PowerShell writes for redirected output, to UTF-8. Other bytes are
/// returned as they are.
pub fn utf8(bytes: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    let unit = match encoding {
        Encoding::Bytes => return Cow::Borrowed(bytes),
        Encoding::Utf16Le => u16::from_le_bytes,
        Encoding::Utf16Be => u16::from_be_bytes,
    };
    let pairs = bytes.get(2..).unwrap_or_default().chunks_exact(2);
    let units = pairs.filter_map(|pair| pair.try_into().ok().map(unit));
    let text: String = char::decode_utf16(units)
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Cow::Owned(text.into_bytes())
}
