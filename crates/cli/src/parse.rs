//! `ksplat parse`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ksplat::output::json::ReportRecord;
use rayon::prelude::*;

use crate::args::{self, Format, Output, Parse, Reading};
use crate::images::Images;
use crate::input;
use crate::sources;
use crate::ui::{Status, report_error};
use crate::writer::Writer;

/// `ksplat parse`.
pub(crate) fn parse(args: &Parse) -> io::Result<Status> {
    let files = input::or_stdin(&args.files);
    let job = Job { reading: &args.reading, output: &args.output, quiet: args.quiet };
    if args.images.are_named() || files.len() == 1 {
        return job.one_by_one(&files, &mut Images::new(&args.images));
    }
    job.on_all_cores(&files)
}

/// How logs are parsed and written.
pub(crate) struct Job<'a> {
    pub(crate) reading: &'a Reading,
    pub(crate) output: &'a Output,
    /// Whether logs without a report are passed over silently.
    pub(crate) quiet: bool,
}

/// How many logs are read at once, for each core: what waits to be written is no more.
const LOGS_A_CORE: usize = 16;

impl Job<'_> {
    /// Images are read for one report after the other.
    pub(crate) fn one_by_one(
        &self,
        files: &[PathBuf],
        images: &mut Images<'_>,
    ) -> io::Result<Status> {
        let mut writer = Writer::new(self.output);
        let mut status = Status::Done;
        for path in files {
            status = status.max(self.log(path, images, &mut writer)?);
            if status == Status::Unusable && images.failed() {
                return Ok(status);
            }
        }
        writer.finish()?;
        Ok(status)
    }

    /// The logs in their order, each read by one core.
    fn on_all_cores(&self, files: &[PathBuf]) -> io::Result<Status> {
        let mut writer = Writer::new(self.output);
        let mut status = Status::Done;
        let none = args::Images::default();
        for files in files.chunks(LOGS_A_CORE * rayon::current_num_threads()) {
            let pages: Vec<io::Result<_>> = files
                .par_iter()
                .map(|path| {
                    let mut page = Writer::to(Vec::new(), self.output);
                    let status = self.log(path, &mut Images::new(&none), &mut page)?;
                    Ok((page, status))
                })
                .collect();
            for page in pages {
                let (page, found) = page?;
                writer.append(&page)?;
                status = status.max(found);
            }
        }
        writer.finish()?;
        Ok(status)
    }

    fn log<W: Write>(
        &self,
        path: &Path,
        images: &mut Images<'_>,
        writer: &mut Writer<W>,
    ) -> io::Result<Status> {
        let Self { reading, output, quiet } = self;
        let mut status = Status::Done;
        let Some((name, log)) = input::open(path, &mut status) else { return Ok(status) };
        let reports = reading.parser().reports(&log);
        let before = writer.count;
        let analyzer = ksplat::Analyzer::new().with_syntax(output.syntax.into());
        for (index, mut report) in reports.take(reading.reports()).enumerate() {
            if !report.kind.is_information() {
                status = status.max(Status::Found);
            }
            analyzer.annotate(&mut report);
            status = status.max(images.annotate(&mut report));
            if status == Status::Unusable && images.failed() {
                return Ok(status);
            }
            let text = output.text.then(|| ksplat::text(&log, &report));
            let sources = sources::around(images.args(), &report);
            let signature = (!matches!(output.format, Format::Text))
                .then(|| ksplat::fingerprint::Signature::of(&report).into_owned());
            let record = ReportRecord::new(&name, index, report).with_text(text);
            writer.report(&record.with_signature(signature))?;
            writer.add(&sources)?;
        }
        if writer.count == before && !quiet {
            report_error(&name, &"no crash report found");
        }
        Ok(status)
    }
}
