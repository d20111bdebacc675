//! What others print on the console: a trusted execution environment, fuzzers, sandboxes.

use super::super::pattern::Piece::{Any, Lit, Rest};
use super::super::{Kind as K, Marker, row};

#[rustfmt::skip] // rows
pub(super) const TRUSTY: Marker = Marker {
    text: "trusty: panic",
    unless: &[],
    kind: K::Trusty,
    formats: &[
        row(K::Trusty, &[Lit("trusty: panic"), Any, Lit("ASSERT FAILED")], "trusty: ASSERT FAILED: {1}")
            .body(&[
                Lit("trusty: panic ("), Any, Lit("): "), Any, Lit("ASSERT FAILED at ("), Any, Lit("): "),
                Rest,
            ])
            .stackless(),
        row(K::Trusty, &[Lit("trusty: panic"), Any, Lit("ASSERT FAILED"), Any, Lit(":"), Rest],
            "trusty: ASSERT FAILED: {1}")
            .partial(),
        row(K::Trusty, &[Lit("trusty: panic")], "trusty: panic: {1}")
            .body(&[Lit("trusty: panic ("), Any, Lit("): "), Rest])
            .stackless(),
    ],
};

pub(super) const GO: Marker = Marker {
    text: "fatal error:",
    unless: &[&["ALSA"], &["fatal error: cannot create timer"]],
    kind: K::User,
    formats: &[row(K::User, &[Lit("fatal error:")], "go runtime error").stackless()],
};

pub(super) const SYZFAIL: Marker = Marker {
    text: "SYZFAIL:",
    unless: &[],
    kind: K::User,
    formats: &[row(K::User, &[Lit("SYZFAIL:"), Rest], "SYZFAIL:{1}").stackless()],
};

pub(super) const SYZFATAL: Marker = Marker {
    text: "SYZFATAL:",
    unless: &[],
    kind: K::User,
    formats: &[row(K::User, &[Lit("SYZFATAL:"), Rest], "SYZFATAL:{1}")
        .alt(&["SYZFATAL"])
        .stackless()],
};

pub(super) const OTHER_PANIC: Marker = Marker {
    text: "panic:",
    unless: &[&["_panic:"], &["xlog_status:"], &["ddb.onpanic:"], &["evtlog_status:"]],
    kind: K::User,
    formats: &[
        row(
            K::User,
            &[Lit("panic: Sentry detected "), Any, Lit(" stuck task")],
            "panic: Sentry detected stuck tasks",
        )
        .stackless(),
        row(K::User, &[Lit("panic:"), Rest], "panic:{1}").stackless(),
    ],
};
