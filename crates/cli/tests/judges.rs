//! The figures that the project holds on the logs it is judged by, where those are at hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use std::path::Path;
use std::process::Command;

/// Runs a judge of `../shared/tools` that must not find less than `min` percent right.
fn judge(tool: &str, data: &str, min: &str) {
    judge_with(tool, data, min, &[]);
}

/// The same with more arguments.
fn judge_with(tool: &str, data: &str, min: &str, more: &[&str]) {
    common::top();
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

/// Runs a judge of duplicates, and gives the figure that stands behind `word` in what it prints.
fn figure(tool: &str, labels: &str, word: &str) -> Option<f64> {
    let (tool, labels) =
        (Path::new("../shared/tools").join(tool), Path::new("../shared").join(labels));
    if !tool.is_file() || !labels.is_file() {
        eprintln!("skipped: no {} or no {}", tool.display(), labels.display());
        return None;
    }
    let ksplat = Path::new(env!("CARGO_BIN_EXE_ksplat"));
    let Ok(judged) = Command::new("python3").arg(&tool).args([ksplat, &labels]).output() else {
        eprintln!("skipped: no python3");
        return None;
    };
    let text = String::from_utf8(judged.stdout).expect("text");
    let (_, rest) = text.rsplit_once(word).expect("the figure");
    let digits = rest.trim_start().split([' ', ',', ';', '\n']).next().expect("a number");
    Some(digits.parse().expect("a number"))
}

#[test]
fn reports_are_grouped_as_their_bugs_are() {
    for (labels, word, min) in [
        ("farm/labels.tsv", "pairwise F1", 0.95),
        ("farm/labels.tsv", "pairwise precision", 0.98),
        ("dedup/intel/labels.tsv", "B-cubed F1", 0.93),
        ("dedup/intel/labels.tsv", "pairwise precision", 0.90),
    ] {
        let found = figure("score-clusters", labels, word);
        assert!(found.is_none_or(|found| found >= min), "{labels}: {word} {found:?}, not {min}");
    }
}

#[test]
fn the_right_earlier_report_comes_first() {
    for (labels, word, min) in [
        ("dedup/mail/labels.tsv", "rank 1", 90.0),
        ("dedup/study/labels.tsv", "rank 1", 65.0),
        ("dedup/study/labels.tsv", "at 10", 85.0),
    ] {
        let found = figure("score-match", labels, word);
        assert!(found.is_none_or(|found| found >= min), "{labels}: {word} {found:?}, not {min}");
    }
}

/// Runs `score-bisect` or `score-bisections`, and gives what it prints and whether it is content.
fn bisections(tool: &str, more: &[&str]) -> Option<(String, bool)> {
    common::top();
    let shared = Path::new("../shared");
    let tool = shared.join("tools").join(tool);
    if !tool.is_file() || !more.iter().all(|data| shared.join(data).exists()) {
        eprintln!("skipped: no {} or its data", tool.display());
        return None;
    }
    let judged = Command::new("python3")
        .arg(&tool)
        .arg(env!("CARGO_BIN_EXE_ksplat"))
        .args(more.iter().map(|data| shared.join(data)))
        .output();
    let Ok(judged) = judged else {
        eprintln!("skipped: no python3");
        return None;
    };
    Some((String::from_utf8(judged.stdout).expect("text"), judged.status.success()))
}

#[test]
fn the_seeds_are_audited_exactly() {
    if let Some((said, content)) = bisections("score-bisect", &["docs/seeds-bisect.json", "seeds"])
    {
        assert!(content, "{said}");
    }
}

#[test]
fn real_bisections_are_judged_as_the_truth_is() {
    let Some((said, _)) = bisections("score-bisections", &["bisect"]) else { return };
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
