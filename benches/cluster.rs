//! Fingerprinting, clustering and matching of synthetic reports with known bugs.
//!
//!     cargo bench --bench cluster
//!     KSPLAT_REPORTS=1000000 cargo bench --bench cluster -- --test     # one run of that size, timed

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap
)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

use std::collections::HashMap;
use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use ksplat::cluster::{Index, Observation};
use ksplat::fingerprint::Signature;

/// A pseudo-random number generator, the same in every run: xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % limit
    }

    fn in_percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

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

/// A report of a bug, with differences between runs: the kernel, inlined functions, a frame of
/// another path, addresses.
fn log(bug: u64, random: &mut Random) -> String {
    let mut own = Random(bug.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..8 {
        own.below(2);
    }
    let part = own.below(400);
    let kind = own.below(4);
    let site = format!("part{part}_do_{bug:x}");
    let mut callers: Vec<String> =
        (0..5).map(|_| format!("part{part}_call_{}", own.below(40))).collect();
    if random.in_percent(10) {
        let at = random.below(callers.len() as u64) as usize;
        callers[at] = format!("part{part}_call_{}", random.below(40));
    }
    let (major, minor) = (5 + random.below(2), random.below(20));
    let pid = random.below(9000);
    let mut log = String::new();
    let inlined = random.in_percent(15);
    let trap = |log: &mut String| {
        if inlined {
            writeln!(log, "RIP: 0010:{site} net/part{part}/x.c:1 [inline]").unwrap();
            writeln!(log, "RIP: 0010:{}+0x5{:x}/0x900 net/part{part}/x.c:9", callers[0], pid % 16)
                .unwrap();
        } else {
            writeln!(log, "RIP: 0010:{site}+0x1{:x}/0x200 net/part{part}/x.c:1", pid % 16).unwrap();
        }
    };
    match kind {
        0 => {
            let at = if inlined { &callers[0] } else { &site };
            writeln!(log, "BUG: KASAN: slab-use-after-free in {at}+0x1/0x200 net/part{part}/x.c:1").unwrap();
            writeln!(log, "Read of size 8 at addr ffff8880{pid:08x} by task a/{pid}").unwrap();
        }
        1 => writeln!(log, "BUG: kernel NULL pointer dereference, address: 00000000000000{:02x}", own.below(30) * 8).unwrap(),
        2 => writeln!(log, "WARNING: CPU: 0 PID: {pid} at net/part{part}/x.c:1 {site}+0x10/0x200 net/part{part}/x.c:1").unwrap(),
        _ => writeln!(log, "kernel BUG at net/part{part}/x.c:1!").unwrap(),
    }
    writeln!(log, "CPU: 0 PID: {pid} Comm: a Not tainted {major}.{minor}.0 #1").unwrap();
    if kind > 0 {
        trap(&mut log);
    }
    writeln!(log, "Call Trace:\n <TASK>").unwrap();
    if kind == 0 {
        writeln!(log, " dump_stack_lvl+0x1/0x2\n kasan_report+0x1/0x2").unwrap();
        if inlined {
            writeln!(log, " {site} net/part{part}/x.c:1 [inline]").unwrap();
        } else {
            writeln!(log, " {site}+0x10/0x200 net/part{part}/x.c:1").unwrap();
        }
    }
    for caller in callers.iter().skip(usize::from(inlined && kind > 0)) {
        writeln!(log, " {caller}+0x{:x}/0x900 net/part{part}/y.c:3", pid % 256 + 1).unwrap();
    }
    log.push_str(" vfs_write+0x1/0x2\n ksys_write+0x1/0x2\n do_syscall_64+0x1/0x2\n entry_SYSCALL_64_after_hwframe+0x1/0x2\n </TASK>\n");
    log
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

criterion_group!(benches, sign, cluster, matches);
criterion_main!(benches);
