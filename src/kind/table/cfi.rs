//! Indirect calls of functions that have another type: `CONFIG_CFI_CLANG`, kernel/cfi.c.

use super::super::class::FamilyRule::Is;
use super::super::class::{Family as F, Symptom as S, always};
use super::super::pattern::Piece::Lit;
use super::super::types as t;
use super::super::{Kind as K, Marker, Part, Recipe, row};
use super::POINTER;

/// The caller in the headline, else the first frame.
const CALLER: Recipe = Recipe::of(&[Part::Headline]).or(POINTER.parts);

/// `report_cfi_failure()`: `CFI failure at CALLER (target: FUNCTION; expected type: 0xHASH)`.
pub(super) const CFI: Marker = Marker {
    text: "CFI failure at ",
    anchor: "lure ",
    unless: &[],
    consequence: &[],
    kind: K::Cfi,
    other: always(t::CFI, Is(F::BadAccess), S::Access),
    formats: &[row(
        K::Cfi,
        always(t::CFI, Is(F::BadAccess), S::Access),
        &[Lit("CFI failure at ")],
        "CFI failure in {F}",
    )
    .frames(CALLER)
    .trap()
    .quoted()],
};

/// `handle_cfi_failure()` up to Linux 6.0, whose check is a function that fails:
/// `CFI failure (target: FUNCTION):`, then a `WARNING:`.
pub(super) const CFI_CHECK: Marker = Marker {
    text: "CFI failure (target: ",
    anchor: "lure ",
    unless: &[],
    consequence: &[],
    kind: K::Cfi,
    other: always(t::CFI, Is(F::BadAccess), S::Access),
    formats: &[row(
        K::Cfi,
        always(t::CFI, Is(F::BadAccess), S::Access),
        &[Lit("CFI failure (target: ")],
        "CFI failure in {F}",
    )
    .frames(POINTER)
    .trap()
    .quoted()],
};
