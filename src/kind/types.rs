//! Bug types: the names by which dashboards sort and filter, and their severity.
//!
//! Names and order are those of syzkaller's `pkg/report/crash` and `impact_score.go`.

/// A type of bug.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct BugType {
    /// The name in the output; empty if the convention has none.
    pub(crate) name: &'static str,
    /// The index in [`ORDER`]: 0 is the worst. `None` if the type is not in the order.
    pub(crate) rank: Option<u8>,
}

impl BugType {
    /// The name in the output, if the convention has one.
    pub(crate) fn in_output(self) -> Option<&'static str> {
        Some(self.name).filter(|name| !name.is_empty())
    }
}

macro_rules! types {
    ($( $(#[doc = $doc:literal])* $const:ident = $name:literal, $rank:expr; )+) => {
        $( $(#[doc = $doc])* pub(crate) const $const: BugType = BugType { name: $name, rank: $rank }; )+

        /// All types, the worst first. Of types with the same rank the first gives the name in
        /// [`ORDER`].
        pub(crate) const TYPES: &[BugType] = &[$( $const, )+];
    };
}

types! {
    KASAN_INVALID_FREE = "KASAN-INVALID-FREE", Some(0);
    KFENCE_INVALID_FREE = "KFENCE-INVALID-FREE", Some(1);
    KASAN_USE_AFTER_FREE_WRITE = "KASAN-USE-AFTER-FREE-WRITE", Some(2);
    // KFENCE distinguishes reads and writes as KASAN does; the rank order lists only some of these.
    KFENCE_USE_AFTER_FREE_WRITE = "KFENCE-USE-AFTER-FREE-WRITE", Some(2);
    KASAN_WRITE = "KASAN-WRITE", Some(3);
    KFENCE_WRITE = "KFENCE-WRITE", Some(3);
    KFENCE_MEMORY_CORRUPTION = "KFENCE-MEMORY-CORRUPTION", Some(4);
    KASAN_USE_AFTER_FREE_READ = "KASAN-USE-AFTER-FREE-READ", Some(5);
    KFENCE_USE_AFTER_FREE_READ = "KFENCE-USE-AFTER-FREE-READ", Some(5);
    KMSAN_USE_AFTER_FREE_READ = "KMSAN-USE-AFTER-FREE-READ", Some(6);
    KASAN_READ = "KASAN-READ", Some(7);
    KFENCE_READ = "KFENCE-READ", Some(8);
    MEMORY_SAFETY_UBSAN = "MEMORY_SAFETY_UBSAN", Some(9);
    KCSAN_ASSERT = "KCSAN-ASSERT", Some(10);
    REFCOUNT_WARNING = "REFCOUNT_WARNING", Some(11);
    KASAN_NULL_WRITE = "KASAN-NULL-POINTER-DEREFERENCE-WRITE", Some(12);
    KASAN_NULL_READ = "KASAN-NULL-POINTER-DEREFERENCE-READ", Some(13);
    NULL_DEREFERENCE = "NULL-POINTER-DEREFERENCE", Some(14);
    KMSAN_INFO_LEAK = "KMSAN-INFO-LEAK", Some(15);
    MEMORY_SAFETY_BUG = "MEMORY_SAFETY_BUG", Some(16);
    KMSAN_UNINIT_VALUE = "KMSAN-UNINIT-VALUE", Some(17);
    KCSAN_DATARACE = "KCSAN-DATARACE", Some(18);
    ATOMIC_SLEEP = "ATOMIC_SLEEP", Some(19);
    LOCKDEP = "LOCKDEP", Some(20);
    LEAK = "LEAK", Some(21);
    DOS = "DoS", Some(22);
    HANG = "HANG", Some(23);
    BUG = "BUG", None;
    // A type of this project: the convention has none for it.
    CFI = "CFI", None;
    KASAN_UNKNOWN = "KASAN-UNKNOWN", None;
    KCSAN_UNKNOWN = "KCSAN-UNKNOWN", None;
    KFENCE_UNKNOWN = "KFENCE-UNKNOWN", None;
    KMSAN_UNKNOWN = "KMSAN-UNKNOWN", None;
    REBOOT = "REBOOT", None;
    SYZ_FAILURE = "SYZ_FAILURE", None;
    UBSAN = "UBSAN", None;
    WARNING = "WARNING", None;
    #[doc = "A bug that the convention has no type for."]
    UNTYPED = "", None;
}

/// The number of ranks.
const RANKS: usize = 24;

/// The types in the order of their ranks, the worst first.
pub(crate) const ORDER: [&str; RANKS] = order();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn order() -> [&'static str; RANKS] {
    let mut order = [""; RANKS];
    let (mut types, mut next) = (TYPES, 0);
    while let [first, rest @ ..] = types {
        if let Some(rank) = first.rank
            && rank as usize == next
        {
            order[next] = first.name;
            next += 1;
        }
        types = rest;
    }
    assert!(next == RANKS, "a rank is missing, or the types are not in order");
    order
}

/// The rank of the type with this name in the output.
pub(crate) fn rank(name: &str) -> Option<u8> {
    TYPES.iter().find(|bug_type| bug_type.name == name)?.rank
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn types_are_unique_and_in_order() {
        let names: BTreeSet<_> = TYPES.iter().map(|bug_type| bug_type.name).collect();
        assert_eq!(names.len(), TYPES.len());
        assert!(TYPES.is_sorted_by_key(|bug_type| bug_type.rank.unwrap_or(u8::MAX)));
        assert_eq!((ORDER[0], ORDER[23]), ("KASAN-INVALID-FREE", "HANG"));
        assert_eq!((rank("KFENCE-WRITE"), rank("WARNING"), rank("?")), (Some(3), None, None));
    }
}
