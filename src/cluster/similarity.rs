//! Similarity: ranks the known signatures for another one.

use std::collections::HashMap;

use super::calibration;
use super::document_frequency::{Frequencies, Source};
use super::entry::Entry;
use super::feature::Feature;
use super::names::{Name, Names, Texts};
use crate::fingerprint::{self, OriginRole};
use crate::functions::FrameClass;
use crate::order;

/// A term in more documents than this does not select candidates, but counts for those that other
/// terms select. It bounds the time of a query.
const MAX_POSTINGS: usize = 4096;

/// The number of candidates that are compared exactly: for each result, and the minimum. The sums
/// that select candidates omit the most common terms.
const COMPARED: (usize, usize) = (4, 64);

/// The number of functions of the stack that are split into words.
const NAMED: usize = 12;

/// A field of the index. Features with the same field share a channel.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
enum Channel {
    Stack,
    Words,
    Parts,
    Prefix,
    Files,
    Locks,
    Allocation,
    Free,
    Cache,
    Race,
    Directory,
    Title,
    TitleFunction,
    Member,
    NullOffset,
    Vocabulary,
    OriginWords,
}

/// The scale of the weights of a channel's terms.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scale {
    /// A vector of length 1: the product of two is their cosine.
    Cosine,
    /// From 1 for rare terms to 0 for common ones.
    Rarity,
    /// 1 for all terms.
    One,
}

impl Channel {
    const COUNT: usize = 17;

    fn source(self) -> Source {
        match self {
            Self::Stack | Self::Member | Self::Allocation | Self::Free | Self::Race => {
                Source::Function
            }
            Self::Words | Self::Parts | Self::Prefix | Self::Vocabulary | Self::OriginWords => {
                Source::Word
            }
            _ => Source::Other,
        }
    }

    /// Returns whether a term selects candidates. These words are in the terms of other channels as well, and would
    /// double the index.
    fn selects(self) -> bool {
        !matches!(self, Self::Vocabulary | Self::OriginWords)
    }

    fn scale(self) -> Scale {
        match self {
            Self::Directory | Self::Member => Scale::Rarity,
            Self::Title | Self::TitleFunction | Self::NullOffset => Scale::One,
            _ => Scale::Cosine,
        }
    }
}

/// A term of a signature: channel, hash, weight.
#[derive(Clone, Copy, Debug)]
struct Term {
    channel: Channel,
    key: u64,
    weight: f32,
}

