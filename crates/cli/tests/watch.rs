//! `ksplat watch`: a console that is still being written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdout, Command, Stdio};

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("ksplat-{}-watch-{name}", process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn bug(name: &str) -> String {
    format!("kernel BUG at fs/{name}.c:1!\nRIP: 0010:{name}+0x1/0x2\nx\n")
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn start(args: &[&str]) -> Child {
    start_with("jsonl", args)
}

fn start_with(format: &str, args: &[&str]) -> Child {
    common::ksplat()
        .args(["watch", "--format", format])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The title of the next report; blocks until there is one.
fn next(out: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let report: serde_json::Value = serde_json::from_str(&line).unwrap();
    report["title"].as_str().unwrap().to_owned()
}

/// Sends SIGTERM, and returns the exit status.
fn terminate(mut child: Child) -> i32 {
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    child.wait().unwrap().code().expect("it ends by itself")
}

#[test]
fn a_pipe_is_watched_to_its_end() {
    let mut child = start(&[]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all((bug("a") + &bug("b")).as_bytes()).unwrap();
    // The second report shows that the first one is complete, while the pipe is open.
    assert_eq!(next(&mut out), "kernel BUG in a");
    drop(stdin);
    assert_eq!(next(&mut out), "kernel BUG in b");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_deleted_file_is_reported_and_awaited() {
    let folder = folder("gone");
    let path = folder.join("console");
    append(&path, &bug("a"));
    let mut child = start(&["--quiet", "0", path.to_str().unwrap()]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(next(&mut out), "kernel BUG in a");
    fs::remove_file(&path).unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("No such file") && line.contains("waiting"), "{line}");
    append(&path, &bug("b"));
    assert_eq!(next(&mut out), "kernel BUG in b");
    assert_eq!(terminate(child), 1);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn another_file_of_the_same_name_is_no_truncation() {
    let folder = folder("place");
    let (path, old) = (folder.join("console"), folder.join("console.1"));
    append(&path, &(bug("a") + &"usb 1-1: new device\n".repeat(1000)));
    let mut child = start(&["--quiet", "0", path.to_str().unwrap()]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(next(&mut out), "kernel BUG in a");
    fs::rename(&path, &old).unwrap();
    fs::create_dir(&path).unwrap();
    for name in ["b", "c"] {
        append(&old, &bug(name));
        assert_eq!(next(&mut out), format!("kernel BUG in {name}"));
    }
    assert_eq!(terminate(child), 1);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn it_ends_after_the_last_report_that_was_asked_for() {
    let mut child = start(&["--max-reports", "1"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all((bug("a") + &bug("b") + &bug("c")).as_bytes()).unwrap();
    // The pipe stays open.
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!((out.lines().count(), child.wait().unwrap().code()), (1, Some(1)));
}

#[test]
fn a_file_is_followed_through_rotation_and_truncation() {
    let folder = folder("follow");
    let path = folder.join("console");
    append(&path, &bug("a"));
    let mut child = start(&["--quiet", "0", path.to_str().unwrap()]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(next(&mut out), "kernel BUG in a");
    append(&path, &bug("b"));
    assert_eq!(next(&mut out), "kernel BUG in b");
    fs::rename(&path, folder.join("console.1")).unwrap();
    append(&path, &(bug("c") + &"y\n".repeat(100)));
    assert_eq!(next(&mut out), "kernel BUG in c");
    // A truncated file.
    fs::write(&path, "").unwrap();
    append(&path, &bug("d"));
    assert_eq!(next(&mut out), "kernel BUG in d");
    assert_eq!(terminate(child), 1);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_signal_completes_the_open_reports() {
    let mut child = start(&[]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all((bug("a") + &bug("b")).as_bytes()).unwrap();
    assert_eq!(next(&mut out), "kernel BUG in a");
    let status = terminate(child);
    assert_eq!((next(&mut out).as_str(), status), ("kernel BUG in b", 1));
    drop(stdin);
}

#[test]
fn a_command_gets_each_report() {
    let folder = folder("exec");
    let seen = folder.join("seen");
    let command = format!("cat >> {}", seen.display());
    let child = start(&["--exec", &command]);
    child.stdin.as_ref().unwrap().write_all((bug("a") + &bug("b")).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(1), Vec::new()));
    let seen = fs::read_to_string(seen).unwrap();
    let report: serde_json::Value = serde_json::from_str(seen.lines().nth(1).unwrap()).unwrap();
    assert_eq!((&report["title"], &report["index"]), (&"kernel BUG in b".into(), &1.into()));
    assert!(report["signature"].is_object());

    let child = start(&["--exec", "exit 3"]);
    child.stdin.as_ref().unwrap().write_all(bug("a").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("exit 3") && error.lines().count() == 1, "{error}");
    fs::remove_dir_all(folder).unwrap();
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_named_pipe_is_read_beyond_its_first_writer() {
    let folder = folder("pipe");
    let path = folder.join("pipe");
    pipe(&path);
    let mut child = start(&["--pause", "0.1", path.to_str().unwrap()]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    for name in ["a", "b", "c"] {
        // The last line has no end.
        let text = bug(name) + "half a li";
        OpenOptions::new().write(true).open(&path).unwrap().write_all(text.as_bytes()).unwrap();
        assert_eq!(next(&mut out), format!("kernel BUG in {name}"));
    }
    assert_eq!(terminate(child), 1);
    // Another pipe of the same name.
    let mut child = start(&["--once", path.to_str().unwrap()]);
    fs::write(&path, bug("d")).unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(
        (next(&mut out).as_str(), child.wait().unwrap().code()),
        ("kernel BUG in d", Some(1))
    );
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_can_be_read_once() {
    let folder = folder("once");
    let path = folder.join("console");
    append(&path, &(bug("a") + &bug("b")));
    let output = start(&["--once", path.to_str().unwrap()]).wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!((out.lines().count(), output.status.code()), (2, Some(1)));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_report_that_continues_is_a_revision() {
    for (format, word) in
        [("jsonl", "\"revises\":true"), ("text", "The report of line 1 continued:")]
    {
        let mut child = start_with(format, &["--pause", "0.1"]);
        let mut stdin = child.stdin.take().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        stdin.write_all(bug("a").as_bytes()).unwrap();
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert!(line.contains("kernel BUG"), "{line}");
        stdin.write_all(b"Call Trace:\n walk+0x1/0x2\n demo_fail+0x6/0xe\n").unwrap();
        drop(stdin);
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert!(rest.contains(word) && rest.contains("demo_fail"), "{rest}");
        assert_eq!(child.wait().unwrap().code(), Some(1));
    }
}

#[test]
fn the_start_of_a_report_is_printed_early() {
    for (format, begin) in [
        ("text", "The report of line 2 begins: kernel BUG\n"),
        (
            "jsonl",
            "{\"file\":\"-\",\"started\":{\"line\":2,\"offset\":2,\"kind\":\"kernel-bug\",\"title\":\"kernel BUG\"}}\n",
        ),
    ] {
        // Without an end of the report: the pipe is open, and the time is too long.
        let mut child = start_with(format, &["--early", "--pause", "1000", "--quiet", "1000"]);
        let mut stdin = child.stdin.take().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        stdin.write_all(("x\n".to_owned() + &bug("a")).as_bytes()).unwrap();
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, begin);
        drop(stdin);
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("kernel BUG in a"), "{rest}");
        assert_eq!(child.wait().unwrap().code(), Some(1));
    }
    // An array is complete with both, and they count as one report.
    let mut child = start_with("json", &["--early", "--max-reports", "1"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all((bug("a") + &bug("b")).as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap().stdout;
    let array: Vec<serde_json::Value> = serde_json::from_slice(&out).unwrap();
    assert!(array[0]["started"].is_object(), "{array:?}");
    assert_eq!(array.iter().filter(|value| value["title"].is_string()).count(), 1, "{array:?}");
}

#[test]
fn a_second_signal_does_not_overtake_the_first() {
    for _ in 0..20 {
        let mut child = start(&[]);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all((bug("a") + &bug("b")).as_bytes()).unwrap();
        assert_eq!(next(&mut out), "kernel BUG in a");
        // Two signals in a row, as timeout(1) sends them to a process and its group.
        let id = child.id().to_string();
        let script = format!("kill -TERM {id}; kill -INT {id}");
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
        assert_eq!(next(&mut out), "kernel BUG in b");
        assert_eq!(child.wait().unwrap().code(), Some(1));
    }
}

#[test]
fn a_signal_ends_the_program_if_its_output_is_not_read() {
    let mut child = start_with("text", &["--all"]);
    let mut stdin = child.stdin.take().unwrap();
    // More data than the buffer of a pipe.
    let writer = std::thread::spawn(move || {
        let many: String = (0..2000).map(|number| bug(&format!("f{number}"))).collect();
        let _ = stdin.write_all(many.as_bytes());
    });
    let mut first = [0];
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut first).unwrap();
    assert_eq!(terminate(child), 130);
    drop(out);
    writer.join().unwrap();
}

/// A file with many reports, and their number.
fn backlog(folder: &Path) -> (PathBuf, usize) {
    let path = folder.join("console");
    append(&path, &(0..200).map(|number| bug(&format!("f{number}"))).collect::<String>());
    (path, 200)
}

#[test]
fn a_backlog_waits_for_the_command() {
    let folder = folder("backlog");
    let (path, count) = backlog(&folder);
    let seen = folder.join("seen");
    let command = format!("cat >> {}", seen.display());
    let child = start(&["--once", "--exec", &command, path.to_str().unwrap()]);
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(fs::read_to_string(seen).unwrap().lines().count(), count);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn reports_are_dropped_by_choice() {
    let folder = folder("drop");
    let (path, count) = backlog(&folder);
    let [seen, gate] = ["seen", "gate"].map(|name| folder.join(name));
    pipe(&gate);
    // Each command takes a line of this pipe, which is open for both, so that neither waits to open it.
    let mut lines = OpenOptions::new().read(true).write(true).open(&gate).unwrap();
    let command = format!("read line < {}; echo >> {}", gate.display(), seen.display());
    let args = ["--once", "--exec-queue", "drop", "--exec", &command, path.to_str().unwrap()];
    let mut child = start(&args);
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    let mut out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || out.read_to_end(&mut Vec::new()).unwrap());
    errors.read_line(&mut line).unwrap();
    lines.write_all(&b"\n".repeat(count)).unwrap();
    errors.read_to_string(&mut line).unwrap();
    reader.join().unwrap();
    child.wait().unwrap();
    assert!(line.contains("the command is too slow; a report is dropped"), "{line}");
    let seen = fs::read_to_string(seen).unwrap().lines().count();
    assert_eq!(seen + line.lines().count(), count);
    fs::remove_dir_all(folder).unwrap();
}

/// Returns whether a process runs; one that has ended may wait for its parent.
fn runs(id: &str) -> bool {
    let state = fs::read_to_string(Path::new("/proc").join(id.trim()).join("stat"));
    state.is_ok_and(|state| !state.contains(") Z"))
}

#[test]
fn a_command_has_a_limit_of_time() {
    let folder = folder("limit");
    let id = folder.join("id");
    // The processes that the command started are ended as well.
    let command = format!("sleep 1000 & echo $! > {}; wait", id.display());
    let child = start(&["--exec-timeout", "0.3", "--exec", &command]);
    child.stdin.as_ref().unwrap().write_all(bug("a").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("ended after 0.3 seconds") && error.lines().count() == 1, "{error}");
    assert!(!runs(&fs::read_to_string(id).unwrap()));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_command_ends_with_the_program() {
    let folder = folder("end");
    let id = folder.join("id");
    pipe(&id);
    let command = format!("trap '' TERM; echo $$ > {}; sleep 1000; sleep 1000", id.display());
    let mut child = start(&["--pause", "0.1", "--exec", &command]);
    let stdin = child.stdin.take().unwrap();
    (&stdin).write_all(bug("a").as_bytes()).unwrap();
    let id = fs::read_to_string(id).unwrap();
    assert!(runs(&id));
    let errors = child.stderr.take().unwrap();
    assert_eq!(terminate(child), 1);
    assert!(!runs(&id));
    let error = BufReader::new(errors).lines().next().unwrap().unwrap();
    assert!(error.contains("ended with the program"), "{error}");
    drop(stdin);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn unwatchable_files_are_reported() {
    for args in [["/nonexistent"].as_slice(), &["/"], &["--text"]] {
        let output = start(args).wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{error}");
    }
}
