//! The postings: the signatures for each key, so that a query reads no others.
//!
//! Postings are derived from the rows and can be rebuilt from them. Signatures are numbered in the
//! order in which they were added. Values have a checksum; if one differs, or a number has no row,
//! the caller reads all rows instead.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use redb::{
    Key, ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition, Value, WriteTransaction,
};

use super::contents::Contents;
use super::row::{self, Tag};
use super::{BugRecord, Decision, Known, META, ROWS};
use crate::cluster::{Index, Reach};
use crate::fingerprint::Stable;

/// The signatures with a key, in order: channels of the similarity with their terms, and [`KEYS`].
const POSTINGS: TableDefinition<'static, (u8, u64), &[u8]> = TableDefinition::new("postings");
/// The place of the row of a signature, by its number.
const PLACES: TableDefinition<'static, u32, &[u8]> = TableDefinition::new("places");
/// The number of a signature by its exact hash, with half a checksum.
const NUMBERS: TableDefinition<'static, u64, u64> = TableDefinition::new("numbers");
/// References between IDs: see [`ALIAS`] and [`LATER`].
const POINTERS: TableDefinition<'static, (u8, u64), u64> = TableDefinition::new("pointers");

/// The channel of the keys of rules; those of the similarity have lower numbers.
const KEYS: u8 = u8::MAX;
/// From the ID of a merged bug to that of the bug into which it was merged.
const ALIAS: u8 = 0;
/// From a fixed bug to the one as which it reappeared.
const LATER: u8 = 1;

/// The minimum number of signatures of a store with postings; a smaller one is read completely.
pub(super) const MIN_POSTED: usize = if cfg!(test) { 4 } else { 256 };

/// The maximum number of signatures in the list of a term; a more frequent term has only a count,
/// as in an [`Index`].
const MAX_LISTED: usize = 4096;

/// The place of a signature.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Place {
    pub(super) exact: u64,
    /// Whether it represents its set when sets are compared.
    pub(super) leads: bool,
    /// Its bug, and the bugs as which that one reappeared.
    pub(super) bugs: Vec<u64>,
    /// Whether no other one equals it, even with the same hash: this is not stored.
    pub(super) is_alone: bool,
}

fn damaged() -> redb::Error {
    redb::Error::Corrupted("postings".to_owned())
}

fn checksum(table: u8, key: (u8, u64), value: &[u8]) -> u64 {
    let mut hasher = Stable::new();
    hasher.bytes(&[table, key.0]);
    hasher.number(key.1);
    hasher.bytes(value);
    hasher.finish()
}

fn seal(table: u8, key: (u8, u64), value: &[u8]) -> Vec<u8> {
    [&checksum(table, key, value).to_le_bytes(), value].concat()
}

fn open(table: u8, key: (u8, u64), row: &[u8]) -> Result<&[u8], redb::Error> {
    let (sum, value) = row.split_first_chunk::<8>().ok_or_else(damaged)?;
    let is_whole = u64::from_le_bytes(*sum) == checksum(table, key, value);
    is_whole.then_some(value).ok_or_else(damaged)
}

/// A number with half a checksum.
fn seal_number(table: u8, key: (u8, u64), number: u32) -> u64 {
    let sum = checksum(table, key, &number.to_le_bytes());
    sum & 0xffff_ffff_0000_0000 | u64::from(number)
}

fn open_number(table: u8, key: (u8, u64), value: u64) -> Result<u32, redb::Error> {
    let number = u32::try_from(value & 0xffff_ffff).map_err(|_| damaged())?;
    (seal_number(table, key, number) == value).then_some(number).ok_or_else(damaged)
}

/// The numbers of tables in checksums.
const OF_POSTINGS: u8 = 1;
const OF_PLACES: u8 = 3;
const OF_NUMBERS: u8 = 4;

/// The counts of terms, by which the third schema weighted them.
const FREQUENCIES: TableDefinition<'static, (u8, u64), u64> = TableDefinition::new("frequencies");

/// The signatures with a key: the count, and their numbers up to a maximum.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Posting {
    pub(super) count: u32,
    pub(super) numbers: Vec<u32>,
}

