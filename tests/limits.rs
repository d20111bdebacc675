//! What is beyond a limit is left out, and the report says so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ksplat::{Event, Limits, Monitor, Report};

const FIRST: &str = "BUG: KASAN: use-after-free in f+0x1/0x2";
const SECOND: &str = "Read of size 4 at addr ffff888001286000 by task a/1";

/// The reports of a log, which a monitor gives as well.
fn reports(log: &str, limits: Limits) -> Vec<Report<'static>> {
    let whole = ksplat::reports(log.as_bytes()).with_limits(limits);
    let whole: Vec<_> = whole.map(Report::into_owned).collect();
    let mut monitor = Monitor::new().with_limits(limits);
    let mut pieces = Vec::new();
    let mut take = |event| {
        if let Event::Finished(report) = event {
            pieces.push(*report);
        }
    };
    log.as_bytes().chunks(1000).for_each(|chunk| monitor.push(chunk).for_each(&mut take));
    monitor.finish().for_each(&mut take);
    assert_eq!(pieces, whole);
    whole
}

/// What a report says of itself: why it is not whole, and what was left out.
fn said(report: &Report<'_>) -> Vec<String> {
    let left_out = report.diagnostics.iter().filter(|said| said.why.ends_with("left out"));
    let corrupted = report.corrupted.iter().map(ToString::to_string);
    corrupted.chain(left_out.map(|said| format!("{}: {}", said.what, said.why))).collect()
}

#[test]
fn each_limit_is_told() {
    let trace =
        format!("{FIRST}\n{SECOND}\nCall Trace:\n a+0x1/0x2\n b+0x1/0x2\n c+0x1/0x2\n d+0x1/0x2\n");
    let many = |line: &str, count| format!("{trace}{}", line.repeat(count));
    let lines = "too many lines: the rest was left out";
    for (log, expected) in [
        (many("RAX: 0000000000000001\n", 10), None),
        (many("RAX: 0000000000000001\n", 5000), Some(lines)),
        (many(&format!("Modules linked in: {}\n", "x".repeat(1000)), 400), Some(lines)),
        (many(" g+0x1/0x2\n", 1100), Some("frames: too many: the rest was left out")),
        (
            many("Allocated by task 1:\n g+0x1/0x2\n\n", 200),
            Some("stacks: too many: the rest was left out"),
        ),
        (
            many(" #0: ffff888001 (&a->b){+.+.}-{3:3}, at: f+0x1/0x2\n", 300),
            Some("locks: too many: the rest was left out"),
        ),
        (
            many(&format!("Modules linked in: {}\n", "a ".repeat(1025)), 1),
            Some("modules: too many: the rest was left out"),
        ),
        (
            many(&format!(">ffff888001286000:{}\n", " fa".repeat(16)), 17),
            Some("shadow: too many: the rest was left out"),
        ),
        (many("Code: zz\nRIP: 0010:\n", 40), Some("diagnostics: too many: the rest was left out")),
        (
            many(&format!("Modules linked in: {}\n", "a".repeat(70_000)), 1),
            Some("line: too long: the rest was left out"),
        ),
    ] {
        let reports = reports(&log, Limits::default());
        let end = &log[log.len() - 40..];
        assert_eq!(reports.len(), 1, "{end}");
        assert_eq!(said(&reports[0]), Vec::from_iter(expected), "{end}");
    }
}

#[test]
fn more_bytes_of_code_than_are_kept_are_told() {
    let log = format!(
        "BUG: kernel NULL pointer dereference\nRIP: 0010:f+0x1/0x2\nCode:{}\n",
        " 90".repeat(257)
    );
    let report = reports(&log, Limits::default()).remove(0);
    assert_eq!(report.code.unwrap().bytes.len(), 256);
    let told = format!("byte {}: code bytes: more bytes than any kernel prints", log.len() - 3);
    assert_eq!(report.diagnostics[0].to_string(), told);
}

/// Reports of so many tasks at the same time: first all headlines, then all traces.
fn tasks(count: usize) -> String {
    let line =
        |task: usize, text: &str| format!("[    1.000000][{:>6}] {text}\n", format!("T{task}"));
    let each = |text: &str| (0..count).map(|task| line(task, text)).collect::<String>();
    let lines =
        [FIRST, SECOND, "Call Trace:", " a+0x1/0x2", " b+0x1/0x2", " c+0x1/0x2", " d+0x1/0x2"];
    lines.map(each).concat()
}

#[test]
fn one_report_too_many_ends_the_oldest() {
    let why = "too many reports at the same time: it may go on";
    let of = |limits| {
        let reports = reports(&tasks(17), limits);
        reports.iter().map(|report| report.corrupted.as_deref() != Some(why)).collect::<Vec<_>>()
    };
    assert_eq!(reports(&tasks(17), Limits::default())[0].corrupted.as_deref(), Some(why));
    assert_eq!(of(Limits::default()), [[false].as_slice(), &[true; 16]].concat());
    assert_eq!(of(Limits::default().with_open(17)), [true; 17]);
    assert_eq!(of(Limits::default().with_open(0)), [[false; 16].as_slice(), &[true]].concat());
}

#[test]
fn a_report_that_said_that_it_ended_is_whole() {
    let line =
        |task: usize, text: &str| format!("[    1.000000][{:>6}] {text}\n", format!("T{task}"));
    let ended: String = [FIRST, SECOND, "Call Trace:", " a+0x1/0x2", " b+0x1/0x2", " c+0x1/0x2"]
        .iter()
        .chain(&["---[ end trace 0000000000000000 ]---"])
        .map(|text| line(99, text))
        .collect();
    let reports = reports(&(ended + &tasks(16)), Limits::default());
    assert_eq!(
        reports.iter().map(|report| report.corrupted.as_deref()).collect::<Vec<_>>(),
        [None; 17]
    );
}

#[test]
fn limits_are_chosen() {
    let log = format!("{FIRST}\n{SECOND}\nCall Trace:\n{}", " g+0x1/0x2\n".repeat(6000));
    let frames = |limits| {
        let report = reports(&log, limits).remove(0);
        (report.stacks.iter().map(|stack| stack.frames.len()).sum::<usize>(), said(&report).len())
    };
    let limits = Limits::default();
    assert_eq!(frames(limits), (1024, 2));
    assert_eq!(frames(limits.with_frames(8)), (8, 2));
    assert_eq!(frames(limits.with_frames(0)), (1, 2));
    assert_eq!(frames(limits.with_lines(12)), (9, 1));
    assert_eq!(frames(limits.with_lines(10_000)), (1024, 1));
    assert_eq!(frames(limits.with_lines(10_000).with_frames(10_000)), (6000, 0));
}
