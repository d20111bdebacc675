//! Clusters as one HTML page without network access, external scripts or styles. All text is
//! escaped.
//!
//! `page.html` is built from `web/page/triage.*` by `npm run build` in `web/`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;

use super::bugs::{Bug, BugDecision, BugMember, Dates, Exemplar};
use crate::cluster::{Cluster, Counted, KernelCount, Linked};
use crate::escape;
use crate::fingerprint::Impact;
use crate::kind::Kind;

/// The page; its parts replace these marks.
const PAGE: &str = include_str!("page.html");

/// The list, as JSON.
const LIST: &str = "{{list}}";
/// A line of JSON for each bug, packed: what is shown when it is opened.
const DETAILS: &str = "{{details}}";
/// A line of text for each bug, packed: what a search finds.
const WORDS: &str = "{{words}}";
/// The texts of reports as an array of JSON, packed.
const TEXTS: &str = "{{texts}}";

/// What deflate tries to save space: a page of ten thousand texts is written within a second.
const LEVEL: u8 = 6;

/// Options of the page.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct PageOptions<'a> {
    link_base: Option<&'a str>,
}

impl<'a> PageOptions<'a> {
    /// Links each report to its log: to `base` followed by the path and `#L` with the line, or, if `base` contains
    /// `{file}`, to `base` with `{file}` and `{line}` replaced.
    #[must_use]
    pub fn with_link_base(self, base: Option<&'a str>) -> Self {
        Self { link_base: base, ..self }
    }
}

/// What the page needs for its list, its filters and its time lines.
#[derive(Serialize)]
struct List<'a> {
    generated: &'static str,
    reports: usize,
    files: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    link_base: Option<&'a str>,
    releases: Numbered<'a>,
    days: Numbered<'a>,
    bugs: Vec<Row<'a>>,
}

/// A bug in the list.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    title: &'a str,
    kind: Kind,
    /// The number of reports, and of those that have a place.
    count: usize,
    members: usize,
    impact: &'a Impact,
    #[serde(skip_serializing_if = "Option::is_none")]
    subsystem: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<&'a Dates>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    labels: &'a [String],
    /// Pairs: the number of a release or a day, and that of its reports.
    releases: Vec<usize>,
    days: Vec<usize>,
}

/// What is shown of a bug that is open.
#[derive(Serialize)]
struct Details<'a> {
    titles: &'a [Counted],
    kernels: &'a [KernelCount],
    links: &'a [Linked],
    perhaps: &'a [Near<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    exemplar: Option<&'a Exemplar<'a>>,
    decisions: &'a [BugDecision],
    members: Vec<PageMember<'a>>,
}

/// A bug that is perhaps the same.
#[derive(Clone, Copy, Serialize)]
struct Near<'a> {
    id: &'a str,
    score: f32,
    evidence: &'a str,
}

/// The file, the index in it, the line, the release, the date, and the title if it is another than that of the bug:
/// an array without names, as most of a page is members.
type PageMember<'a> = (&'a str, usize, usize, &'a str, &'a str, &'a str);

fn member<'a>(bug: &Bug<'a>, member: &'a BugMember<'a>) -> PageMember<'a> {
    let title = if member.title == bug.cluster.title { "" } else { member.title };
    let (release, seen) = (member.release.unwrap_or_default(), member.seen.as_deref());
    (member.file, member.index, member.line.unwrap_or(0), release, seen.unwrap_or_default(), title)
}

/// Texts that many bugs have, by numbers.
#[derive(Default, Serialize)]
#[serde(transparent)]
struct Numbered<'a> {
    texts: Vec<&'a str>,
    #[serde(skip)]
    numbers: HashMap<&'a str, usize>,
}

