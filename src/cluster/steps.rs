//! The steps of clustering as pure functions of signatures and hashes, for engines whose machines
//! share no memory.
//!
//! [`Index::clusters`](super::Index::clusters) takes the same steps, so the clusters are the same.
//! Each step needs the signatures with one key, or the links of one component:
//!
//! 1. [`merge`] makes one signature of all with the same exact hash.
//! 2. [`keys`] returns the hashes by which signatures are grouped.
//! 3. [`edges`] links the signatures with the same key of a rule; [`Edge::forced`] is a must-link.
//! 4. [`components`] joins them. Without cannot-links the order is irrelevant, and the sets are the
//!    connected components. A component with a cannot-link is joined at once.
//! 5. [`titles`] links signatures without a stack, and depends on these sets.
//! 6. The exemplar of each set is its most frequent signature with a [title](Keys::title) or a
//!    stack, of equally frequent ones that with the fewest [frames](Keys::frames), then that with the
//!    smallest hash. [`scores`] links exemplars that share a key of [`Keys::near`].
//! 7. [`components`] of all links are the clusters, and [`describe`] summarizes each.
//!
//! A signature that equals no other one ([`Keys::is_alone`]) is a cluster of its own: it takes no
//! part in the steps.
//!
//! # Examples
//!
//! Two machines find the keys, a third one the links of each key:
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use ksplat::cluster::{LinkReason, steps};
//! use ksplat::fingerprint::Signature;
//!
//! let log = |caller: &str| {
//!     let log = format!("kernel BUG at fs/a.c:1!\nRIP: 0010:f+0x1/0x2\nCall Trace:\n {caller}+0x1/0x2\n");
//!     let report = ksplat::reports(log.as_bytes()).next().expect("a report");
//!     Signature::of(&report).into_owned()
//! };
//! let mut groups: BTreeMap<u64, Vec<Signature>> = BTreeMap::new();
//! for signature in [log("g"), log("h")] {
//!     for key in steps::keys(&signature).rules {
//!         groups.entry(key).or_default().push(signature.clone());
//!     }
//! }
//! let edges = groups.iter().flat_map(|(key, members)| steps::edges(*key, members)).collect();
//! let joined = steps::components(edges, &[]);
//! assert_eq!(joined.links[0].how, LinkReason::Site);
//! assert_eq!(joined.links[0].evidence, "bug in f");
//! let [a, b] = ["g", "h"].map(|caller| log(caller).exact);
//! assert_eq!(joined.sets, BTreeMap::from([(a, a.min(b)), (b, a.min(b))]));
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::blocking::{self, DisjointSets, Part, Rank};
use super::entry::Entry;
use super::feature::Feature;
use super::link::{self, LinkReason};
use super::names::{Names, Texts};
use super::similarity::{Ranker, Scratch};
use super::{Cluster, Index, MAX_NEAR, Observation, summary};
use crate::fingerprint::{self, Signature, Stable};

/// The kind of the keys of functions near the site.
const NEAR: u64 = 3;

/// The keys that a signature shares with others of its bug: hashes of texts, equal on all machines.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Keys {
    /// The keys of rules that consider all signatures with the key: see [`edges`].
    pub rules: Vec<u64>,
    /// The hash of the title: see [`titles`]. `None` if the report is incomplete: only its score may
    /// join it.
    pub title: Option<u64>,
    /// Whether the signature has no stack.
    pub is_bare: bool,
    /// The number of frames: see step 6.
    pub frames: u32,
    /// The keys of the functions near the site: see [`scores`].
    pub near: Vec<u64>,
    /// Whether the report has so few facts that it does not equal even a report with the same hash.
    pub is_alone: bool,
}

impl Keys {
    pub(super) fn of(entry: &Entry, names: &impl Texts) -> Self {
        let kin = fingerprint::hash(blocking::kin(entry.family).name());
        let near = blocking::near(entry).into_iter();
        Self {
            rules: blocking::hashed(entry, names),
            title: (!entry.corrupted).then(|| names.hash(entry.title)),
            is_bare: entry.site.is_empty(),
            frames: u32::try_from(entry.frames.len()).unwrap_or(u32::MAX),
            near: near.map(|name| key(NEAR, &[kin, names.hash(name)])).collect(),
            is_alone: entry.is_alone(),
        }
    }
}

