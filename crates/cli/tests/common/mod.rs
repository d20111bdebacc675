//! Helpers of several tests of the program.

#![allow(dead_code, reason = "not each test needs all of it")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs, process};

/// Changes to the top of the repository, because paths in the tests are relative to it. All tests
/// do this, so their order does not matter.
pub(crate) fn top() {
    env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).unwrap();
}

/// The program.
pub(crate) fn ksplat() -> Command {
    top();
    Command::new(env!("CARGO_BIN_EXE_ksplat"))
}

/// Runs a command to its end, with these bytes on its standard input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The program may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// A log with one report.
pub(crate) const GPF: &str = "corpus/gpf/io-queue-sqe.log";

/// Standard output, standard error, exit status.
pub(crate) fn call(args: &[&str], input: &[u8]) -> (String, String, i32) {
    let mut command = ksplat();
    let output = run(command.args(args).env_remove("NO_COLOR"), input);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

/// The bytes of a log.
pub(crate) fn log(path: &str) -> Vec<u8> {
    top();
    fs::read(path).unwrap()
}

/// A folder for the files of one test.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("ksplat-{}-{name}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs git in a folder.
pub(crate) fn git(folder: &Path, args: &[&str]) -> Option<String> {
    let git = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=a", "-c", "user.email=a@b"])
        .args(args)
        .output()
        .ok()?;
    Some(String::from_utf8(git.stdout).unwrap().trim().to_owned())
}
