//! Panics of the kernel, and of Rust code in it.

use super::super::pattern::Piece::{Any, Func, Hex, Later, Lit, Rest};
use super::super::{Kind as K, Marker, row};
use super::{CALLS, STACK_OVERFLOW};

#[rustfmt::skip] // rows
pub(super) const PANIC: Marker = Marker {
    text: "Kernel panic",
    unless: &[],
    kind: K::Panic,
    formats: &[
        row(K::Panic, &[Lit("Kernel panic - not syncing: stack-protector:")],
            "kernel panic: stack is corrupted in {1}")
            .body(&[
                Lit("Kernel panic - not syncing: stack-protector:"), Any,
                Lit("ernel stack is corrupted in: "), Func,
            ])
            .stackless(),
        row(K::Panic, &[Lit("Kernel panic - not syncing: stack-protector:")],
            "kernel panic: stack is corrupted in {F}")
            .body(&[
                Lit("Kernel panic - not syncing: stack-protector:"), Any,
                Lit("ernel stack is corrupted in: "), Hex,
            ])
            .frames(CALLS.skip(&["stack_chk"])),
        row(K::StackOverflow, &[Lit("Kernel panic - not syncing: corrupted stack end")],
            "kernel panic: corrupted stack end in {F}")
            .body(&[
                Lit("Kernel panic - not syncing: corrupted stack end detected inside scheduler"),
            ])
            .frames(CALLS.skip(&["schedule", "retint_kernel"]).stall())
            .alt(STACK_OVERFLOW),
        row(K::StackOverflow, &[Lit("Kernel panic - not syncing: kernel stack overflow")],
            "kernel stack overflow in {F}")
            .frames(CALLS.skip(&["bad_stack"]).stall())
            .alt(STACK_OVERFLOW),
        row(K::Panic, &[Lit("Kernel panic - not syncing: Attempted to kill init!")],
            "kernel panic: Attempted to kill init!"),
        row(K::Panic, &[Lit("Kernel panic - not syncing: Couldn't open N_TTY ldisc for ")],
            "kernel panic: Couldn't open N_TTY ldisc"),
        row(K::Panic, &[Lit("Kernel panic - not syncing: Fatal exception")],
            "kernel panic: Fatal exception")
            .partial(),
        row(K::Panic, &[Lit("Kernel panic - not syncing: panic_on_warn set")],
            "kernel panic: panic_on_warn set")
            .partial(),
        row(K::Panic, &[Lit("Kernel panic - not syncing: hung_task: blocked tasks")],
            "kernel panic: hung_task: blocked tasks")
            .partial(),
        row(K::Panic, &[Lit("Kernel panic - not syncing: "), Rest], "kernel panic: {1}"),
    ],
};

pub(super) const RUST: Marker = Marker {
    text: "rust_kernel: panicked",
    unless: &[],
    kind: K::RustPanic,
    formats: &[row(K::RustPanic, &[Lit("rust_kernel: panicked at "), Later, Rest], "{1} in {F}")
        .frames(CALLS.skip(&["__rustc::rust_begin_unwind"]))],
};
