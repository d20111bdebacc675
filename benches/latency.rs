//! The time from the last line of a report to the event that has it, for logs replayed at the speed of a serial console.
//!
//! The clock is simulated, so the figures are the same on every machine. `KSPLAT_LOGS=DIR` replays the logs of another
//! directory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::time::Duration;

use ksplat::{Event, Parser, Report};

#[path = "common/logs.rs"]
mod logs;

/// The bytes that a serial console of 115,200 baud prints in a second.
const SPEED: u64 = 11_520;

/// The interval in milliseconds at which `ksplat watch` checks the clock.
const TICK: u64 = 100;

/// The time in milliseconds after the last byte: more than a report waits for.
const SILENCE: u64 = 12_000;

/// A report as it was returned last, and the times of its returns in milliseconds.
struct Given {
    report: Report<'static>,
    times: Vec<u64>,
}

/// The reports of a log that is printed at the speed of a console, by the offset of their first line.
fn replayed(parser: Parser, log: &[u8]) -> BTreeMap<usize, Given> {
    let mut monitor = parser.monitor();
    let mut found: BTreeMap<usize, Given> = BTreeMap::new();
    let (mut printed, mut now) = (0, 0);
    let end = log.len() as u64 * 1000 / SPEED + SILENCE;
    while now < end {
        now += TICK;
        let next = usize::try_from(now * SPEED / 1000).unwrap().min(log.len());
        let mut take = |event| {
            if let Event::Finished(report) | Event::Revised(report) = event {
                let start = report.span.start;
                let given = found
                    .entry(start)
                    .or_insert_with(|| Given { report: (*report).clone(), times: vec![] });
                given.report = *report;
                given.times.push(now);
            }
        };
        monitor.push(log.get(printed..next).unwrap_or_default()).for_each(&mut take);
        monitor.tick(Duration::from_millis(now)).for_each(&mut take);
        printed = next;
    }
    assert_eq!(monitor.finish().count(), 0, "silence completes all reports");
    found
}

fn main() {
    let folder = env::var_os("KSPLAT_LOGS").map_or_else(|| PathBuf::from("corpus"), PathBuf::from);
    let parser = Parser::new();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for log in logs::corpus(&folder) {
        let found = replayed(parser, &log);
        let spans: Vec<_> =
            parser.reports(&log).map(|report| (report.span, report.title().to_owned())).collect();
        let given: Vec<_> = found
            .values()
            .map(|given| (given.report.span, given.report.title().to_owned()))
            .collect();
        assert_eq!(given, spans, "the reports of the whole log");
        for Given { report, times } in found.values() {
            let printed = (report.span.end as u64 * 1000).div_ceil(SPEED);
            first.extend(times.first().map(|time| time.saturating_sub(printed)));
            last.extend(times.last().map(|time| time - printed));
        }
    }
    for (what, times) in [("first", &mut first), ("complete", &mut last)] {
        times.sort_unstable();
        let at = |share: usize| {
            times.get(times.len() * share / 100).or(times.last()).copied().unwrap_or_default()
        };
        println!(
            "{what}: {} reports, median {} ms, 90 % {} ms, worst {} ms after the last line",
            times.len(),
            at(50),
            at(90),
            at(100)
        );
    }
}
