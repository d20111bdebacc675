//! Tables of the first schema: rows of JSON without a checksum.

use std::collections::BTreeSet;

use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};

use super::contents::Contents;
use super::file;
use super::row::{DamageKind, DamagedRow, Tag};
use super::{BugRecord, Known};

/// The first schema with sealed rows.
pub(super) const ROWS_SINCE: u64 = 2;

const SIGHTINGS: TableDefinition<'static, (u64, u64), &[u8]> = TableDefinition::new("sightings");
const BUGS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("bugs");

/// Reads all rows.
pub(super) fn load(read: &ReadTransaction) -> Result<Contents, redb::Error> {
    let mut contents = Contents::default();
    for row in read.open_table(BUGS)?.iter()? {
        let (key, value) = row?;
        take_bug(&mut contents, key.value(), value.value());
    }
    for row in read.open_table(SIGHTINGS)?.iter()? {
        let (key, value) = row?;
        take_known(&mut contents, key.value(), value.value());
    }
    contents.name_store();
    contents.chain();
    Ok(contents)
}

/// Reads the readable rows of damaged tables.
pub(super) fn salvage(read: &ReadTransaction) -> Contents {
    let mut contents = Contents::default();
    let mut seen = BTreeSet::new();
    if let Ok(table) = read.open_table(BUGS) {
        file::rows(&table, |id, row| {
            if seen.insert((id, 0)) {
                take_bug(&mut contents, id, row);
            }
        });
    }
    seen.clear();
    if let Ok(table) = read.open_table(SIGHTINGS) {
        file::rows(&table, |key, row| {
            if seen.insert(key) {
                take_known(&mut contents, key, row);
            }
        });
    }
    contents.name_store();
    contents.damaged.push(DamagedRow::missing());
    contents
}

fn take_bug(contents: &mut Contents, id: u64, row: &[u8]) {
    match serde_json::from_slice::<BugRecord>(row) {
        Ok(bug) => drop(contents.bugs.insert(bug.id, bug)),
        Err(_) => contents.damaged.push(damaged(Tag::Bug, &[id], row)),
    }
}

fn take_known(contents: &mut Contents, (bug, exact): (u64, u64), row: &[u8]) {
    let known = serde_json::from_slice::<Known>(row).ok();
    if known.is_none_or(|known| contents.take_known(known).is_err()) {
        contents.damaged.push(damaged(Tag::Known, &[bug, exact], row));
    }
}

fn damaged(tag: Tag, numbers: &[u64], row: &[u8]) -> DamagedRow {
    DamagedRow::new(&tag.key(numbers), row, DamageKind::Text)
}

/// Deletes the tables.
pub(super) fn delete(write: &WriteTransaction) -> Result<(), redb::Error> {
    write.delete_table(BUGS)?;
    write.delete_table(SIGHTINGS)?;
    Ok(())
}
