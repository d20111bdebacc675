//! A file that remembers which bugs were seen, when, and on which kernels.
//!
//! It is a database of the crate redb: a write is there as a whole or not at all, whatever happens to
//! the process or the machine; any number of processes may read while one writes.
//!
//! What is kept is each distinct signature with its count, the bug that it was found to be of, and
//! what people said of that bug. A new report is grouped with all that is known by the rules of
//! [`cluster`](crate::cluster); two bugs that turn out to be one are merged, and the older keeps its
//! id. A bug that was said to be fixed and is seen on a kernel that should have the fix is a new bug
//! with the old one as [`previous`](Record::previous).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{
    ConcurrencyMode, Database, ReadOnlyDatabase, ReadableDatabase, ReadableTable, TableDefinition,
};
use serde::{Deserialize, Serialize};

use crate::arch::Arch;
use crate::cluster::{Cluster, Index, Match, Seen};
use crate::sign::{self, Signature};

/// The version of the tables. A file of a newer one is refused; an older one is brought up to date
/// when it is opened for writing.
pub const SCHEMA: u64 = 1;

/// The most places that are kept of one signature.
const MAX_PLACES: usize = 8;

const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
const SIGHTINGS: TableDefinition<'static, (u64, u64), &[u8]> = TableDefinition::new("sightings");
const BUGS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("bugs");

/// What can be wrong with a store.
#[derive(Debug)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

fn failed(what: &str, error: &dyn fmt::Display) -> Error {
    Error(format!("{what}: {error}"))
}

/// A report that was seen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sighting<'a> {
    /// Its signature.
    pub signature: Signature<'a>,
    /// When, in seconds since 1970, if that is known.
    pub time: Option<u64>,
    /// Where: a file, or whatever finds it again.
    pub place: String,
}

impl<'a> Sighting<'a> {
    /// A report that was seen at a place.
    pub fn new(signature: Signature<'a>, time: Option<u64>, place: String) -> Self {
        Self { signature, time, place }
    }
}

/// A signature of a bug, and how often it was seen.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Known {
    /// The bug.
    #[serde(with = "sign::hex")]
    pub bug: u64,
    /// The signature.
    #[serde(deserialize_with = "owned")]
    pub signature: Signature<'static>,
    /// How often.
    pub count: u32,
    /// When first, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// When last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// On which kernels: release, architecture, how often.
    pub kernels: Vec<(String, Option<Arch>, u32)>,
    /// Where, the first few.
    pub places: Vec<String>,
}

fn owned<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Signature<'static>, D::Error> {
    Signature::deserialize(from).map(Signature::into_owned)
}

/// What is known of a bug as a whole.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Record {
    /// Its id.
    #[serde(with = "sign::hex")]
    pub id: u64,
    /// What people said of it: `wontfix`, or any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The fix, if people said that there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<Fixed>,
    /// The bug that was fixed and came back as this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<u64>,
    /// Bugs that turned out to be this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<u64>,
}

/// A fix.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Fixed {
    /// The commit.
    pub by: String,
    /// The first release that has it, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The newest release that the bug was seen on when it was said to be fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Fixed {
    /// Whether a kernel should have the fix: by the release that has it, else if it is newer than all
    /// that the bug was seen on.
    fn is_in(&self, release: Option<&str>) -> bool {
        let age = |release: Option<&str>| release.and_then(sign::age);
        let Some(this) = age(release) else { return false };
        match (age(self.since.as_deref()), age(self.after.as_deref())) {
            (Some(since), _) => this >= since,
            (None, Some(after)) => this > after,
            (None, None) => false,
        }
    }
}

impl Record {
    /// The labels with the fix, for people.
    pub fn labels(&self) -> Vec<String> {
        let fixed = self.fixed.as_ref().map(|fixed| match &fixed.since {
            Some(since) => format!("fixed-by {} since {since}", fixed.by),
            None => format!("fixed-by {}", fixed.by),
        });
        let back = self.previous.map(|id| format!("came back: was {id:016x}"));
        fixed.into_iter().chain(back).chain(self.labels.iter().cloned()).collect()
    }

