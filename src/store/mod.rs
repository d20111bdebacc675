//! A database file of known bugs: their reports, times and kernels.
//!
//! The file is a database of the crate redb. A write is atomic, also if the process or the machine
//! fails. Any number of processes can read while one writes.
//!
//! A store has each distinct signature with its count, the bug to which it belongs, and the
//! decisions of people about that bug. A new report is grouped with the known signatures by the
//! rules of [`cluster`](crate::cluster). If two bugs are found to be one they are merged, and the
//! older one keeps its ID. A bug with the label of a fix that is seen on a kernel which should have
//! the fix is a new bug, with the old one as [`previous`](BugRecord::previous).
//!
//! ```
//! use ksplat::store::{Sighting, Store};
//! use ksplat::{Analyzer, fingerprint};
//!
//! let path = std::env::temp_dir().join(format!("ksplat-example-{}", std::process::id()));
//! let log = b"kernel BUG at fs/a.c:1!\nRIP: 0010:f+0x1/0x2\nCall Trace:\n g+0x1/0x2\n";
//! let store = Store::open(&path)?;
//! # #[cfg(feature = "disasm")]
//! for (_, signature) in fingerprint::of_log(&Analyzer::new(), ksplat::reports(log)) {
//!     let known = store.load_for(&[&signature], 3)?;
//!     let index = known.index();
//!     match known.bug_of(&index, &signature) {
//!         Some(bug) => println!("bug {bug:016x}"),
//!         None => println!("new"),
//!     }
//!     for (bug, found) in known.matches(&index, &signature, 3) {
//!         println!("{:.2} {bug:016x} {}", found.score, found.evidence());
//!     }
//!     store.add(&[Sighting::new(signature, None, "console.log#0".to_owned())])?;
//! }
//! # drop(store);
//! std::fs::remove_file(path)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A file is created completely, beside its place. If a writer was killed, the next process that
//! opens the file repairs it ([`Store::notice`]). Each row has a checksum; a damaged row is in no
//! result. It is in [`Contents::damaged`], and the next writer moves it to a separate table.

mod check;
mod contents;
mod decision;
mod error;
mod exchange;
mod file;
mod fix;
mod legacy;
mod local;
mod pack;
mod postings;
mod row;
#[cfg(test)]
mod tests;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction,
};
use serde::{Deserialize, Serialize};

use crate::arch::Arch;
use crate::fingerprint::{self, Signature};
use file::Handle;
use postings::Reader;
use row::Tag;

pub use check::Checked;
pub use contents::{Added, Contents};
pub use decision::{Decision, DecisionKind, Remark};
pub use error::Error;
pub use fix::{Commit, Fix, Progress};
pub use row::{DamageKind, DamagedRow};

/// The version of the tables. A file of a newer version is refused; an older one is upgraded when
/// it is opened for writing.
pub const SCHEMA: u64 = 4;

/// The maximum number of bytes of a label.
pub const MAX_LABEL: usize = 4096;

/// The maximum number of places of one signature that are kept.
const MAX_PLACES: usize = 8;

/// The schema, the version of signatures, the ID of the store, and the number and the sum of the
/// checksums of the rows.
const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
/// All rows: see [`row`].
const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");
/// Damaged rows, unchanged.
const ASIDE: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("aside");

/// A report to add to a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sighting<'a> {
    /// The signature of the report.
    pub signature: Signature<'a>,
    /// The time in seconds since 1970-01-01 UTC, if it is known.
    pub time: Option<u64>,
    /// The place to find the report again, such as a file name.
    pub place: String,
    /// The fixes of its bug, if they are known.
    pub fixes: Vec<Fix>,
    /// A label of its bug, and a remark.
    pub label: Option<(String, Remark)>,
}

impl<'a> Sighting<'a> {
    /// Makes a sighting of a report.
    pub fn new(signature: Signature<'a>, time: Option<u64>, place: String) -> Self {
        Self { signature, time, place, fixes: Vec::new(), label: None }
    }

    /// Adds a fix of its bug.
    #[must_use]
    pub fn with_fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// Adds a label, which the bug gets when the report is added. A label with a fix is stored with
    /// the signature as well.
    #[must_use]
    pub fn with_label(mut self, label: &str, remark: Remark) -> Self {
        self.fixes.extend(Fix::of_label(label));
        self.label = Some((label.to_owned(), remark));
        self
    }
}

