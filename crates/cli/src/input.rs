//! Files and standard input, compressed or not.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use ksplat::encoding::{self, Encoding};
use ksplat::output::escape;
use memmap2::Mmap;

use crate::args::Args;
use crate::packed::{self, Text};
use crate::ui::report_error;

/// The size in bytes from which files are mapped instead of read.
///
/// If a mapped file is truncated, the program gets SIGBUS; so only files that are expensive to copy are mapped.
const MAP_FROM: u64 = 64 << 20;

/// The maximum size in bytes of an unpacked list or export.
pub(crate) const MAX_LIST: u64 = 256 << 20;

/// The bytes of a file or of standard input.
pub(crate) enum Input {
    Read(Vec<u8>),
    Mapped(Mmap),
}

impl Deref for Input {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Read(bytes) => bytes,
            Self::Mapped(map) => map,
        }
    }
}

/// Reads a list, an export or a `Code:` line, and unpacks it.
pub(crate) fn read(path: &Path) -> io::Result<Input> {
    packed::whole(raw(path)?, MAX_LIST)
}

/// Maps an image or an atlas, as only parts of it are read, or unpacks it to `most` bytes.
pub(crate) fn map(path: &Path, most: u64) -> io::Result<Input> {
    packed::whole(mapped(&File::open(path)?)?, most)
}

/// The bytes of a file, or of standard input for `-`, as they are.
fn raw(path: &Path) -> io::Result<Input> {
    if path.as_os_str() == "-" { stdin() } else { file(path) }
}

fn stdin() -> io::Result<Input> {
    if io::stdin().is_terminal() {
        // Standard error may be closed.
        let _ =
            writeln!(io::stderr(), "ksplat: standard input: paste a log, and end it with Ctrl-D");
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(Input::Read(bytes))
}

/// Reads the start of standard input, at most `most` bytes.
pub(crate) fn some(most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn file(path: &Path) -> io::Result<Input> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.len() >= MAP_FROM {
        return mapped(&file);
    }
    // One byte more than the file, so that `read_to_end` detects the end without growing the
    // buffer.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    file.take(u64::MAX).read_to_end(&mut bytes)?;
    Ok(Input::Read(bytes))
}

pub(crate) fn mapped(file: &File) -> io::Result<Input> {
    // SAFETY: the map is only read, as bytes, for which each value is valid. A process that changes them
    // meanwhile causes wrong reports at worst.
    #[allow(unsafe_code)]
    Ok(Input::Mapped(unsafe { Mmap::map(file)? }))
}

/// Reads a log, which may unpack to `most` bytes, converts UTF-16 to UTF-8, and rejects binary files.
pub(crate) fn log(path: &Path, most: u64) -> io::Result<Text> {
    let text = packed::text(raw(path)?, most)?;
    match encoding::of(text.start()).map_err(|what| io::Error::other(remedy(what)))? {
        Encoding::Bytes => Ok(text),
        utf16 => Ok(Text::Whole(Input::Read(encoding::utf8(text.whole()?, utf16).into_owned()))),
    }
}

/// What a file is in place of a log, with the options that take it.
fn remedy(what: &'static str) -> String {
    let options =
        if what.starts_with("is an ELF") { "; --vmlinux and --modules take images" } else { "" };
    [what, options].concat()
}

/// The named files, or standard input.
pub(crate) fn or_stdin(files: &[PathBuf]) -> Cow<'_, [PathBuf]> {
    if files.is_empty() { vec![PathBuf::from("-")].into() } else { files.into() }
}

/// A log that cannot be read: its name, and the reason, which is reported.
pub(crate) struct Unreadable<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) error: String,
}

/// Reads a log, and returns it with its name; an error is reported.
pub(crate) fn open(path: &Path, most: u64) -> Result<(Cow<'_, str>, Text), Unreadable<'_>> {
    let name = name(path);
    match log(path, most) {
        Ok(log) => Ok((name, log)),
        Err(error) => {
            let error = explained(&name, &error);
            report_error(&name, &error);
            Err(Unreadable { name, error })
        }
    }
}

/// Returns an error with a remedy, for a command or a directory in place of a file.
fn explained(name: &str, error: &io::Error) -> String {
    let command = command_like(name);
    match (error.kind(), command) {
        (io::ErrorKind::NotFound, Some(command)) => {
            format!("no such file, and no such command; there is `ksplat {command}`")
        }
        (io::ErrorKind::NotFound, None) if !name.contains(['/', '.']) => {
            "no such file or command; `ksplat help` lists the commands".to_owned()
        }
        (io::ErrorKind::IsADirectory, _) => {
            "is a directory: name its files; `ksplat cluster` reads directories".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Returns the command whose name is similar to that of a missing file.
fn command_like(name: &str) -> Option<String> {
    let command = Args::command();
    let names = command.get_subcommands().map(clap::Command::get_name);
    let near = names.map(|command| (strsim::jaro_winkler(command, name), command));
    let (likeness, command) = near.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness > ALIKE).then(|| command.to_owned())
}

/// The minimum similarity, which is the one from which clap suggests a command.
const ALIKE: f64 = 0.8;

/// The name of an input in the output; invalid UTF-8 is escaped as `\xff`.
pub(crate) fn name(path: &Path) -> Cow<'_, str> {
    escape::text(path.as_os_str().as_encoded_bytes())
}
