//! `ksplat cluster` and `ksplat match`.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use ksplat::cluster::{Index, Observation};

use ksplat::fingerprint::Signature;
use ksplat::output::bugs::{self, Bug, BugMember};
use ksplat::output::escape::escape;
use ksplat::output::{html, json};
use rayon::prelude::*;

use crate::args::{Cluster, Format, Logs, Match};
use crate::error::Error;
use crate::input;
use crate::run::{Status, complain};
use crate::store;

/// A report of a log.
struct Signed {
    file: usize,
    index: usize,
    /// When the log was written, in seconds since 1970.
    time: Option<u64>,
    signature: Signature<'static>,
}

/// The reports of many logs.
pub(crate) struct Corpus {
    files: Vec<PathBuf>,
    names: Vec<String>,
    reports: Vec<Signed>,
    status: Status,
}

impl Corpus {
    /// LinkReason reading the logs went.
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

    /// The file that a report is in, and which one of it.
    fn name(&self, report: u32) -> String {
        let Some(signed) = self.reports.get(report as usize) else { return String::new() };
        format!("{}#{}", self.file(signed.file), signed.index)
    }

    fn file(&self, file: usize) -> &str {
        self.names.get(file).map_or("", |name| name)
    }

    /// Forgets when logs were written if all were on one day: that is when they were copied.
    fn forget_one_day(&mut self) {
        let mut days: Vec<_> =
            self.reports.iter().filter_map(|signed| signed.time.map(date)).collect();
        days.dedup();
        if days.len() == 1 {
            for signed in &mut self.reports {
                signed.time = None;
            }
        }
    }

    /// The report that `FILE` or `FILE#INDEX` names.
    fn find(&self, name: &str) -> Result<u32, Error> {
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

    fn members(&self, cluster: &ksplat::cluster::Cluster) -> Vec<BugMember<'_>> {
        let reports =
            cluster.reports.iter().filter_map(|report| self.reports.get(*report as usize));
        reports
            .map(|signed| {
                let signature = &signed.signature;
                BugMember::new(self.file(signed.file), signed.index, &signature.title.text)
                    .with_context(signature.release.as_deref(), signed.time.map(date))
            })
            .collect()
    }
}

/// The day of a time, in UTC.
pub(crate) fn date(time: u64) -> String {
    let time = i64::try_from(time).ok().and_then(|time| jiff::Timestamp::from_second(time).ok());
    time.map(|time| time.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// Reads logs on all cores; those that cannot be read are told, and the rest goes on.
fn read(files: Vec<PathBuf>, first: bool) -> Corpus {
    let read: Vec<_> =
        files.par_iter().enumerate().map(|(file, path)| sign(file, path, first)).collect();
    let names = files.iter().map(|path| input::name(path).into_owned()).collect();
    let mut corpus = Corpus { files, names, reports: Vec::new(), status: Status::Nothing };
    for (path, read) in corpus.files.iter().zip(read) {
        match read {
            Ok(reports) => corpus.reports.extend(reports),
            Err(error) => {
                complain(&input::name(path), &error);
                corpus.status = Status::Unusable;
            }
        }
    }
    corpus
}

fn sign(file: usize, path: &Path, first: bool) -> io::Result<Vec<Signed>> {
    let log = input::log(path)?;
    let time = fs::metadata(path).and_then(|file| file.modified()).ok();
    let time = time.and_then(|time| Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs()));
    let analyzer = ksplat::Analyzer::new().without_instructions();
    let reports = ksplat::reports(&log).take(if first { 1 } else { usize::MAX });
    let signed = reports.enumerate().map(|(index, mut report)| {
        analyzer.annotate(&mut report);
        Signed { file, index, time, signature: Signature::of(&report).into_owned() }
    });
    Ok(signed.collect())
}

/// Reads the logs that arguments name.
pub(crate) fn read_logs(logs: &Logs) -> Result<Corpus, Error> {
    Ok(read(files(logs)?, logs.first))
}

/// The files that arguments name.
fn files(logs: &Logs) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in &logs.paths {
        add(path, &mut files);
    }
    match &logs.files_from {
        Some(list) => files.extend(listed(list)?),
        None if logs.paths.is_empty() => files.push(PathBuf::from("-")),
        None => {}
    }
    Ok(files)
}

