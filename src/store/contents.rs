//! The contents of a store, and the grouping of new reports.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::fix;
use super::row::{self, DamageKind, DamagedRow, Tag};
use super::{BugRecord, Count, Decision, DecisionKind, Known, MAX_PLACES, Sighting};
use crate::cluster::{self, Cluster, Grouped, Index, Match, Observation};
use crate::fingerprint::{self, Signature, Stable};

/// The result of adding a report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Added {
    /// The ID of the bug of the report.
    pub bug: u64,
    /// Whether the bug was unknown before the call: true for each of its reports in the call.
    pub new: bool,
    /// The ID of the fixed bug that reappeared as this one.
    pub back: Option<u64>,
}

/// The contents of a store.
#[derive(Debug, Default)]
pub struct Contents {
    /// The records of the bugs, by ID.
    pub bugs: BTreeMap<u64, BugRecord>,
    /// The known signatures, in the order of the file.
    pub known: Vec<Known>,
    /// The decisions of people, by ID.
    pub decisions: BTreeMap<u64, Decision>,
    /// Rows that could not be read.
    pub damaged: Vec<DamagedRow>,
    /// The ID of the store, under which it counts.
    pub(super) store: u64,
    /// Decisions that are not in the file.
    pub(super) new_decisions: BTreeSet<u64>,
    /// The exact hashes of this version for signatures of an older one, by the older hashes.
    pub(super) resigned: BTreeMap<u64, u64>,
    /// The bug as which each bug reappeared.
    pub(super) later: HashMap<u64, u64>,
    /// The index in `known` of each signature of a bug.
    pub(super) places: HashMap<(u64, u64), usize>,
    /// The bugs that differ from the file.
    pub(super) changed: BTreeSet<u64>,
    /// The signatures of bugs that differ from the file.
    pub(super) dirty: BTreeSet<(u64, u64)>,
    /// The bugs and signatures that were read from the file.
    pub(super) loaded: (BTreeSet<u64>, BTreeSet<(u64, u64)>),
    /// The IDs of other bugs of the file, if only a part of it was read.
    pub(super) taken: BTreeSet<u64>,
    /// The number of signatures in the file, if only a part of it was read.
    pub(super) signatures: usize,
    /// All signatures as they were grouped, and the reports that represent their sets.
    pub(super) grouped: Option<(Index, BTreeSet<u32>)>,
}

