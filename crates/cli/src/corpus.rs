//! The fingerprinted reports of many logs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use ksplat::fingerprint::{self, Signature};
use ksplat::output::bugs::{BugMember, ExemplarReport};
use ksplat::store::Contents;

use crate::args::{Logs, Page};
use crate::cores;
use crate::error::Error;
use crate::input;
use crate::paths;
use crate::ui::{Progress, Status, report_error};

/// A report of a log.
pub(crate) struct Signed {
    pub(crate) file: usize,
    pub(crate) index: usize,
    /// The line of its log that opens it, from 1.
    pub(crate) line: usize,
    /// The time of the report, where the log has it with its year, or the modification time of the log, in seconds
    /// since 1970.
    pub(crate) time: Option<u64>,
    pub(crate) signature: Signature<'static>,
}

/// The reports of many logs.
pub(crate) struct Corpus {
    pub(crate) files: Vec<PathBuf>,
    names: Vec<String>,
    pub(crate) reports: Vec<Signed>,
    pub(crate) status: Status,
}

impl Corpus {
    /// Reads the logs in the arguments.
    pub(crate) fn read(logs: &Logs) -> Result<Self, Error> {
        Ok(read(paths::files(logs)?, logs))
    }

    /// Reads the logs in the arguments, and the logs of the reports `FILE` or `FILE#INDEX` that
    /// exist and are not among them.
    pub(crate) fn read_with<'a>(
        logs: &Logs,
        named: impl Iterator<Item = &'a String>,
    ) -> Result<Self, Error> {
        let mut named: Vec<_> = named.map(|name| log_of(name)).collect();
        let is_alone = logs.paths.is_empty() && logs.files_from.is_none();
        // Standard input is read if no other input is given.
        let mut files =
            if is_alone && !named.is_empty() { Vec::new() } else { paths::files(logs)? };
        named.retain(|path| path.is_file() && !files.contains(path));
        files.extend(named);
        let mut seen = std::collections::HashSet::new();
        files.retain(|path| seen.insert(path.clone()));
        Ok(read(files, logs))
    }

    /// Returns the exit status of reading the logs.
    pub(crate) fn status(&self) -> Status {
        self.status
    }

    /// The file, number, time and signature of each report.
    pub(crate) fn reports(
        &self,
    ) -> impl Iterator<Item = (&str, usize, Option<u64>, &Signature<'static>)> {
        self.reports
            .iter()
            .map(|signed| (self.file(signed.file), signed.index, signed.time, &signed.signature))
    }

    /// The file and the index of a report.
    pub(crate) fn name(&self, report: u32) -> String {
        let Some(signed) = self.reports.get(report as usize) else { return String::new() };
        format!("{}#{}", self.file(signed.file), signed.index)
    }

    pub(crate) fn file(&self, file: usize) -> &str {
        self.names.get(file).map_or("", |name| name)
    }

    /// Drops the dates of the logs if all are equal, because that is the day on which they were
    /// copied.
    pub(crate) fn forget_one_day(&mut self) {
        let mut days: Vec<_> =
            self.reports.iter().filter_map(|signed| signed.time.map(date)).collect();
        days.dedup();
        if days.len() == 1 {
            for signed in &mut self.reports {
                signed.time = None;
            }
        }
    }

    /// Returns the report with the name `FILE` or `FILE#INDEX`.
    pub(crate) fn find(&self, name: &str) -> Result<u32, Error> {
        let split =
            name.rsplit_once('#').and_then(|(file, index)| Some((file, index.parse().ok()?)));
        let is = |signed: &Signed, (file, index): (&str, usize)| {
            (self.file(signed.file), signed.index) == (file, index)
        };
        let found = self.reports.iter().position(|signed| {
            is(signed, (name, 0)) || split.is_some_and(|split| is(signed, split))
        });
        found
            .and_then(|at| u32::try_from(at).ok())
            .ok_or_else(|| Error::NoReport { name: name.to_owned() })
    }

    /// The reports of a cluster, with the names of their logs as `page` shows them.
    pub(crate) fn members(
        &self,
        cluster: &ksplat::cluster::Cluster,
        page: &Page,
    ) -> Vec<BugMember<'_>> {
        let reports =
            cluster.reports.iter().filter_map(|report| self.reports.get(*report as usize));
        reports
            .map(|signed| {
                let signature = &signed.signature;
                BugMember::new(
                    page.name(self.file(signed.file)),
                    signed.index,
                    &signature.title.text,
                )
                .with_context(signature.release.as_deref(), signed.time.map(date))
                .with_line(Some(signed.line))
            })
            .collect()
    }
}

