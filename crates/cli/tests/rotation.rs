//! Files that other programs rotate, truncate and delete while they are watched: each report is
//! printed once, or its loss is reported. `KSPLAT_RUNS=200` makes more runs of each way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The reports of a text between two rotations, and the rotations of a run.
const REPORTS: usize = 3;
const ROTATIONS: usize = 40;

/// The bytes between two reports: a run writes 12 MB as fast as it can.
const BETWEEN: usize = 100_000;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// `console` becomes `console.7`.
    Rename,
    /// `console.1` becomes `console.2`, and `console` becomes `console.1`.
    Shift,
    /// `console` is copied to `console.7` and truncated.
    CopyTruncate,
    /// `console` is truncated.
    Truncate,
    Delete,
}

impl Way {
    /// Returns whether a text may be deleted before it can be read.
    fn may_lose(self) -> bool {
        matches!(self, Self::Truncate | Self::Delete)
    }
}

/// The time in which the reports of a run are found on any machine.
const PATIENCE: Duration = Duration::from_mins(2);

fn report(name: &str) -> String {
    format!(
        "kernel BUG at fs/{name}.c:1!\nRIP: 0010:{name}+0x1/0x2\nCall Trace:\n g+0x1/0x2\n---[ end trace 0 ]---\n"
    )
}

/// Writes the text of one generation, whose lines differ from all others.
fn write(file: &mut File, generation: usize) {
    let mut text = String::new();
    for number in 0..REPORTS {
        text += &report(&format!("r{generation}_{number}"));
        let line = text.len();
        while text.len() - line < BETWEEN {
            let at = text.len();
            writeln!(text, "usb {generation}-{at}: new device number {number}").unwrap();
        }
    }
    // A line at a time, as a console is written.
    for piece in text.as_bytes().chunks(997) {
        file.write_all(piece).unwrap();
    }
}

/// Rotates the file, and returns the next one.
fn rotate(path: &Path, mut file: File, way: Way, generation: usize) -> File {
    let numbered = |number: usize| path.with_extension(number.to_string());
    match way {
        Way::Rename => fs::rename(path, numbered(generation)).unwrap(),
        Way::Shift => {
            for number in (0..generation).rev() {
                fs::rename(numbered(number), numbered(number + 1)).unwrap();
            }
            fs::rename(path, numbered(0)).unwrap();
        }
        Way::Delete => fs::remove_file(path).unwrap(),
        Way::CopyTruncate => {
            fs::copy(path, numbered(generation)).unwrap();
            file.set_len(0).unwrap();
            return file;
        }
        Way::Truncate => {
            file.set_len(0).unwrap();
            return file;
        }
    }
    file = append(path);
    file
}

fn append(path: &Path) -> File {
    fs::OpenOptions::new().create(true).append(true).open(path).unwrap()
}

struct Watched {
    child: Child,
    folder: PathBuf,
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The number of times that each report was printed, and standard error.
fn run(way: Way, number: usize) -> (BTreeMap<String, usize>, String) {
    let folder = common::folder(&format!("rotation-{way:?}-{number}"));
    let path = folder.join("console");
    let mut file = append(&path);
    file.write_all(report("first").as_bytes()).unwrap();
    let child = common::ksplat()
        .args(["watch", "--format", "jsonl", "--pause", "0.1"])
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut watched = Watched { child, folder };
    let id = watched.child.id().to_string();
    let kill = move |signal: &str| Command::new("kill").args([signal, &id]).status().unwrap();
    let mut lines = BufReader::new(watched.child.stdout.take().unwrap()).lines();
    let mut next = || {
        let line = lines.next()?.unwrap();
        let report: serde_json::Value = serde_json::from_str(&line).unwrap();
        let title = report["title"].as_str().unwrap().strip_prefix("kernel BUG in ").unwrap();
        Some((title.to_owned(), report["revises"] == true))
    };
    // The program runs, and has opened the file.
    assert_eq!(next(), Some(("first".to_owned(), false)));
    for generation in 0..ROTATIONS {
        write(&mut file, generation);
        file = rotate(&path, file, way, generation);
    }
    file.write_all(report("last").as_bytes()).unwrap();
    let mut found = BTreeMap::new();
    // If reports may be lost, the last one is the end.
    let wanted = if way.may_lose() { 1 } else { ROTATIONS * REPORTS + 1 };
    let is_enough =
        |found: &BTreeMap<String, usize>| found.contains_key("last") && found.len() >= wanted;
    let (enough, wait) = mpsc::channel::<()>();
    let killer = kill.clone();
    let watchdog = thread::spawn(move || {
        if wait.recv_timeout(PATIENCE).is_err() {
            killer("-KILL");
        }
    });
    while !is_enough(&found)
        && let Some((title, is_revised)) = next()
    {
        *found.entry(title).or_default() += usize::from(!is_revised);
    }
    enough.send(()).unwrap_or_default();
    watchdog.join().unwrap();
    kill("-TERM");
    while let Some((title, is_revised)) = next() {
        *found.entry(title).or_default() += usize::from(!is_revised);
    }
    let mut errors = String::new();
    watched.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    (found, errors)
}

#[test]
fn each_report_is_printed_or_its_loss_is_reported() {
    let runs = env::var("KSPLAT_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(2);
    let ways = [
        (Way::Rename, ""),
        (Way::Shift, ""),
        (Way::CopyTruncate, ""),
        (Way::Truncate, "the file was truncated"),
        (Way::Delete, "removed before"),
    ];
    for (way, loss) in ways {
        for number in 0..runs {
            let (found, errors) = run(way, number);
            assert!(found.values().all(|count| *count == 1), "{way:?}: {found:?}");
            let all = (0..ROTATIONS).flat_map(|g| (0..REPORTS).map(move |r| format!("r{g}_{r}")));
            let missing: Vec<_> = all.filter(|name| !found.contains_key(name)).collect();
            let is_told = !loss.is_empty() && errors.contains(loss);
            assert!(missing.is_empty() || is_told, "{way:?}: {missing:?}: {errors}");
        }
    }
}
