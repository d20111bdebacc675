//! Packs the text of a row: hashes that follow from the name behind them are removed, and the rest
//! is deflated with a preset dictionary.
//!
//! The dictionary, `dictionary.txt`, is part of the format: rows are read with the one with which
//! they were written.

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use crate::fingerprint;

/// The dictionary: texts that most rows contain.
const DICTIONARY: &[u8] = include_bytes!("dictionary.txt");

/// The maximum number of bytes of a packed text. Longer rows are stored unpacked, which bounds the
/// memory for a damaged one.
const MAX_TEXT: usize = 1 << 20;

/// The compression level; higher ones save one percent.
const LEVEL: i32 = 4;

/// A raw stream with a window of 32 KiB.
const RAW: i32 = -15;

/// Packs a text; `None` if it is to be stored unpacked.
pub(super) fn pack(text: &[u8]) -> Option<Vec<u8>> {
    let short = without_hashes(text);
    if short.len() > MAX_TEXT || with_hashes(&short) != text {
        return None;
    }
    let mut compressor = CompressorOxide::new(create_comp_flags_from_zip_params(LEVEL, RAW, 0));
    // An upper bound of the size of the stream.
    let mut out = vec![0; 2 * DICTIONARY.len().max(short.len()) + 1024];
    let (_, read, _) = compress(&mut compressor, DICTIONARY, &mut out, TDEFLFlush::Sync);
    if read != DICTIONARY.len() {
        return None;
    }
    let (status, _, written) = compress(&mut compressor, &short, &mut out, TDEFLFlush::Finish);
    if status != TDEFLStatus::Done {
        return None;
    }
    let mut packed = u32::try_from(short.len()).ok()?.to_le_bytes().to_vec();
    packed.extend(out.get(..written)?);
    Some(packed)
}

/// Returns the unpacked text.
pub(super) fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let (len, stream) = packed.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_le_bytes(*len)).ok().filter(|len| *len <= MAX_TEXT)?;
    let mut out = DICTIONARY.to_vec();
    out.resize(DICTIONARY.len() + len, 0);
    let mut state = Box::new(DecompressorOxide::new());
    let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, _, written) = decompress(&mut state, stream, &mut out, DICTIONARY.len(), flags);
    if status != TINFLStatus::Done || written != len {
        return None;
    }
    out.get(DICTIONARY.len()..).map(with_hashes)
}

/// A hash in a row of JSON.
const HASH: &[u8] = b"\"hash\":\"";
/// The texts between a hash and its name.
const NAMES: [&[u8]; 3] = [b"\",\"function\":\"", b"\",\"text\":\"", b"\",\"functions\":[\""];
/// The digits of a hash.
const DIGITS: usize = 16;

/// Returns the name behind a hash: the text up to the next quote.
fn name(behind: &[u8]) -> Option<&[u8]> {
    let rest = NAMES.iter().find_map(|between| behind.strip_prefix(*between))?;
    rest.split(|byte| *byte == b'"').next()
}

fn hash(name: &[u8]) -> String {
    let name = std::str::from_utf8(name).unwrap_or_default();
    format!("{:016x}", fingerprint::hash(name))
}

/// Removes the digits of hashes that follow from the names behind them.
fn without_hashes(text: &[u8]) -> Vec<u8> {
    rewritten(text, |rest| {
        let (digits, behind) = rest.split_at_checked(DIGITS)?;
        (hash(name(behind)?).as_bytes() == digits).then(|| (DIGITS, String::new()))
    })
}

/// Restores the digits of hashes.
fn with_hashes(text: &[u8]) -> Vec<u8> {
    rewritten(text, |rest| Some((0, hash(name(rest)?))))
}

/// Replaces the text behind each `"hash":"`: `change` returns the number of bytes to skip and the
/// new text.
fn rewritten(text: &[u8], change: impl Fn(&[u8]) -> Option<(usize, String)>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, HASH) {
        let (before, behind) = rest.split_at(at + HASH.len());
        out.extend_from_slice(before);
        let (skip, put) = change(behind).unwrap_or_default();
        out.extend_from_slice(put.as_bytes());
        rest = behind.get(skip..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round(text: &[u8]) -> Option<Vec<u8>> {
        unpack(&pack(text)?)
    }

    #[test]
    fn ok_rows() {
        let hash = hash(b"do_syscall_64");
        let row = format!(
            "{{\"frames\":[{{\"hash\":\"{hash}\",\"function\":\"do_syscall_64\",\"class\":\"generic\"}},\
             {{\"hash\":\"0123456789abcdef\",\"function\":\"other\"}}]}}"
        );
        let packed = pack(row.as_bytes()).unwrap();
        assert!(packed.len() * 2 < row.len(), "{} of {}", packed.len(), row.len());
        assert_eq!(unpack(&packed).unwrap(), row.as_bytes());
        // A text that would get a wrong hash is stored unpacked.
        assert_eq!(pack(b"\"hash\":\"\",\"function\":\"a\""), None);
        assert_eq!(pack(&vec![b'a'; MAX_TEXT + 1]), None);
    }

    #[test]
    fn err_streams() {
        let packed = pack(b"{\"bug\":\"0123456789abcdef\"}").unwrap();
        for at in 0..packed.len() {
            assert_eq!(unpack(&packed[..at]), None, "{at} bytes");
        }
        let mut long = packed;
        long[3] = 0xff;
        assert_eq!(unpack(&long), None);
    }

    proptest! {
        #[test]
        fn any_text_is_as_it_was(text in "(\"hash\":\"[0-9a-f]{0,17}\",\"(function|text)\":\"[a-z]{0,3}\"|[ -~]{0,9}){0,9}") {
            if let Some(text_of) = round(text.as_bytes()) {
                prop_assert_eq!(text_of, text.as_bytes());
            }
        }

        #[test]
        fn any_stream_is_read_or_refused(stream in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&stream);
        }
    }
}
