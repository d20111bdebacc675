//! The class of the bug in a report, for comparing and sorting reports.

use super::types::BugType;
use crate::search;
use crate::string_enum::string_enum;

string_enum! {
    /// What went wrong, in the few words that a bug keeps from kernel to kernel.
    pub enum Family {
        /// Memory was used after it was freed.
        UseAfterFree = "use-after-free",
        /// Memory beside an object was used.
        OutOfBounds = "out-of-bounds",
        /// Memory was freed twice, or that was not allocated.
        BadFree = "bad-free",
        /// A NULL pointer was followed.
        NullDereference = "null-dereference",
        /// A pointer to nowhere was followed.
        BadAccess = "bad-access",
        /// A list was found broken.
        List = "list",
        /// A count of references was found wrong.
        Refcount = "refcount",
        /// A `WARN`.
        Warning = "warning",
        /// A `BUG`.
        Bug = "bug",
        /// A value that was never written was used.
        Uninitialized = "uninitialized",
        /// Memory of the kernel was given away.
        Leak = "info-leak",
        /// Memory that nobody points to any more.
        MemoryLeak = "memory-leak",
        /// Two accesses at the same time.
        Race = "data-race",
        /// Arithmetic: a division by zero, a shift, an index.
        Arithmetic = "arithmetic",
        /// Locks that can block each other, or are used wrongly.
        Locking = "locking",
        /// An invalid lock object, mostly in freed memory.
        BrokenLock = "broken-lock",
        /// RCU used wrongly.
        Rcu = "rcu",
        /// A sleep in atomic context.
        Atomic = "atomic",
        /// A task that makes no progress.
        Hang = "hang",
        /// A CPU that makes no progress.
        Stall = "stall",
        /// A stack that is full or broken.
        Stack = "stack",
        /// The kernel gave up.
        Panic = "panic",
        /// Anything else.
        Other = "other",
    }
}

/// How the family of a report is found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FamilyRule {
    /// This one.
    Is(Family),
    /// By the address of a fault: a null dereference or a bad access.
    ByAddress,
    /// By the function that noticed it, such as `refcount_warn_saturate`; this one for others.
    ByReporter(Family),
}

/// The symptom of a bug, stable across runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Symptom {
    /// Memory that should not have been touched.
    Access,
    /// No progress, or no connection: whatever the cause is.
    Hang,
    /// Locks.
    Lock,
    Warning,
    Leak,
    Other,
}

/// The bug type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Class {
    /// The type in the output, and its impact.
    pub(crate) bug_type: BugType,
    /// The family, a part of the signature.
    pub(crate) family: FamilyRule,
    /// The symptom by which bisections compare crashes.
    pub(crate) symptom: Symptom,
}

/// A class; see its fields.
pub(super) const fn class(bug_type: BugType, family: FamilyRule, symptom: Symptom) -> Class {
    Class { bug_type, family, symptom }
}

/// The same for all titles of a format.
pub(super) const fn always(bug_type: BugType, family: FamilyRule, symptom: Symptom) -> Classes {
    Classes::Always(class(bug_type, family, symptom))
}

/// The classes of the reports of a format.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Classes {
    /// One for all.
    Always(Class),
    /// By the title, which captures are part of: the first pattern that fits, the class beside the
    /// list where none does. A pattern is how a title begins; what follows a `*` may stand anywhere
    /// behind that.
    ByTitle(&'static [(&'static str, Class)], Class),
}

impl Classes {
    /// The class of the report with this title.
    pub(super) fn of(&self, title: &str) -> Class {
        match self {
            Self::Always(class) => *class,
            Self::ByTitle(rows, other) => row(rows, title).map_or(*other, |(_, class)| *class),
        }
    }

    /// The class of a title that may be one of `template`, and how many bytes of it tell so.
    pub(super) fn of_any(&self, template: &str, title: &str) -> Option<(usize, Class)> {
        let begin = template.split('{').next().unwrap_or_default();
        if !title.starts_with(begin) {
            return None;
        }
        let (class, more) = match self {
            Self::Always(class) => (class, ""),
            Self::ByTitle(rows, other) => {
                row(rows, title).map_or((other, ""), |(pattern, class)| (class, *pattern))
            }
        };
        let more = more.find('*').unwrap_or(more.len());
        Some((begin.len().max(more), *class))
    }
}

/// The first row whose pattern fits.
fn row(
    rows: &'static [(&'static str, Class)],
    title: &str,
) -> Option<&'static (&'static str, Class)> {
    rows.iter().find(|(pattern, _)| fits(pattern, title))
}

/// Whether a title begins with a pattern of [`Classes::ByTitle`].
fn fits(pattern: &str, title: &str) -> bool {
    let star = memchr::memchr(b'*', pattern.as_bytes());
    let Some((begin, rest)) = star.and_then(|_| pattern.split_once('*')) else {
        return title.starts_with(pattern);
    };
    title.strip_prefix(begin).is_some_and(|tail| search::has(tail.as_bytes(), rest))
}

#[cfg(test)]
mod tests {
    use super::super::types::{KASAN_READ, KASAN_UNKNOWN, UNTYPED};
    use super::*;

    #[test]
    fn the_first_pattern_that_fits_gives_the_class() {
        const READ: Class = class(KASAN_READ, FamilyRule::ByAddress, Symptom::Access);
        const FREE: Class = class(KASAN_UNKNOWN, FamilyRule::Is(Family::BadFree), Symptom::Other);
        const REST: Class = class(UNTYPED, FamilyRule::Is(Family::Other), Symptom::Other);
        let classes = Classes::ByTitle(&[("a: b", READ), ("a: *free", FREE)], REST);
        assert_eq!(classes.of("a: b free"), READ);
        assert_eq!(classes.of("a: double-free in f"), FREE);
        assert_eq!(classes.of("a: c"), REST);
        assert_eq!(classes.of_any("a: {1}", "a: b free"), Some((4, READ)));
        assert_eq!(classes.of_any("a: {1}", "a: double-free in f"), Some((3, FREE)));
        assert_eq!(classes.of_any("a: {1}", "a: c"), Some((3, REST)));
        assert_eq!(classes.of_any("a: {1}", "x"), None);
        assert_eq!(Classes::Always(REST).of_any("a: {1} b", "a: x"), Some((3, REST)));
    }
}
