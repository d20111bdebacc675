//! Additions to stores of synthetic bugs, and queries, with the file opened each time.
//!
//!     cargo bench --features store --bench store
//!     KSPLAT_BUGS=1000000 cargo bench --features store --bench store    # of that size, too

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(clippy::cast_possible_truncation)]

#[path = "common/bugs.rs"]
mod bugs;

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bugs::{Random, log};
use criterion::{Criterion, criterion_group, criterion_main};
use ksplat::fingerprint::Signature;
use ksplat::store::{Sighting, Store};

/// The number of bugs that are queried.
const QUERIES: u64 = 64;

fn sign(bug: u64, random: &mut Random) -> Signature<'static> {
    let text = log(bug, random);
    let report = ksplat::reports(text.as_bytes()).next().expect("a report");
    Signature::of(&report).into_owned()
}

fn sighting(signature: Signature<'static>, time: u64) -> Sighting<'static> {
    Sighting::new(signature, Some(time), format!("bug{time}.log#0"))
}

/// A store of `bugs` bugs; its path, and the ID of each bug that is queried.
fn store(bugs: u64) -> (PathBuf, Vec<u64>) {
    let path = std::env::temp_dir().join(format!("ksplat-bench-{}-{bugs}", std::process::id()));
    let _ = fs::remove_file(&path);
    let mut random = Random(7);
    let start = Instant::now();
    let store = Store::open(&path).unwrap();
    // All at once, because each addition groups all bugs that it reaches: 1,000,000 bugs take 11 GB of memory.
    let sightings: Vec<_> = (0..bugs).map(|bug| sighting(sign(bug, &mut random), bug)).collect();
    let added = store.add(&sightings).unwrap();
    let queried =
        (0..QUERIES).map(|number| added[(number * (bugs / QUERIES)) as usize].bug).collect();
    drop(store);
    let made = start.elapsed();
    let before = fs::metadata(&path).unwrap().len();
    let checked = Store::check(&path, false).unwrap();
    println!(
        "{bugs} bugs: {} groups, made in {made:.1?}, {before} bytes, {} when checked",
        checked.whole.0, checked.size.1
    );
    (path, queried)
}

/// Returns the bug of a report, including the time to open the file.
fn bug_of(path: &Path, signature: &Signature<'_>) -> Option<u64> {
    let store = Store::open_read_only(path).unwrap();
    let contents = store.load_for(&[signature], 5).unwrap();
    let index = contents.index();
    black_box(contents.matches(&index, signature, 5));
    contents.bug_of(&index, signature)
}

fn one_report(criterion: &mut Criterion) {
    let is_test = std::env::args().any(|arg| arg == "--test");
    let more = std::env::var("KSPLAT_BUGS").ok().and_then(|count| count.parse().ok());
    let sizes = if is_test { vec![1_000] } else { vec![1_000, 10_000, 100_000] };
    for bugs in sizes.into_iter().chain(more) {
        let (path, queried) = store(bugs);
        let mut random = Random(3);
        let again: Vec<_> =
            (0..QUERIES).map(|number| sign(number * (bugs / QUERIES), &mut random)).collect();
        let right = again.iter().zip(&queried).filter(|(signature, bug)| {
            bug_of(&path, signature).is_some_and(|found| {
                let contents = Store::open_read_only(&path).unwrap().load_for(&[signature], 1);
                contents.unwrap().alias(**bug) == found
            })
        });
        let right = right.count();
        assert!(right >= 48, "only {right} of {QUERIES} are found");
        let mut queries = again.iter().cycle();
        criterion.bench_function(&format!("store/match among {bugs} bugs"), |bencher| {
            bencher.iter(|| bug_of(&path, queries.next().expect("a query")));
        });
        let before = fs::metadata(&path).unwrap().len();
        let mut new = bugs;
        criterion.bench_function(&format!("store/add to {bugs} bugs"), |bencher| {
            bencher.iter(|| {
                new += 1;
                let store = Store::open(&path).unwrap();
                let added = store.add(&[sighting(sign(new, &mut random), new)]).unwrap();
                assert_eq!(added.len(), 1);
            });
        });
        let after = fs::metadata(&path).unwrap().len();
        println!("{} additions: {before} bytes before, {after} after", new - bugs);
        let _ = fs::remove_file(&path);
    }
}

criterion_group!(benches, one_report);
criterion_main!(benches);
