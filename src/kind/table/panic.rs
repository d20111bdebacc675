//! Panics of the kernel, and of Rust code in it.

use super::super::class::FamilyRule::Is;
use super::super::class::{Family as F, Symptom as S, always};
use super::super::pattern::Piece::{Any, Func, Hex, Later, Lit, Rest, Source, Until};
use super::super::types as t;
use super::super::{Consequence, Kind as K, Marker, Then, row};
use super::{CALLS, POINTER_ONLY, STACK_OVERFLOW};
use crate::functions::Skip;
use crate::syntax::Says;

#[rustfmt::skip] // rows
pub(super) const PANIC: Marker = Marker {
    text: "Kernel panic",
    anchor: "anic",
    unless: &[],
    consequence: &[
        // The reasons of panic() after another report.
        Consequence::always("Kernel panic - not syncing: Attempted to kill"), // do_exit(): init, idle
        Consequence::always("Kernel panic - not syncing: Hard LOCKUP"),
        Consequence::always("Kernel panic - not syncing: Machine halted"), // df_debug(): a double fault
        Consequence::always("Kernel panic - not syncing: RCU Stall"),
        Consequence::always("Kernel panic - not syncing: UBSAN:"),
        Consequence::always("Kernel panic - not syncing: panic_on_oops"),
        Consequence::always("Kernel panic - not syncing: scheduling while atomic"),
        Consequence::always("Aiee, killing interrupt handler"),
        Consequence::always("Fatal exception"), // oops_end(), die()
        Consequence::always("Fatal machine check"),
        Consequence::always("System is deadlocked on memory"),
        Consequence::always("hung_task: blocked tasks"),
        Consequence::always("kasan.fault=panic set"),
        Consequence::always("panic_on_warn set"), // check_panic_on_warn()
        Consequence::always("Kernel panic - not syncing: LBUG"), // lbug_with_loc() of Lustre
        Consequence::within("Kernel panic - not syncing: VERIFY").after("VERIFY"), // spl_panic()
        // arm64: arm64_serror_panic(), bad_mode(), __panic_unhandled().
        Consequence::within("SError Interrupt").after("SError"),
        Consequence::within("bad mode").after("Bad mode in "),
        Consequence::within("Unhandled exception").after(" exception on CPU"),
        // x86: vc_raw_handle_exception(), by sev_es_terminate().
        Consequence::within("Kernel panic - not syncing: ").after("Unhandled #VC exception"),
        // mce_panic() in arch/x86/kernel/cpu/mce/core.c has many reasons.
        Consequence::within("Kernel panic - not syncing: ").after("Machine Check Exception:"),
        Consequence::always("softlockup: hung tasks"),
    ],
    kind: K::Panic,
    other: always(t::UNTYPED, Is(F::Panic), S::Other),
    formats: &[
        row(K::Panic, always(t::DOS, Is(F::Panic), S::Other),
            &[Lit("Kernel panic - not syncing: stack-protector:")],
            "kernel panic: stack is corrupted in {1}")
            .body(&[
                Lit("Kernel panic - not syncing: stack-protector:"), Any,
                Lit("ernel stack is corrupted in: "), Func,
            ])
            .stackless(),
        row(K::Panic, always(t::DOS, Is(F::Panic), S::Other),
            &[Lit("Kernel panic - not syncing: stack-protector:")],
            "kernel panic: stack is corrupted in {F}")
            .body(&[
                Lit("Kernel panic - not syncing: stack-protector:"), Any,
                Lit("ernel stack is corrupted in: "), Hex,
            ])
            .frames(CALLS.skip(Skip::StackProtector)),
        row(K::StackOverflow, always(t::DOS, Is(F::Stack), S::Other),
            &[Lit("Kernel panic - not syncing: corrupted stack end")],
            "kernel panic: corrupted stack end in {F}")
            .body(&[
                Lit("Kernel panic - not syncing: corrupted stack end detected inside scheduler"),
            ])
            .frames(CALLS.skip(Skip::Schedule).skip(Skip::ScheduleEntry).stall())
            .alt(STACK_OVERFLOW),
        row(K::StackOverflow, always(t::DOS, Is(F::Stack), S::Other),
            &[Lit("Kernel panic - not syncing: kernel stack overflow")],
            "kernel stack overflow in {F}")
            .frames(CALLS.skip(Skip::BadStack).stall())
            .alt(STACK_OVERFLOW),
        row(K::Panic, always(t::DOS, Is(F::Panic), S::Other),
            &[Lit("Kernel panic - not syncing: Attempted to kill init!")],
            "kernel panic: Attempted to kill init!"),
        row(K::Panic, always(t::DOS, Is(F::Panic), S::Other),
            &[Lit("Kernel panic - not syncing: Couldn't open N_TTY ldisc for ")],
            "kernel panic: Couldn't open N_TTY ldisc"),
        row(K::Panic, always(t::DOS, Is(F::Panic), S::Other),
            &[Lit("Kernel panic - not syncing: Fatal exception")],
            "kernel panic: Fatal exception")
            .partial(),
        row(K::Panic, always(t::DOS, Is(F::Panic), S::Other),
            &[Lit("Kernel panic - not syncing: panic_on_warn set")],
            "kernel panic: panic_on_warn set")
            .partial(),
        row(K::Panic, always(t::DOS, Is(F::Panic), S::Other),
            &[Lit("Kernel panic - not syncing: hung_task: blocked tasks")],
            "kernel panic: hung_task: blocked tasks")
            .partial(),
        row(K::Cfi, always(t::CFI, Is(F::BadAccess), S::Access),
            &[Lit("Kernel panic - not syncing: CFI failure (target: ")], "CFI failure in {F}")
            .frames(CALLS)
            .quoted(),
        row(K::Panic, always(t::DOS, Is(F::Panic), S::Other),
            &[Lit("Kernel panic - not syncing: "), Rest], "kernel panic: {1}"),
    ],
};

