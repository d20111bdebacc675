//! Inconsistencies that SLUB detects: `slab_bug()` in mm/slub.c prints
//! `BUG CACHE (TAINT): MESSAGE`.

use super::super::class::FamilyRule::Is;
use super::super::class::{Classes, Family as F, Symptom as S, always};
use super::super::pattern::Piece::{Any, Lit, Token};
use super::super::types as t;
use super::super::{Kind as K, Marker, row};

const BAD_FREE: Classes = always(t::DOS, Is(F::BadFree), S::Other);
const DAMAGED: Classes = always(t::UNTYPED, Is(F::BadAccess), S::Other);
const LEFT: Classes = always(t::UNTYPED, Is(F::Other), S::Other);

/// Defines a marker for each message, for caches with any name: its text, its classes and its
/// title.
macro_rules! messages {
    ($( $(#[doc = $doc:literal])+ $name:ident: $text:literal, $classes:ident, $title:literal; )+) => {$(
        $(#[doc = $doc])+
        pub(super) const $name: Marker = Marker {
            text: $text,
            anchor: "BUG ",
            unless: &[],
            consequence: &[],
            kind: K::Slab,
            other: $classes,
            formats: &[row(
                K::Slab,
                $classes,
                &[Lit("BUG "), Token, Lit(" ("), Any, Lit($text)],
                $title,
            )],
        };
    )+};
}

messages! {
    /// check_object() and free_consistency_checks().
    FREE: "): Object already free", BAD_FREE, "BUG: Object already free";
    /// free_consistency_checks() and free_debug_processing().
    NOT_AN_OBJECT: "): Invalid object pointer", BAD_FREE, "BUG: Invalid object pointer";
    /// free_consistency_checks().
    OUTSIDE: "): Attempt to free object", BAD_FREE, "BUG: Attempt to free object outside of slab";
    /// free_consistency_checks().
    NO_CACHE: "): No slab cache for object", BAD_FREE, "BUG: No slab cache for object";
    /// free_debug_processing(), of an array that kmem_cache_free_bulk() frees.
    BULK: "): Bulk free expected ", BAD_FREE, "BUG: Bulk free expected other objects";
    /// free_debug_processing().
    TOO_MANY: "): Slab has ", BAD_FREE, "BUG: More objects are freed than allocated";
    /// check_object() and on_freelist().
    FREE_POINTER: "): Freepointer corrupt", DAMAGED, "BUG: Freepointer corrupt";
    /// freelist_corrupted() and on_freelist().
    FREE_CHAIN: "): Freechain corrupt", DAMAGED, "BUG: Freechain corrupt";
    /// alloc_consistency_checks().
    FREE_LIST: "): Freelist Pointer check fails", DAMAGED, "BUG: Freelist Pointer check fails";
    /// on_freelist().
    OBJECT_COUNT: "): Wrong object count", DAMAGED, "BUG: Wrong object count";
    /// on_freelist().
    OBJECT_NUMBER: "): Wrong number of objects", DAMAGED, "BUG: Wrong number of objects";
    /// check_slab().
    NOT_A_SLAB: "): Not a valid slab page", DAMAGED, "BUG: Not a valid slab page";
    /// check_slab().
    OBJECTS: "): objects ", DAMAGED, "BUG: Too many objects in a slab";
    /// check_slab().
    IN_USE: "): inuse ", DAMAGED, "BUG: Too many objects in use";
    /// free_partial(), of `kmem_cache_destroy()`.
    REMAINING: "): Objects remaining ", LEFT, "BUG: Objects remaining";
}