/// Returns the terms of a signature, each once.
fn terms(entry: &Entry, names: &impl Texts) -> Vec<Term> {
    let mut terms = Vec::with_capacity(192);
    let mut add = |channel, key, weight| terms.push(Term { channel, key, weight });
    let mut depth = 0_u16;
    let mut named = 0;
    for frame in &entry.frames {
        let key = names.hash(frame.name);
        let is_ordinary = frame.class == FrameClass::Relevant;
        let kind = if is_ordinary { 1.0 } else { 0.5 };
        add(Channel::Stack, key, kind / f32::from(1 + depth).sqrt());
        add(Channel::Member, key, 1.0);
        depth += u16::from(!frame.inline);
        if let Some(file) = frame.file {
            add(Channel::Files, names.hash(file), 1.0);
            let path = names.text(file);
            let path = path.rsplit_once('.').map_or(path, |(path, _)| path);
            words(path, |word| add(Channel::Vocabulary, word, 1.0));
        }
        if is_ordinary {
            let text = names.text(frame.name);
            words(text, |word| add(Channel::Vocabulary, word, 1.0));
            if let Some(first) = text.trim_matches('_').split('_').next() {
                add(Channel::Prefix, fingerprint::hash(first), 1.0);
            }
            if named < NAMED {
                words(text, |word| add(Channel::Parts, word, 1.0));
                named += 1;
            }
        }
    }
    for title in [entry.title].iter().chain(&entry.site) {
        words(names.text(*title), |word| {
            add(Channel::Words, word, 1.0);
            add(Channel::Vocabulary, word, 1.0);
        });
    }
    for &(role, name) in &entry.origins {
        let key = names.hash(name);
        words(names.text(name), |word| {
            add(Channel::OriginWords, word, 1.0);
            add(Channel::Vocabulary, word, 1.0);
        });
        let is_function = match role {
            OriginRole::Allocation => {
                add(Channel::Allocation, key, 1.0);
                true
            }
            OriginRole::Free | OriginRole::Queue | OriginRole::Object => {
                add(Channel::Free, key, 1.0);
                true
            }
            OriginRole::Race => {
                add(Channel::Race, key, 1.0);
                true
            }
            OriginRole::Lock | OriginRole::Blocked => {
                add(Channel::Locks, key, 1.0);
                false
            }
            // Each size of objects has a general cache, which is no evidence.
            OriginRole::Cache => {
                if !names.text(name).starts_with("kmalloc") {
                    add(Channel::Cache, key, 1.0);
                }
                false
            }
        };
        if is_function {
            add(Channel::Member, key, 1.0);
        }
    }
    if entry.family == fingerprint::Family::MemoryLeak
        && let Some(site) = entry.site.first()
    {
        add(Channel::Allocation, names.hash(*site), 1.0);
    }
    if let Some(directory) = entry.directory {
        add(Channel::Directory, names.hash(directory), 1.0);
    }
    if let Some(function) = entry.function {
        add(Channel::TitleFunction, names.hash(function), 1.0);
        add(Channel::Title, names.hash(entry.title), 1.0);
    }
    if let Some(granule) = entry.facts.granule() {
        add(Channel::NullOffset, granule, 1.0);
    }
    // Keeps the heaviest of equal terms.
    order::sort_by(&mut terms, |a, b| {
        (a.channel as u8, a.key).cmp(&(b.channel as u8, b.key)).then(b.weight.total_cmp(&a.weight))
    });
    terms.dedup_by_key(|term| (term.channel as u8, term.key));
    terms
}

/// Calls `add` for each word of a title or name: at least three letters or digits, in lower case.
fn words(text: &str, mut add: impl FnMut(u64)) {
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        if word.len() >= 3 {
            add(fingerprint::hash(&word.to_ascii_lowercase()));
        }
    }
}

/// A known signature that may be of the same bug.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) entry: u32,
    /// The sum of the weighted features.
    pub(super) sum: f32,
    /// The probability of the pair alone.
    pub(super) score: f32,
    pub(super) features: Vec<(Feature, f32)>,
}

/// Returns the sum of the features of two reports alone.
pub(super) fn pair_sum(features: &[(Feature, f32)]) -> f32 {
    features.iter().map(|(feature, value)| feature.pair_weight() * value).sum()
}

/// Returns the rarity of a term, from 0 to 1.
fn rarity(frequencies: &Frequencies, channel: Channel, key: u64) -> f32 {
    frequencies.rarity(channel.source(), key)
}

/// The terms of an entry that select candidates, without their weights.
#[cfg(feature = "store")]
pub(super) fn keys(entry: &Entry, names: &impl Texts) -> Vec<(u8, u64)> {
    let terms = terms(entry, names).into_iter().filter(|term| term.channel.selects());
    terms.map(|term| (term.channel as u8, term.key)).collect()
}

/// Returns whether the value of a feature is the greatest of its hits, not their sum.
fn is_greatest(feature: Feature) -> bool {
    feature == Feature::RareFile
}

/// A term that a query looks up.
struct Hit {
    channel: Channel,
    key: u64,
    feature: Feature,
    weight: f32,
}

