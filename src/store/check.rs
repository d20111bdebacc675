//! Checks, repairs and copies a store.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use redb::ReadableTable;

use super::contents::Contents;
use super::error::Error;
use super::file::{self, Handle};
use super::row::{self, DamageKind, DamagedRow};
use super::{ASIDE, META, Notice, ROWS, Store, fix, guarded, legacy, postings, save};

/// The result of a check of a store.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Checked {
    /// The number of bugs and of signatures without damage.
    pub whole: (usize, usize),
    /// Damaged rows that were moved to the table of damaged rows.
    pub damaged: Vec<DamagedRow>,
    /// The number of rows that were deleted.
    pub dropped: usize,
    /// The file was repaired after a writer was killed.
    pub repaired: bool,
    /// The path of the damaged file, if the pages of the database were damaged: a new file with the
    /// readable rows has its place.
    pub replaced: Option<PathBuf>,
    /// The size of the file before and after, in bytes.
    pub size: (u64, u64),
}

impl Store {
    /// Checks all pages and rows of a store, repairs them if possible, groups all signatures again,
    /// and compacts the file.
    ///
    /// Damaged rows are moved to a separate table; `drop` deletes them. If the database itself is
    /// damaged, its readable rows become a new file, and the old one is kept as `FILE.damaged`.
    ///
    /// # Errors
    ///
    /// The file does not exist, is not a store, or is open for writing in another process.
    pub fn check(path: &Path, drop: bool) -> Result<Checked, Error> {
        let size = fs::symlink_metadata(path).map_err(|error| Error::system(path, error))?.len();
        let (store, replaced) = match guarded(path, || verified(path)) {
            Err(Error::Damaged { .. }) => {
                let kept = salvage(path)?;
                (Self::open(path)?, Some(kept))
            }
            store => (store?, None),
        };
        let mut checked = Checked { replaced, ..Checked::default() };
        checked.repaired = store.notice == Some(Notice::Repaired);
        store.mend(drop, &mut checked)?;
        store.compact()?;
        let after = fs::metadata(path).map_err(|error| Error::system(path, error))?.len();
        checked.size = (size, after);
        Ok(checked)
    }

    /// Moves damaged rows aside, or deletes them, and restores those that are readable again.
    fn mend(&self, drop: bool, checked: &mut Checked) -> Result<(), Error> {
        let contents = self.load()?;
        self.save(&contents)?;
        let path = &self.path;
        let mut mend = || -> Result<(), redb::Error> {
            let write = self.begin_write()?;
            {
                let mut aside = write.open_table(ASIDE)?;
                let restored: Vec<_> = aside
                    .iter()?
                    .filter_map(Result::ok)
                    .map(|(key, row)| (key.value().to_owned(), row.value().to_owned()))
                    .filter(|(key, row)| Contents::default().take(key, row).is_ok())
                    .collect();
                let mut rows = write.open_table(ROWS)?;
                for (key, row) in restored {
                    if rows.get(key.as_slice())?.is_none() {
                        rows.insert(key.as_slice(), row.as_slice())?;
                    }
                    aside.remove(key.as_slice())?;
                }
                if drop {
                    checked.dropped = usize::try_from(redb::ReadableTableMetadata::len(&aside)?)
                        .unwrap_or(usize::MAX);
                    aside.retain(|_, _| false)?;
                }
                let (mut count, mut sum) = (0_u64, 0_u64);
                for row in rows.iter()? {
                    count += 1;
                    sum = sum.wrapping_add(row::sum(row?.1.value()));
                }
                let mut meta = write.open_table(META)?;
                meta.insert("rows", count)?;
                meta.insert("sum", sum)?;
            }
            Ok(write.commit()?)
        };
        mend().map_err(|error| Error::write(path, error))?;
        let is_missing = |row: &&DamagedRow| row.kind == DamageKind::Missing;
        let missing: Vec<_> = contents.damaged.iter().filter(is_missing).cloned().collect();
        let mut contents = self.load()?;
        if contents.damaged.is_empty() {
            // A missing row may be the reason why two signatures are of one bug.
            contents.regroup(&[]);
            self.save(&contents)?;
        }
        checked.whole = (contents.bugs.len(), contents.known.len());
        checked.damaged = missing;
        checked.damaged.extend(contents.damaged);
        Ok(())
    }

    fn begin_write(&self) -> Result<redb::WriteTransaction, redb::Error> {
        match &self.handle {
            Handle::Write(db) => Ok(db.begin_write()?),
            _ => Err(redb::Error::DatabaseAlreadyOpen),
        }
    }

