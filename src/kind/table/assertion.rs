//! Checks of modules that are not in the kernel's tree: ZFS with its Solaris porting layer, Lustre.

use super::super::class::FamilyRule::{ByReporter, Is};
use super::super::class::{Classes, Family as F, Symptom as S, always};
use super::super::pattern::Piece::{Any, Digits, Either, Lit, Name, Source};
use super::super::types as t;
use super::super::{Consequence, Format, Kind as K, Marker, row};
use super::{CALLS, POINTER};

/// A failed check is a `BUG()` of the module.
const FAILED: Classes = always(t::BUG, ByReporter(F::Bug), S::Other);

/// `VERIFY()` and others in include/os/linux/spl/sys/debug.h of OpenZFS, by the types that they
/// compare; `ASSERT()` prints the same.
const VERIFIES: &[&str] = &["(", "3(", "3B(", "3S(", "3U(", "3P(", "0(", "0P(", "F("];

/// `VERIFY3(a == b) failed (1 == 0)`; `PANIC at file.c:1:function()` and the stack follow.
#[rustfmt::skip] // rows
pub(super) const VERIFY: Marker = Marker {
    text: "VERIFY",
    anchor: "VERIFY",
    unless: &[],
    consequence: &[],
    kind: K::Assertion,
    other: FAILED,
    formats: &[
        row(K::Assertion, FAILED,
            &[Lit("VERIFY"), Either(VERIFIES), Any, Lit(") failed")], "VERIFY failed in {F}")
            .frames(CALLS)
            .quoted()
            .only(),
    ],
};

/// `spl_panic()`, where the check is missing; `vcmn_err(CE_PANIC)` of the same; early exceptions of x86
/// (`early_fixup_exception()` in arch/x86/mm/extable.c).
#[rustfmt::skip] // rows
pub(super) const PANIC_AT: Marker = Marker {
    text: "PANIC",
    anchor: "PANIC",
    unless: &[],
    consequence: &[Consequence::own("PANIC at ")],
    kind: K::Assertion,
    other: FAILED,
    formats: &[
        row(K::Assertion, FAILED,
            &[Lit("PANIC at "), Source, Lit(":"), Name, Lit("()")], "PANIC in {1}")
            .quoted()
            .only(),
        row(K::Assertion, FAILED,
            &[Lit("PANIC: "), Either(&["zfs: ", "blkptr at "])], "PANIC in {F}")
            .frames(CALLS)
            .quoted()
            .only(),
        row(K::Oops, always(t::DOS, Is(F::Other), S::Other),
            &[Lit("PANIC: early exception ")], "early exception in {F}")
            .frames(POINTER)
            .trap()
            .quoted()
            .only(),
        // vc_raw_handle_exception() in arch/x86/coco/sev: show_regs() and a panic follow.
        row(K::Oops, always(t::DOS, Is(F::Other), S::Other),
            &[Lit("PANIC: Unhandled #VC exception in kernel space")], "unhandled #VC exception in {F}")
            .frames(POINTER)
            .trap()
            .stackless()
            .quoted()
            .only(),
    ],
};

pub(super) const LUSTRE: Marker = noted("LustreError: ");
pub(super) const LNET: Marker = noted("LNetError: ");
pub(super) const SPL: Marker = noted("SPLError: ");

/// The marker of modules that print the source line before the message: `libcfs_debug_msg()` in
/// libcfs, and the porting layer before ZFS 0.6.4.
const fn noted(who: &'static str) -> Marker {
    Marker {
        text: who,
        anchor: "ror:",
        unless: &[],
        consequence: REPEATED,
        kind: K::Assertion,
        other: FAILED,
        formats: NOTED,
    }
}

/// lbug_with_loc() and spl_debug_bug(), behind the check.
const REPEATED: &[Consequence] = &[Consequence::own("()) LBUG"), Consequence::own("()) SPL PANIC")];

/// `LustreError: PID:0:(file.c:LINE:function()) ASSERTION( check ) failed: words`.
#[rustfmt::skip] // rows
const NOTED: &[Format] = &[
    row(K::Assertion, FAILED, &[
        Either(WHO), Digits, Lit(":"), Digits, Lit(":("), Source, Lit(":"), Name, Lit("()) "),
        Either(&["ASSERTION(", "ASSERTION ("]),
    ], "ASSERTION failed in {1}")
        .quoted()
        .only(),
    row(K::Assertion, FAILED, &[
        Either(WHO), Digits, Lit(":"), Digits, Lit(":("), Source, Lit(":"), Name, Lit("()) VERIFY"),
    ], "VERIFY failed in {1}")
        .quoted()
        .only(),
    row(K::Assertion, FAILED, &[
        Either(WHO), Digits, Lit(":"), Digits, Lit(":("), Source, Lit(":"), Name, Lit("()) LBUG"),
    ], "LBUG in {1}")
        .quoted()
        .only(),
    row(K::Assertion, FAILED, &[
        Either(WHO), Digits, Lit(":"), Digits, Lit(":("), Source, Lit(":"), Name,
        Lit("()) SPL PANIC"),
    ], "SPL PANIC in {1}")
        .quoted()
        .only(),
];

const WHO: &[&str] = &["LustreError: ", "LNetError: ", "SPLError: "];
