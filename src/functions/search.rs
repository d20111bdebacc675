//! Looking up a name in the table.
//!
//! A row matches at an offset of a name if its own name is a prefix of the text there. The table is
//! sorted, so rows that share their first three bytes are adjacent: [`SLOTS`] maps these bytes to
//! the range. A binary search in the range finds the greatest row that may match; all other matches
//! are prefixes of it, which [`PARENTS`] chains. The compiler evaluates both indexes; a look-up
//! allocates nothing and takes time linear in the length of the name.

use crate::search;

use super::table::TABLE;
use super::{Properties, Reason, Row, Shape, Skip};

/// The first eight bytes of the name of each row, as an integer that compares in the same order.
static HEADS: [u64; TABLE.len()] = heads();

/// The number of bytes of a name that are hashed.
pub(super) const KEY: usize = 3;

/// The size of the hash table, as a power of two: about three times the number of keys.
const BITS: u32 = 10;

/// The rows that begin with the same bytes.
#[derive(Clone, Copy)]
struct Slot {
    key: u32,
    all: Rows,
    /// The first to the last row that may match inside a name.
    inner: Rows,
}

/// A range of rows, empty where a slot is free.
#[derive(Clone, Copy)]
struct Rows {
    start: u16,
    end: u16,
}

impl Rows {
    const NONE: Self = Self { start: 0, end: 0 };

    /// The range from its start, or from `row` if it is empty, up to `row`.
    const fn up_to(self, row: u16) -> Self {
        Self { start: if self.end == 0 { row } else { self.start }, end: row + 1 }
    }
}

/// An open hash table over [`TABLE`].
static SLOTS: [Slot; 1 << BITS] = slots();

/// The last row before each row whose name is a prefix of its name; its own index if there is none.
static PARENTS: [u16; TABLE.len()] = parents();

const fn key(bytes: [u8; KEY]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0])
}

/// Fibonacci hashing: the multiplier is 2^32 divided by the golden ratio.
const fn place(key: u32) -> usize {
    (key.wrapping_mul(0x9e37_79b1) >> (u32::BITS - BITS)) as usize
}

#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made at build time")]
const fn slots() -> [Slot; 1 << BITS] {
    let mut slots = [Slot { key: 0, all: Rows::NONE, inner: Rows::NONE }; 1 << BITS];
    let mut row = 0;
    while row < TABLE.len() {
        let name = TABLE[row].name.as_bytes();
        let key = key([name[0], name[1], name[2]]);
        let mut at = place(key);
        while slots[at].all.end > 0 && slots[at].key != key {
            at = (at + 1) % slots.len();
        }
        slots[at].key = key;
        slots[at].all = slots[at].all.up_to(row as u16);
        if !matches!(TABLE[row].shape, Shape::Whole | Shape::Starts) {
            slots[at].inner = slots[at].inner.up_to(row as u16);
        }
        row += 1;
    }
    slots
}

#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made at build time")]
const fn parents() -> [u16; TABLE.len()] {
    let mut parents = [0; TABLE.len()];
    let mut row = 1;
    while row < TABLE.len() {
        let mut parent = row - 1;
        while !starts_with(TABLE[row].name.as_bytes(), TABLE[parent].name.as_bytes()) {
            let next = parents[parent] as usize;
            if next == parent {
                parent = row;
            } else {
                parent = next;
            }
        }
        parents[row] = parent as u16;
        row += 1;
    }
    parents
}

#[allow(clippy::indexing_slicing, reason = "made at build time")]
const fn heads() -> [u64; TABLE.len()] {
    let mut heads = [0; TABLE.len()];
    let mut row = 0;
    while row < TABLE.len() {
        heads[row] = head(TABLE[row].name.as_bytes());
        row += 1;
    }
    heads
}

/// The first eight bytes of a name, or all of it and zeros.
#[allow(clippy::indexing_slicing, reason = "below the length")]
const fn head(name: &[u8]) -> u64 {
    if let Some(first) = name.first_chunk::<8>() {
        return u64::from_be_bytes(*first);
    }
    let mut bytes = [0; 8];
    let mut at = 0;
    while at < name.len() {
        bytes[at] = name[at];
        at += 1;
    }
    u64::from_be_bytes(bytes)
}

/// `starts_with()` of slices, for the compiler.
#[allow(clippy::indexing_slicing, reason = "used at build time")]
const fn starts_with(name: &[u8], start: &[u8]) -> bool {
    let mut at = 0;
    while at < start.len() {
        if at == name.len() || name[at] != start[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The entry of a function, given without compiler suffixes.
pub(crate) fn look_up(function: &str) -> Properties {
    let mut properties = Properties::NONE;
    let name = function.as_bytes();
    for (at, bytes) in name.array_windows().enumerate() {
        let Some(slot) = slot(key(*bytes)) else { continue };
        let rows = if at == 0 { slot.all } else { slot.inner };
        if let Some(rest) = name.get(at..).filter(|_| rows.end > 0) {
            add_prefixes(&mut properties, rows, rest, at == 0);
        }
    }
    if properties.reason.is_none() && properties.skips.has(Skip::Always) {
        properties.reason = Some(Reason::Convention);
    }
    properties
}

fn slot(key: u32) -> Option<&'static Slot> {
    let mut at = place(key);
    loop {
        let slot = SLOTS.get(at).filter(|slot| slot.all.end > 0)?;
        if slot.key == key {
            return Some(slot);
        }
        at = (at + 1) % SLOTS.len();
    }
}

/// Adds the properties of the rows that match at the start of `rest`.
fn add_prefixes(properties: &mut Properties, rows: Rows, rest: &[u8], at_start: bool) {
    let start = usize::from(rows.start);
    let heads = HEADS.get(start..usize::from(rows.end)).unwrap_or_default();
    let own = head(rest);
    // Rows with the same head are few, and compared completely.
    let mut count = heads.partition_point(|head| *head < own);
    while heads.get(count) == Some(&own)
        && TABLE.get(start + count).is_some_and(|row| row.name.as_bytes() <= rest)
    {
        count += 1;
    }
    let mut next = count.checked_sub(1).map(|last| start + last);
    while let Some(at) = next {
        let Some((row, parent)) = TABLE.get(at).zip(PARENTS.get(at)) else { return };
        if fits(row, rest, at_start) {
            properties.add(row);
        }
        next = Some(usize::from(*parent)).filter(|parent| *parent != at);
    }
}

fn fits(row: &Row, rest: &[u8], at_start: bool) -> bool {
    rest.strip_prefix(row.name.as_bytes()).is_some_and(|behind| match row.shape {
        Shape::Whole => at_start && behind.is_empty(),
        Shape::Starts => at_start,
        Shape::Ends => behind.is_empty(),
        Shape::Part => true,
        Shape::Before(tail) => search::has(behind, tail),
    })
}
