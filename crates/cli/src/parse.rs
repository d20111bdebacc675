//! `ksplat parse`.

use std::fmt::Display;
use std::io;
use std::ops::ControlFlow::{self, Break, Continue};

use ksplat::fingerprint::Signature;
use ksplat::output::json::ReportRecord;
use ksplat::output::known::mark_suspects;

use crate::args::{self, Output, Parse, ParseFormat, Reading, ReportFormat};
use crate::ci;
use crate::images::{Images, Needs};
use crate::known::Asked;
use crate::logs::{self, Job, Log};
use crate::packed::Text;
use crate::repeats::Repeats;
use crate::sources;
use crate::ui::{Progress, Status, report_error};
use crate::writer::{Format, Writer, text_options};

pub(crate) fn parse(args: &Parse) -> io::Result<Status> {
    let args::Reports { quiet, images, .. } = &args.reports;
    let format = match args.format {
        ParseFormat::Text => ReportFormat::Text.into(),
        ParseFormat::Md => ReportFormat::Md.into(),
        ParseFormat::Json => ReportFormat::Json.into(),
        ParseFormat::Jsonl => ReportFormat::Jsonl.into(),
        ParseFormat::Junit => Format::Document(ci::Format::Junit),
        ParseFormat::Kcidb => Format::Document(ci::Format::Kcidb(&args.kcidb)),
        #[cfg(feature = "arrow")]
        ParseFormat::Arrow => return Ok(crate::table::write(args, ksplat_arrow::Writer::ipc)),
        #[cfg(feature = "parquet")]
        ParseFormat::Parquet => {
            return Ok(crate::table::write(args, ksplat_arrow::Writer::parquet));
        }
    };
    let known = match asked(&args.reports) {
        Ok(known) => known,
        Err(status) => return Ok(status),
    };
    let job = Reports { known: known.as_ref(), ..Reports::of(&args.reports) };
    let progress = Progress::of_files("reading", args.files.len(), *quiet);
    let progress = progress.unless_stdout_is_terminal();
    logs::run(&job, &args.files, images, format, &args.unpacking, &progress)
}

/// Opens the file of fixes from `--known`; an error is reported.
pub(crate) fn asked(args: &args::Reports) -> Result<Option<Asked>, Status> {
    args.known.as_deref().map(Asked::open).transpose().map_err(|error| {
        report_error(&error.place(), &error);
        Status::Unusable
    })
}

/// Writes the reports of a log.
pub(crate) struct Reports<'a> {
    pub(crate) reading: &'a Reading,
    pub(crate) output: &'a Output,
    /// Whether no message is printed for a log without a report.
    pub(crate) quiet: bool,
    /// The file of fixes, if it is requested.
    pub(crate) known: Option<&'a Asked>,
}

impl<'a> Reports<'a> {
    pub(crate) fn of(args: &'a args::Reports) -> Self {
        Self { reading: &args.reading, output: &args.output, quiet: args.quiet, known: None }
    }
}

impl Job for Reports<'_> {
    fn needs(&self, log: &Text) -> Needs {
        let reports = log.reports(self.reading.parser());
        // The error is returned again when the reports are written.
        Needs::of(reports.map_while(Result::ok).take(self.reading.reports()))
    }

    fn write(
        &self,
        log: &Log<'_>,
        images: &Images<'_>,
        writer: &mut Writer<'_>,
    ) -> io::Result<ControlFlow<Status, Status>> {
        let Self { reading, output, quiet, known } = self;
        let mut status = Status::Done;
        let before = writer.count();
        let analyzer = ksplat::Analyzer::new().with_syntax(output.syntax.into()).without_suspects();
        let options = text_options(output);
        let mut repeats = Repeats::default();
        let is_folded = writer.is_text() && !output.all;
        let whole = match log.text.whole() {
            Err(error) if output.text => {
                let error = format!("--text needs the whole log, which {error}");
                return Ok(unreadable(log, writer, &error));
            }
            whole => whole.unwrap_or_default(),
        };
        let reports = log.text.reports(reading.parser());
        for (index, report) in reports.take(reading.reports()).enumerate() {
            let mut report = match report {
                Ok(report) => report,
                Err(error) => {
                    repeats.finish(writer)?;
                    return Ok(unreadable(log, writer, &error));
                }
            };
            if !report.kind.is_information() {
                status = status.max(Status::Found);
            }
            let number = repeats.number(&report);
            if is_folded && number > 1 {
                repeats.fold(&report);
                continue;
            }
            repeats.finish(writer)?;
            analyzer.annotate(&mut report);
            if images.annotate(&mut report) == Status::Unusable {
                writer.end_log(&log.name, Some(&"the images cannot be used"));
                return Ok(Break(Status::Unusable));
            }
            ksplat::suspects::annotate(&mut report, reading.atlas());
            let fixes = known.map(|known| known.fixes(&Signature::of(&report))).unwrap_or_default();
            mark_suspects(&mut report.suspects, &fixes);
            let text = output.text.then(|| ksplat::text(whole, &report));
            let sources = sources::around(images.args(), &report);
            let signature = (!writer.is_text()).then(|| Signature::of(&report).into_owned());
            let people = reading.people(&report);
            let record =
                ReportRecord::new(&log.name, index, report).with_text(text).with_people(people);
            let record = record.with_occurrence(Some(number).filter(|number| *number > 1));
            let record = record.with_signature(signature).with_known(fixes);
            writer.report(&record, options, &sources)?;
        }
        repeats.finish(writer)?;
        writer.end_log(&log.name, None);
        if writer.count() == before && !quiet {
            report_error(&log.name, &"no crash report found");
        }
        Ok(Continue(status))
    }
}

/// Reports why a log cannot be read to its end.
fn unreadable(
    log: &Log<'_>,
    writer: &mut Writer<'_>,
    error: &dyn Display,
) -> ControlFlow<Status, Status> {
    report_error(&log.name, error);
    writer.end_log(&log.name, Some(error));
    Continue(Status::Unusable)
}
