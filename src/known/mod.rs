//! Known fixes: the commits that fix a crash, and whether a kernel has them.
//!
//! A store of known bugs keeps with each signature the fixes whose messages quote it ([`Fix`]).
//! [`Fixes::ask`] ranks them for a report; [`verdict`] decides whether a release has one.
//! [`Message`], [`Changes`] and [`Tags`] parse the input of a store of fixes: messages of commits,
//! their diffs, and the tags that contain them. They take text; the program runs git.
//!
//! # Examples
//!
//! ```
//! use ksplat::fingerprint::Signature;
//! use ksplat::known::{Fixes, Message};
//! use ksplat::store::{Sighting, Store};
//!
//! let message = b"cm: check the length\n\n    BUG: KASAN: use-after-free in cm_read+0x5c/0x80\n\
//!     Call Trace:\n     cm_read+0x5c/0x80\n     vfs_read+0x101/0x200\n\nFixes: 1a2b3c4d5e6f (\"cm: add\")\n";
//! # let directory = std::env::temp_dir().join(format!("ksplat-known-{}", std::process::id()));
//! # std::fs::create_dir_all(&directory)?;
//! # let path = directory.join("known.ksplat");
//! let store = Store::open(&path)?;
//! let report = ksplat::reports(message).next().expect("a report");
//! let fix = Message::parse(message).fix("0123456789abcdef0123456789abcdef01234567");
//! let place = fix.id.clone();
//! store.add(&[Sighting::new(Signature::of(&report), None, place).with_fix(fix)])?;
//!
//! let log = b"BUG: KASAN: use-after-free in cm_read+0x6c/0x90\nRead of size 4 at addr 1234567812345678\n\
//!     Call Trace:\n <TASK>\n cm_read+0x6c/0x90\n vfs_read+0x1a1/0x280\n";
//! let report = ksplat::reports(log).next().expect("a report");
//! let known = Fixes::new(store.load()?);
//! let found = known.ask(&Signature::of(&report), 5);
//! assert_eq!(found[0].fix.subject, "cm: check the length");
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![allow(clippy::cast_precision_loss, reason = "counts of functions are small")]

mod diff;
mod evidence;
mod mail;
mod message;
mod mime;
mod rank;
mod release;
mod table;
mod tags;

use std::collections::{BTreeMap, HashMap};

use crate::cluster::{Index, Observation};
use crate::fingerprint::Signature;
use crate::store::{Contents, Fix, Known};

pub use diff::Changes;
pub use mail::Mail;
pub use message::Message;
pub use rank::{PAIR_NAMES, PairFeatures, pair_features};
pub use release::{FixVerdict, Standing, earlier_tag, with_reverts};
pub use table::PAIR_FEATURES;
pub use tags::Tags;

/// The number of known crashes with a fix that are compared with a report.
const CANDIDATES: usize = 40;

/// The fixes in a store, prepared for queries.
#[derive(Debug)]
pub struct Fixes {
    contents: Contents,
    /// The crashes with a fix, each signature once; term frequencies are those of the whole store.
    index: Index,
    /// The indices in the contents of the crashes with one signature. A reappeared crash is of
    /// several bugs.
    places: Vec<Vec<usize>>,
    /// The fixes in the labels of bugs, with all fields if a signature of the bug has them.
    labelled: BTreeMap<u64, Fix>,
}

/// A fix that may fix the bug of a report.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Candidate<'k> {
    /// The fix.
    pub fix: Fix,
    /// The probability that it fixes the bug of the report.
    pub probability: f32,
    /// The ID of the bug in the store.
    pub bug: u64,
    /// The title of the crash in its message.
    pub title: &'k str,
    /// The common features of both crashes, as text.
    pub evidence: Vec<String>,
}

impl Fixes {
    /// Prepares the contents of a store: all, or those for the reports of the queries.
    pub fn new(contents: Contents) -> Self {
        let mut index = Index::new();
        let labelled = labelled(&contents);
        let mut places: Vec<Vec<usize>> = Vec::new();
        let mut of_exact: HashMap<u64, usize> = HashMap::new();
        for (at, known) in contents.known.iter().enumerate() {
            if known.fixes.is_empty() && !labelled.contains_key(&known.bug) {
                continue;
            }
            let exact = known.signature.exact;
            let place = *of_exact.entry(exact).or_insert(places.len());
            if place == places.len() {
                places.push(Vec::new());
                index.add(&known.signature, Observation { time: known.first, count: 1 });
            }
            if let Some(places) = places.get_mut(place) {
                places.push(at);
            }
        }
        Self { contents, index, places, labelled }
    }

