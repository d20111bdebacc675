//! Traps: exceptions of the processor.

use super::super::class::FamilyRule::{ByAddress, ByReporter, Is};
use super::super::class::{Classes, Family as F, Symptom as S, always, class};
use super::super::pattern::Piece::{Any, Digits, End, Lit, One, Rest, Token};
use super::super::types as t;
use super::super::{Consequence, Format, Kind as K, Marker, Part, row};
use super::{BAD_ACCESS, POINTER, POINTER_ONLY, STALL};

/// By the fault in the headline.
const FAULT_CLASSES: Classes = Classes::ByTitle(
    &[(
        "BUG: unable to handle kernel paging request",
        class(t::MEMORY_SAFETY_BUG, ByAddress, S::Access),
    )],
    class(t::UNTYPED, ByAddress, S::Access),
);

#[rustfmt::skip] // rows
pub(super) const UNABLE_TO_HANDLE: Marker = Marker {
    text: "Unable to handle kernel",
    anchor: "dle kernel",
    unless: &[],
    consequence: &[],
    kind: K::PageFault,
    other: always(t::UNTYPED, ByAddress, S::Other),
    formats: &[
        row(K::NullDereference, always(t::NULL_DEREFERENCE, Is(F::NullDereference), S::Access),
            &[Lit("Unable to handle kernel NULL pointer dereference")],
            "BUG: unable to handle kernel NULL pointer dereference in {F}")
            .frames(POINTER)
            .alt(BAD_ACCESS)
            .trap(),
        row(K::PageFault, FAULT_CLASSES, &[
            Lit("Unable to handle kernel "), One(&["paging request", "access to user memory"]),
        ], "BUG: unable to handle kernel {1} in {F}")
            .frames(POINTER)
            .alt(BAD_ACCESS)
            .trap(),
        // Other headlines of arm64 and arm: die_kernel_fault() in arch/arm64/mm/fault.c.
        row(K::PageFault, always(t::UNTYPED, ByAddress, S::Access),
            &[Lit("Unable to handle kernel "), One(&[
            "write to read-only memory", "execute from non-executable memory", "execution of memory",
            "read from unreadable memory", "execution of user memory",
        ])], "BUG: unable to handle kernel {1} in {F}")
            .frames(POINTER)
            .alt(BAD_ACCESS)
            .trap(),
        // s390: do_no_context() in arch/s390/mm/fault.c.
        row(K::PageFault, always(t::UNTYPED, ByAddress, S::Access),
            &[Lit("Unable to handle kernel pointer dereference")],
            "BUG: unable to handle kernel pointer dereference in {F}")
            .frames(POINTER)
            .alt(BAD_ACCESS)
            .trap(),
    ],
};

pub(super) const PROTECTION_FAULT: Marker = Marker {
    text: "general protection fault",
    anchor: " fault",
    // A crash of a program: `traps: a.out[1] general protection fault ip:… error:0 in a.out[…]`.
    // FreeBSD's trap_fatal() and panic().
    unless: &[
        &["general protection fault", "error:", " in "],
        &["Fatal trap ", ": general protection fault"],
        &["panic: general protection fault"],
    ],
    consequence: &[],
    kind: K::GeneralProtectionFault,
    other: always(t::UNTYPED, ByAddress, S::Access),
    formats: &[
        row(
            K::GeneralProtectionFault,
            always(t::DOS, ByAddress, S::Access),
            &[Lit("general protection fault"), Any, Lit(":")],
            "general protection fault in {F}",
        )
        .frames(POINTER)
        .alt(BAD_ACCESS)
        .trap(),
        // The line was mailed without the address.
        row(
            K::GeneralProtectionFault,
            always(t::DOS, ByAddress, S::Access),
            &[Lit("general protection fault, probably for "), Token, Lit(" address"), End],
            "general protection fault in {F}",
        )
        .frames(POINTER)
        .alt(BAD_ACCESS)
        .trap(),
    ],
};

pub(super) const DOUBLE_FAULT: Marker = Marker {
    text: "PANIC: double fault",
    anchor: " fault",
    unless: &[],
    consequence: &[Consequence::within("PANIC: double fault")],
    kind: K::DoubleFault,
    other: always(t::DOS, Is(F::Stack), S::Other),
    formats: &[row(
        K::DoubleFault,
        always(t::DOS, Is(F::Stack), S::Other),
        &[Lit("PANIC: double fault")],
        "PANIC: double fault in {F}",
    )
    .frames(POINTER_ONLY)
    .trap()],
};

pub(super) const DIVIDE_ERROR: Marker = Marker {
    text: "divide error:",
    anchor: "ror:",
    unless: &[],
    consequence: &[],
    kind: K::DivideError,
    other: always(t::UNTYPED, Is(F::Arithmetic), S::Other),
    formats: &[row(
        K::DivideError,
        always(t::DOS, Is(F::Arithmetic), S::Other),
        &[Lit("divide error: ")],
        "divide error in {F}",
    )
    .frames(POINTER_ONLY)
    .trap()],
};

