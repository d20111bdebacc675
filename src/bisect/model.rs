//! The contents of a bisection log.

use std::borrow::Cow;
use std::time::Duration;

use crate::model::Report;
use crate::string_enum::string_enum;

string_enum! {
    /// The goal of a bisection.
    pub enum Search {
        /// The commit that introduced the crash.
        Cause = "cause",
        /// The commit that fixed the crash.
        Fix = "fix",
    }
}

string_enum! {
    /// The outcome of a run of the reproducer.
    pub enum Outcome {
        /// The kernel did not crash.
        Ok = "ok",
        /// The kernel crashed.
        Crashed = "crashed",
        /// The kernel did not boot, so the reproducer did not run.
        BootFailed = "boot-failed",
        /// The kernel booted, but failed before the reproducer ran.
        TestFailed = "test-failed",
        /// The machine, the network or the manager failed.
        Infrastructure = "infrastructure",
    }
}

string_enum! {
    /// The verdict on a commit that git received.
    ///
    /// In a search for a fix syzkaller inverts the verdicts: a commit that crashes is `good`,
    /// because it is older than the fix.
    pub enum Verdict {
        /// Older than the first bad commit.
        Good = "good",
        /// The first bad commit, or newer.
        Bad = "bad",
        /// Unknown: the commit could not be tested.
        Skip = "skip",
    }
}

/// A bisection log of syzkaller, whose lines are printed by its packages `pkg/bisect` and
/// `pkg/vcs`.
///
/// Text is that of the log; invalid UTF-8 is replaced by U+FFFD. Commits are hexadecimal hashes,
/// abbreviated as in the log.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Bisection<'a> {
    /// The goal of the bisection.
    pub search: Search,
    /// The commit on which the crash was found, from the first line of the log.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub original: Option<Cow<'a, str>>,
    /// The manager and the start time, from `… starts bisection …`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub manager: Option<Cow<'a, str>>,
    /// The commit of syzkaller.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub syzkaller: Option<Cow<'a, str>>,
    /// The commits that were tested, in order.
    pub steps: Vec<Step<'a>>,
    /// The bad and the good commit of `git bisect start`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub ends: Option<(Cow<'a, str>, Cow<'a, str>)>,
    /// The commit that the bisection names.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub culprit: Option<Culprit<'a>>,
    /// The commits that git lists instead, if skipped commits prevent a single one.
    pub candidates: Vec<Cow<'a, str>>,
    /// The parent of the culprit, if no step tested it. It is built at the end to compare the
    /// kernels, and not run.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub untested_parent: Option<Step<'a>>,
    /// Whether syzkaller reports that the reproducer does not always crash.
    pub flaky: bool,
    /// Whether the oldest release that was tested crashes, or the newest commit still does.
    pub open_ended: bool,
    /// The error that ended the bisection.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub error: Option<Cow<'a, str>>,
    /// The duration.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub totals: Option<Totals>,
    /// The recipients of the result.
    pub recipients: Vec<Cow<'a, str>>,
    /// The recipients of a copy.
    pub copied: Vec<Cow<'a, str>>,
    /// The title of the crash at the end of the log, which is the last one of the bisection.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub crash: Option<Cow<'a, str>>,
    /// The report of that crash.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub report: Option<Report<'a>>,
    /// Known lines without a field here: the reduction of the configuration, the estimates of newer
    /// versions of syzkaller.
    pub remarks: Vec<Cow<'a, str>>,
    /// Lines that were not recognized, at most the first [`MAX_UNKNOWN`].
    pub unknown: Vec<Cow<'a, str>>,
    /// The number of lines that were not recognized.
    pub unknown_lines: usize,
}

/// The maximum number of unrecognized lines that are kept.
pub const MAX_UNKNOWN: usize = 1000;

/// A commit that was tested.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Step<'a> {
    /// The commit.
    pub commit: Cow<'a, str>,
    /// The subject; not printed for releases and for the first commit.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub subject: Option<Cow<'a, str>>,
    /// The release, if the commit is tagged as one.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub release: Option<Cow<'a, str>>,
    /// The compiler.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub compiler: Option<Cow<'a, str>>,
    /// A hash of the kernel that was built. Two commits with the same hash build the same kernel.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub signature: Option<Cow<'a, str>>,
    /// The number of commits that git had left to test if this one is good.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub revisions_left: Option<u64>,
    /// The runs of the reproducer.
    pub runs: Vec<Run<'a>>,
    /// The lines in place of runs, if the kernel could not be built.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub failure: Option<Cow<'a, str>>,
    /// The verdict that git received; `None` for commits before `git bisect start`: releases and
    /// the first commit.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub verdict: Option<Verdict>,
}

