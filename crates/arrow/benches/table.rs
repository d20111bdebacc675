//! The table of logs against what the library does with them: parse, explain, sign.
//!
//! `cargo bench -p ksplat-arrow -- FOLDER` times the logs below a folder, by default those of `corpus/`, on one
//! thread and on two, the best of five runs. `python/bench.py` times the same from Python.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use ksplat::{Parser, fingerprint};
use ksplat_arrow::{BATCH, Builder, Error};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let folder = args.iter().find(|arg| !arg.starts_with('-'));
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpus");
    let logs = read(Path::new(folder.map_or(corpus, |folder| folder)));
    let runs = if args.iter().any(|arg| arg == "--test") { 1 } else { 5 };
    let bytes: usize = logs.iter().map(Vec::len).sum();
    let analyzer = ksplat_arrow::analyzer();
    println!("{} logs, {bytes} bytes", logs.len());
    for threads in [1, 2] {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let library = best(runs, || {
            let sign = |log: &Vec<u8>| fingerprint::of_log(&analyzer, ksplat::reports(log)).len();
            pool.install(|| logs.par_iter().map(sign).sum::<usize>())
        });
        let table = best(runs, || {
            let add = |builder: &mut Builder, log: &Vec<u8>| {
                builder.add("-", log, Parser::new(), &analyzer).map(drop)
            };
            let batches = pool.install(|| ksplat_arrow::batches::<_, Error>(&logs, BATCH, add));
            batches.unwrap().iter().map(|batch| batch.num_rows()).sum::<usize>()
        });
        println!("{threads} threads: library {library:?}, table {table:?}");
    }
}

/// The shortest time of some runs.
fn best(runs: usize, run: impl Fn() -> usize) -> Duration {
    let time = |_| {
        let begin = Instant::now();
        std::hint::black_box(run());
        begin.elapsed()
    };
    (0..runs).map(time).min().unwrap_or_default()
}

/// The logs below a folder.
fn read(folder: &Path) -> Vec<Vec<u8>> {
    let (mut logs, mut folders) = (Vec::new(), vec![PathBuf::from(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_none_or(|extension| extension == "log" || extension == "txt")
            {
                logs.push(fs::read(path).unwrap());
            }
        }
    }
    logs
}
