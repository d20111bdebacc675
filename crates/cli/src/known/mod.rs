//! `ksplat known`: the fixes of a crash, and whether a kernel has them.

mod build;
pub(crate) mod git;

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use ksplat::cluster::Cluster;
use ksplat::fingerprint::Signature;
use ksplat::known::{Candidate, FixVerdict, Fixes, Standing, verdict, with_reverts};
use ksplat::output::escape::escape;
use ksplat::output::json;
use ksplat::output::known::{self as page, KnownFix};
use ksplat::store::Fix;
use serde::Serialize;

use crate::args::{self, ReportFormat};
use crate::corpus::Corpus;
use crate::error::Error;
use crate::store;
use crate::ui::{Status, report_error};
use git::Repo;

/// The maximum number of fixes that other commands add to a report.
const TOP: usize = 3;

/// The minimum probability of a fix on a page.
const PROBABLY: f32 = 0.5;

/// `ksplat known`.
pub(crate) fn known(args: &args::Known) -> Result<Status, Error> {
    match &args.command {
        Some(args::KnownCommand::Build(args)) => build::build(args, false),
        Some(args::KnownCommand::Update(args)) => build::build(args, true),
        None => ask(&args.ask),
    }
}

/// The kernel in which a fix is searched: a commit of a repository.
struct Kernel {
    repo: Repo,
    name: String,
    commit: String,
    /// The answers of git for commits, because reports have candidates in common.
    asked: RefCell<HashMap<String, Option<bool>>>,
}

impl Kernel {
    fn has(&self, id: &str) -> Option<bool> {
        let known = self.asked.borrow().get(id).copied();
        known.unwrap_or_else(|| {
            let answer = self.repo.is_ancestor(id, &self.commit);
            self.asked.borrow_mut().insert(id.to_owned(), answer);
            answer
        })
    }

    /// Returns the verdict on a fix for the kernel, by its history.
    fn verdict(&self, fix: &Fix) -> FixVerdict {
        let has = |id: &str| self.has(id);
        let copies = std::iter::once(&fix.id).chain(fix.backports.iter().map(|commit| &commit.id));
        let known: Vec<bool> = copies.filter_map(|id| has(id)).collect();
        if known.contains(&true) {
            return with_reverts(fix, |commit| has(&commit.id) == Some(true));
        }
        let culprits: Option<Vec<bool>> = fix.fixes.iter().map(|commit| has(&commit.id)).collect();
        let is_older = culprits.is_some_and(|has| !has.is_empty() && !has.contains(&true));
        let standing = if is_older { Standing::NotAffected } else { Standing::Lacks };
        // A repository without the fix may still have a copy of it.
        let mut verdict = FixVerdict::certain(standing);
        verdict.likely = known.is_empty();
        verdict
    }
}

fn ask(args: &args::KnownAsk) -> Result<Status, Error> {
    let Some(path) = &args.file else {
        report_error(
            "known",
            &"name a file of fixes with --in FILE; `ksplat known build` creates one",
        );
        return Ok(Status::Unusable);
    };
    let kernel = match (&args.repo, &args.commit) {
        (Some(repo), Some(name)) => {
            let repo = Repo::open(repo)?;
            let commit = repo.commit(name)?;
            Some(Kernel { repo, name: name.clone(), commit, asked: RefCell::default() })
        }
        _ => None,
    };
    let queries = Corpus::read(&args.logs)?;
    let signatures: Vec<_> = queries.reports().map(|(.., signature)| signature).collect();
    let known = store::quietly(|| store::load_for(path, &signatures, args.top.max(TOP)))?;
    let known = Fixes::new(known);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut answers = Vec::new();
    for (file, index, _, signature) in queries.reports() {
        let candidates = fixes(&known, signature, args.top, kernel.as_ref());
        answers.push(Answer { file, index, title: &signature.title.text, candidates });
    }
    match args.format {
        ReportFormat::Text => {
            for answer in &answers {
                match answer.file {
                    "-" => writeln!(out, "{}", escape(answer.title))?,
                    file => writeln!(
                        out,
                        "{}#{}  {}",
                        escape(file),
                        answer.index,
                        escape(answer.title)
                    )?,
                }
                let mut text = String::new();
                page::write(&mut text, &answer.candidates).map_err(io::Error::other)?;
                out.write_all(text.as_bytes())?;
            }
        }
        ReportFormat::Md => {
            for (number, answer) in answers.iter().enumerate() {
                let mut text = String::new();
                page::write_markdown(&mut text, answer.title, &answer.candidates)
                    .map_err(io::Error::other)?;
                out.write_all(if number == 0 { b"" } else { b"\n" })?;
                out.write_all(text.as_bytes())?;
            }
        }
        ReportFormat::Json => {
            json::write_value(&mut out, &answers)?;
            out.write_all(b"\n")?;
        }
        ReportFormat::Jsonl => {
            for answer in &answers {
                json::write_value(&mut out, answer)?;
                out.write_all(b"\n")?;
            }
        }
    }
    out.flush()?;
    if answers.is_empty() && !args.logs.quiet {
        report_error("known", &"no crash report found");
    }
    Ok(queries.status())
}

/// The fixes that may fix the bug of a report.
#[derive(Serialize)]
struct Answer<'a> {
    file: &'a str,
    index: usize,
    title: &'a str,
    candidates: Vec<KnownFix>,
}

/// Returns the fixes that most likely fix the bug of a report, with the verdicts for its kernel.
fn fixes(
    known: &Fixes,
    signature: &Signature<'_>,
    top: usize,
    kernel: Option<&Kernel>,
) -> Vec<KnownFix> {
    let release = signature.release.as_deref();
    let of = |candidate: Candidate<'_>| {
        let (name, verdict) = match kernel {
            Some(kernel) => (Some(&*kernel.name), Some(kernel.verdict(&candidate.fix))),
            None => (release, release.and_then(|release| verdict(&candidate.fix, release))),
        };
        KnownFix::new(candidate, name, verdict)
    };
    known.ask(signature, top).into_iter().map(of).collect()
}

/// A file of fixes for another command.
#[derive(Debug)]
pub(crate) struct Asked(Fixes);

impl Asked {
    /// Reads all of a file.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self(Fixes::new(store::quietly(|| store::load(path))?)))
    }

    /// Returns the fixes that may fix the bug of a report.
    pub(crate) fn fixes(&self, signature: &Signature<'_>) -> Vec<KnownFix> {
        fixes(&self.0, signature, TOP, None)
    }

    /// `probably fixed by 0123456789ab  cm: check the length (0.93)`, for the report that
    /// represents a bug.
    pub(crate) fn label(&self, signature: &Signature<'_>) -> Option<String> {
        let fix = self.fixes(signature).into_iter().next()?;
        (fix.probability >= PROBABLY)
            .then(|| format!("probably {} ({:.2})", fix.headline(), fix.probability))
    }

    /// The same for a cluster.
    pub(crate) fn label_of<'a>(
        &self,
        cluster: &Cluster,
        signature: impl Fn(u32) -> Option<Signature<'a>>,
    ) -> Option<String> {
        self.label(&signature(cluster.exemplar)?)
    }
}
