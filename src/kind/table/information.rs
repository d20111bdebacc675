//! Information reports: memory exhaustion and damaged file systems.

use super::super::class::FamilyRule::Is;
use super::super::class::{Family as F, Symptom as S, always};
use super::super::pattern::Piece::{Any, Digits, Either, Lit, Token, Until};
use super::super::types as t;
use super::super::{Consequence, Kind as K, Marker, Recipe, Then, row};
use super::CALLS;
use crate::functions::Skip;
use crate::syntax::Says;

/// The stack of a task that asked for memory; what manages memory is no answer.
#[rustfmt::skip] // words
const ASKED: Recipe = CALLS.skip(Skip::Allocation);

/// `dump_header()` in mm/oom_kill.c prints the stack of the task that asked, then the memory and the
/// tasks; `__oom_kill_process()` prints last whom it killed.
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

/// The same where the log begins later, or the rest goes elsewhere.
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

/// `EXT4-fs error (device sda1): ext4_lookup:1855: inode #2: comm ls: …`: the function that found it.
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
