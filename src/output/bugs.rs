//! Clusters with the files of their reports: a table as text, and the data of JSON and HTML.

use std::borrow::Cow;
use std::fmt;

use super::escape::escape;
use super::page::{WIDTH, words};
use crate::cluster::{Cluster, SharedFrame};
use crate::model::{Blame, Diagnosis, Report, Suspect};

/// A cluster, and the places of its reports.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Bug<'a> {
    /// The cluster.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub cluster: &'a Cluster,
    /// The dates of the first and the last report, such as `2026-01-02`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub seen: Option<Dates>,
    /// A report with the most frequent signature.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub exemplar: Option<Exemplar<'a>>,
    /// The labels: `fixed-by 1234abcd`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub labels: Vec<String>,
    /// The decisions about it, the oldest first.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub decisions: Vec<BugDecision>,
    /// The reports.
    pub members: Vec<BugMember<'a>>,
}

/// A decision about a bug.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BugDecision {
    /// The day, such as `2026-01-02`.
    pub date: String,
    /// The decision as text.
    pub what: String,
    /// The person who decided.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub by: Option<String>,
    /// The reason.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub why: Option<String>,
}

/// A report that represents a bug.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Exemplar<'a> {
    /// The file, as given.
    pub file: &'a str,
    /// The index of the report in the file, from 0.
    pub index: usize,
    /// One sentence: what the trapping instruction did, or which function is blamed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub explanation: Option<&'a str>,
    /// The stack, innermost frame first.
    pub frames: &'a [SharedFrame],
    /// The diagnosis and the text of the report; `None` if its log was not parsed again.
    #[cfg_attr(feature = "serde", serde(flatten, skip_serializing_if = "Option::is_none"))]
    pub report: Option<ExemplarReport>,
}

/// The maximum number of suspects of an exemplar, because a page has up to ten thousand bugs.
const MAX_SUSPECTS: usize = 3;

/// The fields of a report that the page of bugs shows: message, diagnosis, blame, suspects, text.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ExemplarReport {
    /// The line of the log at which the report starts, from 1.
    pub line: usize,
    /// The kernel's message.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub message: Option<String>,
    /// The diagnosis.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub diagnosis: Option<Diagnosis>,
    /// The function that most likely contains the bug.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub blame: Option<Blame<'static>>,
    /// The functions that a fix most likely changes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub suspects: Vec<Suspect<'static>>,
    /// The report as text: see [`text::write`](super::text::write). JSON is without it.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub text: String,
}

impl ExemplarReport {
    /// Extracts the fields of a report of `file`.
    ///
    /// # Errors
    ///
    /// Memory.
    pub fn new(file: &str, report: Report<'_>) -> Result<Self, fmt::Error> {
        let mut text = String::new();
        super::text::write(&mut text, file, &report, super::text::TextOptions::default())?;
        let Report { span, message, diagnosis, blame, mut suspects, .. } = report.into_owned();
        suspects.truncate(MAX_SUSPECTS);
        let message = message.map(Cow::into_owned);
        Ok(Self { line: span.line, message, diagnosis, blame, suspects, text })
    }
}

/// A report of a bug.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BugMember<'a> {
    /// The file, as given.
    pub file: &'a str,
    /// The index of the report in the file, from 0.
    pub index: usize,
    /// The title.
    pub title: &'a str,
    /// The release of the kernel.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub release: Option<&'a str>,
    /// The date, such as `2026-01-02`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub seen: Option<String>,
    /// The line of the log at which the report starts, from 1.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub line: Option<usize>,
}

/// Two dates, such as `2026-01-02`.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Dates {
    /// The earlier date.
    pub first: String,
    /// The later date.
    pub last: String,
}

impl<'a> Bug<'a> {
    /// Combines a cluster with its members, one for each of [`Cluster::reports`], in the same
    /// order.
    pub fn new(cluster: &'a Cluster, members: Vec<BugMember<'a>>) -> Self {
        let mut days: Vec<_> = members.iter().filter_map(|member| member.seen.as_deref()).collect();
        days.sort_unstable();
        let dates = days.first().zip(days.last());
        let dates = dates
            .map(|(first, last)| Dates { first: (*first).to_owned(), last: (*last).to_owned() });
        let place = cluster.reports.iter().position(|report| *report == cluster.exemplar);
        let exemplar = members.get(place.unwrap_or_default()).map(|member| Exemplar {
            file: member.file,
            index: member.index,
            explanation: cluster.summary.as_deref(),
            frames: &cluster.frames,
            report: None,
        });
        Self { cluster, seen: dates, exemplar, labels: Vec::new(), decisions: Vec::new(), members }
    }

    /// Sets the dates of the first and the last report.
    #[must_use]
    pub fn with_dates(self, seen: Option<(String, String)>) -> Self {
        Self { seen: seen.map(|(first, last)| Dates { first, last }), ..self }
    }

    /// Sets the diagnosis and the text of the exemplar.
    #[must_use]
    pub fn with_report(mut self, report: Option<ExemplarReport>) -> Self {
        if let Some(exemplar) = &mut self.exemplar {
            exemplar.report = report;
        }
        self
    }

