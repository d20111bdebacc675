//! The line of `die()` with its counter, for causes that have no row in `trap`.

use super::super::class::FamilyRule::{ByAddress, ByReporter, Is};
use super::super::class::{Family as F, Symptom as S, always};
use super::super::pattern::Piece::{Any, Cause, Digits, Either, Hex, Lit, One, Until};
use super::super::types as t;
use super::super::{Consequence, Format, Kind as K, Marker, Part, Recipe, row};
use super::{BAD_ACCESS, CALLS, POINTER, STACK_OVERFLOW};
use crate::functions::Skip;

/// The instruction pointer, else the first frame: the pointer line of some machines is not known.
const WHERE: Recipe = POINTER.or(CALLS.parts);

/// The instruction pointer and the frames below it, which have no line above them.
const STOPPED: Recipe = Recipe::of(&[Part::Pointer, Part::Stack]);

/// The first to third oops since the boot: the scan has no room for more anchors.
pub(super) const DIED: Marker = marker("[#1]", "[#1]", COUNTED);
pub(super) const DIED_AGAIN: Marker = marker("[#2]", "[#2]", COUNTED);
pub(super) const DIED_OFTEN: Marker = marker("[#3]", "[#3]", COUNTED);

/// Any other oops, with `Oops: ` before the cause; machines that do not count, microblaze and
/// nios2; and the prompt of kdb, `kdb_local()` in kernel/debug/kdb/kdb_main.c, which may come
/// first.
pub(super) const ANNOUNCED: Marker = marker("Oops: ", "ops: ", &[Consequence::own("Oops: ")]);

/// Most architectures print the description of the fault first, then the line of `die()`.
const COUNTED: &[Consequence] = &[Consequence::own("[#")];

const fn marker(
    text: &'static str,
    anchor: &'static str,
    consequence: &'static [Consequence],
) -> Marker {
    Marker {
        text,
        anchor,
        unless: &[],
        consequence,
        kind: K::Oops,
        other: always(t::DOS, Is(F::Other), S::Other),
        formats: FORMATS,
    }
}

/// xmon, the debugger of powerpc, which stops the machine before anything else is printed: `excprint()`
/// in arch/powerpc/xmon/xmon.c. The number is that of the interrupt.
#[rustfmt::skip] // rows
pub(super) const XMON: Marker = Marker {
    text: ": Vector: ",
    anchor: ": Vector: ",
    unless: &[],
    consequence: &[Consequence::own(": Vector: ")],
    kind: K::Oops,
    other: always(t::DOS, Is(F::Other), S::Other),
    formats: &[
        row(K::PageFault, always(t::MEMORY_SAFETY_BUG, ByAddress, S::Access),
            &[Lit("cpu 0x"), Hex, Lit(": Vector: "), Either(&["300 ", "380 ", "400 ", "480 "]), Lit("(")],
            "BUG: unable to handle kernel paging request in {F}")
            .frames(STOPPED)
            .alt(BAD_ACCESS)
            .bare_stack()
            .trap()
            .only(),
        row(K::Oops, always(t::DOS, Is(F::Other), S::Other),
            &[Lit("cpu 0x"), Hex, Lit(": Vector: "), Hex, Lit(" ("), Until(")"), Lit(")")], "{1} in {F}")
            .frames(STOPPED)
            .bare_stack()
            .trap()
            .only(),
    ],
};

/// mips: `do_be()` in arch/mips/kernel/traps.c, above the line of `die()`.
#[rustfmt::skip] // rows
pub(super) const BUS_ERROR: Marker = Marker {
    text: " bus error, epc == ",
    anchor: ", epc ==",
    unless: &[],
    consequence: &[],
    kind: K::UnhandledFault,
    other: always(t::DOS, ByAddress, S::Access),
    formats: &[
        row(K::UnhandledFault, always(t::DOS, ByAddress, S::Access),
            &[One(&["Data", "Instruction"]), Lit(" bus error, epc == ")], "{1} bus error in {F}")
            .frames(WHERE)
            .trap()
            .only(),
    ],
};

/// Causes of an invalid instruction: riscv, s390, mips, loongarch, parisc, sparc, hexagon.
#[rustfmt::skip] // words
const ILLEGAL: &[&str] = &[
    "illegal instruction", "Illegal instruction", "Illegal Instruction", "illegal operation",
    "Reserved instruction", "Kernel illegal instruction",
];

/// Causes of a `BUG()`: csky, loongarch, riscv, sh, mips; s390 has a monitor event for it.
const BUGS: &[&str] = &["BUG", "Kernel BUG", "Kernel bug detected", "monitor event"];

#[rustfmt::skip] // rows
const FORMATS: &[Format] = &[
    // exc_int3() and exc_stack_segment() in arch/x86/kernel/traps.c.
    row(K::Int3, always(t::DOS, Is(F::Other), S::Other), &[Cause(&["int3"])], "int3 in {F}")
        .frames(WHERE)
        .trap()
        .only(),
    row(K::StackSegment, always(t::DOS, Is(F::Other), S::Access),
        &[Cause(&["stack segment"])], "stack segment fault in {F}")
        .frames(WHERE)
        .trap()
        .only(),
    row(K::InvalidOpcode, always(t::DOS, ByReporter(F::Bug), S::Other),
        &[Cause(ILLEGAL)], "{1} in {F}")
        .frames(WHERE)
        .trap()
        .only(),
    row(K::KernelBug, always(t::BUG, ByReporter(F::Bug), S::Other),
        &[Cause(BUGS)], "kernel BUG in {F}")
        .frames(WHERE.skip(Skip::Skb))
        .trap()
        .only(),
    // bad_stack_overflow() in arch/powerpc/kernel/traps.c, handle_stack_overflow() of x86.
    row(K::StackOverflow, always(t::DOS, Is(F::Stack), S::Other),
        &[Cause(&["Kernel stack overflow", "stack guard page"])], "kernel stack overflow in {F}")
        .frames(WHERE.stall())
        .alt(STACK_OVERFLOW)
        .trap()
        .only(),
    // exc_double_fault() in arch/x86/kernel/traps.c, below a line that may be missing.
    row(K::DoubleFault, always(t::DOS, Is(F::Stack), S::Other),
        &[Cause(&["double fault"])], "PANIC: double fault in {F}")
        .frames(WHERE)
        .trap()
        .only(),
    // The cause that no_context() and similar functions pass; the line above it is missing.
    row(K::PageFault, always(t::MEMORY_SAFETY_BUG, ByAddress, S::Access),
        &[Cause(&["Oops"])], "BUG: unable to handle kernel paging request in {F}")
        .frames(WHERE)
        .alt(BAD_ACCESS)
        .trap()
        .only(),
    row(K::Oops, always(t::DOS, Is(F::Other), S::Other), &[Cause(&[])], "{1} in {F}")
        .frames(WHERE)
        .trap()
        .only(),
    row(K::Oops, always(t::DOS, Is(F::Other), S::Other),
        &[Lit("Oops: "), Until(", sig: "), Lit(", sig: "), Digits], "{1} in {F}")
        .frames(WHERE)
        .trap()
        .only(),
    row(K::Oops, always(t::DOS, Is(F::Other), S::Other),
        &[Lit("Entering kdb (current="), Any, Lit(" Oops: ")], "kdb: Oops in {F}")
        .frames(WHERE)
        .trap()
        .quoted()
        .only(),
];
