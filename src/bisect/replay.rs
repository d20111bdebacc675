//! Replay of a bisection with the audited verdicts.

use std::borrow::Cow;

use super::model::{Bisection, Search, Verdict, short};
use super::seen::Seen;

/// The state of a bisection without its doubtful steps.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Audited<'a> {
    /// The first bad commit; `None` if more commits have to be tested.
    pub culprit: Option<Cow<'a, str>>,
    /// The good commit that was tested last.
    pub good: Option<Cow<'a, str>>,
    /// All good commits. Git needs them to compute the remaining range.
    pub goods: Vec<Cow<'a, str>>,
    /// The bad commit that was tested last.
    pub bad: Option<Cow<'a, str>>,
    /// The number of commits between them that are left to test; `None` if the log has no such
    /// number. In a search for a cause it is the number if the last one is good.
    pub revisions_left: Option<u64>,
    /// The reason why no commit results from the audited verdicts although none is left to test:
    /// the search ends at a commit that changes nothing by itself.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub contradiction: Option<&'static str>,
    /// The same of the last bad commit, if none is left to test.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) impossible: Option<&'static str>,
    /// The shell commands that continue the bisection from there, in a kernel tree.
    pub resume: Vec<String>,
}

impl Audited<'_> {
    /// Sets the number of commits that are left to test, as git counts them in a tree: `git
    /// rev-list --bisect-vars BAD --not GOODS` prints one more as `bisect_all`.
    pub fn settle(&mut self, left: u64) {
        self.revisions_left = Some(left);
        self.contradiction = self.impossible.filter(|_| left == 0);
        self.culprit = self.bad.clone().filter(|_| left == 0 && self.contradiction.is_none());
        if left == 0 {
            self.resume.clear();
        }
    }
}

/// Returns the state of a bisection after the audited verdicts.
///
/// Git prints with each commit how many are left to test if that one is good. So the number is
/// known if a verdict changes to good, and unknown after any other change.
pub(super) fn replay<'a>(log: &Bisection<'a>, steps: &[Seen]) -> Audited<'a> {
    let mut bad = None;
    let mut goods: Vec<usize> = Vec::new();
    let mut skipped: Vec<usize> = Vec::new();
    let mut left = None;
    // Whether the numbers of git still apply to the remaining range.
    let mut counted = true;
    let mut changed = false;
    for (at, (seen, step)) in steps.iter().zip(&log.steps).enumerate() {
        match seen.audited {
            Verdict::Bad => bad = Some(at),
            Verdict::Good => goods.push(at),
            Verdict::Skip => skipped.push(at),
        }
        changed |= seen.audited != seen.verdict;
        // After a skipped commit git prints the number for the commit that it would have tested
        // next, and then tests another.
        counted &= seen.verdict != Verdict::Skip || step.verdict.is_none();
        // After a bad commit git tests its ancestors, and prints no number of them.
        left = match (seen.audited, seen.verdict) {
            (Verdict::Good, _) if counted => step.revisions_left,
            _ => None,
        };
        if seen.audited == seen.verdict {
            continue;
        }
        match seen.audited {
            // Later steps were tested on the other side of this one.
            Verdict::Good if log.search == Search::Cause => break,
            Verdict::Bad if log.search == Search::Fix => break,
            _ => counted = false,
        }
    }
    let commit = |at: usize| log.steps.get(at).map(|step| step.commit.clone());
    let impossible = bad.filter(|_| changed).and_then(|bad| impossible(log, bad));
    let contradiction = impossible.filter(|_| left == Some(0));
    let culprit = match (changed, left) {
        (false, _) => log.culprit.as_ref().map(|culprit| culprit.commit.clone()),
        (true, Some(0)) if contradiction.is_none() => bad.and_then(commit),
        _ => None,
    };
    let is_open = culprit.is_none() && contradiction.is_none();
    let resume = match (bad, goods.is_empty()) {
        (Some(bad), false) if is_open => resume(log, bad, &goods, &skipped),
        _ => Vec::new(),
    };
    Audited {
        revisions_left: if culprit.is_some() { Some(0) } else { left },
        culprit,
        contradiction,
        impossible,
        good: goods.last().copied().and_then(commit),
        goods: goods.iter().copied().filter_map(commit).collect(),
        bad: bad.and_then(commit),
        resume,
    }
}

/// Returns the reason why a commit that was tested cannot be the result of the search.
fn impossible(log: &Bisection<'_>, at: usize) -> Option<&'static str> {
    let step = log.steps.get(at)?;
    let subject = step.subject.as_deref().unwrap_or_default();
    if at == 0 {
        Some("the commit on which the crash was found")
    } else if step.release.is_some() || subject.starts_with("Linux ") {
        Some("a release, which changes only the version")
    } else if subject.starts_with("Merge ") {
        Some("a merge")
    } else {
        None
    }
}

/// Returns the step that bounds the search: the first without the crash, of those before `git
/// bisect start`.
pub(super) fn boundary(log: &Bisection<'_>, steps: &[Seen]) -> Option<usize> {
    let crashing = log.search.crashing();
    let before = log.steps.iter().zip(steps).enumerate();
    let mut before = before.take_while(|(at, (step, _))| *at == 0 || step.verdict.is_none());
    let clean = |seen: &Seen| seen.verdict != crashing && seen.verdict != Verdict::Skip;
    before.find(|(_, (_, seen))| clean(seen)).map(|(at, _)| at)
}

/// Returns the commands that continue the bisection.
fn resume(log: &Bisection<'_>, bad: usize, goods: &[usize], skipped: &[usize]) -> Vec<String> {
    let names = |steps: &[usize]| {
        let commits = steps.iter().filter_map(|at| log.steps.get(*at));
        commits.map(|step| short(&step.commit)).collect::<Vec<_>>().join(" ")
    };
    let mut commands = vec![format!("git bisect start {} {}", names(&[bad]), names(goods))];
    if !skipped.is_empty() {
        commands.push(format!("git bisect skip {}", names(skipped)));
    }
    commands
}
