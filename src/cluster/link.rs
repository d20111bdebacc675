//! Links between reports, with reasons.

use super::feature::Feature;
use crate::order;
use crate::string_enum::string_enum;

string_enum! {
    /// The rule that linked two signatures, from the strongest to the weakest.
    pub enum LinkReason {
        /// A must-link: [`Index::must_link`](super::Index::must_link).
        Forced = "forced",
        /// The same exact hash.
        Exact = "exact",
        /// The same family at the same site.
        Site = "site",
        /// The same family, and the same two innermost functions that may name a bug.
        Stack = "stack",
        /// The same title and the same locks.
        Locks = "locks",
        /// Two hangs, of which each is in the log of the other.
        Hang = "hang",
        /// Two stalls with the same function in their titles, and four common functions in a row.
        Stall = "stall",
        /// Two warnings of one helper, with the same title and two common functions in a row.
        Warning = "warning",
        /// Two uses after free of objects that the same functions allocated and freed.
        Object = "object",
        /// The same title, of reports without a stack.
        Title = "title",
        /// The probability is at least [`ATTACH`](super::ATTACH).
        Score = "score",
    }
}

/// A link between two reports of a cluster.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Link {
    /// A report, by the number that [`Index::add`](super::Index::add) returned.
    pub a: u32,
    /// The other report.
    pub b: u32,
    /// The rule that linked them.
    pub how: LinkReason,
    /// The probability that they are of one bug, from 0 to 1; 1 unless the rule is a score.
    pub score: f32,
    /// The evidence in words: the functions, the titles, or the features.
    pub evidence: String,
}

/// Describes the features in words, the heaviest by these weights first.
pub(super) fn in_words(features: &[(Feature, f32)], weight: impl Fn(Feature) -> f32) -> String {
    let mut parts: Vec<_> = features
        .iter()
        .map(|(feature, value)| (weight(*feature) * value, *feature))
        .filter(|(weight, _)| weight.abs() >= 0.05)
        .collect();
    order::sort_by(&mut parts, |a, b| b.0.total_cmp(&a.0));
    let parts: Vec<_> =
        parts.iter().map(|(weight, feature)| format!("{} {weight:+.2}", feature.name())).collect();
    parts.join(", ")
}
