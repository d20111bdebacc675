//! Creates, opens and repairs the file of a store.
//!
//! A file is created beside its place, written to the disk and renamed, so that no process sees an
//! incomplete one. The replaced file is empty and locked, so no store is overwritten.

use std::collections::hash_map::RandomState;
use std::fs::{self, File, Metadata, OpenOptions};
use std::hash::BuildHasher;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyDatabase, ReadableDatabase,
    ReadableTable as _, StorageBackend, TableHandle,
};

use super::error::Error;
use super::{META, Notice, SCHEMA};
use crate::fingerprint;

/// The number of attempts to open a file that another process repairs, and the time between them.
const ATTEMPTS: (u32, Duration) = (50, Duration::from_millis(20));

/// An open file.
pub(super) enum Handle {
    Write(Database),
    Read(ReadOnlyDatabase),
    /// A copy in memory of a file that needed a repair.
    Copy(Database),
    /// An empty file: a new store.
    Empty,
}

/// The bytes of pages that are kept in memory; by default redb keeps a gigabyte.
const CACHE: usize = 16 << 20;

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

/// Opens a file for writing; it is created if it does not exist or is empty.
pub(super) fn write(path: &Path) -> Result<(Database, Option<Notice>), Error> {
    for _ in 0..ATTEMPTS.0 {
        match fs::symlink_metadata(path) {
            Ok(file) if file.is_symlink() => return Err(Error::Link { path: path.to_owned() }),
            Ok(file) if !file.is_file() => return Err(Error::no_file(path)),
            Ok(file) if file.len() == 0 => make(path, false)?,
            Ok(_) => {
                if let Some(opened) = write_existing(path)? {
                    return Ok(opened);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match OpenOptions::new().write(true).create_new(true).open(path) {
                    Ok(_) => make(path, true)?,
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(Error::system(path, error)),
                }
            }
            Err(error) => return Err(Error::system(path, error)),
        }
    }
    Err(Error::changing(path))
}

/// Opens a non-empty file; `None` if another file has taken its place.
fn write_existing(path: &Path) -> Result<Option<(Database, Option<Notice>)>, Error> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(|error| Error::system(path, error))?;
    let of = file.metadata().map_err(|error| Error::system(path, error))?;
    let repaired = Arc::new(AtomicBool::new(false));
    let mut builder = builder();
    let seen = Arc::clone(&repaired);
    builder.set_repair_callback(move |_| seen.store(true, Ordering::Relaxed));
    let backend = FileBackend::new(file).map_err(|error| Error::open(path, error))?;
    let db = builder.create_with_backend(backend).map_err(|error| Error::open(path, error))?;
    if !is_at(path, &of) {
        return Ok(None);
    }
    Ok(Some((db, repaired.load(Ordering::Relaxed).then_some(Notice::Repaired))))
}

/// Returns whether a path leads to a file without a link.
fn is_at(path: &Path, of: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::symlink_metadata(path)
        .is_ok_and(|at| at.is_file() && (at.dev(), at.ino()) == (of.dev(), of.ino()))
}

/// Replaces an empty file by a new store.
fn make(path: &Path, is_mine: bool) -> Result<(), Error> {
    let system = |error| Error::system(path, error);
    let place = OpenOptions::new().read(true).write(true).open(path).map_err(system)?;
    place.try_lock().map_err(|error| Error::locked(path, error))?;
    let of = place.metadata().map_err(system)?;
    if of.len() > 0 || !is_at(path, &of) {
        // Another process was faster.
        return Ok(());
    }
    let beside = beside(path);
    let made = fill(&beside, &of, path).and_then(|()| {
        fs::rename(&beside, path).map_err(system)?;
        sync_folder(path).map_err(system)
    });
    if made.is_err() {
        let _ = fs::remove_file(&beside);
        if is_mine {
            let _ = fs::remove_file(path);
        }
    }
    made
}

/// Returns the temporary path of a new store, which only the holder of the lock uses.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

/// Creates an empty store with the permissions of the file that it replaces.
fn fill(beside: &Path, of: &Metadata, path: &Path) -> Result<(), Error> {
    let system = |error| Error::system(path, error);
    if let Err(error) = fs::remove_file(beside)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(system(error));
    }
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(beside);
    let file = file.map_err(system)?;
    file.set_permissions(of.permissions()).map_err(system)?;
    let again = file.try_clone().map_err(system)?;
    let backend = FileBackend::new(file).map_err(|error| Error::open(path, error))?;
    let db = builder().create_with_backend(backend).map_err(|error| Error::write(path, error))?;
    tables(&db).map_err(|error| Error::write(path, error))?;
    db.close().map_err(|error| Error::write(path, error))?;
    again.sync_all().map_err(system)
}

/// Creates the tables of a store.
pub(super) fn tables(db: &Database) -> Result<(), redb::Error> {
    let write = db.begin_write()?;
    {
        let mut meta = write.open_table(META)?;
        meta.insert("schema", SCHEMA)?;
        meta.insert("id", new_id())?;
        meta.insert("fingerprint", u64::from(fingerprint::VERSION))?;
        write.open_table(super::ROWS)?;
        write.open_table(super::ASIDE)?;
    }
    Ok(write.commit()?)
}

