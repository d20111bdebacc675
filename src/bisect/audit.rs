//! What a bisection would have found without its doubtful steps.

#![allow(clippy::cast_precision_loss, reason = "a mean over some commits")]

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::confidence::{self, Doubt};
use super::flakiness::Rate;
use super::model::{self, Bisection, Outcome, Run, Search, Step, Verdict};
use super::relation::{CrashRelation, Original, RELATED, Tie, UNRELATED};
use super::replay;
use crate::model::Report;
use crate::string_enum::string_enum;

string_enum! {
    /// Whether the verdict of a bisection can be believed.
    pub enum Trust {
        /// Nothing speaks against it.
        Sound = "sound",
        /// A step on which it rests is not sure, or the commit fits the crash badly.
        Doubtful = "doubtful",
        /// A step on which it rests was decided by another crash, and would have passed without.
        Wrong = "wrong",
    }
}

/// From this chance on that a commit with the bug passed all its runs, `good` is not sure.
pub const UNSURE: f64 = 0.1;

/// Up to this chance a commit that crashed otherwise is taken for one without the bug.
pub const SURE: f64 = 0.02;

/// From this probability on that the commit is the wrong one, it is doubted.
pub const DOUBTFUL: f64 = 0.52;

/// What is known beside the log.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct AuditOptions<'a> {
    /// The title of the crash under bisection; by default the most frequent on the first commit.
    pub title: Option<&'a str>,
    /// A report of it.
    pub report: Option<&'a Report<'a>>,
}

impl<'a> AuditOptions<'a> {
    /// With the title of the crash under bisection.
    #[must_use]
    pub fn with_title(self, title: Option<&'a str>) -> Self {
        Self { title, ..self }
    }

    /// With a report of the crash under bisection: then crashes are compared by their signatures,
    /// too.
    #[must_use]
    pub fn with_report(self, report: Option<&'a Report<'a>>) -> Self {
        Self { report, ..self }
    }
}

/// A bisection, judged step by step.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Audit<'a> {
    /// What the bisection looks for.
    pub kind: Search,
    /// The crash under bisection.
    pub original: Crash<'a>,
    /// The commits that were tested, in order.
    pub steps: Vec<Judged<'a>>,
    /// The commit that the bisection names.
    pub culprit: Option<Cow<'a, str>>,
    /// Its subject.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub subject: Option<Cow<'a, str>>,
    /// Why it names none.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub unfinished: Option<String>,
    /// Whether that can be believed.
    pub trust: Trust,
    /// How likely another commit is the right one, from 0 to 1, if one is named.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub doubt: Option<f64>,
    /// The first step that decided and should not be relied on.
    pub first_doubtful: Option<Cow<'a, str>>,
    /// What speaks for and against the commit that is named, the strongest first.
    pub doubts: Vec<Doubt>,
    /// What the bisection says without its doubtful steps.
    pub audited: Audited<'a>,
    /// What the log does not have that it should, and what was not understood.
    pub missing: Vec<String>,
    /// How many lines were not understood.
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
    /// How often it came on the commits that have it.
    pub rate: Rate,
}

/// A step, judged.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Judged<'a> {
    /// The commit.
    pub commit: Cow<'a, str>,
    /// Its subject.
    pub subject: Option<Cow<'a, str>>,
    /// The release that it is.
    pub release: Option<Cow<'a, str>>,
    /// The runs.
    pub runs: &'a [Run<'a>],
    /// How often the crash under bisection came, of the runs in which it could: one that crashed
    /// otherwise did not get to show it.
    pub rate: Rate,
    /// What git was told; by the runs where git was not asked.
    pub verdict: Verdict,
    /// What decided: the title of a crash, or how many runs passed.
    pub decided_by: String,
    /// What the crash has to do with the one under bisection; of several that which has most.
    pub related: Option<CrashRelation>,
    /// What other crashes of it have.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub others: Vec<CrashRelation>,
    /// The chance that a commit with the crash would have passed as many runs as this one did;
    /// absent if none did, or if no commit has it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub missed: Option<f64>,
    /// How likely the verdict is right by these runs alone, from 0 to 1; absent if there is none.
    pub confidence: Option<f64>,
    /// How many commits git had left to test if this one is good.
    pub revisions_left: Option<u64>,
    /// What git should have been told.
    pub audited_verdict: Verdict,
    /// Why.
    pub why: String,
}

