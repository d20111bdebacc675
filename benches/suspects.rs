//! Look-ups of functions in the atlas, and the suspects of a report.

#![allow(clippy::expect_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ksplat::atlas::Atlas;

/// Functions of all parts of the kernel, and the file of each.
const NAMES: &[(&str, &str)] = &[
    ("__x64_sys_openat", "fs/open.c"),
    ("batadv_iv_ogm_queue_add", "net/batman-adv/bat_iv_ogm.c"),
    ("ext4_file_write_iter", "fs/ext4/file.c"),
    ("io_wqe_no_such_function", ""),
    ("kasan_report", "mm/kasan/report.c"),
    ("mutex_lock", "kernel/locking/mutex.c"),
    ("nilfs_dat_commit_free", "fs/nilfs2/dat.c"),
    ("worker_thread", "kernel/workqueue.c"),
];

fn look_up(c: &mut Criterion) {
    let atlas = Atlas::builtin();
    let file =
        |name: &str| atlas.files(name).next().map_or_else(String::new, |file| file.to_string());
    for (name, path) in NAMES {
        assert_eq!(file(name), *path, "{name}");
    }
    // Many names, so that the parts that are read do not all fit into the first cache.
    let names: Vec<String> =
        NAMES
            .iter()
            .flat_map(|(name, _)| {
                (0..512).map(move |number| {
                    if number == 0 { (*name).to_owned() } else { format!("{name}_{number}") }
                })
            })
            .collect();
    let mut group = c.benchmark_group("suspects");
    group.throughput(Throughput::Elements(NAMES.len() as u64));
    group.bench_function("a look-up (of 8 functions with their files)", |b| {
        b.iter(|| NAMES.iter().filter_map(|(name, _)| atlas.files(black_box(name)).next()).count());
    });
    group.throughput(Throughput::Elements(names.len() as u64));
    group.bench_function("a look-up (of 4,096 names, most of them unknown)", |b| {
        b.iter(|| names.iter().filter_map(|name| atlas.files(black_box(name)).next()).count());
    });
    group.finish();
}

fn suspects(c: &mut Criterion) {
    let log = include_bytes!("../corpus/kasan/use-after-free-read.log");
    let mut report = ksplat::reports(log).next().expect("a report");
    ksplat::suspects::annotate(&mut report, Atlas::builtin());
    let before = report.clone();
    assert!(!before.suspects.is_empty());
    let mut group = c.benchmark_group("suspects");
    group.bench_function("of a KASAN report", |b| {
        b.iter(|| ksplat::suspects::annotate(black_box(&mut report), Atlas::builtin()));
    });
    group.finish();
    assert_eq!(report, before);
}

criterion_group!(benches, look_up, suspects);
criterion_main!(benches);