    /// Returns the contents of the store.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Returns the `top` fixes that most likely fix the bug of a report, the most likely first.
    pub fn ask(&self, signature: &Signature<'_>, top: usize) -> Vec<Candidate<'_>> {
        let mut found: Vec<(f32, Candidate<'_>)> = Vec::new();
        for like in self.index.matches(signature, CANDIDATES) {
            let places = self.places.get(like.report as usize).into_iter().flatten();
            for known in places.filter_map(|at| self.contents.known.get(*at)) {
                let score = rank::score(&pair_features(signature, &known.signature, &like));
                for fix in self.fixes_of(known) {
                    take(&mut found, score, fix, || Candidate {
                        fix: fix.clone(),
                        probability: 0.0,
                        bug: known.bug,
                        title: &known.signature.title.text,
                        evidence: evidence::words(signature, &known.signature),
                    });
                }
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.fix.id.cmp(&b.1.fix.id)));
        let mut scores: Vec<f32> = found.iter().map(|(score, _)| *score).collect();
        rank::probabilities(&mut scores);
        let found = found.into_iter().zip(scores).take(top);
        found.map(|((_, candidate), probability)| Candidate { probability, ..candidate }).collect()
    }

    /// Returns the fixes of a crash; that of the label of its bug, if it has none.
    fn fixes_of<'k>(&'k self, known: &'k Known) -> &'k [Fix] {
        match known.fixes.as_slice() {
            [] => self.labelled.get(&known.bug).map_or(&[], std::slice::from_ref),
            fixes => fixes,
        }
    }
}

/// Adds a candidate. For two of one commit the greater score counts, and the record with more
/// fields is kept.
fn take<'k>(
    found: &mut Vec<(f32, Candidate<'k>)>,
    score: f32,
    fix: &Fix,
    new: impl FnOnce() -> Candidate<'k>,
) {
    let place = found.iter_mut().find(|(_, other)| other.fix.is_commit(&fix.id));
    let Some((best, candidate)) = place else {
        found.push((score, new()));
        return;
    };
    if score > *best {
        let earlier = std::mem::replace(candidate, new());
        let later = std::mem::replace(&mut candidate.fix, earlier.fix);
        candidate.fix.fill(later);
        *best = score;
    } else {
        candidate.fix.fill(fix.clone());
    }
}

/// Returns the fixes in labels, by bug.
fn labelled(contents: &Contents) -> BTreeMap<u64, Fix> {
    let named = |bug: &crate::store::BugRecord| Some((bug.id, Fix::from(bug.fixed.clone()?)));
    let mut labelled: BTreeMap<u64, Fix> = contents.bugs.values().filter_map(named).collect();
    for known in &contents.known {
        let Some(named) = labelled.get_mut(&known.bug) else { continue };
        if let Some(fix) = known.fixes.iter().find(|fix| fix.is_commit(&named.id)) {
            named.fill(fix.clone());
        }
    }
    labelled
}

/// Returns whether a kernel of this release has a fix, and whether it needs it; `None` if no tag
/// contains the fix or the commits of its `Fixes:` lines, or the release cannot be parsed.
pub fn verdict(fix: &Fix, release: &str) -> Option<FixVerdict> {
    release::verdict(fix, release)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Fixed;

    /// Two bugs with one signature: the first with a commit, the second with a label only.
    fn contents(second: &str) -> Contents {
        let log = b"BUG: KASAN: use-after-free in cm_read+0x6c/0x90\nRead of size 4 at addr 1234567812345678\n\
            Call Trace:\n cm_read+0x6c/0x90\n vfs_read+0x1a1/0x280\n";
        let report = crate::reports(log).next().expect("a report");
        let signature = Signature::of(&report).into_owned();
        let mut contents = Contents::default();
        for (bug, id) in [(1, "0123456789abcdef0123"), (2, second)] {
            let full = Fix { subject: "cm: check".to_owned(), ..Fix::new(id) };
            let known = Known {
                bug,
                signature: signature.clone(),
                count: 1,
                first: None,
                last: None,
                kernels: Vec::new(),
                places: Vec::new(),
                fixes: if bug == 1 { vec![full] } else { Vec::new() },
                store: None,
                counts: Vec::new(),
            };
            let fixed = Some(Fixed { by: id.to_owned(), since: None, after: None });
            contents
                .bugs
                .insert(bug, crate::store::BugRecord { id: bug, fixed, ..Default::default() });
            contents.known.push(known);
        }
        contents
    }

    #[test]
    fn a_crash_that_came_back_has_the_fixes_of_each_time() {
        let contents = contents("fedcba9876543210");
        let signature = contents.known[0].signature.clone();
        let known = Fixes::new(contents);
        let found = known.ask(&signature, 5);
        let mut ids: Vec<_> = found.iter().map(|candidate| &*candidate.fix.id).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["0123456789abcdef0123", "fedcba9876543210"]);
    }

    #[test]
    fn a_label_keeps_the_fields_of_its_commit() {
        for (label, is_first) in [("0123456789abcdef0123", true), ("0123456789ab", false)] {
            let mut contents = contents(label);
            if !is_first {
                contents.known.reverse();
            }
            let signature = contents.known[0].signature.clone();
            let known = Fixes::new(contents);
            let found = known.ask(&signature, 5);
            let fixes: Vec<_> =
                found.iter().map(|found| (&*found.fix.id, &*found.fix.subject)).collect();
            assert_eq!(fixes, [("0123456789abcdef0123", "cm: check")], "{label}");
        }
    }

    #[test]
    fn candidates_are_those_with_a_fix() {
        let mut contents = contents("fedcba9876543210");
        let first = contents.known[0].clone();
        for number in 0..60 {
            let mut other = first.clone();
            other.fixes.clear();
            other.bug = 3;
            other.signature.exact = number;
            contents.known.insert(0, other);
        }
        let known = Fixes::new(contents);
        assert_eq!(known.ask(&first.signature, 5).len(), 2);
    }
}
