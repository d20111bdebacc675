//! `ksplat store`.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use ksplat::cluster::Cluster;
use ksplat::output::bugs::{Bug, BugMember};
use ksplat::output::escape::escape;
use ksplat::store::{Contents, Sighting, Store};

use crate::args::{self, Format, Logs};
use crate::bugs;
use crate::corpus::{self, Corpus};
use crate::error::Error;
use crate::input;
use crate::ui::{Status, report_error};

/// `ksplat store`.
pub(crate) fn store(args: args::Store) -> Result<Status, Error> {
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
    Ok(Status::Done)
}

/// Silences panics: on a damaged file the database panics, and the library turns that into an error.
pub(crate) fn quiet() {
    std::panic::set_hook(Box::new(|_| {}));
}

fn add(path: &Path, logs: &Logs) -> Result<Status, Error> {
    let corpus = Corpus::read(logs)?;
    let sightings: Vec<_> = corpus
        .reports()
        .map(|(file, index, time, signature)| {
            Sighting::new(signature.clone(), time, format!("{file}#{index}"))
        })
        .collect();
    // `add` does not change labels.
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

/// The contents of a store; damaged rows are reported.
pub(crate) fn load(path: &Path) -> Result<Contents, Error> {
    let contents = Store::open_read_only(path)?.load()?;
    if contents.damaged > 0 {
        let (damaged, whole) = (contents.damaged, contents.known.len());
        report_error(
            &input::name(path),
            &format!(
                "{damaged} rows are damaged and ignored, {whole} are intact; export these and import them into a new store"
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
    bugs::write(&bugs, known, known, long, html, format)?;
    Ok(Status::Done)
}

/// A bug with one member for each signature, at its first place.
fn bug<'a>(contents: &'a Contents, id: u64, cluster: &'a Cluster) -> Bug<'a> {
    let members = cluster.reports.iter().filter_map(|report| contents.known.get(*report as usize));
    let members = members.map(|known| {
        let place = known.places.first().map_or("", |place| place);
        let (file, index) = place.rsplit_once('#').unwrap_or((place, "0"));
        BugMember::new(file, index.parse().unwrap_or_default(), &known.signature.title.text)
            .with_context(known.signature.release.as_deref(), known.first.map(corpus::date))
    });
    let labels = labels(contents, id);
    let seen = cluster.seen.map(|(first, last)| (corpus::date(first), corpus::date(last)));
    Bug::new(cluster, members.collect()).with_labels(labels).with_dates(seen)
}

/// The labels of a bug.
pub(crate) fn labels(contents: &Contents, bug: u64) -> Vec<String> {
    contents.bugs.get(&bug).map(ksplat::store::BugRecord::labels).unwrap_or_default()
}
