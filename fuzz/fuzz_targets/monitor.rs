//! Any log in pieces: a monitor returns the reports of the whole log, in the same order.
#![no_main]

use ksplat::{Event, Report};
use libfuzzer_sys::fuzz_target;

/// The sizes of pieces; the first byte of the log selects the first one.
const SIZES: [usize; 7] = [1, 80, 7, 4096, 64, 3, 1000];

fn plain(report: Report<'_>) -> Report<'static> {
    let mut report = report.into_owned();
    // Facts of the whole log: a report is incomplete if the console was lost.
    report.panicked = false;
    report.suppressed = false;
    report.corrupted = None;
    report
}

fuzz_target!(|log: &[u8]| {
    let whole: Vec<_> = ksplat::Parser::new().with_information(true).reports(log).map(plain).collect();
    let mut monitor = ksplat::Parser::new().with_information(true).monitor();
    let (mut reports, mut begins) = (Vec::new(), Vec::new());
    let mut take = |event: Event| match event {
        Event::Finished(report) => reports.push(plain(*report)),
        Event::Started(started) => begins.push(started.offset),
        _ => {}
    };
    let first = log.first().map_or(0, |b| usize::from(*b));
    let mut rest = log;
    for size in SIZES.iter().cycle().skip(first % SIZES.len()) {
        if rest.is_empty() {
            break;
        }
        let (piece, more) = rest.split_at(rest.len().min(*size));
        monitor.push(piece).for_each(&mut take);
        rest = more;
    }
    monitor.finish().for_each(&mut take);
    assert_eq!(reports, whole);
    // A headline that is repeated below causes an event, too.
    assert!(whole.iter().all(|report| begins.contains(&report.span.start)));
});
