//! `BUG:` and `kernel BUG`.

use super::super::class::FamilyRule::{ByAddress, ByReporter, Is};
use super::super::class::{Classes, Family as F, Symptom as S, always, class};
use super::super::pattern::Piece::{
    Addr, Any, Digits, Either, End, Func, Lit, Name, One, Rest, Token, Until, Words,
};
use super::super::types as t;
use super::super::{Consequence, Kind as K, Marker, Part, Recipe, Then, row};
use super::{BAD_ACCESS, CALLS, INVALID_FREE, POINTER, STACK_OVERFLOW, STALL};
use crate::functions::Skip;
use crate::syntax::{Says, Start};

/// `BUG: KASAN: kind in function`, whose function is a frame; then the call trace.
const KASAN: Recipe = Recipe::of(&[Part::Headline, Part::Calls, Part::Stack]);

/// The same for KFENCE, whose call trace has no headline.
const KFENCE: Recipe = Recipe::of(&[Part::Headline, Part::Stack]);

/// The use of the value, and its origin.
const KMSAN: Recipe = Recipe::of(&[Part::Stack, Part::Begins(Start::Created), Part::Stack]);

/// The allocation of the leaked memory.
const LEAK: Recipe = Recipe::of(&[Part::Begins(Start::Leak), Part::Stack]).skip(Skip::Leak);

/// The messages of `spin_bug()` and `rwlock_bug()`.
#[rustfmt::skip] // words
const SPIN_BUGS: &[&str] = &[
    "lockup suspected", "already unlocked", "recursion", "bad magic", "wrong owner",
    "wrong CPU", "trylock failure on UP", "cpu recursion",
];

/// By the bug that KASAN found, and the access: `kasan_get_bug_type()` in mm/kasan/report_generic.c.
#[rustfmt::skip] // rows
const KASAN_CLASSES: Classes = Classes::ByTitle(&[
    ("KASAN: double-free or invalid-free", class(t::KASAN_INVALID_FREE, Is(F::BadFree), S::Access)),
    ("KASAN: global-out-of-bounds Read", class(t::KASAN_READ, Is(F::OutOfBounds), S::Access)),
    ("KASAN: global-out-of-bounds Write", class(t::KASAN_WRITE, Is(F::OutOfBounds), S::Access)),
    ("KASAN: invalid-access Read", class(t::KASAN_READ, Is(F::BadAccess), S::Access)),
    ("KASAN: invalid-free", class(t::KASAN_INVALID_FREE, Is(F::BadFree), S::Access)),
    ("KASAN: null-ptr-deref Read", class(t::KASAN_NULL_READ, Is(F::NullDereference), S::Access)),
    ("KASAN: null-ptr-deref Write", class(t::KASAN_NULL_WRITE, Is(F::NullDereference), S::Access)),
    ("KASAN: out-of-bounds Read", class(t::KASAN_READ, Is(F::OutOfBounds), S::Access)),
    ("KASAN: out-of-bounds Write", class(t::KASAN_WRITE, Is(F::OutOfBounds), S::Access)),
    ("KASAN: slab-out-of-bounds Write", class(t::KASAN_WRITE, Is(F::OutOfBounds), S::Access)),
    ("KASAN: slab-out-of-bounds", class(t::KASAN_READ, Is(F::OutOfBounds), S::Access)),
    ("KASAN: slab-use-after-free Read", class(t::KASAN_USE_AFTER_FREE_READ, Is(F::UseAfterFree), S::Access)),
    ("KASAN: slab-use-after-free Write", class(t::KASAN_USE_AFTER_FREE_WRITE, Is(F::UseAfterFree), S::Access)),
    ("KASAN: stack-out-of-bounds Write", class(t::KASAN_WRITE, Is(F::OutOfBounds), S::Access)),
    ("KASAN: stack-out-of-bounds", class(t::KASAN_READ, Is(F::OutOfBounds), S::Access)),
    ("KASAN: unknown-crash Read", class(t::KASAN_READ, Is(F::BadAccess), S::Access)),
    ("KASAN: use-after-free Write", class(t::KASAN_USE_AFTER_FREE_WRITE, Is(F::UseAfterFree), S::Access)),
    ("KASAN: use-after-free", class(t::KASAN_USE_AFTER_FREE_READ, Is(F::UseAfterFree), S::Access)),
    ("KASAN: user-memory-access Read", class(t::KASAN_READ, Is(F::BadAccess), S::Access)),
    ("KASAN: user-memory-access Write", class(t::KASAN_WRITE, Is(F::BadAccess), S::Access)),
    ("KASAN: vmalloc-out-of-bounds Read", class(t::KASAN_READ, Is(F::OutOfBounds), S::Access)),
    ("KASAN: vmalloc-out-of-bounds Write", class(t::KASAN_WRITE, Is(F::OutOfBounds), S::Access)),
    ("KASAN: wild-memory-access Write", class(t::KASAN_WRITE, Is(F::BadAccess), S::Access)),
    ("KASAN: wild-memory-access", class(t::KASAN_READ, Is(F::BadAccess), S::Access)),
    // The convention has no type for others, such as alloca-out-of-bounds.
    ("KASAN: *use-after-free", class(t::KASAN_UNKNOWN, Is(F::UseAfterFree), S::Access)),
    ("KASAN: *double-free", class(t::KASAN_UNKNOWN, Is(F::BadFree), S::Access)),
    ("KASAN: *invalid-free", class(t::KASAN_UNKNOWN, Is(F::BadFree), S::Access)),
    ("KASAN: *null-ptr-deref", class(t::KASAN_UNKNOWN, Is(F::NullDereference), S::Access)),
    ("KASAN: *out-of-bounds", class(t::KASAN_UNKNOWN, Is(F::OutOfBounds), S::Access)),
], class(t::KASAN_UNKNOWN, Is(F::BadAccess), S::Access));

