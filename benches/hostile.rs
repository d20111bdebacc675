//! Worst-case logs: the time must be proportional to the size.
//!
//!     cargo bench --bench hostile
//!     KSPLAT_MEGABYTES=1000 cargo bench --bench hostile -- --test     # each once at that size
//!
//! Each is parsed as a whole and by a monitor; the throughputs at 1, 2 and 4 MB must be the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]
#![allow(clippy::cast_precision_loss)]

use std::hint::black_box;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ksplat::{Event, Monitor};

const HEAD: &str = "BUG: KASAN: use-after-free in f+0x1/0x2\n";

/// The maximum number of locks that lockdep tracks in one task: MAX_LOCK_DEPTH in
/// include/linux/sched.h.
const MAX_LOCK_DEPTH: u8 = 48;

const CHAIN: &str = "WARNING: possible circular locking dependency detected\ncm/46 is trying to acquire lock:\n\
    ffff888000100000 (&a0->lock){+.+.}-{3:3}, at: f+0x1/0x2\nbut task is already holding lock:\n\
    ffff888000200000 (&a47->lock){+.+.}-{3:3}, at: g+0x1/0x2\n\
    the existing dependency chain (in reverse order) is:\n";

const HUNG: &str = "INFO: task task:4000 blocked for more than 122 seconds.\nCall Trace:\n schedule+0x1/0x2\n \
    __mutex_lock+0x1/0x2\n cm_wait+0x1/0x2\n\nShowing all locks held in the system:\n";

/// A log of about `bytes` bytes that starts with `head` and continues with these lines.
fn log(head: &str, lines: &[&str], bytes: usize) -> Vec<u8> {
    let mut log = head.as_bytes().to_vec();
    for line in lines.iter().cycle() {
        if log.len() >= bytes {
            return log;
        }
        log.extend_from_slice(line.as_bytes());
    }
    log
}

type Worst = fn(usize) -> Vec<u8>;

const WORST: &[(&str, Worst)] = &[
    ("headers", |bytes| log("", &[HEAD], bytes)),
    ("frames", |bytes| log(HEAD, &[" function_name+0x1/0x2 [module] file/name.c:1\n"], bytes)),
    ("inline frames", |bytes| log(HEAD, &[" function_name file/name.c:1 [inline]\n"], bytes)),
    ("contexts", |bytes| {
        let lines: Vec<_> = (0..64)
            .map(|n| {
                format!("[ 1.0][ T{n}] BUG: x in f+0x1/0x2\n[ 1.0][ T{}]  f+0x1/0x2\n", 63 - n)
            })
            .collect();
        log("", &lines.iter().map(String::as_str).collect::<Vec<_>>(), bytes)
    }),
    ("registers", |bytes| {
        log(HEAD, &["RAX: 0000000000000001 RBX: 0000000000000002 RCX: 3\n"], bytes)
    }),
    ("code", |bytes| {
        log(HEAD, &["Code: 00 11 <22> 33 44 55 66 77 88 99 aa bb cc dd ee ff\n"], bytes)
    }),
    ("marks", |bytes| {
        log(HEAD, &["<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<\n[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n"], bytes)
    }),
    ("one line", |bytes| log("BUG: ", &["f+0x1/0x2 "], bytes)),
    ("quotes", |bytes| log("", &["> > > > > > > > > > > > > > > > > > x\n"], bytes)),
    ("escapes", |bytes| log(HEAD, &["\u{1b}[0m f+0x1/0x2\u{1b}[1m\n"], bytes)),
    ("locks", |bytes| log(HEAD, &[" #0: ffff888001 (&a->b){+.+.}-{3:3}, at: f+0x1/0x2\n"], bytes)),
    ("chains of locks", |bytes| {
        let link = |n: u8| format!("-> #{n} (&a{n}->lock){{+.+.}}-{{3:3}}:\n       f{n}+0x1/0x2\n");
        let links: String = (0..MAX_LOCK_DEPTH).rev().map(link).collect();
        log("", &[CHAIN, &links], bytes)
    }),
    ("locks of all tasks", |bytes| {
        let task = |n: u32| {
            let lock = format!("ffff8880{n:08x} (&a->b){{+.+.}}-{{3:3}}, at: f+0x1/0x2");
            format!("1 lock held by task/{n}:\n #0: {lock}\n")
        };
        let tasks: String = (1..=4000).map(task).collect();
        log(HUNG, &[&tasks], bytes)
    }),
    ("executors", |bytes| log("", &["CPU: 1 PID: 7 Comm: syz.1.2 Not tainted\n", HEAD], bytes)),
    ("consequences", |bytes| {
        log(HEAD, &["Kernel panic - not syncing: x\n", "general protection fault: 0000\n"], bytes)
    }),
    ("modules", |bytes| log(&format!("{HEAD}Modules linked in: "), &["a_module(O) "], bytes)),
    ("bytes", |bytes| log(HEAD, &["\u{9b}31m\u{202e} \0\x07 f+0x1/0x2\n"], bytes)),
    ("prefixes", |bytes| {
        let prefix = "[x: 1] (y) ".repeat(90);
        let lines = [format!("{prefix}BUG: x\n"), format!("{prefix} f+0x1/0x2\n{prefix}\n")];
        log("", &lines.each_ref().map(String::as_str), bytes)
    }),
    ("strings", |bytes| {
        let strings = "\"a\",".repeat(200);
        let lines = [format!("{strings}\"BUG: x\"\n"), format!("{strings}\"\\\"\n{{\"\n")];
        log("", &lines.each_ref().map(String::as_str), bytes)
    }),
    ("anchors", |bytes| log("", &["BUG ARNING INFO panic error fault trap\n"], bytes)),
];

fn whole(log: &[u8]) -> usize {
    ksplat::reports(log).count()
}

fn pieces(log: &[u8]) -> usize {
    let is_report = |event: &Event| matches!(event, Event::Finished(_));
    let mut monitor = Monitor::new();
    let chunks = log.chunks(4096).map(|chunk| monitor.push(chunk).filter(is_report).count());
    let count: usize = chunks.sum();
    count + monitor.finish().filter(is_report).count()
}

/// One run of each at a given size.
fn once(megabytes: usize) {
    for (name, worst) in WORST {
        for bytes in [1 << 20, megabytes << 20] {
            let log = worst(bytes);
            for (how, read) in [("whole", whole as fn(&[u8]) -> usize), ("monitor", pieces)] {
                let begin = Instant::now();
                let count = black_box(read(&log));
                let time = begin.elapsed().as_secs_f64() * 1e9 / log.len() as f64;
                println!("{name}, {how}, {} MB: {count} reports, {time:.1} ns a byte", bytes >> 20);
            }
        }
    }
}

fn hostile(c: &mut Criterion) {
    if let Some(megabytes) =
        std::env::var("KSPLAT_MEGABYTES").ok().and_then(|text| text.parse().ok())
    {
        return once(megabytes);
    }
    let mut group = c.benchmark_group("hostile");
    group.sample_size(10);
    for (name, worst) in WORST {
        for megabytes in [1, 2, 4] {
            let log = worst(megabytes << 20);
            assert_eq!(whole(&log), pieces(&log), "{name}");
            group.throughput(Throughput::Bytes(log.len() as u64));
            group.bench_with_input(BenchmarkId::new(*name, megabytes), &log, |b, log| {
                b.iter(|| black_box(whole(log)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, hostile);
criterion_main!(benches);
