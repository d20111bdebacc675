//! The keys that an entry shares with others: a store uses them to find the entries that a new report
//! may change.

use std::collections::{BTreeMap, BTreeSet};

use super::blocking::Part;
use super::entry::Entry;
use super::names::{Overlay, Texts};
use super::similarity;
use super::steps::{self, Keys};
use super::{Index, Joined};
use crate::fingerprint::Signature;

/// The keys that an entry shares with others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach {
    /// The keys of rules that consider all entries with the key.
    pub(crate) keys: Vec<u64>,
    /// The keys of the title, for entries without a stack and for those with one; `None` if the
    /// title is not compared.
    pub(crate) titles: Option<Titles>,
    /// The functions near the site.
    pub(crate) near: Vec<u64>,
    /// The terms of the similarity.
    pub(crate) terms: Vec<(u8, u64)>,
}

/// The keys of a title.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Titles {
    /// The key for entries without a stack.
    pub(crate) bare: u64,
    /// The key for entries with one.
    pub(crate) whole: u64,
    /// Whether the entry has no stack.
    pub(crate) is_bare: bool,
}

/// The bugs of reports, by their numbers, and the reports that represent their sets.
#[derive(Debug, Default)]
pub(crate) struct Grouped {
    /// The reports of each bug.
    pub(crate) groups: Vec<Vec<u32>>,
    /// The first report of each exemplar.
    pub(crate) exemplars: BTreeSet<u32>,
}

/// The kinds of the keys of titles. The keys of functions near the site have
/// [`NEAR`](super::steps::NEAR).
const TITLE: [u64; 2] = [1, 2];

impl Reach {
    fn of(entry: &Entry, names: &impl Texts) -> Self {
        let Keys { rules, title, is_bare, near, .. } = Keys::of(entry, names);
        let titles = title.map(|title| {
            let [bare, whole] = TITLE.map(|kind| steps::key(kind, &[title]));
            Titles { bare, whole, is_bare }
        });
        Self { keys: rules, titles, near, terms: similarity::keys(entry, names) }
    }
}

impl Index {
    /// Returns the first report of each signature that may have equal ones.
    pub(crate) fn distinct(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().filter(|entry| !entry.is_alone()).map(|entry| entry.first)
    }

    /// Returns the known reports that new ones, given by their numbers, separate from others with
    /// the same key.
    pub(crate) fn parted_by(&self, new: &[u32]) -> Vec<u32> {
        let entry = |report: &u32| self.reports.get(*report as usize).map(|report| report.entry);
        let first = |entry: u32| self.entries.get(entry as usize).map(|entry| entry.first);
        let new: BTreeSet<u32> = new.iter().filter_map(entry).collect();
        self.keys()
            .parted_by(&self.entries, &self.names, &new)
            .into_iter()
            .filter_map(first)
            .collect()
    }

    /// The keys of the entry of a report.
    pub(crate) fn reach(&self, report: u32) -> Reach {
        self.entry(report).map(|entry| Reach::of(entry, &self.names)).unwrap_or_default()
    }

    /// The keys of a signature.
    pub(crate) fn reach_of(&self, signature: &Signature<'_>) -> Reach {
        let mut names = Overlay::new(&self.names);
        let entry = Entry::new(signature, &mut names);
        Reach::of(&entry, &names)
    }

    /// Returns the terms that a signature looks up, each with the weight of a hit.
    pub(crate) fn weights(&self, signature: &Signature<'_>) -> Vec<((u8, u64), f32)> {
        let mut names = Overlay::new(&self.names);
        let entry = Entry::new(signature, &mut names);
        similarity::weights(&entry, &names)
    }

    /// Groups reports by bug. `others` are reports that are only compared, each with whether it is
    /// the exemplar of its set.
    pub(crate) fn groups(&self, others: &[(u32, bool)]) -> Grouped {
        let mut part = Part::default();
        for (report, leads) in others {
            if let Some(report) = self.reports.get(*report as usize) {
                *part.others.entry(report.entry).or_default() |= leads;
            }
        }
        let Joined { mut sets, exemplars, .. } = self.joined(&part);
        let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (number, report) in (0_u32..).zip(&self.reports) {
            groups.entry(sets.find(report.entry)).or_default().push(number);
        }
        let exemplars = exemplars.into_iter().filter(|entry| part.is_whole(*entry));
        let first = |entry: u32| self.entries.get(entry as usize).map(|entry| entry.first);
        Grouped {
            groups: groups.into_values().collect(),
            exemplars: exemplars.filter_map(first).collect(),
        }
    }
}