/// By the bug type in the headline of `kmsan_report()`: mm/kmsan/report.c.
#[rustfmt::skip] // rows
const KMSAN_CLASSES: Classes = Classes::ByTitle(&[
    ("KMSAN: kernel-infoleak-after-free", class(t::KMSAN_USE_AFTER_FREE_READ, Is(F::Leak), S::Access)),
    ("KMSAN: kernel-infoleak", class(t::KMSAN_INFO_LEAK, Is(F::Leak), S::Access)),
    ("KMSAN: kernel-usb-infoleak-after-free", class(t::KMSAN_USE_AFTER_FREE_READ, Is(F::Leak), S::Access)),
    ("KMSAN: kernel-usb-infoleak", class(t::KMSAN_INFO_LEAK, Is(F::Leak), S::Access)),
    ("KMSAN: uninit-value", class(t::KMSAN_UNINIT_VALUE, Is(F::Uninitialized), S::Access)),
    ("KMSAN: use-after-free", class(t::KMSAN_USE_AFTER_FREE_READ, Is(F::UseAfterFree), S::Access)),
    ("KMSAN: *infoleak", class(t::KMSAN_UNKNOWN, Is(F::Leak), S::Access)),
], class(t::KMSAN_UNKNOWN, Is(F::BadAccess), S::Access));

/// By the headline of the race: `print_report()` in kernel/kcsan/report.c.
const KCSAN_CLASSES: Classes = Classes::ByTitle(
    &[
        ("KCSAN: assert: race in", class(t::KCSAN_ASSERT, Is(F::Race), S::Other)),
        ("KCSAN: data-race", class(t::KCSAN_DATARACE, Is(F::Race), S::Other)),
    ],
    class(t::KCSAN_UNKNOWN, Is(F::Race), S::Other),
);

