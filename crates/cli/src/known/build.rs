//! `ksplat known build` and `update`: reads histories and mailing lists into a store.
//!
//! Each history is walked once. The progress is stored with the results, so the next run continues
//! after a killed one; commits that are read twice are found to be known. Then one pass over the
//! history finds the first tag of each commit.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ksplat::fingerprint::Signature;
use ksplat::known::{Changes, Mail, Message, Tags, earlier_tag};
use ksplat::store::{Commit, Fix, Progress, Sighting, Store};

use super::git::{Record, Refs, Repo};
use crate::args::KnownBuild;
use crate::error::Error;
use crate::input;
use crate::store;
use crate::ui::{Progress as Bar, Status, report_error};

/// The number of commits that are read, and of crashes that are found, between two writes.
const BATCH: (u64, usize) = (20_000, 128);

/// The maximum number of crashes of one message.
const MAX_CRASHES: usize = 8;

/// The minimum number of digits of a reverted commit.
const FEWEST_DIGITS: usize = 8;

/// The maximum number of times that a fix is reverted and applied again.
const MAX_REVERTS: usize = 4;

/// The number of mails that are read at once.
const MAILS: usize = 256;

/// The names of sources: a repository, and a repository of mails.
const TREE: &str = "tree ";
const INBOX: &str = "inbox ";

/// The counts of a run.
#[derive(Default)]
struct Read {
    commits: u64,
    mails: u64,
    found: u64,
}

/// `known build`, and `known update`, which reads the same sources again.
pub(super) fn build(args: &KnownBuild, is_update: bool) -> Result<Status, Error> {
    store::quiet();
    if is_update && !args.file.exists() {
        return Err(Error::NoKnown { path: args.file.clone() });
    }
    // A wrong call creates no file.
    let mut trees = args.repo.iter().map(|path| Repo::open(path)).collect::<Result<Vec<_>, _>>()?;
    let mut inboxes = Vec::new();
    for path in &args.public_inbox {
        inboxes.extend(inbox_repos(path)?);
    }
    if !is_update && trees.is_empty() && inboxes.is_empty() {
        report_error("known build", &"name a repository with --repo DIR or --public-inbox DIR");
        return Ok(Status::Unusable);
    }
    let store = store::open_to_write(&args.file, &args.wait)?;
    if is_update && trees.is_empty() && inboxes.is_empty() {
        let sources = store.sources()?;
        if sources.is_empty() {
            report_error(
                &input::name(&args.file),
                &"no repository was read into it; name one with --repo DIR or --public-inbox DIR",
            );
            return Ok(Status::Unusable);
        }
        for (name, _) in sources {
            if let Some(path) = name.strip_prefix(TREE) {
                trees.push(Repo::open(Path::new(path))?);
            } else if let Some(path) = name.strip_prefix(INBOX) {
                inboxes.push(Repo::open(Path::new(path))?);
            }
        }
    }
    let mut read = Read::default();
    for repo in &inboxes {
        Source::open(&store, repo, INBOX)?.read(args.quiet, &mut read)?;
    }
    for repo in &trees {
        note(repo);
        Source::open(&store, repo, TREE)?.read(args.quiet, &mut read)?;
    }
    merge_patches(&store)?;
    let (mut fixes, mut patches) = (BTreeSet::new(), 0_u64);
    store.each_fix(|of| {
        patches += of.iter().filter(|fix| fix.is_patch).count() as u64;
        fixes.extend(of.iter().filter(|fix| !fix.is_patch).map(|fix| hash(&fix.id)));
        ControlFlow::Continue(())
    })?;
    let mut commits = of(read.commits, "commit", "commits");
    if !inboxes.is_empty() {
        commits = format!("{commits} and {}", of(read.mails, "mail", "mails"));
    }
    let quote = if read.found == 1 { "quotes" } else { "quote" };
    writeln!(
        io::stdout(),
        "read {commits}, {} {quote} a crash; {} has {} and {}",
        read.found,
        input::name(&args.file),
        of(fixes.len() as u64, "fix", "fixes"),
        of(patches, "open patch", "open patches"),
    )?;
    Ok(Status::Done)
}

