//! Why two reports belong together.

use super::feature::Feature;
use crate::string_enum::string_enum;

string_enum! {
    /// The rule that links two signatures, the strongest first.
    pub enum LinkReason {
        /// Somebody said so.
        Forced = "forced",
        /// All is equal but what differs from run to run.
        Exact = "exact",
        /// The same family at the same site.
        Site = "site",
        /// The same family, and the same two innermost functions that may name a bug.
        Stack = "stack",
        /// The same title and the same locks.
        Locks = "locks",
        /// The same title, of reports without a stack.
        Title = "title",
        /// They have so much in common that they are most likely one.
        Score = "score",
    }
}

/// Why two reports belong together.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Link {
    /// A report, by the number that [`Index::add`](super::Index::add) gave it.
    pub a: u32,
    /// The other one.
    pub b: u32,
    /// How it was found.
    pub how: LinkReason,
    /// The probability that they are one bug: 1 unless the link was found by its score.
    pub score: f32,
    /// In words: the functions, the titles, or what they have in common.
    pub evidence: String,
}

/// What two reports have in common, the heaviest first, in words.
pub(super) fn in_words(features: &[(Feature, f32)]) -> String {
    let mut parts: Vec<_> = features
        .iter()
        .map(|(feature, value)| (feature.weight() * value, *feature))
        .filter(|(weight, _)| weight.abs() >= 0.05)
        .collect();
    parts.sort_by(|a, b| b.0.total_cmp(&a.0));
    let parts: Vec<_> =
        parts.iter().map(|(weight, feature)| format!("{} {weight:+.2}", feature.name())).collect();
    parts.join(", ")
}