/// By the bug that KFENCE found, and the access: `kfence_report_error()` in mm/kfence/report.c.
#[rustfmt::skip] // rows
const KFENCE_CLASSES: Classes = Classes::ByTitle(&[
    ("KFENCE: invalid read", class(t::KFENCE_READ, Is(F::BadAccess), S::Access)),
    ("KFENCE: invalid write", class(t::KFENCE_WRITE, Is(F::BadAccess), S::Access)),
    ("KFENCE: out-of-bounds write", class(t::KFENCE_WRITE, Is(F::OutOfBounds), S::Access)),
    ("KFENCE: out-of-bounds", class(t::KFENCE_READ, Is(F::OutOfBounds), S::Access)),
    ("KFENCE: use-after-free write", class(t::KFENCE_USE_AFTER_FREE_WRITE, Is(F::UseAfterFree), S::Access)),
    ("KFENCE: use-after-free", class(t::KFENCE_USE_AFTER_FREE_READ, Is(F::UseAfterFree), S::Access)),
], class(t::KFENCE_UNKNOWN, Is(F::BadAccess), S::Access));

/// By the failed check: a lock without its magic number is not initialized, or was overwritten.
const SPINLOCK_CLASSES: Classes = Classes::ByTitle(
    &[("BUG: spinlock bad magic", class(t::LOCKDEP, Is(F::BrokenLock), S::Lock))],
    class(t::LOCKDEP, Is(F::Locking), S::Lock),
);
const RWLOCK_CLASSES: Classes = Classes::ByTitle(
    &[("BUG: rwlock bad magic", class(t::LOCKDEP, Is(F::BrokenLock), S::Other))],
    class(t::LOCKDEP, Is(F::Locking), S::Other),
);

/// By the part of the object that was overwritten.
const SLAB_CLASSES: Classes = Classes::ByTitle(
    &[
        ("BUG: Poison overwritten", class(t::UNTYPED, Is(F::UseAfterFree), S::Other)),
        ("BUG: *Redzone overwritten", class(t::UNTYPED, Is(F::OutOfBounds), S::Other)),
    ],
    class(t::UNTYPED, Is(F::BadAccess), S::Other),
);

/// By the message after `BUG kmalloc-…`.
#[rustfmt::skip] // rows
const KMALLOC_CLASSES: Classes = Classes::ByTitle(&[
    ("BUG kmalloc-*Poison overwritten", class(t::UNTYPED, Is(F::UseAfterFree), S::Other)),
    ("BUG kmalloc-*Redzone overwritten", class(t::UNTYPED, Is(F::OutOfBounds), S::Other)),
], class(t::UNTYPED, Is(F::BadAccess), S::Other));

/// Of headlines that match none of the formats below, most often because they were cut.
#[rustfmt::skip] // rows
const OTHER_BUGS: Classes = Classes::ByTitle(&[
    ("BUG: KASAN", class(t::UNTYPED, Is(F::Other), S::Access)),
    ("BUG: KFENCE", class(t::UNTYPED, Is(F::Other), S::Access)),
    ("BUG: KMSAN", class(t::UNTYPED, Is(F::Other), S::Access)),
    ("BUG: bad unlock balance", class(t::UNTYPED, Is(F::Other), S::Lock)),
    ("BUG: rwlock", class(t::LOCKDEP, Is(F::Other), S::Other)),
    ("BUG: spinlock", class(t::LOCKDEP, Is(F::Other), S::Lock)),
    ("BUG: unable to handle", class(t::UNTYPED, Is(F::Other), S::Access)),
    ("BUG: using", class(t::LOCKDEP, Is(F::Other), S::Other)),
], class(t::UNTYPED, Is(F::Other), S::Other));