/// Reads the exemplars of clusters again, for what a page shows of them. A log that cannot be read any more has none.
pub(crate) fn exemplars(
    corpus: &Corpus,
    clusters: &[ksplat::cluster::Cluster],
    args: &Logs,
    page: &Page,
) -> Vec<Option<ExemplarReport>> {
    let progress = Progress::of_files("exemplars", clusters.len(), args.quiet);
    let read = cores::in_order(clusters, |cluster| {
        let report = exemplar(corpus, cluster.exemplar, args, page);
        progress.add(1);
        report
    });
    read.into_iter().map(|done| done.value).collect()
}

fn exemplar(corpus: &Corpus, report: u32, args: &Logs, page: &Page) -> Option<ExemplarReport> {
    let signed = corpus.reports.get(report as usize)?;
    let (path, name) = (corpus.files.get(signed.file)?, page.name(corpus.file(signed.file)));
    let log = input::log(path, args.unpacking.max_unpacked).ok()?;
    let mut report = log.reports(ksplat::Parser::new()).nth(signed.index)?.ok()?;
    ksplat::Analyzer::new().annotate(&mut report);
    ExemplarReport::new(name, report).ok()
}

/// Reads the exemplars of the bugs of a store again, at the first of their places that still has the report.
pub(crate) fn exemplars_of_store(
    contents: &Contents,
    clusters: &[(u64, ksplat::cluster::Cluster)],
    page: &Page,
) -> Vec<Option<ExemplarReport>> {
    let progress = Progress::of_files("exemplars", clusters.len(), false);
    let read = cores::in_order(clusters, |(_, cluster)| {
        let known = contents.known.get(cluster.exemplar as usize);
        let report = known.and_then(|known| {
            known.places.iter().find_map(|place| report_at(place, &known.signature, page))
        });
        progress.add(1);
        report
    });
    read.into_iter().map(|done| done.value).collect()
}

/// The largest unpacked log that is read again: the default of `--max-unpacked`.
const MAX_AGAIN: u64 = 2 << 30;

/// The report at a place `FILE#INDEX`; `None` if the file is gone, or has another report there.
fn report_at(place: &str, signature: &Signature<'_>, page: &Page) -> Option<ExemplarReport> {
    let (file, index) = place.rsplit_once('#')?;
    let path = Path::new(file);
    let log = input::log(path.is_file().then_some(path)?, MAX_AGAIN).ok()?;
    let mut report = log.reports(ksplat::Parser::new()).nth(index.parse().ok()?)?.ok()?;
    ksplat::Analyzer::new().annotate(&mut report);
    let found = Signature::of(&report);
    let is_same = found.title.hash == signature.title.hash && found.site == signature.site;
    is_same.then(|| ExemplarReport::new(page.name(file), report).ok())?
}

/// Returns the log of the report with the name `FILE` or `FILE#INDEX`.
fn log_of(name: &str) -> PathBuf {
    let index = name.rsplit_once('#').filter(|(_, index)| index.parse::<usize>().is_ok());
    let file = index.filter(|_| !Path::new(name).exists()).map_or(name, |(file, _)| file);
    PathBuf::from(file)
}

