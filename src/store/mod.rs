//! A database file of known bugs: which were seen, when, and on which kernels.
//!
//! The file is a database of the crate redb. A write is atomic, also if the process or the machine
//! fails. Any number of processes can read while one writes.
//!
//! The file has each distinct signature with its count, its bug, and the labels of the bug. A new
//! report is grouped with all known ones by the rules of [`cluster`](crate::cluster). Two bugs that
//! are found to be one are merged, and the older one keeps its ID. If a bug with a `fixed-by` label
//! is seen on a kernel that should have the fix, it becomes a new bug with the old one as
//! [`previous`](BugRecord::previous).
//!
//! # Examples
//!
//! ```
//! use ksplat::fingerprint::Signature;
//! use ksplat::store::{Sighting, Store};
//!
//! # let directory = std::env::temp_dir().join(format!("ksplat-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&directory)?;
//! # let path = directory.join("bugs.ksplat");
//! let log = b"BUG: kernel NULL pointer dereference, address: 0000000000000008\n\
//!             RIP: 0010:cm_a_lookup+0x1d/0x40 [crashme]\n\
//!             Call Trace:\n cm_a_open+0x5/0x10 [crashme]\n cm_write+0x139/0x1d0 [crashme]\n";
//! let report = ksplat::reports(log).next().expect("a report");
//! let sighting = || Sighting::new(Signature::of(&report), Some(1_790_000_000), "a.log".into());
//!
//! let store = Store::open(&path)?;
//! let first = store.add(&[sighting()])?;
//! let second = store.add(&[sighting()])?;
//! assert!(first[0].new && !second[0].new);
//! assert_eq!(first[0].bug, second[0].bug);
//!
//! store.label(first[0].bug, "fixed-by 0123456789ab since 6.13")?;
//! let contents = store.load()?;
//! assert_eq!(contents.known[0].count, 2);
//! # drop(store);
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod contents;
mod error;

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{
    ConcurrencyMode, Database, ReadOnlyDatabase, ReadableDatabase, ReadableTable, TableDefinition,
};
use serde::{Deserialize, Serialize};

use crate::arch::Arch;
use crate::escape;
use crate::fingerprint::{self, Signature};

pub use contents::{Added, Contents};
pub use error::Error;

/// The version of the tables. A file with a newer version is rejected; one with an older version is
/// converted when it is opened for writing.
pub const SCHEMA: u64 = 1;

/// The most places that are kept of one signature.
const MAX_PLACES: usize = 8;

const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
const SIGHTINGS: TableDefinition<'static, (u64, u64), &[u8]> = TableDefinition::new("sightings");
const BUGS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("bugs");

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
}

impl<'a> Sighting<'a> {
    /// Makes a sighting of a report.
    pub fn new(signature: Signature<'a>, time: Option<u64>, place: String) -> Self {
        Self { signature, time, place }
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
    /// The IDs of bugs that were merged into this one.
    #[serde(with = "hex_list", default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<u64>,
}

/// A fix, from a `fixed-by` label.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Fixed {
    /// The commit.
    pub by: String,
    /// The first release with the commit, if the label names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The newest release that the bug was seen on when the label was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Fixed {
    /// Returns whether a kernel should have the fix: its release is not older than `since`, or,
    /// without `since`, it is newer than all that the bug was seen on.
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
        fixed.into_iter().chain(back).chain(self.labels.iter().cloned()).collect()
    }

    /// Applies a label: `fixed-by COMMIT` with or without `since RELEASE`, or any text.
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

/// A line of an export.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Bug(BugRecord),
    Known(Box<Known>),
}

enum Handle {
    Write(Database),
    Read(ReadOnlyDatabase),
}

