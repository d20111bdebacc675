//! The body of a KFENCE report: kfence_report_error() and kfence_print_object() in mm/kfence/report.c.
//!
//! ```text
//! access = ( "Use-after-free" / "Out-of-bounds" / "Invalid" ) " " ( "read" / "write" ) " at 0x" pointer …
//!        / "Invalid free of 0x" pointer …
//! object = "kfence-#" n ": 0x" pointer "-0x" pointer ", size=" n ", cache=" name
//! ```
//!
//! Pointers are hashed (`%p`) unless the kernel was booted with `no_hash_pointers`.

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_until};
use nom::combinator::{opt, value};
use nom::sequence::{preceded, terminated};

use super::Parsed;
use super::kasan::{Access, Object, What};
use crate::token::{Hex, decimal, hex, word};

/// `Use-after-free read at 0xffff888003a1e5c0 (in kfence-#12):`.
pub(crate) fn access(input: &[u8]) -> Parsed<'_, Access> {
    let kind = alt((tag("Use-after-free "), tag("Out-of-bounds "), tag("Invalid ")));
    let what = alt((
        value(What::Read, tag("read at ")),
        value(What::Write, tag("write at ")),
        value(What::Free, tag("free of ")),
    ));
    let (rest, (what, address)) = (preceded(kind, what), opt(pointer)).parse(input)?;
    Ok((rest, Access { what, size: None, address: address.flatten() }))
}

/// `kfence-#12: 0xffff888003a1e5c0-0xffff888003a1e61f, size=96, cache=kmalloc-96`.
pub(crate) fn object(input: &[u8]) -> Parsed<'_, Object<'_>> {
    let before = (tag("kfence-#"), decimal, tag(": "), take_until(", size="), tag(", size="));
    let facts = (terminated(decimal, tag(", cache=")), word);
    preceded(before, facts).map(|(size, cache)| Object::Cache(cache, size)).parse(input)
}

/// A pointer; `None` for a hash, whose upper half is zero.
fn pointer(input: &[u8]) -> Parsed<'_, Option<Hex>> {
    let is_hash = |hex: &Hex| hex.digits == 16 && hex.value >> 32 == 0;
    hex.map(|hex| Some(hex).filter(|hex| !is_hash(hex))).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_access() {
        let p = |line: &'static str| {
            let access = access(line.as_bytes()).expect(line).1;
            (access.what, access.address.map(|address| address.value))
        };
        let line = "Use-after-free read at 0xffff888003a1e5c0 (in kfence-#12):";
        assert_eq!(p(line), (What::Read, Some(0xffff_8880_03a1_e5c0)));
        let line = "Out-of-bounds write at 0x000000001b5d6e6c (1B right of kfence-#12):";
        assert_eq!(p(line), (What::Write, None));
        assert_eq!(p("Invalid free of 0x(____ptrval____) (in kfence-#3):"), (What::Free, None));
        for line in ["Invalid argument", "Use-after-free", "Corrupted memory at 0x1"] {
            assert!(access(line.as_bytes()).is_err(), "{line}");
        }
    }

    #[test]
    fn ok_object() {
        let line = b"kfence-#12: 0x(____ptrval____)-0x(____ptrval____), size=96, cache=kmalloc-96";
        assert_eq!(object(line), Ok((&b""[..], Object::Cache(b"kmalloc-96", 96))));
        assert!(object(b"kfence-#12 unused").is_err());
    }
}
