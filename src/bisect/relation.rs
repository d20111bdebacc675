//! The relation of a crash to the one under bisection.

use std::collections::BTreeMap;

use super::evidence::Tie;
use super::model::{Bisection, Outcome, Step};
use super::name::{self, Name};
use super::tables::Tables;
use crate::cluster::{Index, Observation};
use crate::fingerprint::Signature;
use crate::kind::class::Symptom;
use crate::model::Report;
use crate::order;

/// The score from which a crash counts as the one under bisection.
pub const RELATED: f64 = 0.5;

/// The score up to which a crash counts as another one. Between the two it is undecided.
pub const UNRELATED: f64 = 0.15;

/// The factor on the score of a known flake.
const FLAKE: f64 = 0.5;

/// The relation of a crash to the one under bisection.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CrashRelation {
    /// The title of the crash.
    pub title: String,
    /// The number of runs with it.
    pub count: u32,
    /// The strongest relation to the original crash.
    pub tie: Tie,
    /// The probability that a commit with this crash has the bug, from 0 to 1.
    pub score: f64,
    /// The evidence for and against it, in words.
    pub evidence: Vec<String>,
}

/// The crash under bisection.
pub(super) struct Original<'a> {
    pub(super) names: Vec<Name<'a>>,
    /// The number of commits on which a title occurred together with an original one, and without.
    seen: BTreeMap<&'a str, Seens>,
    known: Vec<Known<'a>>,
    pub(super) tables: Tables<'a>,
}

#[derive(Clone, Copy, Default)]
struct Seens {
    with: u32,
    without: u32,
}

/// A crash with a report.
struct Known<'a> {
    report: &'a Report<'a>,
    /// Whether it is of the bug under bisection; `None` without a report of that.
    same_bug: Option<bool>,
}

/// The maximum number of titles of the crash under bisection.
const MAX_ORIGINALS: usize = 8;

/// The share of the first commit's crashes from which a title is an original one.
const ORIGINAL_SHARE: f64 = 0.2;

impl<'a> Original<'a> {
    /// The original crash is that of the first commit, of the options' title, or of the options'
    /// report.
    pub(super) fn of(
        log: &'a Bisection<'a>,
        title: Option<&'a str>,
        report: Option<Given<'a>>,
        tables: Tables<'a>,
    ) -> Self {
        let known = known(log, report);
        let named = title.or(report.map(|given| &*given.report.title));
        let first = log.steps.first().filter(|step| step.count(Outcome::Crashed) > 0);
        let names = match (named, first) {
            (Some(title), _) => vec![Name::of(title)],
            (None, Some(step)) => originals(step, &tables),
            // The first commit is missing in the log.
            (None, None) => most_frequent(log).map(Name::of).into_iter().collect(),
        };
        let mut seen: BTreeMap<&str, Seens> = BTreeMap::new();
        for step in &log.steps {
            let titles = titles(step);
            let is_original = |title: &str| names.iter().any(|name| name.title == title);
            let with = titles.iter().any(|(title, _)| is_original(title));
            for (title, _) in titles {
                let seens = seen.entry(title).or_default();
                *(if with { &mut seens.with } else { &mut seens.without }) += 1;
            }
        }
        Self { names, seen, known, tables }
    }

    /// Returns the reports whose titles or stacks relate them to the crash under bisection.
    pub(super) fn reports(&self) -> impl Iterator<Item = &'a Report<'a>> {
        let known = self.known.iter().map(|known| known.report);
        known.filter(|report| self.tie(&Name::of(&report.title)).0 < Tie::Hang)
    }

    /// Returns the crashes of a step, the most closely related first.
    pub(super) fn relations(&self, step: &'a Step<'a>) -> Vec<CrashRelation> {
        let crashed = step.count(Outcome::Crashed);
        let runs = crashed.saturating_add(step.count(Outcome::Ok));
        let titles = titles(step).into_iter();
        let mut relations: Vec<_> =
            titles.map(|(title, count)| self.relate(title, count, crashed, runs)).collect();
        order::sort_by(&mut relations, |a, b| {
            b.score.total_cmp(&a.score).then_with(|| a.title.cmp(&b.title))
        });
        relations
    }

