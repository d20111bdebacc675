//! Groups reports by bug, and ranks known bugs for a new report.
//!
//! # Examples
//!
//! ```
//! use ksplat::cluster::{Index, Observation};
//! use ksplat::fingerprint::Signature;
//!
//! let old = b"WARNING: CPU: 1 PID: 7 at fs/io-wq.c:280 io_wqe_wake_worker+0x430/0x4a0\n\
//!             RIP: 0010:io_wqe_wake_worker+0x430/0x4a0\n\
//!             Call Trace:\n io_wqe_enqueue+0x166/0x700\n io_queue_sqe+0x7a2/0x1240\n";
//! // The same on a kernel whose compiler inlined it.
//! let new = b"WARNING: CPU: 0 PID: 9 at fs/io-wq.c:244 io_wqe_wake_worker fs/io-wq.c:244 [inline]\n\
//!             RIP: 0010:io_wqe_wake_worker fs/io-wq.c:244 [inline]\n\
//!             RIP: 0010:io_wqe_enqueue+0x7f6/0x950 fs/io-wq.c:751\n\
//!             Call Trace:\n io_queue_async_work+0x28a/0x5e0 fs/io_uring.c:1350\n";
//! let mut index = Index::new();
//! for log in [old.as_slice(), new.as_slice()] {
//!     let report = ksplat::reports(log).next().expect("a report");
//!     index.add(&Signature::of(&report), Observation::default());
//! }
//! assert_eq!(index.clusters().len(), 1);
//! ```
//!
//! An [`Index`] stores each distinct signature once. [`Index::clusters`] groups the reports by
//! rules from strict to loose, and explains each group: see [`LinkReason`]. The result does not
//! depend on the order in which reports were added. [`Index::matches`] ranks known reports by their
//! similarity to a new one, with [published weights](Feature::weight).

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "reports are numbered in 32 bits, and weights need three digits"
)]

mod blocking;
mod calibration;
mod document_frequency;
mod entry;
mod feature;
mod link;
mod names;
mod parting;
#[cfg(feature = "store")]
mod reach;
mod similarity;
pub mod steps;
mod summary;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::OnceLock;

use blocking::{DisjointSets, Edge, Keys, Part, Rank};
use entry::Entry;
use names::{Name, Names, Overlay, Texts};
use similarity::{Candidate, Ranker, Scratch};

use crate::arch::Arch;
use crate::fingerprint::{Family, Signature};
use crate::order;

pub use blocking::MAX_NEAR;
#[cfg(feature = "store")]
pub(crate) use reach::{Grouped, Reach, Titles};

pub use calibration::calibrate;
pub use document_frequency::Frequencies;
pub use feature::Feature;
pub use link::{Link, LinkReason};
pub use parting::{PartReason, Parted};
pub use summary::{Cluster, Counted, KernelCount, Linked, Perhaps, SharedFrame};

/// The merge threshold: the probability from which reports of different sites are joined.
pub const ATTACH: f32 = 0.65;

/// The merge threshold of an incomplete report that has its stack, whose site and facts join nothing.
pub const ATTACH_INCOMPLETE: f32 = 0.95;

/// The probability from which two clusters are listed as [`Cluster::perhaps`] the same bug.
pub const PERHAPS: f32 = 0.3;

/// The number of most similar neighbours of a set that are compared.
const NEIGHBOURS: usize = 8;

/// The time of a report, and its count.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Observation {
    /// Seconds since 1970-01-01 UTC, if the time is known.
    pub time: Option<u64>,
    /// The number of reports in it; 0 counts as 1.
    pub count: u32,
}

/// The fields of a report that differ between reports of one entry.
#[derive(Clone, Copy, Debug)]
struct Report {
    entry: u32,
    release: Option<Name>,
    arch: Option<Arch>,
    time: Option<u64>,
    count: u32,
}

