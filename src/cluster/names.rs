//! Interned texts.

use std::collections::HashMap;

use crate::fingerprint;

/// The number of an interned text.
pub(crate) type Name = u32;

/// Interned texts by number.
pub(super) trait Texts {
    /// Returns the number of a text with this hash, which is interned if it is new.
    fn add_hashed(&mut self, text: &str, hash: u64) -> Name;

    /// Returns the text of a number.
    fn text(&self, name: Name) -> &str;

    /// Returns the hash of the text of a number.
    fn hash(&self, name: Name) -> u64;

    /// Returns the number of a text, which is interned if it is new.
    fn add(&mut self, text: &str) -> Name {
        self.add_hashed(text, fingerprint::hash(text))
    }
}

/// Interned texts: each is kept once and has a number.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    by_hash: HashMap<u64, Name>,
    texts: Vec<(Box<str>, u64)>,
}

impl Texts for Names {
    fn add_hashed(&mut self, text: &str, hash: u64) -> Name {
        *self.by_hash.entry(hash).or_insert_with(|| {
            // More texts do not fit into memory.
            let name = Name::try_from(self.texts.len()).unwrap_or(Name::MAX);
            self.texts.push((text.into(), hash));
            name
        })
    }

    fn text(&self, name: Name) -> &str {
        self.texts.get(name as usize).map_or("", |(text, _)| text)
    }

    fn hash(&self, name: Name) -> u64 {
        self.texts.get(name as usize).map_or(0, |(_, hash)| *hash)
    }
}

/// The texts of a query: known ones from the index, and its own.
pub(super) struct Overlay<'a> {
    known: &'a Names,
    new: Names,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(known: &'a Names) -> Self {
        Self { known, new: Names::default() }
    }

    fn first(&self) -> Name {
        self.known.texts.len() as Name
    }
}

impl Texts for Overlay<'_> {
    fn add_hashed(&mut self, text: &str, hash: u64) -> Name {
        match self.known.by_hash.get(&hash) {
            Some(name) => *name,
            None => self.first() + self.new.add_hashed(text, hash),
        }
    }

    fn text(&self, name: Name) -> &str {
        match name.checked_sub(self.first()) {
            Some(new) => self.new.text(new),
            None => self.known.text(name),
        }
    }

    fn hash(&self, name: Name) -> u64 {
        match name.checked_sub(self.first()) {
            Some(new) => self.new.hash(new),
            None => self.known.hash(name),
        }
    }
}
