//! Hash tables of the model's names, which the compiler makes of the lists in [`table`](super::table).
//!
//! A name is not stored, only 32 bits of its hash, so that the lists take a tenth of the space. A second
//! part of the hash selects the slot.

use super::counts::Counts;
use super::table::{DIRECTORIES, FILES, FUNCTIONS};
use super::words::WORDS;

static FUNCTION_INDEX: Index<{ slots(FUNCTIONS.len()) }> = Index::of_names(FUNCTIONS);
static FILE_INDEX: Index<{ slots(FILES.len()) }> = Index::of_files(FILES);
static DIRECTORY_INDEX: Index<{ slots(DIRECTORIES.len()) }> = Index::of_names(DIRECTORIES);
static WORD_INDEX: Index<{ slots(WORDS.len()) }> = Index::of_words(WORDS);

/// The counts of a function; zeros if the list lacks it.
pub(super) fn function(name: &str) -> Counts {
    counts(FUNCTION_INDEX.find(hash(name.as_bytes())))
}

/// The counts of a directory.
pub(super) fn directory(name: &str) -> Counts {
    counts(DIRECTORY_INDEX.find(hash(name.as_bytes())))
}

/// The counts of a file by directory and name.
pub(super) fn file(directory: &str, name: &str) -> Counts {
    counts(FILE_INDEX.find(mix(hash(directory.as_bytes()), hash(name.as_bytes()))))
}

/// The number of a word of names.
pub(super) fn word(word: &[u8]) -> Option<usize> {
    WORD_INDEX.find(hash(word)).map(|[row, _]| usize::from(row))
}

fn counts(found: Option<[u16; 2]>) -> Counts {
    found.map(|[reports, fixed]| Counts::new(reports, fixed)).unwrap_or_default()
}

/// The slots for a number of names: a third stays free.
const fn slots(names: usize) -> usize {
    names + names / 2 + 1
}

/// A slot: 32 bits of the hash, 0 if it is free, and the values.
#[derive(Clone, Copy)]
struct Slot {
    mark: u32,
    values: [u16; 2],
}

/// An open hash table.
struct Index<const SLOTS: usize>([Slot; SLOTS]);

#[allow(clippy::indexing_slicing, reason = "made at build time")]
impl<const SLOTS: usize> Index<SLOTS> {
    const EMPTY: Self = Self([Slot { mark: 0, values: [0; 2] }; SLOTS]);

    const fn of_names(list: &[(&str, Counts)]) -> Self {
        let mut index = Self::EMPTY;
        let mut row = 0;
        while row < list.len() {
            let (name, counts) = list[row];
            index.add(hash(name.as_bytes()), [counts.reports, counts.fixed]);
            row += 1;
        }
        index
    }

    const fn of_files(list: &[(&str, Counts)]) -> Self {
        let mut index = Self::EMPTY;
        let mut row = 0;
        while row < list.len() {
            let (path, counts) = list[row];
            let path = path.as_bytes();
            let mut start = path.len();
            while start > 0 && path[start - 1] != b'/' {
                start -= 1;
            }
            let (directory, name) = path.split_at(start);
            let directory = match directory.split_last() {
                Some((_, directory)) => directory,
                None => directory,
            };
            index.add(mix(hash(directory), hash(name)), [counts.reports, counts.fixed]);
            row += 1;
        }
        index
    }

    #[allow(clippy::cast_possible_truncation, reason = "fewer than 65,536 words")]
    const fn of_words(words: &[&str]) -> Self {
        let mut index = Self::EMPTY;
        let mut row = 0;
        while row < words.len() {
            index.add(hash(words[row].as_bytes()), [row as u16, 0]);
            row += 1;
        }
        index
    }

    const fn add(&mut self, hash: u64, values: [u16; 2]) {
        let mark = mark(hash);
        let mut at = Self::slot(hash);
        while self.0[at].mark != 0 {
            assert!(self.0[at].mark != mark, "two names have the same hash");
            at = (at + 1) % SLOTS;
        }
        self.0[at] = Slot { mark, values };
    }

    #[allow(clippy::cast_possible_truncation, reason = "below the number of slots")]
    const fn slot(hash: u64) -> usize {
        (((hash >> 32) * SLOTS as u64) >> 32) as usize
    }

    fn find(&self, hash: u64) -> Option<[u16; 2]> {
        let mark = mark(hash);
        let (before, behind) = self.0.split_at_checked(Self::slot(hash))?;
        let mut slots = behind.iter().chain(before);
        let found = slots.find(|slot| slot.mark == mark || slot.mark == 0)?;
        (found.mark == mark).then_some(found.values)
    }
}

/// The bits of a hash that identify a name: never 0.
#[allow(clippy::cast_possible_truncation, reason = "the low half")]
const fn mark(hash: u64) -> u32 {
    hash as u32 | 1
}

/// Multiplicative hashing by 2^64 divided by the golden ratio.
const fn mix(hash: u64, value: u64) -> u64 {
    let product = (hash.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 32)
}

/// The hash of bytes, eight at a time.
#[allow(clippy::cast_lossless, reason = "`From` is not const")]
const fn hash(bytes: &[u8]) -> u64 {
    let (mut rest, mut hash) = (bytes, bytes.len() as u64);
    while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        hash = mix(hash, u64::from_le_bytes(*chunk));
        rest = behind;
    }
    let mut last = 0;
    while let Some((byte, behind)) = rest.split_first() {
        last = last << 8 | *byte as u64;
        rest = behind;
    }
    mix(hash, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found() {
        for (name, counts) in FUNCTIONS {
            assert_eq!(function(name), *counts, "{name}");
        }
        for (name, counts) in DIRECTORIES {
            assert_eq!(directory(name), *counts, "{name}");
        }
        for (path, counts) in FILES {
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
            assert_eq!(file(directory, name), *counts, "{path}");
        }
        for (at, name) in WORDS.iter().enumerate() {
            assert_eq!(word(name.as_bytes()), Some(at), "{name}");
        }
        assert_eq!(function("no_such_function"), Counts::default());
        assert_eq!(file("fs/ext4", "no_such_file.c"), Counts::default());
        assert_eq!(word(b""), None);
    }
}
