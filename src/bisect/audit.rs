//! The audit of a bisection: the verdicts that the runs support, and the result without the others.

#![allow(clippy::cast_precision_loss, reason = "a mean over some commits")]

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::confidence::{self, Doubt};
use super::evidence::Tie;
use super::flakiness::Rate;
use super::model::{self, Bisection, Outcome, Run, Search, Step, Verdict, short};
use super::relation::{self, CrashRelation, Given, Original, RELATED, UNRELATED};
use super::replay::{self, Audited};
use super::seen::Seen;
use super::tables::Tables;
use crate::model::Report;
use crate::string_enum::string_enum;

string_enum! {
    /// Whether the result of a bisection can be trusted.
    pub enum Trust {
        /// The commit is more likely right: [`Audit::p_wrong`] is below [`Tables::doubtful`]. Steps
        /// whose runs support no verdict raise that probability; a few of them may remain.
        Sound = "sound",
        /// The commit is likely wrong: [`Audit::p_wrong`] is at least [`Tables::doubtful`]. Without a named
        /// commit, a step is uncertain.
        Doubtful = "doubtful",
        /// A step on which the result depends was decided by an unrelated crash. Without it, the
        /// step passed.
        Wrong = "wrong",
    }
}

/// The chance that a commit with the bug passed all its runs, from which its verdict `good` is
/// uncertain.
pub(super) const UNSURE: f64 = 0.1;

/// The chance up to which a commit with another crash counts as one without the bug.
pub(super) const SURE: f64 = 0.02;

/// Facts about the crash under bisection that the log does not have.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AuditOptions<'a> {
    /// The title of the crash under bisection; by default the most frequent one on the first
    /// commit.
    pub title: Option<&'a str>,
    pub(super) report: Option<Given<'a>>,
    /// The tables by which verdicts and the commit are rated.
    pub tables: Tables<'a>,
}

impl Default for AuditOptions<'_> {
    fn default() -> Self {
        Self { title: None, report: None, tables: Tables::FITTED }
    }
}

impl<'a> AuditOptions<'a> {
    /// Sets the title of the crash under bisection.
    #[must_use]
    pub fn with_title(self, title: Option<&'a str>) -> Self {
        Self { title, ..self }
    }

    /// Sets a report of the crash under bisection. Crashes are then compared by signature, too.
    #[must_use]
    pub fn with_report(self, report: Option<&'a Report<'a>>) -> Self {
        Self { report: report.map(|report| Given { report, is_same: relation::is_same }), ..self }
    }

    /// Sets the tables by which verdicts and the commit are rated.
    #[must_use]
    pub fn with_tables(self, tables: Tables<'a>) -> Self {
        Self { tables, ..self }
    }
}

/// The result of an audit, with a verdict for each step.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Audit<'a> {
    /// Whether the bisection searched for the cause or for the fix.
    pub kind: Search,
    /// The crash under bisection.
    pub original: Crash<'a>,
    /// The commits that were tested, in order.
    pub steps: Vec<Judged<'a>>,
    /// The commit that the bisection names; `None` if it names no commit.
    pub culprit: Option<Cow<'a, str>>,
    /// The subject of that commit.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub subject: Option<Cow<'a, str>>,
    /// The reason why the bisection names no commit.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub unfinished: Option<String>,
    /// Whether the result can be trusted.
    pub trust: Trust,
    /// The probability that another commit is the right one, from 0 to 1; `None` if no commit is
    /// named.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub p_wrong: Option<f64>,
    /// The same as [`p_wrong`](Self::p_wrong), by its older name.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub doubt: Option<f64>,
    /// The first step on which the result depends and that is not reliable.
    pub first_doubtful: Option<Cow<'a, str>>,
    /// The features for and against the named commit, the strongest first.
    pub doubts: Vec<Doubt>,
    /// The result of the bisection without its doubtful steps.
    pub audited: Audited<'a>,
    /// The parts that the log lacks, and whether it has unknown lines; one sentence each.
    pub missing: Vec<String>,
    /// The number of lines that were not recognized.
    pub unknown_lines: usize,
    /// The report at the end of the log.
    pub report: Option<&'a Report<'a>>,
}

/// The crash under bisection.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Crash<'a> {
    /// Its titles, the most frequent first.
    pub titles: Vec<Cow<'a, str>>,
    /// The share of runs with it, on the commits that have it.
    pub rate: Rate,
}