/// Returns the terms that a query looks up, each with the weight of a hit.
fn hits(entry: &Entry, names: &impl Texts, frequencies: &Frequencies) -> Vec<Hit> {
    let rarity = |channel, key| rarity(frequencies, channel, key);
    let terms = terms(entry, names);
    let mut squares = [0.0_f32; Channel::COUNT];
    for term in &terms {
        let weight = term.weight * rarity(term.channel, term.key);
        if let Some(square) = squares.get_mut(term.channel as usize) {
            *square += weight * weight;
        }
    }
    let mut hits = Vec::with_capacity(terms.len() + 32);
    let mut add = |channel: Channel, key, feature, weight: f32| {
        hits.push(Hit { channel, key, feature, weight });
    };
    for term in &terms {
        let square = squares.get(term.channel as usize).copied().unwrap_or_default();
        let rare = rarity(term.channel, term.key);
        let cosine = term.weight * rare / square.sqrt().max(f32::MIN_POSITIVE);
        let (feature, weight) = match term.channel {
            Channel::Stack => (Feature::Stack, cosine),
            Channel::Words => (Feature::Words, cosine),
            Channel::Parts => (Feature::Parts, cosine),
            Channel::Prefix => (Feature::Prefix, cosine),
            Channel::Files => {
                let rare = frequencies.rarity(Source::File, term.key);
                add(Channel::Files, term.key, Feature::RareFile, rare);
                (Feature::Files, cosine)
            }
            Channel::Locks => (Feature::Locks, cosine),
            Channel::Allocation => (Feature::Allocation, cosine),
            Channel::Free => (Feature::Free, cosine),
            Channel::Cache => (Feature::Cache, cosine),
            Channel::Race => (Feature::Race, cosine),
            Channel::Directory => (Feature::Directory, rare),
            Channel::Title => (Feature::Title, 1.0),
            Channel::TitleFunction => {
                // Half for each direction.
                let rare = rarity(Channel::Member, term.key);
                add(Channel::Member, term.key, Feature::TitleInStack, 0.5 * rare);
                (Feature::TitleFunction, 1.0)
            }
            Channel::Member => {
                add(Channel::TitleFunction, term.key, Feature::TitleInStack, 0.5 * rare);
                continue;
            }
            Channel::NullOffset => (Feature::NullOffset, 1.0),
            Channel::Vocabulary => (Feature::Vocabulary, cosine),
            Channel::OriginWords => (Feature::OriginWords, cosine),
        };
        add(term.channel, term.key, feature, weight);
    }
    hits
}

/// Returns the terms that a query looks up, each with the amount that a hit adds to a score if the
/// document equals the query.
#[cfg(feature = "store")]
pub(super) fn weights(entry: &Entry, names: &impl Texts) -> Vec<((u8, u64), f32)> {
    let hits = hits(entry, names, Frequencies::builtin()).into_iter();
    let hits = hits.filter(|hit| hit.channel.selects() && !is_greatest(hit.feature));
    let weights = hits.map(|hit| {
        let of_document = match hit.channel.scale() {
            Scale::Cosine => hit.weight,
            Scale::Rarity | Scale::One => 1.0,
        };
        let weight = hit.weight * of_document * hit.feature.weight();
        ((hit.channel as u8, hit.key), weight)
    });
    weights.collect()
}

/// The inverted index: known signatures by term.
#[derive(Clone, Debug)]
pub(super) struct Ranker {
    frequencies: &'static Frequencies,
    /// The entry of each document.
    documents: Vec<u32>,
    by_key: HashMap<(u8, u64), u32>,
    /// The start of the postings of each term.
    starts: Vec<u32>,
    postings: Vec<(u32, f32)>,
    rarity: Vec<f32>,
    /// The start of the terms of each document.
    firsts: Vec<u32>,
    forward: Vec<(u32, f32)>,
    families: Vec<fingerprint::Family>,
    offsets: Vec<Option<u64>>,
    ages: Vec<Option<f32>>,
    releases: Vec<Option<Name>>,
}

/// A term of a query.
#[derive(Clone, Copy, Debug)]
struct Lookup {
    term: u32,
    feature: Feature,
    weight: f32,
}

impl Ranker {
    /// Builds the index of the entries with these numbers.
    pub(super) fn new(entries: &[Entry], names: &Names, documents: Vec<u32>) -> Self {
        Self::with_frequencies(entries, names, documents, Frequencies::builtin())
    }