    /// Compacts the file.
    fn compact(self) -> Result<(), Error> {
        let Handle::Write(mut db) = self.handle else { return Ok(()) };
        let compact = || -> Result<(), redb::Error> {
            // Each call moves a part of the pages to the front.
            while db.compact()? {}
            Ok(db.close()?)
        };
        compact().map_err(|error| Error::write(&self.path, error))
    }

    /// Writes a consistent copy of the store to a new file, while others read and write the store.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or a file of that name exists.
    pub fn backup(&self, to: &Path) -> Result<(), Error> {
        let path = &self.path;
        let read = self.handle.begin().map_err(|error| Error::read(path, error))?;
        let contents = self.load_from(read.as_ref())?;
        let postings = read.as_ref().filter(|_| contents.is_current());
        copy(contents, to, postings, |write| {
            read.as_ref().map_or(Ok(()), |read| fix::copy_sources(read, write))
        })
    }
}

/// Opens a store and checks all of its pages.
fn verified(path: &Path) -> Result<Store, Error> {
    let mut store = Store::open(path)?;
    if let Handle::Write(db) = &mut store.handle {
        db.check_integrity().map_err(|error| Error::open(path, error))?;
    }
    store.load()?;
    Ok(store)
}

/// Makes a new file from the readable rows of a damaged one, which is kept.
fn salvage(path: &Path) -> Result<PathBuf, Error> {
    let system = |error| Error::system(path, error);
    let before = fs::metadata(path).map_err(system)?.modified().map_err(system)?;
    let contents = guarded(path, || {
        let (handle, _) = file::read(path)?;
        let read = handle.begin().map_err(|error| Error::read(path, error))?;
        let is_old = match &read {
            Some(read) => {
                file::schema(path, read)?.is_some_and(|schema| schema < legacy::ROWS_SINCE)
            }
            None => false,
        };
        let read = read.as_ref();
        Ok(read.map(|read| {
            let contents = if is_old { legacy::salvage(read) } else { readable(read) };
            (contents, fix::readable_sources(read))
        }))
    })?;
    let (contents, sources) = contents.unwrap_or_default();
    let new = named(path, "mended");
    let _ = fs::remove_file(&new);
    // Rows may be lost, so the sources are read again from their start.
    copy(contents, &new, None, |write| fix::name_sources(write, &sources))?;
    // The lock excludes all processes that have the file open.
    let file = File::open(path).map_err(system)?;
    file.try_lock().map_err(|error| Error::locked(path, error))?;
    if file.metadata().map_err(system)?.modified().map_err(system)? != before {
        return Err(Error::changing(path));
    }
    let names = (0..u32::MAX).map(|number| match number {
        0 => named(path, "damaged"),
        number => named(path, &format!("damaged{number}")),
    });
    let kept = names.into_iter().find(|kept| fs::hard_link(path, kept).is_ok() || !kept.exists());
    let kept = kept.unwrap_or_else(|| named(path, "damaged"));
    fs::rename(&new, path).map_err(system)?;
    Ok(kept)
}

/// Returns a path with a suffix.
fn named(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    path.with_file_name(name)
}

/// Returns the readable contents of damaged tables.
fn readable(read: &redb::ReadTransaction) -> Contents {
    let mut found: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for table in [ROWS, ASIDE] {
        if let Ok(table) = read.open_table(table) {
            file::rows(&table, |key: &[u8], row| {
                drop(found.insert(key.to_owned(), row.to_owned()));
            });
        }
    }
    let mut contents = Contents::default();
    for (key, row) in found {
        if let Err(kind) = contents.take(&key, &row) {
            contents.damaged.push(DamagedRow::new(&key, &row, kind));
        }
    }
    contents.damaged.push(DamagedRow::missing());
    contents
}

/// Writes all of `contents` to a new file, with the postings of another file, and the sources of
/// fixes.
fn copy(
    mut contents: Contents,
    to: &Path,
    postings: Option<&redb::ReadTransaction>,
    sources: impl Fn(&redb::WriteTransaction) -> Result<(), redb::Error>,
) -> Result<(), Error> {
    contents.changed = contents.bugs.keys().copied().collect();
    contents.changed.extend(contents.known.iter().map(|known| known.bug));
    contents.loaded = Default::default();
    contents.new_decisions = contents.decisions.keys().copied().collect();
    contents.damaged.iter_mut().for_each(|row| row.is_aside = false);
    let db = file::write_new(to)?;
    let write = || -> Result<(), redb::Error> {
        let write = db.begin_write()?;
        save(&write, &contents)?;
        if let Some(read) = postings {
            postings::copy(read, &write)?;
        }
        sources(&write)?;
        write.commit()?;
        Ok(db.close()?)
    };
    write().map_err(|error| Error::write(to, error))
}
