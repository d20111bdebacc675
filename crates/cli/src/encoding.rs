//! Whether bytes are the text of a console. The page of `web/` has the same file.

/// File types that users pass by mistake: their first bytes, and a remedy.
const FOREIGN: [(&[u8], &str); 6] = [
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive: unpack it, and name the logs"),
    (b"BZh", "is packed by bzip2, which is not supported: use `bzip2 -dc FILE | ksplat`"),
    (b"PK\x03\x04", "is a zip archive: unpack it, and name the logs"),
    (b"\x04\x22\x4d\x18", "is packed by lz4, which is not supported: use `lz4 -dc FILE | ksplat`"),
    (b"\x7fELF", "is an ELF file: name a console log; --vmlinux and --modules take images"),
    (b"\x89PNG", "is a picture: the text of the console is needed"),
];

/// How the text of a log is encoded.
pub(crate) enum Encoding {
    /// As consoles print it.
    Bytes,
    /// UTF-16; the function reads a unit.
    Utf16(fn([u8; 2]) -> u16),
}

/// The encoding of a log by its first bytes.
///
/// # Errors
///
/// They are not text: what they are, as the end of a sentence.
pub(crate) fn of(start: &[u8]) -> Result<Encoding, &'static str> {
    if let Some((_, what)) = FOREIGN.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Err(what);
    }
    match start {
        [0xff, 0xfe, ..] => Ok(Encoding::Utf16(u16::from_le_bytes)),
        [0xfe, 0xff, ..] => Ok(Encoding::Utf16(u16::from_be_bytes)),
        _ if ksplat::is_binary(start) => Err("is not text: name a console log"),
        _ => Ok(Encoding::Bytes),
    }
}

/// Converts UTF-16 with a byte order mark, which PowerShell writes for redirected output.
pub(crate) fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let pairs = bytes.get(2..).unwrap_or_default().chunks_exact(2);
    let units = pairs.filter_map(|pair| pair.try_into().ok().map(unit));
    let text: String = char::decode_utf16(units)
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    text.into_bytes()
}
