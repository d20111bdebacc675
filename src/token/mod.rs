//! Tokens of the line grammars: numbers, names, addresses, source locations.

pub(crate) mod register;

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::combinator::{map_opt, opt, recognize};
use nom::sequence::{delimited, terminated};

/// The result of a grammar: the rest of the line and a record.
///
/// Most branches of a grammar fail, and the unit error makes that as cheap as a comparison.
pub(crate) type Parsed<'a, T> = nom::IResult<&'a [u8], T, ()>;

/// One or more decimal digits, as text.
pub(crate) fn digits(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(|b: u8| b.is_ascii_digit()).parse(input)
}

/// A decimal number of at most 64 bits.
pub(crate) fn decimal(input: &[u8]) -> Parsed<'_, u64> {
    map_opt(digits, |text: &[u8]| {
        text.iter().try_fold(0u64, |sum, b| sum.checked_mul(10)?.checked_add(u64::from(b - b'0')))
    })
    .parse(input)
}

/// A hexadecimal number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Hex {
    /// The value.
    pub(crate) value: u64,
    /// The number of digits: `%px` pads to the width of a pointer.
    pub(crate) digits: usize,
}

/// One to sixteen hexadecimal digits, with an optional `0x` before them.
pub(crate) fn hex(input: &[u8]) -> Parsed<'_, Hex> {
    // Written by hand because every frame and every register has one.
    let text = input.strip_prefix(b"0x").unwrap_or(input);
    let first = text.get(..17).unwrap_or(text);
    let (mut value, mut rest) = (0u64, first);
    while let [b, tail @ ..] = rest
        && let Some(&digit) = HEX_VALUES.get(usize::from(*b))
        && digit != NO_DIGIT
    {
        value = (value << 4) | u64::from(digit);
        rest = tail;
    }
    let digits = first.len() - rest.len();
    // A number of seventeen digits is not a 64-bit number.
    match text.get(digits..) {
        Some(rest) if (1..=16).contains(&digits) => Ok((rest, Hex { value, digits })),
        _ => Err(nom::Err::Error(())),
    }
}

/// The entry of bytes that are not hexadecimal digits.
const NO_DIGIT: u8 = u8::MAX;

/// The value of each byte as a hexadecimal digit.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time"
)]
const HEX_VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value] as usize] = value as u8;
        values[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// Returns the value of a hexadecimal digit; 0 for any other byte.
pub(crate) fn hex_value(digit: u8) -> u8 {
    HEX_VALUES.get(usize::from(digit)).copied().filter(|value| *value != NO_DIGIT).unwrap_or(0)
}

/// `+0x` and the offset into a symbol, `/0x` and its size, as `%pS` prints them.
pub(crate) fn offset_and_size(input: &[u8]) -> Parsed<'_, (u64, u64)> {
    // Written by hand because every frame has them.
    let none = || nom::Err::Error(());
    let (rest, offset) = hex(input.strip_prefix(b"+0x").ok_or_else(none)?)?;
    let (rest, size) = hex(rest.strip_prefix(b"/0x").ok_or_else(none)?)?;
    Ok((rest, (offset.value, size.value)))
}

/// Strips a prefix, and returns whether it was present.
pub(crate) fn mark<'t, const LEN: usize>(text: &'t [u8], mark: &[u8; LEN]) -> (&'t [u8], bool) {
    text.strip_prefix(mark).map_or((text, false), |rest| (rest, true))
}

/// Returns whether a byte may be part of a symbol's name.
///
/// Compilers add dots (`.cold`, `.isra.0`); Rust symbols and mapping symbols contain `$`.
pub(crate) fn is_symbol(b: u8) -> bool {
    SYMBOL_BYTES.get(usize::from(b)) == Some(&true)
}

const SYMBOL_BYTES: [bool; 256] = bytes_of(b"_.$");

/// Whether each byte is a letter, a digit or one of these marks.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time"
)]
const fn bytes_of(marks: &[u8]) -> [bool; 256] {
    let mut is = [false; 256];
    let mut b = 0;
    while b < 256 {
        is[b] = (b as u8).is_ascii_alphanumeric();
        b += 1;
    }
    let mut mark = 0;
    while mark < marks.len() {
        is[marks[mark] as usize] = true;
        mark += 1;
    }
    is
}

/// Returns whether a byte is a letter.
pub(crate) fn is_letter(b: u8) -> bool {
    b.is_ascii_alphabetic()
}

/// A name of letters, digits and `_`.
pub(crate) fn name(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(|b: u8| b.is_ascii_alphanumeric() || b == b'_').parse(input)
}