/// `panic_bad_stack()` in arch/arm64/kernel/traps.c and `handle_bad_stack()` of arm and riscv: registers,
/// then the panic.
#[rustfmt::skip] // rows
pub(super) const BAD_STACK: Marker = Marker {
    text: "Insufficient stack space to handle exception!",
    anchor: "ception",
    unless: &[],
    consequence: &[],
    kind: K::StackOverflow,
    other: always(t::DOS, Is(F::Stack), S::Other),
    formats: &[
        row(K::StackOverflow, always(t::DOS, Is(F::Stack), S::Other),
            &[Lit("Insufficient stack space to handle exception!")],
            "kernel stack overflow in {F}")
            .then(&[Then::Says(Says::CALLS)])
            .frames(CALLS.skip(Skip::BadStack).stall())
            .alt(STACK_OVERFLOW)
            .trap()
            .stackless(),
        // arm prints the whole stack between the registers and the trace, which is often lost.
        row(K::StackOverflow, always(t::DOS, Is(F::Stack), S::Other),
            &[Lit("Insufficient stack space to handle exception!")],
            "kernel stack overflow in {F}")
            .frames(POINTER_ONLY)
            .alt(STACK_OVERFLOW)
            .trap()
            .stackless(),
    ],
};

pub(super) const RUST: Marker = Marker {
    text: "rust_kernel: panicked",
    anchor: "anic",
    unless: &[],
    consequence: &[],
    kind: K::RustPanic,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[
        // Before Linux 6.7 the message was on this line, in the format of Rust 1.72.
        row(
            K::RustPanic,
            always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("rust_kernel: panicked at '"), Until("',")],
            "{1} in {F}",
        )
        .frames(CALLS),
        // The message is the second line of the record: with its prefix, and without.
        row(
            K::RustPanic,
            always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("rust_kernel: panicked at "), Source, Lit(": "), Rest],
            "{1} in {F}",
        )
        .frames(CALLS),
        row(
            K::RustPanic,
            always(t::UNTYPED, Is(F::Other), S::Other),
            &[Lit("rust_kernel: panicked at "), Later, Rest],
            "{1} in {F}",
        )
        .frames(CALLS),
    ],
};
