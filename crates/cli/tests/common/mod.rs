//! What several tests of the program need.

#![allow(dead_code, reason = "not each test needs all of it")]

use std::env;
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Goes to the top of the repository, whose files the tests name. All tests go there, so it does not
/// matter which is first.
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