/// A run of the reproducer, or all runs of a line `all runs:`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Run<'a> {
    /// The outcome.
    pub outcome: Outcome,
    /// The title of the crash, or the description of the failure.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub title: Option<Cow<'a, str>>,
    /// The number of runs: 1, or [`ALL_RUNS`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_one"))]
    pub count: u32,
    /// The lines below it, from tools that failed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub detail: Option<Cow<'a, str>>,
}

#[cfg(feature = "serde")]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "required by serde")]
fn is_one(count: &u32) -> bool {
    *count == 1
}

/// The number of runs of `all runs:`. The log does not have it; syzkaller makes that many
/// (`MaxNumTests / 2` in its `pkg/bisect/bisect.go`), or twice as many on the first commit.
pub const ALL_RUNS: u32 = 10;

/// The commit that a bisection names.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Culprit<'a> {
    /// The commit.
    pub commit: Cow<'a, str>,
    /// The subject.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub subject: Option<Cow<'a, str>>,
    /// The author with address.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub author: Option<Cow<'a, str>>,
    /// The author date, as git prints it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub date: Option<Cow<'a, str>>,
    /// Whether it is a merge.
    pub merge: bool,
    /// The lines of the message, without the subject.
    pub message: Vec<Cow<'a, str>>,
    /// The files that it changes, as the log has them: a long path starts with `…`, or it is only a
    /// directory.
    pub files: Vec<Cow<'a, str>>,
    /// The hash of the kernel built from it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub signature: Option<Cow<'a, str>>,
    /// The hash of the kernel built from its parent.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub parent_signature: Option<Cow<'a, str>>,
}

/// The duration of a bisection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Totals {
    /// The number of commits that were tested.
    pub revisions: u64,
    /// The whole time.
    pub total: Duration,
    /// The time to build kernels.
    pub build: Duration,
    /// The time to run them.
    pub test: Duration,
}

/// Returns the number of runs with this outcome.
pub(super) fn count(runs: &[Run<'_>], outcome: Outcome) -> u32 {
    let runs = runs.iter().filter(|run| run.outcome == outcome);
    runs.fold(0, |sum, run| sum.saturating_add(run.count))
}

impl Step<'_> {
    /// Returns the number of runs with this outcome.
    pub fn count(&self, outcome: Outcome) -> u32 {
        count(&self.runs, outcome)
    }

    /// Returns the verdict of the runs, by syzkaller's rule: one crash decides.
    ///
    /// `crashing` is the verdict on a commit that crashes.
    pub(super) fn by_runs(&self, crashing: Verdict) -> Verdict {
        match (self.count(Outcome::Crashed), self.count(Outcome::Ok)) {
            (0, 0) => Verdict::Skip,
            (0, _) => crashing.opposite(),
            _ => crashing,
        }
    }
}

impl Outcome {
    /// Returns the outcome in syzkaller's words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Crashed => "crashed",
            Self::BootFailed => "boot failed",
            Self::TestFailed => "basic kernel testing failed",
            Self::Infrastructure => "infrastructure failed",
        }
    }
}

impl Verdict {
    /// Returns the opposite verdict; `Skip` has none and is returned.
    pub(super) fn opposite(self) -> Self {
        match self {
            Self::Good => Self::Bad,
            Self::Bad => Self::Good,
            Self::Skip => Self::Skip,
        }
    }
}

impl Search {
    /// Returns the verdict on a commit that crashes.
    pub fn crashing(self) -> Verdict {
        match self {
            Self::Cause => Verdict::Bad,
            Self::Fix => Verdict::Good,
        }
    }
}

impl Culprit<'_> {
    /// Returns whether the commit builds the same kernel as its parent, so that it cannot be the
    /// cause.
    pub fn changes_nothing(&self) -> bool {
        self.signature.is_some() && self.signature == self.parent_signature
    }
}

/// Returns the first 12 digits of a commit.
pub(crate) fn short(commit: &str) -> &str {
    let is_hash = commit.len() > 12 && commit.bytes().all(|b| b.is_ascii_hexdigit());
    commit.get(..12).filter(|_| is_hash).unwrap_or(commit)
}
