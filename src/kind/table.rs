//! The table of kinds.
//!
//! Markers are tried in this order, and so are the formats of a marker: the one whose trigger
//! stands first in the text wins, and of two at the same place the one that stands first here.
//! Titles are those that syzbot made the common language of kernel bug reports.

use super::pattern::Piece::{
    self, Addr, Any, Digits, End, Func, Hex, Later, Lit, One, Rest, Source, Words,
};
use super::{Consequence, FORMAT, Format, Kind, Marker, NO_FRAMES, Part, Recipe};

/// The instruction pointer, else the first frame of the call trace.
const POINTER: Recipe = Recipe { parts: &[Part::Pointer, Part::Calls, Part::Stack], ..NO_FRAMES };

/// The instruction pointer and nothing else.
const POINTER_ONLY: Recipe = Recipe { parts: &[Part::Pointer], ..NO_FRAMES };

/// The first frame of the call trace.
const CALLS: Recipe = Recipe { parts: &[Part::Calls, Part::Stack], ..NO_FRAMES };

/// The instruction pointer of a `WARN` and the frames below it; without one, the call trace.
const WARN: Recipe = Recipe {
    parts: &[Part::Pointer, Part::Stack],
    fallback: &[Part::Calls, Part::Stack],
    skip: &[],
};

/// `BUG: KASAN: kind in function`, whose function is a frame.
const KASAN_HEADLINE: &[Piece] = &[Lit("BUG: KASAN: "), Any, Lit(" in "), Addr, Func];

const BAD_ACCESS: &[&str] = &["bad-access in {F}"];

/// A rule of [`Marker::consequence`] that holds even after the report ended.
const fn always(text: &'static str) -> Consequence {
    Consequence { text, before_end: false }
}