impl Contents {
    /// Adds the contents of a row of the database.
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
                let of = (known.bug, known.signature.exact);
                if numbers != [of.0, of.1] {
                    return Err(DamageKind::Key);
                }
                self.take_known(known).map_err(|_| DamageKind::Version)?;
                self.loaded.1.insert(of);
            }
            Tag::Decision => {
                let decision: Decision = row::open(key, row)?;
                if numbers != [decision.id] {
                    return Err(DamageKind::Key);
                }
                self.decisions.insert(decision.id, decision);
            }
        }
        Ok(())
    }

    /// Adds a stored signature; one of an older version is converted. The version of a newer one is
    /// returned.
    pub(super) fn take_known(&mut self, mut known: Known) -> Result<(), u32> {
        match known.signature.version.cmp(&fingerprint::VERSION) {
            Ordering::Greater => return Err(known.signature.version),
            Ordering::Less => {
                let old = known.signature.exact;
                known.signature = known.signature.renewed();
                self.dirty.insert((known.bug, known.signature.exact));
                self.resigned.insert(old, known.signature.exact);
            }
            Ordering::Equal => {}
        }
        self.push(known);
        Ok(())
    }

    /// Returns whether no row is damaged, and all are of this version.
    pub(super) fn is_current(&self) -> bool {
        self.damaged.is_empty() && self.resigned.is_empty()
    }

    /// Replaces in decisions the hashes of converted signatures.
    pub(super) fn resign_decisions(&mut self) {
        for decision in self.decisions.values_mut().filter(|_| !self.resigned.is_empty()) {
            decision.resign(&self.resigned);
            self.new_decisions.insert(decision.id);
        }
    }

    /// Assigns an ID to counts without one, in files and exports of the first schema. It is derived
    /// from the first report, so it is equal in all exports of one store.
    pub(super) fn name_store(&mut self) {
        let first = self.known.iter().min_by_key(|known| {
            (known.first.unwrap_or(u64::MAX), known.signature.exact, &known.places)
        });
        let Some(first) = first else { return };
        let mut hasher = Stable::new();
        hasher.number(first.first.unwrap_or_default());
        hasher.text(&first.signature.title.text);
        first.places.iter().take(1).for_each(|place| hasher.text(place));
        let store = hasher.finish().max(1);
        if self.store == 0 {
            self.store = store;
        }
        for known in self.known.iter_mut().filter(|known| known.counts.is_empty()) {
            known.store.get_or_insert(store);
        }
    }

    /// Adds a signature, or adds its counts to those of a known one.
    pub(super) fn push(&mut self, known: Known) {
        let key = (known.bug, known.signature.exact);
        if let Some(mine) = self.places.get(&key).and_then(|at| self.known.get_mut(*at)) {
            mine.take(known);
            self.dirty.insert(key);
        } else {
            self.places.insert(key, self.known.len());
            self.known.push(known);
        }
    }

    /// Returns an index of all signatures and decisions; its reports have the indices of
    /// [`Contents::known`].
    pub fn index(&self) -> Index {
        let mut index = self.signatures(&[]);
        self.link_pairs(&mut index, &[]);
        index
    }

    /// Returns an index of all signatures, those of new reports behind them.
    pub(super) fn signatures(&self, sightings: &[Sighting<'_>]) -> Index {
        let mut index = Index::new();
        for known in &self.known {
            index.add(&known.signature, Observation { time: known.first, count: known.count });
        }
        for sighting in sightings {
            index.add(&sighting.signature, Observation { time: sighting.time, count: 1 });
        }
        index
    }

    /// Adds reports to the complete contents.
    pub(super) fn add(&mut self, sightings: &[Sighting<'_>]) -> Vec<Added> {
        let groups = self.regroup(sightings);
        self.count(sightings, &groups)
    }

    /// Counts reports, given the bug of each by the rules, and whether it is new.
    pub(super) fn count(
        &mut self,
        sightings: &[Sighting<'_>],
        groups: &[(u64, bool)],
    ) -> Vec<Added> {
        self.chain();
        let aliases = self.aliases();
        let mut outcomes = Vec::with_capacity(sightings.len());
        for (sighting, group) in sightings.iter().zip(groups) {
            let (root, new) = *group;
            let release = sighting.signature.release.as_deref();
            let current = self.current(root, release);
            let back = self.is_fixed_in(current, release).then_some(current);
            let bug = back.map_or(current, |previous| {
                let id = self.free_id(sighting.signature.exact.rotate_left(1), &aliases);
                self.bugs
                    .insert(id, BugRecord { id, previous: Some(previous), ..BugRecord::default() });
                self.later.insert(previous, id);
                id
            });
            self.see(sighting, bug);
            self.changed.insert(bug);
            outcomes.push(Added { bug, new: new && back.is_none(), back });
        }
        self.label(sightings, &outcomes);
        outcomes
    }

    /// Adds the fixes and labels of new reports to their bugs. All reports are counted before,
    /// because a report beside the one with the label did not reappear.
    fn label(&mut self, sightings: &[Sighting<'_>], outcomes: &[Added]) {
        let mut given = BTreeSet::new();
        for (sighting, Added { bug, .. }) in sightings.iter().zip(outcomes) {
            if let Some(record) = self.bugs.get_mut(bug) {
                record.fix(&sighting.fixes);
            }
            let Some((text, remark)) = &sighting.label else { continue };
            if given.insert((*bug, text)) {
                let after = sighting.fixes.first().and_then(|_| self.newest(*bug));
                let label = DecisionKind::Label { bug: *bug, text: text.clone(), after };
                self.decide(remark.clone(), label);
            }
        }
        if !given.is_empty() {
            self.settle_labels();
        }
    }

    /// Counts a report of a bug.
    fn see(&mut self, sighting: &Sighting<'_>, bug: u64) {
        let known = Known::of(sighting, bug, self.store);
        let key = (bug, known.signature.exact);
        match self.places.get(&key).and_then(|at| self.known.get_mut(*at)) {
            Some(mine) => {
                mine.count(known);
                self.dirty.insert(key);
            }
            None => self.push(known),
        }
    }

    /// Groups all signatures with those of new reports, splits bugs that are several, merges those
    /// that are one, and returns the bug of each new report, and whether it is new.
    pub(super) fn regroup(&mut self, sightings: &[Sighting<'_>]) -> Vec<(u64, bool)> {
        let mut index = self.signatures(sightings);
        self.link_pairs(&mut index, sightings);
        let Grouped { groups, exemplars } = index.groups(&[]);
        self.grouped = Some((index, exemplars));
        self.settle(&groups, sightings)
    }

    /// Splits and merges bugs to match these groups of signatures, given by their numbers, those of
    /// new reports behind the known ones.
    pub(super) fn settle(
        &mut self,
        clusters: &[Vec<u32>],
        sightings: &[Sighting<'_>],
    ) -> Vec<(u64, bool)> {
        let old = self.known.len();
        let mut aliases = self.aliases();
        self.split_bugs(clusters, &mut aliases);
        let mut groups = vec![(0, false); sightings.len()];
        let mut merges = Merges::default();
        let first_seen = self.first_seen();
        for reports in clusters {
            let known = reports.iter().filter_map(|report| self.known.get(*report as usize));
            let roots: BTreeSet<u64> =
                known.map(|known| merges.find(self.root(known.bug))).collect();
            // The bug that was seen first, else that with the smallest ID.
            let seen = |id: &u64| (first_seen.get(id).copied().unwrap_or(u64::MAX), *id);
            let root = if let Some(winner) = roots.iter().copied().min_by_key(|id| seen(id)) {
                merges.join(&roots, winner);
                winner
            } else {
                let new = reports.iter().filter_map(|report| {
                    let at = (*report as usize).checked_sub(old)?;
                    Some(sightings.get(at)?.signature.exact)
                });
                let id = self.free_id(new.min().unwrap_or_default(), &aliases);
                self.bugs.insert(id, BugRecord { id, ..BugRecord::default() });
                self.changed.insert(id);
                id
            };
            for report in reports {
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

    /// Adds the decisions to an index.
    pub(super) fn link_pairs(&self, index: &mut Index, sightings: &[Sighting<'_>]) {
        let pairs = self.pairs();
        if pairs.apart.is_empty() && pairs.together.is_empty() {
            return;
        }
        let known = self.known.iter().map(|known| known.signature.exact);
        let new = sightings.iter().map(|sighting| sighting.signature.exact);
        let mut numbers: HashMap<u64, u32> = HashMap::new();
        for (number, exact) in (0_u32..).zip(known.chain(new)) {
            numbers.entry(exact).or_insert(number);
        }
        let of = |(a, b): (u64, u64)| Some((*numbers.get(&a)?, *numbers.get(&b)?));
        for (a, b) in pairs.apart.into_iter().filter_map(of) {
            index.cannot_link(a, b);
        }
        for (a, b) in pairs.together.into_iter().filter_map(of) {
            index.must_link(a, b);
        }
    }

    /// Makes new bugs of signatures that are no longer grouped with the oldest one of their bug,
    /// which keeps the ID.
    fn split_bugs(&mut self, clusters: &[Vec<u32>], aliases: &mut BTreeSet<u64>) {
        let mut homes: HashMap<u64, ((u64, u64), usize)> = HashMap::new();
        for (number, known) in members(&self.known, clusters) {
            let age = (known.first.unwrap_or(u64::MAX), known.signature.exact);
            let home = homes.entry(known.bug).or_insert((age, number));
            *home = (age, number).min(*home);
        }
        let is_home = |bug: u64, number: usize| homes.get(&bug).is_none_or(|home| home.1 == number);
        let mut parts: BTreeMap<(u64, usize), u64> = BTreeMap::new();
        for (number, known) in members(&self.known, clusters) {
            if !is_home(known.bug, number) {
                let least = parts.entry((known.bug, number)).or_insert(known.signature.exact);
                *least = known.signature.exact.min(*least);
            }
        }
        let mut ids: HashMap<(u64, usize), u64> = HashMap::new();
        for (part, exact) in &parts {
            let id = self.part_id(part.0, *exact, aliases);
            self.bugs
                .insert(id, BugRecord { id, split_from: Some(part.0), ..BugRecord::default() });
            self.changed.extend([id, part.0]);
            ids.insert(*part, id);
        }
        let numbers: HashMap<u32, usize> = (clusters.iter().enumerate())
            .filter(|_| !ids.is_empty())
            .flat_map(|(number, reports)| reports.iter().map(move |report| (*report, number)))
            .collect();
        if !ids.is_empty() {
            self.places.clear();
            for (report, mut known) in (0_u32..).zip(std::mem::take(&mut self.known)) {
                let number = numbers.get(&report).copied().unwrap_or_default();
                known.bug = ids.get(&(known.bug, number)).copied().unwrap_or(known.bug);
                // The indices stay valid, because the groups refer to them.
                self.places.insert((known.bug, known.signature.exact), self.known.len());
                self.known.push(known);
            }
        }
        // A reappeared bug is in the group of the original one.
        for bug in self.bugs.values_mut() {
            let home = |id| homes.get(&id).map(|home| home.1);
            let apart = bug.previous.is_some_and(|previous| {
                home(previous).zip(home(bug.id)).is_some_and(|(a, b)| a != b)
            });
            if apart {
                bug.previous = None;
                self.changed.insert(bug.id);
            }
        }
        self.chain();
    }

    /// Returns an ID for a part of a bug: the one that the part had before it was merged, if it is
    /// known.
    fn part_id(&mut self, bug: u64, exact: u64, aliases: &mut BTreeSet<u64>) -> u64 {
        if let Some(bug) = self.bugs.get_mut(&bug)
            && let Some(at) = bug.merged.iter().position(|merged| *merged == exact)
        {
            bug.merged.remove(at);
            aliases.remove(&exact);
            return exact;
        }
        self.free_id(exact, aliases)
    }

    /// Returns the IDs of bugs that were merged.
    fn aliases(&self) -> BTreeSet<u64> {
        self.bugs.values().flat_map(|bug| bug.merged.iter().copied()).collect()
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
                kept.labels.sort();
                kept.labels.dedup();
                kept.fixed = kept.fixed.take().max(record.fixed);
                kept.merged.push(loser);
                kept.merged.extend(record.merged);
                kept.merged.sort_unstable();
                kept.merged.dedup();
            }
            self.changed.insert(winner);
        }
        self.settle_labels();
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

    fn free_id(&self, mut id: u64, aliases: &BTreeSet<u64>) -> u64 {
        while self.bugs.contains_key(&id) || aliases.contains(&id) || self.taken.contains(&id) {
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
        let (mut bugs, mut found) = (Vec::new(), Vec::new());
        // The lead of the first match needs the second.
        let most = top.max(2);
        let mut limit = most.saturating_mul(4);
        loop {
            // The first candidates may be signatures of the same bug.
            for candidate in index.matches(signature, limit) {
                let Some(known) = self.known.get(candidate.report as usize) else { continue };
                if !bugs.contains(&known.bug) {
                    bugs.push(known.bug);
                    found.push(candidate);
                }
            }
            if found.len() >= most || limit >= self.known.len() {
                break;
            }
            limit = limit.saturating_mul(4);
        }
        cluster::calibrate(&mut found, index.signatures().max(self.signatures));
        bugs.into_iter().zip(found).take(top).collect()
    }

    /// Returns the known bug that a report is of by the rules of [`cluster`](crate::cluster), if
    /// there is one.
    pub fn bug_of(&self, index: &Index, signature: &Signature<'_>) -> Option<u64> {
        let known = self.known.get(index.same(signature)? as usize)?;
        Some(self.current(self.root(known.bug), signature.release.as_deref()))
    }

    /// Returns the most similar signatures of two bugs, as indices of [`Contents::known`]; for one
    /// bug, its two least similar ones.
    pub fn closest(&self, index: &Index, one: u64, other: u64) -> Option<(u32, u32)> {
        let of = |bug: u64| -> Vec<u32> {
            let known = (0_u32..).zip(&self.known).filter(|(_, known)| known.bug == bug);
            known.map(|(number, _)| number).take(MAX_COMPARED).collect()
        };
        let (ones, others) = (of(one), of(other));
        let pairs = ones.iter().flat_map(|a| others.iter().map(move |b| (*a, *b)));
        let scored = pairs.filter(|(a, b)| a != b).map(|(a, b)| {
            let score = index.compare(a, b).map_or(0.0, |found| found.score);
            (if one == other { -score } else { score }, (a, b))
        });
        let best = scored.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)));
        best.map(|(_, pair)| pair)
    }

    /// Returns the clusters as they are in the store: one for each bug.
    pub fn clusters(&self, index: &Index) -> Vec<(u64, Cluster)> {
        let mut reports: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for (number, known) in (0_u32..).zip(&self.known) {
            reports.entry(known.bug).or_default().push(number);
        }
        let described = |(bug, reports)| (bug, self.described(index, bug, reports));
        let mut clusters: Vec<_> = reports.into_iter().map(described).collect();
        clusters.sort_by(|a, b| b.1.count.cmp(&a.1.count).then(a.0.cmp(&b.0)));
        clusters
    }

    /// Returns the cluster of one bug as it is in the store; `None` if it has no reports.
    pub fn cluster(&self, index: &Index, bug: u64) -> Option<Cluster> {
        let known = (0_u32..).zip(&self.known).filter(|(_, known)| known.bug == bug);
        let reports: Vec<u32> = known.map(|(number, _)| number).collect();
        (!reports.is_empty()).then(|| self.described(index, bug, reports))
    }

    /// Returns the cluster of these reports of a bug.
    fn described(&self, index: &Index, bug: u64, reports: Vec<u32>) -> Cluster {
        let known = || reports.iter().filter_map(|report| self.known.get(*report as usize));
        let first = known().filter_map(|known| known.first).min();
        let kernels: Vec<_> = known().flat_map(|known| known.kernels.iter().cloned()).collect();
        let seen = first.zip(known().filter_map(|known| known.last).max());
        let mut cluster = index.describe(reports);
        cluster.id = format!("{bug:016x}");
        cluster.seen = seen;
        cluster.set_kernels(kernels.into_iter());
        cluster
    }
}

/// The maximum number of signatures of a bug that are compared with those of another one.
const MAX_COMPARED: usize = 64;

/// Bugs that were merged into others.
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

/// The known signatures with the numbers of their groups.
fn members<'a>(
    known: &'a [Known],
    clusters: &'a [Vec<u32>],
) -> impl Iterator<Item = (usize, &'a Known)> {
    clusters.iter().enumerate().flat_map(move |(number, reports)| {
        reports.iter().filter_map(move |report| Some((number, known.get(*report as usize)?)))
    })
}

impl Known {
    fn of(sighting: &Sighting<'_>, bug: u64, store: u64) -> Self {
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
            fixes: sighting.fixes.clone(),
            store: Some(store),
            counts: Vec::new(),
            signature,
        }
    }

    /// Adds a new report of the same signature.
    fn count(&mut self, new: Self) {
        let mut counts = self.by_store();
        for new_count in new.by_store() {
            match counts.iter_mut().find(|count| count.store == new_count.store) {
                Some(count) => count.add(&new_count),
                None => counts.push(new_count),
            }
        }
        self.set_counts(counts);
        self.signature.describe(new.signature);
        fix::merge(&mut self.fixes, new.fixes);
        for place in new.places {
            if self.places.len() < MAX_PLACES && !self.places.contains(&place) {
                self.places.push(place);
            }
        }
    }

    /// Adds the counts of another store for the same signature, or of the same store at another
    /// time. A store only counts up, so of two counts of one store the larger one is the newer.
    fn take(&mut self, other: Self) {
        let mut counts = self.by_store();
        for new in other.by_store() {
            match counts.iter_mut().find(|count| count.store == new.store) {
                Some(count) if count.size() < new.size() => *count = new,
                Some(_) => {}
                None => counts.push(new),
            }
        }
        self.set_counts(counts);
        self.signature.describe(other.signature);
        fix::merge(&mut self.fixes, other.fixes);
        if other.places.iter().any(|place| !self.places.contains(place)) {
            self.places.extend(other.places);
            self.places.sort();
            self.places.dedup();
            self.places.truncate(MAX_PLACES);
        }
    }

    /// Returns the count of each store.
    fn by_store(&self) -> Vec<Count> {
        if !self.counts.is_empty() {
            return self.counts.clone();
        }
        let (first, last, kernels) = (self.first, self.last, self.kernels.clone());
        vec![Count {
            store: self.store.unwrap_or_default(),
            count: self.count,
            first,
            last,
            kernels,
        }]
    }

    fn set_counts(&mut self, mut counts: Vec<Count>) {
        counts.sort_by_key(|count| count.store);
        let mut all = Count { store: 0, count: 0, first: None, last: None, kernels: Vec::new() };
        for count in &counts {
            all.add(count);
        }
        (self.count, self.first, self.last, self.kernels) =
            (all.count, all.first, all.last, all.kernels);
        (self.store, self.counts) = match counts.as_slice() {
            [one] => (Some(one.store), Vec::new()),
            _ => (None, counts),
        };
    }
}

impl Count {
    fn add(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
        for (release, arch, count) in &other.kernels {
            match self.kernels.iter_mut().find(|known| known.0 == *release && known.1 == *arch) {
                Some(known) => known.2 = known.2.saturating_add(*count),
                None => self.kernels.push((release.clone(), *arch, *count)),
            }
        }
    }

    /// Returns a key that orders the states of a count by age.
    fn size(&self) -> (u32, Option<u64>, std::cmp::Reverse<Option<u64>>) {
        (self.count, self.last, std::cmp::Reverse(self.first))
    }
}
