//! Locks in the format of print_lock() in kernel/locking/lockdep.c.
//!
//! ```text
//! lock    = [ "#" n ":" ] [ address ] " (" class ")" usage [ ", at: " place ]
//! class   = name [ "#" n ] [ "/" n ]          ; print_lockdep_cache(): a name may contain parentheses
//! usage   = "{" states "}" [ "-{" n ":" n "}" ]
//! holder  = n " lock" [ "s" ] " held by " comm "/" pid ":"     ; lockdep_print_held_locks()
//! ```

use super::Says;
use super::frame::{self, Place};
use super::source::{self, Source};
use crate::search;
use crate::token::{self, Hex};

/// A line with a lock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Lock<'a> {
    /// Its index in the list of locks that a task holds.
    pub(crate) index: Option<u64>,
    /// The address of the lock.
    pub(crate) address: Option<Hex>,
    /// How the class was used, without the braces.
    pub(crate) usage: Option<&'a [u8]>,
    /// The wait types behind the braces.
    pub(crate) wait: Option<&'a [u8]>,
    /// The class, without the suffix that distinguishes its instances.
    pub(crate) class: &'a [u8],
    pub(crate) subclass: Option<u64>,
    /// The place where it was acquired.
    pub(crate) place: Option<Place<'a>>,
    /// Whether it is a link of a chain: `-> #1 (&x){+.+.}:`.
    pub(crate) is_link: bool,
    /// Whether the place is that of an inlined function: the line of its caller follows.
    pub(crate) is_inlined: bool,
    /// The function behind `at: `, in the form for titles.
    pub(crate) function: Option<&'a [u8]>,
    pub(crate) says: Says,
    /// The first source file that it names.
    pub(crate) source: Option<Source<'a>>,
}

/// ` #0: ffff888044418170 (&dev->mutex){....}-{3:3}, at: __driver_attach+0x222/0x550`.
pub(crate) fn lock(line: &[u8]) -> Option<Lock<'_>> {
    let end = search::find(line, "){")?;
    let start = search::find(line, "(ptrval) (").map(|at| at + 10);
    let start = start.or_else(|| line.iter().position(|b| *b == b'(').map(|at| at + 1))?;
    let class = line.get(start..end)?;
    let before = line.get(..start)?.trim_ascii_start();
    let numbered = before.strip_prefix(b"#").and_then(|rest| token::decimal(rest).ok());
    let (rest, index) = numbered.map_or((before, None), |(rest, index)| (rest, Some(index)));
    let address = rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start();
    let address = token::hex(address).ok().filter(|(rest, _)| rest.starts_with(b" ("));
    let usage = line.get(end + 2..).and_then(|rest| rest.get(..memchr::memchr(b'}', rest)?));
    let wait = usage.and_then(|usage| line.get(end + 2 + usage.len()..)?.strip_prefix(b"}-{"));
    let wait = wait.and_then(|rest| rest.get(..memchr::memchr(b'}', rest)?));
    let at = search::after(line, "at: ");
    let place = at.and_then(|text| {
        // Old kernels print the address before the name: `[<ffffffff81234567>] f+0x1/0x2`.
        let text = match text {
            [b'[', b'<', ..] => search::after(text, ">] ")?,
            text => text,
        };
        frame::place(text).ok().map(|(_, place)| place)
    });
    let target = at.and_then(|text| token::bracketed(text).ok());
    let function = target.and_then(|(rest, _)| frame::title_function(rest));
    let is_addressed = target.is_some_and(|(_, address)| address.is_some());
    Some(Lock {
        index,
        address: address.map(|(_, address)| address),
        usage,
        wait,
        class: bare(class),
        subclass: subclass(class),
        place,
        is_link: line.starts_with(b"->"),
        is_inlined: line.ends_with(b"[inline]"),
        function,
        says: Says::AT.when(function.is_some()) | Says::ADDRESSED.when(is_addressed),
        source: source::source(line),
    })
}

/// The thread whose locks follow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Holder<'a> {
    pub(crate) comm: &'a [u8],
    pub(crate) pid: u64,
}

/// `2 locks held by swapper/0/1:`: a name may contain slashes.
pub(crate) fn holder(line: &[u8]) -> Option<Holder<'_>> {
    let name = search::after(line, " held by ")?.trim_ascii_end();
    let name = name.strip_suffix(b":").or_else(|| name.strip_suffix(b".")).unwrap_or(name);
    let slash = memchr::memrchr(b'/', name)?;
    let (rest, pid) = token::decimal(name.get(slash + 1..)?).ok()?;
    rest.is_empty().then_some(Holder { comm: name.get(..slash)?, pid })
}

