//! Fixes: the commits that fix a bug, stored with the signatures that their messages quote.
//!
//! A bug may have several: a commit and a later one, or reports that the rules joined. So a fix
//! belongs to the signature, and the label of the bug has the last of them.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use redb::ReadableTable;
use serde::{Deserialize, Serialize};

use super::row::{self, Tag};
use super::{Error, Fixed, Known, META, ROWS, Store, TableDefinition, guarded};

/// The progress of each source, by its name.
const SOURCES: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("sources");

/// The maximum number of fixes of a signature. A signature with more is not specific to a bug.
const MAX_FIXES: usize = 16;

/// The maximum lengths of the lists of a fix, for any number of merged records.
struct Most {
    fixes: usize,
    reported: usize,
    links: usize,
    files: usize,
    functions: usize,
    backports: usize,
    reverts: usize,
}

/// Trees of distributions have copies of a commit for each of their releases.
const MOST: Most = Most {
    fixes: 16,
    reported: 16,
    links: 16,
    files: 32,
    functions: 32,
    backports: 64,
    reverts: 16,
};

/// The minimum number of digits of a commit.
const FEWEST_DIGITS: usize = 8;

/// The number of rows that are changed in one transaction.
const BATCH: usize = 256;

/// A fix of a crash.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Fix {
    /// The commit, or the text in a label; the message ID of a patch that is not merged.
    pub id: String,
    /// The first line of the message.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The first tag that contains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The commits in its `Fixes:` lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<Commit>,
    /// The versions in `Cc: stable`: `6.1+`, or an empty text without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<String>,
    /// The identifiers of its `Reported-by:` lines: `syzbot+0123abcd`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reported: Vec<String>,
    /// The addresses of its `Closes:` and `Link:` lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// The files that it changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// The functions that it changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
    /// A hash of the changed lines, which is equal for a patch and its commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<u64>,
    /// Its copies in stable branches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backports: Vec<Commit>,
    /// The commits that revert it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reverts: Vec<Commit>,
    /// The commits that revert one of these: the fix is in again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reapplied: Vec<Commit>,
    /// Whether it is a patch on a mailing list without a known commit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_patch: bool,
}

/// A commit, and the first tag that contains it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Commit {
    /// The commit.
    pub id: String,
    /// The tag, if one contains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

impl Commit {
    /// Makes a commit without a known tag.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), since: None }
    }
}

impl Fix {
    /// Makes a fix that has only a name.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), ..Self::default() }
    }

    /// Returns the fix in a label: `fixed-by COMMIT`, `fixed-by COMMIT since RELEASE`.
    pub fn of_label(label: &str) -> Option<Self> {
        Fixed::parse(label, None).map(Self::from)
    }

    /// Returns whether both are the same: equal commits, or a patch and its commit.
    pub fn is(&self, other: &Self) -> bool {
        let is_patch = self.is_patch || other.is_patch;
        let subject = !self.subject.is_empty() && self.subject == other.subject;
        let change = self.change.is_some() && self.change == other.change;
        self.id == other.id || is_patch && (subject || change)
    }

    /// Adds the fields of another record of the same fix. A commit replaces its patch.
    pub fn merge(&mut self, mut other: Self) {
        if self.is_patch && !other.is_patch {
            std::mem::swap(self, &mut other);
        }
        if self.subject.is_empty() {
            self.subject = other.subject;
        }
        self.since = self.since.take().or(other.since);
        self.stable = self.stable.take().or(other.stable);
        self.change = self.change.or(other.change);
        union(&mut self.reported, other.reported, MOST.reported);
        union(&mut self.links, other.links, MOST.links);
        union(&mut self.files, other.files, MOST.files);
        union(&mut self.functions, other.functions, MOST.functions);
        Commit::union(&mut self.fixes, other.fixes, MOST.fixes);
        Commit::union(&mut self.backports, other.backports, MOST.backports);
        Commit::union(&mut self.reverts, other.reverts, MOST.reverts);
        Commit::union(&mut self.reapplied, other.reapplied, MOST.reverts);
    }

    /// Adds a commit that reverts it.
    pub fn reverted(&mut self, by: &str) {
        Commit::union(&mut self.reverts, vec![Commit::new(by)], MOST.reverts);
    }

    /// Adds a commit that reverts a revert of it.
    pub fn reapplied(&mut self, by: &str) {
        Commit::union(&mut self.reapplied, vec![Commit::new(by)], MOST.reverts);
    }

    /// Returns whether a name, which may be abbreviated, is that of the fix.
    pub(crate) fn is_commit(&self, name: &str) -> bool {
        let (short, long) =
            if name.len() < self.id.len() { (name, &*self.id) } else { (&*self.id, name) };
        let is_abbreviated = short.len() >= FEWEST_DIGITS
            && [short, long].iter().all(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        short == long || is_abbreviated && long.starts_with(short)
    }

    /// Adds the fields of another record of the commit, whose name may be longer.
    pub(crate) fn fill(&mut self, other: Self) {
        if self.id.len() < other.id.len() {
            self.id.clone_from(&other.id);
        }
        self.merge(other);
    }
}

