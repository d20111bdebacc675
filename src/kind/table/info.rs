//! `INFO:` and other texts without a trap: stalls, hangs, leaks of references, UBSAN.

use super::super::pattern::Piece::{Any, End, Lit, Near, One, Rest, Words};
use super::super::{Kind as K, Marker, Part, Recipe, Then, row};
use super::{BAD_ACCESS, CALLS, HANG, STALL};
use crate::syntax::Says;

/// What the interrupt that noticed a stall had interrupted.
const INTERRUPTED: Recipe = Recipe::of(&[Part::Line(Says::APIC_TIMER), Part::Pointer, Part::Stack])
    .or(&[Part::Line(Says::APIC_TIMER.or(Says::EXCEPTION_STACK).or(Says::EL1H_IRQ)), Part::Stack]);

#[rustfmt::skip] // rows
pub(super) const INFO: Marker = Marker {
    text: "INFO:",
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
    kind: K::Info,
    formats: &[
        row(K::Deadlock, &[Lit("INFO: possible circular locking dependency detected ]")],
            "possible deadlock in {1}")
            .then(&[Then::Says(Says::ACQUIRES), Then::Name(Says::AT)]),
        row(K::Deadlock, &[Lit("INFO: possible irq lock inversion dependency detected ]")],
            "possible deadlock in {1}")
            .then(&[Then::Says(Says::CHANGED), Then::Name(Says::AT)]),
        row(K::Deadlock, &[Lit("INFO: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected ]")],
            "possible deadlock in {1}")
            .then(&[Then::Says(Says::ACQUIRES), Then::Name(Says::AT)]),
        row(K::Deadlock, &[Lit("INFO: possible recursive locking detected ]")],
            "possible deadlock in {1}")
            .then(&[Then::Says(Says::ACQUIRES), Then::Name(Says::AT)]),
        row(K::Deadlock, &[Lit("INFO: inconsistent lock state ]")], "inconsistent lock state in {1}")
            .then(&[Then::Says(Says::TAKES), Then::Name(Says::AT)]),
        row(K::RcuStall, &[Lit("INFO: rcu_"), One(&["preempt", "sched", "bh", "tasks"]), One(&[
            " detected stall", " self-detected stall", " detected expedited stall",
            " self-detected expedited stall",
        ])], "INFO: rcu detected stall in {F}")
            .frames(INTERRUPTED.skip(&["apic_timer_interrupt", "rcu"]).stall())
            .alt(STALL),
        row(K::LockBug, &[Lit("INFO: trying to register non-static key")],
            "INFO: trying to register non-static key in {F}")
            .frames(CALLS.skip(&["stack", "lock", "IRQ"])),
        row(K::RcuUsage, &[Lit("INFO: suspicious RCU usage")], "INFO: suspicious RCU usage in {F}")
            .then(&[Then::Says(Says::SOURCE)])
            .frames(CALLS.skip(&["rcu", "kmem", "slab"])),
        row(K::HungTask, &[Lit("INFO: task "), Near, One(&[
            " blocked for more than ", " blocked in I/O wait for more than ",
        ])], "INFO: task hung in {F}")
            .frames(CALLS.hang())
            .alt(HANG),
        row(K::HungTask, &[Lit("INFO: task "), Near, Lit(" can't die for more than ")],
            "INFO: task can't die in {F}")
            .frames(CALLS.skip(&["schedule"]))
            .alt(HANG),
        row(K::Slab, &[Lit("INFO: "), One(&["Freed", "Allocated"]), Lit(" in "), Rest],
            "INFO: {1} in {2}")
            .partial(),
        row(K::Info, &[Lit("INFO:"), End], "INFO: corrupted").partial(),
    ],
};

/// The third line of a hung task, in a log that begins with it: `check_hung_task()`.
pub(super) const HUNG_TASK_HINT: Marker = Marker {
    text: "hung_task_timeout_secs\" disables this message",
    unless: &[],
    kind: K::HungTask,
    formats: &[row(
        K::HungTask,
        &[Lit("hung_task_timeout_secs\" disables this message")],
        "INFO: task hung in {F}",
    )
    .frames(CALLS.hang())
    .alt(HANG)],
};

#[rustfmt::skip] // rows
pub(super) const UBSAN: Marker = Marker {
    text: "UBSAN:",
    unless: &[],
    kind: K::Ubsan,
    formats: &[
        row(K::Ubsan, &[Lit("UBSAN:")], "UBSAN: undefined-behaviour in {F}")
            .body(&[Lit("UBSAN: Undefined behaviour in")])
            .frames(CALLS.skip(&["ubsan", "overflow"])),
        row(K::Ubsan, &[Lit("UBSAN: array-index-out-of-bounds in")],
            "UBSAN: array-index-out-of-bounds in {F}")
            .frames(CALLS.skip(&["ubsan", "overflow"]))
            .alt(BAD_ACCESS),
        row(K::Ubsan, &[Lit("UBSAN: "), Words, Lit(" in")], "UBSAN: {1} in {F}")
            .frames(CALLS.skip(&["ubsan", "overflow"])),
    ],
};

pub(super) const BOOTING: Marker = Marker {
    text: "Booting the kernel.",
    unless: &[&["Parsing ELF"], &["Decompressing Linux"], &["Unknown parameter '"]],
    kind: K::Reboot,
    formats: &[row(K::Reboot, &[Lit("Booting the kernel")], "unexpected kernel reboot").stackless()],
};

pub(super) const NETDEVICE: Marker = Marker {
    text: "unregister_netdevice: waiting for",
    unless: &[],
    kind: K::Netdevice,
    formats: &[row(
        K::Netdevice,
        &[Lit("unregister_netdevice: waiting for "), Any, Lit(" to become free")],
        "unregister_netdevice: waiting for DEV to become free",
    )
    .stackless()],
};

pub(super) const VFS_CLOSE: Marker = Marker {
    text: "VFS: Close: file count is 0",
    unless: &[],
    kind: K::Vfs,
    formats: &[row(
        K::Vfs,
        &[Lit("VFS: Close: file count is 0")],
        "VFS: Close: file count is zero (use-after-free)",
    )
    .stackless()],
};

pub(super) const VFS_BUSY: Marker = Marker {
    text: "VFS: Busy inodes after unmount",
    unless: &[],
    kind: K::Vfs,
    formats: &[row(
        K::Vfs,
        &[Lit("VFS: Busy inodes after unmount")],
        "VFS: Busy inodes after unmount (use-after-free)",
    )
    .stackless()],
};