/// A signature of a bug, and its count.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Known {
    /// The ID of the bug.
    #[serde(with = "fingerprint::hex")]
    pub bug: u64,
    /// The signature.
    #[serde(deserialize_with = "owned")]
    pub signature: Signature<'static>,
    /// The number of reports with this signature.
    pub count: u32,
    /// The time of the first report, in seconds since 1970-01-01 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// The time of the last report, in seconds since 1970-01-01 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// The kernels: release, architecture, number of reports.
    pub kernels: Vec<(String, Option<Arch>, u32)>,
    /// The places of the first few reports.
    pub places: Vec<String>,
    /// The fixes whose messages quote it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<Fix>,
    /// The store that counted it, if there is only one.
    #[serde(with = "fingerprint::hex_option", default, skip_serializing_if = "Option::is_none")]
    pub store: Option<u64>,
    /// The counts of each store, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<Count>,
}

/// The count of a signature in a store.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Count {
    /// The ID of the store.
    #[serde(with = "fingerprint::hex")]
    pub store: u64,
    /// The number of reports.
    pub count: u32,
    /// The time of the first one, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// The time of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// The kernels: release, architecture, number of reports.
    pub kernels: Vec<(String, Option<Arch>, u32)>,
}

fn owned<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Signature<'static>, D::Error> {
    Signature::deserialize(from).map(Signature::into_owned)
}

/// The record of a bug.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BugRecord {
    /// The ID.
    #[serde(with = "fingerprint::hex")]
    pub id: u64,
    /// The labels: `wontfix`, or any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The fix, if a label names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<Fixed>,
    /// The fixed bug that reappeared as this one.
    #[serde(with = "fingerprint::hex_option", default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<u64>,
    /// The bug of which this one was a part, until it was split.
    #[serde(with = "fingerprint::hex_option", default, skip_serializing_if = "Option::is_none")]
    pub split_from: Option<u64>,
    /// Bugs that were merged into this one.
    #[serde(with = "hex_list", default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<u64>,
}

/// A fix.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Fixed {
    /// The commit.
    pub by: String,
    /// The first release with the commit, if the label names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The newest release on which the bug was seen when the label was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Fixed {
    /// Returns whether a kernel should have the fix: its release is not older than `since`, or,
    /// without `since`, it is newer than all releases on which the bug was seen.
    fn is_in(&self, release: Option<&str>) -> bool {
        let age = |release: Option<&str>| release.and_then(fingerprint::age);
        let Some(this) = age(release) else { return false };
        match (age(self.since.as_deref()), age(self.after.as_deref())) {
            (Some(since), _) => this >= since,
            (None, Some(after)) => this > after,
            (None, None) => false,
        }
    }
}

impl BugRecord {
    /// Returns the labels, the fix among them as `fixed-by …`.
    pub fn labels(&self) -> Vec<String> {
        let fixed = self.fixed.as_ref().map(|fixed| match &fixed.since {
            Some(since) => format!("fixed-by {} since {since}", fixed.by),
            None => format!("fixed-by {}", fixed.by),
        });
        let back = self.previous.map(|id| format!("came back: was {id:016x}"));
        let split = self.split_from.map(|id| format!("split from {id:016x}"));
        fixed.into_iter().chain(back).chain(split).chain(self.labels.iter().cloned()).collect()
    }
}

impl Fixed {
    /// Reads a label: `fixed-by COMMIT` with or without `since RELEASE`.
    fn parse(label: &str, after: Option<String>) -> Option<Self> {
        let mut words = label.split_whitespace();
        let by = words.next().filter(|word| *word == "fixed-by").and_then(|_| words.next())?;
        let since = words.next().filter(|word| *word == "since").and_then(|_| words.next());
        Some(Self { by: by.to_owned(), since: since.map(str::to_owned), after })
    }
}

/// The state of a store when it was opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// A writer was killed; the file was repaired, and has all writes.
    Repaired,
    /// A writer was killed, and the file cannot be repaired from here; its last state is read.
    LastState,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Repaired => {
                "the store was not closed by its last writer; it is repaired and has all that was written"
            }
            Self::LastState => {
                "the store was not closed by its last writer and cannot be written to; its last state is read"
            }
        })
    }
}

/// A database file of known bugs.
///
/// See the [module](self) for an example.
pub struct Store {
    handle: Handle,
    path: PathBuf,
    notice: Option<Notice>,
    schema: u64,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Runs code that reads a file that may be damaged, and converts a panic to an error: redb does not
/// detect all damage.
fn guarded<T>(path: &Path, run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(Error::Damaged { path: path.to_owned(), source: None }))
}