    /// Takes a label: `fixed-by COMMIT` with or without `since RELEASE`, or any text.
    fn label(&mut self, label: &str, newest: Option<String>) {
        let mut words = label.split_whitespace();
        if words.next() == Some("fixed-by")
            && let Some(by) = words.next()
        {
            let since = words.next().filter(|word| *word == "since").and_then(|_| words.next());
            self.fixed =
                Some(Fixed { by: by.to_owned(), since: since.map(str::to_owned), after: newest });
        } else if !self.labels.iter().any(|known| known == label) {
            self.labels.push(label.to_owned());
        }
    }
}

/// One line of an export.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Bug(Record),
    Known(Box<Known>),
}

enum Handle {
    Write(Database),
    Read(ReadOnlyDatabase),
}

/// A file that remembers bugs.
pub struct Store(Handle);

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

/// Runs what reads a file that may be damaged: the database checks what it reads, but not against
/// everything.
fn guarded<T>(what: &str, run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(Error(format!("{what}: the file is damaged"))))
}

impl Store {
    /// Opens a store to write to it; it is made if it is not there.
    ///
    /// # Errors
    ///
    /// The file is no store, damaged, of a newer schema, or another process writes to it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        guarded("cannot open the store", || {
            let mut builder = Database::builder();
            builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
            let db =
                builder.create(path).map_err(|error| failed("cannot open the store", &error))?;
            let write =
                db.begin_write().map_err(|error| failed("cannot write to the store", &error))?;
            let schema = (|| -> Result<u64, redb::Error> {
                let mut meta = write.open_table(META)?;
                let schema = meta.get("schema")?.map_or(SCHEMA, |schema| schema.value());
                if schema <= SCHEMA {
                    meta.insert("schema", SCHEMA)?;
                    write.open_table(SIGHTINGS)?;
                    write.open_table(BUGS)?;
                }
                Ok(schema)
            })();
            let schema = schema.map_err(|error| failed("cannot read the store", &error))?;
            check(schema)?;
            write.commit().map_err(|error| failed("cannot write to the store", &error))?;
            Ok(Self(Handle::Write(db)))
        })
    }

    /// Opens a store to read it, which others may do at the same time, and one may write.
    ///
    /// # Errors
    ///
    /// There is no such file, it is no store, damaged, or of a newer schema.
    pub fn open_read_only(path: &Path) -> Result<Self, Error> {
        guarded("cannot open the store", || {
            let mut builder = Database::builder();
            builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
            let db = builder
                .open_read_only(path)
                .map_err(|error| failed("cannot open the store", &error))?;
            let store = Self(Handle::Read(db));
            let schema = || -> Result<u64, redb::Error> {
                let read = store.read()?;
                Ok(read.open_table(META)?.get("schema")?.map_or(0, |schema| schema.value()))
            };
            check(schema().map_err(|error| failed("cannot read the store", &error))?)?;
            Ok(store)
        })
    }

    fn read(&self) -> Result<redb::ReadTransaction, redb::Error> {
        Ok(match &self.0 {
            Handle::Write(db) => db.begin_read()?,
            Handle::Read(db) => db.begin_read()?,
        })
    }

    /// All that is in the store. What is damaged is left out and counted.
    ///
    /// # Errors
    ///
    /// The file cannot be read at all.
    pub fn load(&self) -> Result<Contents, Error> {
        guarded("cannot read the store", || {
            self.load_tables().map_err(|error| failed("cannot read the store", &error))
        })
    }

    fn load_tables(&self) -> Result<Contents, redb::Error> {
        let read = self.read()?;
        let mut contents = Contents::default();
        for row in read.open_table(BUGS)?.iter()? {
            let (_, value) = row?;
            match serde_json::from_slice::<Record>(value.value()) {
                Ok(bug) => drop(contents.bugs.insert(bug.id, bug)),
                Err(_) => contents.damaged += 1,
            }
        }
        for row in read.open_table(SIGHTINGS)?.iter()? {
            let (_, value) = row?;
            match serde_json::from_slice::<Known>(value.value()) {
                Ok(known) if known.signature.version == sign::VERSION => contents.push(known),
                _ => contents.damaged += 1,
            }
        }
        contents.chain();
        Ok(contents)
    }

    /// Writes all of `contents` in one step.
    fn save(&self, contents: &Contents) -> Result<(), Error> {
        let Handle::Write(db) = &self.0 else {
            return Err(Error("the store was opened to be read only".to_owned()));
        };
        let save = || -> Result<(), redb::Error> {
            let write = db.begin_write()?;
            {
                let mut bugs = write.open_table(BUGS)?;
                bugs.retain(|id, _| contents.bugs.contains_key(&id))?;
                for bug in contents.bugs.values().filter(|bug| contents.changed.contains(&bug.id)) {
                    bugs.insert(bug.id, json(bug).as_slice())?;
                }
                let mut sightings = write.open_table(SIGHTINGS)?;
                sightings.retain(|key, _| contents.places.contains_key(&key))?;
                for known in
                    contents.known.iter().filter(|known| contents.changed.contains(&known.bug))
                {
                    sightings.insert((known.bug, known.signature.exact), json(known).as_slice())?;
                }
            }
            write.commit()?;
            Ok(())
        };
        save().map_err(|error| failed("cannot write to the store", &error))
    }

    /// Adds reports, and says of each which bug it is of.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written; then nothing of it was added.
    pub fn add(&self, sightings: &[Sighting<'_>]) -> Result<Vec<Outcome>, Error> {
        let mut contents = self.load()?;
        let outcomes = contents.add(sightings);
        self.save(&contents)?;
        Ok(outcomes)
    }

    /// Says something of a bug: `fixed-by COMMIT`, `fixed-by COMMIT since RELEASE`, `wontfix`, or any
    /// text.
    ///
    /// # Errors
    ///
    /// There is no such bug, or the file cannot be read or written.
    pub fn label(&self, bug: u64, label: &str) -> Result<(), Error> {
        let mut contents = self.load()?;
        let newest = contents.newest(bug);
        let record = contents.bugs.get_mut(&bug);
        record
            .ok_or_else(|| Error(format!("the store has no bug {bug:016x}")))?
            .label(label, newest);
        contents.changed.insert(bug);
        self.save(&contents)
    }

    /// Writes all as JSON Lines: first what is known of bugs, then their signatures.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or `out` fails.
    pub fn export(&self, out: &mut impl io::Write) -> Result<(), Error> {
        let contents = self.load()?;
        let bugs = contents.bugs.into_values().map(Line::Bug);
        for line in bugs.chain(contents.known.into_iter().map(|known| Line::Known(Box::new(known))))
        {
            let mut text = json(&line);
            text.push(b'\n');
            out.write_all(&text).map_err(|error| failed("cannot write the export", &error))?;
        }
        Ok(())
    }

    /// Adds what [`export`](Self::export) wrote; bugs that are in both become one.
    ///
    /// # Errors
    ///
    /// A line is not what an export writes; the message says which. Then nothing was added.
    pub fn import(&self, text: &[u8]) -> Result<(), Error> {
        let mut other = Contents::default();
        let lines = text
            .split(|b| *b == b'\n')
            .enumerate()
            .filter(|(_, line)| !line.trim_ascii().is_empty());
        for (number, line) in lines {
            let read = serde_json::from_slice(line);
            match read.map_err(|error| Error(format!("line {}: {error}", number + 1)))? {
                Line::Bug(bug) => drop(other.bugs.insert(bug.id, bug)),
                Line::Known(known) if known.signature.version == sign::VERSION => {
                    other.push(*known);
                }
                Line::Known(known) => {
                    let version = known.signature.version;
                    return Err(Error(format!(
                        "line {}: signed by version {version}, not {}",
                        number + 1,
                        sign::VERSION
                    )));
                }
            }
        }
        self.merge_contents(other)
    }

    /// Adds all of another store; bugs that are in both become one.
    ///
    /// # Errors
    ///
    /// A file cannot be read or written.
    pub fn merge(&self, other: &Self) -> Result<(), Error> {
        self.merge_contents(other.load()?)
    }

    fn merge_contents(&self, other: Contents) -> Result<(), Error> {
        let mut contents = self.load()?;
        for (id, bug) in other.bugs {
            let mine =
                contents.bugs.entry(id).or_insert_with(|| Record { id, ..Record::default() });
            let Record { labels, fixed, previous, merged, .. } = bug;
            mine.labels.extend(labels);
            mine.labels.sort();
            mine.labels.dedup();
            mine.fixed = mine.fixed.take().or(fixed);
            mine.previous = mine.previous.or(previous);
            mine.merged.extend(merged);
            mine.merged.sort_unstable();
            mine.merged.dedup();
            contents.changed.insert(id);
        }
        other.known.into_iter().for_each(|known| contents.push(known));
        contents.regroup(&[]);
        contents.changed = contents.bugs.keys().copied().collect();
        self.save(&contents)
    }
}