/// Returns a unique ID for a new store.
fn new_id() -> u64 {
    // The standard library takes the keys of its hash tables from the system's random numbers.
    RandomState::new().hash_one((SystemTime::now(), std::process::id())).max(1)
}

/// Writes the directory entry of a file to the disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Creates a new store at a path without a file, or with an empty one.
pub(super) fn write_new(path: &Path) -> Result<Database, Error> {
    match fs::symlink_metadata(path) {
        Ok(file) if file.is_symlink() => return Err(Error::Link { path: path.to_owned() }),
        Ok(file) if !file.is_file() || file.len() > 0 => {
            return Err(Error::Exists { path: path.to_owned() });
        }
        _ => {}
    }
    Ok(write(path)?.0)
}

/// Opens a file for reading. After a writer was killed it is repaired, or read in its last state.
pub(super) fn read(path: &Path) -> Result<(Handle, Option<Notice>), Error> {
    let file = fs::metadata(path).map_err(|error| Error::system(path, error))?;
    if !file.is_file() {
        return Err(Error::no_file(path));
    }
    if file.len() == 0 {
        return Ok((Handle::Empty, None));
    }
    let mut notice = None;
    for _ in 0..ATTEMPTS.0 {
        match builder().open_read_only(path) {
            Ok(db) => return Ok((Handle::Read(db), notice)),
            Err(DatabaseError::RepairAborted) => {}
            Err(error) => return Err(Error::open(path, error)),
        }
        match write_existing(path) {
            Ok(Some((db, repaired))) => {
                notice = notice.or(repaired);
                drop(db);
            }
            // A writer opens the file, and repairs it.
            Ok(None) | Err(Error::Locked { .. }) => thread::sleep(ATTEMPTS.1),
            // The file is not writable, or the path is a link.
            Err(_) => break,
        }
    }
    let db = copy(path)?;
    Ok((Handle::Copy(db), Some(Notice::LastState)))
}

/// Copies a file to memory, and repairs the copy.
fn copy(path: &Path) -> Result<Database, Error> {
    let system = |error| Error::system(path, error);
    let state = || -> io::Result<(u64, SystemTime)> {
        let file = fs::metadata(path)?;
        Ok((file.len(), file.modified()?))
    };
    for _ in 0..ATTEMPTS.0 {
        let before = state().map_err(system)?;
        let bytes = fs::read(path).map_err(system)?;
        if state().map_err(system)? != before {
            thread::sleep(ATTEMPTS.1);
            continue;
        }
        let backend = InMemoryBackend::new();
        backend.set_len(bytes.len() as u64).map_err(system)?;
        backend.write(0, &bytes).map_err(system)?;
        let db = Database::builder().create_with_backend(backend);
        return db.map_err(|error| Error::open(path, error));
    }
    Err(Error::changing(path))
}

/// Returns the schema of a database; `None` if it has no tables.
pub(super) fn schema(path: &Path, read: &redb::ReadTransaction) -> Result<Option<u64>, Error> {
    let found = || -> Result<Option<u64>, redb::Error> {
        let mut tables = read.list_tables()?.peekable();
        if tables.peek().is_none() && read.list_multimap_tables()?.next().is_none() {
            return Ok(None);
        }
        if !tables.any(|table| table.name() == META.name()) {
            return Err(redb::Error::TableDoesNotExist(META.name().to_owned()));
        }
        let schema = read.open_table(META)?.get("schema")?.map(|schema| schema.value());
        schema.map(Some).ok_or_else(|| redb::Error::TableDoesNotExist("schema".to_owned()))
    };
    let found = found().map_err(|error| Error::read(path, error))?;
    let newest = version(read);
    match found {
        Some(found) if found > SCHEMA => {
            Err(Error::NewerSchema { path: path.to_owned(), found, supported: SCHEMA })
        }
        Some(_) if newest > u64::from(fingerprint::VERSION) => {
            Err(Error::NewerFingerprint { path: path.to_owned(), found: newest })
        }
        schema => Ok(schema),
    }
}

/// Returns the version of the signatures of a database; 0 for the first schema, which does not
/// store it.
pub(super) fn version(read: &redb::ReadTransaction) -> u64 {
    let version = || -> Result<u64, redb::Error> {
        Ok(read.open_table(META)?.get("fingerprint")?.map_or(0, |version| version.value()))
    };
    version().unwrap_or_default()
}

impl Handle {
    pub(super) fn begin(&self) -> Result<Option<redb::ReadTransaction>, redb::Error> {
        Ok(match self {
            Self::Write(db) | Self::Copy(db) => Some(db.begin_read()?),
            Self::Read(db) => Some(db.begin_read()?),
            Self::Empty => None,
        })
    }
}

/// Returns the readable rows of a damaged table: from its start, and from its end.
pub(super) fn rows<K: redb::Key + 'static>(
    table: &redb::ReadOnlyTable<K, &'static [u8]>,
    mut take: impl FnMut(K::SelfType<'_>, &[u8]),
) {
    // The database panics on some damage.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let Ok(rows) = table.iter() else { return };
        for (key, row) in rows.map_while(Result::ok) {
            take(key.value(), row.value());
        }
    }));
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let Ok(rows) = table.iter() else { return };
        for (key, row) in rows.rev().map_while(Result::ok) {
            take(key.value(), row.value());
        }
    }));
}
