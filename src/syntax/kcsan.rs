//! The accesses of a data race: print_report() in kernel/kcsan/report.c.
//!
//! ```text
//! access = [ "race at unknown origin, with " ] what " to " hex " of " n " bytes by "
//!          ( "task " pid / "interrupt" ) " on cpu " n ":"
//! what   = ( "read-write" / "write" / "read" / "assert no writes" / … ) [ " (marked)" ] [ " (reordered)" ]
//! ```

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_until};
use nom::combinator::{opt, value};
use nom::sequence::{delimited, preceded};

use super::Parsed;
use super::kasan::{Access, What};
use crate::token::{decimal, hex};

/// `write to 0xffff88812b78c158 of 8 bytes by task 16024 on cpu 1:`; its stack follows.
pub(crate) fn access(input: &[u8]) -> Parsed<'_, Access> {
    let what = alt((
        value(What::Write, alt((tag("read-write"), tag("write")))),
        value(What::Read, alt((tag("read"), tag("assert no")))),
    ));
    let marks = take_until(" to ");
    let by = (tag(" bytes by "), take_till(|b| b == b':'), tag(":"));
    (
        opt(tag("race at unknown origin, with ")),
        what,
        marks,
        preceded(tag(" to "), hex),
        delimited(tag(" of "), decimal, by),
    )
        .map(|(_, what, _, at, size)| Access { what, size: Some(size), address: Some(at) })
        .parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_access() {
        let p = |line: &'static str| {
            let (_, access) = access(line.as_bytes()).expect(line);
            (access.what, access.size, access.address.map(|at| at.value))
        };
        assert_eq!(
            p("write to 0xffff88812b78c158 of 8 bytes by task 16024 on cpu 1:"),
            (What::Write, Some(8), Some(0xffff_8881_2b78_c158))
        );
        assert_eq!(p("read (marked) to 0x10 of 4 bytes by interrupt on cpu 0:").0, What::Read);
        assert_eq!(
            p("race at unknown origin, with read-write to 0x10 of 4 bytes by task 1 on cpu 0:").0,
            What::Write
        );
    }

    #[test]
    fn err_access() {
        for line in ["write to disk failed:", "read to 0x10 of 4 bytes by task 1", ""] {
            assert!(access(line.as_bytes()).is_err(), "{line}");
        }
    }
}