    /// Sets the labels.
    #[must_use]
    pub fn with_labels(self, labels: Vec<String>) -> Self {
        Self { labels, ..self }
    }

    /// Sets the decisions.
    #[must_use]
    pub fn with_decisions(self, decisions: Vec<BugDecision>) -> Self {
        Self { decisions, ..self }
    }
}

impl<'a> BugMember<'a> {
    /// Makes the member for the report `index` of `file`; indices count from 0.
    pub fn new(file: &'a str, index: usize, title: &'a str) -> Self {
        Self { file, index, title, release: None, seen: None, line: None }
    }

    /// Sets the release of the kernel and the date, if they are known.
    #[must_use]
    pub fn with_context(self, release: Option<&'a str>, seen: Option<String>) -> Self {
        Self { release, seen, ..self }
    }

    /// Sets the line of the log that opens the report.
    #[must_use]
    pub fn with_line(self, line: Option<usize>) -> Self {
        Self { line, ..self }
    }
}

/// The column of the text beside the counts.
const INDENT: usize = 8;

/// Writes bugs as a table, two lines for each. With `long` it includes the reasons for each cluster
/// and the places of the reports.
///
/// Control characters in text of the logs are escaped.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write(out: &mut impl fmt::Write, bugs: &[Bug<'_>], long: bool) -> fmt::Result {
    writeln!(out, "reports bug")?;
    for bug in bugs {
        let cluster = bug.cluster;
        wrapped(out, &format!("{:>7} ", cluster.count), &cluster.title)?;
        let impact = [cluster.impact.name.as_str()]
            .into_iter()
            .chain(cluster.impact.raised.iter().map(|raise| raise.name()));
        let impact: Vec<_> = impact.filter(|text| !text.is_empty()).collect();
        let facts = [
            Some(cluster.id.clone()),
            Some(impact.join(", ")),
            kernels(cluster),
            dates(bug),
            variants(cluster),
            labels(bug),
        ];
        let facts: Vec<_> = facts.into_iter().flatten().filter(|fact| !fact.is_empty()).collect();
        row(out, "", &facts)?;
        if long {
            details(out, bug)?;
        }
    }
    Ok(())
}

/// Writes facts, as many on a line as fit.
fn row(out: &mut impl fmt::Write, head: &str, facts: &[String]) -> fmt::Result {
    let mut column = WIDTH;
    let mut is_first = true;
    for fact in facts {
        let len = escape(fact).to_string().chars().count();
        if column + 2 + len > WIDTH {
            write!(out, "{}{:INDENT$}{}", if is_first { "" } else { "\n" }, head, escape(fact))?;
            column = INDENT + len;
        } else {
            write!(out, "  {}", escape(fact))?;
            column += 2 + len;
        }
        is_first = false;
    }
    writeln!(out)
}

/// Writes text in its column, broken at blanks.
fn wrapped(out: &mut impl fmt::Write, head: &str, text: &str) -> fmt::Result {
    out.write_str(head)?;
    words(out, &escape(text).to_string(), INDENT, INDENT, WIDTH)?;
    out.write_char('\n')
}

fn kernels(cluster: &Cluster) -> Option<String> {
    let mut releases: Vec<_> =
        cluster.kernels.iter().map(|kernel| kernel.release.as_str()).collect();
    releases.dedup();
    let first = *releases.first()?;
    Some(match (releases.last()?, releases.len()) {
        (_, 1) => first.to_owned(),
        (last, count) => format!("{first} to {last} ({count} kernels)"),
    })
}

fn dates(bug: &Bug<'_>) -> Option<String> {
    let dates = bug.seen.as_ref()?;
    let is_one = dates.first == dates.last;
    Some(if is_one { dates.first.clone() } else { format!("{} to {}", dates.first, dates.last) })
}

fn variants(cluster: &Cluster) -> Option<String> {
    (cluster.titles.len() > 1).then(|| format!("{} titles", cluster.titles.len()))
}

fn labels(bug: &Bug<'_>) -> Option<String> {
    (!bug.labels.is_empty()).then(|| bug.labels.join(", "))
}

/// Writes the reasons for the cluster, bugs that are perhaps the same, and the places of the
/// reports.
fn details(out: &mut impl fmt::Write, bug: &Bug<'_>) -> fmt::Result {
    let cluster = bug.cluster;
    for title in cluster.titles.iter().skip(1) {
        wrapped(out, "        ", &format!("also {}: {}", title.count, title.title))?;
    }
    for BugDecision { date, what, by, why } in &bug.decisions {
        let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let by = by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
        wrapped(out, "        ", &format!("decided {date}: {what}{why}{by}"))?;
    }
    for link in &cluster.links {
        let text = format!("joined {} by {}: {}", link.count, link.how.name(), link.evidence);
        wrapped(out, "        ", &text)?;
    }
    for other in &cluster.perhaps {
        let text = format!("perhaps {} ({:.2}): {}", other.id, other.score, other.evidence);
        wrapped(out, "        ", &text)?;
    }
    for member in &bug.members {
        let release =
            member.release.map(|release| format!("  {}", escape(release))).unwrap_or_default();
        writeln!(out, "        {}#{}{release}", escape(member.file), member.index)?;
    }
    writeln!(out)
}
