//! Images by their build ids, from the servers that `DEBUGINFOD_URLS` names.
//!
//! `GET URL/buildid/BUILDID/debuginfo`, as debuginfod(8) of elfutils serves it. What was fetched is kept
//! in the user's cache directory: `$XDG_CACHE_HOME/ksplat`, else `~/.cache/ksplat`.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use crate::ui::report_error;

/// The most bytes of an image: a kernel with everything built in has 2 GiB.
const MAX_IMAGE: u64 = 8 << 30;

/// The digits that a build id may have: 8 to 32 bytes.
const DIGITS: std::ops::RangeInclusive<usize> = 16..=64;

/// LinkReason long a server may take to answer, and to send all of an image.
const CONNECT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_mins(10);

/// The file of an image, fetched if it is not there yet; says so where that fails.
pub(crate) fn fetch(build_id: &str) -> Option<PathBuf> {
    let is_id = DIGITS.contains(&build_id.len()) && build_id.bytes().all(|b| b.is_ascii_hexdigit());
    let build_id = Some(build_id.to_ascii_lowercase()).filter(|_| is_id)?;
    let path = folder()?.join(format!("{build_id}.debug"));
    if path.is_file() {
        return Some(path);
    }
    let urls = env::var("DEBUGINFOD_URLS").unwrap_or_default();
    if urls.trim().is_empty() {
        report_error("--debuginfod", &"set DEBUGINFOD_URLS to the servers to ask");
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

/// Writes what a server sends to a file, as a whole or not at all.
fn get(url: &str, path: &Path) -> io::Result<()> {
    let agent = ureq::Agent::config_builder()
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(WHOLE))
        .build()
        .new_agent();
    let mut answer = agent.get(url).call().map_err(io::Error::other)?;
    let mut body = answer.body_mut().with_config().limit(MAX_IMAGE).reader();
    keep(path, |file| io::copy(&mut body, file).map(|_| ()))
}

/// The directory of fetched images.
fn folder() -> Option<PathBuf> {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?;
    Some(cache.join("ksplat"))
}

/// Keeps a file in the directory, as a whole or not at all.
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
