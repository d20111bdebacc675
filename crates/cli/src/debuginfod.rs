//! Images by their build ids, from the servers that `DEBUGINFOD_URLS` names.
//!
//! `GET URL/buildid/BUILDID/debuginfo`, as debuginfod(8) of elfutils serves it. Fetched images are kept in the
//! cache directory of the user: `$XDG_CACHE_HOME/ksplat`, else `~/.cache/ksplat`.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use crate::ui::{Progress, report_error};

/// The maximum size of an image in bytes: a kernel without modules has 2 GiB.
const MAX_IMAGE: u64 = 8 << 30;

/// The size of a read in bytes.
const CHUNK: usize = 64 << 10;

/// The digits of a build ID: 8 to 32 bytes.
const DIGITS: std::ops::RangeInclusive<usize> = 16..=64;

/// The time limits for a connection, and for the whole image.
const CONNECT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_mins(10);

/// The file of an image, fetched if it is not in the cache; an error is reported.
pub(crate) fn fetch(build_id: &str) -> Option<PathBuf> {
    let is_id = DIGITS.contains(&build_id.len()) && build_id.bytes().all(|b| b.is_ascii_hexdigit());
    let build_id = Some(build_id.to_ascii_lowercase()).filter(|_| is_id)?;
    let path = folder()?.join(format!("{build_id}.debug"));
    if path.is_file() {
        return Some(path);
    }
    let urls = env::var("DEBUGINFOD_URLS").unwrap_or_default();
    if urls.trim().is_empty() {
        report_error("--debuginfod", &"set DEBUGINFOD_URLS to the addresses of servers");
        return None;
    }
    for url in urls.split_whitespace() {
        let url = format!("{}/buildid/{build_id}/debuginfo", url.trim_end_matches('/'));
        match get(&url, &path) {
            Ok(()) => return Some(path),
            Err(error) => report_error(&url, &error),
        }
    }
    None
}

/// Downloads an image to a file.
fn get(url: &str, path: &Path) -> io::Result<()> {
    let agent = ureq::Agent::config_builder()
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(WHOLE))
        .build()
        .new_agent();
    let mut answer = agent.get(url).call().map_err(io::Error::other)?;
    let total = answer.body().content_length().unwrap_or_default();
    let progress = Progress::of_bytes("fetching", total);
    let mut body = answer.body_mut().with_config().limit(MAX_IMAGE).reader();
    keep(path, |file| copy(&mut body, file, &progress))
}

/// Copies all bytes, and counts them.
fn copy(from: &mut impl Read, to: &mut impl Write, progress: &Progress) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                to.write_all(buffer.get(..read).unwrap_or_default())?;
                progress.add(read as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The directory of fetched images.
fn folder() -> Option<PathBuf> {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?;
    Some(cache.join("ksplat"))
}

/// Writes a file under another name first, so that the cache holds only whole files.
fn keep(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(folder)?;
    let other = path.with_extension(format!("{}.new", process::id()));
    let done = File::create(&other)
        .and_then(|mut file| write(&mut file))
        .and_then(|()| fs::rename(&other, path));
    if done.is_err() {
        let _ = fs::remove_file(&other);
    }
    done
}
