//! Crashes of other programs on the console: a trusted execution environment, fuzzers, sandboxes.

use super::super::class::FamilyRule::Is;
use super::super::class::{Family as F, Symptom as S, always};
use super::super::pattern::Piece::{Any, Lit, Rest};
use super::super::types as t;
use super::super::{Kind as K, Marker, row};

#[rustfmt::skip] // rows
pub(super) const TRUSTY: Marker = Marker {
    text: "trusty: panic",
    anchor: "anic",
    unless: &[],
    consequence: &[],
    kind: K::Trusty,
    other: always(t::DOS, Is(F::Other), S::Other),
    formats: &[
        row(K::Trusty, always(t::DOS, Is(F::Other), S::Other),
            &[Lit("trusty: panic"), Any, Lit("ASSERT FAILED")], "trusty: ASSERT FAILED: {1}")
            .body(&[
                Lit("trusty: panic ("), Any, Lit("): "), Any, Lit("ASSERT FAILED at ("), Any, Lit("): "),
                Rest,
            ])
            .stackless(),
        row(K::Trusty, always(t::DOS, Is(F::Other), S::Other),
            &[Lit("trusty: panic"), Any, Lit("ASSERT FAILED"), Any, Lit(":"), Rest],
            "trusty: ASSERT FAILED: {1}")
            .partial(),
        row(K::Trusty, always(t::DOS, Is(F::Other), S::Other),
            &[Lit("trusty: panic")], "trusty: panic: {1}")
            .body(&[Lit("trusty: panic ("), Any, Lit("): "), Rest])
            .stackless(),
    ],
};

pub(super) const GO: Marker = Marker {
    text: "fatal error:",
    anchor: "ror:",
    unless: &[
        &["ALSA"],
        &["fatal error: cannot create timer"],
        // Faults of a program that its runtime detects, which are frequent in the logs of
        // containers.
        &["fatal error: all goroutines are asleep"],
        &["fatal error: concurrent map "],
        &["fatal error: stack overflow"],
        &["fatal error: sync: "],
    ],
    consequence: &[],
    kind: K::User,
    other: always(t::UNTYPED, Is(F::Other), S::Other),
    formats: &[row(
        K::User,
        always(t::DOS, Is(F::Other), S::Other),
        &[Lit("fatal error:")],
        "go runtime error",
    )
    .stackless()],
};

pub(super) const SYZFAIL: Marker = Marker {
    text: "SYZFAIL:",
    anchor: "SYZFA",
    unless: &[],
    consequence: &[],
    kind: K::User,
    other: always(t::SYZ_FAILURE, Is(F::Other), S::Other),
    formats: &[row(
        K::User,
        always(t::SYZ_FAILURE, Is(F::Other), S::Other),
        &[Lit("SYZFAIL:"), Rest],
        "SYZFAIL:{1}",
    )
    .stackless()],
};

pub(super) const SYZFATAL: Marker = Marker {
    text: "SYZFATAL:",
    anchor: "SYZFA",
    unless: &[],
    consequence: &[],
    kind: K::User,
    other: always(t::SYZ_FAILURE, Is(F::Other), S::Other),
    formats: &[row(
        K::User,
        always(t::SYZ_FAILURE, Is(F::Other), S::Other),
        &[Lit("SYZFATAL:"), Rest],
        "SYZFATAL:{1}",
    )
    .alt(&["SYZFATAL"])
    .stackless()],
};

pub(super) const OTHER_PANIC: Marker = Marker {
    text: "panic:",
    anchor: "anic",
    unless: &[&["_panic:"], &["xlog_status:"], &["ddb.onpanic:"], &["evtlog_status:"]],
    consequence: &[],
    kind: K::User,
    other: always(t::DOS, Is(F::Other), S::Other),
    formats: &[
        row(
            K::User,
            always(t::DOS, Is(F::Other), S::Other),
            &[Lit("panic: Sentry detected "), Any, Lit(" stuck task")],
            "panic: Sentry detected stuck tasks",
        )
        .stackless(),
        row(K::User, always(t::DOS, Is(F::Other), S::Other), &[Lit("panic:"), Rest], "panic:{1}")
            .stackless(),
    ],
};

/// Markers of the runtimes of programs, which any program in a journal may print.
const RUNTIMES: [&Marker; 2] = [&GO, &OTHER_PANIC];

/// Whether a marker is that of a runtime.
pub(crate) fn is_of_runtime(marker: &Marker) -> bool {
    RUNTIMES.iter().any(|runtime| runtime.text == marker.text)
}

/// Whether a marker is that of a program's panic.
pub(crate) fn is_panic(marker: &Marker) -> bool {
    marker.text == OTHER_PANIC.text
}
