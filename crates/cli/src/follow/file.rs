//! A file that another program writes, rotates, truncates or deletes.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::thread;
use std::time::SystemTime;

use super::siblings::Siblings;
use super::{CHUNK, Chunks, Console, PATIENCE, POLL, Stop, open, skipped};
use crate::input;
use crate::ui::report_error;

/// The size in bytes of the block before the next text, which is read again with the next text to
/// detect a truncation.
const BLOCK: usize = 4096;

/// The identity of a file, independent of its name. Inode numbers of deleted files are reused, so
/// it includes the time of creation.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Identity(u64, u64, Option<SystemTime>);

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self(metadata.dev(), metadata.ino(), metadata.created().ok())
    }
}

/// A text, and the place up to which it was read.
pub(super) struct Text {
    file: File,
    pub(super) identity: Identity,
    /// The offset of the next byte.
    at: u64,
    /// The bytes before it, at most [`BLOCK`].
    block: Vec<u8>,
    buffer: Vec<u8>,
    /// Whether another file has all of it, which was read.
    is_read: bool,
}

/// The file's state at the end of the bytes that were read.
#[derive(Debug, Eq, PartialEq)]
enum State {
    /// Nothing more.
    End,
    /// Another text: the file was truncated.
    Truncated,
}

impl Text {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let identity = Identity::of(&file.metadata()?);
        let (block, buffer) = (Vec::new(), vec![0; BLOCK + CHUNK]);
        Ok(Self { file, identity, at: 0, block, buffer, is_read: false })
    }

    /// Opens a file, if it has the identity.
    pub(super) fn open(path: &Path, identity: Identity) -> io::Result<Self> {
        let text = Self::new(open(path)?)?;
        let is_same = text.identity == identity;
        is_same.then_some(text).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    /// Skips the present text.
    fn skip(&mut self) -> io::Result<()> {
        self.at = self.file.metadata()?.len();
        self.block = vec![0; BLOCK.min(usize::try_from(self.at).unwrap_or(BLOCK))];
        let from = self.at - self.block.len() as u64;
        self.file.read_exact_at(&mut self.block, from)
    }

    /// Sends the text up to its end. Each read begins with the last block, so that a truncation is
    /// detected for any new length of the file.
    fn drain(&mut self, chunks: &mut Chunks<'_>) -> Result<State, Stop> {
        loop {
            let from = self.at - self.block.len() as u64;
            let read = match self.file.read_at(&mut self.buffer, from) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let read = self.buffer.get(..read).unwrap_or_default();
            let Some(text) = read.strip_prefix(&*self.block) else { return Ok(State::Truncated) };
            if text.is_empty() {
                return Ok(State::End);
            }
            chunks.send(text)?;
            self.at += text.len() as u64;
            let block = read.get(read.len().saturating_sub(BLOCK)..).unwrap_or_default();
            self.block = block.to_vec();
        }
    }

    /// Returns whether a file begins with one of these texts.
    pub(super) fn starts_with_any(&self, starts: &[&[u8]]) -> bool {
        let mut first = [0; 8];
        let read = self.file.read_at(&mut first, 0).unwrap_or(0);
        let first = first.get(..read).unwrap_or_default();
        starts.iter().any(|start| first.starts_with(start))
    }

    /// Returns whether another file contains the text that was read, as a later copy does.
    fn is_copied_to(&self, other: &Self) -> bool {
        let mut block = vec![0; self.block.len()];
        let from = self.at - block.len() as u64;
        let read = other.file.read_exact_at(&mut block, from);
        !block.is_empty() && read.is_ok() && block == self.block
    }

    /// Returns whether this file has the end of another file at the same offset, as for a copy.
    fn has_end_of(&self, other: &Self) -> bool {
        let len = other.file.metadata().map_or(0, |metadata| metadata.len());
        let size = BLOCK.min(usize::try_from(len).unwrap_or(BLOCK));
        let block = |file: &File| {
            let mut block = vec![0; size];
            file.read_exact_at(&mut block, len - size as u64).ok().map(|()| block)
        };
        size > 0 && block(&other.file).is_some_and(|end| Some(end) == block(&self.file))
    }
}

