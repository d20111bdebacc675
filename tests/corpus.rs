//! The cases of `corpus/`: the decided results for each log, and a snapshot of its reports.
//!
//! A case is three files:
//!
//! - `NAME.log`: only lines that a machine printed.
//! - `NAME.case`: the correct results, decided by a person from the log. No test run writes it.
//! - `NAME.json`: the snapshot, the JSON of each report. `UPDATE_CORPUS=1 cargo test --test corpus`
//!   writes it; review the difference (`git diff`).
//!
//! A `.case` file has lines `source: TEXT` (where the log is from), then a block for each report, with
//! an empty line before it. A line of a block is `key: value`. The keys, in this order:
//!
//! | key | value | how often |
//! |---|---|---|
//! | `kind` | the name of the kind, which is the folder's | 1 |
//! | `title` | the title by syzkaller's convention | 1 |
//! | `alt` | an alternative title | any |
//! | `type` | the type by the convention | 0 or 1 |
//! | `frame` | the function in the title | 0 or 1 |
//! | `blame` | the function that contains the bug | 0 or 1 |
//! | `trap` | the summary of the explanation; without one, the marked instruction | 0 or 1 |
//! | `why` | the sentence of the diagnosis, then each fact it rests on | any |
//! | `corrupted` | why the report is incomplete | 0 or 1 |
//! | `consequence` | the title of a report that this one caused | any |
//! | `wrong` | see below | any |
//!
//! The comparison is exact. For a known defect of the library, `wrong: key: value` below the line of that
//! key has the current result; `none` is the value if one of the two has no such line. After a fix, the
//! test fails until the `wrong` line is deleted:
//!
//! ```text
//! blame: cm_fatal_check
//! wrong: blame: cm_exit
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "common/corpus.rs"]
mod corpus;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use corpus::{files, logs};
use ksplat::Report;
use ksplat::disasm::Syntax;
use ksplat::output::json::{self, ReportRecord};
use similar::TextDiff;

/// All reports with decoded code and explanations, information among them.
fn reports(log: &[u8], syntax: Syntax) -> Vec<Report<'_>> {
    let mut reports: Vec<_> = ksplat::Parser::new().with_information(true).reports(log).collect();
    for report in &mut reports {
        ksplat::Analyzer::new().with_syntax(syntax).annotate(report);
    }
    reports
}

/// The value of `trap`.
fn trap<'a>(report: &'a Report<'_>) -> Option<&'a str> {
    let summary = report.explanation.as_ref().map(|explanation| explanation.summary.as_str());
    let instructions = report.code.iter().flat_map(|code| &code.instructions);
    let marked = instructions.filter(|instruction| instruction.trapping);
    summary.or(marked.map(|instruction| instruction.text.as_str()).next())
}

/// The block of a report in a `.case` file.
fn block(report: &Report<'_>) -> String {
    let mut block = String::new();
    let mut line = |key: &str, value: &str| writeln!(block, "{key}: {value}").unwrap();
    line("kind", report.kind.name());
    line("title", report.title());
    report.alt_titles.iter().for_each(|title| line("alt", title));
    report.class.iter().for_each(|class| line("type", class));
    report.frame.iter().for_each(|frame| line("frame", frame));
    report.blame.iter().for_each(|blame| line("blame", &blame.function));
    if let Some(trap) = trap(report) {
        line("trap", trap);
    }
    if let Some(diagnosis) = &report.diagnosis {
        line("why", &diagnosis.summary);
        diagnosis.why.iter().for_each(|evidence| line("why", &evidence.text));
    }
    report.corrupted.iter().for_each(|why| line("corrupted", &why.to_string()));
    report.consequences.iter().for_each(|title| line("consequence", title));
    block
}

/// The lines of a `.case` file with the current results in place of known defects.
fn with_known_defects(decided: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in decided.lines() {
        let Some(found) = line.strip_prefix("wrong: ") else {
            lines.push(line);
            continue;
        };
        let key = |line: &str| line.split(": ").next().map(str::to_owned);
        let right = lines.pop().unwrap_or_default();
        assert!(key(right) == key(found) && right != found, "`{line}` below `{right}`");
        lines.extend(Some(found).filter(|found| !found.ends_with(": none")));
    }
    lines.join("\n") + "\n"
}

/// Describes the difference between a file and the results.
fn difference(path: &Path, file: &str, found: &str) -> Option<String> {
    let diff = TextDiff::from_lines(file, found);
    let name = path.display().to_string();
    (file != found).then(|| diff.unified_diff().header(&name, "found").to_string())
}

#[test]
fn results_equal_the_decided_ones() {
    let mut differences = String::new();
    for (path, log) in logs() {
        let path = path.with_extension("case");
        let case = fs::read_to_string(&path).unwrap_or_default();
        let sources: Vec<_> =
            case.lines().take_while(|line| line.starts_with("source: ")).collect();
        assert!(!sources.is_empty(), "{}: `source:` is missing", path.display());
        let mut found = sources.join("\n") + "\n";
        for report in reports(&log, Syntax::Att) {
            found += "\n";
            found += &block(&report);
        }
        differences.extend(difference(&path, &with_known_defects(&case), &found));
    }
    assert!(
        differences.is_empty(),
        "a person decides what a `.case` file says: mend the library, or the file by hand\n{differences}"
    );
}

#[test]
fn models_are_the_approved_ones() {
    let mut differences = String::new();
    for (path, log) in logs() {
        let records = reports(&log, Syntax::Att).into_iter().enumerate();
        let records = records.map(|(index, report)| ReportRecord::new("-", index, report));
        let records: Vec<_> =
            records.map(|record| serde_json::to_string_pretty(&record).unwrap()).collect();
        let found = records.join("\n") + "\n";
        let path = path.with_extension("json");
        if std::env::var_os("UPDATE_CORPUS").is_some() {
            fs::write(&path, found).unwrap();
        } else {
            let approved = fs::read_to_string(&path).unwrap_or_default();
            differences.extend(difference(&path, &approved, &found));
        }
    }
    assert!(
        differences.is_empty(),
        "if each line of the difference is right, UPDATE_CORPUS=1 writes the snapshots\n{differences}"
    );
}

#[test]
fn a_case_is_three_files() {
    for path in files(Path::new("corpus")) {
        let extension = path.extension().and_then(|extension| extension.to_str());
        assert!(matches!(extension, Some("log" | "case" | "json")), "{}", path.display());
        for part in ["log", "case", "json"] {
            let other = path.with_extension(part);
            assert!(other.is_file(), "{} without {}", path.display(), other.display());
        }
    }
}

#[test]
fn a_folder_is_a_kind() {
    for (path, log) in logs() {
        let folder =
            path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap();
        let first = reports(&log, Syntax::Att).first().map(|report| report.kind.name());
        match folder {
            "none" => assert_eq!(first, None, "{}", path.display()),
            "broken" => {}
            kind => assert_eq!(first, Some(kind), "{}", path.display()),
        }
    }
}

#[test]
fn json_round_trips() {
    for (path, log) in logs() {
        for (index, report) in reports(&log, Syntax::Intel).into_iter().enumerate() {
            let record = ReportRecord::new("a\u{1b}b", index, report);
            let mut text = Vec::new();
            json::write(&mut text, &record).unwrap();
            let mut by_serde = Vec::new();
            json::write_value(&mut by_serde, &record).unwrap();
            assert!(text == by_serde, "{}", path.display());
            let text = String::from_utf8(text).unwrap();
            assert!(!text.contains('\u{1b}') && !text.contains('\n'));
            assert_eq!(json::read(&text).unwrap(), record, "{}", path.display());
        }
    }
}
