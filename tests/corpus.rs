//! Every file of `corpus/`: what its header says, and what must hold of any log.
//!
//! A file has a header, an empty line and a log. The header has a line `# source`, and for each
//! report `KIND:`, `TITLE:`, `ALT:` (each), `FRAME:`, `CORRUPTED:` and `THEN:` (each). Beside
//! `CASE.log` stands `CASE.json`, the whole model of its reports; run the tests with
//! `UPDATE_CORPUS=1` to write it, and read what has changed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ksplat::output::json::{self, Record};
use ksplat::{Report, disasm, explain};

/// A corpus file.
struct Case {
    path: PathBuf,
    header: String,
    log: Vec<u8>,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut folders = vec![PathBuf::from("corpus")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "log") {
                let file = fs::read(&path).unwrap();
                let end = file.windows(2).position(|pair| pair == b"\n\n").expect("an empty line");
                let header = String::from_utf8(file[..=end].to_vec()).unwrap();
                cases.push(Case { path, header, log: file[end + 2..].to_vec() });
            }
        }
    }
    cases.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(cases.len() > 20, "run from the folder of Cargo.toml");
    cases
}

fn header_of(source: &str, reports: &[Report<'_>]) -> String {
    let mut header = format!("{source}\n");
    for report in reports {
        let mut line = |key: &str, value: &str| writeln!(header, "{key}: {value}").unwrap();
        line("KIND", report.kind.name());
        line("TITLE", report.title());
        report.alt_titles.iter().for_each(|title| line("ALT", title));
        report.frame.iter().for_each(|frame| line("FRAME", frame));
        report.corrupted.iter().for_each(|why| line("CORRUPTED", &why.to_string()));
        report.consequences.iter().for_each(|title| line("THEN", title));
    }
    header
}

/// All reports, information among them.
fn reports(log: &[u8]) -> ksplat::Reports<'_> {
    ksplat::reports(log).with_information()
}

fn titles(log: &[u8]) -> Vec<String> {
    reports(log).map(|report| report.title).collect()
}

#[test]
fn headers_say_what_is_found() {
    for case in cases() {
        let reports: Vec<_> = reports(&case.log).collect();
        let source = case.header.lines().next().unwrap();
        assert!(source.starts_with("# "), "{}: no source", case.path.display());
        assert_eq!(header_of(source, &reports), case.header, "{}", case.path.display());
        let folder = case.path.parent().unwrap().file_name().unwrap().to_str().unwrap();
        match folder {
            "none" => assert!(reports.is_empty(), "{}", case.path.display()),
            "broken" => {}
            kind => assert_eq!(reports[0].kind.name(), kind, "{}", case.path.display()),
        }
    }
}

#[test]
fn models_are_those_that_were_read_and_approved() {
    for case in cases() {
        let mut lines = Vec::new();
        for (index, mut report) in reports(&case.log).enumerate() {
            disasm::annotate(&mut report, disasm::Syntax::Att);
            explain::annotate(&mut report, disasm::Syntax::Att);
            let record = Record::new("-", index, report);
            lines.push(serde_json::to_string_pretty(&record).unwrap());
        }
        let path = case.path.with_extension("json");
        let found = lines.join("\n") + "\n";
        if std::env::var_os("UPDATE_CORPUS").is_some() {
            fs::write(&path, found).unwrap();
        } else {
            let approved = fs::read_to_string(&path).unwrap_or_default();
            assert!(approved == found, "{} differs: see the head of {}", path.display(), file!());
        }
    }
}

#[test]
fn a_report_is_found_again_from_its_start() {
    for case in cases() {
        for report in reports(&case.log) {
            let span = report.span;
            assert!(span.start < span.end && span.end <= case.log.len(), "{}", case.path.display());
            let lines = case.log[..span.start].split(|&b| b == b'\n').count() - 1;
            assert_eq!(span.line, lines + 1, "{}", case.path.display());

            let again = reports(&case.log[span.start..]).next().expect("the report");
            assert_eq!(again.title, report.title, "{}", case.path.display());
            assert_eq!(again.span.end + span.start, span.end, "{}", case.path.display());
            assert_eq!((again.span.start, again.span.line), (0, 1));
            let after = reports(&case.log[span.end..]).next();
            assert!(after.is_none_or(|after| after.span.start > 0), "{}", case.path.display());
        }
    }
}

#[test]
fn a_log_cut_at_any_line_has_the_same_reports_but_for_the_last() {
    for case in cases() {
        let all = titles(&case.log);
        for (at, _) in case.log.iter().enumerate().filter(|(_, b)| **b == b'\n') {
            let cut = titles(&case.log[..at]);
            let whole = cut.len().saturating_sub(1);
            assert_eq!(cut[..whole], all[..whole], "{} cut at {at}", case.path.display());
        }
    }
}

#[test]
fn a_log_cut_at_any_byte_is_read() {
    for case in cases() {
        // Every byte of the smaller ones, some of the larger.
        for at in (0..case.log.len()).step_by(1 + case.log.len() / 2000) {
            for report in reports(&case.log[..at]) {
                assert!(report.span.end <= at, "{} cut at {at}", case.path.display());
            }
        }
    }
}

#[test]
fn json_is_read_back_as_it_was() {
    for case in cases() {
        for (index, mut report) in reports(&case.log).enumerate() {
            disasm::annotate(&mut report, disasm::Syntax::Intel);
            explain::annotate(&mut report, disasm::Syntax::Intel);
            let record = Record::new("a\u{1b}b", index, report);
            let mut text = Vec::new();
            json::write(&mut text, &record).unwrap();
            let mut by_serde = Vec::new();
            json::write_value(&mut by_serde, &record).unwrap();
            assert!(text == by_serde, "{}", case.path.display());
            let text = String::from_utf8(text).unwrap();
            assert!(!text.contains('\u{1b}') && !text.contains('\n'));
            assert_eq!(json::read(&text).unwrap(), record, "{}", case.path.display());
        }
    }
}

#[test]
fn carriage_returns_change_nothing() {
    for case in cases().iter().filter(|case| !case.path.starts_with(Path::new("corpus/broken"))) {
        let log = String::from_utf8(case.log.clone()).unwrap().replace("\r\n", "\n");
        let other = log.replace('\n', "\r\n");
        assert_eq!(titles(log.as_bytes()), titles(other.as_bytes()), "{}", case.path.display());
    }
}

#[test]
fn information_changes_no_other_report() {
    let faults = |log: &[u8], information: bool| -> Vec<_> {
        let all = if information { reports(log) } else { ksplat::reports(log) };
        all.filter(|report| !report.kind.is_information()).map(ksplat::Report::into_owned).collect()
    };
    let cases = cases();
    let notices =
        cases.iter().filter(|case| titles(&case.log).len() > faults(&case.log, true).len());
    let notices: Vec<_> = notices.flat_map(|case| case.log.clone()).collect();
    assert!(!notices.is_empty(), "no information in the corpus");
    for case in &cases {
        let log = [notices.as_slice(), &case.log, &notices].concat();
        assert_eq!(faults(&log, true), faults(&log, false), "{}", case.path.display());
    }
}

#[test]
fn an_owned_report_is_the_same() {
    for case in cases() {
        for report in reports(&case.log) {
            assert_eq!(report.clone().into_owned(), report, "{}", case.path.display());
        }
    }
}
