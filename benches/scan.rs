//! Speed of skipping benign console output, without a splat.

use std::collections::HashSet;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

#[path = "common/logs.rs"]
mod logs;

/// Logs of many machines, from boot on: beside the repository, absent elsewhere.
const FOLDERS: &[&str] = &["farm/logs", "farm72/logs", "wild"];

/// The files of a directory and its subdirectories, sorted by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in logs::entries(&folder) {
            if path.is_dir() { &mut folders } else { &mut found }.push(path);
        }
    }
    found.sort_unstable();
    found
}

/// The lines before the first report of each log, without duplicates; at most `limit` files of a
/// directory.
fn boots(limit: usize) -> Vec<u8> {
    let mut seen = HashSet::new();
    let mut log = Vec::new();
    let parser = ksplat::Parser::new().with_information(true);
    let shared = Path::new("..").join("shared");
    let paths =
        FOLDERS.iter().flat_map(|folder| files(&shared.join(folder)).into_iter().take(limit));
    for text in paths.filter_map(|path| fs::read(path).ok()) {
        let first = parser.reports(&text).next();
        let before = first.map_or(text.len(), |report| report.span.start);
        for line in text.get(..before).unwrap_or_default().split_inclusive(|&b| b == b'\n') {
            // A headline that may be a quotation counts if a body follows.
            let with_body = [line, b"\nRIP: 0010:f+0x1/0x2\nCall Trace:\n f+0x1/0x2\n"].concat();
            // The body without a headline is information.
            let is_headline =
                parser.reports(&with_body).any(|report| report.span.start < line.len());
            if !seen.contains(line) && !is_headline {
                log.extend_from_slice(line);
                seen.insert(line.to_vec());
            }
        }
    }
    log
}

/// A log with a prefix before each line.
fn behind(prefix: &str, log: &[u8]) -> Vec<u8> {
    let mut behind = Vec::with_capacity(log.len() + log.len() / 4);
    for line in log.split_inclusive(|&b| b == b'\n') {
        behind.extend_from_slice(prefix.as_bytes());
        behind.extend_from_slice(line);
    }
    behind
}

fn scan(c: &mut Criterion) {
    let log = logs::benign(64 << 20);
    assert_eq!(ksplat::reports(&log).count(), 0, "the log is not benign");

    // The same with one report at its end, which must be found.
    let mut with_report = log.clone();
    with_report.extend_from_slice(include_bytes!("../corpus/warning/io-ring-exit-work.log"));
    assert_eq!(ksplat::reports(&with_report).count(), 1, "the report was missed");

    let mut group = c.benchmark_group("scan");
    group.throughput(Throughput::Bytes(log.len() as u64)).sample_size(20);
    group.bench_function("benign", |b| b.iter(|| ksplat::reports(black_box(&log)).count()));
    group.bench_function("lines (memchr)", |b| {
        b.iter(|| memchr::memchr_iter(b'\n', black_box(&log)).count());
    });

    // The same behind an unknown prefix.
    let log = behind("web-1  | ", &log);
    group.throughput(Throughput::Bytes(log.len() as u64));
    group.bench_function("benign, behind a prefix", |b| {
        b.iter(|| ksplat::reports(black_box(&log)).count());
    });

    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let log = boots(if is_measured { usize::MAX } else { 10 });
    if !log.is_empty() {
        assert_eq!(
            ksplat::Parser::new().with_information(true).reports(&log).count(),
            0,
            "the boots have reports"
        );
        group.throughput(Throughput::Bytes(log.len() as u64));
        group.bench_function("boot logs of many machines", |b| {
            b.iter(|| ksplat::reports(black_box(&log)).count());
        });
        group.bench_function("boot logs of many machines, information too", |b| {
            b.iter(|| {
                ksplat::Parser::new().with_information(true).reports(black_box(&log)).count()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, scan);
criterion_main!(benches);