/// Hashes the parts of a key.
pub(super) fn key(kind: u64, parts: &[u64]) -> u64 {
    let mut hasher = Stable::new();
    hasher.number(kind);
    for part in parts {
        hasher.number(*part);
    }
    hasher.finish()
}

/// A link between two signatures.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The exact hash of a signature.
    pub a: u64,
    /// The exact hash of the other one.
    pub b: u64,
    /// The rule that links them.
    pub how: LinkReason,
    /// The probability that they are of one bug, from 0 to 1; 1 unless the rule is a score.
    pub score: f32,
    /// The evidence in words: the functions, the titles, or the features.
    pub evidence: String,
    /// The hash of the function or title in the evidence. It orders edges of the same rule with the
    /// same ends.
    pub name: Option<u64>,
}

impl Edge {
    /// Makes a must-link between two exact hashes.
    pub fn forced(a: u64, b: u64) -> Self {
        let evidence = "a must-link".to_owned();
        Self { a, b, how: LinkReason::Forced, score: 1.0, evidence, name: None }
    }
}

/// Signatures joined by links.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Components {
    /// The smallest exact hash of the set of each signature with a link.
    pub sets: BTreeMap<u64, u64>,
    /// The links that joined them, the strongest first, without those that a cannot-link forbids.
    pub links: Vec<Edge>,
}

/// Returns the keys of a signature.
pub fn keys(signature: &Signature<'_>) -> Keys {
    let mut names = Names::default();
    let entry = Entry::new(signature, &mut names);
    Keys::of(&entry, &names)
}

