//! `ksplat store`, and `ksplat match` with one.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use ksplat::cluster::Cluster;
use ksplat::output::bugs::{Bug, BugMember};
use ksplat::output::escape::escape;
use ksplat::output::json;
use ksplat::store::{Contents, Sighting, Store};

use crate::args::{self, Format, Logs};
use crate::dedup::{self, Corpus};
use crate::error::Error;
use crate::input;
use crate::run::{Status, complain};

/// `ksplat store`.
pub(crate) fn run(args: args::Store) -> Result<Status, Error> {
    quiet();
    match args {
        args::Store::Add { store, logs } => return add(&store, &logs),
        args::Store::List { store, long, html, format } => {
            return list(&store, long, html.as_deref(), format);
        }
        args::Store::Label { store, bug, text } => Store::open(&store)?.label(bug, &text)?,
        args::Store::Export { store } => {
            let mut out = BufWriter::new(io::stdout().lock());
            load(&store)?;
            Store::open_read_only(&store)?.export(&mut out)?;
            out.flush()?;
        }
        args::Store::Import { store } => {
            let from = Path::new("-");
            let text = input::read(from).map_err(|source| Error::input(from, source))?;
            Store::open(&store)?.import(&text)?;
        }
        args::Store::Merge { store, other } => {
            let other = Store::open_read_only(&other)?;
            Store::open(&store)?.merge(&other)?;
        }
    }
    Ok(Status::Nothing)
}

/// The library catches what the database does on a damaged file, and says it in one line.
fn quiet() {
    std::panic::set_hook(Box::new(|_| {}));
}

fn add(path: &Path, logs: &Logs) -> Result<Status, Error> {
    let corpus = dedup::read_logs(logs)?;
    let sightings: Vec<_> = corpus
        .reports()
        .map(|(file, index, time, signature)| {
            Sighting::new(signature.clone(), time, format!("{file}#{index}"))
        })
        .collect();
    // Adding changes no label.
    let before = if path.exists() { Some(load(path)?) } else { None };
    let outcomes = Store::open(path)?.add(&sightings)?;
    let mut out = BufWriter::new(io::stdout().lock());
    for (sighting, outcome) in sightings.iter().zip(&outcomes) {
        let what = match outcome.back {
            Some(id) => format!("came back ({id:016x} was fixed)"),
            None if outcome.new => "new".to_owned(),
            None => "known".to_owned(),
        };
        let (place, title) = (escape(&sighting.place), escape(&sighting.signature.title.text));
        let labels = before.as_ref().map(|before| labels(before, outcome.bug)).unwrap_or_default();
        let labels =
            if labels.is_empty() { String::new() } else { format!("  [{}]", labels.join(", ")) };
        writeln!(out, "{:016x}  {what}  {place}  {title}{}", outcome.bug, escape(&labels))?;
    }
    out.flush()?;
    Ok(corpus.status())
}

/// The contents of a store; damaged rows are told.
fn load(path: &Path) -> Result<Contents, Error> {
    let contents = Store::open_read_only(path)?.load()?;
    if contents.damaged > 0 {
        let (damaged, whole) = (contents.damaged, contents.known.len());
        complain(
            &input::name(path),
            &format!(
                "{damaged} rows are damaged and left out, {whole} are whole; export and import these into a new store"
            ),
        );
    }
    Ok(contents)
}

fn list(path: &Path, long: bool, html: Option<&Path>, format: Format) -> Result<Status, Error> {
    let contents = load(path)?;
    let clusters = contents.clusters(&contents.index());
    let bugs: Vec<_> = clusters.iter().map(|(id, cluster)| bug(&contents, *id, cluster)).collect();
    let known = contents.known.iter().map(|known| known.count as usize).sum();
    dedup::write_bugs(&bugs, known, known, long, html, format)?;
    Ok(Status::Nothing)
}

