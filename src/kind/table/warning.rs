//! `WARNING:`.

use super::super::class::FamilyRule::{ByReporter, Is};
use super::super::class::{Classes, Family as F, Symptom as S, always, class};
use super::super::pattern::Piece::{
    Any, Digits, End, Func, Hex, Lit, Name, One, Source, Token, Until,
};
use super::super::types as t;
use super::super::{Consequence, Kind as K, Marker, Part, Recipe, Then, row};
use super::{CALLS, WARN};
use crate::functions::Skip;
use crate::syntax::{Says, Start};

/// Of headlines that match none of the formats below.
#[rustfmt::skip] // rows
const OTHER_WARNINGS: Classes = Classes::ByTitle(&[
    ("WARNING: bad unlock balance", class(t::WARNING, ByReporter(F::Warning), S::Lock)),
    ("WARNING: inconsistent lock state", class(t::WARNING, ByReporter(F::Warning), S::Lock)),
    ("WARNING: lock held", class(t::LOCKDEP, ByReporter(F::Warning), S::Lock)),
    ("WARNING: suspicious RCU usage", class(t::WARNING, ByReporter(F::Warning), S::Lock)),
], class(t::WARNING, ByReporter(F::Warning), S::Warning));

#[rustfmt::skip] // rows
pub(super) const WARNING: Marker = Marker {
    text: "WARNING:",
    anchor: "NING",
    unless: &[
        // sshd, e2fsprogs and other programs; the hints to the administrator at boot.
        &["WARNING: /etc/ssh/moduli does not exist, using fixed modulus"],
        &["workqueue cpumask: online intersect > possible intersect"],
        &["he mand mount option"],
        &["Unsupported flag value(s) of 0x", " in DT_FLAGS_1"],
        &["Unprivileged eBPF is enabled with eIBRS"],
        &["fbcon: Driver '", "' missed to adjust virtual screen size ("],
        &["See https", "for mitigation options."],
        // arch/x86/kernel: cpu/mtrr/cleanup.c, process.c, apic/io_apic.c; init/main.c.
        &["WARNING: BIOS bug: "],
        &["WARNING: polling idle and HT enabled"],
        &["WARNING: bogus zero IO-APIC address"],
        &["WARNING: 'bootconfig' found on the kernel command line"],
        &["WARNING: Flushing system-wide workqueues"],
        &["kernel not compiled with CPU_SRSO"],
        &["EXT4-fs:"], &["EXT4-fs ("], &["EXT4-FS:"], &["EXT4-FS ("],
        // These two in either case: a fuzzer changes the names of its programs.
        &["uses deprecated v2 capabilities"], &["USES DEPRECATED V2 CAPABILITIES"],
        &["uses wireless extensions"], &["USES WIRELESS EXTENSIONS"],
        &["XFS (", "): WARNING"],
    ],
    consequence: &[
        // umount_check() in fs/dcache.c prints both.
        Consequence::within("fs/dcache.c").after("BUG: Dentry "),
        // report_cfi_failure() and similar functions warn if the kernel continues:
        // CONFIG_CFI_PERMISSIVE.
        Consequence::within("WARNING:").after("CFI failure "),
    ],
    kind: K::Warning,
    other: OTHER_WARNINGS,
    formats: &[
        row(K::Odebug, always(t::WARNING, Is(F::Other), S::Warning), &[
            Lit("WARNING: "), Any, Lit("lib/debugobjects.c"), Any,
            One(&[" debug_print", " debug_check", " at"]),
        ], "WARNING: ODEBUG bug in {F}")
            .frames(WARN.skip(Skip::Odebug).skip(Skip::Rcu))
            .trap(),
        // Without CONFIG_BUG_ON_DATA_CORRUPTION a corrupted list is only a warning:
        // CHECK_DATA_CORRUPTION().
        row(K::ListCorruption, always(t::WARNING, Is(F::List), S::Warning), &[
            Lit("WARNING: "), Any, Lit("lib/list_debug.c"), Any, Lit(" __list_"),
        ], "WARNING in {F}")
            .frames(WARN)
            .trap(),
        row(K::Usercopy, always(t::WARNING, Is(F::Other), S::Warning), &[
            Lit("WARNING: "), Any, Lit("mm/usercopy.c"), Any, One(&[" usercopy_warn", " at"]),
        ], "WARNING: bad usercopy in {F}")
            .frames(WARN.skip(Skip::Usercopy))
            .trap(),
        row(K::Warning, always(t::WARNING, ByReporter(F::Warning), S::Warning), &[
            Lit("WARNING: "), Any, Lit("lib/kobject.c"), Any, One(&[" kobject_", " at"]),
        ], "WARNING: kobject bug in {F}")
            .frames(WARN)
            .trap(),
        row(K::Warning, always(t::WARNING, ByReporter(F::Warning), S::Warning), &[
            Lit("WARNING: "), Any, Lit("fs/proc/generic.c"), Any, One(&[" proc_register", " at"]),
        ], "WARNING: proc registration bug in {F}")
            .frames(WARN.skip(Skip::Proc))
            .trap(),
        row(K::Refcount, always(t::REFCOUNT_WARNING, Is(F::Refcount), S::Warning), &[
            Lit("WARNING: "), Any, Lit("lib/refcount.c"), Any, One(&[" refcount_", " at"]),
        ], "WARNING: refcount bug in {F}")
            .frames(WARN.skip(Skip::Refcount))
            .trap(),
        row(K::LockBug, always(t::LOCKDEP, Is(F::BrokenLock), S::Lock),
            &[Lit("WARNING: "), Any, Lit("kernel/locking/lockdep.c"), Any, Lit("lock_")],
            "WARNING: locking bug in {F}")
            .frames(WARN.skip(Skip::SocketLock))
            .trap(),
        row(K::LockBug, always(t::LOCKDEP, Is(F::Locking), S::Warning),
            &[Lit("WARNING: "), Any, Lit("still has locks held!")],
            "WARNING: still has locks held in {1}")
            .then(&[Then::Name(Says::AT)]),
        row(K::LockBug, always(t::LOCKDEP, Is(F::Locking), S::Warning),
            &[Lit("WARNING: Nested lock was not taken")],
            "WARNING: nested lock was not taken in {F}")
            .frames(WARN),
        row(K::LockBug, always(t::LOCKDEP, Is(F::Locking), S::Lock),
            &[Lit("WARNING: lock held when returning to user space")],
            "WARNING: lock held when returning to user space in {1}")
            .then(&[Then::Says(Says::LEAVING), Then::Name(Says::AT)])
            .stackless(),
        row(K::Warning, always(t::WARNING, ByReporter(F::Warning), S::Warning), &[
            Lit("WARNING: "), Any, Lit("mm/"), Any, Lit(".c"), Any,
            One(&[" malloc", " kmalloc", " kvmalloc", " vmalloc"]),
        ], "WARNING: kmalloc bug in {F}")
            .frames(WARN.skip(Skip::Slab))
            .trap(),
        row(K::Warning, always(t::WARNING, ByReporter(F::Warning), S::Warning),
            &[Lit("WARNING: "), Any, Lit("mm/vmalloc.c"), Any, Lit("__vmalloc_node")],
            "WARNING: zero-size vmalloc in {F}")
            .frames(WARN)
            .trap(),
        row(K::Warning, always(t::WARNING, ByReporter(F::Warning), S::Warning),
            &[Lit("WARNING: "), Any, Lit(" usb_submit_urb")],
            "WARNING in {F}/usb_submit_urb")
            .frames(WARN.skip(Skip::Usb))
            .trap(),
        // Since Linux 6.18 the place comes before the task.
        row(K::Warning, always(t::WARNING, ByReporter(F::Warning), S::Warning),
            &[Lit("WARNING: "), Source, Lit(" at 0x"), Digits, Lit(", CPU#"), Digits],
            "WARNING in {F}")
            .frames(WARN)
            .trap(),
        row(K::Warning, always(t::WARNING, ByReporter(F::Warning), S::Warning),
            &[Lit("WARNING: "), Any, Lit("at "), Source, Lit(" "), Func], "WARNING in {F}")
            .frames(WARN)
            .trap(),
        row(K::Warning, always(t::WARNING, ByReporter(F::Warning), S::Warning),
            &[Lit("WARNING: "), Source, Lit(" at "), Func], "WARNING in {F}")
            .frames(WARN)
            .trap(),
        row(K::Warning, always(t::WARNING, ByReporter(F::Warning), S::Warning),
            &[Lit("WARNING: ["), Any, Lit("] "), Source, Lit(" at "), Func],
            "WARNING in {F}")
            .frames(WARN)
            .trap(),
        // Without a file: `__warn()` of kernels without CONFIG_DEBUG_BUGVERBOSE, and of CFI.
        row(K::Warning, always(t::WARNING, ByReporter(F::Warning), S::Warning),
            &[Lit("WARNING: CPU: "), Digits, Lit(" PID: "), Digits, Lit(" at "), Func],
            "WARNING in {F}")
            .frames(Recipe::of(&[Part::Headline]).or(WARN.parts))
            .trap(),
        row(K::Deadlock, always(t::LOCKDEP, Is(F::Locking), S::Lock),
            &[Lit("WARNING: possible circular locking dependency detected")],
            "possible deadlock in {F}")
            .then(&[Then::Says(Says::ACQUIRES)])
            .frames(Recipe::of(&[Part::Function(Says::AT), Part::Function(Says::AT), Part::Stack]).skip(Skip::Workqueue)),
        row(K::Deadlock, always(t::LOCKDEP, Is(F::Locking), S::Lock),
            &[Lit("WARNING: possible irq lock inversion dependency detected")],
            "possible deadlock in {1}")
            .then(&[Then::Says(Says::CHANGED), Then::Name(Says::AT)]),
        row(K::Deadlock, always(t::LOCKDEP, Is(F::Locking), S::Lock), &[
            Lit("WARNING: "), Name, Lit("-safe -> "), Name, Lit("-unsafe lock order detected"),
        ], "possible deadlock in {F}")
            .frames(Recipe::of(&[
                Part::Begins(Start::Became),
                Part::Stack,
            ])),
        row(K::Deadlock, always(t::LOCKDEP, Is(F::Locking), S::Lock),
            &[Lit("WARNING: possible recursive locking detected")],
            "possible deadlock in {1}")
            .then(&[Then::Says(Says::ACQUIRES), Then::Name(Says::AT)]),
        row(K::Deadlock, always(t::LOCKDEP, Is(F::Locking), S::Lock),
            &[Lit("WARNING: inconsistent lock state")], "inconsistent lock state in {F}")
            .then(&[Then::Says(Says::TAKES), Then::Name(Says::AT)])
            .frames(CALLS),
        row(K::RcuUsage, always(t::LOCKDEP, Is(F::Rcu), S::Lock),
            &[Lit("WARNING: suspicious RCU usage")],
            "WARNING: suspicious RCU usage in {F}")
            .then(&[Then::Says(Says::SOURCE)])
            .frames(CALLS.skip(Skip::Rcu).skip(Skip::Slab)),
        row(K::Unwinder, always(t::UNTYPED, Is(F::Other), S::Warning), &[
            Lit("WARNING: kernel stack regs at "), Hex, Lit(" in "), Token, Lit(" has bad '"),
            Until("'"), Lit("' value"),
        ], "WARNING: kernel stack regs has bad '{1}' value")
            .stackless(),
        row(K::Unwinder, always(t::UNTYPED, Is(F::Other), S::Warning), &[
            Lit("WARNING: kernel stack frame pointer at "), Hex, Lit(" in "), Token,
            Lit(" has bad value"),
        ], "WARNING: kernel stack frame pointer has bad value")
            .stackless(),
        row(K::LockBug, always(t::LOCKDEP, Is(F::Locking), S::Lock),
            &[Lit("WARNING: bad unlock balance detected!")],
            "WARNING: bad unlock balance in {F}")
            .frames(Recipe::of(&[Part::Function(Says::ADDRESSED), Part::Calls, Part::Stack])),
        row(K::LockBug, always(t::LOCKDEP, Is(F::Locking), S::Warning),
            &[Lit("WARNING: held lock freed!")], "WARNING: held lock freed in {1}")
            .then(&[Then::Name(Says::AT)]),
        // The same with hashed pointers.
        row(K::Unwinder, always(t::UNTYPED, Is(F::Other), S::Warning),
            &[Lit("WARNING: kernel stack regs "), Any, Lit(" has bad 'bp' value")],
            "WARNING: kernel stack regs has bad value")
            .stackless(),
        row(K::Unwinder, always(t::UNTYPED, Is(F::Other), S::Warning),
            &[Lit("WARNING: kernel stack frame pointer "), Any, Lit(" has bad value")],
            "WARNING: kernel stack regs has bad value")
            .stackless(),
        row(K::Warning, always(t::UNTYPED, ByReporter(F::Warning), S::Warning),
            &[Lit("WARNING:"), End], "WARNING: corrupted").partial(),
    ],
};
