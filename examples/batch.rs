//! Clusters all logs below a directory on all cores: `cargo run --release --example batch --features disasm
//! -- FOLDER`

#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use ksplat::Analyzer;
use ksplat::cluster::{Index, Observation};
use ksplat::fingerprint::{self, Signature};
use rayon::prelude::*;

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for folder in env::args_os().skip(1) {
        find(Path::new(&folder), &mut files)?;
    }
    files.sort();
    let analyzer = Analyzer::new().without_instructions();
    // Reports borrow from their log; a signature that owns its text outlives it.
    let signatures: Vec<Vec<Signature<'static>>> = files
        .par_iter()
        .map(|path| {
            let log = fs::read(path).unwrap_or_default();
            // Explained, and hangs with the others of their log, so that other machines get the same hashes.
            let signed = fingerprint::of_log(&analyzer, ksplat::reports(&log));
            signed.into_iter().map(|(_, signature)| signature).collect()
        })
        .collect();
    let mut index = Index::new();
    for signature in signatures.iter().flatten() {
        index.add(signature, Observation::default());
    }
    for bug in index.clusters() {
        println!("{:>7} {}", bug.count, bug.title);
    }
    Ok(())
}

/// The files below a directory.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            find(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
