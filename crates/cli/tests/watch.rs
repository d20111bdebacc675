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
    common::ksplat()
        .args(["watch", "--format", "jsonl"])
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
    // The second one shows that the first is complete, while the pipe is open.
    assert_eq!(next(&mut out), "kernel BUG in a");
    drop(stdin);
    assert_eq!(next(&mut out), "kernel BUG in b");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_file_that_is_gone_is_told_and_waited_for() {
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
fn something_else_in_the_place_of_a_file_is_no_file_that_was_cut() {
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
fn a_signal_ends_it_with_what_is_open() {
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

#[test]
fn what_cannot_be_watched_is_said() {
    for args in [["/nonexistent"].as_slice(), &["/"], &["--text"]] {
        let output = start(args).wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{error}");
    }
}