#[rustfmt::skip] // rows
pub(super) const BUG: Marker = Marker {
    text: "BUG:",
    anchor: "BUG:",
    unless: &[
        &["ODEBUG:"], &["Boot_DEBUG:"], &["xlog_status:"], &["DEBUG:"],
        &["BUG: no syscalls can create resource"],
        // arm and arm64 pass a BUG() to die(): `Internal error: Oops - BUG: 0 [#1]`, then
        // `Kernel panic - not syncing: Oops - BUG: Fatal exception`.
        &["Internal error: Oops - BUG:"], &["Kernel panic - not syncing: Oops - BUG:"],
    ],
    consequence: &[],
    kind: K::Bug,
    other: OTHER_BUGS,
    formats: &[
        row(K::Kasan, KASAN_CLASSES,
            &[Lit("BUG: KASAN:")], "KASAN: {1} {3} in {F}")
            .body(&[
                Lit("BUG: KASAN: "), Words, Lit(" in "), Addr, Func])
            .then(&[Then::Access])
            .frames(KASAN.skip(Skip::TagFault))
            .alt(BAD_ACCESS),
        row(K::Kasan, always(t::KASAN_INVALID_FREE, Is(F::BadFree), S::Access),
            &[Lit("BUG: KASAN:")], "KASAN: invalid-free in {F}")
            .body(&[
                Lit("BUG: KASAN: "),
                One(&["double-free or invalid-free", "double-free", "invalid-free"]),
                Lit(" in "), Addr, Func,
            ])
            .frames(KASAN.skip(Skip::Free))
            .alt(INVALID_FREE),
        row(K::Kasan, KASAN_CLASSES, &[
            Lit("BUG: KASAN: "), Words, Lit(" on address")], "KASAN: {1} {2}")
            .then(&[Then::SizedAccess]),
        row(K::Kasan, KASAN_CLASSES,
            &[Lit("BUG: KASAN: "), Rest], "KASAN: {1}").partial(),
        row(K::Kmsan, always(t::KMSAN_INFO_LEAK, Is(F::Leak), S::Access),
            &[Lit("BUG: KMSAN: kernel-usb-infoleak in "), Addr, Func],
            "KMSAN: kernel-usb-infoleak in {F}")
            .frames(KMSAN.skip(Skip::SkbAlloc).skip(Skip::Usb))
            .alt(&["KMSAN origin in {F2}"])
            .stackless(),
        row(K::Kmsan, KMSAN_CLASSES,
            &[Lit("BUG: KMSAN: "), Words, Lit(" in "), Addr, Func], "KMSAN: {1} in {F}")
            .frames(KMSAN.skip(Skip::SkbAlloc).skip(Skip::Uninit))
            .alt(BAD_ACCESS)
            .stackless(),
        row(K::Kcsan, KCSAN_CLASSES,
            &[Lit("BUG: KCSAN: data-race")], "KCSAN: {1}")
            .body(&[Lit("BUG: KCSAN: "), Rest])
            .stackless(),
        row(K::Kcsan, KCSAN_CLASSES,
            &[Lit("BUG: KCSAN: "), Rest], "KCSAN: {1}").stackless(),
        row(K::Kfence, KFENCE_CLASSES, &[
            Lit("BUG: KFENCE: "), One(&["use-after-free", "out-of-bounds"]), Lit(" "),
            One(&["read", "write"]), Lit(" in "), Addr, Func,
        ], "KFENCE: {1} {2} in {F}")
            .frames(KFENCE)
            .alt(BAD_ACCESS)
            .bare_stack(),
        row(K::Kfence, always(t::KFENCE_INVALID_FREE, Is(F::BadFree), S::Access),
            &[Lit("BUG: KFENCE: invalid free in "), Addr, Func],
            "KFENCE: invalid free in {F}")
            .frames(KFENCE)
            .alt(INVALID_FREE)
            .stackless(),
        row(K::Kfence, KFENCE_CLASSES,
            &[Lit("BUG: KFENCE: invalid "), One(&["read", "write"]), Lit(" in "), Addr, Func],
            "KFENCE: invalid {1} in {F}")
            .frames(KFENCE)
            .alt(BAD_ACCESS)
            .bare_stack(),
        row(K::Kfence, always(t::KFENCE_MEMORY_CORRUPTION, Is(F::OutOfBounds), S::Access),
            &[Lit("BUG: KFENCE: memory corruption in "), Addr, Func],
            "KFENCE: memory corruption in {F}")
            .frames(KFENCE)
            .stackless(),
        row(K::PageFault, always(t::MEMORY_SAFETY_BUG, ByAddress, S::Access),
            &[Lit("BUG: "), One(&[
            "unable to handle kernel paging request",
            "unable to handle page fault for address",
            "Unable to handle kernel data access",
        ])], "BUG: unable to handle kernel paging request in {F}")
            .frames(POINTER)
            .alt(BAD_ACCESS)
            .trap(),
        row(K::NullDereference, always(t::NULL_DEREFERENCE, Is(F::NullDereference), S::Access),
            &[Lit("BUG: "), One(&[
            "unable to handle kernel NULL pointer dereference",
            "kernel NULL pointer dereference",
            "Kernel NULL pointer dereference",
        ])], "BUG: unable to handle kernel NULL pointer dereference in {F}")
            .frames(POINTER)
            .alt(BAD_ACCESS)
            .trap(),
        // powerpc: bad_page_fault() in arch/powerpc/mm/fault.c.
        row(K::PageFault, always(t::MEMORY_SAFETY_BUG, ByAddress, S::Access),
            &[Lit("BUG: Unable to handle kernel "), Either(&[
            "instruction fetch", "unaligned access",
        ])], "BUG: unable to handle kernel paging request in {F}")
            .frames(POINTER)
            .alt(BAD_ACCESS)
            .trap(),
        // The console lost the second half of the line.
        row(K::PageFault, always(t::UNTYPED, ByAddress, S::Access),
            &[Lit("BUG: "), One(&["unable", "Unable"]), Lit(" to handle kernel")],
            "BUG: unable to handle kernel")
            .partial(),
        // kernel/locking/spinlock_debug.c.
        row(K::LockBug, SPINLOCK_CLASSES, &[Lit("BUG: spinlock "), One(SPIN_BUGS)],
            "BUG: spinlock {1} in {F}")
            .frames(CALLS.skip(Skip::Spinlock)),
        row(K::LockBug, RWLOCK_CLASSES, &[Lit("BUG: rwlock "), One(SPIN_BUGS)],
            "BUG: rwlock {1} in {F}")
            .frames(CALLS.skip(Skip::Spinlock)),
        row(K::SoftLockup, always(t::HANG, Is(F::Stall), S::Hang),
            &[Lit("BUG: soft lockup")], "BUG: soft lockup in {F}")
            .frames(POINTER.stall())
            .alt(STALL)
            .trap(),
        row(K::LockBug, always(t::LOCKDEP, Is(F::Locking), S::Other),
            &[Lit("BUG: "), Any, Lit("still has locks held!")],
            "BUG: still has locks held in {1}")
            .then(&[Then::Name(Says::ADDRESSED)]),
        row(K::AtomicSleep, always(t::ATOMIC_SLEEP, Is(F::Atomic), S::Other),
            &[Lit("BUG: scheduling while atomic")],
            "BUG: scheduling while atomic in {F}")
            .frames(CALLS.skip(Skip::Schedule)),
        row(K::LockBug, always(t::UNTYPED, Is(F::Locking), S::Lock),
            &[Lit("BUG: lock held when returning to user space")],
            "BUG: lock held when returning to user space in {1}")
            .then(&[Then::Says(Says::LEAVING), Then::Name(Says::AT)])
            .stackless(),
        row(K::LockBug, always(t::LOCKDEP, Is(F::Locking), S::Lock),
            &[Lit("BUG: bad unlock balance detected!")],
            "BUG: bad unlock balance in {F}")
            .frames(Recipe::of(&[Part::Function(Says::ADDRESSED), Part::Calls, Part::Stack])),
        row(K::LockBug, always(t::LOCKDEP, Is(F::Locking), S::Other),
            &[Lit("BUG: held lock freed!")], "BUG: held lock freed in {1}")
            .then(&[Then::Name(Says::ADDRESSED)]),
        row(K::Bug, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("BUG: Bad rss-counter state")], "BUG: Bad rss-counter state").stackless(),
        row(K::Bug, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("BUG: non-zero nr_ptes on freeing mm")],
            "BUG: non-zero nr_ptes on freeing mm").stackless(),
        row(K::Bug, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("BUG: non-zero nr_pmds on freeing mm")],
            "BUG: non-zero nr_pmds on freeing mm").stackless(),
        row(K::Bug, always(t::UNTYPED, Is(F::Other), S::Other), &[
            Lit("BUG: Dentry "), Any, Lit("still in use ("), Digits, Lit(") [unmount of "), Until("]"),
        ], "BUG: Dentry still in use in unmount")
            .alt(&["BUG: Dentry still in use [unmount of {1}]"]),
        row(K::BadPage, always(t::UNTYPED, Is(F::Other), S::Access),
            &[Lit("BUG: Bad page "), One(&["state", "cache"])], "BUG: Bad page {1} in {F}")
            .frames(Recipe::of(&[Part::Line(Says::LAST_ALLOCATED), Part::Stack])
                .or(CALLS.parts)
                .skip(Skip::BadPage)),
        row(K::BadPage, always(t::UNTYPED, Is(F::Other), S::Access),
            &[Lit("BUG: Bad page map")], "BUG: Bad page map"),
        row(K::WorkqueueLockup, always(t::UNTYPED, Is(F::Stall), S::Other),
            &[Lit("BUG: workqueue lockup")], "BUG: workqueue lockup").stackless(),
        row(K::AtomicSleep, always(t::ATOMIC_SLEEP, Is(F::Atomic), S::Other),
            &[Lit("BUG: sleeping function called from invalid context at ")],
            "BUG: sleeping function called from invalid context in {F}")
            .frames(CALLS),
        row(K::Preemptible, always(t::LOCKDEP, Is(F::Atomic), S::Other),
            &[Lit("BUG: using "), Name, Lit("() in preemptible")],
            "BUG: using {1}() in preemptible code in {F}")
            .frames(CALLS.skip(Skip::Preemption)),
        row(K::LockBug, always(t::UNTYPED, Is(F::Locking), S::Other),
            &[Lit("BUG: workqueue leaked lock or atomic")],
            "BUG: workqueue leaked lock or atomic in {1}")
            .then(&[Then::Name(Says::LAST_FUNCTION)])
            .stackless(),
        row(K::LockBug, always(t::UNTYPED, Is(F::Locking), S::Lock),
            &[Lit("BUG: workqueue leaked atomic, lock or RCU")],
            "BUG: workqueue leaked atomic, lock or RCU in {1}")
            .then(&[Then::Name(Says::LAST_FUNCTION)])
            .stackless(),
        row(K::MemoryLeak, always(t::LEAK, Is(F::MemoryLeak), S::Leak),
            &[Lit("BUG: memory leak")], "memory leak in {F}")
            .frames(LEAK),
        row(K::StackOverflow, always(t::UNTYPED, Is(F::Stack), S::Other),
            &[Lit("BUG: "), Any, Lit("stack guard page was hit at")],
            "BUG: stack guard page was hit in {F}")
            .frames(POINTER.stall())
            .alt(STACK_OVERFLOW)
            .trap(),
        row(K::LockBug, always(t::LOCKDEP, Is(F::BrokenLock), S::Lock),
            &[Lit("BUG: Invalid wait context")], "WARNING: locking bug in {F}")
            .frames(CALLS.skip(Skip::SocketLock)),
        row(K::Bug, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("BUG:"), End], "BUG: corrupted").partial(),
    ],
};

