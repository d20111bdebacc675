//! Minimum figures of the judges in `../shared` on the logs there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeMap;
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
fn the_fix_of_a_crash_is_found() {
    let judged = run("score-known", &["fixes"], &["--min-first", "82", "--min-five", "89"]);
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
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

/// Runs the program in a folder.
fn ksplat(folder: &Path, args: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_ksplat")).current_dir(folder).args(args).output();
    String::from_utf8(out.expect("the program").stdout).expect("text")
}

/// The sets of files by the key of each line, and the scores of each file's candidates.
type Answers = (Vec<Vec<String>>, BTreeMap<String, Vec<String>>);

/// Returns the bug and the scores of the candidates of each file, from a store.
fn answers(folder: &Path, store: &str, list: &str) -> Answers {
    let args = ["match", "--store", store, "--first", "--top", "10", "--format", "jsonl"];
    let lines = ksplat(folder, &[&args[..], &["--files-from", list]].concat());
    let (mut bugs, mut scores) = (BTreeMap::<String, Vec<String>>::new(), BTreeMap::new());
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let file = line["file"].as_str().expect("a file").to_owned();
        // A report with too few facts to equal another one is of no known bug, although it was
        // added.
        let bug = line["seen"]["bug"].as_str().unwrap_or(&file).to_owned();
        bugs.entry(bug).or_default().push(file.clone());
        let candidates = line["candidates"].as_array().expect("candidates");
        scores.insert(file, candidates.iter().map(|found| found["score"].to_string()).collect());
    }
    (sorted(bugs.into_values().collect()), scores)
}

fn sorted(mut sets: Vec<Vec<String>>) -> Vec<Vec<String>> {
    for set in &mut sets {
        set.sort();
    }
    sets.sort();
    sets
}

#[test]
#[ignore = "reads ../shared, for minutes: cargo test -p ksplat-cli --test judges -- --ignored"]
fn a_store_that_is_fed_one_by_one_equals_the_batch() {
    common::top();
    for (data, name) in [("farm", "farm"), ("dedup/mail", "mail")] {
        let folder = Path::new("../shared").join(data);
        let labels = std::fs::read_to_string(folder.join("labels.tsv")).expect("labels");
        let files: Vec<&str> = labels
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split('\t').next())
            .collect();
        let place = common::folder(&format!("judged-{name}"));
        std::fs::create_dir_all(&place).expect("a folder");
        let path = |name: &str| place.join(name).to_str().expect("a path").to_owned();
        let list = path("list");
        std::fs::write(&list, files.join("\n")).expect("a list");
        let batch = path("batch");
        ksplat(&folder, &["store", "add", &batch, "--first", "--files-from", &list]);
        let of_batch = answers(&folder, &batch, &list);
        let clusters = ["cluster", "--format", "json", "--first", "--files-from", &list];
        let clusters: serde_json::Value =
            serde_json::from_str(&ksplat(&folder, &clusters)).expect("JSON");
        let files_of = |cluster: &serde_json::Value| -> Vec<String> {
            let members = cluster["members"].as_array().expect("members");
            members.iter().map(|member| member["file"].as_str().expect("a file").into()).collect()
        };
        let clusters = clusters["clusters"].as_array().expect("clusters");
        assert!(sorted(clusters.iter().map(files_of).collect()) == of_batch.0, "{name}: batch");
        std::thread::scope(|scope| {
            for order in 1..=3_u64 {
                let (files, folder, store) = (&files, &folder, path(&format!("store{order}")));
                let (list, of_batch) = (&list, &of_batch);
                scope.spawn(move || {
                    let mut order_of: Vec<_> = files.iter().enumerate().collect();
                    order_of.sort_by_key(|(at, _)| {
                        (*at as u64 + 1).wrapping_mul(order.wrapping_mul(0x9e37_79b9_7f4a_7c15))
                    });
                    for (_, file) in order_of {
                        ksplat(folder, &["store", "add", &store, "--first", file]);
                    }
                    ksplat(folder, &["store", "check", &store]);
                    let of_store = answers(folder, &store, list);
                    assert!(of_store.0 == of_batch.0, "{name}, order {order}: bugs");
                    assert!(of_store.1 == of_batch.1, "{name}, order {order}: scores");
                });
            }
        });
        let _ = std::fs::remove_dir_all(&place);
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
    let printed =
        String::from_utf8(run("score-bisections", &["bisect"], &[]).stdout).expect("text");
    // `incorrect, flagged: 205/265 = 77.4 % | …`
    let percent = |line: &str, word: &str| -> f64 {
        let line = printed.lines().find(|found| found.starts_with(line)).expect("the line");
        let (_, rest) = line.split_once(word).expect("the figure");
        let (_, rest) = rest.split_once(" = ").expect("the percentage");
        rest.split(' ').next().and_then(|digits| digits.parse().ok()).expect("a number")
    };
    assert!(percent("incorrect, flagged", "flagged:") >= 70.0, "{printed}");
    assert!(percent("incorrect, flagged", "T3:") >= 85.0, "{printed}");
    assert!(percent("correct, called wrong", "wrong:") <= 2.0, "{printed}");
    assert!(percent("correct, called wrong", "doubtful:") <= 10.0, "{printed}");
}
