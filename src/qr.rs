//! The log in the address of the QR code on a panic screen.
//!
//! ```text
//! url     = base "?a=" machine "&v=" release "&" data
//! data    = "zl=" digits      ; Linux 6.12 to 6.14: 13 bits in 4 digits
//!         / "z=" digits       ; since Linux 6.15: 7 bytes in 17 digits
//! ```
//!
//! The digits are zlib data, of the last lines of the log: drm_panic_get_qr_code_url() in
//! drivers/gpu/drm/drm_panic.c and `SegmentIterator` in drm_panic_qr.rs. The encoding is
//! the one in which the zlib checksum matches.

use std::fmt;

use miniz_oxide::inflate::{self, TINFLStatus};

/// The maximum number of bytes of an address: the largest QR code has 7089 digits.
pub const MAX_URL: usize = 16 << 10;

/// The maximum number of bytes of a log: the kernel compresses three times the capacity of a code,
/// at most 8 KiB.
const MAX_LOG: usize = 1 << 20;

/// The parameters with the log.
const NAMES: [&str; 2] = ["z", "zl"];

/// The reason why an address has no readable log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The address has neither parameter.
    NoData,
    /// The parameter is empty, or has characters other than digits.
    NoDigits,
    /// The address is longer than any QR code.
    TooLong,
    /// The unpacked log exceeds the limit.
    TooLarge,
    /// The digits are not zlib data, or are incomplete.
    Damaged,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoData => {
                "has no parameter `z` or `zl`: take the whole address of the panic screen"
            }
            Self::NoDigits => "has invalid characters in the log",
            Self::TooLong => "is longer than any QR code",
            Self::TooLarge => "unpacks to more than 1 MiB",
            Self::Damaged => "is cut off or damaged: invalid zlib data",
        })
    }
}

impl std::error::Error for Error {}

/// Returns the log in an address, which may be broken into lines.
///
/// # Errors
///
/// The address has no log, is damaged, or exceeds [`MAX_URL`]; the log exceeds 1 MiB.
pub fn log(url: &[u8]) -> Result<Vec<u8>, Error> {
    if url.len() > MAX_URL {
        return Err(Error::TooLong);
    }
    let digits = parameter(url).ok_or(Error::NoData)?;
    // A QR code reader, or a terminal, may break the address into lines.
    let digits: Vec<u8> = digits.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Error::NoDigits);
    }
    let forms =
        [groups_of_bytes(&digits), groups_of_bits(&digits, false), groups_of_bits(&digits, true)];
    let mut why = Error::Damaged;
    for bytes in forms.into_iter().flatten() {
        match inflate(&bytes) {
            Ok(log) => return Ok(log),
            Err(Error::TooLarge) => why = Error::TooLarge,
            Err(_) => {}
        }
    }
    Err(why)
}

/// The value of the parameter with the log, up to the next parameter.
fn parameter(url: &[u8]) -> Option<&[u8]> {
    let (_, query) = url.split_at_checked(url.iter().position(|b| *b == b'?')? + 1)?;
    query.split(|b| matches!(b, b'&' | b'#')).find_map(|pair| {
        let pair = pair.trim_ascii_start();
        let name = pair.get(..pair.iter().position(|b| *b == b'=')?)?;
        let is_known = NAMES.iter().any(|known| known.as_bytes() == name);
        is_known.then(|| pair.get(name.len() + 1..).unwrap_or_default())
    })
}

/// The number of digits for a number of bytes: the kernel's `BYTES_TO_DIGITS`.
const DIGITS: [usize; 8] = [0, 3, 5, 8, 10, 13, 15, 17];

/// 7 bytes, the first the least significant, in 17 digits; the last group may be shorter.
fn groups_of_bytes(digits: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(digits.len());
    for group in digits.chunks(17) {
        let len = DIGITS.iter().position(|digits| *digits == group.len())?;
        let value = number(group);
        if value >> (8 * len) != 0 {
            return None;
        }
        bytes.extend(value.to_le_bytes().iter().take(len));
    }
    Some(bytes)
}