#[rustfmt::skip] // rows
pub(super) const KERNEL_BUG: Marker = Marker {
    text: "kernel BUG ",
    anchor: "BUG ",
    unless: &[],
    consequence: &[
        Consequence::within("fs/dcache.c").after("BUG: Dentry "),
        // A panic of Rust code ends in a BUG().
        Consequence::within("kernel BUG at").after("rust_kernel: panicked"),
    ],
    kind: K::KernelBug,
    other: always(t::BUG, ByReporter(F::Bug), S::Other),
    formats: &[
        row(K::Usercopy, always(t::BUG, Is(F::Other), S::Other),
            &[Lit("kernel BUG at mm/usercopy.c")], "BUG: bad usercopy in {F}")
            .frames(CALLS.skip(Skip::Usercopy))
            .trap(),
        row(K::ListCorruption, always(t::MEMORY_SAFETY_BUG, Is(F::List), S::Access),
            &[Lit("kernel BUG at lib/list_debug.c")], "BUG: corrupted list in {F}")
            .frames(CALLS)
            .alt(BAD_ACCESS)
            .trap(),
        row(K::KernelBug, always(t::BUG, ByReporter(F::Bug), S::Other),
            &[Lit("kernel BUG at "), Rest], "kernel BUG in {F}")
            .frames(POINTER.skip(Skip::Skb))
            .trap(),
    ],
};

