//! Minimum figures on the logs in `../shared`, by the judges there.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;
use std::process::{Command, Output};

/// Runs a judge of `../shared/tools` on the program and on data of `../shared`.
fn run(tool: &str, data: &[&str], more: &[&str]) -> Output {
    common::top();
    let shared = Path::new("../shared");
    let data: Vec<_> = data.iter().map(|data| shared.join(data)).collect();
    for path in data.iter().chain([&shared.join("tools").join(tool)]) {
        assert!(path.exists(), "{} is missing", path.display());
    }
    Command::new("python3")
        .arg(shared.join("tools").join(tool))
        .arg(env!("CARGO_BIN_EXE_ksplat"))
        .args(data)
        .args(more)
        .output()
        .expect("python3")
}

/// A judge whose percentage must be at least `min`.
fn judge(tool: &str, data: &str, min: &str, more: &[&str]) {
    let judged = run(tool, &[data], &[&["--min", min], more].concat());
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
}

#[test]
#[ignore = "reads ../shared: cargo test -p ksplat-cli --test judges -- --ignored"]
fn titles_are_those_of_the_convention() {
    judge("score-titles", "cases/titles", "98", &[]);
}

#[test]
#[ignore = "reads ../shared: cargo test -p ksplat-cli --test judges -- --ignored"]
fn guilty_files_are_those_of_the_convention() {
    judge("score-guilty", "cases/guilty", "95", &[]);
}

#[test]
#[ignore = "reads ../shared: cargo test -p ksplat-cli --test judges -- --ignored"]
fn the_planted_function_is_blamed() {
    judge("score-farm", "farm", "98", &[]);
}

#[test]
#[ignore = "reads ../shared: cargo test -p ksplat-cli --test judges -- --ignored"]
fn the_access_is_explained() {
    judge("score-farm", "farm", "95", &["--explain"]);
}

#[test]
#[ignore = "reads ../shared: cargo test -p ksplat-cli --test judges -- --ignored"]
fn reports_are_read_as_people_paste_them() {
    judge("score-wild", "wild", "92", &[]);
}

/// The figure behind `word` in the output of a judge of duplicates.
fn figure(tool: &str, labels: &str, word: &str) -> f64 {
    let text = String::from_utf8(run(tool, &[labels], &[]).stdout).expect("text");
    let (_, rest) = text.rsplit_once(word).expect("the figure");
    let digits = rest.trim_start().split([' ', ',', ';', '\n']).next().expect("a number");
    digits.parse().expect("a number")
}

#[test]
#[ignore = "reads ../shared: cargo test -p ksplat-cli --test judges -- --ignored"]
fn reports_are_grouped_as_their_bugs_are() {
    for (labels, word, min) in [
        ("farm/labels.tsv", "pairwise F1", 0.95),
        ("farm/labels.tsv", "pairwise precision", 0.98),
        ("dedup/intel/labels.tsv", "B-cubed F1", 0.93),
        ("dedup/intel/labels.tsv", "pairwise precision", 0.90),
    ] {
        let found = figure("score-clusters", labels, word);
        assert!(found >= min, "{labels}: {word} {found}, not {min}");
    }
}

#[test]
#[ignore = "reads ../shared: cargo test -p ksplat-cli --test judges -- --ignored"]
fn the_right_earlier_report_comes_first() {
    for (labels, word, min) in [
        ("dedup/mail/labels.tsv", "rank 1", 90.0),
        ("dedup/study/labels.tsv", "rank 1", 65.0),
        ("dedup/study/labels.tsv", "at 10", 85.0),
    ] {
        let found = figure("score-match", labels, word);
        assert!(found >= min, "{labels}: {word} {found}, not {min}");
    }
}

#[test]
#[ignore = "reads ../shared: cargo test -p ksplat-cli --test judges -- --ignored"]
fn the_seeds_are_audited_exactly() {
    let judged = run("score-bisect", &["docs/seeds-bisect.json", "seeds"], &[]);
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
}

#[test]
#[ignore = "reads ../shared: cargo test -p ksplat-cli --test judges -- --ignored"]
fn real_bisections_are_judged_as_the_truth_is() {
    let said = String::from_utf8(run("score-bisections", &["bisect"], &[]).stdout).expect("text");
    // `incorrect, flagged: 205/265 = 77.4 % | …`
    let percent = |line: &str, word: &str| -> f64 {
        let line = said.lines().find(|found| found.starts_with(line)).expect("the line");
        let (_, rest) = line.split_once(word).expect("the figure");
        let (_, rest) = rest.split_once(" = ").expect("the percentage");
        rest.split(' ').next().and_then(|digits| digits.parse().ok()).expect("a number")
    };
    assert!(percent("incorrect, flagged", "flagged:") >= 70.0, "{said}");
    assert!(percent("incorrect, flagged", "T3:") >= 85.0, "{said}");
    assert!(percent("correct, called wrong", "wrong:") <= 2.0, "{said}");
    assert!(percent("correct, called wrong", "doubtful:") <= 10.0, "{said}");
}
