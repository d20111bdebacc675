//! A log in pieces has the same reports as the whole log.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "common/corpus.rs"]
mod corpus;

use std::fs;
use std::path::Path;
use std::time::Duration;

use corpus::logs;
use ksplat::{Event, Monitor, Report, model::Corruption};
use proptest::prelude::*;

/// A report without the facts that depend on the whole log.
fn plain(report: Report<'_>) -> Report<'static> {
    let mut report = report.into_owned();
    report.panicked = false;
    report.suppressed = false;
    report
}

fn whole(log: &[u8]) -> Vec<Report<'static>> {
    ksplat::Parser::new().with_information(true).reports(log).map(plain).collect()
}

/// The reports of a monitor for a log cut at these offsets, and the `Started` events before them.
fn pieces(log: &[u8], cuts: impl IntoIterator<Item = usize>) -> (Vec<Report<'static>>, Vec<usize>) {
    let mut monitor = ksplat::Parser::new().with_information(true).monitor();
    let (mut reports, mut begins) = (Vec::new(), Vec::new());
    let mut take = |event: Event| match event {
        Event::Finished(report) => reports.push(plain(*report)),
        Event::Started(started) => begins.push(started.offset),
        other => panic!("{other:?}"),
    };
    let mut from = 0;
    for cut in cuts {
        monitor.push(&log[from..cut]).for_each(&mut take);
        from = cut;
    }
    monitor.push(&log[from..]).for_each(&mut take);
    monitor.finish().for_each(&mut take);
    (reports, begins)
}

#[track_caller]
fn same(name: &str, log: &[u8], cuts: impl IntoIterator<Item = usize>) {
    let (mut expected, (mut found, begins)) = (whole(log), pieces(log, cuts));
    for (a, b) in expected.iter_mut().zip(&mut found) {
        let is_lost = |report: &Report<'_>| report.corrupted == Some(Corruption::ConsoleLost);
        if is_lost(a) || is_lost(b) {
            (a.corrupted, b.corrupted) = (None, None);
        }
    }
    let titles = |reports: &[Report<'_>]| {
        reports.iter().map(|report| (report.span, report.title().to_owned())).collect::<Vec<_>>()
    };
    let (left, right) = (titles(&found), titles(&expected));
    if let Some((a, b)) = left.iter().zip(&right).find(|(a, b)| a != b) {
        panic!("{name}: {a:?}, not {b:?}");
    }
    assert_eq!(left.len(), right.len(), "{name}");
    // A headline that is repeated below makes an event of its own.
    let starts: Vec<_> = found.iter().map(|report| report.span.start).collect();
    let (mut own, echoes): (Vec<_>, Vec<_>) =
        begins.into_iter().partition(|at| starts.contains(at));
    // The event of a headline that may be a quotation comes with its report.
    own.sort_unstable();
    assert_eq!(own, starts, "{name}");
    let is_above = |at: &usize| starts.iter().any(|start| at < start);
    assert!(echoes.iter().all(is_above), "{name}: {echoes:?}");
    assert_eq!(found, expected, "{name}");
}

#[test]
fn the_corpus_in_pieces_is_the_corpus() {
    for (path, log) in logs() {
        let name = path.to_str().unwrap();
        same(name, &log, []);
        same(name, &log, 0..log.len().min(4000));
        same(name, &log, (0..log.len()).step_by(61));
        let feeds = log.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1);
        same(name, &log, feeds);
    }
}

#[test]
fn all_logs_as_one_are_read_on() {
    let log: Vec<u8> =
        logs().into_iter().flat_map(|(_, log)| [log, b"\n".to_vec()].concat()).collect();
    same("all", &log, (0..log.len()).step_by(4096));
    same("all", &log, (0..log.len()).step_by(100_003));
}

#[test]
#[ignore = "reads ../shared: cargo test --test monitor -- --ignored"]
fn logs_of_machines_in_pieces_are_the_logs() {
    let folders = ["farm", "wild", "cases", "seeds"].map(|name| Path::new("../shared").join(name));
    for path in folders.iter().flat_map(|folder| corpus::files(folder)) {
        let log = fs::read(&path).unwrap();
        same(path.to_str().unwrap(), &log, (0..log.len()).step_by(997));
    }
}