/// A step and its audited verdict.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Judged<'a> {
    /// The commit.
    pub commit: Cow<'a, str>,
    /// The subject of the commit.
    pub subject: Option<Cow<'a, str>>,
    /// The release, if the commit is tagged as one.
    pub release: Option<Cow<'a, str>>,
    /// The runs.
    pub runs: &'a [Run<'a>],
    /// The share of runs with the crash under bisection. A run with another crash is not counted,
    /// because it ended before the crash could happen.
    pub rate: Rate,
    /// The verdict that git received; for steps before `git bisect start` the verdict of the runs.
    pub verdict: Verdict,
    /// The reason for the verdict: the title of a crash, or the number of runs that passed.
    pub decided_by: String,
    /// The crash that is most closely related to the one under bisection.
    pub related: Option<CrashRelation>,
    /// The other crashes of the step.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub others: Vec<CrashRelation>,
    /// The chance that a commit with the crash passes as many runs as passed here. `None` if none
    /// passed, or if no commit has the crash.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub missed: Option<f64>,
    /// The probability that the verdict is right, by these runs alone, from 0 to 1; `None` without
    /// runs.
    pub confidence: Option<f64>,
    /// The number of commits that git had left to test if this one is good.
    pub revisions_left: Option<u64>,
    /// The verdict that the runs support.
    pub audited_verdict: Verdict,
    /// The reason for that verdict.
    pub why: String,
}

/// Audits a bisection.
///
/// # Examples
///
/// ```
/// use ksplat::bisect::{self, Trust, Verdict};
///
/// let log = b"\
/// bisecting cause commit starting from 3d77e6a8804abcc0504c904bd6e5cdf3a5cf8162
/// testing commit 3d77e6a8804abcc0504c904bd6e5cdf3a5cf8162 with gcc (GCC) 8.1.0
/// all runs: crashed: KASAN: use-after-free Write in fsnotify_detach_connector_from_object
/// testing release v5.6
/// testing commit 7111951b8d4973bda27ff663f2cf18b663d15b48 with gcc (GCC) 8.1.0
/// all runs: OK
/// # git bisect start 3d77e6a8804abcc0504c904bd6e5cdf3a5cf8162 7111951b8d4973bda27ff663f2cf18b663d15b48
/// Bisecting: 0 revisions left to test after this (roughly 1 step)
/// [76313c70c52f930af4afd21684509ca52297ea71] uml: Create a private mount of proc for mconsole
/// testing commit 76313c70c52f930af4afd21684509ca52297ea71 with gcc (GCC) 8.1.0
/// run #0: crashed: general protection fault in batadv_iv_ogm_schedule_buff
/// run #1: OK
/// run #2: OK
/// run #3: OK
/// # git bisect bad 76313c70c52f930af4afd21684509ca52297ea71
/// 76313c70c52f930af4afd21684509ca52297ea71 is the first bad commit
/// ";
/// let bisection = bisect::parse(log)?;
/// let audit = bisect::audit(&bisection, bisect::AuditOptions::default());
/// assert_eq!(audit.trust, Trust::Wrong);
/// assert_eq!(audit.steps[2].audited_verdict, Verdict::Good);
/// // The only remaining commit is the one with which the search began.
/// assert_eq!(audit.audited.culprit, None);
/// assert!(audit.audited.contradiction.is_some());
/// # Ok::<(), bisect::NotBisection>(())
/// ```
pub fn audit<'a>(log: &'a Bisection<'a>, options: AuditOptions<'a>) -> Audit<'a> {
    let original = Original::of(log, options.title, options.report, options.tables);
    let mut steps: Vec<_> = log.steps.iter().map(|step| seen(log, step, &original)).collect();
    let rates = Rates::of(&steps);
    judge(log.search.crashing(), &mut steps, &rates);
    let audited = replay::replay(log, &steps);
    let doubts = confidence::doubts(log, &original, &steps);
    let tables = options.tables;
    let p_wrong = log.culprit.as_ref().map(|_| confidence::probability(&doubts, &tables));

    let turned = |step: &Seen| step.audited != step.verdict && step.audited != Verdict::Skip;
    let changed = steps.iter().position(|step| step.audited != step.verdict);
    let trust = if steps.iter().any(turned) {
        Trust::Wrong
    } else if p_wrong.map_or(changed.is_some(), |p_wrong| p_wrong >= tables.doubtful)
        // No step of the log supports the named commit.
        || log.culprit.is_some() && !steps.iter().any(Seen::shows)
    {
        Trust::Doubtful
    } else {
        Trust::Sound
    };
    // If no step is doubtful, the release that bounds the search is the most likely to have passed
    // although it has the bug.
    let first_doubtful = match trust {
        Trust::Sound => None,
        _ => changed.or_else(|| replay::boundary(log, &steps)),
    };
    let commit = |at: usize| log.steps.get(at).map(|step| step.commit.clone());
    let judged = steps.into_iter().zip(&log.steps).map(|(seen, step)| seen.judged(step)).collect();
    Audit {
        kind: log.search,
        original: Crash {
            titles: original.names.iter().map(|name| name.title.into()).collect(),
            rate: rates.pooled,
        },
        steps: judged,
        culprit: log.culprit.as_ref().map(|culprit| culprit.commit.clone()),
        subject: log.culprit.as_ref().and_then(|culprit| culprit.subject.clone()),
        unfinished: log.culprit.is_none().then(|| unfinished(log)),
        trust,
        p_wrong,
        doubt: p_wrong,
        first_doubtful: first_doubtful.and_then(commit),
        doubts,
        audited,
        missing: missing(log),
        unknown_lines: log.unknown_lines,
        report: log.report.as_ref(),
    }
}