/// The markers, in the order in which they are tried.
#[rustfmt::skip] // rows
pub(crate) const MARKERS: &[Marker] = &[
    Marker {
        text: "BUG:",
        unless: &[
            &["ODEBUG:"], &["Boot_DEBUG:"], &["xlog_status:"], &["DEBUG:"],
            &["BUG: no syscalls can create resource"],
        ],
        consequence: &[],
        kind: Kind::Bug,
        formats: &[
            Format {
                kind: Kind::Kasan,
                trigger: &[Lit("BUG: KASAN:")],
                body: &[
                    Lit("BUG: KASAN: "), Words, Lit(" in "), Addr, Func,
                    Later, One(&["Read", "Write"]), One(&[" of size ", " at addr "]), Hex,
                ],
                title: "KASAN: {1} {3} in {F}",
                alternatives: BAD_ACCESS,
                recipe: Recipe {
                    parts: &[Part::Line(KASAN_HEADLINE), Part::Calls, Part::Stack],
                    skip: &["kernel_fault", "tag_check", "mem_abort", "^el1_", "^el1h_"],
                    ..NO_FRAMES
                },
                ..FORMAT
            },
            Format {
                kind: Kind::Kasan,
                trigger: &[Lit("BUG: KASAN:")],
                body: &[
                    Lit("BUG: KASAN: "),
                    One(&["double-free or invalid-free", "double-free", "invalid-free"]),
                    Lit(" in "), Addr, Func,
                ],
                title: "KASAN: invalid-free in {F}",
                alternatives: &["invalid-free in {F}"],
                recipe: Recipe {
                    parts: &[Part::Line(KASAN_HEADLINE), Part::Calls, Part::Stack],
                    skip: &["slab_", "kfree", "vunmap", "vfree"],
                    ..NO_FRAMES
                },
                ..FORMAT
            },
            Format {
                kind: Kind::Kasan,
                trigger: &[
                    Lit("BUG: KASAN: "), Words, Lit(" on address"),
                    Later, One(&["Read", "Write"]), Lit(" of size "), Digits,
                ],
                title: "KASAN: {1} {2}",
                ..FORMAT
            },
            Format {
                kind: Kind::Kasan,
                trigger: &[Lit("BUG: KASAN: "), Rest],
                title: "KASAN: {1}",
                corrupted: true,
                ..FORMAT
            },
            Format {
                kind: Kind::PageFault,
                trigger: &[Lit("BUG: "), One(&[
                    "unable to handle kernel paging request",
                    "unable to handle page fault for address",
                    "Unable to handle kernel data access",
                ])],
                title: "BUG: unable to handle kernel paging request in {F}",
                alternatives: BAD_ACCESS,
                recipe: POINTER,
                trap: true,
                ..FORMAT
            },
            Format {
                kind: Kind::NullDereference,
                trigger: &[Lit("BUG: "), One(&[
                    "unable to handle kernel NULL pointer dereference",
                    "kernel NULL pointer dereference",
                    "Kernel NULL pointer dereference",
                ])],
                title: "BUG: unable to handle kernel NULL pointer dereference in {F}",
                alternatives: BAD_ACCESS,
                recipe: POINTER,
                trap: true,
                ..FORMAT
            },
            Format {
                kind: Kind::PageFault,
                trigger: &[Lit("BUG: "), One(&["unable", "Unable"]), Lit(" to handle kernel")],
                title: "BUG: unable to handle kernel",
                corrupted: true,
                ..FORMAT
            },
            Format {
                kind: Kind::Bug,
                trigger: &[Lit("BUG:"), End],
                title: "BUG: corrupted",
                corrupted: true,
                ..FORMAT
            },
        ],
    },
    Marker {
        text: "WARNING:",
        unless: &[
            // sshd, e2fsprogs and other programs; the boot's hints to the administrator.
            &["WARNING: /etc/ssh/moduli does not exist, using fixed modulus"],
            &["workqueue cpumask: online intersect > possible intersect"],
            &["he mand mount option"],
            &["Unsupported flag value(s) of 0x", " in DT_FLAGS_1"],
            &["Unprivileged eBPF is enabled with eIBRS"],
            &["fbcon: Driver '", "' missed to adjust virtual screen size ("],
            &["See https://www.kernel.org/doc/", "for mitigation options."],
            &["kernel not compiled with CPU_SRSO"],
            &["EXT4-fs:"], &["EXT4-fs ("], &["EXT4-FS:"], &["EXT4-FS ("],
            &["uses deprecated v2 capabilities"],
            &["uses wireless extensions"],
            &["XFS (", "): WARNING"],
        ],
        consequence: &[],
        kind: Kind::Warning,
        formats: &[
            Format {
                kind: Kind::Refcount,
                trigger: &[Lit("WARNING: "), Any, Lit("lib/refcount.c"), Any, One(&[" refcount_", "at"])],
                title: "WARNING: refcount bug in {F}",
                recipe: Recipe { skip: &["refcount", "kobject_"], ..WARN },
                trap: true,
                ..FORMAT
            },
            Format {
                kind: Kind::Warning,
                trigger: &[Lit("WARNING: "), Source, Lit(" at 0x"), Digits, Lit(", CPU#"), Digits],
                title: "WARNING in {F}",
                recipe: WARN,
                trap: true,
                ..FORMAT
            },
            Format {
                kind: Kind::Warning,
                trigger: &[Lit("WARNING: "), Any, Lit("at "), Source, Lit(" "), Func],
                title: "WARNING in {F}",
                recipe: WARN,
                trap: true,
                ..FORMAT
            },
            Format {
                kind: Kind::Warning,
                trigger: &[Lit("WARNING: "), Source, Lit(" at "), Func],
                title: "WARNING in {F}",
                recipe: WARN,
                trap: true,
                ..FORMAT
            },
            Format {
                kind: Kind::Warning,
                trigger: &[Lit("WARNING: ["), Any, Lit("] "), Source, Lit(" at "), Func],
                title: "WARNING in {F}",
                recipe: WARN,
                trap: true,
                ..FORMAT
            },
            Format {
                kind: Kind::Warning,
                trigger: &[Lit("WARNING:"), End],
                title: "WARNING: corrupted",
                corrupted: true,
                ..FORMAT
            },
        ],
    },
    Marker {
        text: "general protection fault",
        unless: &[&["general protection fault", "error:", " in "]],
        consequence: &[],
        kind: Kind::GeneralProtectionFault,
        formats: &[
            Format {
                kind: Kind::GeneralProtectionFault,
                trigger: &[Lit("general protection fault"), Any, Lit(":")],
                title: "general protection fault in {F}",
                alternatives: BAD_ACCESS,
                recipe: POINTER,
                trap: true,
                ..FORMAT
            },
        ],
    },
    Marker {
        text: "Kernel panic",
        unless: &[],
        // What panic() is called with when another report decided to panic.
        consequence: &[
            always("Fatal exception"),      // oops_end(), die()
            always("panic_on_warn set"),    // check_panic_on_warn()
            always("panic_on_oops"),
            always("kasan.fault=panic set"),
            always("Attempted to kill"),    // do_exit(): init, the idle task
            always("Aiee, killing interrupt handler"),
            always("hung_task: blocked tasks"),
            always("softlockup: hung tasks"),
            always("Hard LOCKUP"),
            always("RCU Stall"),
            always("Machine halted"),       // df_debug(): a double fault
            always("System is deadlocked on memory"),
        ],
        kind: Kind::Panic,
        formats: &[
            Format {
                kind: Kind::Panic,
                trigger: &[Lit("Kernel panic - not syncing: stack-protector:")],
                body: &[
                    Lit("Kernel panic - not syncing: stack-protector:"), Any,
                    Lit("Kernel stack is corrupted in: "), Func,
                ],
                title: "kernel panic: stack is corrupted in {1}",
                stackless: true,
                ..FORMAT
            },
            Format {
                kind: Kind::Panic,
                trigger: &[Lit("Kernel panic - not syncing: stack-protector:")],
                body: &[
                    Lit("Kernel panic - not syncing: stack-protector:"), Any,
                    Lit("Kernel stack is corrupted in: "), Hex,
                ],
                title: "kernel panic: stack is corrupted in {F}",
                recipe: Recipe { skip: &["stack_chk"], ..CALLS },
                ..FORMAT
            },
            Format {
                kind: Kind::Panic,
                trigger: &[Lit("Kernel panic - not syncing: Attempted to kill init!")],
                title: "kernel panic: Attempted to kill init!",
                ..FORMAT
            },
            Format {
                kind: Kind::Panic,
                trigger: &[Lit("Kernel panic - not syncing: Fatal exception")],
                title: "kernel panic: Fatal exception",
                corrupted: true,
                ..FORMAT
            },
            Format {
                kind: Kind::Panic,
                trigger: &[Lit("Kernel panic - not syncing: panic_on_warn set")],
                title: "kernel panic: panic_on_warn set",
                corrupted: true,
                ..FORMAT
            },
            Format {
                kind: Kind::Panic,
                trigger: &[Lit("Kernel panic - not syncing: hung_task: blocked tasks")],
                title: "kernel panic: hung_task: blocked tasks",
                corrupted: true,
                ..FORMAT
            },
            Format {
                kind: Kind::Panic,
                trigger: &[Lit("Kernel panic - not syncing: "), Rest],
                title: "kernel panic: {1}",
                ..FORMAT
            },
        ],
    },
    Marker {
        text: "PANIC: double fault",
        unless: &[],
        consequence: &[],
        kind: Kind::DoubleFault,
        formats: &[
            Format {
                kind: Kind::DoubleFault,
                trigger: &[Lit("PANIC: double fault")],
                title: "PANIC: double fault in {F}",
                recipe: POINTER_ONLY,
                trap: true,
                ..FORMAT
            },
        ],
    },
    Marker {
        text: "kernel BUG",
        unless: &[],
        consequence: &[],
        kind: Kind::KernelBug,
        formats: &[
            Format {
                kind: Kind::Usercopy,
                trigger: &[Lit("kernel BUG at mm/usercopy.c")],
                title: "BUG: bad usercopy in {F}",
                recipe: Recipe { skip: &["usercopy", "__check"], ..CALLS },
                trap: true,
                ..FORMAT
            },
            Format {
                kind: Kind::ListCorruption,
                trigger: &[Lit("kernel BUG at lib/list_debug.c")],
                title: "BUG: corrupted list in {F}",
                alternatives: BAD_ACCESS,
                recipe: CALLS,
                trap: true,
                ..FORMAT
            },
            Format {
                kind: Kind::KernelBug,
                trigger: &[Lit("kernel BUG at "), Rest],
                title: "kernel BUG in {F}",
                recipe: Recipe { skip: &["^skb_"], ..POINTER },
                trap: true,
                ..FORMAT
            },
        ],
    },
    Marker {
        text: "divide error:",
        unless: &[],
        consequence: &[],
        kind: Kind::DivideError,
        formats: &[
            Format {
                kind: Kind::DivideError,
                trigger: &[Lit("divide error: ")],
                title: "divide error in {F}",
                recipe: POINTER_ONLY,
                trap: true,
                ..FORMAT
            },
        ],
    },
    Marker {
        text: "invalid opcode:",
        unless: &[],
        // The trap of the `ud2` that stands for a BUG is announced after the BUG itself.
        consequence: &[Consequence { text: "invalid opcode:", before_end: true }],
        kind: Kind::InvalidOpcode,
        formats: &[
            Format {
                kind: Kind::InvalidOpcode,
                trigger: &[Lit("invalid opcode: ")],
                title: "invalid opcode in {F}",
                recipe: POINTER_ONLY,
                trap: true,
                ..FORMAT
            },
        ],
    },
];