impl<'a> Numbered<'a> {
    /// The numbers of texts, each followed by its count. Equal texts in a row are counted together.
    fn pairs(&mut self, texts: impl Iterator<Item = (&'a str, usize)>) -> Vec<usize> {
        let mut pairs = Vec::new();
        for (text, count) in texts {
            let number = *self.numbers.entry(text).or_insert_with(|| {
                self.texts.push(text);
                self.texts.len() - 1
            });
            match pairs.as_mut_slice() {
                [.., last, sum] if *last == number => *sum += count,
                _ => pairs.extend([number, count]),
            }
        }
        pairs
    }
}

impl<'a> List<'a> {
    fn of(bugs: &'a [Bug<'a>], files: usize, options: PageOptions<'a>) -> Self {
        let (mut releases, mut days) = (Numbered::default(), Numbered::default());
        let row = |bug: &'a Bug<'a>| {
            let cluster: &Cluster = bug.cluster;
            let kernels = cluster.kernels.iter();
            let mut dates: Vec<_> = bug
                .members
                .iter()
                .filter_map(|member| Some((member.seen.as_deref()?, 1)))
                .collect();
            dates.sort_unstable();
            Row {
                id: &cluster.id,
                title: &cluster.title,
                kind: cluster.kind,
                count: cluster.count,
                members: bug.members.len(),
                impact: &cluster.impact,
                subsystem: cluster.subsystem.as_deref(),
                summary: summary(bug),
                seen: bug.seen.as_ref(),
                labels: &bug.labels,
                releases: releases.pairs(kernels.map(|one| (one.release.as_str(), one.count))),
                days: days.pairs(dates.into_iter()),
            }
        };
        let bugs: Vec<_> = bugs.iter().map(row).collect();
        let reports = bugs.iter().map(|row| row.count).sum();
        let generated = concat!("ksplat ", env!("CARGO_PKG_VERSION"));
        Self { generated, reports, files, link_base: options.link_base, releases, days, bugs }
    }
}

/// What happened, in a sentence. What an instruction shows is less than what the kernel says.
fn summary<'a>(bug: &'a Bug<'_>) -> &'a str {
    let Some(exemplar) = &bug.exemplar else { return "" };
    let report = exemplar.report.as_ref();
    let diagnosis = report.and_then(|report| Some(&*report.diagnosis.as_ref()?.summary));
    let message = || report.and_then(|report| report.message.as_deref());
    diagnosis.or(exemplar.explanation).or_else(message).unwrap_or_default()
}

/// Writes the page of these bugs, which were found in `files` logs.
///
/// The list of bugs is a block of JSON, in which `<`, `>`, `&` and the line terminators of JavaScript are escaped. All
/// else is packed, in blocks of base64, which the page unpacks when the list is shown. It displays all as text, never as
/// HTML.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write(out: &mut impl io::Write, bugs: &[Bug<'_>], files: usize) -> io::Result<()> {
    write_with(out, bugs, files, PageOptions::default())
}

/// The same with options.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write_with(
    out: &mut impl io::Write,
    bugs: &[Bug<'_>],
    files: usize,
    options: PageOptions<'_>,
) -> io::Result<()> {
    let mut rest = PAGE;
    let mut before = |mark| {
        let (before, after) = rest.split_once(mark).unwrap_or((rest, ""));
        rest = after;
        before.as_bytes()
    };
    out.write_all(before(LIST))?;
    escape::write_json(&mut *out, &List::of(bugs, files, options), &['<', '>', '&'])?;
    out.write_all(before(DETAILS))?;
    out.write_all(packed(&details(bugs)?).as_bytes())?;
    out.write_all(before(WORDS))?;
    out.write_all(packed(words(bugs).as_bytes()).as_bytes())?;
    out.write_all(before(TEXTS))?;
    out.write_all(packed(&texts(bugs)?).as_bytes())?;
    out.write_all(rest.as_bytes())
}

fn packed(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    base64(&miniz_oxide::deflate::compress_to_vec(bytes, LEVEL))
}

