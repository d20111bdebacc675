//! The files in arguments, directories and lists.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::args::Logs;
use crate::error::Error;
use crate::input;
use crate::ui::report_error;

/// Returns the files in the arguments.
pub(crate) fn files(logs: &Logs) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in &logs.paths {
        add(path, &mut files);
    }
    match &logs.files_from {
        Some(list) => files.extend(listed(list)?),
        None if logs.paths.is_empty() => files.push(PathBuf::from("-")),
        None => {}
    }
    Ok(files)
}

/// Adds a file, or all files in a directory and its subdirectories.
fn add(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() { below(path, files) } else { files.push(path.to_owned()) }
}

/// Adds the files in a directory and its subdirectories, sorted by name. Links to directories are skipped, as they
/// may close a cycle; pipes and devices are skipped, as they may not end.
fn below(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return report_error(&input::name(folder), &error),
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let Ok(own) = fs::symlink_metadata(&path) else { continue };
        let target = fs::metadata(&path);
        if own.is_dir() {
            below(&path, files);
        } else if own.is_file() || own.is_symlink() && !target.is_ok_and(|target| !target.is_file())
        {
            files.push(path);
        }
    }
}

/// Returns the files in a list, one on each line.
pub(crate) fn listed(list: &Path) -> Result<Vec<PathBuf>, Error> {
    let text = input::read(list).map_err(|source| Error::input(list, source))?;
    let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    Ok(lines.map(|line| PathBuf::from(OsStr::from_bytes(line))).collect())
}
