//! What went wrong, in the few words that a bug keeps from kernel to kernel.

use crate::kind::Kind;
use crate::model::{AddressClass, Report};
use crate::named::named;
use crate::words;

named! {
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
        /// A lock that is no lock: mostly one in memory that was freed.
        BrokenLock = "broken-lock",
        /// RCU used wrongly.
        Rcu = "rcu",
        /// A wait where none is allowed.
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

/// Functions that notice what went wrong, and what that is: `WARNING in refcount_warn_saturate` and
/// a refcount bug are one.
const REPORTERS: &[(&str, Family)] = &[
    ("__list_", Family::List),
    ("refcount_", Family::Refcount),
    ("__refcount_", Family::Refcount),
];

/// The family of a report, whose innermost function that only reports is `reporter`.
pub(super) fn family(report: &Report<'_>, reporter: Option<&str>) -> Family {
    let by_reporter = reporter.and_then(|name| {
        REPORTERS.iter().find(|(start, _)| name.starts_with(start)).map(|(_, family)| *family)
    });
    let title = report.title.as_bytes();
    let says = |word: &str| words::has(title, word);
    match report.kind {
        Kind::Kasan | Kind::Kfence | Kind::Kmsan | Kind::Slab => memory(&says),
        Kind::NullDereference => Family::NullDereference,
        Kind::GeneralProtectionFault | Kind::PageFault | Kind::UnhandledFault => {
            if is_null(report) { Family::NullDereference } else { Family::BadAccess }
        }
        Kind::Warning | Kind::KernelBug | Kind::InvalidOpcode => by_reporter
            .unwrap_or(if report.kind == Kind::Warning { Family::Warning } else { Family::Bug }),
        Kind::ListCorruption => Family::List,
        Kind::Refcount => Family::Refcount,
        Kind::DivideError | Kind::Ubsan => Family::Arithmetic,
        Kind::MemoryLeak => Family::MemoryLeak,
        Kind::Kcsan => Family::Race,
        // look_up_lock_class() and spin_bug() find no lock where there should be one.
        Kind::LockBug if says("locking bug") || says("bad magic") => Family::BrokenLock,
        Kind::Deadlock | Kind::LockBug => Family::Locking,
        Kind::RcuUsage => Family::Rcu,
        Kind::AtomicSleep | Kind::Preemptible => Family::Atomic,
        Kind::HungTask => Family::Hang,
        Kind::SoftLockup | Kind::HardLockup | Kind::RcuStall | Kind::WorkqueueLockup => {
            Family::Stall
        }
        Kind::StackOverflow | Kind::DoubleFault => Family::Stack,
        Kind::Panic => Family::Panic,
        _ => Family::Other,
    }
}

/// What a checker of memory found, by its own words.
fn memory(says: &dyn Fn(&str) -> bool) -> Family {
    const WORDS: &[(&str, Family)] = &[
        ("use-after-free", Family::UseAfterFree),
        ("Poison overwritten", Family::UseAfterFree),
        ("double-free", Family::BadFree),
        ("invalid-free", Family::BadFree),
        ("invalid free", Family::BadFree),
        ("already free", Family::BadFree),
        ("null-ptr-deref", Family::NullDereference),
        ("out-of-bounds", Family::OutOfBounds),
        ("Redzone overwritten", Family::OutOfBounds),
        ("memory corruption", Family::OutOfBounds),
        ("infoleak", Family::Leak),
        ("uninit", Family::Uninitialized),
    ];
    WORDS.iter().find(|(word, _)| says(word)).map_or(Family::BadAccess, |(_, family)| *family)
}

/// Whether a fault was that of a NULL pointer, although its headline does not say so.
fn is_null(report: &Report<'_>) -> bool {
    let explained = report.explanation.as_ref().and_then(|meant| meant.address_class);
    explained == Some(AddressClass::Null) || super::facts::facts(report).null_offset.is_some()
}

/// Whether a task waits for a lock in reports of this kind.
pub(super) fn waits(kind: Kind) -> bool {
    matches!(kind, Kind::HungTask)
}
