//! Rows of the database: a value with its checksum and the version that wrote it.
//!
//! The value of a row is sealed: a byte for the format, four for [`fingerprint::VERSION`] of the
//! program that wrote it, eight for a checksum over the table's tag, the key and the rest, then
//! JSON. So a row with the key of another one, or in another table, counts as damaged. The JSON is
//! packed if that makes it shorter ([`pack`]).

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::pack;
use crate::escape;
use crate::fingerprint::{self, Stable};

/// The type of a row; the first byte of its key.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Tag {
    /// A bug, by its ID.
    Bug = 1,
    /// A signature of a bug, by the ID of the bug and the exact hash.
    Known = 2,
    /// A decision, by its ID.
    Decision = 3,
}

impl Tag {
    pub(super) const ALL: [Self; 3] = [Self::Bug, Self::Known, Self::Decision];

    /// Makes the key of a row: big-endian numbers, so that the rows of one bug are adjacent.
    pub(super) fn key(self, numbers: &[u64]) -> Vec<u8> {
        let mut key = vec![self as u8];
        key.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        key
    }
}

/// Returns the tag and the numbers of a key.
pub(super) fn numbers(key: &[u8]) -> Option<(Tag, Vec<u64>)> {
    let (tag, rest) = key.split_first()?;
    let tag = Tag::ALL.into_iter().find(|known| *known as u8 == *tag)?;
    let (numbers, rest) = rest.as_chunks::<8>();
    rest.is_empty().then(|| (tag, numbers.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect()))
}

/// The formats of sealed rows: unpacked, and packed. The first byte of a row of the first schema,
/// which has no seal, is a brace.
const PLAIN: u8 = 2;
const PACKED: u8 = 3;

/// Bytes before the JSON.
const HEAD: usize = 13;

/// The reason why a row is damaged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DamageKind {
    /// The checksum does not match.
    Checksum,
    /// The head is missing, or has an unknown format.
    Format,
    /// The checksum matches, but this version cannot parse the text.
    Text,
    /// The key is invalid, or that of another row.
    Key,
    /// A newer version of this crate wrote it.
    Version,
    /// Rows are missing, or there are more rows than were written.
    Missing,
}

impl fmt::Display for DamageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Checksum => "its checksum differs",
            Self::Format => "its format is unknown",
            Self::Text => "its text cannot be read",
            Self::Key => "its key is invalid",
            Self::Version => "a newer version wrote it",
            Self::Missing => "the number of rows differs",
        })
    }
}

/// The checksum of a row.
fn checksum(key: &[u8], head: &[u8], text: &[u8]) -> u64 {
    let mut hasher = Stable::new();
    for part in [key, head, text] {
        hasher.number(part.len() as u64);
        hasher.bytes(part);
    }
    hasher.finish()
}

/// A value with its seal.
pub(super) fn seal(key: &[u8], value: &impl Serialize) -> Vec<u8> {
    let plain = json(value);
    let (format, text) = match pack::pack(&plain) {
        Some(packed) if packed.len() < plain.len() => (PACKED, packed),
        _ => (PLAIN, plain),
    };
    let mut row = vec![format];
    row.extend(fingerprint::VERSION.to_le_bytes());
    let sum = checksum(key, &row, &text);
    row.extend(sum.to_le_bytes());
    row.extend(text);
    row
}

/// Returns the checksum in a row; 0 if it has none.
pub(super) fn sum(row: &[u8]) -> u64 {
    row.get(5..HEAD).and_then(|sum| sum.try_into().ok()).map_or(0, u64::from_le_bytes)
}

/// Returns the value of a sealed row.
pub(super) fn open<T: DeserializeOwned>(key: &[u8], row: &[u8]) -> Result<T, DamageKind> {
    let (head, text) = row.split_at_checked(HEAD).ok_or(DamageKind::Format)?;
    let (head, _) = head.split_at_checked(5).ok_or(DamageKind::Format)?;
    if sum(row) != checksum(key, head, text) {
        return Err(DamageKind::Checksum);
    }
    let plain = match head.first() {
        Some(&PLAIN) => Cow::Borrowed(text),
        Some(&PACKED) => Cow::Owned(pack::unpack(text).ok_or(DamageKind::Text)?),
        _ => return Err(DamageKind::Format),
    };
    serde_json::from_slice(&plain).map_err(|_| DamageKind::Text)
}

pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::new();
    escape::write_json(&mut text, value, &[]).map(|()| text).unwrap_or_default()
}

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DamagedRow {
    /// The bug of the row; `None` if the key is unreadable.
    pub bug: Option<u64>,
    /// The exact hash of its signature; `None` for the record of the bug.
    pub signature: Option<u64>,
    /// The damage.
    pub kind: DamageKind,
    /// Whether a writer has moved it aside.
    pub(super) is_aside: bool,
    /// Its key and its value.
    pub(super) raw: (Vec<u8>, Vec<u8>),
}

impl DamagedRow {
    pub(super) fn new(key: &[u8], row: &[u8], kind: DamageKind) -> Self {
        let (bug, signature) = match numbers(key) {
            Some((Tag::Bug | Tag::Known, numbers)) => {
                (numbers.first().copied(), numbers.get(1).copied())
            }
            _ => (None, None),
        };
        Self { bug, signature, kind, is_aside: false, raw: (key.to_owned(), row.to_owned()) }
    }

    /// Makes the damage for a wrong number of rows.
    pub(super) fn missing() -> Self {
        let (kind, raw) = (DamageKind::Missing, Default::default());
        Self { bug: None, signature: None, kind, is_aside: false, raw }
    }
}

impl fmt::Display for DamagedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("damaged row")?;
        if let Some(bug) = self.bug {
            write!(f, " of bug {bug:016x}")?;
        }
        if let Some(signature) = self.signature {
            write!(f, ", signature {signature:016x}")?;
        }
        write!(f, ": {}", self.kind)
    }
}