/// Returns whether a line is followed by a lock that was taken earlier, with another state of interrupts:
/// `but this lock took another, SOFTIRQ-unsafe lock in the past:` of print_irq_inversion_bug(),
/// `but this new dependency connects a HARDIRQ-irq-safe lock:` of print_bad_irq_dependency().
pub(crate) fn precedes_past(line: &[u8]) -> bool {
    line.ends_with(b" lock in the past:")
        || line.ends_with(b"-irq-safe lock:")
        || line.ends_with(b"-irq-unsafe lock:")
}

/// The number behind the `/` of a class.
fn subclass(class: &[u8]) -> Option<u64> {
    let slash = memchr::memrchr(b'/', class)?;
    token::decimal(class.get(slash + 1..)?).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, n)| n)
}

/// A class without `#2` and `/1`.
fn bare(class: &[u8]) -> &[u8] {
    let mut class = class;
    loop {
        let digits = class.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        match class.split_at_checked(class.len() - digits) {
            Some(([name @ .., b'#' | b'/'], [_, ..])) => class = name,
            _ => return class,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_lock() {
        let p = |line: &'static str| {
            let lock = lock(line.as_bytes()).expect(line);
            let class = std::str::from_utf8(lock.class).unwrap_or_default();
            let function = lock.place.and_then(|place| place.function);
            (lock.index, class, function.and_then(|name| std::str::from_utf8(name).ok()))
        };
        assert_eq!(
            p("ffff8880 (&tree->tree_lock#2/1){+.+.}-{3:3}, at: hfs_find_init+0x11c/0x180"),
            (None, "&tree->tree_lock", Some("hfs_find_init"))
        );
        assert_eq!(
            p(" #0:  (rcu_read_lock_bh){....}, at: [<000000003482bddc>] f+0x1/0x2"),
            (Some(0), "rcu_read_lock_bh", Some("f"))
        );
        assert_eq!(p("-> #0 (&(&pool->lock)->rlock){-.-.}:").1, "&(&pool->lock)->rlock");
        assert_eq!(p(" #1:         (ptrval) (rtnl_mutex){+.+.}").1, "rtnl_mutex");
        assert_eq!(p("ffff (key#12){+.+.}").1, "key");
        let more = |line: &'static str| {
            let lock = lock(line.as_bytes()).expect(line);
            (lock.subclass, lock.wait)
        };
        assert_eq!(
            more("ffff (&t->lock#2/1){+.+.}-{3:3}, at: f+0x1/0x2"),
            (Some(1), Some(&b"3:3"[..]))
        );
        assert_eq!(more("ffff (fs/read){+.+.}, at: f+0x1/0x2"), (None, None));
        let at = |line: &'static str| {
            let lock = lock(line.as_bytes()).expect(line);
            (lock.address.map(|at| at.value), lock.usage)
        };
        let usage = Some(&b"+.+."[..]);
        assert_eq!(
            at("ffffffffc0162628 (a){+.+.}-{3:3}, at: f+0x1/0x2"),
            (Some(0xffff_ffff_c016_2628), usage)
        );
        assert_eq!(
            at(" #1: ffff888000852430 (b#4){+.+.}-{0:0}, at: f+0x1/0x2"),
            (Some(0xffff_8880_0085_2430), usage)
        );
        assert_eq!(at("-> #1 (cm_lock_b){+.+.}-{3:3}:"), (None, usage));
    }

    #[test]
    fn err_lock() {
        for line in ["lock(&x);", "){", "({", "", "f(a){"] {
            let found = lock(line.as_bytes());
            assert!(found.is_none() || line == "f(a){", "{line}: {found:?}");
        }
    }

    #[test]
    fn ok_precedes_past() {
        assert!(precedes_past(
            b"but this lock took another, SOFTIRQ-READ-unsafe lock in the past:"
        ));
        assert!(precedes_past(b"to a HARDIRQ-irq-unsafe lock:"));
        assert!(!precedes_past(b"but task is already holding lock:"));
    }

    #[test]
    fn ok_holder() {
        let p =
            |line: &'static str| holder(line.as_bytes()).map(|holder| (holder.comm, holder.pid));
        assert_eq!(p("2 locks held by swapper/0/1:"), Some((&b"swapper/0"[..], 1)));
        assert_eq!(p("1 lock held by khungtaskd/41:"), Some((&b"khungtaskd"[..], 41)));
        assert_eq!(p("no locks held by syz/99."), Some((&b"syz"[..], 99)));
        assert_eq!(p("held"), None);
        assert_eq!(p("1 lock held by x/1y:"), None);
    }
}
