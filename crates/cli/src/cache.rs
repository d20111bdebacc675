//! `ksplat cache`: the images that `--debuginfod` fetched.
//!
//! The directory is `DEBUGINFOD_CACHE_PATH`, else `$XDG_CACHE_HOME/ksplat`, else `~/.cache/ksplat`.
//! Files of other programs, such as the client of elfutils, and the targets of links are not
//! changed.

use std::cmp::Ordering;
use std::env;
use std::fmt::Write as _;
use std::fs::{self, DirEntry, Metadata};
use std::io::{self, Write as _};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ksplat::output::escape::escape;

use crate::args::Cache;
use crate::corpus;
use crate::input;
use crate::ui::{Status, report_error};

/// The number of digits of a build ID: 8 to 32 bytes.
const DIGITS: RangeInclusive<usize> = 16..=64;

/// The name of an image in the directory of its build ID.
const IMAGE: &str = "debuginfo";

/// The end of the name of an image that is being fetched, or whose fetch was killed.
const PART: &str = ".part";

/// The extensions of files that versions before 0.1 kept, `BUILDID.index` and `BUILDID.debug`.
const OLD: [&str; 2] = ["index", "debug"];

/// A file of the cache.
struct Cached {
    path: PathBuf,
    build_id: String,
    metadata: Metadata,
    state: State,
}

/// The type of a file of the cache.
#[derive(Clone, Copy)]
enum State {
    /// An image.
    Image,
    /// An empty file for an image that no server has.
    Missing,
    /// A part of an image.
    Part,
    /// The file of an older version.
    Old,
}

impl State {
    fn words(self) -> &'static str {
        match self {
            Self::Image => "",
            Self::Missing => "  no server has it",
            Self::Part => "  incomplete",
            Self::Old => "  unused: of an older version",
        }
    }
}

/// The directory of fetched images.
pub(crate) fn directory() -> Option<PathBuf> {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named("DEBUGINFOD_CACHE_PATH").or_else(|| {
        let cache = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?;
        Some(cache.join("ksplat"))
    })
}

/// Whether a name is a build ID in hexadecimal.
pub(crate) fn is_build_id(name: &str) -> bool {
    DIGITS.contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `ksplat cache`.
pub(crate) fn cache(args: Cache) -> io::Result<Status> {
    let Some(directory) = directory() else {
        let error = "no cache directory: set DEBUGINFOD_CACHE_PATH, XDG_CACHE_HOME or HOME";
        report_error("cache", &error);
        return Ok(Status::Unusable);
    };
    let cached = match cached(&directory) {
        Ok(cached) => cached,
        Err(error) => {
            report_error(&input::name(&directory), &error);
            return Ok(Status::Unusable);
        }
    };
    match args {
        Cache::List => list(&directory, &cached),
        Cache::Clear => clear(&directory, &cached),
    }
}

/// The regular files of the cache, the newest first.
fn cached(directory: &Path) -> io::Result<Vec<Cached>> {
    let folders = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        folders => folders?,
    };
    let mut found = Vec::new();
    for entry in folders {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // The metadata are those of a link itself.
        let metadata = entry.metadata()?;
        if metadata.is_dir() && is_build_id(&name) {
            for file in fs::read_dir(entry.path())? {
                found.extend(file_of(&file?, &name)?);
            }
        } else if let Some((build_id, extension)) = name.split_once('.')
            && metadata.is_file()
            && is_build_id(build_id)
            && OLD.contains(&extension)
        {
            let (path, build_id) = (entry.path(), build_id.to_owned());
            found.push(Cached { path, build_id, metadata, state: State::Old });
        }
    }
    let by_age = |a: &Cached, b: &Cached| -> Ordering {
        let [a, b] = [a, b].map(|cached| (cached.metadata.modified().ok(), &cached.path));
        b.cmp(&a)
    };
    found.sort_by(by_age);
    Ok(found)
}

/// Returns a file of the cache; `None` for a file of another program.
fn file_of(file: &DirEntry, build_id: &str) -> io::Result<Option<Cached>> {
    let (name, metadata) = (file.file_name(), file.metadata()?);
    let state = match &*name.to_string_lossy() {
        _ if !metadata.is_file() => return Ok(None),
        IMAGE if metadata.len() == 0 => State::Missing,
        IMAGE => State::Image,
        name if name.starts_with(IMAGE) && name.ends_with(PART) => State::Part,
        _ => return Ok(None),
    };
    Ok(Some(Cached { path: file.path(), build_id: build_id.to_owned(), metadata, state }))
}

/// The sum of the sizes of files.
fn bytes<'a>(cached: impl Iterator<Item = &'a Cached>) -> u64 {
    cached.map(|cached| cached.metadata.len()).sum()
}

/// Prints the images.
fn list(directory: &Path, cached: &[Cached]) -> io::Result<Status> {
    let mut page = String::new();
    for Cached { build_id, metadata, state, .. } in cached {
        let time = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let (day, size) = (corpus::date(seconds), metadata.len());
        writeln!(page, "{day}  {size:>12}  {build_id}{}", state.words())
            .map_err(io::Error::other)?;
    }
    let (count, size) = (cached.len(), bytes(cached.iter()));
    let directory = directory.to_string_lossy();
    writeln!(page, "{}: files {count}, bytes {size}", escape(&directory))
        .map_err(io::Error::other)?;
    io::stdout().write_all(page.as_bytes())?;
    Ok(Status::Done)
}

/// Deletes the images, and the directories without other files.
fn clear(directory: &Path, cached: &[Cached]) -> io::Result<Status> {
    let mut status = Status::Done;
    let mut deleted = Vec::new();
    for file in cached {
        match fs::remove_file(&file.path) {
            Ok(()) => deleted.push(file),
            Err(error) => {
                report_error(&input::name(&file.path), &error);
                status = Status::Unusable;
            }
        }
        if let Some(folder) = file.path.parent() {
            // The directory may contain files of another program.
            let _ = fs::remove_dir(folder);
        }
    }
    let (count, size) = (deleted.len(), bytes(deleted.into_iter()));
    let directory = directory.to_string_lossy();
    writeln!(io::stdout(), "{}: deleted files {count}, bytes {size}", escape(&directory))?;
    Ok(status)
}
