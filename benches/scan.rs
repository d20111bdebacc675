//! Benign console output: how fast a log without a splat is passed over.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

#[path = "common/logs.rs"]
mod logs;

fn scan(c: &mut Criterion) {
    let log = logs::benign(64 << 20);
    assert_eq!(ksplat::reports(&log).count(), 0, "the log is not benign");

    // The same with one report at its end: it is found.
    let mut with_report = log.clone();
    with_report.extend_from_slice(include_bytes!("../corpus/warning/io-ring-exit-work.log"));
    assert_eq!(ksplat::reports(&with_report).count(), 1, "the report was missed");

    let mut group = c.benchmark_group("scan");
    group.throughput(Throughput::Bytes(log.len() as u64)).sample_size(20);
    group.bench_function("benign", |b| b.iter(|| ksplat::reports(black_box(&log)).count()));
    group.bench_function("lines (memchr)", |b| {
        b.iter(|| memchr::memchr_iter(b'\n', black_box(&log)).count());
    });
    group.finish();
}

criterion_group!(benches, scan);
criterion_main!(benches);
