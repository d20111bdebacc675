//! Misused locks, in lines without print_lock() of lockdep.
//!
//! ```text
//! dump     = " lock: " symbol ", .magic: " hex ", .owner: " comm "/" pid ", .owner_cpu: " n  ; spin_dump() in kernel/locking/spinlock_debug.c
//! released = comm "/" pid " is trying to release lock (" class ") at:"                 ; print_unlock_imbalance_bug() in lockdep.c
//! ```

use nom::Parser;
use nom::bytes::complete::{tag, take_until};
use nom::combinator::opt;
use nom::sequence::{preceded, terminated};

use crate::search;
use crate::token::{Hex, decimal, hex};

/// The state of a spinlock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SpinLock<'t> {
    /// Its symbol or address.
    pub(crate) name: &'t [u8],
    pub(crate) magic: Hex,
    /// The name and the ID of the task that holds it.
    pub(crate) owner: Option<(&'t [u8], u64)>,
    pub(crate) owner_cpu: Option<u64>,
}

/// Reads the second line of a report.
pub(crate) fn dump(line: &[u8]) -> Option<SpinLock<'_>> {
    let name = terminated(take_until(", .magic: "), tag(", .magic: "));
    let (rest, (name, magic)) = (preceded(tag("lock: "), name), hex).parse(line).ok()?;
    let owner = preceded(tag(", .owner: "), take_until(", .owner_cpu: "));
    let cpu = preceded(tag(", .owner_cpu: "), opt(decimal));
    let (_, (owner, owner_cpu)) = (owner, cpu).parse(rest).ok()?;
    // The name of a task may contain slashes; `<none>/-1` has no ID.
    let slash = memchr::memrchr(b'/', owner)?;
    let pid = decimal(owner.get(slash + 1..)?).ok().map(|(_, pid)| pid);
    let owner = owner.get(..slash).zip(pid);
    Some(SpinLock { name, magic, owner, owner_cpu })
}

/// The class of a lock that is released and not held; the function is on the next line.
pub(crate) fn released(line: &[u8]) -> Option<&[u8]> {
    let at = search::find(line, " is trying to release lock (")? + 28;
    line.get(at..)?.strip_suffix(b") at:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_dump() {
        let line =
            b"lock: 0xffff888093f24d08, .magic: dead4ead, .owner: kworker/0:1/9318, .owner_cpu: 0";
        let found = dump(line).expect("a lock");
        assert_eq!((found.name, found.magic.value), (&b"0xffff888093f24d08"[..], 0xdead_4ead));
        assert_eq!((found.owner, found.owner_cpu), (Some((&b"kworker/0:1"[..], 9318)), Some(0)));
        let line = b"lock: cm_lock+0x0/0x18, .magic: 00000000, .owner: <none>/-1, .owner_cpu: -1";
        let found = dump(line).expect("a lock");
        assert_eq!((found.owner, found.owner_cpu), (None, None));
    }

    #[test]
    fn ok_released() {
        let line = b"demo/77 is trying to release lock ((a)(b)) at:";
        assert_eq!(released(line), Some(&b"(a)(b)"[..]));
    }

    #[test]
    fn err_lines() {
        for line in
            ["lock: x", "lock: x, .magic: 1", "lock: x, .magic: 1, .owner: y, .owner_cpu: 1"]
        {
            assert!(dump(line.as_bytes()).is_none(), "{line}");
        }
        assert!(released(b"x is trying to release lock (y").is_none());
    }
}