/// In Linux 5.8 and 5.9 the name of the trap was that of the handler.
pub(super) const DIVIDE_ERROR_NEW: Marker = Marker {
    text: "divide_error:",
    anchor: "ror:",
    unless: &[],
    consequence: &[],
    kind: K::DivideError,
    other: always(t::UNTYPED, Is(F::Arithmetic), S::Other),
    formats: &[row(
        K::DivideError,
        always(t::DOS, Is(F::Arithmetic), S::Other),
        &[Lit("divide_error: ")],
        "divide error in {F}",
    )
    .frames(POINTER_ONLY)
    .trap()],
};

pub(super) const INVALID_OPCODE: Marker = Marker {
    text: "invalid opcode:",
    anchor: "id opcode",
    unless: &[],
    consequence: &[
        // The trap of a BUG is printed after the BUG.
        Consequence::own("invalid opcode:"),
    ],
    kind: K::InvalidOpcode,
    other: always(t::UNTYPED, ByReporter(F::Bug), S::Other),
    formats: &[row(
        K::InvalidOpcode,
        always(t::DOS, ByReporter(F::Bug), S::Other),
        &[Lit("invalid opcode: ")],
        "invalid opcode in {F}",
    )
    .frames(POINTER_ONLY)
    .trap()],
};

pub(super) const INTERNAL_ERROR: Marker = Marker {
    text: "Internal error:",
    anchor: "ror:",
    unless: &[],
    consequence: &[
        // arm and arm64 print the description of the fault first, then the line of die().
        Consequence::own("Internal error:"),
    ],
    kind: K::InternalError,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[row(
        K::InternalError,
        always(t::DOS, Is(F::Other), S::Other),
        &[Lit("Internal error:")],
        "Internal error in {F}",
    )
    .frames(POINTER)
    .alt(BAD_ACCESS)
    .trap()],
};

/// arm64: `arm64_serror_panic()` in arch/arm64/kernel/traps.c. The registers are between it and the
/// panic, which has a stack.
pub(super) const SERROR: Marker = on_cpu(
    " Interrupt on CPU",
    K::InternalError,
    &[row(
        K::InternalError,
        always(t::DOS, Is(F::Other), S::Other),
        &[Lit("SError Interrupt on CPU")],
        "SError Interrupt in {F}",
    )
    .frames(POINTER)
    .trap()
    .stackless()
    .quoted()
    .only()],
);

/// arm64: `bad_mode()` in arch/arm64/kernel/traps.c before Linux 5.14; the same for arm, which
/// calls die().
#[rustfmt::skip] // rows
pub(super) const BAD_MODE: Marker = on_cpu(" handler detected on CPU", K::UnhandledFault, &[
    row(K::InternalError, always(t::DOS, Is(F::Other), S::Other),
        &[Lit("Bad mode in "), Any, Lit("-- SError")], "SError Interrupt in {F}")
        .frames(POINTER)
        .trap()
        .stackless()
        .quoted()
        .only(),
    row(K::UnhandledFault, always(t::DOS, Is(F::Other), S::Other),
        &[Lit("Bad mode in "), Any, Lit(" handler detected on CPU")], "Bad mode in {F}")
        .frames(POINTER)
        .trap()
        .stackless()
        .quoted()
        .only(),
]);

/// arm64: `__show_regs()` and a panic follow, `__panic_unhandled()` in arch/arm64/kernel/entry-common.c.
pub(super) const UNHANDLED_EXCEPTION: Marker = on_cpu(
    " exception on CPU",
    K::UnhandledFault,
    &[row(
        K::UnhandledFault,
        always(t::DOS, Is(F::Other), S::Other),
        &[Lit("Unhandled "), Any, Lit(" exception on CPU")],
        "Unhandled exception in {F}",
    )
    .frames(POINTER)
    .trap()
    .stackless()
    .quoted()
    .only()],
);

/// The marker of a line of arm64 that names the CPU.
const fn on_cpu(text: &'static str, kind: K, formats: &'static [Format]) -> Marker {
    Marker {
        text,
        anchor: "n CPU",
        unless: &[],
        consequence: &[],
        kind,
        other: always(t::DOS, Is(F::Other), S::Other),
        formats,
    }
}

pub(super) const UNHANDLED_FAULT: Marker = Marker {
    text: "Unhandled fault:",
    anchor: " fault",
    unless: &[],
    consequence: &[],
    kind: K::UnhandledFault,
    other: always(t::UNTYPED, ByAddress, S::Other),
    formats: &[row(
        K::UnhandledFault,
        always(t::DOS, ByAddress, S::Other),
        &[Lit("Unhandled fault:")],
        "Unhandled fault in {F}",
    )
    .frames(POINTER)
    .alt(BAD_ACCESS)
    .trap()],
};

