//! Traps: what a processor reports itself.

use super::super::pattern::Piece::{Any, Lit, One, Rest};
use super::super::{Kind as K, Marker, row};
use super::{BAD_ACCESS, POINTER, POINTER_ONLY, STALL};

#[rustfmt::skip] // rows
pub(super) const UNABLE_TO_HANDLE: Marker = Marker {
    text: "Unable to handle kernel",
    unless: &[],
    kind: K::PageFault,
    formats: &[
        row(K::NullDereference, &[Lit("Unable to handle kernel NULL pointer dereference")],
            "BUG: unable to handle kernel NULL pointer dereference in {F}")
            .frames(POINTER)
            .alt(BAD_ACCESS)
            .trap(),
        row(K::PageFault, &[
            Lit("Unable to handle kernel "), One(&["paging request", "access to user memory"]),
        ], "BUG: unable to handle kernel {1} in {F}")
            .frames(POINTER)
            .alt(BAD_ACCESS)
            .trap(),
        // What else arm64 and arm say: die_kernel_fault() in arch/arm64/mm/fault.c.
        row(K::PageFault, &[Lit("Unable to handle kernel "), One(&[
            "write to read-only memory", "execute from non-executable memory", "execution of memory",
            "read from unreadable memory", "execution of user memory",
        ])], "BUG: unable to handle kernel {1} in {F}")
            .frames(POINTER)
            .alt(BAD_ACCESS)
            .trap(),
        // s390: do_no_context() in arch/s390/mm/fault.c.
        row(K::PageFault, &[Lit("Unable to handle kernel pointer dereference")],
            "BUG: unable to handle kernel pointer dereference in {F}")
            .frames(POINTER)
            .alt(BAD_ACCESS)
            .trap(),
    ],
};

pub(super) const PROTECTION_FAULT: Marker = Marker {
    text: "general protection fault",
    // A program that crashed: `traps: a.out[1] general protection fault ip:… error:0 in a.out[…]`.
    unless: &[&["general protection fault", "error:", " in "]],
    kind: K::GeneralProtectionFault,
    formats: &[row(
        K::GeneralProtectionFault,
        &[Lit("general protection fault"), Any, Lit(":")],
        "general protection fault in {F}",
    )
    .frames(POINTER)
    .alt(BAD_ACCESS)
    .trap()],
};

pub(super) const STACK_SEGMENT: Marker = Marker {
    text: "stack segment: ",
    unless: &[],
    kind: K::StackSegment,
    formats: &[row(K::StackSegment, &[Lit("stack segment: ")], "stack segment fault in {F}")
        .frames(POINTER)
        .trap()],
};

pub(super) const DOUBLE_FAULT: Marker = Marker {
    text: "PANIC: double fault",
    unless: &[],
    kind: K::DoubleFault,
    formats: &[row(K::DoubleFault, &[Lit("PANIC: double fault")], "PANIC: double fault in {F}")
        .frames(POINTER_ONLY)
        .trap()],
};

pub(super) const DIVIDE_ERROR: Marker = Marker {
    text: "divide error:",
    unless: &[],
    kind: K::DivideError,
    formats: &[row(K::DivideError, &[Lit("divide error: ")], "divide error in {F}")
        .frames(POINTER_ONLY)
        .trap()],
};

/// Between Linux 5.8 and 5.9 the name of the trap was that of the handler.
pub(super) const DIVIDE_ERROR_NEW: Marker = Marker {
    text: "divide_error:",
    formats: &[row(K::DivideError, &[Lit("divide_error: ")], "divide error in {F}")
        .frames(POINTER_ONLY)
        .trap()],
    ..DIVIDE_ERROR
};

pub(super) const INVALID_OPCODE: Marker = Marker {
    text: "invalid opcode:",
    unless: &[],
    kind: K::InvalidOpcode,
    formats: &[row(K::InvalidOpcode, &[Lit("invalid opcode: ")], "invalid opcode in {F}")
        .frames(POINTER_ONLY)
        .trap()],
};

pub(super) const INT3: Marker = Marker {
    text: "int3:",
    unless: &[],
    kind: K::Int3,
    formats: &[row(K::Int3, &[Lit("int3: ")], "int3 in {F}").frames(POINTER).trap()],
};

