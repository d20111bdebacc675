//! `INFO:` and other texts without a trap: stalls, hangs, leaks of references, UBSAN.

use super::super::class::FamilyRule::Is;
use super::super::class::{Classes, Family as F, Symptom as S, always, class};
use super::super::pattern::Piece::{Any, Digits, End, Lit, Near, One, Rest, Words};
use super::super::types as t;
use super::super::{Consequence, Kind as K, Marker, Part, Recipe, Then, row};
use super::{BAD_ACCESS, CALLS, HANG, STALL};
use crate::functions::Skip;
use crate::syntax::Says;

/// The code that was interrupted by the interrupt that detected a stall.
const INTERRUPTED: Recipe = Recipe::of(&[Part::Line(Says::APIC_TIMER), Part::Pointer, Part::Stack])
    .or(&[Part::Line(Says::APIC_TIMER.or(Says::EXCEPTION_STACK).or(Says::EL1H_IRQ)), Part::Stack]);

#[rustfmt::skip] // rows
pub(super) const INFO: Marker = Marker {
    text: "INFO:",
    anchor: "INFO",
    unless: &[
        &["lockdep is turned off"],
        &["Stall ended before state dump start"],
        &["NMI handler"],
        &["recovery required on readonly filesystem"],
        &["handler", "took too long"], &["interrupt", "took too long"],
        &["sys_", "is not present in /proc/kallsyms"],
        &["no syscalls can create resource"],
        &["rmt_storage:INFO:"],
        &["_INFO:"],
        // LTP, a test suite.
        &["TINFO:"],
    ],
    consequence: &[],
    kind: K::Info,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::Deadlock, always(t::LOCKDEP, Is(F::Locking), S::Lock),
            &[Lit("INFO: possible circular locking dependency detected ]")],
            "possible deadlock in {1}")
            .then(&[Then::Says(Says::ACQUIRES), Then::Name(Says::AT)]),
        row(K::Deadlock, always(t::LOCKDEP, Is(F::Locking), S::Lock),
            &[Lit("INFO: possible irq lock inversion dependency detected ]")],
            "possible deadlock in {1}")
            .then(&[Then::Says(Says::CHANGED), Then::Name(Says::AT)]),
        row(K::Deadlock, always(t::LOCKDEP, Is(F::Locking), S::Lock),
            &[Lit("INFO: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected ]")],
            "possible deadlock in {1}")
            .then(&[Then::Says(Says::ACQUIRES), Then::Name(Says::AT)]),
        row(K::Deadlock, always(t::LOCKDEP, Is(F::Locking), S::Lock),
            &[Lit("INFO: possible recursive locking detected ]")],
            "possible deadlock in {1}")
            .then(&[Then::Says(Says::ACQUIRES), Then::Name(Says::AT)]),
        row(K::Deadlock, always(t::LOCKDEP, Is(F::Locking), S::Lock),
            &[Lit("INFO: inconsistent lock state ]")], "inconsistent lock state in {1}")
            .then(&[Then::Says(Says::TAKES), Then::Name(Says::AT)]),
        row(K::RcuStall, always(t::HANG, Is(F::Stall), S::Hang),
            &[Lit("INFO: rcu_"), One(&["preempt", "sched", "bh", "tasks"]), One(&[
            " detected stall", " self-detected stall", " detected expedited stall",
            " self-detected expedited stall",
        ])], "INFO: rcu detected stall in {F}")
            .frames(INTERRUPTED.skip(Skip::TimerInterrupt).skip(Skip::Rcu).stall())
            .alt(STALL),
        row(K::LockBug, always(t::UNTYPED, Is(F::Locking), S::Lock),
            &[Lit("INFO: trying to register non-static key")],
            "INFO: trying to register non-static key in {F}")
            .frames(CALLS.skip(Skip::StaticKey)),
        row(K::RcuUsage, always(t::UNTYPED, Is(F::Rcu), S::Lock),
            &[Lit("INFO: suspicious RCU usage")], "INFO: suspicious RCU usage in {F}")
            .then(&[Then::Says(Says::SOURCE)])
            .frames(CALLS.skip(Skip::Rcu).skip(Skip::Slab)),
        row(K::HungTask, always(t::HANG, Is(F::Hang), S::Hang),
            &[Lit("INFO: task "), Near, One(&[
            " blocked for more than ", " blocked in I/O wait for more than ",
        ])], "INFO: task hung in {F}")
            .frames(CALLS.hang())
            .alt(HANG),
        row(K::HungTask, always(t::HANG, Is(F::Hang), S::Hang),
            &[Lit("INFO: task "), Near, Lit(" can't die for more than ")],
            "INFO: task can't die in {F}")
            .frames(CALLS.skip(Skip::Schedule))
            .alt(HANG),
        // The report of the blocked task is lost: debug_show_blocker() in kernel/hung_task.c.
        row(K::HungTask, always(t::HANG, Is(F::Hang), S::Hang),
            &[Lit("INFO: task "), Near, Lit(" blocked on "), One(&[
            "a mutex", "a semaphore", "an rw-semaphore",
        ])], "INFO: task blocked on {1}")
            .partial(),
        row(K::Slab, always(t::UNTYPED, Is(F::BadAccess), S::Other),
            &[Lit("INFO: "), One(&["Freed", "Allocated"]), Lit(" in "), Rest],
            "INFO: {1} in {2}")
            .partial(),
        row(K::Info, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("INFO:"), End], "INFO: corrupted").partial(),
    ],
};

