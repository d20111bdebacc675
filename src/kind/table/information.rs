//! Information reports: memory exhaustion, damaged file systems, hardware errors, stacks without a
//! report.

use super::super::class::FamilyRule::Is;
use super::super::class::{Family as F, Symptom as S, always};
use super::super::pattern::Piece::{
    Any, Digits, Either, Func, Lit, Name, One, Token, Until, Words,
};
use super::super::types as t;
use super::super::{Consequence, Kind as K, Marker, Part, Recipe, Then, row};
use super::CALLS;
use crate::functions::Skip;
use crate::syntax::Says;

/// The stack of the task that allocated memory; functions of memory management are skipped.
#[rustfmt::skip] // words
const ASKED: Recipe = CALLS.skip(Skip::Allocation);

/// `dump_header()` in mm/oom_kill.c prints the stack of the task that allocated, then the memory
/// and the tasks; `__oom_kill_process()` prints the killed task last.
#[rustfmt::skip] // rows
pub(super) const OOM: Marker = Marker {
    text: " invoked oom-killer: ",
    anchor: "invoked oom-k",
    unless: &[],
    consequence: &[],
    kind: K::OutOfMemory,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::OutOfMemory, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit(" invoked oom-killer: ")], "out of memory: killed {1}")
            .then(&[Then::Name(Says::KILLED)])
            .stackless(),
        row(K::OutOfMemory, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit(" invoked oom-killer: ")], "out of memory").stackless(),
    ],
};

/// The same if the start of the log is missing, or the rest is in another log.
#[rustfmt::skip] // rows
pub(super) const KILLED: Marker = Marker {
    text: "illed process ",
    anchor: "illed process ",
    unless: &[],
    consequence: &[Consequence::within("illed process ").after(" invoked oom-killer: ")],
    kind: K::OutOfMemory,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::OutOfMemory, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("illed process "), Digits, Any, Lit("("), Until(")"), Lit(")")],
            "out of memory: killed {1}")
            .stackless(),
    ],
};

/// `warn_alloc()`: `comm: page allocation failure: order:0, mode:0x40a20(…), nodemask=(null)`.
#[rustfmt::skip] // rows
pub(super) const ALLOCATION: Marker = Marker {
    text: "page allocation failure",
    anchor: "allocation fail",
    unless: &[],
    consequence: &[],
    kind: K::AllocationFailure,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::AllocationFailure, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("page allocation failure"), Any, Lit("order:"), Digits],
            "page allocation failure in {F}")
            .frames(ASKED),
    ],
};

/// `EXT4-fs error (device sda1): ext4_lookup:1855: inode #2: comm ls: …`: the function that
/// detected it.
#[rustfmt::skip] // rows
pub(super) const EXT4: Marker = Marker {
    text: "EXT4-fs error (device ",
    anchor: "-fs error (devic",
    unless: &[],
    consequence: &[],
    kind: K::FileSystem,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::FileSystem, always(t::UNTYPED, Is(F::Other), S::Other), &[
            Lit("EXT4-fs error (device "), Token, Either(&[" in ", " "]), Until(":"), Lit(":"), Digits,
        ], "EXT4-fs error in {1}")
            .stackless(),
    ],
};

/// `xfs_error_report()` in fs/xfs/xfs_error.c, `xfs_do_force_shutdown()` in fs/xfs/xfs_fsops.c and
/// `xfs_buf_ioerror_alert()` in fs/xfs/xfs_buf.c.
#[rustfmt::skip] // rows
pub(super) const XFS: Marker = Marker {
    text: "XFS (",
    anchor: "XFS (",
    unless: &[],
    consequence: &[Consequence::within("XFS (").after("XFS (")],
    kind: K::FileSystem,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::FileSystem, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("XFS ("), Any, Lit("): Internal error "), Any, Lit("Caller "), Func],
            "XFS internal error in {1}")
            .stackless()
            .quoted()
            .only(),
        row(K::FileSystem, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("XFS ("), Any, Lit("): Internal error ")], "XFS internal error")
            .stackless()
            .quoted()
            .only(),
        row(K::FileSystem, always(t::UNTYPED, Is(F::Other), S::Other), &[
            Lit("XFS ("), Any, Lit("): Metadata "), Either(&["corruption", "CRC error"]),
            Lit(" detected at "), Func,
        ], "XFS metadata corruption in {1}")
            .stackless()
            .quoted()
            .only(),
        row(K::FileSystem, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("XFS ("), Any, Lit("): Corruption of "), Either(&["in-memory", "on-disk"])],
            "XFS corruption")
            .stackless()
            .quoted()
            .only(),
        row(K::IoError, always(t::UNTYPED, Is(F::Other), S::Other), &[
            Lit("XFS ("), Any, Lit("): "), Either(&["metadata I/O error", "log I/O error", "Log I/O"]),
        ], "XFS I/O error")
            .stackless()
            .quoted()
            .only(),
    ],
};