    /// The same with another table of frequencies.
    pub(super) fn with_frequencies(
        entries: &[Entry],
        names: &Names,
        documents: Vec<u32>,
        frequencies: &'static Frequencies,
    ) -> Self {
        let mut by_key: HashMap<(u8, u64), u32> = HashMap::new();
        let mut counts: Vec<u32> = Vec::new();
        let mut channels: Vec<Channel> = Vec::new();
        let mut firsts = vec![0];
        let mut forward: Vec<(u32, f32)> = Vec::new();
        let (mut families, mut offsets) = (Vec::new(), Vec::new());
        let (mut ages, mut releases) = (Vec::new(), Vec::new());
        let of = |document: u32| entries.get(document as usize);
        for entry in documents.iter().filter_map(|document| of(*document)) {
            for term in terms(entry, names) {
                let next = counts.len() as u32;
                let number = *by_key.entry((term.channel as u8, term.key)).or_insert(next);
                if number == next {
                    counts.push(0);
                    channels.push(term.channel);
                }
                if let Some(count) = counts.get_mut(number as usize) {
                    *count += u32::from(term.channel.selects());
                }
                forward.push((number, term.weight));
            }
            firsts.push(forward.len() as u32);
            families.push(entry.family);
            offsets.push(entry.facts.granule());
            ages.push(entry.age);
            releases.push(entry.release);
        }
        let mut rarities = vec![0.0; counts.len()];
        for ((_, key), term) in &by_key {
            let at = *term as usize;
            if let Some((channel, place)) = channels.get(at).zip(rarities.get_mut(at)) {
                *place = rarity(frequencies, *channel, *key);
            }
        }
        let mut ranker = Self {
            frequencies,
            documents,
            by_key,
            starts: Vec::new(),
            postings: Vec::new(),
            rarity: rarities,
            firsts,
            forward,
            families,
            offsets,
            ages,
            releases,
        };
        ranker.scale(&channels);
        ranker.invert(&counts, &channels);
        ranker
    }

    /// Scales the raw weights.
    fn scale(&mut self, channels: &[Channel]) {
        for bounds in self.firsts.windows(2) {
            let &[from, to] = bounds else { continue };
            let Some(terms) = self.forward.get_mut(from as usize..to as usize) else { continue };
            let mut squares = [0.0_f32; Channel::COUNT];
            for (term, weight) in terms.iter_mut() {
                let channel = channels.get(*term as usize).copied().unwrap_or(Channel::Stack);
                let rarity = self.rarity.get(*term as usize).copied().unwrap_or_default();
                *weight = match channel.scale() {
                    Scale::Cosine => *weight * rarity,
                    Scale::Rarity | Scale::One => 1.0,
                };
                if let Some(square) = squares.get_mut(channel as usize) {
                    *square += *weight * *weight;
                }
            }
            for (term, weight) in terms {
                let channel = channels.get(*term as usize).copied().unwrap_or(Channel::Stack);
                let square = squares.get(channel as usize).copied().unwrap_or_default();
                if channel.scale() == Scale::Cosine && square > 0.0 {
                    *weight /= square.sqrt();
                }
            }
        }
    }

    fn invert(&mut self, counts: &[u32], channels: &[Channel]) {
        let mut next = 0;
        self.starts = vec![0];
        for count in counts {
            next += count;
            self.starts.push(next);
        }
        let mut places = self.starts.clone();
        self.postings = vec![(0, 0.0); next as usize];
        for (document, bounds) in self.firsts.windows(2).enumerate() {
            let &[from, to] = bounds else { continue };
            for &(term, weight) in self.forward.get(from as usize..to as usize).unwrap_or_default()
            {
                if !channels.get(term as usize).is_some_and(|channel| channel.selects()) {
                    continue;
                }
                let Some(place) = places.get_mut(term as usize) else { continue };
                if let Some(posting) = self.postings.get_mut(*place as usize) {
                    *posting = (document as u32, weight);
                }
                *place += 1;
            }
        }
    }

