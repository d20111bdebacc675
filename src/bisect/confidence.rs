//! The features of the named commit and of the search, and the probability that the commit is
//! wrong.

use std::collections::BTreeSet;

use super::evidence::DoubtFeature;
use super::model::{Bisection, Culprit, Verdict};
use super::name::{self, Name};
use super::relation::{Original, UNRELATED};
use super::seen::Seen;
use super::tables::Tables;
use crate::model::{Report, Role};
use crate::order;

/// A feature for or against the commit that a bisection names.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Doubt {
    /// The feature.
    pub clue: DoubtFeature,
    /// The value of the feature, from 0 to 1.
    pub value: f64,
    /// The log odds that it adds to the commit being wrong; negative if it supports the commit.
    pub weight: f64,
    /// The feature in words.
    pub text: String,
}

/// Returns the probability that another commit is the right one.
pub(super) fn probability(doubts: &[Doubt], tables: &Tables<'_>) -> f64 {
    let odds = tables.base + doubts.iter().map(|doubt| doubt.weight).sum::<f64>();
    1.0 / (1.0 + (-odds).exp())
}

/// Returns the features for and against the named commit, the heaviest first.
pub(super) fn doubts(log: &Bisection<'_>, original: &Original<'_>, steps: &[Seen]) -> Vec<Doubt> {
    let Some(culprit) = &log.culprit else { return Vec::new() };
    let mut found = Found { tables: original.tables, doubts: Vec::new() };
    search(log, steps, &mut found);
    commit(culprit, &mut found);
    let fits = fit(culprit, original, &mut found);
    age(log, steps, fits, &mut found);
    order::sort_by(&mut found.doubts, |a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    found.doubts
}

struct Found<'t> {
    tables: Tables<'t>,
    doubts: Vec<Doubt>,
}

impl Found<'_> {
    fn add(&mut self, clue: DoubtFeature, value: f64, text: impl Into<String>) {
        let weight = self.tables.weight(clue);
        if value > 0.0 {
            self.doubts.push(Doubt { clue, value, weight: weight * value, text: text.into() });
        }
    }

    fn add_if(&mut self, clue: DoubtFeature, is_so: bool, text: impl Into<String>) {
        self.add(clue, f64::from(u8::from(is_so)), text);
    }
}

/// Adds the features of the search.
fn search(log: &Bisection<'_>, steps: &[Seen], found: &mut Found<'_>) {
    let crashing = log.search.crashing();
    let crashed = || steps.iter().filter(|step| step.verdict == crashing);
    let relations = || crashed().filter_map(|step| step.related());
    let alien = relations().any(|related| related.score <= UNRELATED);
    found.add_if(DoubtFeature::Alien, alien, "a step was decided by another crash");
    let inverted = |step: &Seen| step.audited == step.verdict.opposite();
    let is_inverted = crashed().any(|step| step.audited != step.verdict && inverted(step));
    found.add_if(
        DoubtFeature::Inverted,
        is_inverted,
        "without that crash the runs of the step passed",
    );
    let is_uncertain = crashed().any(|step| step.audited == Verdict::Skip);
    found.add_if(
        DoubtFeature::Uncertain,
        is_uncertain,
        "a step was decided by what may be another crash",
    );
    let rare = |step: &Seen| step.crashed() <= 2 && step.crashed() + step.passed >= 5;
    found.add_if(
        DoubtFeature::Rare,
        crashed().any(rare),
        "a step was decided by one or two of its runs",
    );
    found.add_if(DoubtFeature::Flaky, log.flaky, "syzkaller reports a flaky reproducer");
    let skips = steps.iter().any(|step| step.verdict == Verdict::Skip);
    found.add_if(DoubtFeature::Skips, skips, "steps were skipped");
    found.add_if(
        DoubtFeature::Compiler,
        other_compiler(log, steps),
        "the compiler changed at the same release as the crash",
    );
}

/// Returns whether the first release without the crash and the step before it had different
/// compilers.
fn other_compiler(log: &Bisection<'_>, steps: &[Seen]) -> bool {
    let crashing = log.search.crashing();
    let mut last = None;
    for (step, seen) in log.steps.iter().zip(steps).take_while(|(step, _)| step.verdict.is_none()) {
        if seen.verdict == crashing {
            last = Some(&step.compiler);
        } else if seen.verdict != Verdict::Skip {
            return last.is_some_and(|last| *last != step.compiler);
        }
    }
    false
}

/// The number of releases from which the value of a feature is 1.
const MAX_RELEASES: u32 = 9;

