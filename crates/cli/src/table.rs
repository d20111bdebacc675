//! `ksplat parse --format arrow` and `--format parquet`.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use ksplat_arrow::{Builder, Error};

use crate::args::Parse;
use crate::input;
use crate::ui::{Progress, Status, report_error};

/// The number of logs whose rows are in memory at once, in batches.
const LOGS: usize = 8 * ksplat_arrow::BATCH;

/// Begins a table in a file.
type Begin = fn(BufWriter<File>) -> Result<ksplat_arrow::Writer<BufWriter<File>>, Error>;

/// Writes the reports of logs as a table, one row a report.
pub(crate) fn write(args: &Parse, begin: Begin) -> Status {
    let Some(out) = &args.table else {
        report_error("parse", &"a table needs the file to write: --output FILE");
        return Status::Unusable;
    };
    if args.reports.images.are_named() {
        report_error("parse", &"a table has no column for what images resolve: name no image");
        return Status::Unusable;
    }
    let files = input::or_stdin(&args.files);
    let progress = Progress::of_files("reading", files.len(), args.reports.quiet);
    match table(args, &files, || begin(BufWriter::new(File::create(out)?)), &progress) {
        Ok(status) => status,
        Err(error) => {
            report_error(&input::name(out), &error);
            Status::Unusable
        }
    }
}

fn table(
    args: &Parse,
    files: &[PathBuf],
    begin: impl FnOnce() -> Result<ksplat_arrow::Writer<BufWriter<File>>, Error>,
    progress: &Progress,
) -> Result<Status, Error> {
    let reading = &args.reports.reading;
    let (parser, most) = (reading.parser(), args.unpacking.max_unpacked);
    let analyzer = ksplat_arrow::analyzer().with_atlas(reading.atlas());
    let (crashes, unusable) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let add = |builder: &mut Builder, path: &PathBuf| -> Result<(), Error> {
        let added = input::open(path, most).ok().and_then(|(name, log)| match log.whole() {
            Ok(bytes) => Some(builder.add(&name, bytes, parser, &analyzer)),
            Err(error) => {
                report_error(&name, &error);
                None
            }
        });
        match added {
            Some(count) => crashes.fetch_add(count?, Ordering::Relaxed),
            None => unusable.fetch_add(1, Ordering::Relaxed),
        };
        progress.add(1);
        Ok(())
    };
    let mut writer = begin()?;
    for files in files.chunks(LOGS) {
        for batch in ksplat_arrow::batches(files, ksplat_arrow::BATCH, add)? {
            writer.write(&batch)?;
        }
    }
    writer.finish()?;
    Ok(match (unusable.into_inner(), crashes.into_inner()) {
        (0, 0) => Status::Done,
        (0, _) => Status::Found,
        _ => Status::Unusable,
    })
}
