//! `ksplat bisect`.

mod kbuild;
mod tree;

use std::fmt::Write as _;
use std::io;
use std::ops::ControlFlow::{self, Continue};
use std::path::Path;

use ksplat::Report;
use ksplat::atlas::Atlas;
use ksplat::bisect::{self, AuditOptions, Trust};
use ksplat::output::audit;
use ksplat::output::escape::escape;
use ksplat::output::json::{self, AuditRecord};
use ksplat::output::text;

use crate::args::{Bisect, Images, ReportFormat};
use crate::error::Error;
use crate::images::{self, Needs};
use crate::input;
use crate::logs::{self, Job, Log};
use crate::packed::Text;
use crate::ui::{Progress, Status, in_color, report_error};
use crate::writer::Writer;
use kbuild::Config;

pub(crate) fn bisect(args: &Bisect) -> io::Result<Status> {
    let report = match args.report.as_deref() {
        Some(path) => match report(path, args.unpacking.max_unpacked) {
            Some(report) => Some(report),
            None => return Ok(Status::Unusable),
        },
        None => None,
    };
    let config = match args.config.as_deref() {
        Some(path) => match config(path, args.unpacking.max_unpacked) {
            Some(config) => Some(config),
            None => return Ok(Status::Unusable),
        },
        None => None,
    };
    let job = Audits { args, report, config };
    let progress = Progress::of_files("auditing", args.files.len(), args.quiet);
    let progress = progress.unless_stdout_is_terminal();
    let (images, format) = (Images::default(), ReportFormat::from(args.format).into());
    logs::run(&job, &args.files, &images, format, &args.unpacking, &progress)
}

/// Writes the audit of a bisection.
struct Audits<'a> {
    args: &'a Bisect,
    report: Option<Report<'static>>,
    config: Option<Config>,
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
        let audit = bisect::audit(&bisection, options.with_report(self.report.as_ref()));
        let mut status = if audit.trust == Trust::Sound { Status::Done } else { Status::Found };
        let mut record = AuditRecord::new(name, audit);
        if let Some(repo) = &self.args.repo
            && let Err(error) = self.look_up(&mut record, repo)
        {
            report_error(name, &error);
            status = Status::Unusable;
        }
        self.page(name, &record, writer)?;
        Ok(Continue(status))
    }
}

impl Audits<'_> {
    /// Adds the facts of a kernel tree.
    fn look_up(&self, record: &mut AuditRecord<'_>, repo: &Path) -> Result<(), Error> {
        tree::settle(&mut record.audit, repo)?;
        if let Some(config) = &self.config {
            record.built = tree::built(&record.audit, repo, config)?;
        }
        if let Some(report) = &self.report {
            record.touches = tree::touches(&record.audit, repo, report)?;
        }
        // The report at the end of the log is of the last crash, which may be another one.
        let own = record.audit.report.filter(|report| {
            record.audit.original.titles.iter().any(|title| **title == *report.title)
        });
        let own = own.filter(|_| self.report.is_none()).cloned().map(|mut report| {
            ksplat::suspects::annotate(&mut report, Atlas::builtin());
            report
        });
        if let Some(report) = self.report.as_ref().or(own.as_ref()) {
            record.candidates = tree::candidates(&record.audit, repo, report)?;
        }
        Ok(())
    }

    fn page(
        &self,
        name: &str,
        record: &AuditRecord<'_>,
        writer: &mut Writer<'_>,
    ) -> io::Result<()> {
        let options = text::TextOptions::default().with_color(in_color(self.args.color));
        if self.args.summary {
            let mut line = String::new();
            audit::write_summary(&mut line, name, &record.audit, options)
                .map_err(io::Error::other)?;
            return writer.add(line.as_bytes());
        }
        writer.result(
            |page| {
                audit::write(page, name, &record.audit, options)?;
                write_tree(page, record)
            },
            |mut out| json::write_audit(&mut out, record),
        )
    }
}

/// Writes the facts of a kernel tree.
fn write_tree(page: &mut String, record: &AuditRecord<'_>) -> std::fmt::Result {
    if let Some(built) = record.built.as_ref().filter(|built| !built.built) {
        let verb = if built.options.len() == 1 { "is" } else { "are" };
        let options = built.options.join(", ");
        let options = escape(&options);
        let text = "The commit changes only files that the configuration does not build";
        writeln!(page, "  {text}: {options} {verb} not set.")?;
    }
    if let Some(touches) = &record.touches {
        match touches.function.as_deref().zip(touches.directory.as_deref()) {
            Some((function, directory)) => writeln!(
                page,
                "  The commit changes {}, the directory of the suspect {}.",
                escape(directory),
                escape(function)
            )?,
            None => writeln!(page, "  The commit changes no directory of a suspect.")?,
        }
    }
    if !record.candidates.is_empty() {
        writeln!(page, "\n  commits of the range that change the suspects")?;
    }
    for candidate in &record.candidates {
        let commit = candidate.commit.get(..12).unwrap_or(&candidate.commit);
        let changes =
            if candidate.functions.is_empty() { &candidate.files } else { &candidate.functions };
        let (subject, changes) = (escape(&candidate.subject), changes.join(", "));
        writeln!(page, "  {commit} {:.2}  {subject} ({})", candidate.score, escape(&changes))?;
    }
    Ok(())
}

/// The options of a `.config`; errors are reported.
fn config(path: &Path, most: u64) -> Option<Config> {
    let (name, text) = input::open(path, most).ok()?;
    match text.whole() {
        Ok(bytes) => Some(Config::read(&String::from_utf8_lossy(bytes))),
        Err(error) => {
            report_error(&name, &error);
            None
        }
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
