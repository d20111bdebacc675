//! Locks, as print_lock() in kernel/locking/lockdep.c writes them.
//!
//! ```text
//! lock    = [ "#" n ":" ] [ address ] " (" class ")" usage [ ", at: " place ]
//! class   = name [ "#" n ] [ "/" n ]          ; print_lockdep_cache(): a name may hold parentheses
//! usage   = "{" states "}" [ "-{" n ":" n "}" ]
//! holder  = n " lock" [ "s" ] " held by " comm "/" pid ":"     ; lockdep_print_held_locks()
//! ```

use super::Says;
use super::frame::{self, Place};
use super::source::{self, Source};
use crate::search;
use crate::token;

/// One line that names a lock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Lock<'a> {
    /// Its place in a list of the locks that a task holds.
    pub(crate) index: Option<u64>,
    /// The class, without what tells instances of it apart.
    pub(crate) class: &'a [u8],
    /// Where it was taken.
    pub(crate) place: Option<Place<'a>>,
    /// Whether it is a link of a chain: `-> #1 (&x){+.+.}:`.
    pub(crate) is_link: bool,
    /// Whether the place is that of an inlined function: the line of the one that holds it follows.
    pub(crate) is_inlined: bool,
    /// The function behind `at: `, as titles know it.
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
    let index = before.strip_prefix(b"#").and_then(|rest| {
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()
    });
    let at = search::find(line, "at: ").and_then(|at| line.get(at + 4..));
    let place = at.and_then(|text| {
        // Old kernels put the address before the name: `[<ffffffff81234567>] f+0x1/0x2`.
        let text = match text {
            [b'[', b'<', ..] => search::find(text, ">] ").and_then(|at| text.get(at + 3..))?,
            text => text,
        };
        frame::place(text).ok().map(|(_, place)| place)
    });
    let target = at.and_then(|text| token::bracketed(text).ok());
    let function = target.and_then(|(rest, _)| frame::title_function(rest));
    let is_addressed = target.is_some_and(|(_, address)| address.is_some());
    Some(Lock {
        index,
        class: bare(class),
        place,
        is_link: line.starts_with(b"->"),
        is_inlined: line.ends_with(b"[inline]"),
        function,
        says: Says::AT.when(function.is_some()) | Says::ADDRESSED.when(is_addressed),
        source: source::source(line),
    })
}

/// The pid in `2 locks held by swapper/0/1:`.
pub(crate) fn holder(line: &[u8]) -> Option<u64> {
    search::find(line, " held by ")?;
    let name = line.trim_ascii_end();
    let name = name.strip_suffix(b":").unwrap_or(name);
    let digits = name.rsplit(|b| *b == b'/').next()?;
    std::str::from_utf8(digits).ok()?.trim_end_matches('.').parse().ok()
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
    }

    #[test]
    fn err_lock() {
        for line in ["lock(&x);", "){", "({", "", "f(a){"] {
            let found = lock(line.as_bytes());
            assert!(found.is_none() || line == "f(a){", "{line}: {found:?}");
        }
    }

    #[test]
    fn ok_holder() {
        assert_eq!(holder(b"2 locks held by swapper/0/1:"), Some(1));
        assert_eq!(holder(b"1 lock held by khungtaskd/41:"), Some(41));
        assert_eq!(holder(b"no locks held by syz/99."), Some(99));
        assert_eq!(holder(b"held"), None);
    }
}