/// An index of signatures.
///
/// Memory grows with the number of distinct signatures; another report of a known signature needs
/// a few dozen bytes.
#[derive(Clone, Debug, Default)]
pub struct Index {
    names: Names,
    entries: Vec<Entry>,
    by_exact: HashMap<u64, u32>,
    /// The number of reports without site and frames, by hash.
    bare: HashMap<u64, u64>,
    reports: Vec<Report>,
    apart: Vec<(u32, u32)>,
    together: Vec<(u32, u32)>,
    ranker: OnceLock<Ranker>,
    keys: OnceLock<Keys>,
    frequencies: Option<&'static Frequencies>,
}

impl Index {
    /// Makes an empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty index whose [`matches`](Self::matches) count names by another table than the built-in one.
    ///
    /// Groups use the built-in table.
    ///
    /// # Examples
    ///
    /// ```
    /// use ksplat::cluster::{Frequencies, Index, Observation};
    /// use ksplat::fingerprint::Signature;
    ///
    /// let log = b"kernel BUG at fs/a.c:1!\nRIP: 0010:f+0x1/0x2\nCall Trace:\n g+0x1/0x2\n";
    /// let report = ksplat::reports(log).next().expect("a report");
    /// // All of three bugs have the function `f`.
    /// let known = [("f", 3)].into_iter();
    /// let none = || std::iter::empty();
    /// let frequencies = Box::leak(Box::new(Frequencies::new(3.0, known, none(), none())));
    /// let [common, rare] = [Index::with_frequencies(frequencies), Index::new()].map(|mut index| {
    ///     index.add(&Signature::of(&report), Observation::default());
    ///     index.matches(&Signature::of(&report), 1).remove(0).sum
    /// });
    /// assert!(common < rare);
    /// ```
    pub fn with_frequencies(frequencies: &'static Frequencies) -> Self {
        Self { frequencies: Some(frequencies), ..Self::default() }
    }

    /// Returns the number of reports.
    pub fn len(&self) -> usize {
        self.reports.len()
    }

    /// Returns whether the index has no report.
    pub fn is_empty(&self) -> bool {
        self.reports.is_empty()
    }

    /// Adds a report and returns its number; numbers count from 0.
    pub fn add(&mut self, signature: &Signature<'_>, seen: Observation) -> u32 {
        let report = self.reports.len() as u32;
        let next = self.entries.len() as u32;
        let mut exact = signature.exact;
        if signature.is_alone() {
            // Reports without any frame are not equal to each other.
            exact = signature.fingerprint();
            let next = self.bare.entry(exact).or_default();
            exact = exact.wrapping_add(*next);
            *next += 1;
        }
        let number = *self.by_exact.entry(exact).or_insert(next);
        if number == next {
            let entry = Entry::new(signature, &mut self.names);
            self.entries.push(Entry { exact, first: report, ..entry });
            self.ranker = OnceLock::new();
            self.keys = OnceLock::new();
        } else if let Some(entry) = self.entries.get_mut(number as usize)
            && entry.describe(signature, &mut self.names)
        {
            self.ranker = OnceLock::new();
            self.keys = OnceLock::new();
        }
        if let Some(entry) = self.entries.get_mut(number as usize) {
            entry.count = entry.count.saturating_add(seen.count.max(1));
        }
        let release = signature.release.as_deref().map(|release| self.names.add(release));
        let (arch, Observation { time, count }) = (signature.arch, seen);
        self.reports.push(Report { entry: number, release, arch, time, count: count.max(1) });
        report
    }

    /// Adds all reports of another index. Report `n` of the other gets the number `n` plus the
    /// number of reports in this index.
    pub fn merge(&mut self, other: &Self) {
        let from = self.reports.len() as u32;
        for report in &other.reports {
            let Some(entry) = other.entries.get(report.entry as usize) else { continue };
            let release = report.release.map(|release| other.names.text(release).into());
            let signature =
                Signature { release, arch: report.arch, ..entry.signature(&other.names) };
            self.add(&signature, Observation { time: report.time, count: report.count });
        }
        let later = |pairs: &[(u32, u32)]| -> Vec<(u32, u32)> {
            pairs.iter().map(|(a, b)| (a + from, b + from)).collect()
        };
        self.apart.extend(later(&other.apart));
        self.together.extend(later(&other.together));
    }

