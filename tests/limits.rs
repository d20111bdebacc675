//! A report records the limits that cut it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ksplat::{Event, Limits, Parser, Report, model::DiagnosticKind};

const FIRST: &str = "BUG: KASAN: use-after-free in f+0x1/0x2";
const TOO_MANY: &str = "report: too many open reports: it may be incomplete";
const SECOND: &str = "Read of size 4 at addr ffff888001286000 by task a/1";

/// The reports of a log, which must be the same from a monitor.
fn reports(log: &str, limits: Limits) -> Vec<Report<'static>> {
    let whole = Parser::new().with_limits(limits).reports(log.as_bytes());
    let whole: Vec<_> = whole.map(Report::into_owned).collect();
    let mut monitor = Parser::new().with_limits(limits).monitor();
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

/// Returns the reasons why a report is incomplete, and its diagnostics.
fn findings(report: &Report<'_>) -> Vec<String> {
    let limits = [DiagnosticKind::TooMany, DiagnosticKind::TooLong, DiagnosticKind::TooManyOpen];
    let left_out = report.diagnostics.iter().filter(|diagnostic| limits.contains(&diagnostic.kind));
    let corrupted = report.corrupted.iter().map(ToString::to_string);
    corrupted
        .chain(left_out.map(|diagnostic| format!("{}: {}", diagnostic.part, diagnostic.kind)))
        .collect()
}

#[test]
fn each_limit_is_reported() {
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
        assert_eq!(findings(&reports[0]), Vec::from_iter(expected), "{end}");
    }
}

#[test]
fn more_bytes_of_code_than_the_limit_are_reported() {
    let log = format!(
        "BUG: kernel NULL pointer dereference\nRIP: 0010:f+0x1/0x2\nCode:{}\n",
        " 90".repeat(257)
    );
    let report = reports(&log, Limits::default()).remove(0);
    assert_eq!(report.code.unwrap().bytes.len(), 256);
    let expected = format!("byte {}: code bytes: more bytes than any kernel prints", log.len() - 3);
    assert_eq!(report.diagnostics[0].to_string(), expected);
}

/// Interleaved reports of `count` tasks: first all headlines, then all traces.
fn tasks(count: usize) -> String {
    let each = |text: &str| (0..count).map(|task| of_task(task, text)).collect::<String>();
    let lines =
        [FIRST, SECOND, "Call Trace:", " a+0x1/0x2", " b+0x1/0x2", " c+0x1/0x2", " d+0x1/0x2"];
    lines.map(each).concat()
}

#[test]
fn one_report_too_many_ends_the_oldest() {
    let of = |limits| {
        let reports = reports(&tasks(17), limits);
        assert!(reports.iter().all(|report| report.corrupted.is_none()));
        let ended: Vec<_> = reports.iter().filter(|report| !findings(report).is_empty()).collect();
        assert!(ended.iter().all(|report| findings(report) == [TOO_MANY]));
        // The ended ones have only the frames of the headline.
        assert!(ended.iter().all(|report| report.stacks[0].frames.len() == 1));
        ended.iter().map(|report| report.span.line).collect::<Vec<_>>()
    };
    assert_eq!(of(Limits::default()), [1]);
    assert!(of(Limits::default().with_open(17)).is_empty());
    assert_eq!(of(Limits::default().with_open(0)), (1..17).collect::<Vec<_>>());
}

fn of_task(task: usize, text: &str) -> String {
    format!("[    1.000000][{:>6}] {text}\n", format!("T{task}"))
}

/// The lines of a complete report of a task.
fn whole(task: usize) -> [String; 8] {
    let end = "---[ end trace 0000000000000000 ]---";
    let trace = [" a+0x1/0x2", " b+0x1/0x2", " c+0x1/0x2", " d+0x1/0x2"];
    let [a, b, c, d] = trace;
    [FIRST, SECOND, "Call Trace:", a, b, c, d, end].map(|text| of_task(task, text))
}