proptest! {
    #[test]
    fn any_cuts_give_the_same(number in 0..10_000_usize, mut cuts in prop::collection::vec(0.0..1.0_f64, 0..20)) {
        let logs = logs();
        let (_, log) = &logs[number % logs.len()];
        cuts.sort_by(f64::total_cmp);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let cuts: Vec<_> = cuts.iter().map(|cut| (cut * log.len() as f64) as usize).collect();
        same("any", log, cuts);
    }
}

#[test]
fn a_line_without_end_is_cut_as_in_a_whole_log() {
    let long = vec![b'a'; 200_000];
    let logs: [&[&[u8]]; 4] = [
        &[&long, b"\nBUG: KASAN: x in f+0x1/0x2\n"],
        &[b"kernel BUG at fs/a.c:1!", &long, b"\n[ 1.0] x\nkernel BUG at fs/b.c:1!\n"],
        &[b"kernel BUG at fs/a.c:1!\n", &long, b"\nRIP: 0010:f+0x1/0x2\n", &long, b"\n"],
        &[&long],
    ];
    let bug = b"\nkernel BUG at fs/c.c:1!\n".as_slice();
    let more: [&[&[u8]]; 3] = [
        &[&long, bug, &long, bug],
        &[&long, b"\n", &long, bug, &long, b"\nx\n", &long],
        &[bug, &long, &long, b"\n", &long, bug, bug],
    ];
    for log in logs.into_iter().chain(more) {
        let log = log.concat();
        same("long", &log, (0..log.len()).step_by(7));
        same("long", &log, (0..log.len()).step_by(1000));
        same("long", &log, (0..log.len()).step_by(65_537));
        same("long", &log, []);
    }
}

#[test]
fn lines_around_a_report_are_equal_in_a_monitor() {
    let long = "a".repeat(70_000);
    let caller = |text: &str| format!("[    1.0][   T11] {text}\n");
    let registers = caller("RAX: 0000000000000000 RBX: 0000000000000001 RCX: 0000000000000002");
    let logs = [
        // More lines than the limit; a line below them has the function.
        caller("BUG: unable to handle kernel paging request at ffff888001286000")
            + &registers.repeat(4_100)
            + &caller("RIP: 0010:func+0x1/0x2")
            + &caller("Call Trace:")
            + &caller(" one+0x1/0x2").repeat(4),
        // A message that starts too far above.
        format!(
            "x usercopy: Kernel memory exposure attempt {long}\nkernel BUG at mm/usercopy.c:1!\n"
        ),
        format!("y\n{0}\n{0}\nkernel BUG at mm/usercopy.c:1!\n", "a".repeat(40_000)),
        // A repeated headline, announced by a line that is too long.
        format!(
            "BUG: KASAN: sl\n** replaying previous printk message **{long}\nBUG: KASAN: slab x in g+0x1/0x2\nx\n"
        ),
        format!("ci starts bisection BUG: x\n{long}\nkernel BUG at a.c:1!\n{}", "x\n".repeat(70)),
        "crash: ci starts bisection x\nbisecting cause commit starting from 1b649e0bcae71c11\n\
         BUG: KASAN: x in f+0x1/0x2\n"
            .to_owned(),
    ];
    for log in logs {
        let log = log.as_bytes();
        same("around", log, []);
        same("around", log, (0..log.len()).step_by(11));
        same("around", log, (0..log.len()).step_by(4096));
    }
}

#[test]
fn only_the_console_of_a_bisection_is_read() {
    let log = include_bytes!("bisections/003_36161d8f652fb016.txt");
    assert_eq!(whole(log).len(), 1);
    same("bisection", log, (0..log.len()).step_by(100));
    let manager = [b"ci starts bisection 2022-11-03\n".as_slice(), log].concat();
    same("bisection", &manager, (0..log.len()).step_by(10));
}

