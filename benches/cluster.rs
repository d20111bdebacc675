//! Fingerprinting, clustering and matching of synthetic reports with known bugs.
//!
//!     cargo bench --bench cluster
//!     KSPLAT_REPORTS=1000000 cargo bench --bench cluster -- --test     # one run of that size, timed
//!     KSPLAT_BUGS=100000 cargo bench --bench cluster -- --test         # the same, each report of another bug

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap
)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

#[path = "common/bugs.rs"]
mod bugs;

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bugs::{Random, log};
use criterion::{Criterion, criterion_group, criterion_main};
use ksplat::cluster::{Index, Observation};
use ksplat::fingerprint::Signature;

/// Bugs whose sizes fall with their rank by Zipf's law.
struct Bugs {
    /// The cumulative share of the bugs up to each rank, of 2^32.
    sums: Vec<u64>,
}

impl Bugs {
    fn new(count: usize) -> Self {
        let all: f64 = (1..=count).map(|rank| 1.0 / rank as f64).sum();
        let mut sum = 0.0;
        let sums = (1..=count).map(|rank| {
            sum += 1.0 / rank as f64 / all;
            (sum * 4_294_967_296.0) as u64
        });
        Self { sums: sums.collect() }
    }

    fn any(&self, random: &mut Random) -> u64 {
        let at = random.below(1 << 32);
        self.sums.partition_point(|sum| *sum < at).min(self.sums.len() - 1) as u64
    }
}

/// An index of `reports` reports of `bugs` bugs, their bugs, and the time of fingerprinting and
/// adding.
fn index(reports: usize, bugs: usize) -> (Index, Vec<u64>, Duration) {
    let (sizes, mut random) = (Bugs::new(bugs), Random(7));
    let (mut index, mut truth, mut time) =
        (Index::new(), Vec::with_capacity(reports), Duration::ZERO);
    for _ in 0..reports {
        let bug = sizes.any(&mut random);
        let text = log(bug, &mut random);
        let report = ksplat::reports(text.as_bytes()).next().expect("a report");
        let start = Instant::now();
        index.add(&Signature::of(&report), Observation::default());
        time += start.elapsed();
        truth.push(bug);
    }
    (index, truth, time)
}

/// Pairwise precision and recall.
fn quality(index: &Index, truth: &[u64]) -> (f64, f64, usize) {
    let clusters = index.clusters();
    let pairs = |count: u64| count * count.saturating_sub(1) / 2;
    let (mut both, mut grouped, mut sizes) = (0, 0, HashMap::<u64, u64>::new());
    for cluster in &clusters {
        let mut cells = HashMap::<u64, u64>::new();
        for report in &cluster.reports {
            *cells.entry(truth[*report as usize]).or_default() += 1;
        }
        both += cells.values().copied().map(pairs).sum::<u64>();
        grouped += pairs(cluster.reports.len() as u64);
    }
    for bug in truth {
        *sizes.entry(*bug).or_default() += 1;
    }
    let same: u64 = sizes.values().copied().map(pairs).sum();
    (both as f64 / grouped as f64, both as f64 / same as f64, clusters.len())
}

/// The peak memory of the process, from /proc/self/status.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "not known".to_owned(), |peak| peak.trim().to_owned())
}

fn sign(criterion: &mut Criterion) {
    let text = std::fs::read("corpus/kasan/use-after-free-read.log").expect("the corpus");
    let report = ksplat::reports(&text).next().expect("a report");
    assert!(Signature::of(&report).site.is_some());
    criterion.bench_function("cluster/sign a report", |bencher| {
        bencher.iter(|| Signature::of(black_box(&report)));
    });
}

fn cluster(criterion: &mut Criterion) {
    if let Some(reports) =
        std::env::var("KSPLAT_REPORTS").ok().and_then(|count| count.parse::<usize>().ok())
    {
        let (index, truth, adding) = index(reports, (reports / 20).max(1));
        let start = Instant::now();
        black_box(index.clusters());
        let time = start.elapsed();
        let peak = peak();
        let (precision, recall, clusters) = quality(&index, &truth);
        println!(
            "{reports} reports: signed and added in {adding:.1?}, grouped in {time:.1?}, {peak} at most; \
             {clusters} clusters, precision {precision:.4}, recall {recall:.4}"
        );
    }
    let (index, truth, _) = index(5000, 250);
    let (precision, recall, _) = quality(&index, &truth);
    assert!(precision > 0.98 && recall > 0.9, "precision {precision}, recall {recall}");
    criterion.bench_function("cluster/group 5,000 reports", |bencher| {
        bencher.iter(|| black_box(&index).clusters());
    });
}

/// An index of one report of each of `bugs` bugs.
fn distinct(bugs: u64) -> Index {
    let (mut index, mut random) = (Index::new(), Random(11));
    for bug in 0..bugs {
        // Every tenth name: 25 bugs in a file for any number of bugs. Of 250 that call the same 40 functions, many have
        // the innermost ones in common and would be joined.
        let text = log(bug * 10, &mut random);
        let report = ksplat::reports(text.as_bytes()).next().expect("a report");
        index.add(&Signature::of(&report), Observation::default());
    }
    index
}

/// Groups reports that are all of different bugs, and checks that at least 96 % stay separate.
fn separate(criterion: &mut Criterion) {
    let check = |index: &Index| {
        let clusters = index.clusters().len();
        assert!(clusters * 100 >= index.len() * 96, "{clusters} clusters of {}", index.len());
        clusters
    };
    if let Some(bugs) = std::env::var("KSPLAT_BUGS").ok().and_then(|count| count.parse().ok()) {
        let index = distinct(bugs);
        let start = Instant::now();
        let clusters = check(&index);
        println!("{bugs} different bugs: grouped in {:.1?}, {clusters} clusters", start.elapsed());
    }
    let index = distinct(if criterion_is_testing() { 1000 } else { 10_000 });
    check(&index);
    criterion.bench_function("cluster/group 10,000 different bugs", |bencher| {
        bencher.iter(|| black_box(&index).clusters());
    });
}

fn matches(criterion: &mut Criterion) {
    let bugs = if criterion_is_testing() { 1000 } else { 100_000 };
    let mut random = Random(3);
    let logs: Vec<_> = (0..bugs).map(|bug| log(bug, &mut random)).collect();
    let mut index = Index::new();
    for text in &logs {
        let report = ksplat::reports(text.as_bytes()).next().expect("a report");
        index.add(&Signature::of(&report), Observation::default());
    }
    let again: Vec<Signature<'static>> = (0..64)
        .map(|number| {
            let text = log(number * (bugs / 64), &mut random);
            let report = ksplat::reports(text.as_bytes()).next().expect("a report");
            Signature::of(&report).into_owned()
        })
        .collect();
    let right = again.iter().enumerate().filter(|(number, signature)| {
        let best = index.matches(signature, 1);
        best.first().is_some_and(|best| u64::from(best.report) == *number as u64 * (bugs / 64))
    });
    let right = right.count();
    assert!(right >= 48, "only {right} of 64 are found");
    let mut queries = again.iter().cycle();
    criterion.bench_function("cluster/match among 100,000 bugs", |bencher| {
        bencher.iter(|| index.matches(black_box(queries.next().expect("a query")), 10));
    });
    criterion.bench_function("cluster/same bug among 100,000", |bencher| {
        bencher.iter(|| index.same(black_box(queries.next().expect("a query"))));
    });
}

fn criterion_is_testing() -> bool {
    std::env::args().any(|arg| arg == "--test")
}

criterion_group!(benches, sign, cluster, separate, matches);
criterion_main!(benches);
