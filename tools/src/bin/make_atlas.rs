//! Builds the atlases in the library, or compares the definitions in a tree with those of ctags.
//!
//!     cargo run --release -p ksplat-tools --bin make_atlas -- TREE…
//!     cargo run --release -p ksplat-tools --bin make_atlas -- --compare TAGS TREE
//!
//! TREEs are sources of Linux, the newest first. Writes `src/atlas/generic.atlas` and
//! `src/atlas/linux.atlas`. TAGS has on each line a name, a tab and a path, as
//! `ctags -R --languages=C --langmap=C:.c.h --kinds-C=f -f - . | cut -f1,2` prints them.

#![allow(clippy::case_sensitive_file_extension_comparisons)] // names of the kernel's files
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ksplat::atlas::Atlas;
use ksplat::atlas::build::{Builder, SKIPPED};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [option, tags, tree] if option == "--compare" => compare(tags, tree),
        trees => {
            write("src/atlas/linux.atlas", Builder::new(), trees);
            write("src/atlas/generic.atlas", Builder::new().generic(), trees);
        }
    }
}

fn write(path: &str, mut builder: Builder, trees: &[String]) {
    for (number, tree) in trees.iter().enumerate() {
        if number > 0 {
            builder.next_tree();
        }
        add(&mut builder, Path::new(tree), "");
    }
    let bytes = builder.finish();
    let atlas = Atlas::read(&bytes).expect("an atlas");
    let (names, files) = (atlas.name_count(), atlas.file_count());
    println!("{path}: {} bytes, {names} names, {files} files", bytes.len());
    println!("{atlas:?}");
    fs::write(path, bytes).unwrap();
}

/// Adds a directory in the order of its names.
fn add(builder: &mut Builder, tree: &Path, below: &str) {
    let entries = fs::read_dir(tree.join(below)).expect("a directory");
    let mut entries: Vec<_> = entries.map(|entry| entry.expect("an entry")).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().into_string().unwrap();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !(below.is_empty() && SKIPPED.contains(&name.as_str())) {
            add(builder, tree, &path);
        } else if kind.is_file() {
            builder.add(&path, &fs::read(entry.path()).unwrap());
        }
    }
}

fn compare(tags: &str, tree: &str) {
    let mut builder = Builder::new();
    add(&mut builder, Path::new(tree), "");
    let mut ours = BTreeSet::new();
    builder.definitions(|name, path| {
        if path.ends_with(".c") || path.ends_with(".h") {
            ours.insert((name.to_owned(), path.to_owned()));
        }
    });
    let text = fs::read_to_string(tags).unwrap();
    let rows = text.lines().filter_map(|line| line.split_once('\t'));
    let theirs: BTreeSet<_> = rows
        .map(|(name, path)| (name.to_owned(), path.trim_start_matches("./").to_owned()))
        .filter(|(_, path)| !SKIPPED.iter().any(|skipped| path.starts_with(&format!("{skipped}/"))))
        .collect();
    let both = ours.intersection(&theirs).count();
    println!("ours {}, ctags {}, both {both}", ours.len(), theirs.len());
    println!("of ctags' found: {:.2} %", 100.0 * both as f64 / theirs.len() as f64);
    println!("of ours in ctags': {:.2} %", 100.0 * both as f64 / ours.len() as f64);
    let sample = |rows: Vec<_>| {
        let step = (rows.len() / 40).max(1);
        rows.into_iter()
            .step_by(step)
            .for_each(|(name, path): &(String, String)| println!("  {name}\t{path}"));
    };
    println!("only ctags:");
    sample(theirs.difference(&ours).collect());
    println!("only ours:");
    sample(ours.difference(&theirs).collect());
}
