//! Counts allocations: see `Allocations` in `README.md`.
//!
//! With `--test` two runs must have equal counts, below the limits.

use std::alloc::System;
use std::io::{self, Write as _};
use std::path::Path;

use ksplat::atlas::Atlas;
use ksplat::disasm::{self, Syntax};
use ksplat::fingerprint::Signature;
use ksplat::output::json::{self, ReportRecord};
use ksplat::{Report, reports, suspects};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[path = "common/logs.rs"]
mod logs;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A measurement.
#[derive(PartialEq)]
struct Row {
    name: String,
    /// The number of reports; 1 if the total is counted.
    of: usize,
    /// The number of allocations and reallocations.
    count: usize,
    /// The limit for each of them.
    limit: f64,
}

/// Counts the allocations of `work`. The caller drops the result.
fn count<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let region = Region::new(ALLOCATOR);
    let result = work();
    let change = region.change();
    (change.allocations + change.reallocations, result)
}

fn read(logs: &[Vec<u8>]) -> Vec<Report<'_>> {
    let mut all = Vec::with_capacity(4096);
    all.extend(logs.iter().flat_map(|log| reports(log)));
    all
}

fn decode(code: &mut ksplat::model::Code) {
    code.instructions = disasm::decode(code, Syntax::Att);
}

fn rank(reports: &mut [Report<'_>]) {
    for report in reports {
        suspects::annotate(report, Atlas::builtin());
    }
}

/// The stages, one after the other, over all logs.
fn stages(name: &str, logs: &[Vec<u8>], limits: [f64; 6]) -> Vec<Row> {
    let (reading, mut reports) = count(|| read(logs));
    let of = reports.len();
    let explainer = ksplat::Analyzer::new().without_instructions().without_suspects();
    let (decoding, ()) =
        count(|| reports.iter_mut().filter_map(|report| report.code.as_mut()).for_each(decode));
    let (explaining, ()) =
        count(|| reports.iter_mut().for_each(|report| explainer.annotate(report)));
    let (ranking, ()) = count(|| rank(&mut reports));
    let (signing, ()) = count(|| reports.iter().for_each(|report| drop(Signature::of(report))));
    let records: Vec<_> =
        reports.into_iter().map(|report| ReportRecord::new("-", 0, report)).collect();
    let mut out = Vec::with_capacity(64 << 20);
    let (writing, ()) = count(|| {
        for record in &records {
            json::write(&mut out, record).unwrap_or_default();
        }
    });
    let stages = ["read", "decode", "explain", "suspects", "sign", "JSON"];
    let counts = [reading, decoding, explaining, ranking, signing, writing];
    let rows = stages.into_iter().zip(counts).zip(limits);
    rows.map(|((stage, count), limit)| Row { name: format!("{name}: {stage}"), of, count, limit })
        .collect()
}

/// The limit for a log without a report, of any length.
const BENIGN: f64 = 0.0;

/// The limit for tables that are built once in a process: 27,600 are those of iced-x86.
const ONCE: f64 = 51_000.0;

/// The limits for a report of `corpus/`, for each stage: an eighth to a third above the
/// measurements of November 2026, of builds for tests and of optimized ones. A report is written from a buffer on the stack.
const CORPUS: [f64; 6] = [58.0, 18.0, 10.0, 19.0, 9.0, 0.0];

/// The limits for the title cases.
const TITLES: [f64; 6] = [60.0, 11.0, 4.0, 42.0, 10.0, 0.0];

fn rows() -> Vec<Row> {
    let corpus = logs::corpus(Path::new("corpus"));
    let titles = logs::cases(Path::new(logs::TITLES));
    let mut rows = Vec::new();
    for megabytes in [1, 8] {
        let log = logs::benign(megabytes << 20);
        let (count, reports) = count(|| reports(&log).count());
        assert_eq!(reports, 0, "the log is not benign");
        let name = format!("{megabytes} MiB without a report");
        rows.push(Row { name, of: 1, count, limit: BENIGN });
    }
    rows.extend(stages("corpus", &corpus, CORPUS));
    if !titles.is_empty() {
        rows.extend(stages("cases of titles", &titles, TITLES));
    }
    rows
}

fn main() -> io::Result<()> {
    let is_test = std::env::args().any(|arg| arg == "--test");
    let first = [logs::FIRST.to_vec()];
    let (cold, warm) = [0; 2].map(|_| count(|| stages("", &first, [0.0; 6])).0).into();
    let once = Row { name: "tables, once".to_owned(), of: 1, count: cold - warm, limit: ONCE };
    // The first run also makes tables of other architectures.
    rows();
    let mut table = rows();
    if is_test {
        assert!(table == rows(), "another count for the same logs");
    }
    table.insert(0, once);
    let mut out = io::stdout().lock();
    writeln!(out, "{:24} {:>7} {:>7} {:>9}", "", "reports", "count", "each")?;
    for Row { name, of, count, limit } in &table {
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let each = *count as f64 / *of as f64;
        writeln!(out, "{name:24} {of:7} {count:7} {each:9.1}")?;
        assert!(!is_test || each <= *limit, "{name}: at most {limit}");
    }
    Ok(())
}