impl From<Fixed> for Fix {
    fn from(fixed: Fixed) -> Self {
        Self { id: fixed.by, since: fixed.since, ..Self::default() }
    }
}

fn union(of: &mut Vec<String>, others: Vec<String>, most: usize) {
    for other in others {
        if of.len() < most && !of.contains(&other) {
            of.push(other);
        }
    }
}

impl Commit {
    fn union(of: &mut Vec<Self>, others: Vec<Self>, most: usize) {
        for other in others {
            let is_full = of.len() >= most;
            match of.iter_mut().find(|commit| commit.id == other.id) {
                Some(commit) => commit.since = commit.since.take().or(other.since),
                None if is_full => {}
                None => of.push(other),
            }
        }
    }
}

/// Adds fixes to those of a signature.
pub(super) fn merge(of: &mut Vec<Fix>, others: Vec<Fix>) {
    for other in others {
        if let Some(fix) = of.iter_mut().find(|fix| fix.is(&other)) {
            fix.merge(other);
        } else if of.len() < MAX_FIXES {
            of.push(other);
        }
    }
}

/// Copies the sources to another file.
pub(super) fn copy_sources(
    read: &redb::ReadTransaction,
    write: &redb::WriteTransaction,
) -> Result<(), redb::Error> {
    let from = match read.open_table(SOURCES) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(()),
        table => table?,
    };
    let mut to = write.open_table(SOURCES)?;
    for row in from.iter()? {
        let (name, row) = row?;
        to.insert(name.value(), row.value())?;
    }
    Ok(())
}

/// Adds sources without progress.
pub(super) fn name_sources(
    write: &redb::WriteTransaction,
    names: &BTreeSet<String>,
) -> Result<(), redb::Error> {
    for name in names {
        let row = row::seal(name.as_bytes(), &Progress::default());
        write.open_table(SOURCES)?.insert(name.as_str(), row.as_slice())?;
    }
    Ok(())
}

/// Returns the names of the sources of a damaged file.
pub(super) fn readable_sources(read: &redb::ReadTransaction) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Ok(table) = read.open_table(SOURCES) {
        super::file::rows(&table, |name: &str, _| {
            names.insert(name.to_owned());
        });
    }
    names
}

/// The progress of a source of fixes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// The commits that were read with all of their ancestors.
    #[serde(default)]
    pub done: Vec<String>,
    /// The commits whose ancestors are being read.
    #[serde(default)]
    pub tips: Vec<String>,
    /// The number of these that were read.
    #[serde(default)]
    pub count: u64,
    /// A hash of the tags from which the releases in the store are derived.
    #[serde(default)]
    pub tags: u64,
    /// The parts that a clone omits, as a number; 0 for a complete clone.
    #[serde(default)]
    pub state: u64,
}

impl Store {
    /// Returns the progress of each source, by its name.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn sources(&self) -> Result<Vec<(String, Progress)>, Error> {
        let run = || -> Result<_, redb::Error> {
            let Some(read) = self.handle.begin()? else { return Ok(Vec::new()) };
            let table = match read.open_table(SOURCES) {
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
                table => table?,
            };
            let mut sources = Vec::new();
            for row in table.iter()? {
                let (name, row) = row?;
                // A source with damaged progress is read again from its start, which adds no fix
                // twice.
                let progress = row::open(name.value().as_bytes(), row.value()).unwrap_or_default();
                sources.push((name.value().to_owned(), progress));
            }
            Ok(sources)
        };
        guarded(&self.path, || run().map_err(|error| Error::read(&self.path, error)))
    }

    /// Stores the progress of a source.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn set_source(&self, name: &str, progress: &Progress) -> Result<(), Error> {
        let db = self.database()?;
        let run = || -> Result<(), redb::Error> {
            let write = db.begin_write()?;
            let row = row::seal(name.as_bytes(), progress);
            write.open_table(SOURCES)?.insert(name, row.as_slice())?;
            Ok(write.commit()?)
        };
        guarded(&self.path, || run().map_err(|error| Error::write(&self.path, error)))
    }

    /// Calls `take` for the fixes of each signature, until it breaks. Damaged rows are skipped.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn each_fix(&self, mut take: impl FnMut(&[Fix]) -> ControlFlow<()>) -> Result<(), Error> {
        let mut run = || -> Result<(), redb::Error> {
            let Some(read) = self.handle.begin()? else { return Ok(()) };
            let (from, to) = known_rows();
            for row in read.open_table(ROWS)?.range(from.as_slice()..to.as_slice())? {
                let (key, row) = row?;
                let known: Option<Known> = row::open(key.value(), row.value()).ok();
                if known
                    .is_some_and(|known| !known.fixes.is_empty() && take(&known.fixes).is_break())
                {
                    break;
                }
            }
            Ok(())
        };
        guarded(&self.path, || run().map_err(|error| Error::read(&self.path, error)))
    }

    /// Changes the fixes of each signature, a few hundred signatures at a time; `change` returns
    /// whether it changed them. The labels of bugs are updated.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written. Changes of earlier batches are kept.
    pub fn change_fixes(&self, mut change: impl FnMut(&mut Vec<Fix>) -> bool) -> Result<(), Error> {
        let db = self.database()?;
        let mut run = || -> Result<(), redb::Error> {
            let (mut from, to) = known_rows();
            loop {
                let write = db.begin_write()?;
                let mut changed = Vec::new();
                let mut last = None;
                let rows = write.open_table(ROWS)?;
                for row in rows.range(from.as_slice()..to.as_slice())?.take(BATCH) {
                    let (key, row) = row?;
                    let (key, row) = (key.value(), row.value());
                    last = Some(key.to_owned());
                    let Ok(mut known) = row::open::<Known>(key, row) else { continue };
                    if !known.fixes.is_empty() && change(&mut known.fixes) {
                        changed.push((key.to_owned(), row::sum(row), known));
                    }
                }
                drop(rows);
                let Some(last) = last else { return Ok(()) };
                rewrite(&write, changed)?;
                write.commit()?;
                from = last;
                from.push(0);
            }
        };
        guarded(&self.path, || run().map_err(|error| Error::write(&self.path, error)))
    }
}

