//! What SLUB finds wrong: `slab_bug()` in mm/slub.c prints `BUG CACHE (TAINT): MESSAGE`.

use super::super::class::FamilyRule::Is;
use super::super::class::{Classes, Family as F, Symptom as S, always};
use super::super::pattern::Piece::{Any, Lit, Token};
use super::super::types as t;
use super::super::{Format, Kind as K, Marker, row};

const BAD_FREE: Classes = always(t::DOS, Is(F::BadFree), S::Other);
const DAMAGED: Classes = always(t::UNTYPED, Is(F::BadAccess), S::Other);
const LEFT: Classes = always(t::UNTYPED, Is(F::Other), S::Other);

/// A marker for one message, of caches with any name.
const fn message(text: &'static str, other: Classes, formats: &'static [Format]) -> Marker {
    Marker { text, anchor: "BUG ", unless: &[], consequence: &[], kind: K::Slab, other, formats }
}

/// check_object() and free_consistency_checks().
pub(super) const FREE: Marker = message(
    "): Object already free",
    BAD_FREE,
    &[row(
        K::Slab,
        BAD_FREE,
        &[Lit("BUG "), Token, Lit(" ("), Any, Lit("): Object already free")],
        "BUG: Object already free",
    )],
);

/// free_consistency_checks() and free_debug_processing().
pub(super) const NOT_AN_OBJECT: Marker = message(
    "): Invalid object pointer",
    BAD_FREE,
    &[row(
        K::Slab,
        BAD_FREE,
        &[Lit("BUG "), Token, Lit(" ("), Any, Lit("): Invalid object pointer")],
        "BUG: Invalid object pointer",
    )],
);

/// check_object() and on_freelist().
pub(super) const FREE_POINTER: Marker = message(
    "): Freepointer corrupt",
    DAMAGED,
    &[row(
        K::Slab,
        DAMAGED,
        &[Lit("BUG "), Token, Lit(" ("), Any, Lit("): Freepointer corrupt")],
        "BUG: Freepointer corrupt",
    )],
);

/// freelist_corrupted() and on_freelist().
pub(super) const FREE_CHAIN: Marker = message(
    "): Freechain corrupt",
    DAMAGED,
    &[row(
        K::Slab,
        DAMAGED,
        &[Lit("BUG "), Token, Lit(" ("), Any, Lit("): Freechain corrupt")],
        "BUG: Freechain corrupt",
    )],
);

/// alloc_consistency_checks().
pub(super) const FREE_LIST: Marker = message(
    "): Freelist Pointer check fails",
    DAMAGED,
    &[row(
        K::Slab,
        DAMAGED,
        &[Lit("BUG "), Token, Lit(" ("), Any, Lit("): Freelist Pointer check fails")],
        "BUG: Freelist Pointer check fails",
    )],
);

/// free_partial(), of `kmem_cache_destroy()`.
pub(super) const REMAINING: Marker = message(
    "): Objects remaining ",
    LEFT,
    &[row(
        K::Slab,
        LEFT,
        &[Lit("BUG "), Token, Lit(" ("), Any, Lit("): Objects remaining ")],
        "BUG: Objects remaining",
    )],
);