impl Posting {
    /// Encodes the count and the differences of the numbers, seven bits a byte.
    fn pack(&self) -> Vec<u8> {
        let mut bytes = self.count.to_le_bytes().to_vec();
        let mut last = 0;
        for number in &self.numbers {
            let mut rest = number.wrapping_sub(last);
            last = *number;
            loop {
                let [low, ..] = rest.to_le_bytes();
                rest >>= 7;
                if rest == 0 {
                    bytes.push(low);
                    break;
                }
                bytes.push(low | 0x80);
            }
        }
        bytes
    }

    fn unpack(bytes: &[u8]) -> Result<Self, redb::Error> {
        let (count, rest) = bytes.split_first_chunk::<4>().ok_or_else(damaged)?;
        let (mut numbers, mut last, mut number, mut shift) = (Vec::new(), 0_u32, 0_u32, 0);
        for byte in rest {
            number |= u32::from(byte & 0x7f).checked_shl(shift).ok_or_else(damaged)?;
            shift += 7;
            if byte & 0x80 == 0 {
                last = last.wrapping_add(number);
                numbers.push(last);
                (number, shift) = (0, 0);
            }
        }
        Ok(Self { count: u32::from_le_bytes(*count), numbers })
    }

    fn add(&mut self, number: u32, most: usize) {
        if let Err(at) = self.numbers.binary_search(&number) {
            self.count += 1;
            self.numbers.insert(at, number);
        }
        if self.count as usize > most {
            self.numbers.clear();
        }
    }

    fn remove(&mut self, number: u32) {
        if let Ok(at) = self.numbers.binary_search(&number) {
            self.count = self.count.saturating_sub(1);
            self.numbers.remove(at);
        }
    }
}

impl Place {
    /// Makes the place of a signature that no other one equals.
    pub(super) fn alone(known: &Known) -> Self {
        Self { exact: known.signature.exact, leads: false, bugs: vec![known.bug], is_alone: true }
    }

    fn pack(&self) -> Vec<u8> {
        let mut bytes = self.exact.to_le_bytes().to_vec();
        bytes.push(u8::from(self.leads));
        bytes.extend(self.bugs.iter().flat_map(|bug| bug.to_le_bytes()));
        bytes
    }

    fn unpack(bytes: &[u8]) -> Result<Self, redb::Error> {
        let (exact, rest) = bytes.split_first_chunk::<8>().ok_or_else(damaged)?;
        let (leads, rest) = rest.split_first().ok_or_else(damaged)?;
        let (bugs, _) = rest.as_chunks::<8>();
        Ok(Self {
            exact: u64::from_le_bytes(*exact),
            leads: *leads == 1,
            bugs: bugs.iter().map(|bug| u64::from_le_bytes(*bug)).collect(),
            is_alone: false,
        })
    }
}

/// The maximum number of signatures in the list of a key.
fn most(channel: u8) -> usize {
    if channel == KEYS { usize::MAX } else { MAX_LISTED }
}

/// Returns all keys of rules for a signature, except those of the functions near its site, which
/// are only for exemplars.
fn rules(reach: &Reach) -> impl Iterator<Item = u64> + '_ {
    let titles = reach.titles.map(|titles| if titles.is_bare { titles.bare } else { titles.whole });
    reach.keys.iter().copied().chain(titles)
}

/// The tables in one transaction.
pub(super) struct Reader {
    rows: ReadOnlyTable<&'static [u8], &'static [u8]>,
    postings: ReadOnlyTable<(u8, u64), &'static [u8]>,
    places: ReadOnlyTable<u32, &'static [u8]>,
    numbers: ReadOnlyTable<u64, u64>,
    pointers: ReadOnlyTable<(u8, u64), u64>,
    /// The ID of the store.
    pub(super) store: u64,
    /// The number of signatures with a number.
    pub(super) len: u32,
}

