//! Speed of parsing, decoding and titling reports.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ksplat::disasm::{self, Syntax};
use ksplat::output::json::{self, ReportRecord};

#[path = "common/logs.rs"]
mod logs;

/// Fills in the instructions.
fn decode(report: &mut ksplat::Report<'_>) {
    if let Some(code) = &mut report.code {
        code.instructions = disasm::decode(code, Syntax::Att);
    }
}

/// Titles and decoded code of all reports: the work for a user.
fn full(log: &[u8]) -> usize {
    ksplat::reports(log)
        .map(|mut report| {
            decode(&mut report);
            report.title().len()
        })
        .sum()
}

fn parse(c: &mut Criterion) {
    let seeds: Vec<_> = [
        "gpf/batadv-iv-ogm-queue-add",
        "gpf/batadv-iv-ogm-schedule-buff",
        "gpf/io-queue-sqe",
        "warning/io-ring-exit-work",
        "warning/io-wqe-wake-worker",
    ]
    .iter()
    .filter_map(|name| fs::read(format!("corpus/{name}.log")).ok())
    .collect();
    let titles: Vec<_> =
        seeds.iter().flat_map(|log| ksplat::reports(log)).map(|report| report.title).collect();
    assert_eq!(
        titles,
        [
            "general protection fault in batadv_iv_ogm_queue_add",
            "general protection fault in batadv_iv_ogm_schedule_buff",
            "general protection fault in __io_queue_sqe",
            "WARNING in io_ring_exit_work",
            "WARNING in io_wqe_wake_worker",
        ]
    );
    let corpus = logs::corpus(Path::new("corpus"));
    assert!(corpus.len() > 20, "run from the folder of Cargo.toml");

    let mut group = c.benchmark_group("parse");
    for (name, logs) in [("seeds", &seeds), ("corpus", &corpus)] {
        group.throughput(Throughput::Bytes(logs.iter().map(|log| log.len() as u64).sum()));
        group.bench_function(format!("{name}, titled and decoded"), |b| {
            b.iter(|| logs.iter().map(|log| full(black_box(log))).sum::<usize>());
        });
        group.bench_function(format!("{name}, titled only"), |b| {
            b.iter(|| {
                logs.iter()
                    .flat_map(|log| ksplat::reports(black_box(log)))
                    .map(|r| r.title.len())
                    .sum::<usize>()
            });
        });
    }
    let cases = logs::cases(Path::new(logs::TITLES));
    let with_report = cases.iter().filter(|log| ksplat::reports(log).next().is_some()).count();
    assert!(with_report * 10 >= cases.len() * 9, "{with_report} of {} have a report", cases.len());
    for (name, logs) in [("corpus", &corpus), ("cases of titles", &cases)] {
        group.throughput(Throughput::Bytes(logs.iter().map(|log| log.len() as u64).sum()));
        group.bench_function(format!("{name}, to JSON lines"), |b| {
            let mut out = Vec::new();
            b.iter(|| {
                out.clear();
                for log in logs {
                    for (index, mut report) in ksplat::reports(black_box(log)).enumerate() {
                        decode(&mut report);
                        json::write(&mut out, &ReportRecord::new("-", index, report))
                            .unwrap_or_default();
                    }
                }
                out.len()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