/// `__btrfs_handle_fs_error()` in fs/btrfs/messages.c, `btrfs_abort_transaction()` in
/// fs/btrfs/transaction.h if it does not warn, and `__btrfs_check_leaf()` in
/// fs/btrfs/tree-checker.c.
#[rustfmt::skip] // rows
pub(super) const BTRFS: Marker = Marker {
    text: "BTRFS",
    anchor: "BTRFS",
    unless: &[],
    consequence: &[Consequence::within("BTRFS").after("BTRFS")],
    kind: K::FileSystem,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::FileSystem, always(t::UNTYPED, Is(F::Other), S::Other), &[
            Lit("BTRFS"), Either(&[": error", " error"]), Lit(" (device "), Any, Lit(") in "), Name,
            Lit(":"), Digits, Lit(": errno="),
        ], "BTRFS error in {1}")
            .stackless()
            .quoted()
            .only(),
        row(K::FileSystem, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("BTRFS error (device "), Any, Lit("): Transaction aborted (error ")],
            "BTRFS transaction aborted")
            .stackless()
            .quoted()
            .only(),
        row(K::FileSystem, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("BTRFS critical (device "), Any, Lit("): corrupt "), Words],
            "BTRFS corrupt {1}")
            .stackless()
            .quoted()
            .only(),
    ],
};

/// `blk_print_req_error()` in block/blk-mq.c, one line a request; before Linux 5.12 with a comma behind
/// the device.
#[rustfmt::skip] // rows
pub(super) const IO_ERROR: Marker = Marker {
    text: " error, dev ",
    anchor: "error, dev",
    unless: &[],
    consequence: &[Consequence::within(" error, dev ").after(" error, dev ")],
    kind: K::IoError,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::IoError, always(t::UNTYPED, Is(F::Other), S::Other),
            &[One(BLOCK_ERRORS), Lit(" error, dev "), Token, Lit(" sector ")], "{1} error")
            .stackless()
            .quoted()
            .only(),
    ],
};

/// `blk_errors` in block/blk-core.c.
const BLOCK_ERRORS: &[&str] = &[
    "I/O",
    "active zones exceeded",
    "critical medium",
    "critical nexus",
    "critical space allocation",
    "critical target",
    "device offline",
    "device resource",
    "dm internal retry",
    "duration limit exceeded",
    "invalid",
    "kernel resource",
    "nonblocking retry",
    "open zones exceeded",
    "operation not supported",
    "protection",
    "recoverable transport",
    "reservation conflict",
    "timeout",
];

/// `buffer_io_error()` in fs/buffer.c.
#[rustfmt::skip] // rows
pub(super) const BUFFER_ERROR: Marker = Marker {
    text: "Buffer I/O error on dev",
    anchor: "O error on",
    unless: &[],
    consequence: &[
        Consequence::within("Buffer I/O error on dev").after("Buffer I/O error on dev"),
        Consequence::within("Buffer I/O error on dev").after(" error, dev "),
    ],
    kind: K::IoError,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::IoError, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("Buffer I/O error on dev"), Any, Lit(", logical block ")], "buffer I/O error")
            .stackless()
            .quoted()
            .only(),
    ],
};

/// `nvme_timeout()` and `nvme_warn_reset()` in drivers/nvme/host/pci.c.
#[rustfmt::skip] // rows
pub(super) const NVME: Marker = Marker {
    text: "nvme nvme",
    anchor: "nvme nvme",
    unless: &[],
    consequence: &[Consequence::within("nvme nvme").after("nvme nvme")],
    kind: K::IoError,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::IoError, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("nvme nvme"), Digits, Lit(": I/O "), Any, Lit(" timeout, ")], "nvme: I/O timeout")
            .stackless()
            .quoted()
            .only(),
        row(K::IoError, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("nvme nvme"), Digits, Lit(": controller is down")], "nvme: controller is down")
            .stackless()
            .quoted()
            .only(),
    ],
};

