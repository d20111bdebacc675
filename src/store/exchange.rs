//! Exports, imports and merges.

use std::io;

use serde::{Deserialize, Serialize};

use super::contents::Contents;
use super::error::Error;
use super::row::json;
use super::{BugRecord, Decision, Known, Store};
use crate::fingerprint;

/// One line of an export.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Bug(BugRecord),
    Known(Box<Known>),
    Decision(Box<Decision>),
}

impl Store {
    /// Writes the contents as JSON Lines: first the bugs, then their signatures.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or `out` fails.
    pub fn export(&self, out: &mut impl io::Write) -> Result<(), Error> {
        let Contents { bugs, mut known, decisions, .. } = self.load()?;
        known.sort_by_key(|known| (known.bug, known.signature.exact));
        let decisions = decisions.into_values().map(|decision| Line::Decision(Box::new(decision)));
        let bugs = bugs.into_values().map(Line::Bug).chain(decisions);
        for line in bugs.chain(known.into_iter().map(|known| Line::Known(Box::new(known)))) {
            let mut text = json(&line);
            text.push(b'\n');
            out.write_all(&text).map_err(|source| Error::Export { source })?;
        }
        Ok(())
    }

    /// Adds the output of [`export`](Self::export); bugs that are in both become one.
    ///
    /// The counts of each store are kept separately, so an export may be imported again, and
    /// exports in any order: the result is the same. Signatures of an older version are converted.
    ///
    /// # Errors
    ///
    /// A line is not one of an export; the error has its number. Then nothing is added.
    pub fn import(&self, text: &[u8]) -> Result<(), Error> {
        let mut other = Contents::default();
        let lines = text
            .split(|b| *b == b'\n')
            .enumerate()
            .filter(|(_, line)| !line.trim_ascii().is_empty());
        for (number, line) in lines {
            let number = number + 1;
            let read = serde_json::from_slice(line);
            match read.map_err(|source| Error::Import { line: number, source })? {
                Line::Bug(bug) => drop(other.bugs.insert(bug.id, bug)),
                Line::Decision(decision) => drop(other.decisions.insert(decision.id, *decision)),
                Line::Known(known) => other.take_known(*known).map_err(|found| {
                    Error::ImportVersion { line: number, found, supported: fingerprint::VERSION }
                })?,
            }
        }
        other.name_store();
        other.resign_decisions();
        self.merge_contents(other)
    }

    /// Adds the contents of another store; bugs that are in both become one.
    ///
    /// # Errors
    ///
    /// A file cannot be read or written.
    pub fn merge(&self, other: &Self) -> Result<(), Error> {
        self.merge_contents(other.load()?)
    }

    fn merge_contents(&self, other: Contents) -> Result<(), Error> {
        let mut contents = self.load()?;
        for (id, bug) in other.bugs {
            let mine =
                contents.bugs.entry(id).or_insert_with(|| BugRecord { id, ..BugRecord::default() });
            let BugRecord { labels, fixed, previous, split_from, merged, .. } = bug;
            mine.labels.extend(labels);
            mine.labels.sort();
            mine.labels.dedup();
            mine.fixed = mine.fixed.take().max(fixed);
            mine.previous = mine.previous.or(previous);
            mine.split_from = mine.split_from.or(split_from);
            mine.merged.extend(merged);
            mine.merged.sort_unstable();
            mine.merged.dedup();
            contents.changed.insert(id);
        }
        for (id, decision) in other.decisions {
            if contents.decisions.insert(id, decision).is_none() {
                contents.new_decisions.insert(id);
            }
        }
        other.known.into_iter().for_each(|known| contents.push(known));
        contents.settle_labels();
        contents.chain();
        contents.regroup(&[]);
        contents.changed = contents.bugs.keys().copied().collect();
        self.save(&contents)
    }
}
