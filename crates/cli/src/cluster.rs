//! `ksplat cluster`.

use std::io::{self, BufWriter, Write};

use ksplat::cluster::{Index, Observation};
use ksplat::output::bugs::Bug;
use ksplat::output::escape::escape;

use crate::args::Cluster;
use crate::bugs;
use crate::corpus::{self, Corpus};
use crate::error::Error;
use crate::known::Asked;
use crate::ui::Status;

/// `ksplat cluster`.
pub(crate) fn cluster(args: &Cluster) -> Result<Status, Error> {
    let named = [&args.why, &args.apart, &args.together].into_iter().flatten();
    let mut corpus = Corpus::read_with(&args.logs, named)?;
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
        write_why(&mut out, &|report| corpus.name(report), &index, a, b)?;
        out.flush()?;
        return Ok(corpus.status);
    }
    let clusters = index.clusters();
    let known = args.known.as_deref().map(Asked::open).transpose()?;
    let label = |cluster: &_| known.as_ref()?.label_of(cluster, |report| index.signature(report));
    let page = &args.page;
    let html = args.html.as_deref();
    let reports = html.map(|_| corpus::exemplars(&corpus, &clusters, &args.logs, page));
    let reports = reports.into_iter().flatten().chain(std::iter::repeat(None));
    let bugs: Vec<_> = clusters
        .iter()
        .zip(reports)
        .map(|(cluster, report)| {
            let labels = label(cluster).into_iter().collect();
            let bug = Bug::new(cluster, corpus.members(cluster, page));
            bug.with_labels(labels).with_report(report)
        })
        .collect();
    let (reports, logs) = (corpus.reports.len(), corpus.files.len());
    drop(out);
    bugs::write(&bugs, reports, logs, args.long, html.map(|path| (path, page)), args.format)?;
    Ok(corpus.status)
}

/// Writes the evidence that links two reports, or the rules that separate them and their
/// similarity.
pub(crate) fn write_why(
    out: &mut impl Write,
    name: &dyn Fn(u32) -> String,
    index: &Index,
    a: u32,
    b: u32,
) -> io::Result<()> {
    let name = |report| escape(&name(report)).to_string();
    let Some(links) = index.why(a, b) else {
        writeln!(out, "{} and {} are not of one bug", name(a), name(b))?;
        let parted = index.why_apart(a, b);
        for parted in &parted {
            writeln!(out, "  {}: {}", parted.rule.name(), escape(&parted.evidence))?;
        }
        if parted.is_empty() {
            writeln!(out, "  no rule links them or reports of their bugs")?;
        }
        let common = index.compare(a, b);
        return match common {
            Some(found) => writeln!(out, "  {:.2}  {}", found.score, found.pair_evidence()),
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
