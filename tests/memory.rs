//! The memory for the reports of a log, in addition to the log.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use ksplat::Monitor;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The limit in ARCHITECTURE.md.
const LIMIT: usize = 1 << 20;

/// The peak of memory for parsing the reports one by one.
fn peak(log: &[u8]) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    ksplat::reports(log).for_each(drop);
    MEMORY.peak_usage() - before
}

fn worst() -> Vec<(&'static str, String)> {
    let head = "BUG: KASAN: use-after-free in f+0x1/0x2\nCall Trace:\n";
    let many = |line: &str| format!("{head}{}", line.repeat(200_000));
    vec![
        ("frames", many(" function_with_a_name+0x1/0x2 [module] file/name.c:1\n")),
        ("headers", "BUG: KASAN: use-after-free in f+0x1/0x2\n".repeat(100_000)),
        ("stacks", many("Allocated by task 1:\n f+0x1/0x2\n")),
        ("modules", format!("{head}Modules linked in: {}\n", "a(O) ".repeat(200_000))),
        ("escapes", many(&format!(" f+0x1/0x2 \u{1b}[0m{}\n", "x".repeat(1000)))),
        ("shadow", many(&format!(">ffff888001286000:{}\n", " fa".repeat(16)))),
        ("complaints", many("RIP: 0010:\nCode: zz\n")),
        ("one line", format!("{head}{}", "f+0x1/0x2 ".repeat(1_000_000))),
        ("title", format!("BUG: {}\n", "syz-executor1 ".repeat(100_000))),
    ]
}

/// Lines of 32 callers, each with a report.
fn contexts() -> String {
    let mut log = String::new();
    for line in 0..200_000 {
        let text =
            if line < 32 { "BUG: KASAN: x in f+0x1/0x2" } else { " f+0x1/0x2 [m] a/name.c:1" };
        let _ = writeln!(log, "[ 1.0][ T{}] {text}", line % 32);
    }
    log
}

/// A report that continues while another task has long ones, which wait for it.
fn waiting() -> String {
    let mut log = String::from("[ 1.0][ T1] BUG: KASAN: x in f+0x1/0x2\n");
    for report in 0..100 {
        log += "[ 1.0][ T1] RAX: 0000000000000001\n[ 1.0][ T2] BUG: KASAN: x in g+0x1/0x2\n";
        for line in 0..900 {
            let _ = writeln!(
                log,
                "[ 1.0][ T2]  f{report}_{line}+0x1/0x2 [m] a/name.c:{line} {:200}",
                ""
            );
        }
    }
    log
}

/// The limit of a monitor in ARCHITECTURE.md.
const MONITOR_LIMIT: usize = 32 << 20;

/// The peak of memory of a monitor for a log in chunks.
fn peak_of_monitor(log: &[u8]) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let mut monitor = Monitor::new();
    log.chunks(4096).for_each(|chunk| monitor.push(chunk).for_each(drop));
    monitor.finish().for_each(drop);
    MEMORY.peak_usage() - before
}

#[test]
fn one_report_needs_less_than_a_megabyte() {
    // The tables of the searches are made once.
    ksplat::reports(b"BUG: KASAN: use-after-free in f+0x1/0x2\n").for_each(drop);
    for (name, log) in worst() {
        let peak = peak(log.as_bytes());
        eprintln!("{name}: {peak} bytes");
        assert!(peak < LIMIT, "{name}: {peak} bytes");
    }
    let mut logs = worst();
    logs.push(("contexts", contexts()));
    let long = "[ 1.0][ T11] BUG: KASAN: use-after-free in x ".to_owned() + &"a".repeat(65_000);
    logs.push(("long lines of a task", (long + "\n").repeat(200)));
    let panic = "[ 1.0] Kernel panic - not syncing:\n";
    let head = "BUG: kernel NULL pointer dereference, address: 0\n";
    logs.push(("consequences", head.to_owned() + &panic.repeat(500_000)));
    logs.push(("waiting", waiting()));
    logs.push(("no line feed", "BUG: x ".repeat(3_000_000)));
    for (name, log) in logs {
        let peak = peak_of_monitor(log.as_bytes());
        eprintln!("{name}, in chunks: {peak} bytes");
        assert!(peak < MONITOR_LIMIT, "{name}: {peak} bytes");
    }
    let folder = Path::new("corpus/kasan");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let log = fs::read(&path).unwrap();
        // Some kinds of lines have their own searches.
        ksplat::reports(&log).for_each(drop);
        let peak = peak(&log);
        assert!(peak < LIMIT / 4, "{}: {peak} bytes", path.display());
    }
}