pub(super) const ALIGNMENT_TRAP: Marker = Marker {
    text: "Alignment trap:",
    anchor: "gnment trap",
    unless: &[],
    consequence: &[],
    kind: K::UnhandledFault,
    other: always(t::UNTYPED, ByAddress, S::Other),
    formats: &[row(
        K::UnhandledFault,
        always(t::DOS, ByAddress, S::Other),
        &[Lit("Alignment trap:")],
        "Alignment trap in {F}",
    )
    .frames(POINTER)
    .trap()],
};

/// The rest of a page fault whose first line is missing: `__die()` in arch/x86/kernel/dumpstack.c.
/// The error code has four digits.
pub(super) const OOPS: Marker = Marker {
    text: "Oops: 0",
    anchor: "ops: ",
    unless: &[],
    consequence: &[Consequence::own("Oops: 0")],
    kind: K::PageFault,
    other: always(t::UNTYPED, ByAddress, S::Other),
    formats: &[row(
        K::PageFault,
        always(t::MEMORY_SAFETY_BUG, ByAddress, S::Access),
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
    anchor: "ops: ",
    unless: &[],
    consequence: &[
        // powerpc prints the description of the fault first.
        Consequence::own("Oops: Kernel access of bad area"),
    ],
    kind: K::PageFault,
    other: always(t::UNTYPED, ByAddress, S::Other),
    formats: &[row(
        K::PageFault,
        always(t::MEMORY_SAFETY_BUG, ByAddress, S::Access),
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
    anchor: "ception",
    unless: &[],
    consequence: &[],
    kind: K::DivideError,
    other: always(t::UNTYPED, Is(F::Arithmetic), S::Other),
    formats: &[row(
        K::DivideError,
        always(t::DOS, Is(F::Arithmetic), S::Other),
        &[Lit("fixpoint divide exception:")],
        "divide error in {F}",
    )
    .frames(POINTER)
    .trap()],
};

/// `watchdog_overflow_callback()` in kernel/watchdog_hld.c.
pub(super) const HARD_LOCKUP: Marker = Marker {
    text: "Watchdog detected hard LOCKUP",
    anchor: "OCKUP",
    unless: &[],
    consequence: &[],
    kind: K::HardLockup,
    other: always(t::UNTYPED, Is(F::Stall), S::Other),
    formats: &[row(
        K::HardLockup,
        always(t::UNTYPED, Is(F::Stall), S::Hang),
        &[Lit("Watchdog detected hard LOCKUP")],
        "hard lockup in {F}",
    )
    .frames(POINTER)
    .alt(STALL)
    .trap()],
};

/// powerpc: `soft_nmi_interrupt()` and `watchdog_smp_panic()` in arch/powerpc/kernel/watchdog.c.
#[rustfmt::skip] // rows
pub(super) const HARD_LOCKUP_POWERPC: Marker = Marker {
    text: "detected hard LOCKUP",
    anchor: "OCKUP",
    unless: &[],
    consequence: &[],
    kind: K::HardLockup,
    other: always(t::UNTYPED, Is(F::Stall), S::Other),
    formats: &[
        row(K::HardLockup, always(t::UNTYPED, Is(F::Stall), S::Hang),
            &[Lit("CPU "), Digits, Lit(" self-detected hard LOCKUP @"), Rest], "hard lockup in {F}")
            .frames(POINTER_ONLY.or(&[Part::Headline]))
            .alt(STALL)
            .trap()
            .quoted()
            .only(),
        row(K::HardLockup, always(t::UNTYPED, Is(F::Stall), S::Hang),
            &[Lit("CPU "), Digits, Lit(" detected hard LOCKUP on other CPUs "), Rest],
            "hard lockup on other CPUs")
            .stackless()
            .quoted()
            .only(),
    ],
};

/// x86: `print_mce()` in arch/x86/kernel/cpu/mce/core.c. Without `Exception` the processor corrected
/// the error itself.
pub(super) const MACHINE_CHECK: Marker = Marker {
    text: ": Machine Check Exception:",
    anchor: "ception",
    unless: &[],
    consequence: &[
        // One line for each bank of each CPU.
        Consequence::within("Machine Check Exception:").after("Machine Check Exception:"),
    ],
    kind: K::MachineCheck,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[row(
        K::MachineCheck,
        always(t::UNTYPED, Is(F::Other), S::Other),
        &[Lit(": Machine Check Exception:")],
        "machine check exception",
    )
    .stackless()],
};

/// powerpc: `die_mce()` in arch/powerpc/kernel/traps.c.
pub(super) const MACHINE_CHECK_OOPS: Marker = Marker {
    text: "Oops: Machine check",
    anchor: "ops: ",
    unless: &[],
    consequence: &[],
    kind: K::MachineCheck,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[row(
        K::MachineCheck,
        always(t::UNTYPED, Is(F::Other), S::Other),
        &[Lit("Oops: Machine check")],
        "machine check in {F}",
    )
    .frames(POINTER)
    .trap()],
};