/// The details of each bug, a line each.
fn details(bugs: &[Bug<'_>]) -> io::Result<Vec<u8>> {
    let near = neighbors(bugs);
    let mut lines = Vec::new();
    for bug in bugs {
        let details = Details {
            titles: &bug.cluster.titles,
            kernels: &bug.cluster.kernels,
            links: &bug.cluster.links,
            perhaps: near.get(bug.cluster.id.as_str()).map_or(&[], Vec::as_slice),
            exemplar: bug.exemplar.as_ref(),
            decisions: &bug.decisions,
            members: bug.members.iter().map(|one| member(bug, one)).collect(),
        };
        escape::write_json(&mut lines, &details, &[])?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// What each bug is perhaps the same as, the most similar first: a bug lists some of its neighbors only, and these it.
fn neighbors<'a>(bugs: &'a [Bug<'_>]) -> HashMap<&'a str, Vec<Near<'a>>> {
    let mut near: HashMap<&str, Vec<Near<'_>>> = HashMap::new();
    for Cluster { id, perhaps, .. } in bugs.iter().map(|bug| bug.cluster) {
        for other in perhaps {
            for (one, other_id) in [(id, &other.id), (&other.id, id)] {
                let link = Near { id: other_id, score: other.score, evidence: &other.evidence };
                near.entry(one).or_default().push(link);
            }
        }
    }
    for links in near.values_mut() {
        links.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(b.id)));
        let mut seen = std::collections::HashSet::new();
        links.retain(|link| seen.insert(link.id));
    }
    near
}

/// The text of each bug that a search finds, a line each, in small letters.
fn words(bugs: &[Bug<'_>]) -> String {
    let mut text = String::new();
    for bug in bugs {
        let start = text.len();
        let Cluster { id, title, subsystem, titles, .. } = bug.cluster;
        let exemplar = bug.exemplar.iter();
        let report = exemplar.clone().filter_map(|exemplar| exemplar.report.as_ref());
        let blamed = report.clone().filter_map(|report| Some(&*report.blame.as_ref()?.function));
        let suspects = report.flat_map(|report| &report.suspects).map(|one| &*one.function);
        let frames = exemplar.flat_map(|exemplar| exemplar.frames).map(|frame| &*frame.function);
        let words = [id.as_str(), title, subsystem.as_deref().unwrap_or_default(), summary(bug)];
        let words = words.into_iter().chain(bug.labels.iter().map(String::as_str));
        let words =
            words.chain(titles.iter().map(|one| one.title.as_str()).filter(|one| one != title));
        let words = words.chain(blamed).chain(frames).chain(suspects);
        for word in words.chain(bug.members.iter().map(|member| member.file)) {
            let _ = write!(text, "{} ", word.to_lowercase());
        }
        let line = text.split_off(start).replace(['\n', '\r'], " ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The texts of the exemplars, as an array of JSON; empty if there is none.
fn texts(bugs: &[Bug<'_>]) -> io::Result<Vec<u8>> {
    let text = |bug: &'_ Bug<'_>| {
        let report = bug.exemplar.as_ref().and_then(|exemplar| exemplar.report.as_ref());
        report.map_or(String::new(), |report| report.text.clone())
    };
    let texts: Vec<_> = bugs.iter().map(text).collect();
    let mut json = Vec::new();
    if texts.iter().any(|text| !text.is_empty()) {
        escape::write_json(&mut json, &texts, &[])?;
    }
    Ok(json)
}

/// Base64 without padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=group.len() {
            let digit = (bits >> (18 - 6 * place)) & 63;
            text.push(DIGITS.get(digit as usize).copied().map_or('A', char::from));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_one_place_for_each_part_and_loads_nothing() {
        let marks = [LIST, DETAILS, WORDS, TEXTS];
        assert!(marks.iter().all(|mark| PAGE.matches(mark).count() == 1));
        assert!(marks.is_sorted_by_key(|mark| PAGE.find(mark)));
        assert!(PAGE.contains("default-src 'none'") && !PAGE.contains("'unsafe-inline'"));
        for outside in ["http:", "https:", " src=", "@import", "url("] {
            let found = PAGE
                .match_indices(outside)
                .filter(|(at, _)| !PAGE[*at..].starts_with("http://www.w3.org/2000/svg"));
            assert_eq!(found.count(), 0, "{outside}");
        }
    }

    #[test]
    fn base64_of_every_length() {
        let texts = ["", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"];
        for (len, text) in texts.into_iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..len]), text);
        }
    }
}
