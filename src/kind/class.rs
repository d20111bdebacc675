//! The class of the bug in a report, by which reports are compared and sorted.

use super::types::BugType;
use crate::search;
use crate::string_enum::string_enum;

string_enum! {
    /// The kind of the fault, in a few words that do not change between kernel versions.
    pub enum Family {
        /// Memory was used after it was freed.
        UseAfterFree = "use-after-free",
        /// Memory beside an object was accessed.
        OutOfBounds = "out-of-bounds",
        /// Memory was freed twice, or was not allocated when it was freed.
        BadFree = "bad-free",
        /// A NULL pointer was dereferenced.
        NullDereference = "null-dereference",
        /// An invalid pointer was dereferenced.
        BadAccess = "bad-access",
        /// A corrupted list was found.
        List = "list",
        /// A reference count was wrong.
        Refcount = "refcount",
        /// A `WARN`.
        Warning = "warning",
        /// A `BUG`.
        Bug = "bug",
        /// A value that was not initialized was used.
        Uninitialized = "uninitialized",
        /// Kernel memory was copied to user space.
        Leak = "info-leak",
        /// Memory without a reference to it.
        MemoryLeak = "memory-leak",
        /// Two accesses at the same time.
        Race = "data-race",
        /// Arithmetic: a division by zero, a shift, an index.
        Arithmetic = "arithmetic",
        /// Locks that can block each other, or are misused.
        Locking = "locking",
        /// An invalid lock object, mostly in freed memory.
        BrokenLock = "broken-lock",
        /// RCU was misused.
        Rcu = "rcu",
        /// A sleep in atomic context.
        Atomic = "atomic",
        /// A task that makes no progress.
        Hang = "hang",
        /// A CPU that makes no progress.
        Stall = "stall",
        /// A stack that is full or corrupted.
        Stack = "stack",
        /// The kernel panicked.
        Panic = "panic",
        /// Any other bug.
        Other = "other",
    }
}

/// The rule that determines the family of a report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FamilyRule {
    /// This family.
    Is(Family),
    /// By the address of a fault: a null dereference or a bad access.
    ByAddress,
    /// By the function that detected the bug, such as `refcount_warn_saturate`; this family for
    /// others.
    ByReporter(Family),
}

/// The symptom of a bug, stable across runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Symptom {
    /// An invalid memory access.
    Access,
    /// No progress, or no connection, for any cause.
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

/// One class for all titles of a format.
pub(super) const fn always(bug_type: BugType, family: FamilyRule, symptom: Symptom) -> Classes {
    Classes::Always(class(bug_type, family, symptom))
}

/// The classes of the reports of a format.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Classes {
    /// One for all.
    Always(Class),
    /// By the title, which includes the captures: the first pattern that matches, or the class
    /// beside the list. A pattern is the start of a title; the text behind a `*` may be anywhere
    /// after that.
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

    /// Returns the class of a title that may be one of `template`, and the number of bytes of the
    /// title that determine it.
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

/// Returns the first row whose pattern matches.
fn row(
    rows: &'static [(&'static str, Class)],
    title: &str,
) -> Option<&'static (&'static str, Class)> {
    rows.iter().find(|(pattern, _)| fits(pattern, title))
}

/// Returns whether a title matches a pattern of [`Classes::ByTitle`].
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
    fn the_first_matching_pattern_decides_the_class() {
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
