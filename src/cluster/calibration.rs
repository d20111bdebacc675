//! Probabilities from the sums of weighted features.
//!
//! The values are those that `tools/src/bin/fit_weights.rs` prints.

use super::{Feature, Match};

/// The logistic curve (a, b) from the sum s of two reports alone to the probability that they are of one bug, fitted to the
/// first ten candidates of each report: 1 / (1 + e^-(a·s + b)).
const PAIR: (f32, f32) = (0.583, -5.247);

/// What the distance of a sum to the greatest one adds, for each unit.
const GAP: f32 = -1.081;

/// What the distance between the two greatest sums adds to the greatest one, for each unit.
const LEAD: f32 = 0.897;

/// The number of matches that the probabilities of a list are computed from: the first ten, whose probabilities are
/// fitted, and the background.
pub const CALIBRATED: usize = 11;

/// What the sum of the last of [`CALIBRATED`] matches adds, for each unit: the background. It is high for a bug with many
/// reports.
const BACKGROUND: f32 = 0.631;

/// The background where the list is shorter: the mean.
const USUAL: f32 = 5.75;

/// What these features add besides their weights. The order of a list depends on its report's release less than the
/// probability does.
const BESIDES: [(Feature, f32); 2] = [(Feature::Release, 7.290), (Feature::NoRelease, 6.331)];

/// The number of candidates that the curve is fitted to. Sums are log odds of one candidate among many, so twice as
/// many halve the odds of each. Fewer count as this number, because the bug may be none of them.
const CANDIDATES: f32 = 1000.0;

/// The probability for a sum among [`CANDIDATES`], by isotonic regression. Between the points it is linear.
#[rustfmt::skip] // rows
const CURVE: &[(f32, f32)] = &[
    (-2.06, 0.000),
    (5.71, 0.025),
    (9.42, 0.065),
    (10.77, 0.086),
    (11.22, 0.106),
    (11.65, 0.141),
    (12.71, 0.184),
    (13.39, 0.214),
    (13.95, 0.269),
    (14.36, 0.308),
    (14.96, 0.337),
    (15.88, 0.385),
    (16.71, 0.428),
    (17.32, 0.537),
    (17.63, 0.579),
    (17.97, 0.646),
    (18.66, 0.721),
    (19.05, 0.749),
    (20.96, 0.796),
    (22.64, 0.817),
    (23.23, 0.888),
    (24.50, 0.913),
    (27.09, 0.940),
    (30.19, 0.972),
    (34.46, 1.000),
];

/// Returns the probability that two reports are of one bug, which depends on nothing else.
pub(super) fn of_pair(sum: f32) -> f32 {
    1.0 / (1.0 + (-(PAIR.0 * sum + PAIR.1)).exp())
}

/// Sets the score of each match of a list to the probability that it is of the bug of the report, which depends on
/// the other matches and on the number of candidates.
///
/// The list is one that [`Index::matches`](super::Index::matches) returned, or a part of it, in the same order. With fewer
/// than [`CALIBRATED`] matches, the probabilities are less accurate.
/// `candidates` is the number of known signatures that the report was compared with.
///
/// # Examples
///
/// ```
/// use ksplat::cluster::{self, Index, Observation};
/// use ksplat::fingerprint::Signature;
///
/// let log = b"WARNING: CPU: 1 PID: 7 at fs/io-wq.c:280 io_wqe_wake_worker+0x430/0x4a0\n\
///             RIP: 0010:io_wqe_wake_worker+0x430/0x4a0\n\
///             Call Trace:\n io_wqe_enqueue+0x166/0x700\n io_queue_sqe+0x7a2/0x1240\n";
/// let report = ksplat::reports(log).next().expect("a report");
/// let mut index = Index::new();
/// index.add(&Signature::of(&report), Observation::default());
/// let mut found = index.matches(&Signature::of(&report), 10);
/// let among_few = found[0].score;
/// cluster::calibrate(&mut found, 1_000_000);
/// assert!(found[0].score < among_few);
/// ```
pub fn calibrate(matches: &mut [Match], candidates: usize) {
    let prior = (candidates as f32 / CANDIDATES).max(1.0).ln();
    let sum = |at: usize| matches.get(at).map(|found: &Match| found.sum);
    let Some(first) = sum(0) else { return };
    let lead = sum(1).map_or(0.0, |second| first - second);
    let background = BACKGROUND * sum(CALIBRATED - 1).unwrap_or(USUAL);
    let mut before = f32::INFINITY;
    for (at, found) in matches.iter_mut().enumerate() {
        let beside = if at == 0 { LEAD * lead } else { GAP * (first - found.sum) };
        let features = found.features.iter().flat_map(|(feature, value)| {
            BESIDES
                .iter()
                .filter(move |(own, _)| own == feature)
                .map(move |(_, weight)| weight * value)
        });
        let features: f32 = features.sum();
        // A match is at most as likely as the better ones.
        before = before.min(found.sum + beside + background + features - prior);
        found.score = probability(before);
    }
}

/// Returns the value of the curve.
fn probability(at: f32) -> f32 {
    let next = CURVE.partition_point(|(sum, _)| *sum <= at);
    let before = next.checked_sub(1).and_then(|before| CURVE.get(before));
    match (before, CURVE.get(next)) {
        (Some((low, from)), Some((high, to))) => from + (to - from) * (at - low) / (high - low),
        (Some((_, all)), None) | (None, Some((_, all))) => *all,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(sums: &[f32], candidates: usize) -> Vec<f32> {
        let found = |sum: &f32| Match { report: 0, sum: *sum, score: 0.0, features: Vec::new() };
        let mut matches: Vec<_> = sums.iter().map(found).collect();
        calibrate(&mut matches, candidates);
        matches.iter().map(|found| found.score).collect()
    }

    #[test]
    fn the_curve_rises() {
        assert!(CURVE.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1));
        assert!(CURVE.iter().all(|(_, share)| (0.0..=1.0).contains(share)));
    }

    #[test]
    fn more_candidates_make_a_match_less_likely() {
        let of = |candidates| scores(&[11.0], candidates);
        assert!(of(0) == of(1000) && of(1000) > of(10_000) && of(10_000) > of(1_000_000));
    }

    #[test]
    fn a_better_match_makes_the_others_less_likely() {
        let (alone, beside) = (scores(&[10.0], 1000), scores(&[14.0, 10.0], 1000));
        assert!(beside[1] < alone[0] && beside[0] > beside[1]);
        assert!(scores(&[], 1000).is_empty());
        let equal = scores(&[12.0, 12.0], 1000);
        assert!((equal[0] - equal[1]).abs() < f32::EPSILON);
    }

    #[test]
    fn a_report_that_is_similar_to_many_is_likelier_of_their_bug() {
        let of = |background| scores(&[&[14.0][..], &[background; CALIBRATED - 1]].concat(), 1000);
        assert!(of(12.0)[1] > of(4.0)[1]);
    }

    #[test]
    fn probabilities_fall() {
        let found = |(sum, release)| {
            let features = vec![(Feature::Release, release)];
            Match { report: 0, sum, score: 0.0, features }
        };
        let mut matches: Vec<_> = [(12.0, 0.1), (11.9, 1.0), (11.8, 0.5)].map(found).into();
        calibrate(&mut matches, 1000);
        assert!(matches.is_sorted_by(|a, b| a.score >= b.score));
        let mut near: Vec<_> = [(12.0, 0.9)].map(found).into();
        calibrate(&mut near, 1000);
        let mut far: Vec<_> = [(12.0, 0.1)].map(found).into();
        calibrate(&mut far, 1000);
        assert!(near[0].score > far[0].score);
    }
}