fn check(schema: u64) -> Result<(), Error> {
    if schema > SCHEMA {
        return Err(Error(format!(
            "the store has schema {schema}, this program knows {SCHEMA}: use a newer ksplat"
        )));
    }
    Ok(())
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// What became of a report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// The bug that it is of.
    pub bug: u64,
    /// Whether that was not known before.
    pub new: bool,
    /// The bug that was said to be fixed, if it is that one which came back.
    pub back: Option<u64>,
}

/// All that a store has.
#[derive(Debug, Default)]
pub struct Contents {
    /// What is known of each bug, by its id.
    pub bugs: BTreeMap<u64, Record>,
    /// The signatures that were seen.
    pub known: Vec<Known>,
    /// Rows that could not be read.
    pub damaged: usize,
    /// The bug that each came back as.
    later: HashMap<u64, u64>,
    /// Where each signature of a bug is in `known`.
    places: HashMap<(u64, u64), usize>,
    /// Bugs that are not in the file as they are here.
    changed: BTreeSet<u64>,
}

impl Contents {
    /// Adds a signature, or what is known of it to what was known before.
    fn push(&mut self, known: Known) {
        let key = (known.bug, known.signature.exact);
        if let Some(mine) = self.places.get(&key).and_then(|at| self.known.get_mut(*at)) {
            mine.take(known);
        } else {
            self.places.insert(key, self.known.len());
            self.known.push(known);
        }
    }