/// The third line of a hung task, in a log that begins with it: `check_hung_task()`.
pub(super) const HUNG_TASK_HINT: Marker = Marker {
    text: "hung_task_timeout_secs\" disables this message",
    anchor: "out_secs",
    unless: &[],
    consequence: &[Consequence::own("hung_task_timeout_secs")],
    kind: K::HungTask,
    other: always(t::UNTYPED, Is(F::Hang), S::Other),
    formats: &[row(
        K::HungTask,
        always(t::HANG, Is(F::Hang), S::Hang),
        &[Lit("hung_task_timeout_secs\" disables this message")],
        "INFO: task hung in {F}",
    )
    .frames(CALLS.hang())
    .alt(HANG)],
};

/// Of lines that end before the place in the source.
const OTHER_UBSAN: Classes = Classes::ByTitle(
    &[(
        "UBSAN: array-index-out-of-bounds",
        class(t::MEMORY_SAFETY_UBSAN, Is(F::Arithmetic), S::Other),
    )],
    class(t::UBSAN, Is(F::Arithmetic), S::Other),
);

#[rustfmt::skip] // rows
pub(super) const UBSAN: Marker = Marker {
    text: "UBSAN:",
    anchor: "BSAN",
    unless: &[],
    consequence: &[],
    kind: K::Ubsan,
    other: OTHER_UBSAN,
    formats: &[
        row(K::Ubsan, always(t::UBSAN, Is(F::Arithmetic), S::Other),
            &[Lit("UBSAN:")], "UBSAN: undefined-behaviour in {F}")
            .body(&[Lit("UBSAN: Undefined behaviour in")])
            .frames(CALLS.skip(Skip::Ubsan)),
        row(K::Ubsan, always(t::MEMORY_SAFETY_UBSAN, Is(F::Arithmetic), S::Other),
            &[Lit("UBSAN: array-index-out-of-bounds in")],
            "UBSAN: array-index-out-of-bounds in {F}")
            .frames(CALLS.skip(Skip::Ubsan))
            .alt(BAD_ACCESS),
        row(K::Ubsan, always(t::UBSAN, Is(F::Arithmetic), S::Other),
            &[Lit("UBSAN: "), Words, Lit(" in")], "UBSAN: {1} in {F}")
            .frames(CALLS.skip(Skip::Ubsan)),
    ],
};

pub(super) const BOOTING: Marker = Marker {
    text: "Booting the kernel.",
    anchor: "Booting the kernel",
    unless: &[&["Parsing ELF"], &["Decompressing Linux"], &["Unknown parameter '"]],
    consequence: &[],
    kind: K::Reboot,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[row(
        K::Reboot,
        always(t::REBOOT, Is(F::Other), S::Other),
        &[Lit("Booting the kernel")],
        "unexpected kernel reboot",
    )
    .stackless()],
};

pub(super) const NETDEVICE: Marker = Marker {
    text: "unregister_netdevice: waiting for",
    anchor: "netdevice",
    unless: &[],
    consequence: &[
        // A task that hangs with the lock of the device blocks its removal.
        Consequence::within("unregister_netdevice: waiting for"),
    ],
    kind: K::Netdevice,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[row(
        K::Netdevice,
        always(t::DOS, Is(F::Other), S::Other),
        &[Lit("unregister_netdevice: waiting for "), Any, Lit(" to become free")],
        "unregister_netdevice: waiting for DEV to become free",
    )
    .stackless()],
};

pub(super) const VFS_CLOSE: Marker = Marker {
    text: "VFS: Close: file count is 0",
    anchor: "VFS: ",
    unless: &[],
    consequence: &[],
    kind: K::Vfs,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[row(
        K::Vfs,
        always(t::DOS, Is(F::Other), S::Other),
        &[Lit("VFS: Close: file count is 0")],
        "VFS: Close: file count is zero (use-after-free)",
    )
    .stackless()],
};

pub(super) const VFS_BUSY: Marker = Marker {
    text: "VFS: Busy inodes after unmount",
    anchor: "VFS: ",
    unless: &[],
    consequence: &[],
    kind: K::Vfs,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[row(
        K::Vfs,
        always(t::DOS, Is(F::Other), S::Other),
        &[Lit("VFS: Busy inodes after unmount")],
        "VFS: Busy inodes after unmount (use-after-free)",
    )
    .stackless()],
};

/// `__report_bad_irq()` in kernel/irq/spurious.c: the stack is that of the interrupted code, the
/// handlers are listed below it.
pub(super) const NOBODY_CARED: Marker = Marker {
    text: ": nobody cared",
    anchor: "nobody cared",
    unless: &[],
    consequence: &[],
    kind: K::BadInterrupt,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[row(
        K::BadInterrupt,
        always(t::UNTYPED, Is(F::Other), S::Other),
        &[Lit("irq "), Digits, Lit(": nobody cared")],
        "irq: nobody cared",
    )
    .stackless()
    .quoted()
    .only()],
};
