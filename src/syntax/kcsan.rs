//! The accesses of a data race: print_report() in kernel/kcsan/report.c.
//!
//! ```text
//! access = [ "race at unknown origin, with " ] what " to " hex " of " n " bytes by "
//!          ( "task " pid / "interrupt" ) " on cpu " n ":"
//! what   = ( "read-write" / "write" / "read" / "assert no writes" / … ) [ " (marked)" ] [ " (reordered)" ]
//! ```

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_until};
use nom::combinator::{map, opt, value};
use nom::sequence::{delimited, preceded};

use super::Parsed;
use super::kasan::{self, What};
use crate::search;
use crate::token::{Hex, decimal, hex};

/// An access of a data race; its stack follows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Access {
    pub(crate) what: What,
    pub(crate) size: u64,
    pub(crate) address: Hex,
    /// Whether the access is marked.
    pub(crate) is_marked: bool,
    /// The thread; `None` for an interrupt.
    pub(crate) task: Option<u64>,
    pub(crate) cpu: Option<u64>,
}

impl Access {
    /// Returns the access without the task.
    pub(crate) fn bare(&self) -> kasan::Access {
        kasan::Access { what: self.what, size: Some(self.size), address: Some(self.address) }
    }
}

/// `write to 0xffff88812b78c158 of 8 bytes by task 16024 on cpu 1:`.
pub(crate) fn access(input: &[u8]) -> Parsed<'_, Access> {
    let what = alt((
        value(What::Write, alt((tag("read-write"), tag("write")))),
        value(What::Read, alt((tag("read"), tag("assert no")))),
    ));
    let marks = map(take_until(" to "), |marks: &[u8]| search::has(marks, "(marked"));
    let at = preceded(tag(" to "), hex);
    let size = delimited(tag(" of "), decimal, tag(" bytes by "));
    let task = alt((map(preceded(tag("task "), decimal), Some), value(None, tag("interrupt"))));
    let cpu = opt(preceded(tag(" on cpu "), decimal));
    (opt(tag("race at unknown origin, with ")), what, marks, at, size, task, cpu, tag(":"))
        .map(|(_, what, is_marked, address, size, task, cpu, _)| Access {
            what,
            size,
            address,
            is_marked,
            task,
            cpu,
        })
        .parse(input)
}

/// `value changed: 0x0000000000000001 -> 0x0000000000000002`: the value before and after.
pub(crate) fn change(input: &[u8]) -> Parsed<'_, (Hex, Hex)> {
    (preceded(tag("value changed: "), hex), preceded(tag(" -> "), hex)).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_access() {
        let p = |line: &'static str| {
            let (_, access) = access(line.as_bytes()).expect(line);
            (access.what, access.size, access.address.value, access.task, access.cpu)
        };
        assert_eq!(
            p("write to 0xffff88812b78c158 of 8 bytes by task 16024 on cpu 1:"),
            (What::Write, 8, 0xffff_8881_2b78_c158, Some(16024), Some(1))
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
            assert!(change(line.as_bytes()).is_err(), "{line}");
        }
    }

    #[test]
    fn ok_marks_and_change() {
        let line = b"read (marked, reordered) to 0x10 of 4 bytes by interrupt on cpu 0:";
        let (_, found) = access(line).expect("an access");
        assert_eq!((found.is_marked, found.task, found.cpu), (true, None, Some(0)));
        let (_, (from, to)) = change(b"value changed: 0x01 -> 0x02").expect("a change");
        assert_eq!((from.value, to.value), (1, 2));
    }
}
