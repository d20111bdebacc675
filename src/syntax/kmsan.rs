//! The bytes of a KMSAN report: kmsan_report() and kmsan_print_origin() in mm/kmsan/report.c.
//!
//! ```text
//! bytes    = "Byte" [ "s" ] " " n [ "-" n ] " of " n ( " is" / " are" ) " uninitialized"
//! access   = "Memory access of size " n " starts at " hex
//! user     = "Data copied to user address " hex
//! variable = "Local variable " ( "description: " ) *"-" name [ "@" function ] [ " created at:" ]
//! ```

use nom::Parser;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::combinator::opt;
use nom::sequence::preceded;

use super::Parsed;
use crate::token::{Hex, decimal, hex};

/// A fact of a KMSAN report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fact<'t> {
    /// The first and the last byte that is not initialized, and the size of the access.
    Bytes(u64, u64, u64),
    /// The size of the access and its address.
    Access(u64, Hex),
    /// The address in user space to which they were copied.
    User(Hex),
    /// The local variable that contains them.
    Variable(&'t [u8]),
}

/// Reads any of the lines.
pub(crate) fn fact(line: &[u8]) -> Option<Fact<'_>> {
    let found = match line.first()? {
        b'B' => bytes(line),
        b'M' => {
            (preceded(tag("Memory access of size "), decimal), preceded(tag(" starts at "), hex))
                .map(|(size, address)| Fact::Access(size, address))
                .parse(line)
        }
        b'D' => preceded(tag("Data copied to user address "), hex).map(Fact::User).parse(line),
        b'L' => variable(line),
        _ => return None,
    };
    found.ok().map(|(_, fact)| fact)
}

fn bytes(line: &[u8]) -> Parsed<'_, Fact<'_>> {
    let before = (tag("Byte"), opt(tag("s")), tag(" "));
    let range = (preceded(before, decimal), opt(preceded(tag("-"), decimal)));
    let (rest, ((first, last), size)) = (range, preceded(tag(" of "), decimal)).parse(line)?;
    Ok((rest, Fact::Bytes(first, last.unwrap_or(first), size)))
}

fn variable(line: &[u8]) -> Parsed<'_, Fact<'_>> {
    // Before Linux 6.1 KMSAN was maintained outside the kernel, and printed the compiler's
    // description.
    let before = (tag("Local variable "), opt(tag("description: ")), take_while(|b| b == b'-'));
    let name = take_while1(|b: u8| b.is_ascii_graphic() && b != b'@');
    preceded(before, name).map(Fact::Variable).parse(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_fact() {
        let p = |line: &'static str| fact(line.as_bytes());
        assert_eq!(p("Bytes 4-7 of 8 are uninitialized"), Some(Fact::Bytes(4, 7, 8)));
        assert_eq!(p("Byte 2 of 3 is uninitialized"), Some(Fact::Bytes(2, 2, 3)));
        let address = Hex { value: 0xffff_8881_1a3b_4000, digits: 16 };
        let line = "Memory access of size 8 starts at ffff88811a3b4000";
        assert_eq!(p(line), Some(Fact::Access(8, address)));
        let address = Hex { value: 0x2000_0000, digits: 16 };
        let line = "Data copied to user address 0000000020000000";
        assert_eq!(p(line), Some(Fact::User(address)));
        for line in [
            "Local variable sig.i.i created at:",
            "Local variable ----sig.i.i@f created at:",
            "Local variable description: ----sig.i.i@f",
        ] {
            assert_eq!(p(line), Some(Fact::Variable(b"sig.i.i")), "{line}");
        }
    }

    #[test]
    fn err_fact() {
        for line in ["", "Bytes x", "Memory access of size 8", "Data copied", "Local variable @f"] {
            assert!(fact(line.as_bytes()).is_none(), "{line}");
        }
    }
}