impl Store {
    /// Opens a store for writing; it is created if it does not exist, or is an empty file.
    ///
    /// A symbolic link is refused. If a writer was killed, the file is repaired.
    ///
    /// # Errors
    ///
    /// The file is not a store, is damaged, has a newer schema, or is open for writing in another
    /// process.
    pub fn open(path: &Path) -> Result<Self, Error> {
        guarded(path, || {
            let (db, notice) = file::write(path)?;
            let read = db.begin_read().map_err(|error| Error::read(path, error))?;
            let schema = file::schema(path, &read)?;
            let is_old = schema.is_some_and(|schema| schema < SCHEMA)
                || schema.is_some() && file::version(&read) < u64::from(fingerprint::VERSION);
            drop(read);
            let handle = Handle::Write(db);
            let mut store =
                Self { handle, path: path.to_owned(), notice, schema: schema.unwrap_or(SCHEMA) };
            if schema.is_none()
                && let Handle::Write(db) = &store.handle
            {
                file::tables(db).map_err(|error| Error::write(path, error))?;
            }
            if is_old {
                store.upgrade()?;
            }
            Ok(store)
        })
    }

    /// Opens a store for reading. Others can read it at the same time, and one can write to it.
    ///
    /// If a writer was killed, the file is repaired if it is writable; otherwise its last state is
    /// read. An empty file is a store without bugs.
    ///
    /// # Errors
    ///
    /// The file does not exist, is not a store, is damaged, or has a newer schema.
    pub fn open_read_only(path: &Path) -> Result<Self, Error> {
        guarded(path, || {
            let (handle, notice) = file::read(path)?;
            let read = handle.begin().map_err(|error| Error::read(path, error))?;
            let schema = read.as_ref().map(|read| file::schema(path, read)).transpose()?.flatten();
            // A file without tables is one whose writer was killed before it created them.
            let handle = if schema.is_none() { Handle::Empty } else { handle };
            let schema = schema.unwrap_or(SCHEMA);
            Ok(Self { handle, path: path.to_owned(), notice, schema })
        })
    }

    /// Returns the state of the store when it was opened, if it needs a message.
    pub fn notice(&self) -> Option<Notice> {
        self.notice
    }

    /// Returns the contents of the store. Damaged rows are left out, and are in
    /// [`Contents::damaged`].
    ///
    /// # Errors
    ///
    /// The file cannot be read at all.
    pub fn load(&self) -> Result<Contents, Error> {
        let read = self.handle.begin().map_err(|error| Error::read(&self.path, error))?;
        self.load_from(read.as_ref())
    }

    /// Returns the contents that a transaction sees.
    fn load_from(&self, read: Option<&ReadTransaction>) -> Result<Contents, Error> {
        let path = &self.path;
        guarded(path, || {
            let contents = match read {
                None => Ok(Contents::default()),
                Some(read) if self.schema < legacy::ROWS_SINCE => legacy::load(read),
                Some(read) => load(read),
            };
            contents.map_err(|error| Error::read(path, error))
        })
    }

    fn database(&self) -> Result<&Database, Error> {
        match &self.handle {
            Handle::Write(db) => Ok(db),
            _ => Err(Error::ReadOnly { path: self.path.clone() }),
        }
    }

    /// Converts the tables of the first schema, or signatures of an older version, to this one.
    fn upgrade(&mut self) -> Result<(), Error> {
        let mut contents = self.load()?;
        contents.regroup(&[]);
        contents.changed = contents.bugs.keys().copied().collect();
        contents.changed.extend(contents.known.iter().map(|known| known.bug));
        let id = contents.store;
        let (path, db) = (&self.path, self.database()?);
        let upgrade = || -> Result<(), redb::Error> {
            let write = db.begin_write()?;
            save(&write, &contents)?;
            if self.schema < legacy::ROWS_SINCE {
                legacy::delete(&write)?;
            }
            let mut meta = write.open_table(META)?;
            meta.insert("schema", SCHEMA)?;
            meta.insert("id", id)?;
            meta.insert("fingerprint", u64::from(fingerprint::VERSION))?;
            drop(meta);
            Ok(write.commit()?)
        };
        upgrade().map_err(|error| Error::write(path, error))?;
        self.schema = SCHEMA;
        Ok(())
    }