impl Seen {
    fn judged<'a>(self, step: &'a Step<'a>) -> Judged<'a> {
        let decided_by = match self.related() {
            Some(related) => related.title.clone(),
            None if self.passed > 0 => format!("{} runs passed", self.passed),
            None => failure(step),
        };
        let confidence = match (self.related(), self.verdict) {
            (_, Verdict::Skip) => None,
            (Some(related), _) => Some(related.score),
            (None, _) => Some(1.0 - self.missed),
        };
        let mut crashes = self.crashes.into_iter();
        Judged {
            commit: step.commit.clone(),
            subject: step.subject.clone(),
            release: step.release.clone(),
            runs: &step.runs,
            rate: self.rate,
            verdict: self.verdict,
            decided_by,
            related: crashes.next(),
            others: crashes.collect(),
            missed: (self.passed > 0 && self.missed < 1.0).then_some(self.missed),
            confidence,
            revisions_left: step.revisions_left,
            audited_verdict: self.audited,
            why: self.why,
        }
    }
}

impl Judged<'_> {
    /// Returns the number of runs with this outcome.
    pub fn count(&self, outcome: Outcome) -> u32 {
        model::count(self.runs, outcome)
    }
}

fn seen<'a>(log: &Bisection<'_>, step: &'a Step<'a>, original: &Original<'a>) -> Seen {
    let crashes = original.relations(step);
    // If the step has the original crash, crashes that are only related by `Together` are no
    // evidence.
    let is_shown = crashes.first().is_some_and(|crash| crash.tie < Tie::Together);
    let shown = crashes
        .iter()
        .filter(|crash| crash.score >= RELATED && (crash.tie < Tie::Together || !is_shown));
    let hits = shown.fold(0_u32, |sum, crash| sum.saturating_add(crash.count));
    let passed = step.count(Outcome::Ok);
    let verdict = step.verdict.unwrap_or_else(|| step.by_runs(log.search.crashing()));
    Seen {
        verdict,
        crashes,
        rate: Rate::new(hits, hits.saturating_add(passed)),
        passed,
        missed: 0.0,
        audited: verdict,
        why: String::new(),
    }
}

/// Returns the failure of most runs of a step that could not be tested.
fn failure(step: &Step<'_>) -> String {
    let mut counts: BTreeMap<(Outcome, &str), u32> = BTreeMap::new();
    for run in &step.runs {
        let count =
            counts.entry((run.outcome, run.title.as_deref().unwrap_or_default())).or_default();
        *count = count.saturating_add(run.count);
    }
    let most = counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
    match (most, &step.failure) {
        (Some(((outcome, title), _)), _) => format!("{}: {title}", outcome.words()),
        (None, Some(failure)) => {
            format!("not built: {}", failure.lines().next().unwrap_or_default())
        }
        (None, None) => "no runs in the log".into(),
    }
}

/// How often the crash happens on commits that have it.
struct Rates {
    pooled: Rate,
    /// The chances that a commit with the bug passes 0, 1, … runs: the means over the commits that
    /// are known to have it, because the rate differs between commits. Empty if no commit is known
    /// to have it.
    missed: Vec<f64>,
}

/// The maximum number of commits with a rate of their own.
const MAX_RATES: usize = 64;

/// The number of runs from which the chance does not change: a commit that passes so often is good.
const MAX_PASSED: u32 = 100;

