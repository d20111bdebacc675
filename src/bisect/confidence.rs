//! How well the commit that a bisection names fits the crash, and how the search went.

use std::collections::BTreeSet;

use super::audit::Seen;
use super::model::{Bisection, Culprit, Verdict};
use super::name::{self, Name};
use super::relation::{Original, UNRELATED};
use crate::model::{Report, Role};
use crate::string_enum::string_enum;

string_enum! {
    /// Something that tells right bisections from wrong ones.
    pub enum DoubtFeature {
        /// A bad step was decided by a crash that has nothing to do with the original.
        Alien = "another crash",
        /// A bad step crashed in one run or two.
        Rare = "rare crash",
        /// syzkaller itself calls the reproducer flaky.
        Flaky = "flaky reproducer",
        /// Steps were skipped.
        Skips = "skipped steps",
        /// The newest release crashes as well.
        OldRelease = "old release",
        /// How many older releases do, if the commit is not near the crash.
        OlderReleases = "older releases",
        /// The commit is a merge.
        Merge = "merge",
        /// It builds the same kernel as its parent.
        SameKernel = "same kernel",
        /// It changes what can be configured: it may only have made the crash reachable.
        Configuration = "configuration",
        /// It changes a file of the crash's stack, or one beside it.
        Near = "near the stack",
        /// Its subject or its files have a word of the function in the title.
        Word = "word of the function",
    }
}

/// The log odds of the wrong commit before anything is known.
const BASE: f64 = -1.03;

/// How much each adds to the log odds, for a value of 1.
///
/// Fitted by `examples/fit_doubts.rs`.
#[rustfmt::skip] // rows
const WEIGHTS: &[(DoubtFeature, f64)] = &[
    (DoubtFeature::Alien,         1.97),
    (DoubtFeature::Rare,          1.14),
    (DoubtFeature::Flaky,         0.56),
    (DoubtFeature::Skips,         0.56),
    (DoubtFeature::OldRelease,    1.27),
    (DoubtFeature::OlderReleases, 1.38),
    (DoubtFeature::Merge,         1.55),
    (DoubtFeature::SameKernel,    0.60),
    (DoubtFeature::Configuration, 1.70),
    (DoubtFeature::Near,         -0.68),
    (DoubtFeature::Word,         -0.37),
];

/// Something that speaks for or against the commit that a bisection names.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Doubt {
    /// What it is.
    pub clue: DoubtFeature,
    /// How much of it there is, from 0 to 1.
    pub value: f64,
    /// What it adds to the log odds that another commit is the right one; below 0 it speaks for it.
    pub weight: f64,
    /// It in words.
    pub text: String,
}

/// How likely another commit is the right one.
pub(super) fn probability(doubts: &[Doubt]) -> f64 {
    let odds = BASE + doubts.iter().map(|doubt| doubt.weight).sum::<f64>();
    1.0 / (1.0 + (-odds).exp())
}

/// What speaks for and against the commit that is named, the heaviest first.
pub(super) fn doubts(log: &Bisection<'_>, original: &Original<'_>, steps: &[Seen]) -> Vec<Doubt> {
    let Some(culprit) = &log.culprit else { return Vec::new() };
    let mut found = Found(Vec::new());
    search(log, steps, &mut found);
    commit(culprit, &mut found);
    let fits = fit(log, culprit, original, &mut found);
    age(log, steps, fits, &mut found);
    found.0.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    found.0
}

struct Found(Vec<Doubt>);

impl Found {
    fn add(&mut self, clue: DoubtFeature, value: f64, text: impl Into<String>) {
        let weight = WEIGHTS.iter().find(|(of, _)| *of == clue).map_or(0.0, |(_, weight)| *weight);
        if value > 0.0 {
            self.0.push(Doubt { clue, value, weight: weight * value, text: text.into() });
        }
    }

    fn add_if(&mut self, clue: DoubtFeature, is_so: bool, text: impl Into<String>) {
        self.add(clue, f64::from(u8::from(is_so)), text);
    }
}

/// How the search went.
fn search(log: &Bisection<'_>, steps: &[Seen], found: &mut Found) {
    let crashing = log.search.crashing();
    let crashed = || steps.iter().filter(|step| step.verdict == crashing);
    let relations = || crashed().filter_map(|step| step.related());
    let alien = relations().any(|related| related.score <= UNRELATED);
    found.add_if(DoubtFeature::Alien, alien, "a step was decided by another crash");
    let rare = |step: &Seen| step.crashed() <= 2 && step.crashed() + step.passed >= 5;
    found.add_if(
        DoubtFeature::Rare,
        crashed().any(rare),
        "a step was decided by one or two of its runs",
    );
    found.add_if(DoubtFeature::Flaky, log.flaky, "syzkaller calls the reproducer flaky");
    let skips = steps.iter().any(|step| step.verdict == Verdict::Skip);
    found.add_if(DoubtFeature::Skips, skips, "steps were skipped");
}