pub(super) const KERNEL_BUG_REST: Marker = Marker {
    text: "Kernel BUG ",
    anchor: "BUG ",
    unless: &[],
    consequence: &[
        // riscv: do_trap_break() passes a failed check to die() as a BUG().
        Consequence::own("Kernel BUG [#"),
    ],
    kind: K::KernelBug,
    other: always(t::UNTYPED, ByReporter(F::Bug), S::Other),
    formats: &[row(
        K::KernelBug,
        always(t::BUG, ByReporter(F::Bug), S::Other),
        &[Lit("Kernel BUG "), Rest],
        "kernel BUG {1}",
    )],
};

/// `print_unreferenced()` in mm/kmemleak.c: the text of /sys/kernel/debug/kmemleak.
pub(super) const UNREFERENCED: Marker = Marker {
    text: "unreferenced object 0x",
    anchor: " object 0x",
    unless: &[],
    consequence: &[Consequence::own("unreferenced object").after("BUG: memory leak")],
    kind: K::MemoryLeak,
    other: always(t::UNTYPED, Is(F::MemoryLeak), S::Other),
    formats: &[row(
        K::MemoryLeak,
        always(t::LEAK, Is(F::MemoryLeak), S::Leak),
        &[Lit("unreferenced object 0x")],
        "memory leak in {F}",
    )
    .frames(LEAK)],
};

