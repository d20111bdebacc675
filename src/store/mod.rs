//! A file that remembers which bugs were seen, when, and on which kernels.
//!
//! It is a database of the crate redb: a write is there as a whole or not at all, whatever happens to
//! the process or the machine; any number of processes may read while one writes.
//!
//! What is kept is each distinct signature with its count, the bug that it was found to be of, and
//! what people said of that bug. A new report is grouped with all that is known by the rules of
//! [`cluster`](crate::cluster); two bugs that turn out to be one are merged, and the older keeps its
//! id. A bug that was said to be fixed and is seen on a kernel that should have the fix is a new bug
//! with the old one as [`previous`](BugRecord::previous).

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

/// The version of the tables. A file of a newer one is refused; an older one is brought up to date
/// when it is opened for writing.
pub const SCHEMA: u64 = 1;

/// The most places that are kept of one signature.
const MAX_PLACES: usize = 8;

const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
const SIGHTINGS: TableDefinition<'static, (u64, u64), &[u8]> = TableDefinition::new("sightings");
const BUGS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("bugs");

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
    #[serde(with = "fingerprint::hex")]
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
pub struct BugRecord {
    /// Its id.
    #[serde(with = "fingerprint::hex")]
    pub id: u64,
    /// What people said of it: `wontfix`, or any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The fix, if people said that there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<Fixed>,
    /// The bug that was fixed and came back as this one.
    #[serde(with = "fingerprint::hex_option", default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<u64>,
    /// Bugs that turned out to be this one.
    #[serde(with = "hex_list", default, skip_serializing_if = "Vec::is_empty")]
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
    Bug(BugRecord),
    Known(Box<Known>),
}

enum Handle {
    Write(Database),
    Read(ReadOnlyDatabase),
}

/// A file that remembers bugs.
pub struct Store {
    handle: Handle,
    path: PathBuf,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Runs what reads a file that may be damaged: the database checks what it reads, but not against
/// everything.
fn guarded<T>(path: &Path, run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(Error::Damaged { path: path.to_owned(), source: None }))
}

impl Store {
    /// Opens a store to write to it; it is made if it is not there.
    ///
    /// # Errors
    ///
    /// The file is no store, damaged, of a newer schema, or another process writes to it.
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

    /// Opens a store to read it, which others may do at the same time, and one may write.
    ///
    /// # Errors
    ///
    /// There is no such file, it is no store, damaged, or of a newer schema.
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

    /// All that is in the store. What is damaged is left out and counted.
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

    /// Writes all of `contents` in one step.
    fn save(&self, contents: &Contents) -> Result<(), Error> {
        let Handle::Write(db) = &self.handle else {
            return Err(Error::ReadOnly { path: self.path.clone() });
        };
        let save = || -> Result<(), redb::Error> {
            let write = db.begin_write()?;
            {
                let mut bugs = write.open_table(BUGS)?;
                // Rows that could not be read are left as they are.
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

    /// Adds reports, and says of each which bug it is of.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written; then nothing of it was added.
    pub fn add(&self, sightings: &[Sighting<'_>]) -> Result<Vec<Added>, Error> {
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
        let merged = contents.bugs.values().find(|known| known.merged.contains(&bug));
        let bug = merged.map_or(bug, |known| known.id);
        let newest = contents.newest(bug);
        let record = contents.bugs.get_mut(&bug);
        let no_bug = || Error::NoBug { path: self.path.clone(), id: bug };
        record.ok_or_else(no_bug)?.label(label, newest);
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
            out.write_all(&text).map_err(|source| Error::Export { source })?;
        }
        Ok(())
    }

    /// Adds what [`export`](Self::export) wrote; bugs that are in both become one, and their counts are
    /// added.
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

/// Ids as lists of sixteen hexadecimal digits each.
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
