//! The tables of an audit.

use super::evidence::{DoubtFeature, Tie};
use super::table;

/// The tables of an audit: [`Tables::FITTED`], unless a program fits others.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Tables<'t> {
    /// The probability that a commit with a crash of this relation has the bug, from 0 to 1: if it crashed in
    /// one or two runs, in fewer than half of the runs, in more.
    pub scores: &'t [(Tie, [f64; 3])],
    /// The titles of crashes that occur in the bisections of many bugs, sorted, and the number of these.
    pub flakes: &'t [(&'t str, u32)],
    /// The log odds of a wrong commit without any feature.
    pub base: f64,
    /// The log odds that a feature adds at a value of 1.
    pub weights: &'t [(DoubtFeature, f64)],
    /// The probability of a wrong commit from which a bisection is [`Trust::Doubtful`](super::Trust::Doubtful).
    pub doubtful: f64,
}

impl Tables<'static> {
    /// The tables that `tools/src/bin/fit_doubts.rs` made of bisections with a known culprit.
    pub const FITTED: Self = Self {
        scores: table::SCORES,
        flakes: table::FLAKES,
        base: table::BASE,
        weights: table::WEIGHTS,
        doubtful: table::DOUBTFUL,
    };
}

impl<'t> Tables<'t> {
    /// Makes tables of relations alone, in which no feature has a weight.
    pub fn new(scores: &'t [(Tie, [f64; 3])], flakes: &'t [(&'t str, u32)]) -> Self {
        Self { scores, flakes, base: 0.0, weights: &[], doubtful: 1.0 }
    }

    /// Returns the scores of a relation, by how often it crashed.
    pub(super) fn score(&self, tie: Tie, often: usize) -> f64 {
        let row = self.scores.iter().find(|(of, _)| *of == tie);
        row.and_then(|(_, scores)| scores.get(often)).copied().unwrap_or_default()
    }

    /// Returns the number of bugs in whose bisections a crash occurred, if it is a known flake.
    pub(super) fn flake(&self, title: &str) -> Option<u32> {
        let at = self.flakes.binary_search_by_key(&title, |(title, _)| title).ok()?;
        self.flakes.get(at).map(|(_, bugs)| *bugs)
    }

    /// Returns the log odds that a feature adds at a value of 1.
    pub(super) fn weight(&self, clue: DoubtFeature) -> f64 {
        self.weights.iter().find(|(of, _)| *of == clue).map_or(0.0, |(_, weight)| *weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_complete_and_sorted() {
        assert!(table::FLAKES.is_sorted());
        assert!(Tables::FITTED.flake("WARNING in io_wqe_enqueue").is_none());
        for tie in Tie::ALL {
            assert!(table::SCORES.iter().any(|(of, _)| of == tie), "{tie:?}");
        }
        for clue in DoubtFeature::ALL {
            assert!(table::WEIGHTS.iter().any(|(of, _)| of == clue), "{clue:?}");
        }
    }
}
