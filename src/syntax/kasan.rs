//! The body of a KASAN report: print_error_description(), print_address_description() and
//! print_memory_metadata() in mm/kasan/report.c.
//!
//! ```text
//! access   = ( "Read" / "Write" ) " of size " n " at addr " hex [ " by task " comm "/" pid ]
//!          / "Free of addr " hex " by task " comm "/" pid     ; since Linux 6.3
//! variable = "The buggy address belongs to the variable:"   ; its symbol is on the next line
//! object   = "The buggy address belongs to the object at " hex
//! cache    = " which belongs to the cache " name " of size " n
//! located  = "The buggy address is located " n " bytes " ( "inside of" / "to the right of" / "to the left of" )
//! region   = " " n "-byte region [" hex ", " hex ")"
//! frame    = ( "and" / "addr " hex ) " is located " [ "in stack of task " comm "/" pid " " ] "at offset " n " in frame:"
//!            ; kasan_print_address_stack_frame() in mm/kasan/report_generic.c; its symbol is on the next line
//! local    = "[" n ", " n ") '" name "'"                     ; print_decoded_frame_descr()
//! shadow   = ( ">" / " " ) hex ": " 16( hex )
//! ```

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_until};
use nom::combinator::{opt, value};
use nom::sequence::{delimited, preceded, terminated};

use super::{Parsed, Says};
use crate::token::{Hex, decimal, hex, hex_value, word};

/// The bad access.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Access {
    /// The type of the access.
    pub(crate) what: What,
    /// The size in bytes.
    pub(crate) size: Option<u64>,
    /// The address.
    pub(crate) address: Option<Hex>,
}

impl Access {
    /// The line's meaning to the title rules.
    pub(super) fn says(&self) -> Says {
        let what = match self.what {
            What::Read => Says::READ,
            What::Write => Says::WRITE,
            What::Free => Says::NOTHING,
        };
        what | Says::SIZE.when(self.size.is_some())
    }
}

/// The kinds of accesses that KASAN distinguishes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum What {
    Read,
    Write,
    Free,
}

/// `Read of size 4 at addr ffff888001286008 by task kworker/u5:1/46`.
///
/// Before Linux 4.11 the address was in the headline and the line was
/// `Read of size 8 by task syz-executor0/4321`.
pub(crate) fn access(input: &[u8]) -> Parsed<'_, Access> {
    let what = alt((
        value(What::Read, tag("Read")),
        value(What::Write, tag("Write")),
        value(What::Free, tag("Free")),
    ));
    let size = opt(preceded(tag(" of size "), decimal));
    let address = opt(preceded(alt((tag(" at addr "), tag(" of addr "))), hex));
    let (rest, (what, size, address)) = (what, size, address).parse(input)?;
    if size.is_none() && address.is_none() {
        return Err(nom::Err::Error(()));
    }
    Ok((rest, Access { what, size, address }))
}

/// Whether a line begins as [`access`] does.
pub(super) fn is_access(line: &[u8]) -> bool {
    let starts = ["Read of size", "Write of size", "Read at addr", "Write at addr", "Free of addr"];
    starts.iter().any(|start| line.starts_with(start.as_bytes()))
}

/// Returns whether a line has the form of shadow memory: a mark or a blank, an address, bytes.
pub(super) fn is_shadow(text: &[u8]) -> bool {
    let [b'>' | b' ', rest @ ..] = text else { return false };
    let digits = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    (8..=16).contains(&digits) && rest.get(digits..).is_some_and(|rest| rest.starts_with(b": "))
}

/// A fact about the accessed object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Object<'a> {
    /// Its address.
    At(Hex),
    /// It is a global variable, whose symbol is on the next line.
    Variable,
    /// The slab cache that it belongs to, and the size of the cache's objects in bytes.
    Cache(&'a [u8], u64),
    /// The distance of the access from it: bytes, and `inside of`, `to the right of`,
    /// `to the left of`.
    Distance(u64, &'a [u8]),
    /// The first byte of the region and the one past its last.
    Region(Hex, Hex),
}

/// Any of the lines that describe the object.
///
/// Linux 6.4 joined distance and region into one line: the result is the distance, and the region
/// is in the rest.
pub(crate) fn object(input: &[u8]) -> Parsed<'_, Object<'_>> {
    let at = preceded(tag("The buggy address belongs to the object at "), hex).map(Object::At);
    let variable = value(Object::Variable, tag("The buggy address belongs to the variable:"));
    let cache = (tag(" which belongs to the cache "), word, tag(" of size "), decimal)
        .map(|(_, name, _, size)| Object::Cache(name, size));
    let side = alt((tag("inside of"), tag("to the right of"), tag("to the left of")));
    let distance = (
        tag("The buggy address is located "),
        decimal,
        tag(" bytes "),
        preceded(opt(alt((tag("freed "), tag("allocated ")))), side),
    )
        .map(|(_, bytes, _, side)| Object::Distance(bytes, side));
    let region = (take_until("region ["), tag("region ["), hex, tag(", "), hex, tag(")"))
        .map(|(_, _, start, _, end, _)| Object::Region(start, end));
    alt((at, variable, cache, distance, region)).parse(input)
}

/// The offset of the address in a stack frame, in bytes.
///
/// `and is located at offset 56 in frame:`; before Linux 6.0 `addr ffff… is located in stack of task a/1 at
/// offset 56 in frame:`.
pub(super) fn stack_frame(input: &[u8]) -> Parsed<'_, u64> {
    let before = alt((tag("and is located "), tag("addr ")));
    let offset = (before, take_until("at offset "), tag("at offset "));
    delimited(offset, decimal, tag(" in frame:")).parse(input)
}