impl Rates {
    fn of(steps: &[Seen]) -> Self {
        let shows = |seen: &&Seen| seen.shows() && seen.verdict != Verdict::Skip;
        let each: Vec<Rate> = steps.iter().filter(shows).map(|seen| seen.rate).collect();
        let sum = |of: fn(&Rate) -> u32| each.iter().map(of).fold(0, u32::saturating_add);
        let pooled = Rate::new(sum(|rate| rate.hits), sum(|rate| rate.runs));
        let sampled = each.get(..MAX_RATES).unwrap_or(&each);
        let mean = |runs| {
            sampled.iter().map(|rate| rate.all_pass(runs)).sum::<f64>() / sampled.len() as f64
        };
        let missed = match sampled {
            [] => Vec::new(),
            _ => (0..=MAX_PASSED).map(mean).collect(),
        };
        Self { pooled, missed }
    }

    /// Returns the chance that a commit with the bug passes this number of runs; 1 if no rate is
    /// known.
    fn missed(&self, runs: u32) -> f64 {
        self.missed.get(runs.min(MAX_PASSED) as usize).copied().unwrap_or(1.0)
    }
}

/// Decides the audited verdicts.
///
/// Later steps confirm earlier ones. After a commit that crashes, git tests its ancestors (in a
/// search for a fix, its descendants); if one of them has the bug, the commit has it, too. The same
/// applies to commits that pass.
fn judge(crashing: Verdict, steps: &mut [Seen], rates: &Rates) {
    let mut crash_is_sure = false;
    let mut missed_later = 1.0;
    for step in steps.iter_mut().rev() {
        step.missed = rates.missed(step.passed);
        if step.verdict == Verdict::Skip {
            step.why = "no run shows whether it has the bug".into();
        } else if step.verdict == crashing {
            crash(step, crash_is_sure);
            crash_is_sure |= step.shows();
        } else if !rates.missed.is_empty() {
            missed_later *= step.missed;
            clean(step, missed_later);
        } else {
            step.why = "the rate of the crash is unknown".into();
        }
        if step.audited != step.verdict && step.audited != Verdict::Skip {
            missed_later *= step.missed;
        }
    }
}

/// Decides a step with a crash.
fn crash(step: &mut Seen, confirmed: bool) {
    let Some(related) = step.related() else {
        step.why = "its runs are not in the log".into();
        return;
    };
    let evidence = related.evidence.join(", ");
    step.why = if related.score >= RELATED {
        evidence
    } else if confirmed {
        format!("{evidence}; but a later step confirms it")
    } else if related.score > UNRELATED {
        step.audited = Verdict::Skip;
        format!("perhaps another crash: {evidence}")
    } else if step.passed > 0 && step.missed <= SURE {
        step.audited = step.verdict.opposite();
        format!("another crash: {evidence}; {} runs passed", step.passed)
    } else {
        step.audited = Verdict::Skip;
        format!("another crash: {evidence}; too few runs passed for a verdict")
    };
}

/// Decides a step without a crash.
fn clean(step: &mut Seen, missed: f64) {
    let percent = step.missed * 100.0;
    step.why = if missed > UNSURE {
        step.audited = Verdict::Skip;
        format!(
            "a commit with the crash passes {} runs with a chance of {percent:.0} %",
            step.passed
        )
    } else if percent < 0.1 {
        format!("{} runs passed", step.passed)
    } else {
        format!("{} runs passed; by chance in {percent:.1} %", step.passed)
    };
}

/// Returns the reason why a log names no commit.
fn unfinished(log: &Bisection<'_>) -> String {
    if let Some(error) = &log.error {
        error.clone().into_owned()
    } else if !log.candidates.is_empty() {
        format!("skipped commits leave {} of which it may be any", log.candidates.len())
    } else if log.open_ended {
        match log.search {
            Search::Cause => "the oldest release that was tested crashes as well".into(),
            Search::Fix => "the newest commit crashes as well".into(),
        }
    } else {
        "the log is truncated".into()
    }
}

/// Returns the parts that the log lacks.
fn missing(log: &Bisection<'_>) -> Vec<String> {
    let mut missing = Vec::new();
    if log.original.is_none() {
        missing.push("its first line".to_owned());
    }
    let crashes = |step: &Step<'_>| step.count(Outcome::Crashed) > 0;
    if !log.steps.first().is_some_and(crashes) {
        missing.push("a crash on the first commit that was tested".to_owned());
    }
    let mut without =
        log.steps.iter().filter(|step| step.runs.is_empty() && step.failure.is_none());
    if let Some(first) = without.next() {
        let more = if without.next().is_some() { " and others" } else { "" };
        missing.push(format!("the runs of {}{more}", short(&first.commit)));
    }
    if log.totals.is_none() {
        missing.push("its end".to_owned());
    }
    missing
}
