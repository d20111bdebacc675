//! A console as a stream of chunks: a file that is rotated and truncated, a named pipe, a device, standard input.
//!
//! A file is polled, because that works on every file system. If the kernel has inotify, it counts
//! the files that appeared and disappeared between two polls.

mod file;
mod siblings;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use crate::input;
use crate::ui::{report_error, warn};

/// The size of a read in bytes; a record of /dev/kmsg must fit.
const CHUNK: usize = 64 * 1024;

/// The interval at which the name of a file without more text is checked.
const POLL: Duration = Duration::from_millis(50);

/// The number of checks without a file before this is reported: rotation leaves a short gap.
const PATIENCE: u32 = 40;

/// The reason why reading ends: an error, or the end of the receiver of the chunks.
enum Stop {
    Error(io::Error),
    Receiver,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Error(error)
    }
}

/// The receiver of the text, and the end of the text so far.
struct Chunks<'a> {
    sender: &'a SyncSender<io::Result<Vec<u8>>>,
    is_line_open: bool,
}

impl Chunks<'_> {
    fn send(&mut self, text: &[u8]) -> Result<(), Stop> {
        let Some(last) = text.last() else { return Ok(()) };
        self.is_line_open = *last != b'\n';
        self.sender.send(Ok(text.to_vec())).map_err(|_| Stop::Receiver)
    }

    /// Ends the last line of a text.
    fn end_line(&mut self) -> Result<(), Stop> {
        if self.is_line_open { self.send(b"\n") } else { Ok(()) }
    }
}

/// The watched log, and the place where reading begins.
pub(crate) struct Console {
    pub(crate) path: PathBuf,
    /// Whether the present text of a file is skipped.
    pub(crate) new: bool,
    /// Whether the end of a file, or of the first writer of a pipe, ends reading.
    pub(crate) once: bool,
}

impl Console {
    /// Sends the text until it or the receiver ends.
    pub(crate) fn send(&self, sender: &SyncSender<io::Result<Vec<u8>>>) {
        let mut chunks = Chunks { sender, is_line_open: false };
        if let Err(Stop::Error(error)) = self.read(&mut chunks) {
            let _ = sender.send(Err(error));
        }
    }

    fn read(&self, chunks: &mut Chunks<'_>) -> Result<(), Stop> {
        if self.path.as_os_str() == "-" {
            return drain(&mut io::stdin(), chunks);
        }
        let mut file = open(&self.path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::other("is a directory; name a file in it").into());
        }
        if metadata.file_type().is_fifo() {
            return self.pipe(file, chunks);
        }
        // Files of procfs and tracefs are regular, have the size 0, and are read as devices are.
        let is_virtual = metadata.is_file() && metadata.len() == 0 && {
            let mut first = vec![0; CHUNK];
            let read = file.read(&mut first)?;
            let is_virtual = read > 0 && file.metadata()?.len() == 0;
            if is_virtual {
                chunks.send(first.get(..read).unwrap_or_default())?;
            }
            is_virtual
        };
        if !metadata.is_file() || is_virtual {
            return drain(&mut file, chunks);
        }
        file::follow(self, file, chunks)
    }

    /// Reads a named pipe. It is kept open after its last writer, so the text of the next one is
    /// not lost.
    fn pipe(&self, mut file: File, chunks: &mut Chunks<'_>) -> Result<(), Stop> {
        let identity = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
        let mut known = identity(&file.metadata()?);
        loop {
            drain(&mut file, chunks)?;
            if self.once {
                return Ok(());
            }
            chunks.end_line()?;
            thread::sleep(POLL);
            let Ok(metadata) = fs::metadata(&self.path) else { continue };
            if metadata.file_type().is_fifo() && identity(&metadata) != known {
                (file, known) = (open(&self.path)?, identity(&metadata));
            }
        }
    }
}

/// Opens a console. A serial device does not become the controlling terminal.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOCTTY).open(path)
}

/// Sends the text of a stream up to its end.
fn drain(source: &mut impl Read, chunks: &mut Chunks<'_>) -> Result<(), Stop> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => chunks.send(buffer.get(..read).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // `/dev/kmsg` overwrote the next records: devkmsg_read() in kernel/printk/printk.c returns EPIPE, and the
            // next read continues with the oldest record.
            Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {
                warn("watch", &"skipped: the kernel overwrote records before they were read");
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reports a file that cannot be read.
fn skipped(path: &Path, why: &str) {
    report_error(&input::name(path), &format!("skipped: {why}"));
}
