//! The files beside a console that was rotated: `console.1`, `console-20261126`.

use std::collections::HashSet;
use std::fs::{self, DirEntry};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

use super::file::{Identity, Text};
use super::skipped;

/// The maximum number of entries of a directory that are read.
const MAX_ENTRIES: usize = 1 << 16;

/// The size of the buffer for events, of which each has a name of at most 255 bytes.
const EVENTS: usize = 16 * 1024;

/// The age of the time of a directory below which another change may have the same time.
const RECENT: Duration = Duration::from_secs(1);

/// The suffix of a rotated console's name.
const SEPARATORS: [u8; 4] = *b".-_~";

/// The first bytes of compressed files, whose text was read before they were rotated.
const PACKED: [&[u8]; 5] =
    [b"\x1f\x8b", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"BZh", b"\x04\x22\x4d\x18"];

/// The rotated files of a console.
pub(super) struct Siblings {
    path: PathBuf,
    /// The files that existed at the start, or were read since.
    known: HashSet<Identity>,
    /// Events of the directory; `None` without inotify.
    events: Option<OwnedFd>,
    /// The number of files that were read since the start.
    taken: u64,
    /// The number of files that got the name of the console, by the events.
    born: u64,
    /// The file that was read last.
    last: Identity,
    /// The time of the directory.
    changed: Option<SystemTime>,
}

impl Siblings {
    pub(super) fn new(path: &Path, console: Identity) -> Self {
        let events = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
        let events = events.ok().filter(|events| {
            // Equal consecutive events are merged, so the events between two creations are
            // requested as well.
            let flags = WatchFlags::CREATE
                | WatchFlags::MOVED_TO
                | WatchFlags::DELETE
                | WatchFlags::MOVED_FROM;
            inotify::add_watch(events, folder(path), flags).is_ok()
        });
        let mut siblings = Self {
            path: path.to_path_buf(),
            known: HashSet::from([console]),
            events,
            taken: 0,
            born: 0,
            last: console,
            changed: None,
        };
        siblings.known.extend(siblings.files().iter().map(|file| file.identity));
        siblings
    }

    /// Returns the existing files, the oldest first.
    fn files(&self) -> Vec<Sibling> {
        let name = self.path.file_name().unwrap_or_default().as_bytes();
        let is_sibling = |entry: &DirEntry| {
            let file = entry.file_name();
            let rest = file.as_bytes().strip_prefix(name).and_then(<[u8]>::first);
            rest.is_some_and(|b| SEPARATORS.contains(b))
        };
        let entries = fs::read_dir(folder(&self.path)).into_iter().flatten();
        let entries = entries.take(MAX_ENTRIES).filter_map(Result::ok).filter(is_sibling);
        let sibling = |entry: DirEntry| {
            // Links are skipped.
            let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            let times = [metadata.modified().ok(), metadata.created().ok()];
            Some(Sibling { path: entry.path(), identity: Identity::of(&metadata), times })
        };
        let mut files: Vec<_> = entries.filter_map(sibling).collect();
        // A file that is renamed meanwhile may be listed under both names; the first one is stale.
        let mut seen = HashSet::new();
        files.reverse();
        files.retain(|file| seen.insert(file.identity));
        files.sort_by_key(|file| file.times);
        files
    }

    /// Returns whether an entry of the directory may have changed since the last call, by the time
    /// of the directory.
    pub(super) fn may_have_changed(&mut self) -> bool {
        let time = fs::metadata(folder(&self.path)).and_then(|folder| folder.modified()).ok();
        let is_recent = time.and_then(|time| time.elapsed().ok()).is_none_or(|age| age < RECENT);
        std::mem::replace(&mut self.changed, time) != time || is_recent
    }

    /// Opens the files that are new, the oldest first.
    pub(super) fn later(&mut self) -> Vec<Text> {
        let files = self.files();
        // Deleted files are removed, because their inode numbers may be reused.
        let present: HashSet<_> = files.iter().map(|file| file.identity).collect();
        self.known.retain(|identity| present.contains(identity) || *identity == self.last);
        let new = files.into_iter().filter(|file| !self.known.contains(&file.identity));
        // A file that is renamed meanwhile is found the next time.
        let opened = new.filter_map(|file| Text::open(&file.path, file.identity).ok());
        opened.filter(|text| !text.starts_with_any(&PACKED)).collect()
    }

    /// Records that a file was read which has, or had, the name of the console.
    pub(super) fn is_taken(&mut self, text: &Text) {
        self.is_copy(text);
        self.taken += 1;
        self.last = text.identity;
        self.count();
        let present = fs::metadata(&self.path).map(|metadata| Identity::of(&metadata));
        // All files that got the name came before this one.
        if present.is_ok_and(|present| present == text.identity) {
            let lost = self.born.saturating_sub(self.taken);
            if lost > 0 {
                let files = if lost == 1 { "file was" } else { "files were" };
                skipped(&self.path, &format!("{lost} {files} removed before they were read"));
            }
            self.taken = self.born;
        }
    }

    /// Records that a file contains text that was read.
    pub(super) fn is_copy(&mut self, text: &Text) {
        self.known.insert(text.identity);
    }

    /// Counts the files that got the name of the console.
    fn count(&mut self) {
        let Some(events) = &self.events else { return };
        let name = self.path.file_name().unwrap_or_default().as_bytes();
        let mut buffer = [MaybeUninit::uninit(); EVENTS];
        let mut reader = Reader::new(events, &mut buffer);
        while let Ok(event) = reader.next() {
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                skipped(&self.path, "files were rotated faster than they were counted");
            }
            let is_birth = event.events().intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO);
            let is_console = event.file_name().is_some_and(|file| file.to_bytes() == name);
            self.born += u64::from(is_birth && is_console);
        }
    }
}

/// A rotated file. The order is that of the last changes.
#[derive(Debug)]
struct Sibling {
    path: PathBuf,
    identity: Identity,
    times: [Option<SystemTime>; 2],
}

/// The directory of a file.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
