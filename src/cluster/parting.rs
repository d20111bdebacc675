//! Why two reports are not taken for one bug.

use super::blocking::{self, Part};
use super::names::Texts;
use super::{ATTACH, Index};
use crate::fingerprint::OriginRole;
use crate::string_enum::string_enum;

string_enum! {
    /// The rule that keeps two reports apart.
    pub enum PartReason {
        /// Somebody said so.
        Forced = "forced",
        /// One of them is not whole: it is joined by its exact hash alone.
        Incomplete = "incomplete",
        /// Something else went wrong.
        Family = "family",
        /// One site, and other offsets from NULL.
        Offset = "offset",
        /// One site, and other locks.
        Locks = "locks",
        /// One site, a helper, and callers that use it each for itself.
        Callers = "callers",
        /// No site and none of the innermost functions is common.
        Functions = "functions",
        /// They have too little in common.
        Score = "score",
    }
}

/// Why two reports are not taken for one bug.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Parted {
    /// The rule.
    pub rule: PartReason,
    /// What it compared, in words.
    pub evidence: String,
}

impl Index {
    /// The rules that keep two reports apart, the strongest first; none for reports that nothing keeps
    /// apart.
    pub fn why_apart(&self, a: u32, b: u32) -> Vec<Parted> {
        let mut parted = Vec::new();
        let mut add = |rule, evidence| parted.push(Parted { rule, evidence });
        let (Some(one), Some(other)) = (self.entry(a), self.entry(b)) else { return parted };
        if self.is_forbidden(a, b) {
            add(
                PartReason::Forced,
                "somebody said that reports of these bugs are apart".to_owned(),
            );
        }
        for (entry, which) in [(one, "first"), (other, "second")] {
            if entry.corrupted {
                let evidence = format!("the {which} is not whole: only an equal one is its bug");
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
                add(PartReason::Callers, format!("{a} and {b} use {site}, each for itself"));
            }
        } else {
            if !blocking::may_attach(one, other)
                && blocking::kin(one.family) == blocking::kin(other.family)
            {
                add(PartReason::Functions, "none of the innermost functions is in both".to_owned());
            }
            let score = self.compare(a, b).map_or(0.0, |found| found.score);
            if score < ATTACH {
                add(PartReason::Score, format!("{score:.2}, and {ATTACH:.2} is needed"));
            }
        }
        parted
    }

    /// Whether somebody said that a report of the set of one is apart from one of the set of the other.
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
