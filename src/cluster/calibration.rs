//! Probabilities from the sums of weighted features.
//!
//! The values are those that `tools/src/bin/fit_weights.rs` prints.

use super::Match;

/// The logistic curve (a, b) from the sum s of two reports to the probability that they are of one bug, fitted to the
/// first ten candidates of each report: 1 / (1 + e^-(a·s + b)).
const PAIR: (f32, f32) = (0.583, -5.247);

/// What the distance of a sum to the greatest one adds, for each unit.
const GAP: f32 = -0.979;

/// What the distance between the two greatest sums adds to the greatest one, for each unit.
const LEAD: f32 = 0.461;

/// The number of candidates that the curve is fitted to. Sums are log odds of one candidate among many, so twice as
/// many halve the odds of each. Fewer count as this number, because the bug may be none of them.
const CANDIDATES: f32 = 1000.0;

/// The probability for a sum among [`CANDIDATES`], by isotonic regression. Between the points it is linear.
#[rustfmt::skip] // rows
const CURVE: &[(f32, f32)] = &[
    (-8.23, 0.000),
    (-0.82, 0.025),
    (0.29, 0.050),
    (1.30, 0.072),
    (2.46, 0.114),
    (2.99, 0.134),
    (3.25, 0.171),
    (4.04, 0.212),
    (4.58, 0.246),
    (5.47, 0.283),
    (5.76, 0.333),
    (5.79, 0.354),
    (6.13, 0.380),
    (6.86, 0.457),
    (7.28, 0.545),
    (8.01, 0.581),
    (8.74, 0.645),
    (9.13, 0.670),
    (9.54, 0.697),
    (9.93, 0.768),
    (10.82, 0.802),
    (13.15, 0.859),
    (14.42, 0.938),
    (16.13, 0.963),
    (18.50, 0.988),
    (20.18, 1.000),
];

/// Returns the probability that two reports are of one bug, which depends on nothing else.
pub(super) fn of_pair(sum: f32) -> f32 {
    1.0 / (1.0 + (-(PAIR.0 * sum + PAIR.1)).exp())
}

/// Sets the score of each match of a list to the probability that it is of the bug of the report, which depends on
/// the better matches and on the number of candidates.
///
/// The list is one that [`Index::matches`](super::Index::matches) returned, or a part of it, in the same order.
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
    for (at, found) in matches.iter_mut().enumerate() {
        let beside = if at == 0 { LEAD * lead } else { GAP * (first - found.sum) };
        found.score = probability(found.sum + beside - prior);
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
}
