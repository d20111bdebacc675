//! The probability that a known crash is of the bug of a report.
//!
//! The similarity of [`cluster`](crate::cluster) finds the known crashes; the features here compare
//! each with the report again, by the parts that authors of fixes quote: the innermost functions. A
//! softmax over the candidates and *no candidate* computes the probabilities.

use super::table::{BIAS, PAIR_FEATURES, WEIGHTS};
use crate::cluster::{Feature, Match};
use crate::fingerprint::{FrameClass, Signature, age};

/// The maximum number of innermost functions that are compared.
const COMPARED: usize = 16;

/// The features of a report and a known crash, in the order of the table.
pub type PairFeatures = [f32; PAIR_FEATURES];

/// The names of the features, for the program that fits their weights.
pub const PAIR_NAMES: [&str; PAIR_FEATURES] = [
    "similarity",
    "same function in the title",
    "same two innermost functions",
    "same three innermost functions",
    "share of the shorter stack",
    "share of the quoted stack",
    "similar source files",
    "similar names of functions",
    "file of the quoted site in the stack",
    "same family",
    "same NULL offset",
    "similar functions that freed the object",
    "same release",
    "newer than the quoted kernel",
];

/// The number of innermost functions whose files are compared.
const COMPARED_FILES: usize = 6;

/// The number of releases from which a kernel is as likely as not to have all fixes of the quoted
/// one.
const NEWER: f32 = 5.0;

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

/// Returns the files of the innermost functions of a stack.
fn files<'s>(signature: &'s Signature<'_>) -> impl Iterator<Item = &'s str> {
    let relevant = signature.frames.iter().filter(|frame| frame.class == FrameClass::Relevant);
    relevant.take(COMPARED_FILES).filter_map(|frame| frame.file.as_deref())
}

/// Returns by how many releases the kernel of a report is newer than the one that a message quotes,
/// from 0 to 1. Then the fix is probably in it.
fn newer(report: &Signature<'_>, known: &Signature<'_>) -> f32 {
    let of = |signature: &Signature<'_>| signature.release.as_deref().and_then(age);
    let distance = of(report).zip(of(known)).map_or(0.0, |(a, b)| a - b);
    distance.clamp(0.0, NEWER) / NEWER
}

/// Compares a report with a known crash, to which it has the similarity `like`.
pub fn pair_features(report: &Signature<'_>, known: &Signature<'_>, like: &Match) -> PairFeatures {
    let yes = |is: bool| f32::from(u8::from(is));
    let (a, b) = (stack(report), stack(known));
    let common = common(&a, &b);
    let share = |part: usize, of: usize| if of == 0 { 0.0 } else { part as f32 / of as f32 };
    let quoted = b.iter().filter(|(one, _)| a.iter().any(|(other, _)| one == other)).count();
    let (title, other) = (report.title.function.as_deref(), known.title.function.as_deref());
    let is_equal = |a: Option<u64>, b: Option<u64>| a.is_some() && a == b;
    let of = |feature: Feature| {
        let values = like.features.iter().filter(|(other, _)| *other == feature);
        values.map(|(_, value)| *value).sum::<f32>()
    };
    let shorter = share(common, a.len().min(b.len()));
    // Without files, equal functions are of equal ones.
    let has_files = files(report).next().is_some() && files(known).next().is_some();
    let of_site = known.place.file.as_deref();
    let has_site = || {
        let site = b.first().map(|(hash, _)| hash);
        site.is_some_and(|site| a.iter().take(COMPARED_FILES).any(|(hash, _)| hash == site))
    };
    [
        ((like.pair_sum() - SIMILARITY.0) / SIMILARITY.1).clamp(-MOST_SIMILAR, MOST_SIMILAR),
        yes(title.is_some() && title == other),
        yes(is_equal(report.top2, known.top2)),
        yes(is_equal(report.top3, known.top3)),
        shorter,
        share(quoted, b.len()),
        if has_files { of(Feature::Files) } else { shorter },
        of(Feature::Parts),
        match of_site.filter(|_| has_files) {
            Some(file) => yes(files(report).any(|other| other == file)),
            None => yes(has_site()),
        },
        yes(report.family == known.family),
        match (report.facts.granule(), known.facts.granule()) {
            (Some(a), Some(b)) if a == b => 1.0,
            (Some(_), Some(_)) => -1.0,
            _ => 0.0,
        },
        of(Feature::Free),
        yes(report.release.is_some() && report.release == known.release),
        newer(report, known),
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
