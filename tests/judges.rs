//! The figures that the project holds on the logs it is judged by, where those are at hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use std::path::Path;
use std::process::Command;

/// Runs a judge of `../shared/tools` that must not find less than `min` percent right.
fn judge(tool: &str, data: &str, min: &str) {
    judge_with(tool, data, min, &[]);
}

/// The same with more arguments.
fn judge_with(tool: &str, data: &str, min: &str, more: &[&str]) {
    let (tool, data) = (Path::new("../shared/tools").join(tool), Path::new("../shared").join(data));
    if !tool.is_file() || !data.is_dir() {
        eprintln!("skipped: no {} or no {}", tool.display(), data.display());
        return;
    }
    let judged = Command::new("python3")
        .arg(&tool)
        .args([Path::new(env!("CARGO_BIN_EXE_ksplat")), &data])
        .args(["--min", min])
        .args(more)
        .output();
    let Ok(judged) = judged else {
        eprintln!("skipped: no python3");
        return;
    };
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
}

#[test]
fn titles_are_those_of_the_convention() {
    judge("score-titles", "cases/titles", "98");
}

#[test]
fn guilty_files_are_those_of_the_convention() {
    judge("score-guilty", "cases/guilty", "95");
}

#[test]
fn the_planted_function_is_blamed() {
    judge("score-farm", "farm", "98");
}

#[test]
fn the_access_is_explained() {
    judge_with("score-farm", "farm", "95", &["--explain"]);
}

#[test]
fn reports_are_read_as_people_paste_them() {
    judge("score-wild", "wild", "92");
}