    /// Returns the terms of a query, with the weight of each hit.
    fn lookups(&self, entry: &Entry, names: &impl Texts) -> Vec<Lookup> {
        let hits = hits(entry, names, self.frequencies).into_iter();
        let found = hits.filter_map(|hit| {
            let term = *self.by_key.get(&(hit.channel as u8, hit.key))?;
            Some(Lookup { term, feature: hit.feature, weight: hit.weight })
        });
        found.collect()
    }

    fn postings(&self, term: u32) -> &[(u32, f32)] {
        let from = self.starts.get(term as usize).copied().unwrap_or_default();
        let to = self.starts.get(term as usize + 1).copied().unwrap_or_default();
        self.postings.get(from as usize..to as usize).unwrap_or_default()
    }

    /// Calls `add` for each feature that has no postings.
    fn scalars(&self, entry: &Entry, document: usize, mut add: impl FnMut(Feature, f32)) {
        if self.families.get(document) == Some(&entry.family) {
            add(Feature::Family, 1.0);
        }
        let offset = self.offsets.get(document).copied().flatten();
        if offset.zip(entry.facts.granule()).is_some_and(|(a, b)| a != b) {
            add(Feature::OtherOffset, 1.0);
        }
        match self.ages.get(document).copied().flatten().zip(entry.age) {
            Some((a, b)) => {
                let apart = (a - b).abs();
                add(Feature::Release, (-apart / 2.0).exp());
                add(Feature::Era, (-apart / 8.0).exp());
            }
            None => add(Feature::NoRelease, 1.0),
        }
        let release = self.releases.get(document).copied().flatten();
        if release.is_some() && release == entry.release {
            add(Feature::SameRelease, 1.0);
        }
    }

    /// Returns the `top` documents that are most similar to `entry`, the most similar first; of
    /// equal ones that with the smaller hash.
    ///
    /// `scratch` is a buffer that the next query can use again.
    pub(super) fn rank(
        &self,
        entries: &[Entry],
        entry: &Entry,
        names: &impl Texts,
        top: usize,
        scratch: &mut Scratch,
    ) -> Vec<Candidate> {
        let lookups = self.lookups(entry, names);
        let sums = &mut scratch.sums;
        sums.resize(self.documents.len(), 0.0);
        let mut touched = Vec::new();
        for lookup in &lookups {
            let postings = self.postings(lookup.term);
            if postings.len() > MAX_POSTINGS || is_greatest(lookup.feature) {
                continue;
            }
            let weight = lookup.weight * lookup.feature.weight();
            for &(document, of_document) in postings {
                let Some(sum) = sums.get_mut(document as usize) else { continue };
                if *sum == 0.0 {
                    touched.push(document);
                }
                *sum += weight * of_document;
            }
        }
        order::sort(&mut touched);
        touched.dedup();
        let mut best = Vec::with_capacity(touched.len());
        for document in touched {
            let Some(place) = sums.get_mut(document as usize) else { continue };
            let mut sum = std::mem::take(place);
            self.scalars(entry, document as usize, |feature, value| {
                sum += feature.weight() * value;
            });
            best.push((sum, document));
        }
        let compared = top.saturating_mul(COMPARED.0).max(COMPARED.1);
        if best.len() > compared {
            let exact = |document: u32| {
                let entry = self.documents.get(document as usize)?;
                entries.get(*entry as usize).map(|entry| entry.exact)
            };
            best.select_nth_unstable_by(compared - 1, |a: &(f32, u32), b| {
                b.0.total_cmp(&a.0).then_with(|| exact(a.1).cmp(&exact(b.1)))
            });
            best.truncate(compared);
        }
        scratch.look_up(self.rarity.len(), &lookups);
        let mut found: Vec<_> =
            best.iter().map(|(_, document)| self.compare(entry, scratch, *document)).collect();
        scratch.forget(&lookups);
        let exact =
            |candidate: &Candidate| entries.get(candidate.entry as usize).map(|entry| entry.exact);
        order::sort_by(&mut found, |a, b| {
            b.sum.total_cmp(&a.sum).then_with(|| exact(a).cmp(&exact(b)))
        });
        found.truncate(top);
        found
    }

