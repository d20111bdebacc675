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
const LEAD: f32 = 0.462;

/// The number of candidates that the curve is fitted to. Sums are log odds of one candidate among many, so twice as
/// many halve the odds of each. Fewer count as this number, because the bug may be none of them.
const CANDIDATES: f32 = 1000.0;

/// The probability for a sum among [`CANDIDATES`], by isotonic regression. Between the points it is linear.
#[rustfmt::skip] // rows
const CURVE: &[(f32, f32)] = &[
    (-8.25, 0.000),
    (-0.83, 0.023),
    (0.21, 0.045),
    (1.35, 0.080),
    (1.91, 0.103),
    (2.93, 0.124),
    (3.09, 0.147),
    (3.25, 0.179),
    (4.04, 0.209),
    (4.57, 0.247),
    (5.47, 0.285),
    (5.85, 0.370),
    (6.83, 0.459),
    (6.93, 0.534),
    (7.57, 0.560),
    (8.02, 0.582),
    (8.75, 0.644),
    (9.13, 0.669),
    (9.55, 0.702),
    (9.93, 0.725),
    (10.26, 0.782),
    (11.09, 0.806),
    (13.16, 0.859),
    (14.43, 0.937),
    (16.14, 0.963),
    (18.52, 0.988),
    (20.20, 1.000),
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
