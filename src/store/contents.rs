//! The contents of a store, and the grouping of new reports.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::row::{self, DamageKind, DamagedRow, Tag};
use super::{BugRecord, Known, MAX_PLACES, Sighting};
use crate::cluster::{Cluster, Index, Match, Observation};
use crate::fingerprint::{self, Signature};

/// The result of adding a report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Added {
    /// The ID of the bug of the report.
    pub bug: u64,
    /// Whether the bug was unknown before.
    pub new: bool,
    /// The ID of the fixed bug that reappeared as this one.
    pub back: Option<u64>,
}

/// The contents of a store.
#[derive(Debug, Default)]
pub struct Contents {
    /// The records of the bugs, by ID.
    pub bugs: BTreeMap<u64, BugRecord>,
    /// The known signatures, in the order in which the file has them.
    pub known: Vec<Known>,
    /// Rows that could not be read.
    pub damaged: Vec<DamagedRow>,
    /// The bug that each came back as.
    pub(super) later: HashMap<u64, u64>,
    /// The index in `known` of each signature of a bug.
    pub(super) places: HashMap<(u64, u64), usize>,
    /// The bugs that differ from the file.
    pub(super) changed: BTreeSet<u64>,
    /// The bugs and signatures that were read from the file.
    pub(super) loaded: (BTreeSet<u64>, BTreeSet<(u64, u64)>),
}

impl Contents {
    /// Adds what a row of the database has.
    pub(super) fn take(&mut self, key: &[u8], row: &[u8]) -> Result<(), DamageKind> {
        let (tag, numbers) = row::numbers(key).ok_or(DamageKind::Key)?;
        match tag {
            Tag::Bug => {
                let bug: BugRecord = row::open(key, row)?;
                if numbers != [bug.id] {
                    return Err(DamageKind::Key);
                }
                self.bugs.insert(bug.id, bug);
            }
            Tag::Known => {
                let known: Known = row::open(key, row)?;
                if numbers != [known.bug, known.signature.exact] {
                    return Err(DamageKind::Key);
                }
                self.push(known);
            }
        }
        Ok(())
    }

    /// Adds a signature, or what is known of it to what was known before.
    pub(super) fn push(&mut self, known: Known) {
        let key = (known.bug, known.signature.exact);
        if let Some(mine) = self.places.get(&key).and_then(|at| self.known.get_mut(*at)) {
            mine.take(known);
        } else {
            self.places.insert(key, self.known.len());
            self.known.push(known);
        }
    }

    /// Makes an index of all signatures. Its report numbers are the indices in [`Contents::known`].
    pub fn index(&self) -> Index {
        let mut index = Index::new();
        for known in &self.known {
            index.add(&known.signature, Observation { time: known.first, count: known.count });
        }
        index
    }

