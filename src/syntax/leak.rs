//! An object that leaked: print_unreferenced() in mm/kmemleak.c.
//!
//! ```text
//! object = "unreferenced object " hex " (size " n "):"
//! ```

use nom::Parser;
use nom::bytes::complete::tag;
use nom::sequence::{delimited, preceded};

use super::Parsed;
use crate::token::{Hex, decimal, hex};

/// `unreferenced object 0xffff888002bbf800 (size 512):`: the address, and the size in bytes. `%px` since
/// Linux 4.15 prints the address without `0x` on some machines.
pub(crate) fn object(line: &[u8]) -> Parsed<'_, (Hex, u64)> {
    let size = delimited(tag(" (size "), decimal, tag(")"));
    (preceded(tag("unreferenced object "), hex), size).parse(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_object() {
        let (_, (address, size)) =
            object(b"unreferenced object 0xffff888002bbf800 (size 512):").expect("one");
        assert_eq!((address.value, size), (0xffff_8880_02bb_f800, 512));
    }

    #[test]
    fn err_object() {
        for line in
            ["unreferenced object", "unreferenced object 0x10", "unreferenced object x (size 1):"]
        {
            assert!(object(line.as_bytes()).is_err(), "{line}");
        }
    }
}
