//! Parsing and auditing of bisection logs.
//!
//! Without the logs in `../shared` those measurements are skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

#[path = "../tests/bisection/mod.rs"]
mod bisection;
#[path = "common/logs.rs"]
mod logs;

use std::fs;
use std::hint::black_box;
use std::path::Path;

use bisection::{Chance, World};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ksplat::bisect::{self, AuditOptions, Trust};

/// The seeds, and the trust in each.
const SEEDS: [(&str, Trust); 5] = [
    ("000_5dd5d67a3d143477", Trust::Wrong),
    ("001_9fa9da7e499b57fb", Trust::Sound),
    ("002_3a517a86d7544427", Trust::Sound),
    ("003_36161d8f652fb016", Trust::Wrong),
    ("004_029842f4da5026bd", Trust::Sound),
];

fn trust(log: &[u8]) -> Trust {
    let bisection = bisect::parse(log).expect("a bisection");
    bisect::audit(&bisection, AuditOptions::default()).trust
}

fn real() -> Vec<Vec<u8>> {
    let paths = logs::entries(Path::new("../shared/bisect/logs"));
    paths.into_iter().filter_map(|path| fs::read(path).ok()).collect()
}

/// The logs of the seeds, each with a known result.
fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new("../shared/seeds");
    if logs::entries(folder).is_empty() {
        return Vec::new();
    }
    let log = |(name, expected)| {
        let log = fs::read(folder.join(name).with_extension("txt")).unwrap();
        assert_eq!(trust(&log), expected, "{name}");
        log
    };
    SEEDS.map(log).into()
}

/// Logs of simulated bisections. All that were misled by another crash are detected.
fn simulated() -> Vec<Vec<u8>> {
    let mut chance = Chance(2);
    let worlds = std::iter::repeat_with(|| World::new(&mut chance).bisect(&mut chance));
    let printed: Vec<_> = worlds.flatten().take(200).collect();
    let logs: Vec<_> = printed.iter().map(|printed| printed.log.clone().into_bytes()).collect();
    for (log, printed) in logs.iter().zip(&printed) {
        let is_right = printed.named == printed.truth;
        assert!(
            trust(log) != if is_right { Trust::Wrong } else { Trust::Sound } || !printed.misled
        );
    }
    logs
}

fn audit(c: &mut Criterion) {
    let mut group = c.benchmark_group("bisect");
    let fixture = fs::read("tests/bisections/003_36161d8f652fb016.txt").unwrap();
    assert_eq!(trust(&fixture), Trust::Wrong);
    group.bench_function("a log of 17 steps", |b| b.iter(|| black_box(trust(&fixture))));
    for (name, logs) in [("seeds", seeds()), ("real", real()), ("simulated", simulated())] {
        if logs.is_empty() {
            continue;
        }
        group.throughput(Throughput::Elements(logs.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| logs.iter().filter(|log| trust(log) == Trust::Sound).count());
        });
    }
    group.finish();
}

criterion_group!(benches, audit);
criterion_main!(benches);