/// Adds the features of the age of the crash; `fits` is whether the commit is near the crash.
fn age(log: &Bisection<'_>, steps: &[Seen], fits: bool, found: &mut Found<'_>) {
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
        let text =
            format!("{older} {releases} it, and the log has no relation of the commit to it");
        let share = u32::try_from(older).unwrap_or(u32::MAX).min(MAX_RELEASES);
        found.add(DoubtFeature::OlderReleases, f64::from(share) / f64::from(MAX_RELEASES), text);
    }
}

/// Adds the features of the commit.
fn commit(culprit: &Culprit<'_>, found: &mut Found<'_>) {
    found.add_if(DoubtFeature::Merge, culprit.merge, "the commit is a merge");
    found.add_if(
        DoubtFeature::SameKernel,
        culprit.changes_nothing(),
        "the commit builds the same kernel as its parent",
    );
    let is_release = culprit.subject.as_deref().and_then(|subject| subject.strip_prefix("Linux "));
    found.add_if(
        DoubtFeature::Release,
        is_release.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_digit())),
        "the commit only names a release",
    );
    let is_unbuilt = !culprit.files.is_empty() && culprit.files.iter().all(|file| unbuilt(file));
    found.add_if(
        DoubtFeature::Unbuilt,
        is_unbuilt,
        "the commit changes only files that are not built",
    );
    let configures = culprit.files.iter().any(|file| {
        let name = file.rsplit('/').next().unwrap_or_default();
        name.starts_with("Kconfig") || name.ends_with("defconfig")
    });
    found.add_if(DoubtFeature::Configuration, configures, "the commit changes Kconfig files");
}

/// Directories that are not built into the kernels of syzkaller's bisections, which are of x86.
const UNBUILT: &[&str] = &["Documentation/", "LICENSES/", "samples/", "tools/"];

/// Files in the top directory that are not built into a kernel.
const TEXTS: &[&str] = &["COPYING", "CREDITS", "MAINTAINERS", "README", ".mailmap", ".gitignore"];

/// Returns whether a file is built into no kernel of a bisection.
fn unbuilt(file: &str) -> bool {
    let arch = file.strip_prefix("arch/").and_then(|rest| rest.split_once('/'));
    let other = arch.is_some_and(|(arch, _)| arch != "x86");
    other || TEXTS.contains(&file) || UNBUILT.iter().any(|folder| file.starts_with(folder))
}

/// The maximum number of files of a commit that are compared. A commit with more is not specific to
/// a subsystem.
const MAX_FILES: usize = 1000;

/// Adds the features of the distance between the commit and the crash.
fn fit(culprit: &Culprit<'_>, original: &Original<'_>, found: &mut Found<'_>) -> bool {
    let stack = order::set(original.reports().flat_map(places));
    // A file without a directory has no subsystem.
    let changed = culprit.files.iter().take(MAX_FILES).filter(|file| file.contains('/'));
    let changed: Vec<&str> = changed.map(|file| file.trim_start_matches("...")).collect();
    let near = changed.iter().find(|file| {
        let folder = directory(file);
        let beside = |place: &&str| !folder.is_empty() && directory(place) == folder;
        stack.iter().any(|place| is_in(place, file) || beside(place))
    });
    let words = original.names.iter().flat_map(Name::words);
    let words = words.filter(|word| name::is_telling(word)).map(str::to_ascii_lowercase);
    let words = order::set(words);
    let own = |part: &&str| words.contains(&part.to_ascii_lowercase());
    let subject = culprit.subject.as_deref().unwrap_or_default();
    let word = std::iter::once(subject).chain(changed.iter().copied());
    let word = word.flat_map(name::parts).find(own);
    if let Some(file) = near {
        found.add(
            DoubtFeature::Near,
            1.0,
            format!("{file} is in the crash's stack, or in the directory of such a file"),
        );
    }
    if let Some(word) = word {
        found.add(DoubtFeature::Word, 1.0, format!("it is about `{word}`, as the crash is"));
    }
    near.is_some() || word.is_some()
}

/// Returns the source files in the stack of a crash.
fn places<'a>(report: &'a Report<'_>) -> BTreeSet<&'a str> {
    let compared = [Role::Crash, Role::Allocation, Role::Free, Role::Race];
    let stacks = report.stacks.iter().filter(|stack| compared.contains(&stack.role));
    let frames = stacks.flat_map(|stack| &stack.frames).filter(|frame| frame.reliable);
    let named = frames.filter(|frame| frame.function.as_deref().is_some_and(name::may_name));
    order::set(named.filter_map(|frame| frame.file.as_deref()))
}

/// Returns whether a source file is the changed one, or in the same directory.
fn is_in(place: &str, changed: &str) -> bool {
    let ends =
        place.strip_suffix(changed).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
    ends || changed.starts_with('/') && place.ends_with(changed)
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}