/// A path that was named, or all files below it if it is a directory.
fn add(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() { below(path, files) } else { files.push(path.to_owned()) }
}

/// All files below a directory, sorted by name. Links are followed to files only, as directories may
/// be linked in a circle; pipes and devices are left alone, which may never end.
fn below(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return complain(&input::name(folder), &error),
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let Ok(own) = fs::symlink_metadata(&path) else { continue };
        let target = fs::metadata(&path);
        if own.is_dir() {
            below(&path, files);
        } else if own.is_file() || own.is_symlink() && !target.is_ok_and(|target| !target.is_file())
        {
            files.push(path);
        }
    }
}

/// The files that a list names, one on a line.
fn listed(list: &Path) -> Result<Vec<PathBuf>, Error> {
    let text = input::read(list).map_err(|source| Error::input(list, source))?;
    let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    Ok(lines.map(|line| PathBuf::from(OsStr::from_bytes(line))).collect())
}

/// `ksplat cluster`.
pub(crate) fn cluster(args: &Cluster) -> Result<Status, Error> {
    let mut corpus = read(files(&args.logs)?, args.logs.first);
    corpus.forget_one_day();
    let mut index = Index::new();
    for report in &corpus.reports {
        index.add(&report.signature, Observation { time: report.time, count: 1 });
    }
    let pairs = |names: &[String]| -> Result<Vec<(u32, u32)>, Error> {
        let all: Result<Vec<_>, _> = names.iter().map(|name| corpus.find(name)).collect();
        Ok(all?.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?))).collect())
    };
    let (why, apart, together) = (pairs(&args.why)?, pairs(&args.apart)?, pairs(&args.together)?);
    for (a, b) in apart {
        let exact = |report| index.signature(report).map(|signature| signature.exact);
        if exact(a) == exact(b) {
            return Err(Error::Equal { one: corpus.name(a), other: corpus.name(b) });
        }
        index.cannot_link(a, b);
    }
    for (a, b) in together {
        index.must_link(a, b);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    if let Some(&(a, b)) = why.first() {
        write_why(&mut out, &corpus, &index, a, b)?;
        out.flush()?;
        return Ok(corpus.status);
    }
    let clusters = index.clusters();
    let bugs: Vec<_> =
        clusters.iter().map(|cluster| Bug::new(cluster, corpus.members(cluster))).collect();
    let (reports, logs) = (corpus.reports.len(), corpus.files.len());
    drop(out);
    write_bugs(&bugs, reports, logs, args.long, args.html.as_deref(), args.format)?;
    Ok(corpus.status)
}

/// Writes bugs that were found in so many logs, to standard output or as a page.
pub(crate) fn write_bugs(
    bugs: &[Bug<'_>],
    reports: usize,
    logs: usize,
    long: bool,
    html: Option<&Path>,
    format: Format,
) -> Result<(), Error> {
    let mut out = BufWriter::new(io::stdout().lock());
    if let Some(path) = html {
        let written = fs::File::create(path).and_then(|file| {
            let mut page = BufWriter::new(file);
            html::write(&mut page, bugs, logs)?;
            page.flush()
        });
        return written.map_err(|source| Error::Page { path: path.to_owned(), source });
    }
    match format {
        Format::Text => {
            let mut page = String::new();
            bugs::write(&mut page, bugs, long).map_err(io::Error::other)?;
            out.write_all(page.as_bytes())?;
            writeln!(out, "{logs} logs, {reports} reports, {} bugs", bugs.len())?;
        }
        Format::Json => {
            json::write_value(&mut out, &All { reports, files: logs, clusters: bugs })?;
            out.write_all(b"\n")?;
        }
        Format::Jsonl => {
            for bug in bugs {
                json::write_value(&mut out, bug)?;
                out.write_all(b"\n")?;
            }
        }
    }
    Ok(out.flush()?)
}

/// All clusters, as JSON.
#[derive(serde::Serialize)]
struct All<'a> {
    reports: usize,
    files: usize,
    clusters: &'a [Bug<'a>],
}