pub(super) const INTERNAL_ERROR: Marker = Marker {
    text: "Internal error:",
    unless: &[],
    kind: K::InternalError,
    formats: &[row(K::InternalError, &[Lit("Internal error:")], "Internal error in {F}")
        .frames(POINTER)
        .alt(BAD_ACCESS)
        .trap()],
};

pub(super) const UNHANDLED_FAULT: Marker = Marker {
    text: "Unhandled fault:",
    unless: &[],
    kind: K::UnhandledFault,
    formats: &[row(K::UnhandledFault, &[Lit("Unhandled fault:")], "Unhandled fault in {F}")
        .frames(POINTER)
        .alt(BAD_ACCESS)
        .trap()],
};

pub(super) const ALIGNMENT_TRAP: Marker = Marker {
    text: "Alignment trap:",
    unless: &[],
    kind: K::UnhandledFault,
    formats: &[row(K::UnhandledFault, &[Lit("Alignment trap:")], "Alignment trap in {F}")
        .frames(POINTER)
        .trap()],
};

/// What is left of a page fault whose first line is missing: `__die()` in
/// arch/x86/kernel/dumpstack.c. The error code has four digits.
pub(super) const OOPS: Marker = Marker {
    text: "Oops: 0",
    unless: &[],
    kind: K::PageFault,
    formats: &[row(
        K::PageFault,
        &[Lit("Oops: 0"), Any, Lit("[#")],
        "BUG: unable to handle kernel paging request in {F}",
    )
    .frames(POINTER)
    .alt(BAD_ACCESS)
    .trap()],
};

/// powerpc: `die()` in arch/powerpc/kernel/traps.c, after `bad_page_fault()` or alone.
pub(super) const BAD_AREA: Marker = Marker {
    text: "Oops: Kernel access of bad area",
    unless: &[],
    kind: K::PageFault,
    formats: &[row(
        K::PageFault,
        &[Lit("Oops: Kernel access of bad area")],
        "BUG: unable to handle kernel paging request in {F}",
    )
    .frames(POINTER)
    .alt(BAD_ACCESS)
    .trap()],
};

/// s390: `do_trap()` in arch/s390/kernel/traps.c.
pub(super) const FIXPOINT_DIVIDE: Marker = Marker {
    text: "fixpoint divide exception:",
    unless: &[],
    kind: K::DivideError,
    formats: &[row(K::DivideError, &[Lit("fixpoint divide exception:")], "divide error in {F}")
        .frames(POINTER)
        .trap()],
};

/// mips: `do_trap_or_bp()` in arch/mips/kernel/traps.c.
pub(super) const KERNEL_BUG_DETECTED: Marker = Marker {
    text: "Kernel bug detected[",
    unless: &[],
    kind: K::KernelBug,
    formats: &[row(K::KernelBug, &[Lit("Kernel bug detected["), Rest], "kernel BUG in {F}")
        .frames(POINTER)
        .trap()],
};

/// `watchdog_overflow_callback()` in kernel/watchdog_hld.c.
pub(super) const HARD_LOCKUP: Marker = Marker {
    text: "Watchdog detected hard LOCKUP",
    unless: &[],
    kind: K::HardLockup,
    formats: &[row(K::HardLockup, &[Lit("Watchdog detected hard LOCKUP")], "hard lockup in {F}")
        .frames(POINTER)
        .alt(STALL)
        .trap()],
};

/// x86: `print_mce()` in arch/x86/kernel/cpu/mce/core.c. Without `Exception` the processor corrected
/// the error itself.
pub(super) const MACHINE_CHECK: Marker = Marker {
    text: ": Machine Check Exception:",
    unless: &[],
    kind: K::MachineCheck,
    formats: &[row(
        K::MachineCheck,
        &[Lit(": Machine Check Exception:")],
        "machine check exception",
    )
    .stackless()],
};

/// powerpc: `die_mce()` in arch/powerpc/kernel/traps.c.
pub(super) const MACHINE_CHECK_OOPS: Marker = Marker {
    text: "Oops: Machine check",
    unless: &[],
    kind: K::MachineCheck,
    formats: &[row(K::MachineCheck, &[Lit("Oops: Machine check")], "machine check in {F}")
        .frames(POINTER)
        .trap()],
};