/// The day of a time, in UTC.
pub(crate) fn date(time: u64) -> String {
    let time = i64::try_from(time).ok().and_then(|time| jiff::Timestamp::from_second(time).ok());
    time.map(|time| time.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// Reads logs on all cores. A log that cannot be read is reported, and the others are read.
pub(crate) fn read(files: Vec<PathBuf>, args: &Logs) -> Corpus {
    let progress = Progress::of_files("reading", files.len(), args.quiet);
    let read = cores::in_order(&files, |path| {
        let signed = sign(path, args);
        progress.add(1);
        signed.map_err(|error| report_error(&input::name(path), &error))
    });
    drop(progress);
    let names = files.iter().map(|path| input::name(path).into_owned()).collect();
    let mut corpus = Corpus { files, names, reports: Vec::new(), status: Status::Done };
    for (file, read) in read.into_iter().enumerate() {
        match read.print() {
            Ok(reports) => {
                corpus.reports.extend(reports.into_iter().map(|signed| Signed { file, ..signed }));
            }
            Err(()) => corpus.status = Status::Unusable,
        }
    }
    corpus
}

/// The reports of a log, fingerprinted. The caller numbers the files.
fn sign(path: &Path, args: &Logs) -> io::Result<Vec<Signed>> {
    let log = input::log(path, args.unpacking.max_unpacked)?;
    let time = fs::metadata(path).and_then(|file| file.modified()).ok();
    let time = time.and_then(|time| Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs()));
    let analyzer = ksplat::Analyzer::new().without_instructions();
    let (mut signatures, mut lines, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for report in log.reports(ksplat::Parser::new()) {
        let mut report = report?;
        analyzer.annotate(&mut report);
        lines.push(report.span.line);
        times.push(report.wall_time.as_deref().and_then(dated));
        signatures.push(Signature::of(&report).into_owned());
        if args.first && !goes_on(&signatures, &lines) {
            break;
        }
    }
    fingerprint::accompany(&mut signatures);
    let first = fingerprint::leading(&signatures, &lines);
    let taken = if args.first { first..first + 1 } else { 0..usize::MAX };
    let signed = signatures.into_iter().enumerate();
    let signed = signed.filter(|(index, _)| taken.contains(index));
    let signed = signed.map(|(index, signature)| {
        let time = times.get(index).copied().flatten().or(time);
        let line = lines.get(index).copied().unwrap_or_default();
        Signed { file: 0, index, line, time, signature }
    });
    Ok(signed.collect())
}

/// The time of a line of a log in seconds since 1970, where it has the year: `2026-11-21T06:14:00.123456+00:00`,
/// `2026-11-21 06:14:00` or `Sat Nov 21 06:14:00 2026`. A time without a zone is taken as UTC.
fn dated(text: &str) -> Option<u64> {
    let zoned = text.parse::<jiff::Timestamp>().ok();
    let civil = || {
        let time = text.parse::<jiff::civil::DateTime>();
        let time = time.or_else(|_| jiff::civil::DateTime::strptime("%a %b %e %H:%M:%S %Y", text));
        time.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    zoned.or_else(civil).and_then(|time| u64::try_from(time.as_second()).ok())
}

/// Returns whether more reports are needed for the signature of the first one: the other hangs of
/// its log, or the report that follows a headline without a stack.
fn goes_on(signatures: &[Signature<'_>], lines: &[usize]) -> bool {
    let Some((first, last)) = signatures.first().zip(signatures.last()) else { return true };
    let near = lines
        .first()
        .zip(lines.last())
        .is_some_and(|(a, b)| b.saturating_sub(*a) <= fingerprint::MAX_ECHO);
    first.hangs() || first.frames.is_empty() && last.frames.is_empty() && near
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_a_year_are_read() {
        for (text, want) in [
            ("2026-11-21T06:14:00.123456+00:00", Some(1_795_241_640)),
            ("2026-11-21T08:14:00+02:00", Some(1_795_241_640)),
            ("2026-11-21 06:14:00", Some(1_795_241_640)),
            ("Sat Nov 21 06:14:00 2026", Some(1_795_241_640)),
            ("Nov 21 06:14:00", None),
            ("06:14:00", None),
        ] {
            assert_eq!(dated(text), want, "{text}");
        }
    }
}
