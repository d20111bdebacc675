//! Instruction pointers and link registers, on lines of their own.
//!
//! ```text
//! pointer = tag [ selector ":" ] [ addresses ] place     ; show_ip() in arch/x86/kernel/dumpstack.c
//! tag     = "RIP:" / "EIP:" / "NIP " / "pc :" / ...      ; the tables of `arch`
//! link    = tag place                                     ; "lr :", "LR ", "ra :"
//! ```

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::combinator::opt;
use nom::sequence::{preceded, terminated};

use super::frame::{self, Place};
use super::{Malformed, Parsed, Record, Tag};
use crate::arch::{self, Arch};
use crate::reason::DiagnosticKind;
use crate::token::{self, blanks};

/// An instruction pointer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pointer<'t> {
    /// The first architecture that prints this tag.
    pub(crate) arch: Arch,
    /// The code segment; its two low bits are the privilege level.
    pub(crate) selector: Option<u64>,
    pub(crate) place: Place<'t>,
    /// The rest of the line: other registers.
    pub(crate) rest: &'t [u8],
    /// Whether the convention for titles recognises it: see [`counts`].
    pub(crate) counts: bool,
}

/// A return address in a link register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link<'t> {
    /// The place of the address, if the line has a symbol.
    pub(crate) place: Option<Place<'t>>,
    /// The whole line, which may have other registers.
    pub(crate) line: &'t [u8],
}

/// Reads a line with the tag of an instruction pointer.
pub(super) fn pointer(line: &[u8]) -> Option<Record<'_>> {
    let (arch, rest) = arch::pointer(line)?;
    let tag = line.get(..line.len() - rest.len()).unwrap_or_default();
    Some(match target(rest) {
        Ok((tail, (selector, place))) => Record::InstructionPointer(Pointer {
            arch,
            selector,
            place,
            rest: tail,
            counts: (counts(tag) || !arch.info().names_pointer) && is_convention(&place),
        }),
        Err(_) => Record::Malformed(Malformed {
            what: Tag::Pointer,
            line,
            rest,
            why: DiagnosticKind::NoPlace,
        }),
    })
}

/// Reads a line with the tag of a link register.
pub(super) fn link(line: &[u8]) -> Option<Link<'_>> {
    let (_, rest) = arch::link(line)?;
    let place = target(rest).ok().map(|(_, (_, place))| place);
    Some(Link { place: place.filter(|place| place.function.is_some()), line })
}

/// Returns whether the convention recognises the tag: it searches for `IP`, `pc ` and `PC is at`.
fn counts(tag: &[u8]) -> bool {
    matches!(tag, b"RIP:" | b"EIP:" | b"IP:" | b"NIP " | b"pc :" | b"pc: " | b"epc :" | b"PC is at")
}

/// Returns whether the convention recognises the place: a function with an offset, or an address.
fn is_convention(place: &Place<'_>) -> bool {
    place.title_function().is_some() || place.address.is_some()
}

/// An instruction pointer without its tag: `0010:f+0x1/0x2`, `0033:0x4665e9`, and on other
/// machines `[c008000000430070] f+0x28/0x40`, `80123456 f+0x1/0x2`, `0704… 000003ff… (f+0x20/0x28)`.
pub(crate) fn target(input: &[u8]) -> Parsed<'_, (Option<u64>, Place<'_>)> {
    let selector = terminated(take_while_m_n(2, 4, |b: u8| b.is_ascii_hexdigit()), tag(":"));
    let (rest, (_, selector)) = (blanks, opt(selector)).parse(input)?;
    let selector = selector.and_then(|text| token::hex(text).ok()).map(|(_, hex)| hex.value);
    let (rest, (_, bracketed)) = (blanks, token::bracketed).parse(rest)?;
    let (rest, (first, second)) = (opt(token::padded), opt(token::padded)).parse(rest)?;
    let address = second.or(first).or(bracketed);
    let (rest, (_, place)) = (opt(alt((tag("("), tag("<")))), opt(frame::place)).parse(rest)?;
    let place = match (place, address) {
        (None, None) => return Err(nom::Err::Error(())),
        (None, address) => Place { address, reliable: true, ..Place::default() },
        (Some(place), address) => Place { address: place.address.or(address), ..place },
    };
    Ok((rest, (selector, place)))
}

/// An instruction pointer anywhere in a line, as the convention searches for it: its function, if
/// it has one.
pub(super) fn anywhere(line: &[u8]) -> Option<Option<&[u8]>> {
    memchr::memchr3_iter(b'I', b'p', b'P', line)
        .find_map(|at| convention(line.get(at..)?).ok())
        .map(|(_, function)| function)
}

/// `IP`, `pc ` or `PC is at`, with optional separators.
fn convention(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let selector = terminated(token::hex, tag(":"));
    let name = alt((tag("IP"), tag("pc "), tag("PC is at")));
    let before = (name, opt(tag(":")), tag(" "), opt(selector), blanks);
    let (rest, address) = preceded(before, token::bracketed).parse(input)?;
    let function = frame::title_function(rest);
    let is_bare = address.is_some() || rest.starts_with(b"0x") || rest.starts_with(b"(null)");
    if function.is_some() || is_bare { Ok((rest, function)) } else { Err(nom::Err::Error(())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_target() {
        let p = |line: &'static str| target(line.as_bytes()).expect(line).1;
        assert_eq!(p(" 0010:f+0x9b/0xe50 a/b.c:605").0, Some(0x10));
        assert_eq!(p(" 0033:0x4665e9").1.address.map(|a| a.value), Some(0x46_65e9));
        let (_, place) = p(" 0010:[<ffffffff82b8a69a>]  [<ffffffff82b8a69a>] f+0x9a/0x1a0");
        assert_eq!((place.function, place.address.map(|a| a.digits)), (Some(&b"f"[..]), Some(16)));
        let (_, place) = p(" 0704c00180000000 000003ff7fd02658 (f+0x20/0x28 [m])");
        assert_eq!(
            (place.function, place.address.map(|a| a.value)),
            (Some(&b"f"[..]), Some(0x3ff_7fd0_2658))
        );
        assert_eq!(p("[c008000000430070] f+0x28/0x40 [m]").1.module, Some(&b"m"[..]));
        assert!(p(" 0010:io_put fs/io_uring.c:11 [inline]").1.inline);
        assert!(target(b" 0010:").is_err());
    }

    #[test]
    fn ok_anywhere() {
        let p = |line: &'static str| {
            let found = anywhere(line.as_bytes());
            found.map(|found| found.map(|f| String::from_utf8_lossy(f).into_owned()))
        };
        assert_eq!(p("x RIP: 0010:foo+0x1/0x2"), Some(Some("foo".into())));
        assert_eq!(p("RIP  [<ffffffff82b8a69a>] foo+0x9a/0x1a0"), Some(Some("foo".into())));
        assert_eq!(p("pc : foo.part.0+0x1/0x2"), Some(Some("foo".into())));
        assert_eq!(p("RIP: 0033:0x4665e9"), Some(None));
        assert_eq!(p("RIP: 0010:io_put fs/io_uring.c:11 [inline]"), None);
        assert_eq!(p("RIPE 0010"), None);
    }
}