/// Merges signatures with the same exact hash, in any order: the files of frames, the place, the
/// summary, the severity and the release may differ. `None` if there are none.
pub fn merge(signatures: &[Signature<'_>]) -> Option<Signature<'static>> {
    Some(index(signatures).signature(0)?.into_owned())
}

/// Returns the links between all signatures that have a key of [`Keys::rules`], unsorted.
///
/// The rules consider all of them at once: a subset may have other links.
pub fn edges(key: u64, members: &[Signature<'_>]) -> Vec<Edge> {
    let index = index(members);
    let mut keys = blocking::Keys::new(&index.entries, &index.names);
    keys.retain(key, &index.entries, &index.names);
    let edges = keys.edges(&index.entries, &index.names, &Part::default());
    edges.iter().map(|edge| index.shared(edge)).collect()
}

/// Returns the links by title between all usable signatures of a title, each with the smallest hash
/// of its set so far.
///
/// Of the signatures with a stack, one of each set is sufficient: that with the smallest hash.
pub fn titles(members: &[(Signature<'_>, u64)]) -> Vec<Edge> {
    let mut index = Index::new();
    let mut numbers: HashMap<u64, u32> = HashMap::new();
    let mut joined = Vec::new();
    for (signature, set) in members {
        let report = index.add(signature, Observation::default());
        let Some(entry) = index.reports.get(report as usize).map(|report| report.entry) else {
            continue;
        };
        joined.push((entry, *numbers.entry(*set).or_insert(entry)));
    }
    let mut sets = DisjointSets::new(index.entries.len(), Vec::new());
    for (entry, first) in joined {
        sets.join(entry, first);
    }
    let edges = index.by_titles(&mut sets, &Part::default());
    edges.iter().map(|edge| index.shared(edge)).collect()
}

/// Returns the pairs of exemplars that [`scores`] compares, among all exemplars with a key of
/// [`Keys::near`]. More than [`MAX_NEAR`] have none.
pub fn candidates(members: &[Signature<'_>]) -> Vec<(u64, u64)> {
    let index = index(members);
    let pairs = pairs(&index);
    pairs.into_iter().map(|(a, b)| (index.exact(a), index.exact(b))).collect()
}

/// Returns the links by score of at least `least` between all exemplars with a key of
/// [`Keys::near`]: [`ATTACH`](super::ATTACH) joins them, from [`PERHAPS`](super::PERHAPS) on they
/// are perhaps one bug. A link of an incomplete report has [`ATTACH_INCOMPLETE`](super::ATTACH_INCOMPLETE)
/// or more.
///
/// Exemplars with several common keys are linked for each.
pub fn scores(members: &[Signature<'_>], least: f32) -> Vec<Edge> {
    let index = index(members);
    let mut others: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (a, b) in pairs(&index) {
        others.entry(a).or_default().push(b);
    }
    let all = (0..index.entries.len() as u32).collect();
    let ranker = Ranker::new(&index.entries, &index.names, all);
    let mut scratch = Scratch::default();
    let edges = others
        .iter()
        .flat_map(|(a, others)| index.scored(&ranker, *a, others, least, &mut scratch));
    edges.map(|edge| index.shared(&edge)).collect()
}

/// Compares two signatures. The result depends on these two alone, in any order.
pub fn score(a: &Signature<'_>, b: &Signature<'_>) -> Edge {
    let (a, b) = if a.exact <= b.exact { (a, b) } else { (b, a) };
    let mut names = Names::default();
    let (entry, other) = (Entry::new(a, &mut names), Entry::new(b, &mut names));
    let ranker = Ranker::new(&[other], &names, vec![0]);
    let found = ranker.compare_one(&entry, &names, 0);
    let evidence = link::in_words(&found.features, Feature::pair_weight);
    let how = LinkReason::Score;
    Edge { a: a.exact, b: b.exact, how, score: found.score, evidence, name: None }
}

/// Joins signatures by links, the strongest first, of equally strong ones those with the smaller
/// hashes. A link that would join a pair of `apart`, which are exact hashes, is left out.
///
/// A set without such a pair does not depend on the others, so each connected component can be
/// joined by another call.
pub fn components(mut edges: Vec<Edge>, apart: &[(u64, u64)]) -> Components {
    let linked: BTreeSet<u64> = edges.iter().flat_map(|edge| [edge.a, edge.b]).collect();
    let numbers: HashMap<u64, u32> = linked.iter().copied().zip(0..).collect();
    let number = |hash: &u64| numbers.get(hash).copied();
    let pairs = apart.iter().filter_map(|(a, b)| Some((number(a)?, number(b)?)));
    let mut sets = DisjointSets::new(linked.len(), pairs.collect());
    let rank = |edge: &Edge| Rank {
        how: edge.how,
        score: edge.score,
        ends: (edge.a, edge.b),
        name: edge.name,
    };
    let ends =
        |edge: &Edge| (number(&edge.a).unwrap_or_default(), number(&edge.b).unwrap_or_default());
    sets.join_all(&mut edges, rank, ends);
    // Hashes are numbered in their order, so the first of a set is the smallest.
    let hashes: Vec<u64> = linked.into_iter().collect();
    let set = |(number, hash): (u32, &u64)| {
        (*hash, hashes.get(sets.find(number) as usize).copied().unwrap_or(*hash))
    };
    let sets = (0..).zip(&hashes).map(set).collect();
    Components { sets, links: edges }
}

/// Summarizes the reports of one bug, joined by these links. Signatures with the same exact hash
/// are counted together.
pub fn describe(members: &[(Signature<'_>, Observation)], links: &[Edge]) -> Cluster {
    let mut index = Index::new();
    let reports = members.iter().map(|(signature, seen)| index.add(signature, *seen)).collect();
    let links = links.iter().map(|edge| (edge.how, edge.evidence.clone(), edge.score));
    summary::cluster(&index, reports, summary::linked(links))
}

/// Returns the pairs of entries whose scores can link them.
fn pairs(index: &Index) -> Vec<(u32, u32)> {
    let numbers = 0..index.entries.len() as u32;
    if index.entries.len() > MAX_NEAR {
        return Vec::new();
    }
    let pairs = numbers.clone().flat_map(|a| numbers.clone().map(move |b| (a, b)));
    pairs.filter(|(a, b)| index.may_score(*a, *b)).collect()
}

fn index(members: &[Signature<'_>]) -> Index {
    let mut index = Index::new();
    for member in members {
        index.add(member, Observation::default());
    }
    index
}