#[test]
fn silence_completes_a_report() {
    let parser = ksplat::Parser::new().with_quiet(Duration::from_secs(5));
    let mut monitor = parser.with_pause(Duration::MAX).monitor();
    let second = Duration::from_secs;
    let log = b"kernel BUG at fs/a.c:1!\nRIP: 0010:f+0x1/0x2\nhalf a li";
    assert_eq!(monitor.push(log).count(), 1);
    assert_eq!(monitor.tick(second(100)).count(), 0);
    assert_eq!(monitor.tick(second(104)).count(), 0);
    let reports: Vec<_> = monitor.tick(second(105)).collect();
    let [Event::Finished(report)] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!(report.title(), "kernel BUG in f");
    assert_eq!(monitor.tick(second(200)).count(), 0);
    // The clock starts at the first call with new bytes.
    assert_eq!(monitor.push(b"ne\nkernel BUG at fs/b.c:2!\nx\n").count(), 1);
    assert_eq!(monitor.tick(second(300)).count(), 0);
    assert_eq!(monitor.push(b"RIP: 0010:g+0x1/0x2\n").count(), 0);
    assert_eq!(monitor.tick(second(305)).count(), 0);
    let reports: Vec<_> = monitor.tick(second(310)).collect();
    let [Event::Finished(report)] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!((report.title(), report.span.line), ("kernel BUG in g", 4));
    assert_eq!(monitor.finish().count(), 0);
}

/// The events of a monitor, in a word each with the title.
fn words(events: impl Iterator<Item = Event>) -> Vec<String> {
    let word = |event| match event {
        Event::Finished(report) => Some(format!("finished {}", report.title())),
        Event::Revised(report) => {
            Some(format!("revised {}, {} frames", report.title(), frames(&report)))
        }
        _ => None,
    };
    events.filter_map(word).collect()
}

fn frames(report: &Report<'_>) -> usize {
    report.stacks.iter().map(|stack| stack.frames.len()).sum()
}

const NONE: [&str; 0] = [];

#[test]
fn a_report_is_returned_when_it_pauses_and_again_if_it_continues() {
    let mut monitor = Monitor::new();
    let tenth = |tenths: u64| Duration::from_millis(tenths * 100);
    let push = |monitor: &mut Monitor, text: &str| words(monitor.push(text.as_bytes()));
    assert_eq!(push(&mut monitor, "kernel BUG at fs/a.c:1!\nRIP: 0010:f+0x1/0x2\n"), NONE);
    assert_eq!(words(monitor.tick(tenth(0))), NONE);
    assert_eq!(words(monitor.tick(tenth(9))), NONE);
    assert_eq!(words(monitor.tick(tenth(10))), ["finished kernel BUG in f"]);
    assert_eq!(words(monitor.tick(tenth(30))), NONE);
    // The lines below it, in two parts.
    assert_eq!(push(&mut monitor, "Call Trace:\n g+0x1/0x2\n"), NONE);
    assert_eq!(words(monitor.tick(tenth(35))), NONE);
    assert_eq!(words(monitor.tick(tenth(45))), ["revised kernel BUG in f, 2 frames"]);
    assert_eq!(push(&mut monitor, " h+0x1/0x2\n"), NONE);
    assert_eq!(words(monitor.tick(tenth(46))), NONE);
    assert_eq!(words(monitor.finish()), ["revised kernel BUG in f, 3 frames"]);
    // Lines of other reports do not belong to it.
    let log = "[ 1.0][   T1] kernel BUG at fs/a.c:1!\n[ 1.0][   T1] RIP: 0010:f+0x1/0x2\n";
    assert_eq!(push(&mut monitor, log), NONE);
    let mut found = Vec::new();
    for at in 100..112 {
        found.extend(push(&mut monitor, "[ 1.0][   T2] usb 1-1: new device\n"));
        found.extend(words(monitor.tick(tenth(at))).into_iter().map(|word| format!("{at} {word}")));
    }
    assert_eq!(found, ["110 finished kernel BUG in f"]);
    // Returned reports are not returned again.
    assert_eq!(words(monitor.finish()), NONE);
}