/// The name of a symbol.
pub(crate) fn symbol(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(is_symbol).parse(input)
}

/// Up to two addresses in brackets, which kernels before 4.10 print before every symbol. Returns
/// the last one.
///
/// ```text
/// [<ffffffff81234567>]    printk_stack_address() in arch/x86/kernel/dumpstack.c
/// [ffffffff81234567]      powerpc and arm64
/// ```
pub(crate) fn bracketed(input: &[u8]) -> Parsed<'_, Option<Hex>> {
    // Most lines have no bracket.
    if !input.starts_with(b"[") {
        return Ok((input, None));
    }
    let one = || {
        // Early after boot pointers are hashed: `[<(____ptrval____)>]` is an address without a
        // value. Archives of mails remove `<…>`, which leaves `[]`.
        let hidden = delimited(tag("("), take_while1(is_symbol), tag(")"));
        let value = alt((hex, alt((hidden, tag(""))).map(|_| Hex { value: 0, digits: 16 })));
        let inside = delimited(opt(tag("<")), value, opt(tag(">")));
        terminated(delimited(tag("["), inside, tag("]")), blanks)
    };
    (opt(one()), opt(one())).map(|(first, second)| second.or(first)).parse(input)
}

/// An address without a mark, padded to its width, with the blanks behind it; xmon of powerpc prints a colon
/// behind it.
pub(crate) fn padded(input: &[u8]) -> Parsed<'_, Hex> {
    let (rest, hex) = terminated(hex, (opt(tag(":")), blanks)).parse(input)?;
    if matches!(hex.digits, 8 | 16) && !rest.starts_with(b"+") && !input.starts_with(b"0x") {
        Ok((rest, hex))
    } else {
        Err(nom::Err::Error(()))
    }
}

/// Returns whether a text contains a time stamp of printk, which is part of another line.
pub(crate) fn has_stamp(text: &[u8]) -> bool {
    memchr::memchr_iter(b'[', text).any(|at| text.get(at..).is_some_and(|rest| stamp(rest).is_ok()))
}

/// `[    1.000001]`, printed by print_time() in kernel/printk/printk.c.
pub(crate) fn stamp(input: &[u8]) -> Parsed<'_, ()> {
    // Written by hand because every line has one.
    let no_stamp = Err(nom::Err::Error(()));
    if let Some(rest) = early_stamp(input) {
        return Ok((rest, ()));
    }
    let [b'[', rest @ ..] = input else { return no_stamp };
    let mut rest = rest;
    while let [b' ', tail @ ..] = rest {
        rest = tail;
    }
    let (seconds, b'.', rest) = run_of_digits(rest) else { return no_stamp };
    let (fraction, b']', rest) = run_of_digits(rest) else { return no_stamp };
    if seconds > 0 && fraction > 0 { Ok((rest, ())) } else { no_stamp }
}

/// Reads a stamp of the usual length, which print_time() gives all stamps of the first 27 hours:
/// `[%5lu.%06lu]`.
fn early_stamp(input: &[u8]) -> Option<&[u8]> {
    let (first, rest) = input.split_first_chunk::<14>()?;
    let &[b'[', ten_thousands, thousands, hundreds, tens, digits @ .., b']'] = first else {
        return None;
    };
    let mut is_digit = false;
    for byte in [ten_thousands, thousands, hundreds, tens] {
        is_digit |= byte != b' ';
        if is_digit && !byte.is_ascii_digit() {
            return None;
        }
    }
    let [_, point, ..] = digits;
    // The point becomes a digit.
    let digits =
        u64::from_ne_bytes(digits) ^ u64::from_ne_bytes([0, b'.' ^ b'0', 0, 0, 0, 0, 0, 0]);
    (point == b'.' && are_digits(digits)).then_some(rest)
}

/// Returns whether eight bytes are decimal digits, in one word: 0x30 to 0x39 keep their high half when
/// 6 is added.
fn are_digits(word: u64) -> bool {
    const HIGH: u64 = u64::from_ne_bytes([0xf0; 8]);
    const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
    word & HIGH == ZEROS && word.wrapping_add(u64::from_ne_bytes([6; 8])) & HIGH == ZEROS
}

/// Returns the number of digits at the start of a text, the byte after them or NUL, and the rest
/// after that byte.
pub(crate) fn run_of_digits(text: &[u8]) -> (usize, u8, &[u8]) {
    let mut rest = text;
    while let [b'0'..=b'9', tail @ ..] = rest {
        rest = tail;
    }
    let digits = text.len() - rest.len();
    rest.split_first().map_or((digits, 0, rest), |(mark, tail)| (digits, *mark, tail))
}