/// Follows a file through rotation and truncation, without an end.
pub(super) fn follow(console: &Console, file: File, chunks: &mut Chunks<'_>) -> Result<(), Stop> {
    let path = &*console.path;
    let mut text = Text::new(file)?;
    if console.new {
        text.skip()?;
    }
    let mut siblings = Siblings::new(path, text.identity);
    let mut missing = 0;
    loop {
        if text.drain(chunks)? == State::Truncated {
            truncated(path, &mut text, &mut siblings, chunks)?;
            continue;
        }
        if console.once {
            return Ok(());
        }
        if siblings.may_have_changed() {
            read_later(&text, false, &mut siblings, chunks)?;
        }
        match is_replaced(path, text.identity) {
            Ok(false) => missing = 0,
            Ok(true) => {
                rotated(path, &mut text, &mut siblings, chunks)?;
                // If there is no file, wait for the next one.
                if let Ok(next) = open(path).and_then(Text::new) {
                    // The files that were rotated before it got the name.
                    siblings.is_copy(&next);
                    read_later(&text, true, &mut siblings, chunks)?;
                    siblings.is_taken(&next);
                    text = next;
                    continue;
                }
            }
            Err(error) => {
                missing += 1;
                if missing == PATIENCE {
                    let waits = format!("{error}; waiting for a new file");
                    report_error(&input::name(path), &waits);
                }
            }
        }
        thread::sleep(POLL);
    }
}

/// Returns whether another file has the name, and text: a writer may write to the old one until it
/// opens the new one.
fn is_replaced(path: &Path, known: Identity) -> io::Result<bool> {
    let metadata = fs::metadata(path)?;
    // Rotation may leave a directory or a link for a moment.
    Ok(Identity::of(&metadata) != known && metadata.is_file() && metadata.len() > 0)
}

/// Reads the rest of a file that was renamed or deleted, and the files that were rotated after it.
fn rotated(
    path: &Path,
    text: &mut Text,
    siblings: &mut Siblings,
    chunks: &mut Chunks<'_>,
) -> Result<(), Stop> {
    if text.drain(chunks)? == State::Truncated {
        skipped(path, "the file was truncated and rotated while it was written");
    }
    chunks.end_line()?;
    read_later(text, true, siblings, chunks)
}

/// Reads the files that were rotated beside a text. A copy of it is skipped if the text has ended;
/// otherwise it may be needed when the text is truncated.
fn read_later(
    text: &Text,
    is_over: bool,
    siblings: &mut Siblings,
    chunks: &mut Chunks<'_>,
) -> Result<(), Stop> {
    for mut later in siblings.later() {
        if text.is_copied_to(&later) || text.has_end_of(&later) {
            if is_over {
                siblings.is_copy(&later);
            }
        } else {
            chunks.end_line()?;
            siblings.is_taken(&later);
            later.drain(chunks)?;
            chunks.end_line()?;
        }
    }
    Ok(())
}

/// Reads the rest of a truncated file from its copy, and the copies of later texts; goes to the start of the file.
fn truncated(
    path: &Path,
    text: &mut Text,
    siblings: &mut Siblings,
    chunks: &mut Chunks<'_>,
) -> Result<(), Stop> {
    let mut all = siblings.later();
    // A copy of the present text is needed when that is truncated.
    all.retain(|later| !text.has_end_of(later));
    let copy = all.iter().position(|later| text.is_copied_to(later));
    if let Some(at) = copy {
        let (before, rest) = all.split_at_mut(at);
        if let Some(copy) = rest.first_mut() {
            for earlier in before.iter_mut().filter(|earlier| copy.has_end_of(earlier)) {
                earlier.is_read = true;
                siblings.is_copy(earlier);
            }
            (copy.at, copy.block) = (text.at, std::mem::take(&mut text.block));
        }
    }
    for mut later in all.into_iter().filter(|later| !later.is_read) {
        siblings.is_copy(&later);
        later.drain(chunks)?;
        chunks.end_line()?;
    }
    let since = if copy.is_some() { "its copy" } else { "the last read" };
    skipped(path, &format!("the file was truncated: text written since {since} is lost"));
    chunks.end_line()?;
    (text.at, text.block) = (0, Vec::new());
    Ok(())
}
