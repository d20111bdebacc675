//! The probability that a known crash is of the bug of a report.
//!
//! The similarity of [`cluster`](crate::cluster) finds the known crashes; the features here compare
//! each with the report again, by the parts that authors of fixes quote: the innermost functions. A
//! softmax over the candidates and *no candidate* computes the probabilities.

use super::table::{BIAS, PAIR_FEATURES, WEIGHTS};
use crate::fingerprint::{FrameClass, Signature};

/// The maximum number of innermost functions that are compared.
const COMPARED: usize = 16;

/// The features of a report and a known crash, in the order of the table.
pub type PairFeatures = [f32; PAIR_FEATURES];

/// The names of the features, for the program that fits their weights.
pub const PAIR_NAMES: [&str; PAIR_FEATURES] = [
    "similarity",
    "same title",
    "same function in the title",
    "title function of one in the stack of the other",
    "same site",
    "same two innermost functions",
    "same three innermost functions",
    "share of the shorter stack",
    "common functions",
    "same family",
    "same directory",
    "same NULL offset",
    "same functions of the object",
    "equal",
];

/// Returns the functions of a stack that may name a bug, the innermost first.
pub(super) fn stack<'s>(signature: &'s Signature<'_>) -> Vec<(u64, &'s str)> {
    let relevant = signature.frames.iter().filter(|frame| frame.class == FrameClass::Relevant);
    relevant.map(|frame| (frame.hash, &*frame.function)).take(COMPARED).collect()
}

/// Returns the number of functions that two stacks have in common in the same order.
pub(super) fn common(a: &[(u64, &str)], b: &[(u64, &str)]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for (one, _) in a {
        let mut before = 0;
        for (at, (other, _)) in b.iter().enumerate() {
            let (left, up) =
                (row.get(at).copied().unwrap_or(0), row.get(at + 1).copied().unwrap_or(0));
            let best = if one == other { before + 1 } else { left.max(up) };
            before = up;
            if let Some(place) = row.get_mut(at + 1) {
                *place = best;
            }
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The sum of weighted features at which a report and a known crash are as similar as dissimilar, and the
/// unit of the distance to it.
const SIMILARITY: (f32, f32) = (9.0, 6.861);

/// The greatest similarity.
const MOST_SIMILAR: f32 = 2.3;

/// Compares a report with a known crash; `sum` is that of [`Match`](crate::cluster::Match).
pub fn pair_features(report: &Signature<'_>, known: &Signature<'_>, sum: f32) -> PairFeatures {
    let yes = |is: bool| f32::from(u8::from(is));
    let (a, b) = (stack(report), stack(known));
    let common = common(&a, &b);
    let shorter = a.len().min(b.len());
    let (title, other) = (report.title.function.as_deref(), known.title.function.as_deref());
    let is_in = |title: Option<&str>, stack: &[(u64, &str)]| {
        title.is_some_and(|title| stack.iter().take(6).any(|(_, function)| *function == title))
    };
    let functions = |signature: &Signature<'_>| -> Vec<u64> {
        signature
            .site
            .iter()
            .flat_map(|site| &site.functions)
            .map(|name| crate::fingerprint::hash(name))
            .collect()
    };
    let site = functions(report);
    let is_equal = |a: Option<u64>, b: Option<u64>| a.is_some() && a == b;
    let origins = report.origins.iter().filter(|one| {
        known.origins.iter().any(|other| (one.hash, one.role) == (other.hash, other.role))
    });
    let origins = origins.count().min(4);
    let shorter_share = if shorter == 0 { 0.0 } else { common as f32 / shorter as f32 };
    [
        ((sum - SIMILARITY.0) / SIMILARITY.1).clamp(-MOST_SIMILAR, MOST_SIMILAR),
        yes(report.title.hash == known.title.hash && title.is_some()),
        yes(title.is_some() && title == other),
        yes(is_in(title, &b)) / 2.0 + yes(is_in(other, &a)) / 2.0,
        yes(functions(known).iter().any(|function| site.contains(function))),
        yes(is_equal(report.top2, known.top2)),
        yes(is_equal(report.top3, known.top3)),
        shorter_share,
        (common as f32).ln_1p() / 2.0,
        yes(report.family == known.family),
        yes(report.place.directory.is_some() && report.place.directory == known.place.directory),
        match (report.facts.granule(), known.facts.granule()) {
            (Some(a), Some(b)) if a == b => 1.0,
            (Some(_), Some(_)) => -1.0,
            _ => 0.0,
        },
        origins as f32 / 4.0,
        yes(report.exact == known.exact),
    ]
}

/// Returns the score of a candidate.
pub(super) fn score(features: &PairFeatures) -> f32 {
    BIAS + features.iter().zip(WEIGHTS).map(|(value, (_, weight))| value * weight).sum::<f32>()
}

/// Converts the scores of candidates to probabilities; the rest up to 1 is the probability of *no
/// candidate*.
pub(super) fn probabilities(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(0.0, f32::max);
    let none = (-most).exp();
    let sum: f32 = none + scores.iter().map(|score| (score - most).exp()).sum::<f32>();
    for score in scores {
        *score = (*score - most).exp() / sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_compared_in_order() {
        let stack = |names: &'static str| -> Vec<(u64, &str)> {
            names.split(' ').map(|name| (crate::fingerprint::hash(name), name)).collect()
        };
        assert_eq!(common(&stack("a b c d"), &stack("a c d")), 3);
        assert_eq!(common(&stack("a b"), &stack("b a")), 1);
        assert_eq!(common(&[], &stack("a")), 0);
    }

    #[test]
    fn probabilities_include_no_candidate() {
        let mut scores = [0.0, 0.0];
        probabilities(&mut scores);
        assert!(scores.iter().all(|score| (score - 1.0 / 3.0).abs() < 1e-5), "{scores:?}");
        let mut far = [1000.0, -1000.0];
        probabilities(&mut far);
        assert!((far[0] - 1.0).abs() < 1e-5 && far[1].abs() < 1e-5, "{far:?}");
        probabilities(&mut []);
    }
}