/// 13 bits, the first the most significant, in 4 digits; the last group has the remaining bits.
///
/// The kernel prints the last 4, 7 or 10 bits with one digit too few. A number that does not fit
/// carries into the previous digits, which is undone if `is_carried`; without previous digits it
/// has one digit more. In one log of five hundred this results in a group of four digits, which QR
/// code readers decode differently.
fn groups_of_bits(digits: &[u8], is_carried: bool) -> Option<Vec<u8>> {
    let mut groups: Vec<u64> = digits.chunks(4).map(number).collect();
    let (last, before) = groups.split_last_mut()?;
    let len = digits.len() - 4 * before.len();
    let size = last_size(len, 13 * before.len())?;
    if is_carried {
        let previous = before.last_mut()?;
        *previous = previous.checked_sub(1)?;
        *last += 10u64.pow(u32::try_from(len).ok()?);
    }
    let mut bytes = Vec::with_capacity(digits.len());
    let (mut held, mut bits) = (0u64, 0);
    for (at, value) in groups.iter().enumerate() {
        let size = if at + 1 == groups.len() { size } else { 13 };
        if value >> size != 0 {
            return None;
        }
        held = (held << size) | value;
        bits += size;
        while bits >= 8 {
            bits -= 8;
            let [byte, ..] = (held >> bits).to_le_bytes();
            bytes.push(byte);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

/// The number of bits in a last group of `digits` digits, which completes the last byte.
fn last_size(digits: usize, before: usize) -> Option<usize> {
    let len = |size: usize| if size == 1 { 1 } else { (size + 1) / 3 };
    let of = |digits| {
        (1..=13usize).find(|size| len(*size) == digits && (before + size).is_multiple_of(8))
    };
    of(digits).or_else(|| of(digits.checked_sub(1)?))
}

/// The value of up to 17 digits.
fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| 10 * value + u64::from(digit - b'0'))
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    inflate::decompress_to_vec_zlib_with_limit(bytes, MAX_LOG).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => Error::TooLarge,
        _ => Error::Damaged,
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn deflate(log: &[u8]) -> Vec<u8> {
        miniz_oxide::deflate::compress_to_vec_zlib(log, 9)
    }

    /// As `SegmentIterator` of Linux 6.12 writes them: numbers of three digits, the last of fewer.
    fn bits(data: &[u8]) -> String {
        let all: Vec<u8> =
            data.iter().flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1)).collect();
        let (mut text, mut carry, mut len) = (String::new(), 0u32, 0usize);
        let mut write = |value: u32, width: usize| write!(text, "{value:0width$}").expect("memory");
        let power = |digits: usize| [1, 10, 100, 1000][digits];
        for group in all.chunks(13) {
            let value = group.iter().fold(0u32, |value, bit| 2 * value + u32::from(*bit));
            let mut new = if group.len() == 1 { 1 } else { (group.len() + 1) / 3 };
            if len == 3 {
                write(carry, 3);
                (carry, len) = (0, 0);
            }
            if len + new > 3 {
                new = new + len - 3;
                write(carry * power(3 - len) + value / power(new), 3);
                (carry, len) = (value % power(new), new);
            } else {
                write(carry * power(new) + value, len + new);
                (carry, len) = (0, 0);
            }
        }
        if len > 0 {
            write(carry, len);
        }
        text
    }

    /// As `DecFifo` of Linux 6.15 writes them.
    fn groups(data: &[u8]) -> String {
        let mut text = String::new();
        for group in data.chunks(7) {
            let mut bytes = [0; 8];
            bytes[..group.len()].copy_from_slice(group);
            let (value, width) = (u64::from_le_bytes(bytes), DIGITS[group.len()]);
            write!(text, "{value:0width$}").expect("memory");
        }
        text
    }

    #[test]
    fn every_length_round_trips() {
        for len in 0..200u32 {
            let data: Vec<u8> = (0..len).map(|i| (i * 57 + len).to_le_bytes()[0]).collect();
            assert_eq!(groups_of_bytes(groups(&data).as_bytes()).as_ref(), Some(&data), "{len}");
            let text = bits(&data);
            let forms = [false, true].map(|is_carried| groups_of_bits(text.as_bytes(), is_carried));
            assert!(len == 0 || forms.contains(&Some(data)), "{len}: {text}");
        }
    }

    #[test]
    fn both_encodings_decode_to_the_log() {
        for len in [0, 1, 40, 5000] {
            let text = "[   12.345678] Kernel panic - not syncing: cm_panic\n".repeat(len);
            let data = deflate(text.as_bytes());
            for tail in [format!("z={}", groups(&data)), format!("zl={}", bits(&data))] {
                let url = format!("https://panic.example/report?a=x86_64&v=6.12.0&{tail}");
                assert_eq!(log(url.as_bytes()), Ok(text.clone().into_bytes()), "{len}");
                let broken: String = url
                    .char_indices()
                    .flat_map(|(at, c)| [Some(c), (at % 80 == 79).then_some('\n')])
                    .flatten()
                    .collect();
                assert_eq!(log(broken.as_bytes()), Ok(text.clone().into_bytes()), "{len}");
            }
        }
    }

    #[test]
    fn errors_name_the_problem() {
        let data = deflate(&b"some text of a log\n".repeat(20));
        let url = |digits: &str| format!("https://panic.example/?a=arm64&v=6.17.0&z={digits}");
        let digits = groups(&data);
        for (input, want) in [
            (String::new(), Error::NoData),
            ("https://panic.example/z=12".to_owned(), Error::NoData),
            (url(""), Error::NoDigits),
            (url("12a4"), Error::NoDigits),
            (url(&digits[..digits.len() - 17]), Error::Damaged),
            (url(&digits[..digits.len() - 1]), Error::Damaged),
            (url(&"9".repeat(17 * 40)), Error::Damaged),
            (url(&"1".repeat(MAX_URL)), Error::TooLong),
            (url(&groups(&deflate(&vec![b'a'; 2 << 20]))), Error::TooLarge),
            (url(&bits(&deflate(&vec![b'a'; 2 << 20]))), Error::TooLarge),
        ] {
            assert_eq!(log(input.as_bytes()), Err(want), "{}", &input[..input.len().min(60)]);
        }
    }
}