#[test]
fn a_kernel_that_halts_ends_its_reports() {
    let tick = |monitor: &mut Monitor| words(monitor.tick(Duration::ZERO));
    let panic = "Kernel panic - not syncing: x\nCPU: 0 PID: 1 Comm: a Not tainted 6.1.0 #1\nCall Trace:\n f+0x1/0x2\n";
    for last in [
        "---[ end Kernel panic - not syncing: x ]---",
        "Rebooting in 1 seconds..",
        "Entering kdb (x)",
    ] {
        let mut monitor = Monitor::new();
        monitor.push(panic.as_bytes()).for_each(drop);
        assert_eq!(tick(&mut monitor), NONE);
        monitor.push(format!("{last}\n").as_bytes()).for_each(drop);
        assert_eq!(tick(&mut monitor), ["finished kernel panic: x"], "{last}");
        assert_eq!(tick(&mut monitor), NONE);
    }
}

#[test]
fn lines_of_something_else_end_a_report_with_an_end() {
    let tick = |monitor: &mut Monitor| words(monitor.tick(Duration::ZERO));
    let bug = "[ 1.0][   T1] kernel BUG at fs/a.c:1!\n[ 1.0][   T1] RIP: 0010:f+0x1/0x2\n";
    let end = "[ 1.0][   T1] ---[ end trace 0 ]---\n[ 1.0][   T1] RIP: 0010:f+0x1/0x2\n";
    // A line waits for the next one, which may continue it.
    let others = ["[ 1.0][   T2] usb 1-1: new device\n", "root@syzkaller:~# \n"];
    let others = others.map(|line| line.repeat(2));
    for (end, other) in others.iter().flat_map(|other| [(end, other), ("", other)]) {
        let mut monitor = Monitor::new();
        monitor.push(bug.as_bytes()).for_each(drop);
        monitor.push(end.as_bytes()).for_each(drop);
        assert_eq!(tick(&mut monitor), NONE, "{other}");
        monitor.push(other.as_bytes()).for_each(drop);
        let expected = if end.is_empty() { vec![] } else { vec!["finished kernel BUG in f"] };
        assert_eq!(tick(&mut monitor), expected, "{other}");
        assert_eq!(tick(&mut monitor), NONE, "{other}");
    }
}

#[test]
fn asking_for_pauses_changes_no_report() {
    for (path, log) in logs() {
        let mut monitor = ksplat::Parser::new().with_information(true).monitor();
        let mut reports = std::collections::BTreeMap::new();
        let mut take = |event| match event {
            Event::Finished(report) => {
                let before = reports.insert(report.span.start, plain(*report));
                assert!(before.is_none(), "{}: twice", path.display());
            }
            Event::Revised(report) => {
                let before = reports.insert(report.span.start, plain(*report));
                assert!(before.is_some(), "{}: not given", path.display());
            }
            _ => {}
        };
        // Less than the time of silence that completes a report.
        for (piece, seconds) in log.chunks(200).zip(0..) {
            monitor.push(piece).for_each(&mut take);
            monitor.tick(Duration::from_secs(2 * seconds)).for_each(&mut take);
            monitor.tick(Duration::from_secs(2 * seconds + 1)).for_each(&mut take);
        }
        monitor.finish().for_each(&mut take);
        let mut expected = whole(&log);
        for report in reports.values_mut().chain(&mut expected) {
            report.corrupted = report.corrupted.filter(|why| *why != Corruption::ConsoleLost);
        }
        assert_eq!(reports.into_values().collect::<Vec<_>>(), expected, "{}", path.display());
    }
}

#[test]
fn a_headline_that_may_be_printed_again_waits_for_the_next_line() {
    let mut monitor = Monitor::new();
    assert_eq!(monitor.push(b"BUG: KASAN: sl\n").count(), 0);
    let again = b"** replaying previous printk message **\nBUG: KASAN: slab-out-of-bounds in f+0x1/0x2\nx\n";
    let events: Vec<_> = monitor.push(again).collect();
    assert!(matches!(&events[..], [Event::Started(started)] if started.offset == 55), "{events:?}");
}