impl Reader {
    /// Opens the tables; `None` if the store has no postings.
    pub(super) fn new(read: &ReadTransaction) -> Result<Option<Self>, redb::Error> {
        let meta = read.open_table(META)?;
        let of = |name| meta.get(name).map(|value| value.map_or(0, |value| value.value()));
        let number = |value: u64| u32::try_from(value).map_err(|_| damaged());
        let (store, len) = (of("id")?, number(of("posted")?)?);
        if len == 0 {
            return Ok(None);
        }
        Ok(Some(Self {
            rows: read.open_table(ROWS)?,
            postings: read.open_table(POSTINGS)?,
            places: read.open_table(PLACES)?,
            numbers: read.open_table(NUMBERS)?,
            pointers: read.open_table(POINTERS)?,
            store,
            len,
        }))
    }

    fn posting(&self, key: (u8, u64)) -> Result<Posting, redb::Error> {
        let Some(row) = self.postings.get(key)? else { return Ok(Posting::default()) };
        Posting::unpack(open(OF_POSTINGS, key, row.value())?)
    }

    /// Returns the signatures with a key of a rule.
    pub(super) fn members(&self, key: u64) -> Result<Vec<u32>, redb::Error> {
        Ok(self.posting((KEYS, key))?.numbers)
    }

    /// Returns the signatures with a term.
    pub(super) fn term(&self, term: (u8, u64)) -> Result<Posting, redb::Error> {
        self.posting(term)
    }

    pub(super) fn place(&self, number: u32) -> Result<Place, redb::Error> {
        let row = self.places.get(number)?.ok_or_else(damaged)?;
        Place::unpack(open(OF_PLACES, (0, number.into()), row.value())?)
    }

    pub(super) fn number(&self, exact: u64) -> Result<Option<u32>, redb::Error> {
        let number = self.numbers.get(exact)?.map(|number| number.value());
        number.map(|number| open_number(OF_NUMBERS, (0, exact), number)).transpose()
    }

    /// Returns a signature of a bug.
    pub(super) fn known(&self, bug: u64, exact: u64) -> Result<Known, redb::Error> {
        let key = Tag::Known.key(&[bug, exact]);
        let row = self.rows.get(key.as_slice())?.ok_or_else(damaged)?;
        row::open(&key, row.value()).map_err(|_| damaged())
    }

    /// Adds a bug with all of its signatures to contents.
    pub(super) fn take_bug(&self, bug: u64, contents: &mut Contents) -> Result<(), redb::Error> {
        let key = Tag::Bug.key(&[bug]);
        let row = self.rows.get(key.as_slice())?.ok_or_else(damaged)?;
        contents.take(&key, row.value()).map_err(|_| damaged())?;
        contents.loaded.0.insert(bug);
        let (from, to) = (Tag::Known.key(&[bug]), Tag::Known.key(&[bug, u64::MAX]));
        for row in self.rows.range(from.as_slice()..=to.as_slice())? {
            let (key, value) = row?;
            contents.take(key.value(), value.value()).map_err(|_| damaged())?;
        }
        Ok(())
    }

    /// Adds all decisions to contents.
    pub(super) fn take_decisions(&self, contents: &mut Contents) -> Result<(), redb::Error> {
        let (from, to) = (Tag::Decision.key(&[]), Tag::Decision.key(&[u64::MAX]));
        for row in self.rows.range(from.as_slice()..=to.as_slice())? {
            let (key, value) = row?;
            let decision: Decision =
                row::open(key.value(), value.value()).map_err(|_| damaged())?;
            contents.decisions.insert(decision.id, decision);
        }
        Ok(())
    }

    /// Returns the bug that reappeared as this one.
    pub(super) fn previous(&self, bug: u64) -> Result<Option<u64>, redb::Error> {
        let key = Tag::Bug.key(&[bug]);
        let row = self.rows.get(key.as_slice())?.ok_or_else(damaged)?;
        let bug: BugRecord = row::open(&key, row.value()).map_err(|_| damaged())?;
        Ok(bug.previous)
    }

    /// Returns the bug as which this one reappeared.
    pub(super) fn later(&self, bug: u64) -> Result<Option<u64>, redb::Error> {
        Ok(self.pointers.get((LATER, bug))?.map(|later| later.value()))
    }

