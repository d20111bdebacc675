//! Diagnoses contain only facts of the log: each name and number in them is printed in the log.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "common/corpus.rs"]
mod corpus;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ksplat::model::Diagnosis;

/// Returns the words of a diagnosis that contain a digit or a mark of a name, without the marks of
/// the sentence.
fn facts(diagnosis: &Diagnosis) -> Vec<String> {
    let texts = diagnosis.why.iter().map(|evidence| &evidence.text);
    let texts = [&diagnosis.summary].into_iter().chain(texts);
    let words = texts.flat_map(|text| text.split_whitespace()).map(|word| {
        word.trim_matches(|mark| matches!(mark, ',' | ';' | ':'))
            .trim_start_matches('(')
            .trim_end_matches(')')
    });
    let is_fact =
        |word: &&str| word.contains(|c: char| c.is_ascii_digit() || matches!(c, '_' | '>' | '&'));
    words.filter(is_fact).map(str::to_owned).collect()
}

/// Returns whether a word is printed in a log: unchanged, or as a number without leading zeros.
fn is_printed(log: &str, word: &str) -> bool {
    let number = word.strip_prefix("0x").map(|digits| digits.trim_start_matches('0'));
    // An offset in a symbol and an exit status are printed in hexadecimal.
    let hex = || word.parse::<u64>().is_ok_and(|number| log.contains(&format!("{number:x}")));
    // `comm/pid` is printed as `comm` and `pid` in most lines.
    let parts = || word.rsplit_once('/').is_some_and(|(a, b)| log.contains(a) && log.contains(b));
    // The kernel prints the address of an entry in place of its name: `bf004540->next`.
    let member =
        || word.rsplit_once("->").is_some_and(|(_, name)| log.contains(&format!("->{name}")));
    // `memcpy()`
    let name = word.trim_end_matches("()");
    log.contains(name)
        || number.is_some_and(|number| log.contains(number))
        || hex()
        || parts()
        || member()
}

/// Returns the numbers that are computed from printed ones: pages of an order, sizes of local
/// variables and distances to them.
fn computed(report: &ksplat::Report<'_>) -> BTreeSet<u64> {
    let mut numbers = BTreeSet::new();
    if let Some(allocation) = &report.allocation {
        numbers.extend(1u64.checked_shl(u32::try_from(allocation.order).unwrap_or(64)));
    }
    let frame = report.memory.as_ref().and_then(|memory| memory.stack_frame.as_ref());
    for variable in frame.iter().flat_map(|frame| &frame.variables) {
        numbers.extend(variable.end.checked_sub(variable.start));
        let offset = frame.map_or(0, |frame| frame.offset);
        numbers.extend([offset.abs_diff(variable.start), offset.abs_diff(variable.end)]);
    }
    numbers
}

/// The text of a log, with the characters that a web page encodes.
fn text(log: &[u8]) -> String {
    String::from_utf8_lossy(log).replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
}

fn check(path: &Path, log: &[u8]) -> usize {
    let text = text(log);
    let mut count = 0;
    for report in ksplat::Parser::new().with_information(true).reports(log) {
        if let Some(date) = &report.wall_time {
            assert!(text.contains(&**date), "{}: {date}", path.display());
        }
        let Some(diagnosis) = &report.diagnosis else { continue };
        let computed = computed(&report);
        count += 1;
        assert!(!diagnosis.summary.is_empty() && diagnosis.why.len() <= 3, "{diagnosis:?}");
        for word in facts(diagnosis) {
            let name = path.display();
            assert!(
                is_printed(&text, &word)
                    || word.parse().is_ok_and(|number| computed.contains(&number)),
                "{name}: `{word}` of {diagnosis:?} is not in the log"
            );
        }
        for evidence in &diagnosis.why {
            let Some(offset) = evidence.offset else { continue };
            let is_start = offset == 0 || log.get(offset - 1) == Some(&b'\n');
            assert!(is_start, "{}: {evidence:?}", path.display());
        }
    }
    count
}

#[test]
fn facts_of_a_diagnosis_are_in_the_log() {
    let count: usize = corpus::logs().iter().map(|(path, log)| check(path, log)).sum();
    assert!(count > 60, "{count} diagnoses");
}

#[test]
#[ignore = "reads ../shared: cargo test --test diagnosis -- --ignored"]
fn facts_of_a_diagnosis_are_in_the_shared_logs() {
    let folders = ["farm", "farm72", "wild", "cases/titles", "seeds", "trials"];
    let files = folders.iter().flat_map(|name| corpus::files(&Path::new("../shared").join(name)));
    let count: usize = files.map(|path| check(&path, &fs::read(&path).unwrap())).sum();
    assert!(count > 300, "{count} diagnoses");
}

/// A complete chain of locks has a cycle with all of its links, and a diagnosis that begins with
/// it.
#[test]
#[ignore = "reads ../shared: cargo test --test diagnosis -- --ignored"]
fn chains_of_locks_are_complete() {
    let folders = ["farm", "wild", "cases/titles"];
    let files = folders.iter().flat_map(|name| corpus::files(&Path::new("../shared").join(name)));
    let (mut whole, mut all, mut broken) = (0, 0, Vec::new());
    for path in files {
        let log = fs::read(&path).unwrap();
        for report in ksplat::reports(&log) {
            let span = log.get(report.span.start..report.span.end).unwrap();
            let text = text(span);
            if !text.contains("the existing dependency chain (in reverse order)") {
                continue;
            }
            let links = text.lines().filter(|line| line.contains("-> #")).count();
            all += 1;
            let is_whole = report.cycle.len() == links && report.diagnosis.is_some();
            if !is_whole {
                broken.push(format!("{}: {links} links, {:?}", path.display(), report.cycle));
            }
            whole += usize::from(is_whole);
        }
    }
    assert!(all > 50 && whole * 100 >= all * 95, "{whole} of {all}: {broken:#?}");
}
