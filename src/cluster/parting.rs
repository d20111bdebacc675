//! The reasons why two reports are in different clusters.

use super::blocking::{self, Part};
use super::names::Texts;
use super::{ATTACH, ATTACH_INCOMPLETE, Index};
use crate::fingerprint::OriginRole;
use crate::string_enum::string_enum;

string_enum! {
    /// The rule that separates two reports.
    pub enum PartReason {
        /// A cannot-link.
        Forced = "forced",
        /// One of them is incomplete: it is joined by its exact hash, or by its score from
        /// [`ATTACH_INCOMPLETE`] on.
        Incomplete = "incomplete",
        /// The families differ.
        Family = "family",
        /// One site, and different offsets from NULL.
        Offset = "offset",
        /// One site, and different locks.
        Locks = "locks",
        /// One site, a helper, and callers that are separate users of it.
        Callers = "callers",
        /// Neither the site nor one of the innermost functions is common.
        Functions = "functions",
        /// The score is too low.
        Score = "score",
    }
}

/// A reason why two reports are in different clusters.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Parted {
    /// The rule.
    pub rule: PartReason,
    /// The compared values, as text.
    pub evidence: String,
}

impl Index {
    /// Returns the rules that separate two reports, the strongest first; empty if no rule does.
    pub fn why_apart(&self, a: u32, b: u32) -> Vec<Parted> {
        let mut parted = Vec::new();
        let mut add = |rule, evidence| parted.push(Parted { rule, evidence });
        let (Some(one), Some(other)) = (self.entry(a), self.entry(b)) else { return parted };
        if self.is_forbidden(a, b) {
            add(PartReason::Forced, "a cannot-link between the bugs".to_owned());
        }
        for (entry, which) in [(one, "first"), (other, "second")] {
            if entry.corrupted {
                let evidence = format!(
                    "the {which} is incomplete: it is joined by its exact hash, or by a score of {ATTACH_INCOMPLETE}"
                );
                add(PartReason::Incomplete, evidence);
            }
        }
        if blocking::kin(one.family) != blocking::kin(other.family) {
            let (one, other) = (one.family.name(), other.family.name());
            add(PartReason::Family, format!("{one} and {other}"));
        }
        let shared = one.site.iter().find(|name| other.site.contains(name)).copied();
        if let Some(site) = shared {
            let site = self.names.text(site);
            let offsets = (one.facts.granule(), other.facts.granule());
            if let (Some(a), Some(b)) = offsets
                && a != b
            {
                add(PartReason::Offset, format!("in {site}, at {a:#x} and {b:#x} from NULL"));
            }
            let locks = |entry: &super::entry::Entry| -> Vec<&str> {
                entry.origins(OriginRole::Lock).map(|name| self.names.text(name)).collect()
            };
            let (a, b) = (locks(one), locks(other));
            if a != b && !a.is_empty() && !b.is_empty() {
                let evidence = format!("in {site}, of {} and of {}", a.join(", "), b.join(", "));
                add(PartReason::Locks, evidence);
            }
        }
        if let Some(site) = shared {
            let caller = |entry: &super::entry::Entry| {
                entry.callers(site).next().map(|name| self.names.text(name))
            };
            if let (Some(a), Some(b)) = (caller(one), caller(other))
                && a != b
                && blocking::kin(one.family) == blocking::kin(other.family)
            {
                let site = self.names.text(site);
                add(PartReason::Callers, format!("{a} and {b} are separate users of {site}"));
            }
        } else {
            if !blocking::may_attach(one, other)
                && blocking::kin(one.family) == blocking::kin(other.family)
            {
                add(PartReason::Functions, "no common innermost function".to_owned());
            }
            let score = self.compare(a, b).map_or(0.0, |found| found.score);
            let least = blocking::least(one, other, ATTACH);
            if score < least {
                add(PartReason::Score, format!("{score:.2}, below the threshold {least:.2}"));
            }
        }
        parted
    }

    /// Returns whether a cannot-link separates the sets of two reports.
    fn is_forbidden(&self, a: u32, b: u32) -> bool {
        if self.apart.is_empty() {
            return false;
        }
        let mut sets = self.joined(&Part::default()).sets;
        let mut set =
            |report: u32| self.reports.get(report as usize).map(|report| sets.find(report.entry));
        let pair = (set(a), set(b));
        self.apart.iter().any(|(x, y)| {
            let (x, y) = (set(*x), set(*y));
            pair == (x, y) || pair == (y, x)
        })
    }
}