    /// Adds a cannot-link: the two reports are of different bugs, and no rule joins their clusters.
    ///
    /// Unknown numbers have no effect.
    pub fn cannot_link(&mut self, a: u32, b: u32) {
        self.apart.push((a, b));
    }

    /// Adds a must-link: the two reports are of one bug, unless a cannot-link forbids it.
    ///
    /// Unknown numbers have no effect.
    pub fn must_link(&mut self, a: u32, b: u32) {
        self.together.push((a, b));
    }

    /// Returns the signature of a report; `None` for an unknown number.
    pub fn signature(&self, report: u32) -> Option<Signature<'_>> {
        Some(self.entry(report)?.signature(&self.names))
    }

    /// Compares two reports; `None` for an unknown number.
    pub fn compare(&self, a: u32, b: u32) -> Option<Match> {
        let entry = self.entry(a)?;
        let other = self.reports.get(b as usize)?.entry;
        let ranker = Ranker::new(&self.entries, &self.names, vec![other]);
        Some(Match::new(b, ranker.compare_one(entry, &self.names, 0)))
    }

    /// Returns the `top` known reports that are most similar to a signature, the most similar
    /// first, with probabilities by [`calibrate`].
    pub fn matches(&self, signature: &Signature<'_>, top: usize) -> Vec<Match> {
        let mut names = Overlay::new(&self.names);
        let entry = Entry::new(signature, &mut names);
        // The lead of the first match needs the second.
        let mut matches = self.ranked(&entry, &names, top.max(2));
        calibrate(&mut matches, self.entries.len());
        matches.truncate(top);
        matches
    }

    /// Returns the number of distinct signatures.
    pub fn signatures(&self) -> usize {
        self.entries.len()
    }

    fn ranked(&self, entry: &Entry, names: &impl Texts, top: usize) -> Vec<Match> {
        let candidates =
            self.ranker().rank(&self.entries, entry, names, top, &mut Scratch::default());
        let found = candidates.into_iter().filter_map(|candidate| {
            let report = self.entries.get(candidate.entry as usize)?.first;
            Some(Match::new(report, candidate))
        });
        found.collect()
    }

    /// Returns a known report of the same bug by the rules of [`clusters`](Self::clusters), if
    /// there is one.
    ///
    /// Links by title are not tried, because they depend on all reports of a title: a signature without
    /// a stack may have a cluster, but no result here.
    pub fn same(&self, signature: &Signature<'_>) -> Option<u32> {
        let first = |entry: u32| self.entries.get(entry as usize).map(|entry| entry.first);
        if signature.is_alone() {
            return None;
        }
        if let Some(entry) = self.by_exact.get(&signature.exact) {
            return first(*entry);
        }
        let mut names = Overlay::new(&self.names);
        let entry = Entry::new(signature, &mut names);
        if !entry.is_comparable() {
            return None;
        }
        if let Some(place) = self.keys().place(&self.entries, &entry, &names) {
            return first(place);
        }
        let likest = self.ranked(&entry, &names, 1).pop()?;
        let other = self.entry(likest.report)?;
        let attaches = likest.score >= blocking::least(&entry, other, ATTACH)
            && blocking::may_attach(&entry, other);
        attaches.then_some(likest.report)
    }

    fn ranker(&self) -> &Ranker {
        let all = || (0..self.entries.len() as u32).collect();
        let frequencies = self.frequencies.unwrap_or(Frequencies::builtin());
        self.ranker.get_or_init(|| {
            Ranker::with_frequencies(&self.entries, &self.names, all(), frequencies)
        })
    }

    fn keys(&self) -> &Keys {
        self.keys.get_or_init(|| Keys::new(&self.entries, &self.names))
    }

    /// Groups the reports by bug, the largest groups first. Each report is in one cluster.
    pub fn clusters(&self) -> Vec<Cluster> {
        let Joined { mut sets, edges, exemplars, ranker } = self.joined(&Part::default());
        let perhaps = self.perhaps(&mut sets, &exemplars, &ranker);
        let mut groups: BTreeMap<u32, (Vec<u32>, Vec<&Edge>)> = BTreeMap::new();
        for (number, report) in (0_u32..).zip(&self.reports) {
            groups.entry(sets.find(report.entry)).or_default().0.push(number);
        }
        for edge in &edges {
            groups.entry(sets.find(edge.a)).or_default().1.push(edge);
        }
        let mut places: HashMap<u32, usize> = HashMap::new();
        let mut clusters = Vec::with_capacity(groups.len());
        for (set, (reports, edges)) in groups {
            places.insert(set, clusters.len());
            let edges = edges.into_iter();
            let links = edges.map(|edge| (edge.how, self.evidence(edge), edge.score));
            clusters.push(summary::cluster(self, reports, summary::linked(links)));
        }
        for edge in perhaps {
            let (a, b) = (sets.find(edge.a), sets.find(edge.b));
            let Some((a, b)) = places.get(&a).zip(places.get(&b)) else { continue };
            for (of, other) in [(*a, *b), (*b, *a)] {
                let id = clusters.get(other).map(|cluster| cluster.id.clone()).unwrap_or_default();
                if let Some(cluster) = clusters.get_mut(of).filter(|_| of != other) {
                    cluster.perhaps.push(Perhaps {
                        id,
                        score: edge.score,
                        evidence: edge.evidence.clone(),
                    });
                }
            }
        }
        for cluster in &mut clusters {
            order::sort_by(&mut cluster.perhaps, |a, b| {
                b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id))
            });
            let mut seen = BTreeSet::new();
            cluster.perhaps.retain(|other| seen.insert(other.id.clone()));
            cluster.perhaps.truncate(NEIGHBOURS);
        }
        order::sort_by(&mut clusters, |a, b| b.count.cmp(&a.count).then_with(|| a.id.cmp(&b.id)));
        clusters
    }

    /// Returns the links that joined signatures, and those between similar clusters, by the exact
    /// hashes of the signatures.
    ///
    /// The links that a cannot-link forbids are left out. Reports that are equal to no other one
    /// have numbers for hashes, so their links depend on the order of reports.
    pub fn links(&self) -> Links {
        let Joined { mut sets, edges, exemplars, ranker } = self.joined(&Part::default());
        let perhaps = self.perhaps(&mut sets, &exemplars, &ranker);
        let shared = |edges: &[Edge]| edges.iter().map(|edge| self.shared(edge)).collect();
        Links { joined: shared(&edges), perhaps: shared(&perhaps) }
    }

    /// Converts an edge to one that means the same in all indexes.
    fn shared(&self, edge: &Edge) -> steps::Edge {
        steps::Edge {
            a: self.exact(edge.a),
            b: self.exact(edge.b),
            how: edge.how,
            score: edge.score,
            evidence: self.evidence(edge),
            name: edge.name.map(|name| self.names.hash(name)),
        }
    }

    /// Describes these reports as one cluster, without the rules.
    pub fn describe(&self, reports: Vec<u32>) -> Cluster {
        summary::cluster(self, reports, Vec::new())
    }

    fn entry(&self, report: u32) -> Option<&Entry> {
        self.entries.get(self.reports.get(report as usize)?.entry as usize)
    }

    /// Joins entries by all rules. Returns the sets and the links that joined them.
    fn joined(&self, part: &Part) -> Joined {
        let entry_of = |report: &u32| self.reports.get(*report as usize).map(|report| report.entry);
        let pairs = |pairs: &[(u32, u32)]| -> Vec<(u32, u32)> {
            pairs.iter().filter_map(|(a, b)| Some((entry_of(a)?, entry_of(b)?))).collect()
        };
        let mut sets = DisjointSets::new(self.entries.len(), pairs(&self.apart));
        let mut edges: Vec<_> = pairs(&self.together)
            .into_iter()
            .map(|(a, b)| Edge::sure(LinkReason::Forced, a, b, None))
            .collect();
        edges.extend(self.keys().edges(&self.entries, &self.names, part));
        self.join(&mut sets, &mut edges);
        let mut titles = self.by_titles(&mut sets, part);
        self.join(&mut sets, &mut titles);
        edges.extend(titles);
        let exemplars = self.exemplars(&mut sets, part);
        let ranker = Ranker::new(&self.entries, &self.names, exemplars.clone());
        let mut scores = self.by_scores(&exemplars, &ranker, part);
        self.join(&mut sets, &mut scores);
        edges.extend(scores);
        Joined { sets, edges, exemplars, ranker }
    }

    /// Joins the ends of edges, the strongest first, and removes edges that a cannot-link forbids.
    fn join(&self, sets: &mut DisjointSets, edges: &mut Vec<Edge>) {
        let rank = |edge: &Edge| Rank {
            how: edge.how,
            score: edge.score,
            ends: (self.exact(edge.a), self.exact(edge.b)),
            name: edge.name.map(|name| self.names.hash(name)),
        };
        sets.join_all(edges, rank, |edge| (edge.a, edge.b));
    }

    fn exact(&self, entry: u32) -> u64 {
        self.entries.get(entry as usize).map_or(0, |entry| entry.exact)
    }

    /// Joins reports without a stack by title: with each other, and with reports that have a stack
    /// if these are all of one bug.
    fn by_titles(&self, sets: &mut DisjointSets, part: &Part) -> Vec<Edge> {
        let mut by_title: BTreeMap<u32, (Vec<u32>, Vec<u32>)> = BTreeMap::new();
        for (number, entry) in (0_u32..).zip(&self.entries).filter(|(_, entry)| !entry.corrupted) {
            let (bare, whole) = by_title.entry(entry.title).or_default();
            if entry.site.is_empty() { bare } else { whole }.push(number);
        }
        let mut edges = Vec::new();
        by_title.retain(|_, (bare, whole)| {
            bare.iter().chain(whole.iter()).any(|entry| part.is_whole(*entry))
        });
        for (title, (mut bare, mut whole)) in by_title {
            order::sort_by(&mut bare, |a, b| self.exact(*a).cmp(&self.exact(*b)));
            order::sort_by(&mut whole, |a, b| self.exact(*a).cmp(&self.exact(*b)));
            let Some((first, rest)) = bare.split_first() else { continue };
            let mut link = |other: u32| {
                edges.push(Edge::sure(LinkReason::Title, *first, other, Some(title)));
            };
            for other in rest {
                link(*other);
            }
            let names_function =
                self.entries.get(*first as usize).is_some_and(|entry| entry.function.is_some());
            if let Some((known, others)) = whole.split_first()
                && names_function
            {
                let set = sets.find(*known);
                if others.iter().all(|other| sets.find(*other) == set) {
                    link(*known);
                }
            }
        }
        edges
    }

    /// Returns the exemplar of each set: the most frequent entry, of equal ones that with the
    /// shortest stack, then with the smallest hash. The functions of a short stack are the ones that the
    /// reports of a bug have in common, and the callers of a long one lower its scores.
    fn exemplars(&self, sets: &mut DisjointSets, part: &Part) -> Vec<u32> {
        let mut exemplars: BTreeMap<u32, u32> = BTreeMap::new();
        let comparable = |(_, entry): &(u32, &Entry)| entry.is_comparable();
        for (number, entry) in (0_u32..).zip(&self.entries).filter(comparable) {
            if !part.may_lead(number) {
                continue;
            }
            let rank =
                |entry: &Entry| (entry.count, Reverse(entry.frames.len()), Reverse(entry.exact));
            let place = exemplars.entry(sets.find(number)).or_insert(number);
            if self.entries.get(*place as usize).is_some_and(|known| rank(known) < rank(entry)) {
                *place = number;
            }
        }
        exemplars.into_values().collect()
    }

    /// Compares exemplars that may be of one bug, and returns the edges of those that are.
    fn by_scores(&self, exemplars: &[u32], ranker: &Ranker, part: &Part) -> Vec<Edge> {
        let mut near: HashMap<(Family, Name), Vec<u32>> = HashMap::new();
        for (document, number) in (0_u32..).zip(exemplars) {
            let Some(entry) = self.entries.get(*number as usize) else { continue };
            for name in blocking::near(entry) {
                near.entry((blocking::kin(entry.family), name)).or_default().push(document);
            }
        }
        let (mut edges, mut scratch) = (Vec::new(), Scratch::default());
        for number in exemplars {
            let Some(entry) = self.entries.get(*number as usize) else { continue };
            let names = blocking::near(entry).into_iter();
            let reached = names.filter_map(|name| near.get(&(blocking::kin(entry.family), name)));
            let reached = reached.filter(|documents| documents.len() <= MAX_NEAR);
            let mut reached: Vec<u32> = reached.flatten().copied().collect();
            order::sort(&mut reached);
            reached.dedup();
            reached.retain(|document| {
                let other = exemplars.get(*document as usize).copied();
                other.is_some_and(|other| {
                    self.may_score(*number, other)
                        && (part.is_whole(*number) || part.is_whole(other))
                })
            });
            edges.extend(self.scored(ranker, *number, &reached, ATTACH, &mut scratch));
        }
        edges
    }

    /// Returns whether the score of two entries can link them. Each pair has one direction, because
    /// the last digit of the score may depend on it.
    fn may_score(&self, a: u32, b: u32) -> bool {
        let of = |number: u32| self.entries.get(number as usize);
        of(a).zip(of(b)).is_some_and(|(a, b)| a.exact < b.exact && blocking::may_attach(a, b))
    }

    /// Compares an entry with documents, and returns the edges to those with at least this score.
    fn scored(
        &self,
        ranker: &Ranker,
        number: u32,
        documents: &[u32],
        least: f32,
        scratch: &mut Scratch,
    ) -> Vec<Edge> {
        let Some(entry) = self.entries.get(number as usize).filter(|_| !documents.is_empty())
        else {
            return Vec::new();
        };
        let found = ranker.compare_with(entry, &self.names, documents, scratch).into_iter();
        let found =
            found.filter(|candidate| candidate.score >= self.least(entry, candidate, least));
        found.map(|candidate| Edge::scored(number, &candidate)).collect()
    }

    /// Returns the least score that links an entry and a candidate, for this least score of whole ones.
    fn least(&self, entry: &Entry, candidate: &Candidate, least: f32) -> f32 {
        let other = self.entries.get(candidate.entry as usize);
        blocking::least(entry, other.unwrap_or(entry), least)
    }

    /// Returns the edges between sets that are perhaps one bug.
    fn perhaps(&self, sets: &mut DisjointSets, exemplars: &[u32], ranker: &Ranker) -> Vec<Edge> {
        let (mut edges, mut scratch) = (Vec::new(), Scratch::default());
        for number in exemplars {
            let Some(entry) = self.entries.get(*number as usize) else { continue };
            let neighbours =
                ranker.rank(&self.entries, entry, &self.names, NEIGHBOURS, &mut scratch);
            let others = neighbours.iter().filter(|candidate| {
                candidate.score >= self.least(entry, candidate, PERHAPS)
                    && sets.find(candidate.entry) != sets.find(*number)
            });
            edges.extend(others.map(|candidate| Edge::scored(*number, candidate)));
        }
        edges
    }

    /// Explains why two reports are in one cluster: the links on the path from one to the other.
    /// `None` if they are in different clusters or a number is unknown.
    pub fn why(&self, a: u32, b: u32) -> Option<Vec<Link>> {
        let entry_of = |report: u32| Some(self.reports.get(report as usize)?.entry);
        let (from, to) = (entry_of(a)?, entry_of(b)?);
        if from == to {
            let evidence = "equal in everything that is stable across runs".to_owned();
            return Some(vec![Link { a, b, how: LinkReason::Exact, score: 1.0, evidence }]);
        }
        let Joined { edges, .. } = self.joined(&Part::default());
        let mut next: HashMap<u32, Vec<&Edge>> = HashMap::new();
        for edge in &edges {
            next.entry(edge.a).or_default().push(edge);
            next.entry(edge.b).or_default().push(edge);
        }
        let mut came: HashMap<u32, (u32, &Edge)> = HashMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(entry) = queue.pop_front() {
            for edge in next.get(&entry).into_iter().flatten() {
                let other = if edge.a == entry { edge.b } else { edge.a };
                if other != from && !came.contains_key(&other) {
                    came.insert(other, (entry, *edge));
                    queue.push_back(other);
                }
            }
        }
        let report = |entry: u32| match entry {
            entry if entry == from => a,
            entry if entry == to => b,
            entry => self.entries.get(entry as usize).map_or(0, |entry| entry.first),
        };
        let mut links = Vec::new();
        let mut at = to;
        while at != from {
            let (before, edge) = came.get(&at)?;
            links.push(self.link(edge, report(*before), report(at)));
            at = *before;
        }
        links.reverse();
        Some(links)
    }

    fn link(&self, edge: &Edge, a: u32, b: u32) -> Link {
        Link { a, b, how: edge.how, score: edge.score, evidence: self.evidence(edge) }
    }

    /// Describes the evidence of an edge in words.
    fn evidence(&self, edge: &Edge) -> String {
        let name = edge.name.map(|name| self.names.text(name)).unwrap_or_default();
        let family = self.entries.get(edge.a as usize).map_or("", |entry| entry.family.name());
        match edge.how {
            LinkReason::Forced => "a must-link".to_owned(),
            LinkReason::Exact => "equal in everything that is stable across runs".to_owned(),
            LinkReason::Site => format!("{family} in {name}"),
            LinkReason::Stack => format!("{family} with the same two innermost functions"),
            LinkReason::Locks => format!("the same locks, and the same title: {name}"),
            LinkReason::Hang => format!("each hang is in the log of the other, as {name}"),
            LinkReason::Stall => format!("stalls in {name} with four consecutive common functions"),
            LinkReason::Warning => {
                format!("two consecutive common functions, and the same title: {name}")
            }
            LinkReason::Object => format!("the same allocation and free, and {name} near the use"),
            LinkReason::Title => format!("no stack, and the same title: {name}"),
            LinkReason::Score => edge.evidence.clone(),
        }
    }
}