/// A local variable of that frame: its first byte, the one past its last, its name.
pub(super) fn local(input: &[u8]) -> Parsed<'_, (u64, u64, &[u8])> {
    let range = (delimited(tag("["), decimal, tag(", ")), terminated(decimal, tag(") '")));
    let name = terminated(take_till(|b| b == b'\''), tag("'"));
    let (rest, ((start, end), name)) = (range, name).parse(input)?;
    Ok((rest, (start, end, name)))
}

/// One line of the shadow memory around the address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Shadow {
    /// The address of the memory that the first byte describes.
    pub(crate) address: Hex,
    /// The shadow: a byte for 8 bytes of memory each (16 with tags).
    pub(crate) bytes: [u8; 16],
    /// Whether it contains the bad address.
    pub(crate) hit: bool,
}

/// `>ffff888001286000: fa fb fb fb fb fb fb fb fb fb fb fb fb fb fb fb`.
pub(crate) fn shadow(input: &[u8]) -> Parsed<'_, Shadow> {
    let mark = alt((value(true, tag(">")), value(false, tag(" "))));
    let (mut rest, (hit, address, _)) = (mark, hex, tag(":")).parse(input)?;
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        let (tail, pair) = preceded(tag(" "), nom::bytes::complete::take(2usize)).parse(rest)?;
        let pair: &[u8] = pair;
        if !pair.iter().all(u8::is_ascii_hexdigit) {
            return Err(nom::Err::Error(()));
        }
        *byte = pair.iter().fold(0, |sum, &digit| (sum << 4) | hex_value(digit));
        rest = tail;
    }
    Ok((rest, Shadow { address, bytes, hit }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_access() {
        let p = |line: &'static str| access(line.as_bytes()).expect(line).1;
        let a = p("Write of size 4 at addr ffff888001286008 by task kworker/u5:1/46");
        assert_eq!((a.what, a.size), (What::Write, Some(4)));
        assert_eq!(a.address.map(|hex| hex.value), Some(0xffff_8880_0128_6008));
        assert_eq!(p("Read of size 8 by task syz-executor0/4321").address, None);
        let a = p("Free of addr ffff888001286008 by task init/46");
        assert_eq!((a.what, a.size, a.address.is_some()), (What::Free, None, true));
        for line in ["Reading x", "Write", "Readofsize"] {
            assert!(access(line.as_bytes()).is_err(), "{line:?}");
        }
    }

    #[test]
    fn ok_object() {
        let p = |line: &'static str| object(line.as_bytes()).map(|(_, object)| object);
        assert_eq!(
            p(" which belongs to the cache cm_session of size 144"),
            Ok(Object::Cache(b"cm_session", 144))
        );
        assert_eq!(
            p("The buggy address is located 8 bytes inside of"),
            Ok(Object::Distance(8, b"inside of"))
        );
        assert!(matches!(
            p(" 144-byte region [ffff888001286000, ffff888001286090)"),
            Ok(Object::Region(..))
        ));
        assert!(matches!(
            p("The buggy address belongs to the object at ffff888001286000"),
            Ok(Object::At(_))
        ));
        assert!(p("The buggy address belongs to the physical page:").is_err());
    }

    #[test]
    fn ok_frame() {
        let offset = |line: &'static str| stack_frame(line.as_bytes()).map(|(_, offset)| offset);
        assert_eq!(offset("and is located at offset 56 in frame:"), Ok(56));
        let line =
            "addr ffffc90000277d98 is located in stack of task a at b/45 at offset 40 in frame:";
        assert_eq!(offset(line), Ok(40));
        let found = local(b"[32, 56) 'v'").map(|(_, local)| local);
        assert_eq!(found, Ok((32, 56, &b"v"[..])));
        for line in ["and is located at offset x", "[32, 56)", "[32] 'v'"] {
            assert!(offset(line).is_err() && local(line.as_bytes()).is_err(), "{line}");
        }
    }

    #[test]
    fn ok_shadow() {
        let line = b">ffff888001286000: fa fb fb fb fb fb fb fb fb fb fb fb fb fb fb fb";
        let (_, shadow_line) = shadow(line).expect("a shadow line");
        assert_eq!(
            (shadow_line.hit, shadow_line.bytes[0], shadow_line.bytes[15]),
            (true, 0xfa, 0xfb)
        );
        assert!(shadow(&line[..60]).is_err());
    }
}
