//! Known and fixed: which commit fixes a crash, and whether a kernel has it.
//!
//! A store of known bugs keeps with each signature the fixes whose messages quote it ([`Fix`]). [`Fixes::ask`]
//! ranks them for a report; [`verdict`] says what one means for a release. [`Message`], [`Changes`] and [`Tags`]
//! read what a store of fixes is made from: messages of commits, their diffs, and the tags that contain them. They
//! are given the text: running git is up to the program.
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
mod rank;
mod release;
mod table;
mod tags;

use crate::cluster::Index;
use crate::fingerprint::Signature;
use crate::store::{Contents, Fix};

pub use diff::Changes;
pub use mail::Mail;
pub use message::Message;
pub use rank::{PAIR_FEATURES, PAIR_NAMES, PairFeatures, pair_features};
pub use release::{FixVerdict, Standing};
pub use tags::Tags;

/// The known crashes that are compared for a report.
const CANDIDATES: usize = 40;

/// What a store knows of fixes, to ask it.
#[derive(Debug)]
pub struct Fixes {
    contents: Contents,
    index: Index,
}

/// A fix that may be that of a report.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Candidate<'k> {
    /// The fix.
    pub fix: Fix,
    /// The probability that it fixes the bug of the report.
    pub probability: f32,
    /// The ID of the bug in the store.
    pub bug: u64,
    /// The title of the crash that it quotes.
    pub title: &'k str,
    /// What both crashes have in common, in words.
    pub evidence: Vec<String>,
}

impl Fixes {
    /// Prepares the contents of a store: all, or those for the reports that are asked for.
    pub fn new(contents: Contents) -> Self {
        let index = contents.index();
        Self { contents, index }
    }

    /// The contents of the store.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// The `top` fixes that are most likely that of the bug of a report, the most likely first.
    pub fn ask(&self, signature: &Signature<'_>, top: usize) -> Vec<Candidate<'_>> {
        let mut found: Vec<(f32, Candidate<'_>)> = Vec::new();
        for like in self.index.matches(signature, CANDIDATES) {
            let Some(known) = self.contents.known.get(like.report as usize) else { continue };
            let labelled = || {
                let fixed = self.contents.bugs.get(&known.bug)?.fixed.clone()?;
                Some(Fix::from(fixed))
            };
            let fixes = match known.fixes.as_slice() {
                [] => labelled().into_iter().collect(),
                fixes => fixes.to_vec(),
            };
            let score = rank::score(&pair_features(signature, &known.signature, like.score));
            for fix in fixes {
                match found.iter_mut().find(|(_, other)| other.fix.id == fix.id) {
                    Some((best, _)) if *best >= score => {}
                    place => {
                        let candidate = Candidate {
                            fix,
                            probability: 0.0,
                            bug: known.bug,
                            title: &known.signature.title.text,
                            evidence: evidence::words(signature, &known.signature),
                        };
                        match place {
                            Some(place) => *place = (score, candidate),
                            None => found.push((score, candidate)),
                        }
                    }
                }
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.fix.id.cmp(&b.1.fix.id)));
        let mut scores: Vec<f32> = found.iter().map(|(score, _)| *score).collect();
        rank::probabilities(&mut scores);
        let found = found.into_iter().zip(scores).take(top);
        found.map(|((_, candidate), probability)| Candidate { probability, ..candidate }).collect()
    }
}

/// What a fix means for a kernel of this release; `None` if the fix is in no tag that is known, or the release cannot
/// be read.
pub fn verdict(fix: &Fix, release: &str) -> Option<FixVerdict> {
    release::verdict(fix, release)
}
