//! The table of kinds.
//!
//! Markers are tried in this order, and so are the formats of a marker: the format whose trigger
//! begins first in the text is used, and of two at the same place the one that is listed first
//! here. Titles are those of syzbot, which kernel developers use for bug reports.

mod assertion;
mod bug;
mod cfi;
mod died;
mod info;
mod information;
mod panic;
mod part;
mod slab;
mod trap;
pub(crate) mod user;
mod warning;

use super::{Marker, Part, Recipe};
pub(crate) use part::{PARTS, PartLine};

/// The markers, in the order in which they are tried.
pub(crate) const MARKERS: &[&Marker] = &[
    &bug::BUG,
    &warning::WARNING,
    &info::INFO,
    &trap::UNABLE_TO_HANDLE,
    &trap::PROTECTION_FAULT,
    &panic::PANIC,
    &trap::DOUBLE_FAULT,
    &panic::RUST,
    &bug::KERNEL_BUG,
    &bug::KERNEL_BUG_REST,
    &slab::FREE,
    &slab::NOT_AN_OBJECT,
    &slab::OUTSIDE,
    &slab::NO_CACHE,
    &slab::BULK,
    &slab::TOO_MANY,
    &slab::FREE_POINTER,
    &slab::FREE_CHAIN,
    &slab::FREE_LIST,
    &slab::OBJECT_COUNT,
    &slab::OBJECT_NUMBER,
    &slab::NOT_A_SLAB,
    &slab::OBJECTS,
    &slab::IN_USE,
    &slab::REMAINING,
    &bug::KMALLOC,
    &trap::DIVIDE_ERROR,
    &trap::DIVIDE_ERROR_NEW,
    &trap::INVALID_OPCODE,
    &info::UBSAN,
    &info::BOOTING,
    &info::NETDEVICE,
    &info::VFS_CLOSE,
    &info::VFS_BUSY,
    &trap::INTERNAL_ERROR,
    &trap::UNHANDLED_FAULT,
    &trap::ALIGNMENT_TRAP,
    &user::TRUSTY,
    &user::GO,
    &user::SYZFAIL,
    &user::SYZFATAL,
    &user::OTHER_PANIC,
    &info::HUNG_TASK_HINT,
    &trap::OOPS,
    &bug::UNREFERENCED,
    &bug::OVERWRITTEN,
    &trap::FIXPOINT_DIVIDE,
    &trap::BAD_AREA,
    &trap::HARD_LOCKUP,
    &trap::HARD_LOCKUP_POWERPC,
    &panic::BAD_STACK,
    &trap::MACHINE_CHECK,
    &trap::MACHINE_CHECK_OOPS,
    &cfi::CFI,
    &cfi::CFI_CHECK,
    &trap::SERROR,
    &trap::BAD_MODE,
    &trap::UNHANDLED_EXCEPTION,
    &assertion::VERIFY,
    &assertion::PANIC_AT,
    &assertion::LUSTRE,
    &assertion::LNET,
    &assertion::SPL,
    &info::NOBODY_CARED,
    // After all markers that have more details.
    &died::DIED,
    &died::DIED_AGAIN,
    &died::DIED_OFTEN,
    &died::ANNOUNCED,
    &died::BUS_ERROR,
    &died::XMON,
    &information::OOM,
    &information::KILLED,
    &information::ALLOCATION,
    &information::EXT4,
    &information::XFS,
    &information::BTRFS,
    &information::IO_ERROR,
    &information::BUFFER_ERROR,
    &information::NVME,
    &information::ATA,
    &information::HARDWARE,
    &information::EDAC,
    &information::SHOWING,
    &information::CPU,
    &information::CALL_TRACE,
    &information::CALL_TRACE_LOWER,
];

/// The instruction pointer, else the first frame of the call trace.
const POINTER: Recipe = Recipe::of(&[Part::Pointer, Part::Calls, Part::Stack]);

/// The instruction pointer only.
const POINTER_ONLY: Recipe = Recipe::of(&[Part::Pointer]);

/// The first frame of the call trace.
const CALLS: Recipe = Recipe::of(&[Part::Calls, Part::Stack]);

/// The trap of a `WARN` and the frames below it; without one, the call trace.
const WARN: Recipe = Recipe::of(&[Part::Trap, Part::Stack]).or(&[Part::Calls, Part::Stack]);

const BAD_ACCESS: &[&str] = &["bad-access in {F}"];
const INVALID_FREE: &[&str] = &["invalid-free in {F}"];
const STALL: &[&str] = &["stall in {F}"];
const HANG: &[&str] = &["hang in {F}"];
const STACK_OVERFLOW: &[&str] = &["stack-overflow in {F}"];
