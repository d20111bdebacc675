//! The table of logs against what the library does with them: parse, explain, sign.
//!
//! `cargo bench -p ksplat-arrow -- FOLDER` times the logs below a folder, by default those of `corpus/`, on one
//! thread and on two, the best of five runs. `python/bench.py` times the same from Python.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use ksplat::{Parser, fingerprint};
use ksplat_arrow::array::RecordBatch;
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
            batches.unwrap().iter().map(RecordBatch::num_rows).sum::<usize>()
        });
        println!("{threads} threads, time and CPU: library {library:?}, table {table:?}");
    }
}

/// The shortest time of some runs, and the shortest time of all processors.
fn best(runs: usize, run: impl Fn() -> usize) -> (Duration, Duration) {
    let time = |_| {
        let (begin, cpu) = (Instant::now(), cpu());
        std::hint::black_box(run());
        (begin.elapsed(), self::cpu().saturating_sub(cpu))
    };
    let times: Vec<_> = (0..runs).map(time).collect();
    let wall = times.iter().map(|(wall, _)| *wall).min();
    // The threads of an earlier pool end during a run, and their time with them.
    let cpu = times.iter().map(|(_, cpu)| *cpu).filter(|cpu| !cpu.is_zero()).min();
    (wall.unwrap_or_default(), cpu.unwrap_or_default())
}

/// The time that all threads ran, by the scheduler of Linux; zero elsewhere.
fn cpu() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let ran = tasks.filter_map(|task| {
        let stat = fs::read_to_string(task.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(ran.sum())
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