    /// An index of all signatures; its reports are numbered as they stand in [`Contents::known`].
    pub fn index(&self) -> Index {
        let mut index = Index::new();
        for known in &self.known {
            index.add(&known.signature, Seen { time: known.first, count: known.count });
        }
        index
    }

    fn add(&mut self, sightings: &[Sighting<'_>]) -> Vec<Outcome> {
        let groups = self.regroup(sightings);
        self.chain();
        let mut outcomes = Vec::with_capacity(sightings.len());
        for (sighting, group) in sightings.iter().zip(groups) {
            let (root, new) = group;
            let current = self.current(root);
            let release = sighting.signature.release.as_deref();
            let fixed = self.bugs.get(&current).and_then(|bug| bug.fixed.as_ref());
            let back = fixed.is_some_and(|fixed| fixed.is_in(release)).then_some(current);
            let bug = match back {
                None => current,
                Some(previous) => {
                    let id = self.free_id(sighting.signature.exact.rotate_left(1));
                    self.bugs
                        .insert(id, Record { id, previous: Some(previous), ..Record::default() });
                    self.later.insert(previous, id);
                    id
                }
            };
            self.push(Known::of(sighting, bug));
            self.changed.insert(bug);
            outcomes.push(Outcome { bug, new: new && back.is_none(), back });
        }
        outcomes
    }

    /// Groups all signatures with those of new reports, merges bugs that turn out to be one, and gives
    /// the bug of each new report, and whether it is new.
    fn regroup(&mut self, sightings: &[Sighting<'_>]) -> Vec<(u64, bool)> {
        let mut index = self.index();
        let old = self.known.len();
        for sighting in sightings {
            index.add(&sighting.signature, Seen { time: sighting.time, count: 1 });
        }
        let mut groups = vec![(0, false); sightings.len()];
        let mut merges = Merges::default();
        let first_seen = self.first_seen();
        for cluster in index.clusters() {
            let known =
                cluster.reports.iter().filter_map(|report| self.known.get(*report as usize));
            let roots: BTreeSet<u64> =
                known.map(|known| merges.find(self.root(known.bug))).collect();
            // The one that was seen first, else that with the smallest id.
            let seen = |id: &u64| (first_seen.get(id).copied().unwrap_or(u64::MAX), *id);
            let root = if let Some(winner) = roots.iter().copied().min_by_key(|id| seen(id)) {
                merges.join(&roots, winner);
                winner
            } else {
                let new = cluster.reports.iter().filter_map(|report| {
                    let at = (*report as usize).checked_sub(old)?;
                    Some(sightings.get(at)?.signature.exact)
                });
                let id = self.free_id(new.min().unwrap_or_default());
                self.bugs.insert(id, Record { id, ..Record::default() });
                self.changed.insert(id);
                id
            };
            for report in &cluster.reports {
                if let Some(group) =
                    (*report as usize).checked_sub(old).and_then(|at| groups.get_mut(at))
                {
                    *group = (root, roots.is_empty());
                }
            }
        }
        for (root, _) in &mut groups {
            *root = merges.find(*root);
        }
        self.merge_bugs(&merges);
        groups
    }

    /// When each bug was seen first.
    fn first_seen(&self) -> HashMap<u64, u64> {
        let mut seen: HashMap<u64, u64> = HashMap::new();
        for known in &self.known {
            let time = known.first.unwrap_or(u64::MAX);
            let first = seen.entry(self.root(known.bug)).or_insert(time);
            *first = time.min(*first);
        }
        seen
    }

    /// Makes one bug of those that are merged, with all that is known of them.
    fn merge_bugs(&mut self, merges: &Merges) {
        if merges.into.is_empty() {
            return;
        }
        let losers: BTreeSet<u64> = merges.into.keys().copied().collect();
        for loser in losers {
            let winner = merges.find(loser);
            if let Some(record) = self.bugs.remove(&loser)
                && let Some(kept) = self.bugs.get_mut(&winner)
            {
                kept.labels.extend(record.labels);
                kept.fixed = kept.fixed.take().or(record.fixed);
                kept.merged.push(loser);
                kept.merged.extend(record.merged);
            }
            self.changed.insert(winner);
        }
        for bug in self.bugs.values_mut() {
            if let Some(previous) = bug.previous {
                bug.previous = Some(merges.find(previous));
                if bug.previous != Some(previous) {
                    self.changed.insert(bug.id);
                }
            }
        }
        self.places.clear();
        for known in std::mem::take(&mut self.known) {
            let bug = merges.find(known.bug);
            self.push(Known { bug, ..known });
        }
    }

    /// The bug at the beginning of a chain of those that came back.
    fn root(&self, bug: u64) -> u64 {
        let mut seen = BTreeSet::from([bug]);
        let mut at = bug;
        while let Some(previous) = self.bugs.get(&at).and_then(|bug| bug.previous)
            && seen.insert(previous)
        {
            at = previous;
        }
        at
    }

    /// The bug at its end.
    fn current(&self, root: u64) -> u64 {
        let mut seen = BTreeSet::from([root]);
        let mut at = root;
        while let Some(next) = self.later.get(&at)
            && seen.insert(*next)
        {
            at = *next;
        }
        at
    }

    /// Finds again which bug came back as which.
    fn chain(&mut self) {
        let pairs = self.bugs.values().filter_map(|bug| Some((bug.previous?, bug.id)));
        self.later = pairs.collect();
    }

    fn free_id(&self, mut id: u64) -> u64 {
        while self.bugs.contains_key(&id) {
            id = id.wrapping_add(1);
        }
        id
    }

    /// The newest release that a bug was seen on.
    fn newest(&self, bug: u64) -> Option<String> {
        let known = self.known.iter().filter(|known| known.bug == bug);
        let releases = known.flat_map(|known| &known.kernels).map(|(release, ..)| release);
        let age = |release: &String| sign::age(release).unwrap_or(f32::MIN);
        releases.max_by(|a, b| age(a).total_cmp(&age(b))).cloned()
    }

    /// The bugs that are most like a report, the likest first, each with its best match.
    pub fn matches(
        &self,
        index: &Index,
        signature: &Signature<'_>,
        top: usize,
    ) -> Vec<(u64, Match)> {
        let mut found: Vec<(u64, Match)> = Vec::new();
        for candidate in index.matches(signature, top.saturating_mul(4)) {
            let Some(known) = self.known.get(candidate.report as usize) else { continue };
            if !found.iter().any(|(bug, _)| *bug == known.bug) {
                found.push((known.bug, candidate));
            }
        }
        found.truncate(top);
        found
    }

    /// The bug that a report is of by the rules of [`cluster`](crate::cluster), if it is a known one.
    pub fn bug_of(&self, index: &Index, signature: &Signature<'_>) -> Option<u64> {
        let known = self.known.get(index.same(signature)? as usize)?;
        Some(self.current(self.root(known.bug)))
    }

    /// The clusters as they are in the store: one for each bug.
    pub fn clusters(&self, index: &Index) -> Vec<(u64, Cluster)> {
        let mut reports: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for (number, known) in (0_u32..).zip(&self.known) {
            reports.entry(known.bug).or_default().push(number);
        }
        let mut clusters: Vec<_> = reports
            .into_iter()
            .map(|(bug, reports)| {
                let known = || reports.iter().filter_map(|report| self.known.get(*report as usize));
                let times = known()
                    .filter_map(|known| known.first)
                    .min()
                    .zip(known().filter_map(|known| known.last).max());
                let mut cluster = index.describe(reports.clone());
                cluster.id = format!("{bug:016x}");
                cluster.seen = times;
                cluster.set_kernels(known().flat_map(|known| known.kernels.iter().cloned()));
                (bug, cluster)
            })
            .collect();
        clusters.sort_by(|a, b| b.1.count.cmp(&a.1.count).then(a.0.cmp(&b.0)));
        clusters
    }
}

/// Bugs that turned out to be others.
#[derive(Debug, Default)]
struct Merges {
    into: HashMap<u64, u64>,
}

impl Merges {
    /// What a bug turned out to be: itself, unless it was merged.
    fn find(&self, mut bug: u64) -> u64 {
        while let Some(other) = self.into.get(&bug) {
            bug = *other;
        }
        bug
    }

    /// Makes all of these one of them, none of which was merged before.
    fn join(&mut self, bugs: &BTreeSet<u64>, winner: u64) {
        self.into.extend(bugs.iter().filter(|bug| **bug != winner).map(|bug| (*bug, winner)));
    }
}

impl Known {
    fn of(sighting: &Sighting<'_>, bug: u64) -> Self {
        let signature = sighting.signature.clone().into_owned();
        let kernel =
            signature.release.clone().map(|release| (release.into_owned(), signature.arch, 1));
        Self {
            bug,
            count: 1,
            first: sighting.time,
            last: sighting.time,
            kernels: kernel.into_iter().collect(),
            places: vec![sighting.place.clone()],
            signature,
        }
    }

    /// Adds what else is known of the same signature.
    fn take(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
        for (release, arch, count) in other.kernels {
            match self.kernels.iter_mut().find(|known| known.0 == release && known.1 == arch) {
                Some(known) => known.2 = known.2.saturating_add(count),
                None => self.kernels.push((release, arch, count)),
            }
        }
        for place in other.places {
            if self.places.len() < MAX_PLACES && !self.places.contains(&place) {
                self.places.push(place);
            }
        }
    }
}