#[test]
fn a_report_with_its_end_mark_is_complete() {
    let reports = reports(&(whole(99).concat() + &tasks(16)), Limits::default());
    assert_eq!(reports.len(), 17);
    assert!(reports.iter().all(|report| findings(report).is_empty()));
}

#[test]
fn reports_that_are_complete_are_not_open() {
    // One report continues while another task reports again and again.
    let (first, others) = (whole(1), (0..16).map(|_| whole(2).concat()).collect::<String>());
    let log = first[..4].concat() + &others + &first[4..].concat();
    for limits in [Limits::default(), Limits::default().with_open(16)] {
        let reports = reports(&log, limits);
        assert_eq!(reports.len(), 17);
        assert!(reports.iter().all(|report| findings(report).is_empty()));
        assert!(reports.iter().all(|report| report.stacks[0].frames.len() == 4));
    }
    // More reports than may wait.
    let log = first[..4].concat() + &others.repeat(2) + &first[4..].concat();
    assert!(findings(&reports(&log, Limits::default())[0]).contains(&TOO_MANY.to_owned()));
}

#[test]
fn a_limit_behind_the_last_own_line_is_not_reported() {
    let log = whole(1).concat() + &of_task(1, "usb 1-1: new device").repeat(60);
    let of = |lines| {
        let report = reports(&log, Limits::default().with_lines(lines)).remove(0);
        (findings(&report).len(), report.stacks[0].frames.len())
    };
    assert_eq!([of(20), of(8), of(7), of(6)], [(0, 4), (0, 4), (1, 4), (1, 3)]);
}

#[test]
fn frames_of_a_headline_count() {
    let headline = "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2";
    let log = format!("{headline} [inline]\n").repeat(3000) + headline + "\n";
    let report = reports(&log, Limits::default()).remove(0);
    assert_eq!(report.stacks[0].frames.len(), ksplat::MAX_FRAMES);
    assert!(findings(&report).contains(&"frames: too many: the rest was left out".to_owned()));
}

#[test]
fn lines_in_fragments_are_cut_where_one_is() {
    let fragment =
        |at: usize, text: &str| format!("6,1,1,-,caller=T1,ncfrag={at}/2000000;{text}\n");
    let head = format!("4,1,1,-,caller=T1;{FIRST}\n4,2,1,-,caller=T1;{SECOND}\n");
    let fragments = |count: usize, len: usize| {
        let text = "x".repeat(len);
        let rest: String = (1..count).map(|n| fragment(n * len, &text)).collect();
        head.clone() + &fragment(0, &format!("Modules linked in: {text}")) + &rest
    };
    let long = "line: too long: the rest was left out";
    let findings_of = |log: &str| findings(&reports(log, Limits::default())[0]);
    assert!(!findings_of(&fragments(6, 20_000)).contains(&long.to_owned()));
    assert!(findings_of(&fragments(2, 70_000)).contains(&long.to_owned()));
    assert!(!findings_of(&fragments(100, 1000)).contains(&long.to_owned()));
    assert!(findings_of(&fragments(200, 1000)).contains(&long.to_owned()));
}

#[test]
fn limits_are_chosen() {
    let log = format!("{FIRST}\n{SECOND}\nCall Trace:\n{}", " g+0x1/0x2\n".repeat(6000));
    let frames = |limits| {
        let report = reports(&log, limits).remove(0);
        (
            report.stacks.iter().map(|stack| stack.frames.len()).sum::<usize>(),
            findings(&report).len(),
        )
    };
    let limits = Limits::default();
    assert_eq!(frames(limits), (1024, 2));
    assert_eq!(frames(limits.with_frames(8)), (8, 2));
    assert_eq!(frames(limits.with_frames(0)), (1, 2));
    assert_eq!(frames(limits.with_lines(12)), (9, 1));
    assert_eq!(frames(limits.with_lines(10_000)), (1024, 1));
    assert_eq!(frames(limits.with_lines(10_000).with_frames(10_000)), (6000, 0));
}
