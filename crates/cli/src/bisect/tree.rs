//! The facts of a kernel tree about a bisection: how many commits remain, whether the named commit
//! is built, and which commits of the range change the suspects.

use std::collections::BTreeSet;
use std::path::Path;

use ksplat::Report;
use ksplat::bisect::{Audit, Verdict};
use ksplat::output::json::{BuiltFiles, SuspectCommit, TouchedSuspect};

use super::kbuild::{self, Config};
use crate::error::Error;
use crate::known::git::Repo;

/// The maximum number of commits that are listed.
const MAX_LISTED: usize = 10;

/// The maximum number of commits of the range whose changes are read.
const MAX_READ: &str = "--max-count=5000";

/// The maximum number of suspects that are searched.
const MAX_SUSPECTS: usize = 5;

/// The share of a suspect's probability that counts for a commit that changes only other functions
/// of its file.
const OF_FILE: f32 = 0.25;

/// Counts the commits that remain to be tested in a git tree.
pub(super) fn settle(audit: &mut Audit<'_>, repo: &Path) -> Result<(), Error> {
    // An unchanged result needs no count.
    let is_open = audit.audited.culprit.is_none() || audit.audited.culprit != audit.culprit;
    let Some(bad) = audit.audited.bad.clone().filter(|_| is_open) else { return Ok(()) };
    let goods = audit.audited.goods.iter().map(|good| &**good);
    let arguments = [&["rev-list", "--bisect-vars"][..], &range(&bad, goods)].concat();
    let text = Repo::new(repo).text(&arguments)?;
    let failed = |message: &str| Error::Git { tree: repo.to_owned(), message: message.to_owned() };
    let all = text.lines().find_map(|line| line.strip_prefix("bisect_all=")?.parse::<u64>().ok());
    let all = all.ok_or_else(|| failed("no count of the remaining commits"))?;
    audit.audited.settle(all.saturating_sub(1));
    Ok(())
}

/// Returns the arguments of git for the commits between a bad one and good ones.
fn range<'a>(bad: &'a str, goods: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let commits = [bad, "--not"].into_iter().chain(goods);
    // A commit of a hostile log must not become an option of git.
    commits.filter(|commit| *commit == "--not" || !commit.starts_with('-')).collect()
}

/// Returns the files that the named commit changes; `None` without one.
fn changed(audit: &Audit<'_>, repo: &Path) -> Result<Option<Vec<String>>, Error> {
    let Some(commit) = audit.culprit.as_deref().filter(|commit| !commit.starts_with('-')) else {
        return Ok(None);
    };
    let text = Repo::new(repo).text(&["show", "--format=", "--name-only", commit, "--"])?;
    Ok(Some(text.lines().map(str::to_owned).collect()))
}

/// Returns whether the culprit changes a directory of the crash's suspects.
pub(super) fn touches(
    audit: &Audit<'_>,
    repo: &Path,
    report: &Report<'_>,
) -> Result<Option<TouchedSuspect>, Error> {
    let files = changed(audit, repo)?;
    Ok(files.map(|files| TouchedSuspect::of(report, &files.iter().map(String::as_str))))
}

/// Returns whether a file that the culprit changes is built in a configuration; `None` if the
/// Makefiles do not show it.
pub(super) fn built(
    audit: &Audit<'_>,
    repo: &Path,
    config: &Config,
) -> Result<Option<BuiltFiles>, Error> {
    let (Some(files), Some(commit)) = (changed(audit, repo)?, audit.culprit.as_deref()) else {
        return Ok(None);
    };
    let makefile = |directory: &str| {
        ["Kbuild", "Makefile"].into_iter().find_map(|name| {
            let path =
                if directory.is_empty() { name.into() } else { format!("{directory}/{name}") };
            Repo::new(repo).text(&["show", &format!("{commit}:{path}")]).ok()
        })
    };
    let mut found = BuiltFiles { built: false, files: Vec::new(), options: Vec::new() };
    let mut options = BTreeSet::new();
    for file in files {
        let built = kbuild::built(&file, config, makefile);
        match built.is {
            Some(true) => {
                found = BuiltFiles { built: true, files: vec![file], options: Vec::new() };
                return Ok(Some(found));
            }
            Some(false) => options.extend(built.lacks),
            // A header, or a file without a rule, may be built.
            None => return Ok(None),
        }
        found.files.push(file);
    }
    found.options.extend(options);
    Ok(Some(found).filter(|found| !found.files.is_empty()))
}

