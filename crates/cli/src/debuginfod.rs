//! Fetches images by their build IDs, from the servers in `DEBUGINFOD_URLS`.
//!
//! `GET URL/buildid/BUILDID/debuginfo`, as debuginfod(8) of elfutils serves it. Fetched images are
//! stored in the layout of its client: `BUILDID/debuginfo` in the [cache directory](cache), with an
//! empty file for an image that no server has.
//!
//! The only check of a server or of the cache is the image itself: it must be an ELF file with the
//! build ID.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use ksplat::symbolize::Image;

use crate::args;
use crate::cache;
use crate::input;
use crate::ui::{Progress, report_error};

/// The maximum size of an image in bytes: a kernel without modules has 2 GiB.
const MAX_SIZE: u64 = 8 << 30;

/// The size of a read in bytes.
const CHUNK: usize = 64 << 10;

/// The time limits in seconds for the first byte of an answer, and for the whole image.
const ANSWER: u64 = 30;
const WHOLE: u64 = 600;

/// The time during which no server is queried again for an image that none has.
const MISSING: Duration = Duration::from_hours(1);

/// The answer of a server.
enum Fetched {
    Image,
    /// The server has no such image.
    Nothing,
}

/// The file of an image, fetched if it is not in the cache; an error is reported.
pub(crate) fn fetch(build_id: &str, args: &args::Images) -> Option<PathBuf> {
    let build_id = Some(build_id.to_ascii_lowercase()).filter(|id| cache::is_build_id(id))?;
    let path = cache::directory()?.join(&build_id).join("debuginfo");
    match known(&path, &build_id) {
        Ok(true) => return Some(path),
        Ok(false) => {}
        Err(error) => {
            report_error(&input::name(&path), &error);
            return None;
        }
    }
    let urls = env::var("DEBUGINFOD_URLS").unwrap_or_default();
    if urls.trim().is_empty() {
        report_error("--debuginfod", &"set DEBUGINFOD_URLS to the addresses of servers");
        return None;
    }
    let mut is_missing = true;
    for url in urls.split_whitespace() {
        let url = format!("{}/buildid/{build_id}/debuginfo", url.trim_end_matches('/'));
        match get(&url, &path, &build_id, args) {
            Ok(Fetched::Image) => return Some(path),
            Ok(Fetched::Nothing) => report_error(&url, &"the server has no such image (404)"),
            Err(error) => {
                is_missing = false;
                report_error(&url, &error);
            }
        }
    }
    if is_missing && let Err(error) = keep(&path, |_| Ok(())) {
        report_error(&input::name(&path), &error);
    }
    None
}

/// Returns whether an image is in the cache; an error if no server may be queried.
fn known(path: &Path, build_id: &str) -> io::Result<bool> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        metadata => metadata?,
    };
    // A pipe would block, a link may lead anywhere, and another user may have written any data.
    if !metadata.is_file() || metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("is not a regular file of this user: remove it"));
    }
    if metadata.len() > 0 {
        // A damaged image is fetched again.
        return Ok(open(path).and_then(|file| check(&file, build_id)).is_ok());
    }
    let age = SystemTime::now().duration_since(metadata.modified()?).unwrap_or_default();
    if age < MISSING {
        return Err(io::Error::other(
            "no server had this image within an hour; remove it to retry",
        ));
    }
    Ok(false)
}

/// Opens a file of the cache without following a link or waiting for a writer.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

/// Checks that a file is an ELF file with a build ID.
fn check(file: &File, build_id: &str) -> io::Result<()> {
    let bytes = input::mapped(file)?;
    let image = Image::parse(&bytes).map_err(io::Error::other)?;
    let found = image.build_id().unwrap_or_default();
    let found = found.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    if found == build_id {
        return Ok(());
    }
    Err(io::Error::other(match found.as_str() {
        "" => "the image has no build ID".to_owned(),
        found => format!("the image is of the build {found}"),
    }))
}

/// Downloads an image to a file.
fn get(url: &str, path: &Path, build_id: &str, args: &args::Images) -> io::Result<Fetched> {
    let seconds = |limit: Option<u64>| limit.filter(|limit| *limit > 0).map(Duration::from_secs);
    let answer = args.fetch_timeout.or_else(|| named("DEBUGINFOD_TIMEOUT")).unwrap_or(ANSWER);
    let most = args.fetch_max.or_else(|| named("DEBUGINFOD_MAXSIZE")).filter(|most| *most > 0);
    let most = most.unwrap_or(MAX_SIZE);
    let agent = ureq::Agent::config_builder()
        .timeout_connect(seconds(Some(answer)))
        .timeout_recv_response(seconds(Some(answer)))
        .timeout_global(seconds(Some(named("DEBUGINFOD_MAXTIME").unwrap_or(WHOLE))))
        .build()
        .new_agent();
    let mut answer = match agent.get(url).call() {
        Err(ureq::Error::StatusCode(404)) => return Ok(Fetched::Nothing),
        answer => answer.map_err(io::Error::other)?,
    };
    let total = answer.body().content_length().unwrap_or_default();
    let too_large = || {
        let option = "--fetch-max or DEBUGINFOD_MAXSIZE allows more";
        io::Error::other(format!("the image has more than {most} bytes; {option}"))
    };
    if total > most {
        return Err(too_large());
    }
    let progress = Progress::of_bytes("fetching", total);
    // Without a length, reading one more byte detects that the limit is exceeded.
    let mut body = answer.body_mut().with_config().limit(u64::MAX).reader().take(most + 1);
    keep(path, |file| {
        copy(&mut body, file, &progress)?;
        if file.metadata()?.len() > most {
            return Err(too_large());
        }
        check(file, build_id)
    })?;
    Ok(Fetched::Image)
}

/// The value of an environment variable of elfutils.
fn named<T: FromStr>(name: &str) -> Option<T> {
    env::var(name).ok()?.trim().parse().ok()
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

/// Writes a file with access for this user only under a temporary name, and renames it when it is
/// complete.
fn keep(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let part = path.with_extension(format!("{}.{}.part", process::id(), now.as_nanos()));
    // Fails if the name exists, even as a link.
    let mut file =
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&part)?;
    let done = write(&mut file).and_then(|()| fs::rename(&part, path));
    if done.is_err() {
        let _ = fs::remove_file(&part);
    }
    done
}