    fn relate(&self, title: &'a str, count: u32, crashed: u32, runs: u32) -> CrashRelation {
        let name = Name::of(title);
        let (tie, mut evidence) = self.tie(&name);
        // Other titles of one bug replace each other, so they count together; the same title counts
        // alone.
        let hits = if tie == Tie::Title { count } else { crashed };
        let often = match hits {
            ..=1 if runs > 1 => 0,
            hits if u64::from(hits) * 10 <= u64::from(runs) => 0,
            hits if u64::from(hits) * 2 < u64::from(runs) => 1,
            _ => 2,
        };
        let mut score = self.tables.score(tie, often);
        if often < 2 {
            evidence.push(format!("in {count} of {runs} runs"));
        }
        if let Some(bugs) = self.tables.flake(title).filter(|_| tie != Tie::Title) {
            score *= FLAKE;
            evidence.push(format!("seen in bisections of {bugs} other bugs"));
        }
        CrashRelation { title: title.to_owned(), count, tie, score, evidence }
    }

    /// Returns the strongest relation of a title to the original ones, with its evidence.
    fn tie(&self, name: &Name<'a>) -> (Tie, Vec<String>) {
        let says = |tie: Tie, words: String| (tie, vec![words]);
        let title = name.title;
        if self.names.is_empty() {
            return says(Tie::Unknown, "the crash under bisection is not known".into());
        }
        if self.names.iter().any(|own| own.title == title) {
            return says(Tie::Title, "the title of the crash under bisection".into());
        }
        let alternative = |known: &Known<'_>| {
            let of = |report: &Report<'_>, title: &str| {
                report.alt_titles.iter().any(|other| other == title)
            };
            let own = known.same_bug == Some(true) && of(known.report, title);
            own || known.report.title == title
                && self.names.iter().any(|own| of(known.report, own.title))
        };
        if self.known.iter().any(alternative) {
            return says(Tie::Alternative, "one report may have both titles".into());
        }
        for known in self.known.iter().filter(|known| known.report.title == title) {
            if known.same_bug == Some(true) {
                return says(Tie::Signature, "one bug by their signatures".into());
            }
        }
        if let Some(own) = self.names.iter().find(|own| own.same_function(name)) {
            return says(Tie::Function, format!("the same function as in `{}`", own.title));
        }
        for known in self.known.iter().filter(|known| known.report.title == title) {
            if let Some(function) = self.in_stack(known.report) {
                return says(Tie::Stack, format!("{function} is in its stack"));
            }
        }
        let seens = self.seen.get(title).copied().unwrap_or_default();
        let (tie, words) = if seens.with > 0 {
            (Tie::Together, format!("on commits with the original crash: {}", commits(seens.with)))
        } else if let Some(word) = self.names.iter().find_map(|own| own.subsystem(name)) {
            (Tie::Subsystem, format!("functions of `{word}` as well"))
        } else if let Some(word) = self.names.iter().find_map(|own| own.word(name)) {
            (Tie::Word, format!("`{word}` in the names of both functions"))
        } else if self.names.iter().any(|own| own.symptom == name.symptom) {
            match name.symptom {
                Symptom::Hang => (Tie::Hang, "both hang, which may have any cause".into()),
                Symptom::Other => (Tie::Nothing, "another title and another function".into()),
                _ => (Tie::Class, "the same kind of crash elsewhere".into()),
            }
        } else {
            (Tie::Nothing, "another title and another function".into())
        };
        let mut evidence = vec![words];
        if seens.with == 0 {
            evidence.push(match seens.without {
                0 | 1 => "never on a commit with the original crash".into(),
                without => format!("seen on {}, never beside the original", commits(without)),
            });
        }
        if self.known.iter().any(|k| k.report.title == title && k.same_bug == Some(false)) {
            evidence.push("by their signatures two bugs".into());
        }
        (tie, evidence)
    }

    /// Returns a function of an original title that is in the stack of a report.
    fn in_stack(&self, report: &Report<'_>) -> Option<&'a str> {
        let frames = &report.crash_stack()?.frames;
        let holds = |function: &str| {
            frames.iter().any(|frame| {
                frame.reliable
                    && frame.function.as_deref().map(|name| name.trim_start_matches('_'))
                        == Some(function)
            })
        };
        let functions = self.names.iter().filter_map(|own| own.function);
        functions.filter(|function| name::may_name(function)).find(|function| holds(function))
    }
}