/// Where a bisection stands without its doubtful steps.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Audited<'a> {
    /// The commit that it names; `None` if there is more to test.
    pub culprit: Option<Cow<'a, str>>,
    /// The good commit that was tested last.
    pub good: Option<Cow<'a, str>>,
    /// All good commits: git needs them to know what is left.
    pub goods: Vec<Cow<'a, str>>,
    /// The bad commit that was tested last.
    pub bad: Option<Cow<'a, str>>,
    /// How many commits between them are left to test, if the log says it: in a search for a cause
    /// if the last one is good.
    pub revisions_left: Option<u64>,
    /// What to type to go on from there, in a tree of the kernel.
    pub resume: Vec<String>,
}

impl Audited<'_> {
    /// Takes in how many commits are left to test, as git counts them in a tree:
    /// `git rev-list --bisect-vars BAD --not GOODS` prints one more as `bisect_all`.
    pub fn settle(&mut self, left: u64) {
        self.revisions_left = Some(left);
        self.culprit = self.bad.clone().filter(|_| left == 0);
        if self.culprit.is_some() {
            self.resume.clear();
        }
    }
}

/// Judges a bisection.
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
/// assert_eq!(audit.audited.culprit.as_deref(), Some("3d77e6a8804abcc0504c904bd6e5cdf3a5cf8162"));
/// # Ok::<(), bisect::NotBisection>(())
/// ```
pub fn audit<'a>(log: &'a Bisection<'a>, options: AuditOptions<'a>) -> Audit<'a> {
    let original = Original::of(log, options.title, options.report);
    let mut steps: Vec<_> = log.steps.iter().map(|step| seen(log, step, &original)).collect();
    let rates = Rates::of(&steps);
    judge(log.search.crashing(), &mut steps, &rates);
    let audited = replay::replay(log, &steps);
    let doubts = confidence::doubts(log, &original, &steps);
    let doubt = log.culprit.as_ref().map(|_| confidence::probability(&doubts));

    let turned = |step: &Seen| step.audited != step.verdict && step.audited != Verdict::Skip;
    let changed = steps.iter().position(|step| step.audited != step.verdict);
    let trust = if steps.iter().any(turned) {
        Trust::Wrong
    } else if changed.is_some()
        || doubt.is_some_and(|doubt| doubt >= DOUBTFUL)
        // Nothing in the log leads to it.
        || log.culprit.is_some() && !steps.iter().any(Seen::shows)
    {
        Trust::Doubtful
    } else {
        Trust::Sound
    };
    // Nothing speaks against a step: then the release that bounds the search is the likeliest to have
    // passed for another reason than that it has no bug.
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
        doubt,
        first_doubtful: first_doubtful.and_then(commit),
        doubts,
        audited,
        missing: missing(log),
        unknown_lines: log.unknown_lines,
        report: log.report.as_ref(),
    }
}

/// What is seen of a step.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) verdict: Verdict,
    /// Its crashes, that which has most to do with the original first.
    pub(super) crashes: Vec<CrashRelation>,
    pub(super) rate: Rate,
    /// The runs that passed.
    pub(super) passed: u32,
    /// The chance that a commit with the bug would have passed as this one did.
    pub(super) missed: f64,
    pub(super) audited: Verdict,
    why: String,
}

impl Seen {
    /// The crash that has most to do with the original.
    pub(super) fn related(&self) -> Option<&CrashRelation> {
        self.crashes.first()
    }

