//! The table of kinds.
//!
//! Markers are tried in this order, and so are the formats of a marker: the one whose trigger
//! stands first in the text wins, and of two at the same place the one that stands first here.
//! Titles are those that syzbot made the common language of kernel bug reports.

mod bug;
mod info;
mod information;
mod panic;
mod trap;
mod user;
mod warning;

use super::{Consequence, Marker, Part, Recipe};

/// The markers, in the order in which they are tried.
pub(crate) const MARKERS: &[&Marker] = &[
    &bug::BUG,
    &warning::WARNING,
    &info::INFO,
    &trap::UNABLE_TO_HANDLE,
    &trap::PROTECTION_FAULT,
    &trap::STACK_SEGMENT,
    &panic::PANIC,
    &trap::DOUBLE_FAULT,
    &panic::RUST,
    &bug::KERNEL_BUG,
    &bug::KERNEL_BUG_REST,
    &bug::KMALLOC,
    &trap::DIVIDE_ERROR,
    &trap::DIVIDE_ERROR_NEW,
    &trap::INVALID_OPCODE,
    &trap::INT3,
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
    &trap::KERNEL_BUG_DETECTED,
    &trap::HARD_LOCKUP,
    &trap::MACHINE_CHECK,
    &trap::MACHINE_CHECK_OOPS,
    &information::OOM,
    &information::KILLED,
    &information::ALLOCATION,
    &information::EXT4,
];

/// When a line that could start a report tells what the one before it led to.
#[rustfmt::skip] // rows
pub(crate) const CONSEQUENCES: &[Consequence] = &[
    // The reasons of panic() when another report decided to panic.
    Consequence::always("Fatal exception"),      // oops_end(), die()
    Consequence::always("Fatal machine check"),
    Consequence::always("panic_on_warn set"),    // check_panic_on_warn()
    Consequence::always("Kernel panic - not syncing: panic_on_oops"),
    Consequence::always("kasan.fault=panic set"),
    Consequence::always("Kernel panic - not syncing: Attempted to kill"), // do_exit(): init, idle
    Consequence::always("Aiee, killing interrupt handler"),
    Consequence::always("hung_task: blocked tasks"),
    Consequence::always("softlockup: hung tasks"),
    Consequence::always("Kernel panic - not syncing: Hard LOCKUP"),
    Consequence::always("Kernel panic - not syncing: RCU Stall"),
    Consequence::always("Kernel panic - not syncing: Machine halted"), // df_debug(): a double fault
    Consequence::always("System is deadlocked on memory"),
    Consequence::always("Kernel panic - not syncing: scheduling while atomic"),
    Consequence::always("Kernel panic - not syncing: UBSAN:"),
    // The trap of a BUG is announced after the BUG; arm and arm64 say first what happened, then
    // that they die of it; powerpc likewise.
    Consequence::within("invalid opcode:"),
    Consequence::within("Internal error:"),
    Consequence::within("hung_task_timeout_secs"),
    Consequence::within("Oops: 0"),
    Consequence::within("PANIC: double fault"),
    Consequence::within("Oops: Kernel access of bad area"),
    // One line for each bank of each CPU.
    Consequence::within("Machine Check Exception:").after("Machine Check Exception:"),
    Consequence::within("illed process ").after(" invoked oom-killer: "),
    // A task that hangs with the device's lock keeps it from going away.
    Consequence::within("unregister_netdevice: waiting for"),
    Consequence::within("unreferenced object").after("BUG: memory leak"),
    // umount_check() in fs/dcache.c prints both; a panic of Rust code is a BUG() in the end.
    Consequence::within("fs/dcache.c").after("BUG: Dentry "),
    Consequence::within("kernel BUG at").after("rust_kernel: panicked"),
];

/// The instruction pointer, else the first frame of the call trace.
const POINTER: Recipe = Recipe::of(&[Part::Pointer, Part::Calls, Part::Stack]);

/// The instruction pointer and nothing else.
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
