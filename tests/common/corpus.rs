//! The logs of the corpus, for the tests that read all of them.

use std::fs;
use std::path::{Path, PathBuf};

/// The files below a directory, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { &mut folders } else { &mut found }.push(path);
        }
    }
    found.sort();
    found
}

/// Each log of the corpus with its path.
pub(crate) fn logs() -> Vec<(PathBuf, Vec<u8>)> {
    let is_log = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "log");
    let paths = files(Path::new("corpus")).into_iter().filter(is_log);
    let logs: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    assert!(logs.len() > 20, "run from the folder of Cargo.toml");
    logs
}