/// Formats a number of things.
fn of(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Reports the missing parts of a repository.
fn note(repo: &Repo) {
    let name = input::name(repo.path());
    if repo.is_shallow {
        report_error(
            &name,
            &"a shallow clone: commits before its end are not read; `git fetch --unshallow` gets them",
        );
    }
    if repo.is_partial {
        report_error(
            &name,
            &"a partial clone: what a commit changes is known only by the names of files",
        );
    }
}

/// The repositories of an archive: the directory itself, or its `git/N.git`.
fn inbox_repos(path: &Path) -> Result<Vec<Repo>, Error> {
    let epochs = fs::read_dir(path.join("git"));
    let Ok(epochs) = epochs else { return Ok(vec![Repo::open(path)?]) };
    let mut paths: Vec<PathBuf> = epochs.flatten().map(|entry| entry.path()).collect();
    paths.sort_by_key(|path| path.file_stem().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    let repos: Vec<Repo> = paths.iter().map(|path| Repo::open(path)).collect::<Result<_, _>>()?;
    if repos.is_empty() { Ok(vec![Repo::open(path)?]) } else { Ok(repos) }
}

/// A repository, and the progress of reading it.
struct Source<'s> {
    store: &'s Store,
    repo: &'s Repo,
    name: String,
    progress: Progress,
    refs: Refs,
    is_inbox: bool,
    /// Whether git failed to print the changes of a commit.
    is_damaged: bool,
    /// The fixes found since the last write.
    found: Vec<(String, Fix, Option<u64>, Vec<Signature<'static>>)>,
    /// The mails that are not read yet.
    mails: Vec<(String, Option<u64>)>,
    reverts: Reverts,
    /// The commits that an interrupted run stored: perhaps more than its progress says.
    stored: BTreeSet<u64>,
}

impl<'s> Source<'s> {
    fn open(store: &'s Store, repo: &'s Repo, kind: &str) -> Result<Self, Error> {
        let path = fs::canonicalize(repo.path());
        let path = path.map_err(|source| Error::input(repo.path(), source))?;
        let name = format!("{kind}{}", path.display());
        let known = store.sources()?.into_iter().find(|(other, _)| *other == name);
        Ok(Self {
            store,
            repo,
            name,
            progress: known.map(|(_, progress)| progress).unwrap_or_default(),
            refs: repo.refs()?,
            is_inbox: kind == INBOX,
            is_damaged: false,
            found: Vec::new(),
            mails: Vec::new(),
            reverts: Reverts::default(),
            stored: BTreeSet::new(),
        })
    }

    fn read(mut self, quiet: bool, read: &mut Read) -> Result<(), Error> {
        if self.refs.tips.is_empty() {
            report_error(&input::name(self.repo.path()), &"no commits");
            return Ok(());
        }
        let bar = Bar::of_commits("reading", quiet);
        let state = self.repo.state()?;
        if state != self.progress.state {
            // After `git fetch --unshallow` the commits that were read have ancestors that were not.
            self.progress = Progress::default();
            self.progress.state = state;
        }
        let tags = self.tags_hash();
        // An interrupted walk is completed first, because its order depends on its start.
        let interrupted = self.repo.existing(&self.progress.tips)?;
        if !interrupted.is_empty() && interrupted == self.progress.tips {
            self.stored = stored(self.store)?;
            self.walk(&interrupted, &bar, read)?;
            self.finish(interrupted)?;
        }
        let tips = self.refs.tips.clone();
        if tips != self.progress.done {
            self.progress.done = self.repo.existing(&self.progress.done)?;
            self.progress.tips.clone_from(&tips);
            self.progress.count = 0;
            self.walk(&tips, &bar, read)?;
            self.finish(tips)?;
        } else if tags != self.progress.tags {
            self.finish(tips)?;
        }
        Ok(())
    }

    /// Finds the releases of the commits that were read, and stores that the walk is complete.
    /// Until then an interrupted run reads the reverts again.
    fn finish(&mut self, tips: Vec<String>) -> Result<(), Error> {
        if !self.is_inbox {
            self.settle()?;
        }
        let (tags, state) = (self.tags_hash(), self.progress.state);
        self.progress = Progress::default();
        self.progress.state = state;
        self.progress.done = tips;
        self.progress.tags = tags;
        Ok(self.store.set_source(&self.name, &self.progress)?)
    }

    /// A hash of the tags.
    fn tags_hash(&self) -> u64 {
        let texts = self.refs.tags.iter().map(|(commit, _, name)| format!("{commit} {name}"));
        hash(&texts.collect::<Vec<_>>().join("\n"))
    }

    /// Reads the commits that `tips` reach and that were not read.
    fn walk(&mut self, tips: &[String], bar: &Bar, read: &mut Read) -> Result<(), Error> {
        let (repo, done, skipped) = (self.repo, self.progress.done.clone(), self.progress.count);
        let mut count = 0;
        repo.walk(tips, &done, |record| {
            count += 1;
            bar.add(1);
            if self.is_inbox {
                if count > skipped {
                    self.mails.push((record.id.to_owned(), record.time));
                    read.mails += 1;
                }
                if self.mails.len() >= MAILS {
                    self.read_mails()?;
                }
            } else {
                self.commit(record, count > skipped);
                read.commits += u64::from(count > skipped);
            }
            if count > skipped
                && (count - self.progress.count >= BATCH.0 || self.found.len() >= BATCH.1)
            {
                self.write(count, read)?;
            }
            Ok(())
        })?;
        self.write(count, read)
    }

    /// Adds the crashes in a message.
    fn commit(&mut self, record: &Record<'_>, is_new: bool) {
        let is_revert = memchr::memmem::find(record.message, b"This reverts commit ").is_some();
        let is_new = is_new && !self.stored.contains(&hash(record.id));
        let signatures = if is_new { crashes(record.message) } else { Vec::new() };
        if !is_revert && signatures.is_empty() {
            return;
        }
        let message = Message::parse(record.message);
        if let Some(reverted) = &message.reverts {
            self.reverts.add(reverted, record.id);
            // A revert quotes the crash that the reverted commit caused, or none.
        }
        if !signatures.is_empty() {
            let fix = message.fix(record.id);
            self.found.push((record.id.to_owned(), fix, record.time, signatures));
        }
    }

    /// Reads the queued mails.
    fn read_mails(&mut self) -> Result<(), Error> {
        let mails = std::mem::take(&mut self.mails);
        if mails.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = mails.iter().map(|(id, _)| id.clone()).collect();
        self.repo.mails(&ids, |number, text| {
            let mail = Mail::parse(text);
            if mail.is_reply {
                return;
            }
            let signatures = crashes(&mail.body);
            let Some((_, time)) = mails.get(number).filter(|_| !signatures.is_empty()) else {
                return;
            };
            let fix = mail.fix().unwrap_or_default();
            self.found.push((mail.id, fix, *time, signatures));
        })
    }

    /// Writes the results and the progress: all mails that are counted must have been read.
    fn write(&mut self, count: u64, read: &mut Read) -> Result<(), Error> {
        self.read_mails()?;
        let found = std::mem::take(&mut self.found);
        read.found += found.len() as u64;
        if !found.is_empty() {
            let ids: Vec<_> = found.iter().map(|(id, ..)| id.clone()).collect();
            let mut changes = if self.is_inbox { HashMap::new() } else { self.changes(&ids) };
            let mut sightings = Vec::new();
            for (id, mut fix, time, signatures) in found {
                if let Some(changes) = changes.remove(&id) {
                    fix.take(changes);
                }
                for signature in signatures {
                    let place = id.get(..12).filter(|_| !self.is_inbox).unwrap_or(&id).to_owned();
                    let sighting = Sighting::new(signature, time, place);
                    sightings.push(if fix.id.is_empty() {
                        sighting
                    } else {
                        sighting.with_fix(fix.clone())
                    });
                }
            }
            self.store.add(&sightings)?;
        }
        self.progress.count = count;
        Ok(self.store.set_source(&self.name, &self.progress)?)
    }

    /// Returns the changes of commits. Only the first failure of git is reported, because more
    /// follow.
    fn changes(&mut self, ids: &[String]) -> HashMap<String, Changes> {
        let (changes, read) = self.repo.changes(ids);
        if let Err(error) = read
            && !std::mem::replace(&mut self.is_damaged, true)
        {
            let path = input::name(self.repo.path());
            report_error(&path, &format!("what some commits change is unknown: {error}"));
        }
        changes
    }

    /// Finds the first tags of commits, and the reverted ones.
    fn settle(&mut self) -> Result<(), Error> {
        let refs = &self.refs;
        if refs.tags.is_empty() {
            report_error(
                &input::name(self.repo.path()),
                &"no tags: releases with a fix are unknown; `git fetch --tags` gets them",
            );
        }
        let mut tags = Tags::new(refs.tags.clone());
        if !tags.is_empty() {
            self.repo.topology(&refs.tips, |line| {
                let mut ids = line.split(' ');
                if let Some(commit) = ids.next() {
                    tags.add(commit, ids);
                }
            })?;
        }
        let reverts = std::mem::take(&mut self.reverts);
        self.store.change_fixes(|fixes| {
            let before = fixes.clone();
            for fix in fixes.iter_mut().filter(|fix| !fix.is_patch) {
                reverts.mark(fix);
                date(&mut fix.since, &fix.id, &mut tags);
                let of = [&mut fix.fixes, &mut fix.backports, &mut fix.reverts, &mut fix.reapplied];
                for commit in of.into_iter().flatten() {
                    date(&mut commit.since, &commit.id, &mut tags);
                }
            }
            *fixes != before
        })?;
        Ok(())
    }
}

/// Returns hashes of the commits whose crashes are in a store.
fn stored(store: &Store) -> Result<BTreeSet<u64>, Error> {
    let mut stored = BTreeSet::new();
    store.each_fix(|fixes| {
        for fix in fixes {
            stored.insert(hash(&fix.id));
            stored.extend(fix.backports.iter().map(|commit| hash(&commit.id)));
        }
        ControlFlow::Continue(())
    })?;
    Ok(stored)
}

/// Sets the first tag of a commit, if this repository has one, and no other has an earlier one.
fn date(since: &mut Option<String>, id: &str, tags: &mut Tags) {
    if let Some(tag) = tags.first(id) {
        *since = Some(since.as_deref().map_or(tag, |known| earlier_tag(known, tag)).to_owned());
    }
}

/// The reverted commits of a history, each with the one that reverted it, by the first digits of the
/// reverted one.
#[derive(Default)]
struct Reverts(HashMap<String, Vec<(String, String)>>);

impl Reverts {
    fn add(&mut self, reverted: &str, by: &str) {
        let key = reverted.get(..FEWEST_DIGITS).unwrap_or(reverted).to_owned();
        self.0.entry(key).or_default().push((reverted.to_owned(), by.to_owned()));
    }

    /// Returns the commits that revert one of these.
    fn of(&self, ids: &[String]) -> Vec<&str> {
        let pairs = ids.iter().flat_map(|id| {
            let pairs = id.get(..FEWEST_DIGITS).and_then(|key| self.0.get(key));
            let is = |reverted: &str| id.starts_with(reverted) || reverted.starts_with(id.as_str());
            pairs.into_iter().flatten().filter(move |(reverted, _)| is(reverted))
        });
        pairs.map(|(_, by)| &**by).collect()
    }

    /// Adds the commits that revert a fix or one of its copies, and those that revert these.
    fn mark(&self, fix: &mut Fix) {
        let ids = |commits: &[Commit]| -> Vec<String> {
            commits.iter().map(|commit| commit.id.clone()).collect()
        };
        let mut applied = ids(&fix.backports);
        applied.push(fix.id.clone());
        for _ in 0..MAX_REVERTS {
            self.of(&applied).into_iter().for_each(|by| fix.reverted(by));
            self.of(&ids(&fix.reverts)).into_iter().for_each(|by| fix.reapplied(by));
            applied = ids(&fix.reapplied);
        }
    }
}

/// Merges patches with the commits made from them, even if these quote the crash in another form.
fn merge_patches(store: &Store) -> Result<(), Error> {
    let mut has_patches = false;
    store.each_fix(|fixes| {
        has_patches = fixes.iter().any(|fix| fix.is_patch);
        if has_patches { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if !has_patches {
        return Ok(());
    }
    let mut commits: HashMap<u64, Fix> = HashMap::new();
    let keys = |fix: &Fix| -> Vec<u64> {
        let subject = Some(hash(&fix.subject)).filter(|_| !fix.subject.is_empty());
        subject.into_iter().chain(fix.change).collect()
    };
    store.each_fix(|fixes| {
        for fix in fixes.iter().filter(|fix| !fix.is_patch) {
            for key in keys(fix) {
                commits.entry(key).or_insert_with(|| fix.clone());
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(store.change_fixes(|fixes| {
        let mut is_changed = false;
        for at in 0..fixes.len() {
            let Some(fix) = fixes.get_mut(at).filter(|fix| fix.is_patch) else { continue };
            if let Some(commit) = keys(fix).iter().find_map(|key| commits.get(key)) {
                fix.merge(commit.clone());
                is_changed = true;
            }
        }
        let mut seen = BTreeSet::new();
        fixes.retain(|fix| seen.insert(fix.id.clone()));
        is_changed
    })?)
}

/// Returns the signatures of the crashes in a text, without those that have no function.
fn crashes(text: &[u8]) -> Vec<Signature<'static>> {
    let analyzer = ksplat::Analyzer::new().without_instructions();
    let mut signatures: Vec<Signature<'static>> = Vec::new();
    for mut report in ksplat::Parser::new().reports(text).take(MAX_CRASHES) {
        analyzer.annotate(&mut report);
        let signature = Signature::of(&report);
        let names_function = signature.site.is_some() || !signature.frames.is_empty();
        if names_function && !signatures.iter().any(|known| known.exact == signature.exact) {
            signatures.push(signature.into_owned());
        }
    }
    signatures
}

/// Returns a hash of a text. Another version of the program may return another one, which costs
/// only time.
fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
