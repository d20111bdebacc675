//! `ksplat match`.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use ksplat::cluster::{self, Cluster, Index, Observation};
use ksplat::output::escape::escape;
use ksplat::output::json;
use rayon::prelude::*;

use crate::args::{Format, Match};
use crate::corpus::{self, Corpus, Signed};
use crate::error::Error;
use crate::paths;
use crate::store;
use crate::ui::{Status, report_error};

/// `ksplat match`.
pub(crate) fn matches(args: &Match) -> Result<Status, Error> {
    if let Some(path) = &args.store {
        return in_store(path, &Corpus::read(&args.logs)?, args.top, args.format);
    }
    let Some(list) = &args.among else {
        report_error("match", &"name known reports with --among LIST or --store FILE");
        return Ok(Status::Unusable);
    };
    let (known, queries) =
        (corpus::read(paths::listed(list)?, &args.logs), Corpus::read(&args.logs)?);
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
            // The query may be among the known reports; it does not match itself.
            let is_query = |signed: &Signed| {
                (known.file(signed.file), signed.index) == (answer.file, answer.index)
            };
            let same =
                index.same(&query.signature).and_then(|same| known.reports.get(same as usize));
            let equals = same.and_then(|same| equal.get(&same.signature.exact));
            answer.seen =
                equals.is_some_and(|equals| equals.iter().any(|signed| !is_query(signed)));
            let mut reports = Vec::new();
            let mut matches = Vec::new();
            // The lead of the first match needs the second.
            let most = args.top.max(2);
            for found in index.matches(&query.signature, most + 1) {
                let Some(signed) = known.reports.get(found.report as usize) else { continue };
                let equals = equal.get(&signed.signature.exact).into_iter().flatten();
                let room = most.saturating_sub(reports.len());
                for report in equals.filter(|report| !is_query(report)).take(room) {
                    reports.push(*report);
                    matches.push(found.clone());
                }
            }
            cluster::calibrate(&mut matches, index.signatures());
            for (report, found) in reports.into_iter().zip(matches).take(args.top) {
                answer.candidates.push(Candidate {
                    file: known.file(report.file),
                    index: report.index,
                    title: &report.signature.title.text,
                    score: found.score,
                    evidence: found.evidence(),
                });
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

/// The known reports that are similar to a query.
#[derive(serde::Serialize)]
struct Answer<'a> {
    file: &'a str,
    index: usize,
    title: &'a str,
    /// Whether a known report shows the same bug.
    seen: bool,
    candidates: Vec<Candidate<'a>>,
}

/// A known report that is similar to a query.
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

/// `ksplat match --store`: whether the bug of each query is known.
fn in_store(path: &Path, queries: &Corpus, top: usize, format: Format) -> Result<Status, Error> {
    store::quiet();
    let signatures: Vec<_> = queries.reports().map(|(.., signature)| signature).collect();
    let contents = store::load_for(path, &signatures, top)?;
    let index = contents.index();
    // Only the bugs in the output are described.
    let mut clusters: BTreeMap<u64, Option<Cluster>> = BTreeMap::new();
    let mut out = BufWriter::new(io::stdout().lock());
    let mut has_new = false;
    for (file, number, _, signature) in queries.reports() {
        let mut found = contents.matches(&index, signature, top);
        let same = contents.bug_of(&index, signature);
        // A rule may join a report to a bug that is not the most similar one.
        found.sort_by_key(|(bug, _)| Some(*bug) != same);
        has_new |= same.is_none();
        for bug in found.iter().map(|(bug, _)| *bug).chain(same) {
            clusters.entry(bug).or_insert_with(|| contents.cluster(&index, bug));
        }
        let cluster = |bug: u64| clusters.get(&bug).and_then(Option::as_ref);
        match format {
            Format::Text => {
                writeln!(out, "{}#{number}  {}", escape(file), escape(&signature.title.text))?;
                match same.and_then(cluster) {
                    Some(cluster) => writeln!(out, "  {}", before(cluster))?,
                    None => writeln!(out, "  new")?,
                }
                for label in same.iter().flat_map(|bug| store::labels(&contents, *bug)) {
                    writeln!(out, "  label: {}", escape(&label))?;
                }
                for (bug, found) in &found {
                    let title = cluster(*bug).map_or("", |cluster| &cluster.title);
                    writeln!(out, "  {:.2}  {bug:016x}  {}", found.score, escape(title))?;
                    writeln!(out, "        {}", found.evidence())?;
                }
            }
            Format::Json | Format::Jsonl => {
                let candidates: Vec<_> = found
                    .iter()
                    .filter_map(|(bug, found)| {
                        let known = contents.known.get(found.report as usize)?;
                        let (file, index) = known.places.first()?.rsplit_once('#')?;
                        Some(serde_json::json!({
                            "file": file, "index": index.parse::<usize>().ok()?, "bug": format!("{bug:016x}"),
                            "score": found.score, "evidence": found.evidence(),
                        }))
                    })
                    .collect();
                let labels = same.map(|bug| store::labels(&contents, bug)).unwrap_or_default();
                let seen = same.and_then(cluster).map(|bug| bugs_seen(bug, &labels));
                let line = serde_json::json!({"file": file, "index": number, "seen": seen, "candidates": candidates});
                json::write_value(&mut out, &line)?;
                out.write_all(b"\n")?;
            }
        }
    }
    out.flush()?;
    Ok(queries.status().max(Status::of_new(has_new)))
}

fn bugs_seen(cluster: &Cluster, labels: &[String]) -> serde_json::Value {
    serde_json::json!({"bug": cluster.id, "labels": labels, "title": cluster.title, "count": cluster.count, "kernels": cluster.kernels,
        "first": cluster.seen.map(|seen| corpus::date(seen.0)), "last": cluster.seen.map(|seen| corpus::date(seen.1))})
}

/// `seen before: 12 times since 6.1.0, first on 2026-01-02, last on 2026-11-20 (bug 01915e83edb39773)`.
fn before(cluster: &Cluster) -> String {
    let times =
        if cluster.count == 1 { "once".to_owned() } else { format!("{} times", cluster.count) };
    let since = cluster.kernels.first().map(|kernel| format!(" since {}", escape(&kernel.release)));
    let dates = cluster.seen.map(|(first, last)| {
        format!(", first on {}, last on {}", corpus::date(first), corpus::date(last))
    });
    format!(
        "seen before: {times}{}{} (bug {})",
        since.unwrap_or_default(),
        dates.unwrap_or_default(),
        cluster.id
    )
}
