//! What a bisection log says.

use std::borrow::Cow;
use std::time::Duration;

use crate::model::Report;
use crate::string_enum::string_enum;

string_enum! {
    /// What a bisection looks for.
    pub enum Search {
        /// The commit that brought the crash.
        Cause = "cause",
        /// The commit that ended it.
        Fix = "fix",
    }
}

string_enum! {
    /// How a run of the reproducer ended.
    pub enum Outcome {
        /// Nothing happened.
        Ok = "ok",
        /// The kernel crashed.
        Crashed = "crashed",
        /// The kernel did not come up, so the reproducer did not run.
        BootFailed = "boot-failed",
        /// The kernel came up, but failed before the reproducer ran.
        TestFailed = "test-failed",
        /// The machine, the network or the manager failed.
        Infrastructure = "infrastructure",
    }
}

string_enum! {
    /// What git was told of a commit.
    ///
    /// In a search for a fix syzkaller tells git the opposite of what it saw: a commit that crashes is
    /// `good` there, because it is older than the one that is looked for.
    pub enum Verdict {
        /// Older than the commit that is looked for.
        Good = "good",
        /// That commit, or newer.
        Bad = "bad",
        /// Not known.
        Skip = "skip",
    }
}

/// A bisection log of syzkaller: `pkg/bisect` and `pkg/vcs` there print its lines.
///
/// All text is that of the log, whatever bytes it has; what is no UTF-8 is replaced. Commits are in
/// hexadecimal, as long as the log has them.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Bisection<'a> {
    /// What it looks for.
    pub search: Search,
    /// The commit on which the crash was seen first, of the log's first line.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub original: Option<Cow<'a, str>>,
    /// Who ran it, and when, of `… starts bisection …`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub manager: Option<Cow<'a, str>>,
    /// The commit of syzkaller.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub syzkaller: Option<Cow<'a, str>>,
    /// What was tested, in order.
    pub steps: Vec<Step<'a>>,
    /// The bad and the good commit that git was started with.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub ends: Option<(Cow<'a, str>, Cow<'a, str>)>,
    /// The commit that is named in the end.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub culprit: Option<Culprit<'a>>,
    /// The commits that are named if skipped ones keep it from being one.
    pub candidates: Vec<Cow<'a, str>>,
    /// The parent of the culprit, if it was not tested on the way: it is built in the end, to compare
    /// the kernels, and not run.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub untested_parent: Option<Step<'a>>,
    /// Whether syzkaller itself says that the reproducer does not always crash.
    pub flaky: bool,
    /// Whether the oldest release that was tested crashes already, or the newest commit still does.
    pub open_ended: bool,
    /// Why it ended before its end.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub error: Option<Cow<'a, str>>,
    /// How long it took.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub totals: Option<Totals>,
    /// To whom the result is sent.
    pub recipients: Vec<Cow<'a, str>>,
    /// Who gets a copy.
    pub copied: Vec<Cow<'a, str>>,
    /// The title of the crash whose console stands at the end: that of the last crash that was seen.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub crash: Option<Cow<'a, str>>,
    /// The report of that crash.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub report: Option<Report<'a>>,
    /// Lines that say something which has no field here: how the configuration was reduced, the
    /// estimates of newer syzkallers.
    pub remarks: Vec<Cow<'a, str>>,
    /// Lines that were not understood; of very many the first [`MAX_UNKNOWN`].
    pub unknown: Vec<Cow<'a, str>>,
    /// How many there are.
    pub unknown_lines: usize,
}

/// The most lines that are kept though they were not understood.
pub const MAX_UNKNOWN: usize = 1000;

