//! A log that attacks the readers of the output: every format, checked byte by byte.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::{fs, str};

/// Colours, the title of a terminal, the one-byte escape, bidirectional marks, invisible
/// characters, invalid UTF-8, and special characters of HTML, JavaScript and shells.
const ATTACK: &[u8] =
    b"\xc2\xad\xd8\x9c\xef\xbf\xb9\xf3\xa0\x81\x81\x1b[31m\x1b]0;owned\x07\xc2\x9b31m\xe2\x80\xae\xef\xbb\xbf\xff\xfe\x08\x7f\r\
    </script><script>alert(1)</script><img/src=x>\"'&`$(id)`";

/// The part of it that is valid UTF-8.
fn attack() -> String {
    String::from_utf8_lossy(ATTACK).into_owned()
}

/// The same without the blanks and marks that end a word in the grammars.
const WORD: &[u8] = b"w\xc2\x9b31m\xe2\x80\xae\xff\x07<script>&";

/// A log with the attack in all places with free text.
fn log() -> Vec<u8> {
    let text = r"WARNING: CPU: 0 PID: 1 at fs/W.c:1 walk+0xd/0x30
Modules linked in: W(O) A [last unloaded: W]
CPU: 0 PID: 1 Comm: A Tainted: G        W          6.1.0-W #1 A
Hardware name: A
Workqueue: W walk
RIP: 0010:walk+0xd/0x30 W/main.c:18
Code: 48 89 f8 <0f> 0b c3 A
RAX: 0000000000000001 RBX: A
Call Trace:
 demo_fail+0x6/0xe [W A] W/main.c:1
 A
 demo_fail+0x6/0xe W/main.c:2 [inline]
 start_kernel+0x0/0xc A
 kernel_init+0x1/0x2
 ret_from_fork+0x1/0x2
---[ end trace 0000000000000000 ]---
BUG: KASAN: use-after-free in A walk+0xd/0x30
Write of size 8 at addr ffff888001286000 by task A/1
CPU: 1 PID: 2 Comm: W Not tainted 6.1.0-A #1
Call Trace:
 walk+0xd/0x30
 demo_fail+0x6/0xe
 kernel_init+0x1/0x2
 ret_from_fork+0x1/0x2
The buggy address belongs to the object at ffff888001286000
 which belongs to the cache A of size 64
 #0: ffff888001 (&W->b){+.+.}-{3:3}, at: walk+0x1/0x2
BUG: A
kernel BUG at A:1!
Kernel panic - not syncing: A
unregister_netdevice: waiting for A to become free. Usage count = 2
";
    fill(text)
}

/// The same log with the attack before each line.
fn log_behind_attack() -> Vec<u8> {
    let log = log();
    let lines = log.split(|&b| b == b'\n');
    lines.flat_map(|line| [WORD, b" # ", ATTACK, line, b"\n"].concat()).collect()
}

fn bisection() -> Vec<u8> {
    fill(
        r"bisecting cause commit starting from 0123456789abcdef0123456789abcdef01234567
building syzkaller on A
testing commit 0123456789abcdef0123456789abcdef01234567 with A
kernel signature: A
run #0: crashed: BUG: A in walk
run #1: crashed: A
run #2: OK A
run #3: boot failed: A
# git bisect start 0123456789abcdef0123456789abcdef01234567 76543210fedcba9876543210fedcba9876543210
Bisecting: 10 revisions left to test after this (roughly 3 steps)
[89abcdef0123456789abcdef0123456789abcdef] A: fix A
testing commit 89abcdef0123456789abcdef0123456789abcdef with gcc (GCC) 8.1.0
all runs: crashed: WARNING in A
# git bisect bad 89abcdef0123456789abcdef0123456789abcdef
89abcdef0123456789abcdef0123456789abcdef is the first bad commit
commit 89abcdef0123456789abcdef0123456789abcdef
Author: A <A@A>

    A: fix A

 fs/W.c | 2 +-
A
culprit signature: A
crash: BUG: A
BUG: KASAN: use-after-free in walk+0xd/0x30
Read of size 8 at addr ffff888001286000 by task A/1
",
    )
}

