//! The summary of a cluster.

use std::collections::BTreeMap;

use super::Index;
use super::blocking::Edge;
use super::entry::Entry;
use super::link::LinkReason;
use super::names::Texts;
use crate::arch::Arch;
use crate::fingerprint::{self, Family, Impact};
use crate::functions::FrameClass;
use crate::kind::Kind;

/// Reports that are of one bug.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Cluster {
    /// The smallest exact hash of its members, the same whatever the order in which they came: sixteen
    /// hexadecimal digits.
    pub id: String,
    /// The title that most of its members have.
    pub title: String,
    /// What went wrong, of most members.
    pub kind: Kind,
    /// The same in fewer words.
    pub family: Family,
    /// That of the worst member.
    pub impact: Impact,
    /// How many reports it has.
    pub count: usize,
    /// Its titles, the most frequent first.
    pub titles: Vec<Counted>,
    /// The kernels that it was seen on, the oldest first.
    pub kernels: Vec<KernelCount>,
    /// When it was seen first and last, in seconds since 1970.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub seen: Option<(u64, u64)>,
    /// A report of those that are equal most often.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub exemplar: u32,
    /// Its stack.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub frames: Vec<SharedFrame>,
    /// What the trapping instruction did, or which function is to blame, in the exemplar.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub summary: Option<String>,
    /// Its members, in the order in which they came.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub reports: Vec<u32>,
    /// What holds its members together.
    pub links: Vec<Linked>,
    /// Other clusters that are perhaps the same bug, the likest first.
    pub perhaps: Vec<Perhaps>,
}

#[cfg(feature = "store")]
impl Cluster {
    /// Says on which kernels it was seen, and how often.
    pub(crate) fn set_kernels(&mut self, seen: impl Iterator<Item = (String, Option<Arch>, u32)>) {
        self.kernels = counted(seen);
    }
}

/// A text, and how many reports have it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Counted {
    /// The text.
    pub title: String,
    /// How many reports.
    pub count: usize,
}

/// A kernel, and how many reports are of it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct KernelCount {
    /// Its release.
    pub release: String,
    /// Its architecture.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub arch: Option<Arch>,
    /// How many reports.
    pub count: usize,
}

/// A function of the exemplar's stack.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SharedFrame {
    /// The function.
    pub function: String,
    /// Whether it was inlined into the next one.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "std::ops::Not::not"))]
    pub inline: bool,
    /// Whether it may name a bug.
    pub class: FrameClass,
    /// Its source file.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub source: Option<String>,
    /// The part of the reports with a stack that have it in theirs, from 0 to 1.
    pub shared: f32,
}

/// A reason why members belong together.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Linked {
    /// How they were found to.
    pub how: LinkReason,
    /// In words.
    pub evidence: String,
    /// How many kinds of reports it joins to the others.
    pub count: usize,
    /// The smallest probability among them.
    pub score: f32,
}

/// Another cluster that is perhaps the same bug.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Perhaps {
    /// Its id.
    pub id: String,
    /// The probability that it is.
    pub score: f32,
    /// What the exemplars have in common.
    pub evidence: String,
}