/// The range of keys of signatures.
fn known_rows() -> (Vec<u8>, Vec<u8>) {
    (Tag::Known.key(&[]), vec![Tag::Known as u8 + 1])
}

/// Writes signatures whose fixes changed, and the labels of their bugs.
fn rewrite(
    write: &redb::WriteTransaction,
    changed: Vec<(Vec<u8>, u64, Known)>,
) -> Result<(), redb::Error> {
    let mut rows = write.open_table(ROWS)?;
    let mut meta = write.open_table(META)?;
    let mut sum = meta.get("sum")?.map_or(0, |sum| sum.value());
    for (key, old, known) in changed {
        let row = row::seal(&key, &known);
        sum = sum.wrapping_sub(old).wrapping_add(row::sum(&row));
        rows.insert(key.as_slice(), row.as_slice())?;
        let key = Tag::Bug.key(&[known.bug]);
        let bug = rows.get(key.as_slice())?.map(|row| row.value().to_owned());
        let Some(row) = bug else { continue };
        let Ok(mut bug) = row::open::<super::BugRecord>(&key, &row) else { continue };
        let before = bug.fixed.clone();
        bug.fix(&known.fixes);
        if bug.fixed != before {
            let new = row::seal(&key, &bug);
            sum = sum.wrapping_sub(row::sum(&row)).wrapping_add(row::sum(&new));
            rows.insert(key.as_slice(), new.as_slice())?;
        }
    }
    meta.insert("sum", sum)?;
    Ok(())
}

impl super::BugRecord {
    /// Updates the label of a fix that is merged, and its release.
    pub(super) fn fix(&mut self, fixes: &[Fix]) {
        for fix in fixes.iter().filter(|fix| !fix.is_patch) {
            let since = fix.since.as_deref().map(|tag| tag.trim_start_matches('v').to_owned());
            match &mut self.fixed {
                None => self.fixed = Some(Fixed { by: fix.id.clone(), since, after: None }),
                Some(fixed) if fixed.by == fix.id && since.is_some() => fixed.since = since,
                Some(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_records_have_limits() {
        let of = |number: usize| {
            let (commit, text) = (vec![Commit::new(&number.to_string())], vec![number.to_string()]);
            Fix {
                fixes: commit.clone(),
                backports: commit.clone(),
                reverts: commit.clone(),
                reapplied: commit,
                reported: text.clone(),
                links: text.clone(),
                files: text.clone(),
                functions: text,
                ..Fix::new("0")
            }
        };
        let mut fix = of(0);
        (1..200).for_each(|number| fix.merge(of(number)));
        let lens = [fix.fixes.len(), fix.backports.len(), fix.reverts.len(), fix.reapplied.len()];
        assert_eq!(lens, [MOST.fixes, MOST.backports, MOST.reverts, MOST.reverts]);
        let lens = [fix.reported.len(), fix.links.len(), fix.files.len(), fix.functions.len()];
        assert_eq!(lens, [MOST.reported, MOST.links, MOST.files, MOST.functions]);
    }

    #[test]
    fn names_of_commits_may_be_short() {
        let fix = Fix::new("0123456789abcdef");
        assert!(fix.is_commit("0123456789abcdef") && fix.is_commit("01234567"));
        assert!(!fix.is_commit("0123456") && !fix.is_commit("01234568"));
        assert!(!Fix::new("cm: check the length").is_commit("cm: check"));
    }
}