/// Replaces `A` by the attack, and `W` by its word.
fn fill(text: &str) -> Vec<u8> {
    let mut log = Vec::new();
    let bytes = text.as_bytes();
    let is_name = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    for (at, byte) in bytes.iter().enumerate() {
        let is_alone = !(is_name(at + 1) || at > 0 && is_name(at - 1));
        match byte {
            b'A' if is_alone => log.extend_from_slice(ATTACK),
            b'W' if is_alone => log.extend_from_slice(WORD),
            byte => log.push(*byte),
        }
    }
    log
}

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("ksplat-{}-hostile-{name}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// A file with the attack in its name.
    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let attack: Vec<u8> = ATTACK.iter().copied().filter(|b| *b != b'/').collect();
        let path = self.0.join(OsStr::from_bytes(&[name.as_bytes(), &attack].concat()));
        fs::write(&path, content).unwrap();
        path
    }

    fn run(&self, args: &[&OsStr], input: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut command = common::ksplat();
        let output = common::run(command.args(args).env("XDG_CACHE_HOME", &self.0), input);
        (output.stdout, output.stderr)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether a character must never be written.
fn needs_escape(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{fff9}' | '\u{e0041}')
}

#[track_caller]
fn is_inert(what: &str, bytes: &[u8]) -> String {
    let text = str::from_utf8(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    if let Some(at) = text.find(needs_escape) {
        let near: String = text[at..].chars().take(40).collect();
        let line = text[..at].lines().next_back().unwrap_or_default();
        panic!("{what}: {near:?} behind {line:?}");
    }
    text.to_owned()
}

#[test]
fn no_text_of_a_log_or_of_a_name_acts_on_a_terminal() {
    let place = Place::new("text");
    let (log, bisection) = (place.file("log", &log()), place.file("bisection", &bisection()));
    let (store, missing) = (place.0.join("store"), place.0.join(OsStr::from_bytes(ATTACK)));
    let behind = place.file("behind", &log_behind_attack());
    let list = place.file("list", [log.as_os_str().as_bytes(), b"\n"].concat().as_slice());
    let content = fs::read(&log).unwrap();
    // Some arguments must be valid UTF-8.
    let plain = place.0.join(format!("log{}", attack().replace('/', "")));
    fs::write(&plain, &content).unwrap();
    let reports = ["#0", "#1"].map(|end| format!("{}{end}", plain.to_str().unwrap()));
    let [first, second] = reports.each_ref().map(OsStr::new);
    let (line, code) = (attack(), format!("Code: 48 <0f> 0b {}", attack()));
    let (line, code) = (OsStr::new(&line), OsStr::new(&code));
    let o = OsStr::new;
    let calls: &[&[&OsStr]] = &[
        &[log.as_os_str()],
        &[log.as_os_str(), o("--all"), o("--information")],
        &[behind.as_os_str(), o("--all"), o("--information")],
        &[behind.as_os_str(), o("--format"), o("jsonl"), o("--text"), o("--information")],
        &[
            log.as_os_str(),
            o("--vmlinux"),
            o("tests/fixture/vmlinux"),
            o("--source"),
            o("tests/fixture"),
        ],
        &[log.as_os_str(), o("--vmlinux"), o("auto")],
        &[log.as_os_str(), o("--format"), o("json"), o("--text")],
        &[log.as_os_str(), o("--format"), o("jsonl"), o("--text"), o("--information")],
        &[log.as_os_str(), o("--format"), o("junit"), o("--all"), o("--information")],
        &[behind.as_os_str(), o("--format"), o("junit"), o("--all"), o("--information")],
        &[missing.as_os_str(), o("--format"), o("junit")],
        &[log.as_os_str(), o("--format"), o("kcidb"), o("--text"), o("--information")],
        &[behind.as_os_str(), o("--format"), o("kcidb"), o("--text"), o("--information")],
        &[o("symbolize"), o("--vmlinux"), o("tests/fixture/vmlinux"), log.as_os_str()],
        &[o("cluster"), log.as_os_str()],
        &[o("cluster"), log.as_os_str(), o("--long")],
        &[o("cluster"), log.as_os_str(), o("--format"), o("json")],
        &[o("cluster"), log.as_os_str(), o("--format"), o("jsonl")],
        &[o("cluster"), plain.as_os_str(), o("--why"), first, second],
        &[o("match"), log.as_os_str(), o("--among"), list.as_os_str()],
        &[o("match"), log.as_os_str(), o("--among"), list.as_os_str(), o("--format"), o("json")],
        &[o("store"), o("add"), store.as_os_str(), log.as_os_str()],
        &[o("store"), o("list"), store.as_os_str(), o("--long")],
        &[o("store"), o("list"), store.as_os_str(), o("--format"), o("json")],
        &[o("store"), o("export"), store.as_os_str()],
        &[o("match"), log.as_os_str(), o("--store"), store.as_os_str()],
        &[o("match"), log.as_os_str(), o("--store"), store.as_os_str(), o("--format"), o("json")],
        &[o("bisect"), bisection.as_os_str()],
        &[o("bisect"), bisection.as_os_str(), o("--summary")],
        &[o("bisect"), bisection.as_os_str(), o("--format"), o("json")],
        &[o("bisect"), log.as_os_str()],
        &[o("watch"), o("-")],
        &[o("watch"), o("-"), o("--format"), o("jsonl"), o("--exec"), o("cat >&2; exit 3")],
        &[o("code"), line],
        &[o("code"), code],
        &[o("code")],
        &[missing.as_os_str()],
        &[o("cluster"), missing.as_os_str()],
        &[o("store"), o("list"), missing.as_os_str()],
        &[o("store"), o("list"), log.as_os_str()],
        &[log.as_os_str(), o("--vmlinux"), log.as_os_str()],
    ];
    for call in calls {
        let what: Vec<_> = call.iter().map(|arg| arg.to_string_lossy()).collect();
        let what = what.join(" ").escape_debug().to_string();
        let (out, err) = place.run(call, &content);
        let (out, err) = (is_inert(&what, &out), is_inert(&what, &err));
        assert!(!out.is_empty() || !err.is_empty(), "{what}: nothing");
        assert!(!err.contains("invalid UTF-8"), "{what}: {err}");
        if what.contains("--why") || what.contains("--among") {
            assert!(out.contains("script"), "{what}: no names: {out}{err}");
        }
        if call.contains(&o("junit")) {
            let read = quick_junit::Report::deserialize_from_str(&out);
            let report = read.unwrap_or_else(|error| panic!("{what}: {error}: {out}"));
            assert_eq!(out.matches("<testcase ").count(), report.tests, "{what}");
            assert!(!out.contains("<script") && !out.contains("<img"), "{what}: {out}");
        }
        if call.contains(&o("kcidb")) {
            let read: serde_json::Value = serde_json::from_str(&out).unwrap();
            assert!(read["incidents"].as_array().unwrap().len() > 1, "{what}: {out}");
        }
        if call.iter().any(|arg| arg.as_bytes().starts_with(b"json")) {
            assert!(!out.is_empty(), "{what}: {err}");
            let is_lines =
                call.contains(&o("jsonl")) || out.lines().count() > 1 && !out.starts_with('[');
            let values = if is_lines { out.lines().collect() } else { vec![out.as_str()] };
            for line in values {
                let read = serde_json::from_str::<serde_json::Value>(line);
                read.unwrap_or_else(|error| panic!("{what}: {error}: {line}"));
            }
        }
    }
}

#[test]
fn colours_are_the_only_sequences() {
    let place = Place::new("colour");
    for args in [["--color", "always", "--all"].as_slice(), &["bisect", "--color", "always"]] {
        let args: Vec<_> = args.iter().map(OsStr::new).collect();
        let input = if args[0] == "bisect" { bisection() } else { log() };
        let (out, _) = place.run(&args, &input);
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\x1b["), "no colours");
        for (number, sequence) in text.split('\x1b').skip(1).enumerate() {
            let is_end = |c: char| !c.is_ascii_digit() && c != ';';
            let rest = sequence.strip_prefix('[').expect("a colour");
            assert!(rest[rest.find(is_end).unwrap()..].starts_with('m'), "{number}: {sequence:?}");
        }
        is_inert("colours", text.replace('\x1b', "").as_bytes());
    }
}

#[test]
fn a_page_for_a_browser_has_no_mark_of_a_log() {
    let place = Place::new("page");
    let (log, page) = (place.file("log", &log()), place.0.join("page.html"));
    let empty = place.0.join("empty.html");
    let o = OsStr::new;
    place.run(&[o("cluster"), log.as_os_str(), o("--html"), page.as_os_str()], b"");
    place.run(&[o("cluster"), o("-"), o("--html"), empty.as_os_str()], b"");
    let (page, empty) = (fs::read(page).unwrap(), fs::read_to_string(empty).unwrap());
    let page = is_inert("page", &page);
    assert!(page.contains("\\u003cscript\\u003e"), "the attack is shown as text");
    for mark in ["<script", "</script", "<img", "<"] {
        assert_eq!(page.matches(mark).count(), empty.matches(mark).count(), "{mark}");
    }
}

#[test]
fn bytes_round_trip_through_json() {
    let log = log();
    for report in ksplat::Parser::new().with_information(true).reports(&log) {
        let record = ksplat::output::json::ReportRecord::new("-", 0, report);
        let mut line = Vec::new();
        ksplat::output::json::write(&mut line, &record).unwrap();
        let read = ksplat::output::json::read(str::from_utf8(&line).unwrap()).unwrap();
        assert_eq!(read, record);
        // The text of the log at the span, byte for byte.
        let (there, here) = (read.report.span, record.report.span);
        assert_eq!(&log[there.start..there.end], &log[here.start..here.end]);
    }
    let all = ksplat::reports(&log).collect::<Vec<_>>();
    let code = all.iter().find_map(|report| report.code.as_ref()).expect("code");
    assert_eq!(code.bytes, [0x48, 0x89, 0xf8, 0x0f, 0x0b, 0xc3]);
    // Different bytes of invalid UTF-8 stay different.
    assert!(all.iter().any(|report| {
        report.kernel.hardware.as_deref().is_some_and(|name| name.contains("\\xff\\xfe"))
    }));
}

#[test]
fn paths_that_a_log_names_are_not_opened() {
    let place = Place::new("paths");
    // Opening a pipe without a writer blocks for ever.
    let pipe = place.0.join("pipe.c");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let name = pipe.to_str().unwrap();
    let log = format!(
        "kernel BUG at {name}:1!\nCPU: 0 PID: 1 Comm: a Not tainted ../../..{name} #1\n\
         RIP: 0010:f+0x1/0x2 {name}:1\nCall Trace:\n g+0x1/0x2 [..{name}] pipe.c:2\n g+0x1/0x2 [{name}]\n"
    );
    let o = OsStr::new;
    for args in [
        [o("--source"), place.0.as_os_str(), o("--all")].as_slice(),
        &[o("--vmlinux"), o("auto")],
        &[o("--vmlinux"), o("tests/fixture/vmlinux"), o("--source"), o("/"), o("--no-cache")],
        &[o("--vmlinux"), o("tests/fixture/vmlinux"), o("--modules"), place.0.as_os_str()],
    ] {
        let (out, err) = place.run(args, log.as_bytes());
        let (out, err) = (is_inert("paths", &out), is_inert("paths", &err));
        assert!(out.contains("kernel BUG in f") || err.contains("--vmlinux auto"), "{out}{err}");
    }
    assert!(Path::new(&pipe).exists());
}