    /// Returns the first ID from `id` on that is, or was, that of a bug.
    pub(super) fn next_taken(&self, id: u64) -> Result<Option<u64>, redb::Error> {
        let (from, to) = (Tag::Bug.key(&[id]), Tag::Bug.key(&[u64::MAX]));
        let bug = self.rows.range(from.as_slice()..=to.as_slice())?.next().transpose()?;
        let bug = bug.and_then(|(key, _)| row::numbers(key.value())?.1.first().copied());
        let alias = self.pointers.range((ALIAS, id)..=(ALIAS, u64::MAX))?.next().transpose()?;
        let alias = alias.map(|(key, _)| key.value().1);
        Ok(bug.into_iter().chain(alias).min())
    }
}

/// The changes of an addition in the postings.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Signatures that are new, in the order of their numbers.
    pub(super) new: Vec<(Place, Reach)>,
    /// Known signatures with another place: the number, the old place, the new one, and the keys.
    pub(super) moved: Vec<(u32, Place, Place, Vec<u64>)>,
    /// The number of the first new one.
    pub(super) first: u32,
}

/// Writes changes.
pub(super) fn change(
    write: &WriteTransaction,
    changes: &Changes,
    contents: &Contents,
) -> Result<(), redb::Error> {
    let mut added: BTreeMap<(u8, u64), Vec<(u32, bool)>> = BTreeMap::new();
    let mut places = write.open_table(PLACES)?;
    let mut numbers = write.open_table(NUMBERS)?;
    let mut post = |key: (u8, u64), number, is_added| {
        added.entry(key).or_default().push((number, is_added));
    };
    let mut set = |number: u32, place: &Place| -> Result<(), redb::Error> {
        let row = seal(OF_PLACES, (0, number.into()), &place.pack());
        places.insert(number, row.as_slice())?;
        Ok(())
    };
    for (number, (place, reach)) in (changes.first..).zip(&changes.new) {
        set(number, place)?;
        if !place.is_alone {
            numbers.insert(place.exact, seal_number(OF_NUMBERS, (0, place.exact), number))?;
        }
        rules(reach).for_each(|key| post((KEYS, key), number, true));
        for term in &reach.terms {
            post(*term, number, true);
        }
        if place.leads {
            for key in &reach.near {
                post((KEYS, *key), number, true);
            }
        }
    }
    for (number, old, new, near) in &changes.moved {
        set(*number, new)?;
        if old.leads != new.leads {
            for key in near {
                post((KEYS, *key), *number, new.leads);
            }
        }
    }
    let mut postings = write.open_table(POSTINGS)?;
    for (key, numbers) in added {
        let mut posting = match postings.get(key)? {
            Some(row) => Posting::unpack(open(OF_POSTINGS, key, row.value())?)?,
            None => Posting::default(),
        };
        for (number, is_added) in numbers {
            if is_added {
                posting.add(number, most(key.0));
            } else {
                posting.remove(number);
            }
        }
        if posting.count == 0 {
            postings.remove(key)?;
        } else {
            postings.insert(key, seal(OF_POSTINGS, key, &posting.pack()).as_slice())?;
        }
    }
    let mut pointers = write.open_table(POINTERS)?;
    for bug in &contents.changed {
        let is_gone = !contents.bugs.contains_key(bug);
        if is_gone || !contents.later.contains_key(bug) {
            pointers.remove((LATER, *bug))?;
        }
        if !is_gone {
            pointers.remove((ALIAS, *bug))?;
        }
    }
    point(&mut pointers, contents.bugs.values().filter(|bug| contents.changed.contains(&bug.id)))?;
    let mut meta = write.open_table(META)?;
    meta.insert("posted", u64::from(changes.first) + changes.new.len() as u64)?;
    Ok(())
}

fn point<'a>(
    pointers: &mut redb::Table<'_, (u8, u64), u64>,
    bugs: impl Iterator<Item = &'a BugRecord>,
) -> Result<(), redb::Error> {
    for bug in bugs {
        for merged in &bug.merged {
            pointers.insert((ALIAS, *merged), bug.id)?;
        }
        if let Some(previous) = bug.previous {
            pointers.insert((LATER, previous), bug.id)?;
        }
    }
    Ok(())
}

