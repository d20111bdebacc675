//! `ksplat store`.

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use ksplat::cluster::Cluster;
use ksplat::fingerprint::Signature;
use ksplat::output::bugs::{Bug, BugDecision, BugMember};
use ksplat::output::escape::escape;
use ksplat::store::{Contents, Remark, Sighting, Store};

use crate::args::{self, Format, Logs, Wait};
use crate::bugs;
use crate::cluster;
use crate::corpus::{self, Corpus};
use crate::error::Error;
use crate::input;
use crate::ui::{Status, report_error};

/// `ksplat store`.
pub(crate) fn store(args: args::Store) -> Result<Status, Error> {
    quiet();
    match args {
        args::Store::Add { store, logs, label, wait } => {
            return add(&store, &logs, label.as_deref(), &wait);
        }
        args::Store::List { store, long, html, page, format } => {
            return list(&store, long, html.as_deref(), &page, format);
        }
        args::Store::Label { store, bug, text, remark, wait } => {
            open_to_write(&store, &wait)?.label_with(bug, &text, remark.into())?;
        }
        args::Store::Apart(args::Verdict { pair, remark, wait }) => {
            open_to_write(&pair.store, &wait)?.apart(pair.one, pair.other, remark.into())?;
        }
        args::Store::Together(args::Verdict { pair, remark, wait }) => {
            open_to_write(&pair.store, &wait)?.together(pair.one, pair.other, remark.into())?;
        }
        args::Store::Split { store, bug, reports, remark, wait } => {
            open_to_write(&store, &wait)?.split(bug, &reports, remark.into())?;
        }
        args::Store::Undo { store, remark, wait } => {
            let undone = open_to_write(&store, &wait)?.undo(remark.into())?;
            writeln!(io::stdout(), "undone: {}", escape(&undone.to_string()))?;
        }
        args::Store::Why { pair } => why(&pair)?,
        args::Store::Export { store: path } => {
            let mut out = BufWriter::new(io::stdout().lock());
            let store = open(&path)?;
            contents_of(&path, &store)?;
            store.export(&mut out)?;
            out.flush()?;
        }
        args::Store::Import { store, wait } => {
            let from = Path::new("-");
            let text = input::read(from).map_err(|source| Error::input(from, source))?;
            open_to_write(&store, &wait)?.import(&text)?;
        }
        args::Store::Merge { store, other: path, wait } => {
            let other = open(&path)?;
            contents_of(&path, &other)?;
            open_to_write(&store, &wait)?.merge(&other)?;
        }
        args::Store::Check { store, drop_damaged, wait } => {
            return check(&store, drop_damaged, &wait);
        }
        args::Store::Backup { store: path, file } => {
            let store = open(&path)?;
            contents_of(&path, &store)?;
            store.backup(&file)?;
        }
    }
    Ok(Status::Done)
}

/// Silences panics: the database panics on some damaged files, and the library converts that to an
/// error.
pub(crate) fn quiet() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// Reads a store without the messages of its panics; later panics print theirs.
pub(crate) fn quietly<T>(read: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    quiet();
    let result = read();
    std::panic::set_hook(hook);
    result
}

/// The time between two attempts of a writer to open a file.
const POLL: Duration = Duration::from_millis(20);

/// Runs code that needs a file to which another process may write, and repeats it until the file is
/// free or the time is over.
fn waiting<T>(
    path: &Path,
    wait: &Wait,
    run: impl Fn() -> Result<T, ksplat::store::Error>,
) -> Result<T, Error> {
    let start = Instant::now();
    let mut is_told = false;
    loop {
        match (run(), wait.wait) {
            (Err(ksplat::store::Error::Locked { .. }), Some(wait)) if start.elapsed() < wait => {
                if !is_told {
                    report_error(
                        &input::name(path),
                        &"waiting for another process that writes to it",
                    );
                    is_told = true;
                }
                thread::sleep(POLL.min(wait.saturating_sub(start.elapsed())));
            }
            (result, _) => return Ok(result?),
        }
    }
}

