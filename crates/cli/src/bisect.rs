//! `ksplat bisect`.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::Command;

use ksplat::Report;
use ksplat::bisect::{self, Audit, AuditOptions, Trust};
use ksplat::output::audit;
use ksplat::output::json::{self, AuditRecord};
use ksplat::output::text;

use crate::args::{Bisect, Format};
use crate::error::Error;
use crate::input;
use crate::ui::{Status, in_color, report_error};

pub(crate) fn bisect(args: &Bisect) -> io::Result<Status> {
    let mut status = Status::Done;
    let report = match args.report.as_deref() {
        Some(path) => match report(path, &mut status) {
            Some(report) => Some(report),
            None => return Ok(Status::Unusable),
        },
        None => None,
    };
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout());
    let options = text::TextOptions::default().with_color(in_color(args.color));
    let mut count = 0;
    for path in &*input::or_stdin(&args.files) {
        let Some((name, log)) = input::open(path, &mut status) else { continue };
        let bisection = match bisect::parse(&log) {
            Ok(bisection) => bisection,
            Err(error) => {
                report_error(&name, &error);
                status = Status::Unusable;
                continue;
            }
        };
        let known = AuditOptions::default().with_title(args.title.as_deref());
        let mut audit = bisect::audit(&bisection, known.with_report(report.as_ref()));
        if let Some(repo) = &args.repo
            && let Err(error) = settle(&mut audit, repo)
        {
            report_error(&name, &error);
            status = Status::Unusable;
        }
        if audit.trust != Trust::Sound {
            status = status.max(Status::Found);
        }
        let is_first = count == 0;
        count += 1;
        if matches!(args.format, Format::Text) {
            let mut page = String::new();
            if args.summary {
                audit::write_summary(&mut page, &name, &audit, options)
            } else {
                audit::write(&mut page, &name, &audit, options)
            }
            .map_err(io::Error::other)?;
            out.write_all(if is_first || args.summary { b"" } else { b"\n" })?;
            out.write_all(page.as_bytes())?;
            continue;
        }
        let is_list = matches!(args.format, Format::Json);
        out.write_all(match (is_list, is_first) {
            (true, true) => b"[",
            (true, false) => b",\n",
            (false, _) => b"",
        })?;
        json::write_audit(&mut out, &AuditRecord::new(&name, audit))?;
        out.write_all(if is_list { b"" } else { b"\n" })?;
    }
    if matches!(args.format, Format::Json) {
        out.write_all(if count == 0 { b"[]\n" } else { b"]\n" })?;
    }
    out.flush()?;
    Ok(status)
}

/// The first report of a console log.
fn report(path: &Path, status: &mut Status) -> Option<Report<'static>> {
    let (name, log) = input::open(path, status)?;
    let report = ksplat::reports(&log).next().map(Report::into_owned);
    if report.is_none() {
        report_error(
            &name,
            &"no crash report in it; --report takes a log of the crash under bisection",
        );
    }
    report
}

/// Counts in a tree what is left to test.
fn settle(audit: &mut Audit<'_>, repo: &Path) -> Result<(), Error> {
    // Where nothing changed the bisection says what git said.
    let is_open = audit.audited.culprit.is_none() || audit.audited.culprit != audit.culprit;
    let Some(bad) = audit.audited.bad.clone().filter(|_| is_open) else { return Ok(()) };
    let commits =
        [&*bad, "--not"].into_iter().chain(audit.audited.goods.iter().map(|good| &**good));
    // What the log calls a commit must not be taken for an option.
    let commits = commits.filter(|commit| *commit == "--not" || !commit.starts_with('-'));
    let git = Command::new("git")
        .arg("-C")
        .arg(repo)
        .args(["rev-list", "--bisect-vars"])
        .args(commits)
        .output()
        .map_err(|source| Error::NoGit { source })?;
    let failed = |said: &str| Error::Git { tree: repo.to_owned(), said: said.to_owned() };
    if !git.status.success() {
        let error = String::from_utf8_lossy(&git.stderr);
        return Err(failed(error.lines().next().unwrap_or("failed")));
    }
    let text = String::from_utf8_lossy(&git.stdout);
    let all = text.lines().find_map(|line| line.strip_prefix("bisect_all=")?.parse::<u64>().ok());
    let all = all.ok_or_else(|| failed("no count of what is left"))?;
    audit.audited.settle(all.saturating_sub(1));
    Ok(())
}