/// The cluster of these reports, without what it has to do with others.
pub(super) fn cluster(index: &Index, reports: Vec<u32>, edges: &[&Edge]) -> Cluster {
    let entries = || {
        let counted = reports.iter().filter_map(|report| index.reports.get(*report as usize));
        counted.filter_map(|report| {
            Some((index.entries.get(report.entry as usize)?, report.count as usize))
        })
    };
    let least = entries().map(|(entry, _)| entry.exact).min().unwrap_or_default();
    let mut titles: BTreeMap<&str, usize> = BTreeMap::new();
    let mut counts: BTreeMap<u64, (usize, &Entry)> = BTreeMap::new();
    for (entry, count) in entries() {
        *titles.entry(index.names.text(entry.title)).or_default() += count;
        counts.entry(entry.exact).or_insert((0, entry)).0 += count;
    }
    let mut titles: Vec<_> = titles
        .into_iter()
        .map(|(title, count)| Counted { title: title.to_owned(), count })
        .collect();
    titles.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.title.cmp(&b.title)));
    // The most frequent; of equal ones a whole one, then the smallest hash.
    let exemplar = counts.values().max_by_key(|(count, entry)| {
        (!entry.corrupted, !entry.frames.is_empty(), *count, std::cmp::Reverse(entry.exact))
    });
    let exemplar = exemplar.map(|(_, entry)| *entry);
    let impact =
        entries().map(|(entry, _)| &entry.impact).min_by_key(|impact| impact.key()).cloned();
    let is_exemplar =
        |report: &&u32| index.entry(**report).map(|entry| entry.exact) == exemplar.map(|e| e.exact);
    Cluster {
        id: format!("{least:016x}"),
        title: titles.first().map(|first| first.title.clone()).unwrap_or_default(),
        kind: exemplar.map_or(Kind::Bug, |entry| entry.kind),
        family: exemplar.map_or(Family::Other, |entry| entry.family),
        impact: impact.unwrap_or_default(),
        count: entries().map(|(_, count)| count).sum(),
        titles,
        kernels: kernels(index, &reports),
        seen: seen(index, &reports),
        exemplar: reports.iter().find(is_exemplar).copied().unwrap_or_default(),
        frames: exemplar.map(|entry| frames(index, entry, &counts)).unwrap_or_default(),
        summary: exemplar
            .and_then(|entry| entry.summary)
            .map(|name| index.names.text(name).to_owned()),
        links: links(index, edges),
        perhaps: Vec::new(),
        reports,
    }
}

fn kernels(index: &Index, reports: &[u32]) -> Vec<KernelCount> {
    let reports = reports.iter().filter_map(|report| index.reports.get(*report as usize));
    let seen = reports.filter_map(|report| {
        Some((index.names.text(report.release?).to_owned(), report.arch, report.count))
    });
    counted(seen)
}

/// Kernels with how often each was seen, the oldest first.
fn counted(seen: impl Iterator<Item = (String, Option<Arch>, u32)>) -> Vec<KernelCount> {
    let mut kernels = BTreeMap::new();
    for (release, arch, count) in seen {
        kernels.entry((release, arch.map(Arch::name))).or_insert((0, arch)).0 += count as usize;
    }
    let mut kernels: Vec<_> = kernels
        .into_iter()
        .map(|((release, _), (count, arch))| KernelCount { release, arch, count })
        .collect();
    let age = |kernel: &KernelCount| fingerprint::age(&kernel.release).unwrap_or(f32::MIN);
    kernels.sort_by(|a, b| age(a).total_cmp(&age(b)).then_with(|| a.release.cmp(&b.release)));
    kernels
}

fn seen(index: &Index, reports: &[u32]) -> Option<(u64, u64)> {
    let times = || reports.iter().filter_map(|report| index.reports.get(*report as usize)?.time);
    Some((times().min()?, times().max()?))
}

fn frames(
    index: &Index,
    exemplar: &Entry,
    counts: &BTreeMap<u64, (usize, &Entry)>,
) -> Vec<SharedFrame> {
    let with_stack = || counts.values().filter(|(_, entry)| !entry.frames.is_empty());
    let all: usize = with_stack().map(|(count, _)| count).sum();
    let has = |entry: &Entry, name| entry.frames.iter().any(|frame| frame.name == name);
    exemplar
        .frames
        .iter()
        .map(|frame| {
            let sharing: usize = with_stack()
                .filter(|(_, entry)| has(entry, frame.name))
                .map(|(count, _)| count)
                .sum();
            SharedFrame {
                function: index.names.text(frame.name).to_owned(),
                inline: frame.inline,
                class: frame.class,
                source: frame.file.map(|file| index.names.text(file).to_owned()),
                shared: sharing as f32 / all.max(1) as f32,
            }
        })
        .collect()
}

fn links(index: &Index, edges: &[&Edge]) -> Vec<Linked> {
    let mut links: BTreeMap<(LinkReason, String), (usize, f32)> = BTreeMap::new();
    for edge in edges {
        let place = links.entry((edge.how, index.evidence(edge))).or_insert((0, 1.0));
        *place = (place.0 + 1, place.1.min(edge.score));
    }
    let mut links: Vec<_> = links
        .into_iter()
        .map(|((how, evidence), (count, score))| Linked { how, evidence, count, score })
        .collect();
    links.sort_by(|a, b| (a.how, b.count).cmp(&(b.how, a.count)));
    links
}
