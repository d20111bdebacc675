//! Mutated logs: a monitor returns the reports of the whole log, and one is found from the start of the first.
//!
//! `KSPLAT_MUTANTS=1000000 cargo test --release --test mutants` makes more of them, `KSPLAT_SEED=N`
//! others. A difference is written to a file, and reduced to few lines.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr
)]

#[path = "common/corpus.rs"]
mod corpus;

use std::env;
use std::fs;

use ksplat::model::Corruption;
use ksplat::{Event, Limits, Parser, Report};

/// The number of mutants of an ordinary run, which takes some seconds.
const MUTANTS: u64 = 4_000;

/// Pseudo-random numbers: xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % limit.max(1)
    }

    /// A number below a power of two, small ones as often as large ones.
    fn power(&mut self, bits: usize) -> usize {
        let bits = self.below(bits);
        self.below(1 << bits)
    }
}

/// Changes lines of a log, with lines of another one.
fn mutate(random: &mut Random, log: &[u8], other: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> =
        log.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    let others: Vec<&[u8]> = other.split_inclusive(|b| *b == b'\n').collect();
    for _ in 0..=random.below(6) {
        let at = random.below(lines.len());
        let len = 1 + random.power(7);
        let end = lines.len().min(at + len);
        match random.below(10) {
            0 => drop(lines.drain(at..end)),
            1 => {
                let part = lines[at..end].to_vec();
                let to = random.below(lines.len());
                drop(lines.splice(to..to, part));
            }
            2 => {
                let to = random.below(lines.len());
                if at < lines.len() {
                    lines.swap(at, to);
                }
            }
            3 | 4 => {
                let from = random.below(others.len());
                let part = &others[from..others.len().min(from + len)];
                drop(lines.splice(at..at, part.iter().map(|line| line.to_vec())));
            }
            5 => {
                let line = lines.get(at).cloned().unwrap_or_default();
                let times = random.below(150);
                drop(lines.splice(at..at, vec![line; times]));
            }
            6 => {
                if let Some(line) = lines.get_mut(at) {
                    line.truncate(random.below(line.len()));
                }
            }
            7 => {
                if let Some(line) = lines.get_mut(at).filter(|line| !line.is_empty()) {
                    let byte = random.below(line.len());
                    line[byte] = b"\n \x1b[a0:\xff+]"[random.below(10)];
                }
            }
            8 => {
                // The lines of another task.
                for line in &mut lines[at..end] {
                    if let Some(caller) = line.windows(2).position(|pair| pair == b" T") {
                        line.insert(caller + 2, b'1');
                    }
                }
            }
            _ => lines.truncate(at),
        }
    }
    let mut log = lines.concat();
    if random.below(3) == 0 {
        log.truncate(log.len().saturating_sub(1 + random.below(40)));
    }
    log
}

/// A report without the facts that depend on the whole log.
fn plain(report: Report<'_>) -> Report<'static> {
    let mut report = report.into_owned();
    (report.panicked, report.suppressed) = (false, false);
    report.corrupted = report.corrupted.filter(|why| *why != Corruption::ConsoleLost);
    report
}

fn whole(parser: Parser, log: &[u8]) -> Vec<Report<'static>> {
    parser.reports(log).map(plain).collect()
}

fn pieces(parser: Parser, log: &[u8], size: usize) -> Vec<Report<'static>> {
    let mut monitor = parser.monitor();
    let mut reports = Vec::new();
    let mut take = |event| {
        if let Event::Finished(report) = event {
            reports.push(plain(*report));
        }
    };
    log.chunks(size).for_each(|piece| monitor.push(piece).for_each(&mut take));
    monitor.finish().for_each(&mut take);
    reports
}

/// Returns a description of a wrong result for a log.
fn wrong(parser: Parser, log: &[u8], size: usize) -> Option<String> {
    let (all, found) = (whole(parser, log), pieces(parser, log, size));
    if let Some((a, b)) = all.iter().zip(&found).find(|(a, b)| a != b) {
        let (a, b) = (format!("{a:#?}"), format!("{b:#?}"));
        let lines = a.lines().zip(b.lines()).find(|(a, b)| a != b);
        return Some(format!("whole and in pieces: {lines:?}"));
    }
    if all.len() != found.len() {
        return Some(format!("{} reports, and {} in pieces", all.len(), found.len()));
    }
    let first = all.first()?;
    // Quotations above may decide which headline begins the report. The empty line is needed
    // because the head of a bisection log is its first line.
    let again = [b"\n", &log[first.span.start..]].concat();
    whole(parser, &again)
        .is_empty()
        .then(|| format!("no report from the start of {}", first.title()))
}

/// Reduces a log with a wrong result to few lines.
fn cut(parser: Parser, log: &[u8], size: usize) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = log.split_inclusive(|b| *b == b'\n').collect();
    let mut len = lines.len() / 2;
    while len > 0 {
        let mut at = 0;
        while at < lines.len() {
            let end = lines.len().min(at + len);
            let rest = [&lines[..at], &lines[end..]].concat();
            if wrong(parser, &rest.concat(), size).is_some() {
                lines = rest;
            } else {
                at = end;
            }
        }
        len /= 2;
    }
    lines.concat()
}

#[test]
fn mutants_in_pieces_are_the_mutants() {
    let number = |name: &str| env::var(name).ok().and_then(|number| number.parse().ok());
    let (count, seed) =
        (number("KSPLAT_MUTANTS").unwrap_or(MUTANTS), number("KSPLAT_SEED").unwrap_or(1));
    let logs: Vec<_> = corpus::logs().into_iter().filter(|(_, log)| log.len() < 40_000).collect();
    let mut differences = 0;
    for mutant in 0..count {
        let mut random = Random(1 + seed * 1_000_003 + mutant * 7919);
        random.below(1);
        let (a, b) = (random.below(logs.len()), random.below(logs.len()));
        let log = mutate(&mut random, &logs[a].1, &logs[b].1);
        let small = Limits::default()
            .with_lines(1 + random.below(60))
            .with_frames(1 + random.below(40))
            .with_open(1 + random.below(4));
        let limits = if random.below(4) == 0 { small } else { Limits::default() };
        let parser = Parser::new().with_information(random.below(2) == 0).with_limits(limits);
        let size = 1 + random.power(13);
        if wrong(parser, &log, size).is_some() {
            differences += 1;
            let log = cut(parser, &log, size);
            let why = wrong(parser, &log, size).unwrap();
            let path = env::temp_dir().join(format!("ksplat-mutant-{seed}-{mutant}"));
            fs::write(&path, &log).unwrap();
            eprintln!("{}: pieces of {size}, {limits:?}: {why}", path.display());
        }
    }
    assert_eq!(differences, 0, "of {count} mutants");
}
