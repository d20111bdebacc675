//! Instructions of each stage on the title cases: see `Budget` in `README.md`.
//!
//! Each stage is a separate function that runs once over all of them, so that a profiler can
//! attribute instructions to it. Tables that a process builds once are built before, by `once`.

use std::hint::black_box;
use std::io::{self, Write as _};
use std::path::Path;

use ksplat::atlas::Atlas;
use ksplat::disasm::{self, Syntax};
use ksplat::fingerprint::Signature;
use ksplat::output::json::{self, ReportRecord};
use ksplat::{Report, reports, suspects};

#[path = "common/logs.rs"]
mod logs;

#[inline(never)]
fn stage_once() -> io::Result<()> {
    let mut reports: Vec<_> = reports(logs::FIRST).collect();
    decode(&mut reports);
    explain(&mut reports);
    sign(&reports);
    let records =
        reports.into_iter().map(|report| ReportRecord::new("-", 0, report)).collect::<Vec<_>>();
    write(&mut Vec::new(), &records)
}

#[inline(never)]
fn stage_read(logs: &[Vec<u8>]) -> Vec<Report<'_>> {
    logs.iter().flat_map(|log| reports(black_box(log))).collect()
}

#[inline(never)]
fn stage_decode(reports: &mut [Report<'_>]) {
    decode(reports);
}

fn decode(reports: &mut [Report<'_>]) {
    for report in reports {
        if let Some(code) = &mut black_box(&mut *report).code {
            code.instructions = disasm::decode(code, Syntax::Att);
        }
    }
}

#[inline(never)]
fn stage_explain(reports: &mut [Report<'_>]) {
    explain(reports);
}

fn explain(reports: &mut [Report<'_>]) {
    let analyzer = ksplat::Analyzer::new().without_instructions().without_suspects();
    for report in reports {
        analyzer.annotate(black_box(report));
    }
}

#[inline(never)]
fn stage_suspects(reports: &mut [Report<'_>]) {
    for report in reports {
        suspects::annotate(black_box(report), Atlas::builtin());
    }
}

#[inline(never)]
fn stage_sign(reports: &[Report<'_>]) {
    sign(reports);
}

fn sign(reports: &[Report<'_>]) {
    for report in reports {
        black_box(Signature::of(black_box(report)));
    }
}

#[inline(never)]
fn stage_json(out: &mut Vec<u8>, records: &[ReportRecord<'_>]) -> io::Result<()> {
    write(out, records)
}

fn write(out: &mut Vec<u8>, records: &[ReportRecord<'_>]) -> io::Result<()> {
    for record in records {
        json::write(out, black_box(record))?;
        out.push(b'\n');
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let logs = logs::cases(Path::new(logs::TITLES));
    stage_once()?;
    let mut reports = stage_read(&logs);
    stage_decode(&mut reports);
    stage_sign(&reports);
    let record = |(index, report)| ReportRecord::new("-", index, report);
    let records: Vec<_> = reports.iter().cloned().enumerate().map(record).collect();
    let mut out = Vec::with_capacity(8 << 20);
    stage_json(&mut out, &records)?;
    stage_explain(&mut reports);
    stage_suspects(&mut reports);
    let bytes: usize = logs.iter().map(Vec::len).sum();
    let (logs, reports, json) = (logs.len(), reports.len(), out.len());
    writeln!(io::stdout(), "{logs} logs, {bytes} bytes, {reports} reports, {json} bytes of JSON")
}