/// Returns whether two reports are of one bug, by their signatures.
pub(super) fn is_same(one: &Report<'_>, other: &Report<'_>) -> bool {
    let mut index = Index::new();
    index.add(&Signature::of(one), Observation::default());
    index.same(&Signature::of(other)).is_some()
}

/// A report of the crash under bisection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<'a> {
    pub(super) report: &'a Report<'a>,
    /// A pointer, so that a program that gives no report contains no comparison.
    pub(super) is_same: fn(&Report<'_>, &Report<'_>) -> bool,
}

/// Returns the available reports: the one at the end of the log, and that of the options.
fn known<'a>(log: &'a Bisection<'a>, original: Option<Given<'a>>) -> Vec<Known<'a>> {
    let last = log.report.as_ref().map(|report| {
        let same_bug = original.map(|original| (original.is_same)(original.report, report));
        Known { report, same_bug }
    });
    let original = original.map(|given| Known { report: given.report, same_bug: Some(true) });
    last.into_iter().chain(original).collect()
}

/// Returns the most frequent title.
fn most_frequent<'a>(log: &'a Bisection<'a>) -> Option<&'a str> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (title, count) in without_failures(log.steps.iter().flat_map(titles).collect()) {
        *counts.entry(title).or_default() += u64::from(count);
    }
    let most = counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(a.0)))?;
    Some(most.0)
}

/// Removes the titles that the manager gives to a failed machine or fuzzer, unless there are no
/// others.
fn without_failures(mut titles: Vec<(&str, u32)>) -> Vec<(&str, u32)> {
    if titles.iter().any(|(title, _)| !name::is_failure(title)) {
        titles.retain(|(title, _)| !name::is_failure(title));
    }
    titles
}

/// Returns the titles of the crash under bisection on its own commit.
fn originals<'a>(step: &'a Step<'a>, tables: &Tables<'_>) -> Vec<Name<'a>> {
    let titles = without_failures(titles(step));
    let crashed: u32 = titles.iter().map(|(_, count)| count).sum();
    let Some((main, _)) = titles.first() else { return Vec::new() };
    let main = Name::of(main);
    let mut names = vec![main];
    for (title, count) in titles.into_iter().skip(1) {
        let name = Name::of(title);
        let often = f64::from(count) >= ORIGINAL_SHARE * f64::from(crashed);
        if (often && tables.flake(title).is_none()) || name.same_function(&main) {
            names.push(name);
        }
    }
    names.truncate(MAX_ORIGINALS);
    names
}

/// Returns the titles of a step's crashes with the number of runs, the most frequent first.
fn titles<'a>(step: &'a Step<'_>) -> Vec<(&'a str, u32)> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let crashed = step.runs.iter().filter(|run| run.outcome == Outcome::Crashed);
    for run in crashed {
        let count = counts.entry(run.title.as_deref().unwrap_or_default()).or_default();
        *count = count.saturating_add(run.count);
    }
    let mut titles: Vec<_> = counts.into_iter().collect();
    order::sort_by(&mut titles, |a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    titles
}

fn commits(count: u32) -> String {
    format!("{count} commit{}", if count == 1 { "" } else { "s" })
}