/// Deletes all postings, so that the store is read completely.
pub(super) fn delete(write: &WriteTransaction) -> Result<(), redb::Error> {
    write.delete_table(POSTINGS)?;
    write.delete_table(FREQUENCIES)?;
    write.delete_table(PLACES)?;
    write.delete_table(NUMBERS)?;
    write.delete_table(POINTERS)?;
    let mut meta = write.open_table(META)?;
    meta.remove("posted")?;
    Ok(())
}

/// Copies all postings to another store of the same rows.
pub(super) fn copy(read: &ReadTransaction, write: &WriteTransaction) -> Result<(), redb::Error> {
    let from = read.open_table(META)?;
    let Some(posted) = from.get("posted")? else { return Ok(()) };
    copy_table(POSTINGS, read, write)?;
    copy_table(PLACES, read, write)?;
    copy_table(NUMBERS, read, write)?;
    copy_table(POINTERS, read, write)?;
    let mut to = write.open_table(META)?;
    to.insert("posted", posted.value())?;
    Ok(())
}

fn copy_table<K: Key + 'static, V: Value + 'static>(
    table: TableDefinition<'static, K, V>,
    read: &ReadTransaction,
    write: &WriteTransaction,
) -> Result<(), redb::Error> {
    let mut to = write.open_table(table)?;
    for row in read.open_table(table)?.iter()? {
        let (key, value) = row?;
        to.insert(key.value(), value.value())?;
    }
    Ok(())
}

/// Rebuilds all postings from an index of all signatures and the reports in it that represent their
/// sets.
pub(super) fn make(
    write: &WriteTransaction,
    contents: &Contents,
    index: &Index,
    exemplars: &BTreeSet<u32>,
) -> Result<(), redb::Error> {
    delete(write)?;
    if contents.known.len() < MIN_POSTED {
        return Ok(());
    }
    let mut bugs: HashMap<u64, Vec<u64>> = HashMap::new();
    for known in &contents.known {
        bugs.entry(known.signature.exact).or_default().push(known.bug);
    }
    let mut postings: HashMap<(u8, u64), Posting> = HashMap::new();
    let mut places = write.open_table(PLACES)?;
    let mut numbers = write.open_table(NUMBERS)?;
    let mut signatures: Vec<(Place, Reach)> = Vec::new();
    for report in index.distinct() {
        let Some(exact) = index.signature(report).map(|signature| signature.exact) else {
            continue;
        };
        let bugs = bugs.remove(&exact).unwrap_or_default();
        let leads = exemplars.contains(&report);
        let place = Place { exact, leads, bugs, is_alone: false };
        signatures.push((place, index.reach(report)));
    }
    for known in contents.known.iter().filter(|known| known.signature.is_alone()) {
        let place = Place::alone(known);
        signatures.push((place, index.reach_of(&known.signature)));
    }
    let mut number = 0_u32;
    for (place, reach) in &signatures {
        if !place.is_alone {
            numbers.insert(place.exact, seal_number(OF_NUMBERS, (0, place.exact), number))?;
        }
        let row = seal(OF_PLACES, (0, number.into()), &place.pack());
        places.insert(number, row.as_slice())?;
        let mut post = |key: (u8, u64)| {
            postings.entry(key).or_default().add(number, most(key.0));
        };
        rules(reach).for_each(|key| post((KEYS, key)));
        for term in &reach.terms {
            post(*term);
        }
        if place.leads {
            for key in &reach.near {
                post((KEYS, *key));
            }
        }
        number += 1;
    }
    let mut postings: Vec<_> = postings.into_iter().collect();
    postings.sort_unstable_by_key(|(key, _)| *key);
    let mut table = write.open_table(POSTINGS)?;
    for (key, posting) in postings {
        table.insert(key, seal(OF_POSTINGS, key, &posting.pack()).as_slice())?;
    }
    let mut pointers = write.open_table(POINTERS)?;
    point(&mut pointers, contents.bugs.values())?;
    let mut meta = write.open_table(META)?;
    meta.insert("posted", u64::from(number))?;
    Ok(())
}