/// The links between the signatures of an index: see [`Index::links`].
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Links {
    /// The links within clusters.
    pub joined: Vec<steps::Edge>,
    /// The scores between the exemplars of clusters that are perhaps one bug.
    pub perhaps: Vec<steps::Edge>,
}

/// The sets of entries, the links that joined them, the exemplars that were compared, and their index.
struct Joined {
    sets: DisjointSets,
    edges: Vec<Edge>,
    exemplars: Vec<u32>,
    ranker: Ranker,
}

/// A known report that is similar to another one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Match {
    /// The number of the report, as [`Index::add`] returned it; the lowest one of equal reports.
    pub report: u32,
    /// The sum of the features, each with its [weight](Feature::weight).
    pub sum: f32,
    /// The probability that both are of one bug, from 0 to 1: of [`Index::matches`] among all candidates, of
    /// [`Index::compare`] by the two reports alone.
    pub score: f32,
    /// The features that both have, each from 0 to 1.
    pub features: Vec<(Feature, f32)>,
}

impl Match {
    fn new(report: u32, candidate: Candidate) -> Self {
        let Candidate { sum, score, features, .. } = candidate;
        Self { report, sum, score, features }
    }

    /// Returns the sum of the features, each with its [weight for two reports alone](Feature::pair_weight).
    pub fn pair_sum(&self) -> f32 {
        similarity::pair_sum(&self.features)
    }

    /// Describes the features in words, the heaviest in [`sum`](field@Self::sum) first.
    pub fn evidence(&self) -> String {
        link::in_words(&self.features, Feature::weight)
    }

    /// Describes the features in words, the heaviest in [`pair_sum`](Self::pair_sum) first.
    pub fn pair_evidence(&self) -> String {
        link::in_words(&self.features, Feature::pair_weight)
    }
}