/// So many releases are as many as any number of them.
const MAX_RELEASES: u32 = 9;

/// How old the crash is, and whether the commit has something to do with it.
fn age(log: &Bisection<'_>, steps: &[Seen], fits: bool, found: &mut Found) {
    let crashing = log.search.crashing();
    let releases = log.steps.iter().zip(steps).filter(|(step, _)| step.release.is_some());
    let older = releases.filter(|(_, seen)| seen.verdict == crashing).count();
    found.add_if(
        DoubtFeature::OldRelease,
        older > 0,
        "it is in older releases, on which a reproducer may fail for other reasons",
    );
    if !fits {
        let releases = if older == 1 { "release has" } else { "releases have" };
        let text = format!("{older} {releases} it, and nothing in the log ties the commit to it");
        let share = u32::try_from(older).unwrap_or(u32::MAX).min(MAX_RELEASES);
        found.add(DoubtFeature::OlderReleases, f64::from(share) / f64::from(MAX_RELEASES), text);
    }
}

/// What the commit is.
fn commit(culprit: &Culprit<'_>, found: &mut Found) {
    found.add_if(DoubtFeature::Merge, culprit.merge, "the commit is a merge");
    found.add_if(
        DoubtFeature::SameKernel,
        culprit.changes_nothing(),
        "the commit builds the same kernel as its parent",
    );
    let configures = culprit.files.iter().any(|file| {
        let name = file.rsplit('/').next().unwrap_or_default();
        name.starts_with("Kconfig") || name.ends_with("defconfig")
    });
    found.add_if(
        DoubtFeature::Configuration,
        configures,
        "the commit changes what can be configured",
    );
}

/// The most files of a commit that are looked at: one that changes more is about everything.
const MAX_FILES: usize = 1000;

/// Whether it has something to do with the crash.
fn fit<'a>(
    log: &'a Bisection<'a>,
    culprit: &Culprit<'_>,
    original: &Original<'a>,
    found: &mut Found,
) -> bool {
    let own = log.report.as_ref().filter(|report| original.is_of(report));
    let stack = own.map(places).unwrap_or_default();
    // Of a directory alone nothing can be said.
    let changed = culprit.files.iter().take(MAX_FILES).filter(|file| file.contains('/'));
    let changed: Vec<&str> = changed.map(|file| file.trim_start_matches("...")).collect();
    let near = changed.iter().find(|file| {
        let folder = directory(file);
        let beside = |place: &&str| !folder.is_empty() && directory(place) == folder;
        stack.iter().any(|place| is_in(place, file) || beside(place))
    });
    let words = original.names.iter().flat_map(Name::words);
    let words: BTreeSet<String> =
        words.filter(|word| name::is_telling(word)).map(str::to_ascii_lowercase).collect();
    let own = |part: &&str| words.contains(&part.to_ascii_lowercase());
    let subject = culprit.subject.as_deref().unwrap_or_default();
    let word = std::iter::once(subject).chain(changed.iter().copied());
    let word = word.flat_map(name::parts).find(own);
    if let Some(file) = near {
        found.add(
            DoubtFeature::Near,
            1.0,
            format!("{file} is in the crash's stack, or beside what is"),
        );
    }
    if let Some(word) = word {
        found.add(DoubtFeature::Word, 1.0, format!("it is about `{word}`, as the crash is"));
    }
    near.is_some() || word.is_some()
}

/// The source files of a crash.
fn places<'a>(report: &'a Report<'_>) -> BTreeSet<&'a str> {
    let told = [Role::Crash, Role::Allocation, Role::Free, Role::Race];
    let stacks = report.stacks.iter().filter(|stack| told.contains(&stack.role));
    let frames = stacks.flat_map(|stack| &stack.frames).filter(|frame| frame.reliable);
    let named = frames.filter(|frame| frame.function.as_deref().is_some_and(name::may_name));
    named.filter_map(|frame| frame.file.as_deref()).collect()
}

/// Whether a source file is the one that a commit changes, or in the directory.
fn is_in(place: &str, changed: &str) -> bool {
    let ends =
        place.strip_suffix(changed).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
    ends || changed.starts_with('/') && place.ends_with(changed)
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}