/// Any number of blanks.
pub(crate) fn blanks(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while(|b| b == b' ').parse(input)
}

/// A word without blanks.
pub(crate) fn word(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(|b: u8| !b.is_ascii_whitespace()).parse(input)
}

/// Returns whether a byte may be part of the path of a source file.
pub(crate) fn is_path(b: u8) -> bool {
    PATH_BYTES.get(usize::from(b)) == Some(&true)
}

const PATH_BYTES: [bool; 256] = bytes_of(b"_-./+");

/// `file:line`, with an optional column.
///
/// Printed by the kernel for `WARN_ON` and `BUG_ON`, and by tools that symbolized the log with
/// `addr2line`.
pub(crate) fn file_and_line(input: &[u8]) -> Parsed<'_, (&[u8], u64)> {
    let (rest, (file, _, line)) = (take_while1(is_path), tag(":"), decimal).parse(input)?;
    let (rest, _) = match rest {
        [b':', ..] => opt(recognize((tag(":"), digits))).parse(rest)?,
        _ => (rest, None),
    };
    // A file has an extension or a directory, unlike `0x12:3` and `kworker/0:1`.
    match file.iter().rfind(|b| matches!(b, b'.' | b'/')) {
        Some(b'.') => Ok((rest, (file, line))),
        _ => Err(nom::Err::Error(())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_of_the_usual_length() {
        for text in ["[    1.000001]", "[12345.678901]", "[  100.000000]"] {
            assert_eq!(early_stamp(text.as_bytes()), Some(&b""[..]), "{text}");
            assert!(stamp(text.as_bytes()).is_ok(), "{text}");
        }
        // The byte of each place is a digit, a blank before the digits, or the mark.
        for (at, byte) in (0..14).flat_map(|at| (0..=255u8).map(move |byte| (at, byte))) {
            let mut text = *b"[  345.678901]";
            text[at] = byte;
            let seconds = &text[1..6];
            let blanks = seconds.iter().take_while(|b| **b == b' ').count();
            let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
            let is_stamp = (text[0], text[6], text[13]) == (b'[', b'.', b']')
                && digits(&seconds[blanks..])
                && digits(&text[7..13]);
            assert_eq!(early_stamp(&text).is_some(), is_stamp, "{at} {byte:#x}");
        }
    }

    #[test]
    fn ok_numbers() {
        assert_eq!(decimal(b"18446744073709551615 "), Ok((&b" "[..], u64::MAX)));
        assert_eq!(hex(b"0xdead0000 "), Ok((&b" "[..], Hex { value: 0xdead_0000, digits: 8 })));
        assert_eq!(hex(b"FFFFFFFFFFFFFFFF").map(|(_, h)| h.value), Ok(u64::MAX));
        assert_eq!(offset_and_size(b"+0x9b/0xe50 x"), Ok((&b" x"[..], (0x9b, 0xe50))));
    }

    #[test]
    fn err_numbers() {
        assert!(decimal(b"18446744073709551616").is_err());
        for text in [&b""[..], b"0x", b"g", b"0123456789abcdef0"] {
            assert!(hex(text).is_err(), "{text:?}");
        }
        assert!(offset_and_size(b"+0x9b").is_err());
    }

    #[test]
    fn ok_places() {
        let value = |h: Option<Hex>| h.map(|h| h.value);
        assert_eq!(
            bracketed(b"[<ffff0001>] f").map(|(r, h)| (r, value(h))),
            Ok((&b"f"[..], Some(0xffff_0001)))
        );
        assert_eq!(
            bracketed(b"[<1>] [<2>] f").map(|(r, h)| (r, value(h))),
            Ok((&b"f"[..], Some(2)))
        );
        assert_eq!(bracketed(b"f").map(|(r, h)| (r, value(h))), Ok((&b"f"[..], None)));
        assert_eq!(file_and_line(b"fs/io-wq.c:280 x"), Ok((&b" x"[..], (&b"fs/io-wq.c"[..], 280))));
        assert_eq!(file_and_line(b"./include/a.h:1:5"), Ok((&b""[..], (&b"./include/a.h"[..], 1))));
    }

    #[test]
    fn err_places() {
        for text in [&b"kworker/0:1"[..], b"a.c", b":1", b"a.c:", b"a.c:x"] {
            assert!(file_and_line(text).is_err(), "{text:?}");
        }
    }
}