/// Opens a store for writing.
pub(crate) fn open_to_write(path: &Path, wait: &Wait) -> Result<Store, Error> {
    let store = waiting(path, wait, || Store::open(path))?;
    note(path, &store);
    Ok(store)
}

/// Opens a store for reading.
fn open(path: &Path) -> Result<Store, Error> {
    let store = Store::open_read_only(path)?;
    note(path, &store);
    Ok(store)
}

/// Reports the state of a store when it was opened.
fn note(path: &Path, store: &Store) {
    if let Some(notice) = store.notice() {
        report_error(&input::name(path), &notice);
    }
}

fn add(path: &Path, logs: &Logs, label: Option<&str>, wait: &Wait) -> Result<Status, Error> {
    let corpus = Corpus::read(logs)?;
    let sightings: Vec<_> = corpus
        .reports()
        .map(|(file, index, time, signature)| {
            let sighting = Sighting::new(signature.clone(), time, format!("{file}#{index}"));
            match label {
                Some(label) => sighting.with_label(label, Remark::now()),
                None => sighting,
            }
        })
        .collect();
    let store = open_to_write(path, wait)?;
    let (outcomes, contents) = store.add_with(&sightings)?;
    report_damage(path, &contents);
    let mut out = BufWriter::new(io::stdout().lock());
    let mut printed = HashSet::new();
    for (sighting, outcome) in sightings.iter().zip(&outcomes) {
        let is_first = printed.insert(outcome.bug);
        let what = match outcome.back {
            Some(id) => format!("came back ({id:016x} was fixed)"),
            None if outcome.new && is_first => "new".to_owned(),
            None => "known".to_owned(),
        };
        let (place, title) = (escape(&sighting.place), escape(&sighting.signature.title.text));
        let labels = labels(&contents, outcome.bug);
        let labels =
            if labels.is_empty() { String::new() } else { format!("  [{}]", labels.join(", ")) };
        writeln!(out, "{:016x}  {what}  {place}  {title}{}", outcome.bug, escape(&labels))?;
    }
    out.flush()?;
    Ok(corpus.status())
}

/// The maximum number of damaged rows that are reported individually.
const MAX_DAMAGED: usize = 8;

/// The contents of a store; damaged rows are reported.
pub(crate) fn load(path: &Path) -> Result<Contents, Error> {
    contents_of(path, &open(path)?)
}

