//! The summary of a cluster.

use std::collections::BTreeMap;

use super::Index;
use super::entry::Entry;
use super::link::LinkReason;
use super::names::Texts;
use crate::arch::Arch;
use crate::atlas::Atlas;
use crate::fingerprint::{self, Family, Impact};
use crate::functions::FrameClass;
use crate::kind::Kind;
use crate::order;

/// The reports of one bug.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Cluster {
    /// The smallest exact hash of the members, as sixteen hexadecimal digits. It does not depend on
    /// the order of the reports, but changes if a report with a smaller hash is added.
    pub id: String,
    /// The most frequent title.
    pub title: String,
    /// The most frequent kind of failure.
    pub kind: Kind,
    /// The most frequent family.
    pub family: Family,
    /// The severity of the worst member.
    pub impact: Impact,
    /// The number of reports.
    pub count: usize,
    /// The titles, the most frequent first.
    pub titles: Vec<Counted>,
    /// The kernels that printed the reports, the oldest first.
    pub kernels: Vec<KernelCount>,
    /// The times of the first and the last report, in seconds since 1970-01-01 UTC.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub seen: Option<(u64, u64)>,
    /// The exemplar: a report with the most frequent signature, by the number that
    /// [`Index::add`](super::Index::add) returned.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub exemplar: u32,
    /// The stack of the exemplar, innermost frame first.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub frames: Vec<SharedFrame>,
    /// One sentence from the exemplar: what the trapping instruction did, or which function is
    /// blamed.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub summary: Option<String>,
    /// The section of MAINTAINERS that is nearest to the file of the exemplar.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub subsystem: Option<String>,
    /// The numbers of the members, ascending.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub reports: Vec<u32>,
    /// The rules that joined the members.
    pub links: Vec<Linked>,
    /// Other clusters that are perhaps of the same bug, the most similar first.
    pub perhaps: Vec<Perhaps>,
}

#[cfg(feature = "store")]
impl Cluster {
    /// Sets the kernels, and the number of reports of each.
    pub(crate) fn set_kernels(&mut self, seen: impl Iterator<Item = (String, Option<Arch>, u32)>) {
        self.kernels = counted(seen);
    }
}

/// A title, and the number of reports with it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Counted {
    /// The title.
    pub title: String,
    /// The number of reports.
    pub count: usize,
}

/// A kernel, and the number of reports from it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct KernelCount {
    /// The release, such as `6.12.0-rc4`.
    pub release: String,
    /// The architecture.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub arch: Option<Arch>,
    /// The number of reports.
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
    /// The source file, if the report has source lines.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub source: Option<String>,
    /// The share of the reports with a stack that have the function in it, from 0 to 1.
    pub shared: f32,
}

/// A rule that joined members of a cluster.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Linked {
    /// The rule.
    pub how: LinkReason,
    /// The evidence in words.
    pub evidence: String,
    /// The number of distinct signatures that it joined.
    pub count: usize,
    /// The smallest probability among them, from 0 to 1.
    pub score: f32,
}

/// Another cluster that is perhaps of the same bug.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Perhaps {
    /// The ID of the cluster.
    pub id: String,
    /// The probability that it is of the same bug, from 0 to 1.
    pub score: f32,
    /// The features that the exemplars have in common, in words.
    pub evidence: String,
}

/// Summarizes these reports, without the relations to other clusters.
pub(super) fn cluster(index: &Index, reports: Vec<u32>, links: Vec<Linked>) -> Cluster {
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
    order::sort_by(&mut titles, |a, b| b.count.cmp(&a.count).then_with(|| a.title.cmp(&b.title)));
    // The most frequent entry; of equal ones a usable one, then that with the smallest hash.
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
        subsystem: exemplar.and_then(|entry| subsystem(index, entry)),
        links,
        perhaps: Vec::new(),
        reports,
    }
}

/// The subsystem of a report's file, by the built-in atlas.
fn subsystem(index: &Index, entry: &Entry) -> Option<String> {
    let sections = Atlas::builtin().sections(index.names.text(entry.file?));
    sections.first().map(|section| section.name.to_owned())
}

fn kernels(index: &Index, reports: &[u32]) -> Vec<KernelCount> {
    let reports = reports.iter().filter_map(|report| index.reports.get(*report as usize));
    let seen = reports.filter_map(|report| {
        Some((index.names.text(report.release?).to_owned(), report.arch, report.count))
    });
    counted(seen)
}

/// Counts the reports of each kernel, the oldest kernel first.
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
    order::sort_by(&mut kernels, |a, b| {
        age(a).total_cmp(&age(b)).then_with(|| a.release.cmp(&b.release))
    });
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

/// Counts the links with the same rule and evidence.
pub(super) fn linked(edges: impl Iterator<Item = (LinkReason, String, f32)>) -> Vec<Linked> {
    let mut links: BTreeMap<(LinkReason, String), (usize, f32)> = BTreeMap::new();
    for (how, evidence, score) in edges {
        let place = links.entry((how, evidence)).or_insert((0, 1.0));
        *place = (place.0 + 1, place.1.min(score));
    }
    let mut links: Vec<_> = links
        .into_iter()
        .map(|((how, evidence), (count, score))| Linked { how, evidence, count, score })
        .collect();
    order::sort_by(&mut links, |a, b| (a.how, b.count).cmp(&(b.how, a.count)));
    links
}