/// A database file of known bugs.
///
/// See the [module](self) for an example.
pub struct Store {
    handle: Handle,
    path: PathBuf,
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
    /// Opens a store for reading and writing, and creates it if the file does not exist.
    ///
    /// # Errors
    ///
    /// The file is not a store, is damaged, has a newer schema, or is open for writing in another
    /// process.
    pub fn open(path: &Path) -> Result<Self, Error> {
        guarded(path, || {
            let mut builder = Database::builder();
            builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
            let db = builder.create(path).map_err(|error| Error::open(path, error))?;
            let write = db.begin_write().map_err(|error| Error::write(path, error))?;
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
            check(path, schema.map_err(|error| Error::read(path, error))?)?;
            write.commit().map_err(|error| Error::write(path, error))?;
            Ok(Self { handle: Handle::Write(db), path: path.to_owned() })
        })
    }

    /// Opens a store for reading. Others can read it at the same time, and one can write to it.
    ///
    /// # Errors
    ///
    /// The file does not exist, is not a store, is damaged, or has a newer schema.
    pub fn open_read_only(path: &Path) -> Result<Self, Error> {
        guarded(path, || {
            let mut builder = Database::builder();
            builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
            let db = builder.open_read_only(path).map_err(|error| Error::open(path, error))?;
            let store = Self { handle: Handle::Read(db), path: path.to_owned() };
            let schema = || -> Result<u64, redb::Error> {
                let read = store.read()?;
                Ok(read.open_table(META)?.get("schema")?.map_or(0, |schema| schema.value()))
            };
            check(path, schema().map_err(|error| Error::read(path, error))?)?;
            Ok(store)
        })
    }

    fn read(&self) -> Result<redb::ReadTransaction, redb::Error> {
        Ok(match &self.handle {
            Handle::Write(db) => db.begin_read()?,
            Handle::Read(db) => db.begin_read()?,
        })
    }

    /// Reads the contents of the store. Damaged rows are skipped and counted in
    /// [`Contents::damaged`].
    ///
    /// # Errors
    ///
    /// The file cannot be read at all.
    pub fn load(&self) -> Result<Contents, Error> {
        let path = &self.path;
        guarded(path, || self.load_tables().map_err(|error| Error::read(path, error)))
    }

    fn load_tables(&self) -> Result<Contents, redb::Error> {
        let read = self.read()?;
        let mut contents = Contents::default();
        for row in read.open_table(BUGS)?.iter()? {
            let (_, value) = row?;
            match serde_json::from_slice::<BugRecord>(value.value()) {
                Ok(bug) => drop(contents.bugs.insert(bug.id, bug)),
                Err(_) => contents.damaged += 1,
            }
        }
        for row in read.open_table(SIGHTINGS)?.iter()? {
            let (_, value) = row?;
            match serde_json::from_slice::<Known>(value.value()) {
                Ok(known) if known.signature.version == fingerprint::VERSION => {
                    contents.push(known);
                }
                _ => contents.damaged += 1,
            }
        }
        contents.chain();
        contents.loaded.0 = contents.bugs.keys().copied().collect();
        contents.loaded.1 = contents.places.keys().copied().collect();
        Ok(contents)
    }

    /// Writes all of `contents` in one transaction.
    fn save(&self, contents: &Contents) -> Result<(), Error> {
        let Handle::Write(db) = &self.handle else {
            return Err(Error::ReadOnly { path: self.path.clone() });
        };
        let save = || -> Result<(), redb::Error> {
            let write = db.begin_write()?;
            {
                let mut bugs = write.open_table(BUGS)?;
                // Keeps the rows that could not be read.
                for id in contents.loaded.0.iter().filter(|id| !contents.bugs.contains_key(id)) {
                    bugs.remove(id)?;
                }
                for bug in contents.bugs.values().filter(|bug| contents.changed.contains(&bug.id)) {
                    bugs.insert(bug.id, json(bug).as_slice())?;
                }
                let mut sightings = write.open_table(SIGHTINGS)?;
                for key in contents.loaded.1.iter().filter(|key| !contents.places.contains_key(key))
                {
                    sightings.remove(key)?;
                }
                for known in
                    contents.known.iter().filter(|known| contents.changed.contains(&known.bug))
                {
                    sightings.insert((known.bug, known.signature.exact), json(known).as_slice())?;
                }
            }
            write.commit()?;
            Ok(())
        };
        save().map_err(|error| Error::write(&self.path, error))
    }

