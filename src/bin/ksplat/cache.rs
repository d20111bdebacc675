//! Indexes of images in the user's cache directory: `$XDG_CACHE_HOME/ksplat`, else `~/.cache/ksplat`.

use std::env;
use std::fmt::Write;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::process;

use ksplat::symbolize::{Image, Index};

use crate::input;
use crate::run::complain;

/// The image with its index, which is made if there is none yet, or a damaged one.
///
/// Without a build id there is nothing to know the index by; then the image is asked itself.
pub(crate) fn indexed(image: Image<'static>) -> Image<'static> {
    let Some(build_id) = image.build_id() else { return image };
    let Some(path) = place(build_id) else { return image };
    if let Some(index) = open(&path, build_id) {
        return image.with_index(index);
    }
    if io::stderr().is_terminal() {
        complain(&input::name(&path), &"making the index of the image, once");
    }
    // What cannot be indexed, or written, is asked itself.
    let Ok(bytes) = image.index() else { return image };
    if let Err(error) = keep(&path, |file| file.write_all(&bytes)) {
        complain(&input::name(&path), &format!("the index was not kept: {error}"));
    }
    let bytes: &'static [u8] = Box::leak(bytes.into_boxed_slice());
    match Index::parse(bytes, build_id) {
        Ok(index) => image.with_index(index),
        Err(_) => image,
    }
}

/// Where what can be made again is kept.
pub(crate) fn folder() -> Option<PathBuf> {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?;
    Some(cache.join("ksplat"))
}

fn place(build_id: &[u8]) -> Option<PathBuf> {
    let mut name = String::new();
    for byte in build_id {
        let _ = write!(name, "{byte:02x}");
    }
    Some(folder()?.join(name + ".index"))
}

fn open(path: &Path, build_id: &[u8]) -> Option<Index<'static>> {
    let bytes: &'static [u8] = Box::leak(Box::new(input::map_plain(path).ok()?));
    Index::parse(bytes, build_id).ok()
}

/// Keeps a file in the cache, as a whole or not at all.
pub(crate) fn keep(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
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