    pub(super) fn add(&mut self, sightings: &[Sighting<'_>]) -> Vec<Added> {
        let groups = self.regroup(sightings);
        self.chain();
        let mut outcomes = Vec::with_capacity(sightings.len());
        for (sighting, group) in sightings.iter().zip(groups) {
            let (root, new) = group;
            let release = sighting.signature.release.as_deref();
            let current = self.current(root, release);
            let back = self.is_fixed_in(current, release).then_some(current);
            let bug = back.map_or(current, |previous| {
                let id = self.free_id(sighting.signature.exact.rotate_left(1));
                self.bugs
                    .insert(id, BugRecord { id, previous: Some(previous), ..BugRecord::default() });
                self.later.insert(previous, id);
                id
            });
            self.push(Known::of(sighting, bug));
            self.changed.insert(bug);
            outcomes.push(Added { bug, new: new && back.is_none(), back });
        }
        outcomes
    }

    /// Groups all signatures together with those of new reports, and merges bugs that are found to
    /// be one. Returns the bug of each new report, and whether it is new.
    pub(super) fn regroup(&mut self, sightings: &[Sighting<'_>]) -> Vec<(u64, bool)> {
        let mut index = self.index();
        let old = self.known.len();
        for sighting in sightings {
            index.add(&sighting.signature, Observation { time: sighting.time, count: 1 });
        }
        let mut groups = vec![(0, false); sightings.len()];
        let mut merges = Merges::default();
        let first_seen = self.first_seen();
        for cluster in index.clusters() {
            let known =
                cluster.reports.iter().filter_map(|report| self.known.get(*report as usize));
            let roots: BTreeSet<u64> =
                known.map(|known| merges.find(self.root(known.bug))).collect();
            // The bug that was seen first, else that with the smallest ID.
            let seen = |id: &u64| (first_seen.get(id).copied().unwrap_or(u64::MAX), *id);
            let root = if let Some(winner) = roots.iter().copied().min_by_key(|id| seen(id)) {
                merges.join(&roots, winner);
                winner
            } else {
                let new = cluster.reports.iter().filter_map(|report| {
                    let at = (*report as usize).checked_sub(old)?;
                    Some(sightings.get(at)?.signature.exact)
                });
                let id = self.free_id(new.min().unwrap_or_default());
                self.bugs.insert(id, BugRecord { id, ..BugRecord::default() });
                self.changed.insert(id);
                id
            };
            for report in &cluster.reports {
                if let Some(group) =
                    (*report as usize).checked_sub(old).and_then(|at| groups.get_mut(at))
                {
                    *group = (root, roots.is_empty());
                }
            }
        }
        for (root, _) in &mut groups {
            *root = merges.find(*root);
        }
        self.merge_bugs(&merges);
        groups
    }

    /// Returns the time of the first report of each bug.
    fn first_seen(&self) -> HashMap<u64, u64> {
        let mut seen: HashMap<u64, u64> = HashMap::new();
        for known in &self.known {
            let time = known.first.unwrap_or(u64::MAX);
            let first = seen.entry(self.root(known.bug)).or_insert(time);
            *first = time.min(*first);
        }
        seen
    }

    /// Combines the records of merged bugs.
    fn merge_bugs(&mut self, merges: &Merges) {
        if merges.into.is_empty() {
            return;
        }
        let losers: BTreeSet<u64> = merges.into.keys().copied().collect();
        for loser in losers {
            let winner = merges.find(loser);
            if let Some(record) = self.bugs.remove(&loser)
                && let Some(kept) = self.bugs.get_mut(&winner)
            {
                kept.labels.extend(record.labels);
                kept.fixed = kept.fixed.take().or(record.fixed);
                kept.merged.push(loser);
                kept.merged.extend(record.merged);
            }
            self.changed.insert(winner);
        }
        for bug in self.bugs.values_mut() {
            if let Some(previous) = bug.previous {
                bug.previous = Some(merges.find(previous));
                if bug.previous != Some(previous) {
                    self.changed.insert(bug.id);
                }
            }
        }
        self.places.clear();
        for known in std::mem::take(&mut self.known) {
            let bug = merges.find(known.bug);
            self.push(Known { bug, ..known });
        }
    }

    /// Returns the first bug of a chain of reappearing bugs.
    fn root(&self, bug: u64) -> u64 {
        let mut seen = BTreeSet::from([bug]);
        let mut at = bug;
        while let Some(previous) = self.bugs.get(&at).and_then(|bug| bug.previous)
            && seen.insert(previous)
        {
            at = previous;
        }
        at
    }

    /// Returns the bug of a chain for a kernel: the first whose fix the kernel lacks, else the
    /// last; the last one too if the release is unknown.
    fn current(&self, root: u64, release: Option<&str>) -> u64 {
        let mut seen = BTreeSet::from([root]);
        let mut at = root;
        while let Some(next) = self.later.get(&at)
            && (release.is_none() || self.is_fixed_in(at, release))
            && seen.insert(*next)
        {
            at = *next;
        }
        at
    }

    fn is_fixed_in(&self, bug: u64, release: Option<&str>) -> bool {
        let fixed = self.bugs.get(&bug).and_then(|bug| bug.fixed.as_ref());
        fixed.is_some_and(|fixed| fixed.is_in(release))
    }

    /// Rebuilds the chains of reappearing bugs.
    pub(super) fn chain(&mut self) {
        let pairs = self.bugs.values().filter_map(|bug| Some((bug.previous?, bug.id)));
        self.later = pairs.collect();
    }

    fn free_id(&self, mut id: u64) -> u64 {
        while self.bugs.contains_key(&id) {
            id = id.wrapping_add(1);
        }
        id
    }

    /// Returns the newest release that a bug was seen on.
    pub(super) fn newest(&self, bug: u64) -> Option<String> {
        let known = self.known.iter().filter(|known| known.bug == bug);
        let releases = known.flat_map(|known| &known.kernels).map(|(release, ..)| release);
        let age = |release: &String| fingerprint::age(release).unwrap_or(f32::MIN);
        releases.max_by(|a, b| age(a).total_cmp(&age(b))).cloned()
    }

    /// Returns the bugs that are most similar to a report, the most similar first, each with its
    /// best match.
    pub fn matches(
        &self,
        index: &Index,
        signature: &Signature<'_>,
        top: usize,
    ) -> Vec<(u64, Match)> {
        let mut found: Vec<(u64, Match)> = Vec::new();
        let mut asked = top.saturating_mul(4);
        loop {
            // The first candidates may be signatures of the same bug.
            for candidate in index.matches(signature, asked) {
                let Some(known) = self.known.get(candidate.report as usize) else { continue };
                if !found.iter().any(|(bug, _)| *bug == known.bug) {
                    found.push((known.bug, candidate));
                }
            }
            if found.len() >= top || asked >= self.known.len() {
                break;
            }
            asked = asked.saturating_mul(4);
        }
        found.truncate(top);
        found
    }

    /// Returns the known bug that a report is of by the rules of [`cluster`](crate::cluster), if
    /// there is one.
    pub fn bug_of(&self, index: &Index, signature: &Signature<'_>) -> Option<u64> {
        let known = self.known.get(index.same(signature)? as usize)?;
        Some(self.current(self.root(known.bug), signature.release.as_deref()))
    }

    /// Returns one cluster for each bug of the store, with the ID of the bug.
    pub fn clusters(&self, index: &Index) -> Vec<(u64, Cluster)> {
        let mut reports: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for (number, known) in (0_u32..).zip(&self.known) {
            reports.entry(known.bug).or_default().push(number);
        }
        let mut clusters: Vec<_> = reports
            .into_iter()
            .map(|(bug, reports)| {
                let known = || reports.iter().filter_map(|report| self.known.get(*report as usize));
                let times = known()
                    .filter_map(|known| known.first)
                    .min()
                    .zip(known().filter_map(|known| known.last).max());
                let mut cluster = index.describe(reports.clone());
                cluster.id = format!("{bug:016x}");
                cluster.seen = times;
                cluster.set_kernels(known().flat_map(|known| known.kernels.iter().cloned()));
                (bug, cluster)
            })
            .collect();
        clusters.sort_by(|a, b| b.1.count.cmp(&a.1.count).then(a.0.cmp(&b.0)));
        clusters
    }
}

/// The bugs that were merged into others.
#[derive(Debug, Default)]
struct Merges {
    into: HashMap<u64, u64>,
}

impl Merges {
    /// Returns the bug that a bug was merged into, or the bug itself.
    fn find(&self, mut bug: u64) -> u64 {
        while let Some(other) = self.into.get(&bug) {
            bug = *other;
        }
        bug
    }

    /// Merges bugs into one of them; none was merged before.
    fn join(&mut self, bugs: &BTreeSet<u64>, winner: u64) {
        self.into.extend(bugs.iter().filter(|bug| **bug != winner).map(|bug| (*bug, winner)));
    }
}

impl Known {
    fn of(sighting: &Sighting<'_>, bug: u64) -> Self {
        let signature = sighting.signature.clone().into_owned();
        let kernel =
            signature.release.clone().map(|release| (release.into_owned(), signature.arch, 1));
        Self {
            bug,
            count: 1,
            first: sighting.time,
            last: sighting.time,
            kernels: kernel.into_iter().collect(),
            places: vec![sighting.place.clone()],
            signature,
        }
    }

    /// Adds the counts, times and places of the same signature.
    fn take(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
        for (release, arch, count) in other.kernels {
            match self.kernels.iter_mut().find(|known| known.0 == release && known.1 == arch) {
                Some(known) => known.2 = known.2.saturating_add(count),
                None => self.kernels.push((release, arch, count)),
            }
        }
        for place in other.places {
            if self.places.len() < MAX_PLACES && !self.places.contains(&place) {
                self.places.push(place);
            }
        }
    }
}
