//! Texts, each kept once.

use std::collections::HashMap;

use crate::fingerprint;

/// The number of a text.
pub(crate) type Name = u32;

/// Texts by their numbers.
pub(super) trait Texts {
    /// The number of a text whose hash is this.
    fn add_hashed(&mut self, text: &str, hash: u64) -> Name;

    /// The text of a number.
    fn text(&self, name: Name) -> &str;

    /// The hash of the text of a number.
    fn hash(&self, name: Name) -> u64;

    /// The number of a text.
    fn add(&mut self, text: &str) -> Name {
        self.add_hashed(text, fingerprint::hash(text))
    }
}

/// Texts, each kept once and known by a number.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    by_hash: HashMap<u64, Name>,
    texts: Vec<(Box<str>, u64)>,
}

impl Texts for Names {
    fn add_hashed(&mut self, text: &str, hash: u64) -> Name {
        *self.by_hash.entry(hash).or_insert_with(|| {
            // More texts than that do not fit memory.
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

/// Texts of which most are known: those of a report that is only asked about.
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