/// Returns the commits of the range that change the suspects, the most likely first.
pub(super) fn candidates(
    audit: &Audit<'_>,
    repo: &Path,
    report: &Report<'_>,
) -> Result<Vec<SuspectCommit>, Error> {
    let suspects = || report.suspects.iter().take(MAX_SUSPECTS);
    let files: BTreeSet<&str> = suspects().filter_map(|suspect| suspect.file.as_deref()).collect();
    let verdict = |verdict: Verdict| audit.steps.iter().find(|step| step.verdict == verdict);
    let open = audit.audited.bad.as_deref().filter(|_| audit.audited.culprit.is_none());
    let (bad, goods) = match (open, &*audit.audited.goods) {
        (Some(bad), [_, ..]) => (bad, audit.audited.goods.iter().map(|good| &**good).collect()),
        _ => match (verdict(Verdict::Bad), verdict(Verdict::Good)) {
            (Some(bad), Some(good)) => (&*bad.commit, vec![&*good.commit]),
            _ => return Ok(Vec::new()),
        },
    };
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let mut arguments = vec!["--literal-pathspecs", "-c", "core.quotePath=false", "log"];
    arguments.extend(["--no-merges", "--no-color", "--no-ext-diff", "--no-textconv", MAX_READ]);
    arguments.extend(["--format=%x00%H%x00%s", "--patch", "--unified=0"]);
    arguments.extend(range(bad, goods.into_iter()));
    arguments.push("--");
    arguments.extend(files);
    let text = Repo::new(repo).text(&arguments)?;
    let commits = text.split("\n\0").map(|commit| commit.trim_start_matches('\0'));
    let mut found: Vec<_> = commits.filter_map(|commit| rated(commit, report)).collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(MAX_LISTED);
    Ok(found)
}

/// Rates a commit by its changes: `HASH NUL SUBJECT`, and its diff.
fn rated(text: &str, report: &Report<'_>) -> Option<SuspectCommit> {
    let (commit, rest) = text.split_once('\0')?;
    let mut lines = rest.lines();
    let subject = lines.next()?.to_owned();
    let mut file = "";
    let (mut functions, mut files) = (BTreeSet::new(), BTreeSet::new());
    for line in lines {
        if let Some(path) = line.strip_prefix("+++ b/").or_else(|| line.strip_prefix("--- a/")) {
            file = path;
            files.insert(path);
            continue;
        }
        // Behind the numbers of a hunk is the function that contains it.
        let code = match line.strip_prefix("@@ ") {
            Some(hunk) => hunk.split_once("@@").map_or("", |(_, function)| function),
            None => line.strip_prefix(['+', '-']).unwrap_or_default(),
        };
        for suspect in report.suspects.iter().take(MAX_SUSPECTS) {
            if suspect.file.as_deref() == Some(file) && has_word(code, &suspect.function) {
                functions.insert(&*suspect.function);
            }
        }
    }
    let mut score = 0.0;
    let mut of_file = 0.0_f32;
    for suspect in report.suspects.iter().take(MAX_SUSPECTS) {
        if functions.contains(&*suspect.function) {
            score += suspect.probability;
        } else if suspect.file.as_deref().is_some_and(|file| files.contains(file)) {
            of_file = of_file.max(OF_FILE * suspect.probability);
        }
    }
    Some(SuspectCommit {
        commit: commit.to_owned(),
        subject,
        score: score + of_file,
        functions: functions.into_iter().map(str::to_owned).collect(),
        files: files.into_iter().map(str::to_owned).collect(),
    })
}

/// Returns whether a line has this name as a word.
fn has_word(line: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + name.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}
