//! The crashes and rates of a step, from which its verdict is derived.

use super::flakiness::Rate;
use super::model::Verdict;
use super::relation::{CrashRelation, RELATED};

/// The facts about a step.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) verdict: Verdict,
    /// The crashes, the most closely related first.
    pub(super) crashes: Vec<CrashRelation>,
    pub(super) rate: Rate,
    /// The number of runs that passed.
    pub(super) passed: u32,
    /// The chance that a commit with the bug passes these runs.
    pub(super) missed: f64,
    pub(super) audited: Verdict,
    pub(super) why: String,
}

impl Seen {
    /// Returns the crash that is most closely related to the one under bisection.
    pub(super) fn related(&self) -> Option<&CrashRelation> {
        self.crashes.first()
    }

    /// Returns whether the step has the crash under bisection.
    pub(super) fn shows(&self) -> bool {
        self.related().is_some_and(|related| related.score >= RELATED)
    }

    /// Returns the number of runs with any crash.
    pub(super) fn crashed(&self) -> u32 {
        self.crashes.iter().fold(0, |sum, crash| sum.saturating_add(crash.count))
    }
}
