//! The loop of a fuzzer's manager: consoles of machines arrive in pieces, and each new bug is filed
//! once.
//!
//! `cargo run --example manager -- tests/duplicates/*.log` simulates that with logs in place of
//! consoles.

#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};
use std::{env, fs, io};

use ksplat::cluster::{Index, Observation};
use ksplat::fingerprint::Signature;
use ksplat::{Analyzer, Event, Parser, Report};

/// The known bugs of all machines.
#[derive(Default)]
struct Bugs {
    known: Index,
}

impl Bugs {
    /// Files a report, if its bug is unknown. Its explanation is a part of its signature.
    fn file(&mut self, machine: &str, report: &mut Report<'_>) {
        Analyzer::new().annotate(report);
        let signature = Signature::of(report);
        // An incomplete report is filed with its bug, but not as a new bug.
        let is_new = self.known.same(&signature).is_none() && report.is_usable();
        self.known.add(&signature, Observation::default());
        let what = if is_new { "new bug" } else { "seen" };
        println!("{machine}: {what}: {}", report.title());
    }
}

fn main() -> io::Result<()> {
    let mut bugs = Bugs::default();
    let clock = Instant::now();
    for machine in env::args().skip(1) {
        let console = fs::read(&machine)?;
        let mut monitor = Parser::new().with_quiet(Duration::from_secs(10)).monitor();
        // A manager reads the available text, and checks the clock in between.
        for piece in console.chunks(512) {
            for event in monitor.push(piece) {
                handle(event, &machine, &mut bugs);
            }
            for event in monitor.tick(clock.elapsed()) {
                handle(event, &machine, &mut bugs);
            }
        }
        // The machine has stopped.
        for event in monitor.finish() {
            handle(event, &machine, &mut bugs);
        }
    }
    Ok(())
}

fn handle(event: Event, machine: &str, bugs: &mut Bugs) {
    match event {
        // Time to stop the reproducer and to wait for the end of the console.
        Event::Started(started) => println!("{machine}: line {}: {}", started.line, started.title),
        // A report that continued behind a pause is filed again, with all of its lines.
        Event::Finished(mut report) | Event::Revised(mut report) => bugs.file(machine, &mut report),
        _ => {}
    }
}