/// `ata_eh_link_report()` in drivers/ata/libata-eh.c; the failed commands follow.
#[rustfmt::skip] // rows
pub(super) const ATA: Marker = Marker {
    text: " exception Emask 0x",
    anchor: "ption Emask",
    unless: &[],
    consequence: &[Consequence::within(" exception Emask 0x").after(" exception Emask 0x")],
    kind: K::IoError,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::IoError, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("ata"), Digits, Any, Lit(": exception Emask 0x")], "ata: exception")
            .stackless()
            .quoted()
            .only(),
    ],
};

/// `__print_mce()` in arch/x86/kernel/cpu/mce/core.c, `amd_decode_mce()` in drivers/edac/mce_amd.c
/// and `__ghes_print_estatus()` in drivers/acpi/apei/ghes.c, for corrected and recoverable errors.
#[rustfmt::skip] // rows
pub(super) const HARDWARE: Marker = Marker {
    text: "[Hardware Error]: ",
    anchor: "[Hardware Err",
    unless: &[],
    consequence: &[Consequence::within("[Hardware Error]: ").after("[Hardware Error]: ")],
    kind: K::HardwareError,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::HardwareError, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("[Hardware Error]: CPU "), Digits, Lit(": Machine Check: ")], "machine check")
            .stackless()
            .quoted()
            .only(),
        row(K::HardwareError, always(t::UNTYPED, Is(F::Other), S::Other), &[
            Lit("[Hardware Error]: "), Either(&[
                "Hardware error from APEI", "Machine check events logged", "Corrected error",
                "Deferred error", "Uncorrected, software", "event severity: ",
            ]),
        ], "hardware error")
            .stackless()
            .quoted()
            .only(),
    ],
};

/// `edac_ce_error()` and `edac_ue_error()` in drivers/edac/edac_mc.c: `EDAC MC0: 1 CE words on LABEL`.
#[rustfmt::skip] // rows
pub(super) const EDAC: Marker = Marker {
    text: "EDAC MC",
    anchor: "EDAC MC",
    unless: &[],
    consequence: &[Consequence::within("EDAC MC").after("EDAC MC")],
    kind: K::HardwareError,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::HardwareError, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("EDAC MC"), Digits, Lit(": "), Digits, Lit(" "), One(&["CE", "UE"]), Lit(" ")],
            "EDAC {1}")
            .stackless()
            .quoted()
            .only(),
        // Before Linux 3.5.
        row(K::HardwareError, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("EDAC MC"), Digits, Lit(": "), One(&["CE", "UE"]), Lit(" ")], "EDAC {1}")
            .stackless()
            .quoted()
            .only(),
    ],
};

/// `spl_dumpstack()` of OpenZFS, which prints no reason.
#[rustfmt::skip] // rows
pub(super) const SHOWING: Marker = Marker {
    text: "Showing stack for process ",
    anchor: "Showing stack",
    unless: &[],
    consequence: &[Consequence::own("Showing stack for process ")],
    kind: K::StackDump,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::StackDump, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("Showing stack for process "), Digits], "stack dump in {F}")
            .frames(CALLS),
    ],
};

/// `dump_stack_print_info()` in lib/dump_stack.c, without a headline above it.
#[rustfmt::skip] // rows
pub(super) const CPU: Marker = Marker {
    text: " Comm: ",
    anchor: " Comm: ",
    unless: &[],
    consequence: &[Consequence::own(" Comm: ")],
    kind: K::StackDump,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        row(K::StackDump, always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("CPU: "), Digits, Any, Lit(" PID: "), Digits, Lit(" Comm: ")], "stack dump in {F}")
            .frames(CALLS)
            .only(),
    ],
};

/// The functions of the stack below the headline.
const FRAMES: Recipe = Recipe::of(&[Part::Stack]);

/// Makes the marker of the line above a stack.
macro_rules! bare_trace {
    ($text:literal) => {
        Marker {
            text: $text,
            anchor: $text,
            unless: &[],
            consequence: &[],
            kind: K::StackDump,
            other: always(t::UNTYPED, Is(F::Other), S::Other),
            formats: &[row(
                K::StackDump,
                always(t::UNTYPED, Is(F::Other), S::Other),
                &[Lit($text)],
                "stack dump in {F}",
            )
            .frames(FRAMES)
            .bare_stack()],
        }
    };
}

/// A stack that was pasted without the lines above it: show_trace_log_lvl() in
/// arch/x86/kernel/dumpstack.c and similar functions.
pub(super) const CALL_TRACE: Marker = bare_trace!("Call Trace:");

/// The same of dump_backtrace() in arch/arm64/kernel/stacktrace.c.
pub(super) const CALL_TRACE_LOWER: Marker = bare_trace!("Call trace:");