/// One commit that was tested.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Step<'a> {
    /// The commit.
    pub commit: Cow<'a, str>,
    /// Its subject: those of releases and of the first commit are not printed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub subject: Option<Cow<'a, str>>,
    /// The release that it is.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub release: Option<Cow<'a, str>>,
    /// The compiler.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub compiler: Option<Cow<'a, str>>,
    /// A hash of the kernel that was built: equal for kernels that differ in nothing.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub signature: Option<Cow<'a, str>>,
    /// How many commits git had left to test if this one is good.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub revisions_left: Option<u64>,
    /// The runs of the reproducer.
    pub runs: Vec<Run<'a>>,
    /// What stands where runs should, if it could not be built.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub failure: Option<Cow<'a, str>>,
    /// What git was told; releases and the first commit are tested before git is asked.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub verdict: Option<Verdict>,
}

/// A run of the reproducer, or as many as `all runs:` stands for.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Run<'a> {
    /// How it ended.
    pub outcome: Outcome,
    /// The title of the crash, or what failed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub title: Option<Cow<'a, str>>,
    /// How many runs it stands for: 1, or [`ALL_RUNS`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_one"))]
    pub count: u32,
    /// The lines that follow it, of tools that failed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub detail: Option<Cow<'a, str>>,
}

#[cfg(feature = "serde")]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_one(count: &u32) -> bool {
    *count == 1
}

/// How many runs `all runs:` stands for: the log does not say it, and syzkaller makes that many
/// (`MaxNumTests / 2` in its `pkg/bisect/bisect.go`), or twice as many on the first commit.
pub const ALL_RUNS: u32 = 10;

/// The commit that a bisection names.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Culprit<'a> {
    /// The commit.
    pub commit: Cow<'a, str>,
    /// Its subject.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub subject: Option<Cow<'a, str>>,
    /// Its author, with address.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub author: Option<Cow<'a, str>>,
    /// When it was written, as git prints it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub date: Option<Cow<'a, str>>,
    /// Whether it is a merge.
    pub merge: bool,
    /// The lines of its message, without the subject.
    pub message: Vec<Cow<'a, str>>,
    /// The files that it changes, as the log has them: `…` at the beginning of a long path, or
    /// the directory alone.
    pub files: Vec<Cow<'a, str>>,
    /// The hash of the kernel that it builds.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub signature: Option<Cow<'a, str>>,
    /// The hash of the kernel that its parent builds.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub parent_signature: Option<Cow<'a, str>>,
}

/// What a bisection took.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Totals {
    /// The commits that were tested.
    pub revisions: u64,
    /// The whole time.
    pub total: Duration,
    /// The time to build kernels.
    pub build: Duration,
    /// The time to run them.
    pub test: Duration,
}

/// The number of runs that ended so.
pub(super) fn count(runs: &[Run<'_>], outcome: Outcome) -> u32 {
    let runs = runs.iter().filter(|run| run.outcome == outcome);
    runs.fold(0, |sum, run| sum.saturating_add(run.count))
}

impl Step<'_> {
    /// The number of runs that ended so.
    pub fn count(&self, outcome: Outcome) -> u32 {
        count(&self.runs, outcome)
    }

    /// The verdict by its runs, as syzkaller judges them: one crash is enough for it.
    ///
    /// `crashing` is what git is told of a commit that crashes.
    pub(super) fn by_runs(&self, crashing: Verdict) -> Verdict {
        match (self.count(Outcome::Crashed), self.count(Outcome::Ok)) {
            (0, 0) => Verdict::Skip,
            (0, _) => crashing.opposite(),
            _ => crashing,
        }
    }
}

impl Outcome {
    /// It as syzkaller says it.
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
    /// What git is told of a commit on the other side; of one that is not known, the same.
    pub(super) fn opposite(self) -> Self {
        match self {
            Self::Good => Self::Bad,
            Self::Bad => Self::Good,
            Self::Skip => Self::Skip,
        }
    }
}

impl Search {
    /// What git is told of a commit that crashes.
    pub fn crashing(self) -> Verdict {
        match self {
            Self::Cause => Verdict::Bad,
            Self::Fix => Verdict::Good,
        }
    }
}

impl Culprit<'_> {
    /// Whether it builds the same kernel as its parent: then it cannot have changed anything.
    pub fn changes_nothing(&self) -> bool {
        self.signature.is_some() && self.signature == self.parent_signature
    }
}
