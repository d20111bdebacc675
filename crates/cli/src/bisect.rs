//! `ksplat bisect`.

use std::fmt::Write as _;
use std::io;
use std::ops::ControlFlow::{self, Continue};
use std::path::Path;
use std::process::Command;

use ksplat::Report;
use ksplat::atlas::Atlas;
use ksplat::bisect::{self, Audit, AuditOptions, Trust};
use ksplat::output::audit;
use ksplat::output::escape::escape;
use ksplat::output::json::{self, AuditRecord, TouchedSuspect};
use ksplat::output::text;

use crate::args::{Bisect, Images, ReportFormat};
use crate::error::Error;
use crate::images::{self, Needs};
use crate::input;
use crate::logs::{self, Job, Log};
use crate::packed::Text;
use crate::ui::{Progress, Status, in_color, report_error};
use crate::writer::Writer;

pub(crate) fn bisect(args: &Bisect) -> io::Result<Status> {
    let report = match args.report.as_deref() {
        Some(path) => match report(path, args.unpacking.max_unpacked) {
            Some(report) => Some(report),
            None => return Ok(Status::Unusable),
        },
        None => None,
    };
    let job = Audits { args, report };
    let progress = Progress::of_files("auditing", args.files.len(), args.quiet);
    let progress = progress.unless_stdout_is_terminal();
    let (images, format) = (Images::default(), ReportFormat::from(args.format).into());
    logs::run(&job, &args.files, &images, format, &args.unpacking, &progress)
}

/// Writes the audit of a bisection.
struct Audits<'a> {
    args: &'a Bisect,
    report: Option<Report<'static>>,
}

impl Job for Audits<'_> {
    fn needs(&self, _log: &Text) -> Needs {
        Needs::default()
    }

    fn write(
        &self,
        log: &Log<'_>,
        _images: &images::Images<'_>,
        writer: &mut Writer<'_>,
    ) -> io::Result<ControlFlow<Status, Status>> {
        let Log { name, text, .. } = log;
        let unusable = |error: &dyn std::fmt::Display| {
            report_error(name, error);
            Ok(Continue(Status::Unusable))
        };
        let bytes = match text.whole() {
            Ok(bytes) => bytes,
            Err(error) => return unusable(&error),
        };
        let bisection = match bisect::parse(bytes) {
            Ok(bisection) => bisection,
            Err(error) => return unusable(&error),
        };
        let options = AuditOptions::default().with_title(self.args.title.as_deref());
        let mut audit = bisect::audit(&bisection, options.with_report(self.report.as_ref()));
        let mut status = if audit.trust == Trust::Sound { Status::Done } else { Status::Found };
        if let Some(repo) = &self.args.repo
            && let Err(error) = settle(&mut audit, repo)
        {
            report_error(name, &error);
            status = Status::Unusable;
        }
        let touches = match self.touches(&audit) {
            Ok(touches) => touches,
            Err(error) => {
                report_error(name, &error);
                status = Status::Unusable;
                None
            }
        };
        self.page(name, audit, touches, writer)?;
        Ok(Continue(status))
    }
}

impl Audits<'_> {
    /// Returns whether the culprit changes a directory of the crash's suspects.
    fn touches(&self, audit: &Audit<'_>) -> Result<Option<TouchedSuspect>, Error> {
        let (Some(repo), Some(report)) = (&self.args.repo, &self.report) else { return Ok(None) };
        let Some(commit) = audit.culprit.as_deref().filter(|commit| !commit.starts_with('-'))
        else {
            return Ok(None);
        };
        let text = git(repo, &["show", "--format=", "--name-only", commit, "--"])?;
        Ok(Some(TouchedSuspect::of(report, &text.lines())))
    }

    fn page(
        &self,
        name: &str,
        audit: Audit<'_>,
        touches: Option<TouchedSuspect>,
        writer: &mut Writer<'_>,
    ) -> io::Result<()> {
        let options = text::TextOptions::default().with_color(in_color(self.args.color));
        if self.args.summary {
            let mut line = String::new();
            audit::write_summary(&mut line, name, &audit, options).map_err(io::Error::other)?;
            return writer.add(line.as_bytes());
        }
        let record = AuditRecord::new(name, audit).with_touches(touches);
        writer.result(
            |page| {
                audit::write(page, name, &record.audit, options)?;
                let Some(touches) = &record.touches else { return Ok(()) };
                match touches.function.as_deref().zip(touches.directory.as_deref()) {
                    Some((function, directory)) => writeln!(
                        page,
                        "  The commit changes {}, the directory of the suspect {}.",
                        escape(directory),
                        escape(function)
                    ),
                    None => writeln!(page, "  The commit changes no directory of a suspect."),
                }
            },
            |mut out| json::write_audit(&mut out, &record),
        )
    }
}

/// The first report of a console log.
fn report(path: &Path, most: u64) -> Option<Report<'static>> {
    let (name, log) = input::open(path, most).ok()?;
    match log.reports(ksplat::Parser::new()).next() {
        Some(Ok(mut report)) => {
            ksplat::suspects::annotate(&mut report, Atlas::builtin());
            return Some(report.into_owned());
        }
        Some(Err(error)) => report_error(&name, &error),
        None => report_error(
            &name,
            &"no crash report found; --report takes a log of the bisected crash",
        ),
    }
    None
}

/// Counts the commits that remain to be tested in a git tree.
fn settle(audit: &mut Audit<'_>, repo: &Path) -> Result<(), Error> {
    // An unchanged result needs no count.
    let is_open = audit.audited.culprit.is_none() || audit.audited.culprit != audit.culprit;
    let Some(bad) = audit.audited.bad.clone().filter(|_| is_open) else { return Ok(()) };
    let commits =
        [&*bad, "--not"].into_iter().chain(audit.audited.goods.iter().map(|good| &**good));
    // A commit of a hostile log must not become an option of git.
    let commits = commits.filter(|commit| *commit == "--not" || !commit.starts_with('-'));
    let arguments: Vec<&str> = ["rev-list", "--bisect-vars"].into_iter().chain(commits).collect();
    let text = git(repo, &arguments)?;
    let failed = |message: &str| Error::Git { tree: repo.to_owned(), message: message.to_owned() };
    let all = text.lines().find_map(|line| line.strip_prefix("bisect_all=")?.parse::<u64>().ok());
    let all = all.ok_or_else(|| failed("no count of the remaining commits"))?;
    audit.audited.settle(all.saturating_sub(1));
    Ok(())
}

/// Returns the output of git in a tree.
fn git(repo: &Path, arguments: &[&str]) -> Result<String, Error> {
    let git = Command::new("git")
        .arg("-C")
        .arg(repo)
        .args(arguments)
        .output()
        .map_err(|source| Error::NoGit { source })?;
    if !git.status.success() {
        let error = String::from_utf8_lossy(&git.stderr);
        let message = error.lines().next().unwrap_or("failed").to_owned();
        return Err(Error::Git { tree: repo.to_owned(), message });
    }
    Ok(String::from_utf8_lossy(&git.stdout).into_owned())
}