/// Says why two reports are of one bug, or what they have in common although they are not.
fn write_why(
    out: &mut impl Write,
    corpus: &Corpus,
    index: &Index,
    a: u32,
    b: u32,
) -> io::Result<()> {
    let name = |report| escape(&corpus.name(report)).to_string();
    let Some(links) = index.why(a, b) else {
        writeln!(out, "{} and {} are not of one bug", name(a), name(b))?;
        let common = index.compare(a, b);
        return match common {
            Some(found) => writeln!(out, "  {:.2}  {}", found.score, found.evidence()),
            None => Ok(()),
        };
    };
    writeln!(out, "{} and {} are of one bug", name(a), name(b))?;
    for link in links {
        writeln!(out, "  {} - {}", name(link.a), name(link.b))?;
        writeln!(out, "    {} ({:.2}): {}", link.how.name(), link.score, escape(&link.evidence))?;
    }
    Ok(())
}

/// `ksplat match`.
pub(crate) fn matches(args: &Match) -> Result<Status, Error> {
    if let Some(path) = &args.store {
        return store::matches(path, &read_logs(&args.logs)?, args.top, args.format);
    }
    let Some(list) = &args.among else {
        complain("match", &"name known reports with --among LIST or --store FILE");
        return Ok(Status::Unusable);
    };
    let (known, queries) = (read(listed(list)?, args.logs.first), read_logs(&args.logs)?);
    let mut index = Index::new();
    let mut equal: HashMap<u64, Vec<&Signed>> = HashMap::new();
    for report in &known.reports {
        index.add(&report.signature, Observation { time: report.time, count: 1 });
        equal.entry(report.signature.exact).or_default().push(report);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let answers: Vec<Answer<'_>> = queries
        .reports
        .par_iter()
        .map(|query| {
            let mut answer = Answer {
                file: queries.file(query.file),
                index: query.index,
                title: &query.signature.title.text,
                seen: false,
                candidates: Vec::new(),
            };
            // The query may be among the known ones, and is no answer.
            let is_query = |signed: &Signed| {
                (known.file(signed.file), signed.index) == (answer.file, answer.index)
            };
            let same =
                index.same(&query.signature).and_then(|same| known.reports.get(same as usize));
            let equals = same.and_then(|same| equal.get(&same.signature.exact));
            answer.seen =
                equals.is_some_and(|equals| equals.iter().any(|signed| !is_query(signed)));
            for found in index.matches(&query.signature, args.top + 1) {
                let Some(signed) = known.reports.get(found.report as usize) else { continue };
                let evidence = found.evidence();
                for report in equal.get(&signed.signature.exact).into_iter().flatten() {
                    if answer.candidates.len() == args.top {
                        break;
                    }
                    let (file, title) = (known.file(report.file), &*report.signature.title.text);
                    if (file, report.index) != (answer.file, answer.index) {
                        let evidence = evidence.clone();
                        answer.candidates.push(Candidate {
                            file,
                            index: report.index,
                            title,
                            score: found.score,
                            evidence,
                        });
                    }
                }
            }
            answer
        })
        .collect();
    match args.format {
        Format::Text => answers.iter().try_for_each(|answer| answer.write(&mut out))?,
        Format::Json => {
            json::write_value(&mut out, &answers)?;
            out.write_all(b"\n")?;
        }
        Format::Jsonl => {
            for answer in &answers {
                json::write_value(&mut out, answer)?;
                out.write_all(b"\n")?;
            }
        }
    }
    out.flush()?;
    let is_new = answers.iter().any(|answer| !answer.seen);
    Ok(queries.status.max(known.status).max(Status::of_new(is_new)))
}

/// What a report is like.
#[derive(serde::Serialize)]
struct Answer<'a> {
    file: &'a str,
    index: usize,
    title: &'a str,
    /// Whether a known report is of the same bug.
    seen: bool,
    candidates: Vec<Candidate<'a>>,
}

/// A known report that it is like.
#[derive(serde::Serialize)]
struct Candidate<'a> {
    file: &'a str,
    index: usize,
    title: &'a str,
    score: f32,
    evidence: String,
}

impl Answer<'_> {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}#{}  {}", escape(self.file), self.index, escape(self.title))?;
        for candidate in &self.candidates {
            let (file, title) = (escape(candidate.file), escape(candidate.title));
            writeln!(out, "  {:.2}  {file}#{}  {title}", candidate.score, candidate.index)?;
            writeln!(out, "        {}", escape(&candidate.evidence))?;
        }
        Ok(())
    }
}