/// The contents of a store that are needed to find the bugs of signatures and the most similar ones.
pub(crate) fn load_for(
    path: &Path,
    signatures: &[&Signature<'_>],
    top: usize,
) -> Result<Contents, Error> {
    let contents = open(path)?.load_for(signatures, top)?;
    report_damage(path, &contents);
    Ok(contents)
}

fn contents_of(path: &Path, store: &Store) -> Result<Contents, Error> {
    let contents = store.load()?;
    report_damage(path, &contents);
    Ok(contents)
}

fn report_damage(path: &Path, contents: &Contents) {
    for row in contents.damaged.iter().take(MAX_DAMAGED) {
        report_error(&input::name(path), row);
    }
    if !contents.damaged.is_empty() {
        let damaged = contents.damaged.len();
        report_error(
            &input::name(path),
            &format!(
                "{damaged} damaged rows are left out; `ksplat store check` moves them to a separate table"
            ),
        );
    }
}

/// `ksplat store check`.
fn check(path: &Path, drop: bool, wait: &Wait) -> Result<Status, Error> {
    let checked = waiting(path, wait, || Store::check(path, drop))?;
    let mut out = BufWriter::new(io::stdout().lock());
    if checked.repaired {
        writeln!(out, "repaired: it was not closed by its last writer")?;
    }
    if let Some(kept) = &checked.replaced {
        let kept = kept.display().to_string();
        writeln!(out, "replaced: its pages were damaged; the old file is {}", escape(&kept))?;
    }
    for row in &checked.damaged {
        writeln!(out, "{row}")?;
    }
    if checked.dropped > 0 {
        writeln!(out, "dropped {} damaged rows", checked.dropped)?;
    }
    let ((bugs, signatures), (before, after)) = (checked.whole, checked.size);
    writeln!(out, "{bugs} bugs, {signatures} signatures, {before} bytes before, {after} after")?;
    out.flush()?;
    Ok(Status::of_new(!checked.damaged.is_empty()))
}

fn list(
    path: &Path,
    long: bool,
    html: Option<&Path>,
    page: &args::Page,
    format: Format,
) -> Result<Status, Error> {
    let contents = load(path)?;
    let clusters = contents.clusters(&contents.index());
    let reports = html.map(|_| corpus::exemplars_of_store(&contents, &clusters, page));
    let reports = reports.into_iter().flatten().chain(std::iter::repeat(None));
    let bugs: Vec<_> = clusters
        .iter()
        .zip(reports)
        .map(|((id, cluster), report)| bug(&contents, *id, cluster, long, page).with_report(report))
        .collect();
    let known = contents.known.iter().map(|known| known.count as usize).sum();
    bugs::write(&bugs, known, known, long, html.map(|path| (path, page)), format)?;
    Ok(Status::Done)
}

/// Makes a bug with one member for each signature, at its first place. In the long form decisions
/// are on separate lines, and only labels are among the labels.
fn bug<'a>(
    contents: &'a Contents,
    id: u64,
    cluster: &'a Cluster,
    long: bool,
    page: &args::Page,
) -> Bug<'a> {
    let members = cluster.reports.iter().filter_map(|report| contents.known.get(*report as usize));
    let members = members.map(|known| {
        let place = known.places.first().map_or("", |place| place);
        let (file, index) = place.rsplit_once('#').unwrap_or((place, "0"));
        BugMember::new(
            page.name(file),
            index.parse().unwrap_or_default(),
            &known.signature.title.text,
        )
        .with_context(known.signature.release.as_deref(), known.first.map(corpus::date))
    });
    let labels = match contents.bugs.get(&id).filter(|_| long) {
        Some(bug) => bug.labels(),
        None => labels(contents, id),
    };
    let seen = cluster.seen.map(|(first, last)| (corpus::date(first), corpus::date(last)));
    let decisions = contents.decided(id).into_iter().map(|decision| BugDecision {
        date: corpus::date(decision.remark.time),
        what: decision.what(),
        by: decision.remark.by.clone(),
        why: decision.remark.why.clone(),
    });
    let bug = Bug::new(cluster, members.collect()).with_labels(labels).with_dates(seen);
    bug.with_decisions(decisions.collect())
}

/// `ksplat store why`: compares the two most similar signatures.
fn why(pair: &args::Pair) -> Result<(), Error> {
    let contents = load(&pair.store)?;
    let index = contents.index();
    let mut out = BufWriter::new(io::stdout().lock());
    let (one, other) = (contents.alias(pair.one), contents.alias(pair.other));
    for (id, bug) in [(pair.one, one), (pair.other, other)] {
        if id != bug {
            writeln!(out, "{id:016x} was merged into {bug:016x}")?;
        }
        if !contents.bugs.contains_key(&bug) {
            let path = pair.store.clone();
            return Err(ksplat::store::Error::no_bug(&path, id).into());
        }
    }
    if let Some((a, b)) = contents.closest(&index, one, other) {
        let name = |report: u32| {
            let known = contents.known.get(report as usize);
            known.and_then(|known| known.places.first().cloned()).unwrap_or_default()
        };
        cluster::write_why(&mut out, &name, &index, a, b)?;
    }
    Ok(out.flush()?)
}

/// Returns the labels of a bug, and the other decisions about it.
pub(crate) fn labels(contents: &Contents, bug: u64) -> Vec<String> {
    contents.labels(bug)
}

impl From<args::Remark> for Remark {
    fn from(remark: args::Remark) -> Self {
        Self::now().with_by(remark.by).with_why(remark.why)
    }
}