    /// Compares an entry with one document, by its number.
    pub(super) fn compare_one(
        &self,
        entry: &Entry,
        names: &impl Texts,
        document: u32,
    ) -> Candidate {
        let lookups = self.lookups(entry, names);
        let mut scratch = Scratch::default();
        scratch.look_up(self.rarity.len(), &lookups);
        self.compare(entry, &scratch, document)
    }

    /// Compares an entry with these documents, by their numbers.
    pub(super) fn compare_with(
        &self,
        entry: &Entry,
        names: &impl Texts,
        documents: &[u32],
        scratch: &mut Scratch,
    ) -> Vec<Candidate> {
        let lookups = self.lookups(entry, names);
        scratch.look_up(self.rarity.len(), &lookups);
        let compared = documents.iter().map(|document| self.compare(entry, scratch, *document));
        let found = compared.collect();
        scratch.forget(&lookups);
        found
    }

    /// Compares an entry with a document by all features.
    fn compare(&self, entry: &Entry, scratch: &Scratch, document: u32) -> Candidate {
        let mut values = [0.0_f32; Feature::ALL.len()];
        let mut add = |feature: Feature, value: f32| {
            if let Some(place) = values.get_mut(feature as usize) {
                *place = if is_greatest(feature) { place.max(value) } else { *place + value };
            }
        };
        let from = self.firsts.get(document as usize).copied().unwrap_or_default();
        let to = self.firsts.get(document as usize + 1).copied().unwrap_or_default();
        for (term, weight) in self.forward.get(from as usize..to as usize).unwrap_or_default() {
            for lookup in scratch.of(*term) {
                let of_document = if is_greatest(lookup.feature) { 1.0 } else { *weight };
                add(lookup.feature, lookup.weight * of_document);
            }
        }
        self.scalars(entry, document as usize, &mut add);
        let features: Vec<_> =
            Feature::ALL.iter().copied().zip(values).filter(|(_, value)| *value != 0.0).collect();
        let sum: f32 = features.iter().map(|(feature, value)| feature.weight() * value).sum();
        Candidate {
            entry: self.documents.get(document as usize).copied().unwrap_or_default(),
            sum,
            score: calibration::of_pair(pair_sum(&features)),
            features,
        }
    }
}

/// The buffers of a query.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The sum of each document.
    sums: Vec<f32>,
    /// The first lookup of each term among `lookups`, counted from 1; 0 for terms that are not looked up.
    firsts: Vec<u32>,
    /// The lookups, those of a term beside each other.
    lookups: Vec<Lookup>,
}

impl Scratch {
    /// Enters the lookups of a query, in an index of this number of terms.
    fn look_up(&mut self, terms: usize, lookups: &[Lookup]) {
        self.firsts.resize(terms, 0);
        self.lookups.clear();
        self.lookups.extend_from_slice(lookups);
        order::sort_by(&mut self.lookups, |a, b| a.term.cmp(&b.term));
        for (at, lookup) in (1_u32..).zip(&self.lookups) {
            if let Some(first) = self.firsts.get_mut(lookup.term as usize)
                && *first == 0
            {
                *first = at;
            }
        }
    }

    /// Removes the lookups of a query.
    fn forget(&mut self, lookups: &[Lookup]) {
        for lookup in lookups {
            if let Some(first) = self.firsts.get_mut(lookup.term as usize) {
                *first = 0;
            }
        }
    }

    /// Returns the lookups of a term.
    fn of(&self, term: u32) -> impl Iterator<Item = &Lookup> {
        let first = self.firsts.get(term as usize).copied().unwrap_or_default() as usize;
        let known = first.checked_sub(1).and_then(|first| self.lookups.get(first..));
        known.unwrap_or_default().iter().take_while(move |lookup| lookup.term == term)
    }
}