    /// Whether it shows the crash under bisection.
    pub(super) fn shows(&self) -> bool {
        self.related().is_some_and(|related| related.score >= RELATED)
    }

    /// The runs that crashed in whatever way.
    pub(super) fn crashed(&self) -> u32 {
        self.crashes.iter().fold(0, |sum, crash| sum.saturating_add(crash.count))
    }

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
    /// The number of runs that ended so.
    pub fn count(&self, outcome: Outcome) -> u32 {
        model::count(self.runs, outcome)
    }
}

fn seen<'a>(log: &Bisection<'_>, step: &'a Step<'a>, original: &Original<'a>) -> Seen {
    let crashes = original.relations(step);
    // Where it shows itself, what was only seen beside it does not stand for it.
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

/// What kept a step from running: what most of its runs say.
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
        (None, None) => "nothing: the log has no runs of it".into(),
    }
}

/// How often the crash comes on commits that have it.
struct Rates {
    pooled: Rate,
    /// The chances that a commit with the bug passes no run, one, and so on: the means over the
    /// commits that are known to have it, as it does not come equally often on all. Empty if no
    /// commit is.
    missed: Vec<f64>,
}

/// The most commits whose rates are told apart.
const MAX_RATES: usize = 64;

/// Runs beyond this many tell no more: a commit that passed so often has no crash worth looking for.
const MAX_PASSED: u32 = 100;

impl Rates {
    fn of(steps: &[Seen]) -> Self {
        let shows = |seen: &&Seen| seen.shows() && seen.verdict != Verdict::Skip;
        let each: Vec<Rate> = steps.iter().filter(shows).map(|seen| seen.rate).collect();
        let sum = |of: fn(&Rate) -> u32| each.iter().map(of).fold(0, u32::saturating_add);
        let pooled = Rate::new(sum(|rate| rate.hits), sum(|rate| rate.runs));
        let told = each.get(..MAX_RATES).unwrap_or(&each);
        let mean =
            |runs| told.iter().map(|rate| rate.all_pass(runs)).sum::<f64>() / told.len() as f64;
        let missed = match told {
            [] => Vec::new(),
            _ => (0..=MAX_PASSED).map(mean).collect(),
        };
        Self { pooled, missed }
    }

    /// The chance that a commit with the bug passes so many runs; 1 if nothing is known.
    fn missed(&self, runs: u32) -> f64 {
        self.missed.get(runs.min(MAX_PASSED) as usize).copied().unwrap_or(1.0)
    }
}

/// Decides which verdicts stand.
///
/// What comes after a step confirms it: after a commit that crashes, the commits that are tested are
/// its ancestors (in a search for a fix, its descendants), and if one of them has the bug, so has it.
/// The same goes for commits that pass.
fn judge(crashing: Verdict, steps: &mut [Seen], rates: &Rates) {
    let mut crash_is_sure = false;
    let mut missed_later = 1.0;
    for step in steps.iter_mut().rev() {
        step.missed = rates.missed(step.passed);
        if step.verdict == Verdict::Skip {
            step.why = "no run could tell".into();
        } else if step.verdict == crashing {
            crash(step, crash_is_sure);
            crash_is_sure |= step.shows();
        } else if !rates.missed.is_empty() {
            missed_later *= step.missed;
            clean(step, missed_later);
        } else {
            step.why = "how often the crash comes is not known".into();
        }
        if step.audited != step.verdict && step.audited != Verdict::Skip {
            missed_later *= step.missed;
        }
    }
}

/// Judges a step that was decided by a crash.
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
        format!("another crash: {evidence}; too few runs passed to tell")
    };
}

/// Judges a step that passed.
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

/// Why a log names no commit.
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
        "the log ends before".into()
    }
}

/// What the log lacks.
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

/// A commit as people write it.
pub(crate) fn short(commit: &str) -> &str {
    let is_hash = commit.len() > 12 && commit.bytes().all(|b| b.is_ascii_hexdigit());
    commit.get(..12).filter(|_| is_hash).unwrap_or(commit)
}