/// `slab_bug()` in mm/slub.c: an object that was written after it was freed, or beyond its end.
pub(super) const OVERWRITTEN: Marker = Marker {
    text: " overwritten",
    anchor: "BUG ",
    unless: &[],
    consequence: &[],
    kind: K::Slab,
    other: always(t::UNTYPED, Is(F::BadAccess), S::Other),
    formats: &[row(
        K::Slab,
        SLAB_CLASSES,
        &[
            Lit("BUG "),
            Token,
            Lit(" ("),
            Any,
            Lit("): "),
            One(&[
                "Poison",
                "Redzone",
                "Left Redzone",
                "Right Redzone",
                "kmalloc Redzone",
                "Padding",
                "Object padding",
            ]),
            Lit(" overwritten"),
        ],
        "BUG: {1} overwritten",
    )
    .stackless()],
};

pub(super) const KMALLOC: Marker = Marker {
    text: "BUG kmalloc-",
    anchor: "BUG ",
    unless: &[],
    consequence: &[],
    kind: K::Slab,
    other: KMALLOC_CLASSES,
    formats: &[row(
        K::Slab,
        always(t::DOS, Is(F::BadFree), S::Other),
        &[Lit("BUG kmalloc-"), Any, Lit(": Object already free")],
        "BUG: Object already free",
    )],
};