/// A bug with one member for each signature, at the first place where that was seen.
fn bug<'a>(contents: &'a Contents, id: u64, cluster: &'a Cluster) -> Bug<'a> {
    let members = cluster.reports.iter().filter_map(|report| contents.known.get(*report as usize));
    let members = members.map(|known| {
        let place = known.places.first().map_or("", |place| place);
        let (file, index) = place.rsplit_once('#').unwrap_or((place, "0"));
        BugMember::new(file, index.parse().unwrap_or_default(), &known.signature.title.text)
            .with_context(known.signature.release.as_deref(), known.first.map(dedup::date))
    });
    let labels = labels(contents, id);
    let seen = cluster.seen.map(|(first, last)| (dedup::date(first), dedup::date(last)));
    Bug::new(cluster, members.collect()).with_labels(labels).with_dates(seen)
}

/// `ksplat match --store`: for each query, whether it was seen before.
pub(crate) fn matches(
    path: &Path,
    queries: &Corpus,
    top: usize,
    format: Format,
) -> Result<Status, Error> {
    quiet();
    let contents = load(path)?;
    let index = contents.index();
    let clusters: BTreeMap<u64, Cluster> = contents.clusters(&index).into_iter().collect();
    let mut out = BufWriter::new(io::stdout().lock());
    let mut has_new = false;
    for (file, number, _, signature) in queries.reports() {
        let found = contents.matches(&index, signature, top);
        let same = contents.bug_of(&index, signature);
        has_new |= same.is_none();
        match format {
            Format::Text => {
                writeln!(out, "{}#{number}  {}", escape(file), escape(&signature.title.text))?;
                match same.and_then(|bug| clusters.get(&bug)) {
                    Some(cluster) => writeln!(out, "  {}", before(cluster))?,
                    None => writeln!(out, "  new")?,
                }
                for label in same.iter().flat_map(|bug| labels(&contents, *bug)) {
                    writeln!(out, "  label: {}", escape(&label))?;
                }
                for (bug, found) in &found {
                    let title = clusters.get(bug).map_or("", |cluster| &cluster.title);
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
                let labels = same.map(|bug| labels(&contents, bug)).unwrap_or_default();
                let seen =
                    same.and_then(|bug| clusters.get(&bug)).map(|bug| bugs_seen(bug, &labels));
                let line = serde_json::json!({"file": file, "index": number, "seen": seen, "candidates": candidates});
                json::write_value(&mut out, &line)?;
                out.write_all(b"\n")?;
            }
        }
    }
    out.flush()?;
    Ok(queries.status().max(Status::of_new(has_new)))
}

/// The labels of a bug.
fn labels(contents: &Contents, bug: u64) -> Vec<String> {
    contents.bugs.get(&bug).map(ksplat::store::BugRecord::labels).unwrap_or_default()
}

fn bugs_seen(cluster: &Cluster, labels: &[String]) -> serde_json::Value {
    serde_json::json!({"bug": cluster.id, "labels": labels, "title": cluster.title, "count": cluster.count, "kernels": cluster.kernels,
        "first": cluster.seen.map(|seen| dedup::date(seen.0)), "last": cluster.seen.map(|seen| dedup::date(seen.1))})
}

/// `seen before: 12 times since 6.1.0, first on 2026-01-02, last on 2026-11-20 (bug 01915e83edb39773)`.
fn before(cluster: &Cluster) -> String {
    let times =
        if cluster.count == 1 { "once".to_owned() } else { format!("{} times", cluster.count) };
    let since = cluster.kernels.first().map(|kernel| format!(" since {}", escape(&kernel.release)));
    let dates = cluster.seen.map(|(first, last)| {
        format!(", first on {}, last on {}", dedup::date(first), dedup::date(last))
    });
    format!(
        "seen before: {times}{}{} (bug {})",
        since.unwrap_or_default(),
        dates.unwrap_or_default(),
        cluster.id
    )
}