    /// Adds reports in one transaction, and returns the bug of each, in the same order.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written. Then no report was added.
    pub fn add(&self, sightings: &[Sighting<'_>]) -> Result<Vec<Added>, Error> {
        let mut contents = self.load()?;
        let outcomes = contents.add(sightings);
        self.save(&contents)?;
        Ok(outcomes)
    }

    /// Adds a label to a bug: `fixed-by COMMIT`, `fixed-by COMMIT since RELEASE`, `wontfix`, or any
    /// text.
    ///
    /// # Errors
    ///
    /// No bug has this ID, or the file cannot be read or written.
    pub fn label(&self, bug: u64, label: &str) -> Result<(), Error> {
        let mut contents = self.load()?;
        let merged = contents.bugs.values().find(|known| known.merged.contains(&bug));
        let bug = merged.map_or(bug, |known| known.id);
        let newest = contents.newest(bug);
        let record = contents.bugs.get_mut(&bug);
        let no_bug = || Error::NoBug { path: self.path.clone(), id: bug };
        record.ok_or_else(no_bug)?.label(label, newest);
        contents.changed.insert(bug);
        self.save(&contents)
    }

    /// Writes the contents as JSON Lines: first the records of bugs, then their signatures.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or `out` returns an error.
    pub fn export(&self, out: &mut impl io::Write) -> Result<(), Error> {
        let contents = self.load()?;
        let bugs = contents.bugs.into_values().map(Line::Bug);
        for line in bugs.chain(contents.known.into_iter().map(|known| Line::Known(Box::new(known))))
        {
            let mut text = json(&line);
            text.push(b'\n');
            out.write_all(&text).map_err(|source| Error::Export { source })?;
        }
        Ok(())
    }

    /// Adds the contents of an [`export`](Self::export). Bugs that are in both become one, and
    /// their counts are added.
    ///
    /// # Errors
    ///
    /// A line is not a line of an export, and the message names it; or the file cannot be read or
    /// written. Then nothing was added.
    pub fn import(&self, text: &[u8]) -> Result<(), Error> {
        let mut other = Contents::default();
        let lines = text
            .split(|b| *b == b'\n')
            .enumerate()
            .filter(|(_, line)| !line.trim_ascii().is_empty());
        for (number, line) in lines {
            let number = number + 1;
            let read = serde_json::from_slice(line);
            match read.map_err(|source| Error::Import { line: number, source })? {
                Line::Bug(bug) => drop(other.bugs.insert(bug.id, bug)),
                Line::Known(known) if known.signature.version == fingerprint::VERSION => {
                    other.push(*known);
                }
                Line::Known(known) => {
                    let (found, supported) = (known.signature.version, fingerprint::VERSION);
                    return Err(Error::ImportVersion { line: number, found, supported });
                }
            }
        }
        self.merge_contents(other)
    }

    /// Adds the contents of another store. Bugs that are in both become one.
    ///
    /// # Errors
    ///
    /// One of the files cannot be read or written.
    pub fn merge(&self, other: &Self) -> Result<(), Error> {
        self.merge_contents(other.load()?)
    }

    fn merge_contents(&self, other: Contents) -> Result<(), Error> {
        let mut contents = self.load()?;
        for (id, bug) in other.bugs {
            let mine =
                contents.bugs.entry(id).or_insert_with(|| BugRecord { id, ..BugRecord::default() });
            let BugRecord { labels, fixed, previous, merged, .. } = bug;
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

fn check(path: &Path, found: u64) -> Result<(), Error> {
    if found > SCHEMA {
        return Err(Error::NewerSchema { path: path.to_owned(), found, supported: SCHEMA });
    }
    Ok(())
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::new();
    escape::write_json(&mut text, value, &[]).map(|()| text).unwrap_or_default()
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