    /// Writes all of `contents` in one transaction.
    fn save(&self, contents: &Contents) -> Result<(), Error> {
        let db = self.database()?;
        let run = || -> Result<(), redb::Error> {
            let write = db.begin_write()?;
            save(&write, contents)?;
            Ok(write.commit()?)
        };
        guarded(&self.path, || run().map_err(|error| Error::write(&self.path, error)))
    }

    /// Adds reports in one transaction, and returns the bug of each, in the same order.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written. Then no report is added.
    pub fn add(&self, sightings: &[Sighting<'_>]) -> Result<Vec<Added>, Error> {
        Ok(self.add_with(sightings)?.0)
    }

    /// Adds reports, and returns the new contents as well: all, or the bugs that the reports reach.
    ///
    /// # Errors
    ///
    /// See [`add`](Self::add).
    pub fn add_with(&self, sightings: &[Sighting<'_>]) -> Result<(Vec<Added>, Contents), Error> {
        let labels = sightings.iter().filter_map(|sighting| sighting.label.as_ref());
        if let Some(len) = labels.map(|(text, _)| text.len()).find(|len| *len > MAX_LABEL) {
            return Err(Error::LongLabel { len });
        }
        if let Some(added) = self.add_locally(sightings)? {
            return Ok(added);
        }
        let mut contents = self.load()?;
        let outcomes = contents.add(sightings);
        self.save(&contents)?;
        Ok((outcomes, contents))
    }

    /// Adds reports to the rows that they reach; `None` if all rows must be read: the store is
    /// small for so many reports, or a row is damaged.
    fn add_locally(
        &self,
        sightings: &[Sighting<'_>],
    ) -> Result<Option<(Vec<Added>, Contents)>, Error> {
        let db = self.database()?;
        let run = || -> Result<_, redb::Error> {
            let reader = self.reader()?;
            let is_large = |reader: &Reader| sightings.len() * FEW < reader.len as usize;
            let Some(reader) = reader.filter(is_large) else { return Ok(None) };
            let (contents, added, changes) = local::add(&reader, sightings)?;
            // Pages without a reader can be reused.
            drop(reader);
            let write = db.begin_write()?;
            save_rows(&write, &contents)?;
            postings::change(&write, &changes, &contents)?;
            write.commit()?;
            Ok(Some((added, contents)))
        };
        whole(guarded(&self.path, || Ok(run())), &self.path, Error::write)
    }

    /// Returns the contents that are needed to find the bugs of signatures, and the `top` most
    /// similar ones: all, or those that the signatures reach.
    ///
    /// # Errors
    ///
    /// The file cannot be read at all.
    pub fn load_for(&self, signatures: &[&Signature<'_>], top: usize) -> Result<Contents, Error> {
        let run = || -> Result<_, redb::Error> {
            let Some(reader) = self.reader()? else { return Ok(None) };
            if signatures.len() * FEW >= reader.len as usize {
                return Ok(None);
            }
            local::find(&reader, signatures, top).map(Some)
        };
        match whole(guarded(&self.path, || Ok(run())), &self.path, Error::read)? {
            Some(contents) => Ok(contents),
            None => self.load(),
        }
    }

    fn reader(&self) -> Result<Option<Reader>, redb::Error> {
        if self.schema < SCHEMA {
            return Ok(None);
        }
        let Some(read) = self.handle.begin()? else { return Ok(None) };
        // Reading all rows converts signatures of an older version.
        let is_old = file::version(&read) < u64::from(fingerprint::VERSION);
        if is_old { Ok(None) } else { Reader::new(&read) }
    }
}

/// The minimum number of stored signatures for each report. With fewer, reading all rows is less
/// work than following the keys.
const FEW: usize = if cfg!(test) { 1 } else { 8 };

/// Converts damage found by a partial read to `None`, so that all rows are read, and the damage is
/// reported.
fn whole<T>(
    result: Result<Result<Option<T>, redb::Error>, Error>,
    path: &Path,
    error: impl Fn(&Path, redb::Error) -> Error,
) -> Result<Option<T>, Error> {
    match result {
        Ok(Err(redb::Error::Corrupted(_))) | Err(Error::Damaged { .. }) => Ok(None),
        Ok(result) => result.map_err(|source| error(path, source)),
        Err(error) => Err(error),
    }
}

/// Reads all rows.
fn load(read: &ReadTransaction) -> Result<Contents, redb::Error> {
    let mut contents = Contents::default();
    let (mut count, mut sum) = (0_u64, 0_u64);
    for row in read.open_table(ROWS)?.iter()? {
        let (key, value) = row?;
        let (key, value) = (key.value(), value.value());
        count += 1;
        sum = sum.wrapping_add(row::sum(value));
        if let Err(kind) = contents.take(key, value) {
            contents.damaged.push(DamagedRow::new(key, value, kind));
        }
    }
    let meta = read.open_table(META)?;
    let of = |name| meta.get(name).map(|value| value.map_or(0, |value| value.value()));
    if (of("rows")?, of("sum")?) != (count, sum) && contents.damaged.is_empty() {
        contents.damaged.push(DamagedRow::missing());
    }
    for row in read.open_table(ASIDE)?.iter()? {
        let (key, value) = row?;
        let (key, value) = (key.value(), value.value());
        let kind = Contents::default().take(key, value).err().unwrap_or(DamageKind::Checksum);
        contents.damaged.push(DamagedRow { is_aside: true, ..DamagedRow::new(key, value, kind) });
    }
    contents.store = of("id")?;
    contents.resign_decisions();
    contents.chain();
    contents.loaded.0 = contents.bugs.keys().copied().collect();
    Ok(contents)
}

/// Writes the changes, and the postings if all signatures were grouped.
fn save(write: &WriteTransaction, contents: &Contents) -> Result<(), redb::Error> {
    save_rows(write, contents)?;
    match &contents.grouped {
        Some((index, exemplars)) => postings::make(write, contents, index, exemplars),
        None if contents.damaged.is_empty() => Ok(()),
        // They may refer to rows that are moved aside.
        None => postings::delete(write),
    }
}

/// Writes the changes, and moves damaged rows aside.
fn save_rows(write: &WriteTransaction, contents: &Contents) -> Result<(), redb::Error> {
    let mut rows = write.open_table(ROWS)?;
    let mut meta = write.open_table(META)?;
    let of = |name| meta.get(name).map(|value| value.map_or(0, |value| value.value()));
    let (mut count, mut sum) = (of("rows")?, of("sum")?);
    let mut set = |key: &[u8], row: Option<&[u8]>| -> Result<(), redb::Error> {
        let old = match row {
            Some(row) => rows.insert(key, row)?,
            None => rows.remove(key)?,
        };
        if let Some(old) = old {
            count = count.wrapping_sub(1);
            sum = sum.wrapping_sub(row::sum(old.value()));
        }
        if let Some(row) = row {
            count = count.wrapping_add(1);
            sum = sum.wrapping_add(row::sum(row));
        }
        Ok(())
    };
    let mut aside = write.open_table(ASIDE)?;
    for damaged in contents.damaged.iter().filter(|row| !row.is_aside && !row.raw.0.is_empty()) {
        let (key, row) = &damaged.raw;
        aside.insert(key.as_slice(), row.as_slice())?;
        set(key, None)?;
    }
    for id in contents.loaded.0.iter().filter(|id| !contents.bugs.contains_key(id)) {
        set(&Tag::Bug.key(&[*id]), None)?;
    }
    for (bug, exact) in contents.loaded.1.iter().filter(|key| !contents.places.contains_key(key)) {
        set(&Tag::Known.key(&[*bug, *exact]), None)?;
    }
    for bug in contents.bugs.values().filter(|bug| contents.changed.contains(&bug.id)) {
        let key = Tag::Bug.key(&[bug.id]);
        set(&key, Some(&row::seal(&key, bug)))?;
    }
    for decision in contents.decisions.values() {
        if contents.new_decisions.contains(&decision.id) {
            let key = Tag::Decision.key(&[decision.id]);
            set(&key, Some(&row::seal(&key, decision)))?;
        }
    }
    for known in contents.known.iter().filter(|known| contents.changed.contains(&known.bug)) {
        let of = (known.bug, known.signature.exact);
        if contents.loaded.1.contains(&of) && !contents.dirty.contains(&of) {
            continue;
        }
        let key = Tag::Known.key(&[of.0, of.1]);
        set(&key, Some(&row::seal(&key, known)))?;
    }
    meta.insert("rows", count)?;
    meta.insert("sum", sum)?;
    Ok(())
}

/// IDs as lists of sixteen hexadecimal digits each.
mod hex_list {
    use std::borrow::Cow;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(ids: &[u64], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(ids.iter().map(|id| format!("{id:016x}")))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u64>, D::Error> {
        let texts = Vec::<Cow<'de, str>>::deserialize(from)?;
        texts.iter().map(|text| u64::from_str_radix(text, 16).map_err(D::Error::custom)).collect()
    }
}
