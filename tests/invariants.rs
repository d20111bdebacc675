//! Properties of all logs, tested on the corpus.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "common/corpus.rs"]
mod corpus;

use corpus::logs;

/// All reports, including information.
fn reports(log: &[u8]) -> ksplat::Reports<'_> {
    ksplat::Parser::new().with_information(true).reports(log)
}

fn titles(log: &[u8]) -> Vec<String> {
    reports(log).map(|report| report.title).collect()
}

#[test]
fn a_report_is_found_again_from_its_start() {
    for (path, log) in logs() {
        for report in reports(&log) {
            let span = report.span;
            assert!(span.start < span.end && span.end <= log.len(), "{}", path.display());
            let lines = log[..span.start].split(|&b| b == b'\n').count() - 1;
            assert_eq!(span.line, lines + 1, "{}", path.display());

            let again = reports(&log[span.start..]).next().expect("the report");
            assert_eq!(again.title, report.title, "{}", path.display());
            assert_eq!(again.span.end + span.start, span.end, "{}", path.display());
            assert_eq!((again.span.start, again.span.line), (0, 1));
            let after = reports(&log[span.end..]).next();
            assert!(after.is_none_or(|after| after.span.start > 0), "{}", path.display());
        }
    }
}

#[test]
fn a_log_cut_at_any_line_has_the_same_reports_but_for_the_last() {
    for (path, log) in logs() {
        let all = titles(&log);
        for (at, _) in log.iter().enumerate().filter(|(_, b)| **b == b'\n') {
            let cut = titles(&log[..at]);
            let whole = cut.len().saturating_sub(1);
            assert_eq!(cut[..whole], all[..whole], "{} cut at {at}", path.display());
        }
    }
}

#[test]
fn a_log_cut_at_any_byte_is_read() {
    for (path, log) in logs() {
        // Every byte of the smaller logs, some of the larger.
        for at in (0..log.len()).step_by(1 + log.len() / 2000) {
            for report in reports(&log[..at]) {
                assert!(report.span.end <= at, "{} cut at {at}", path.display());
            }
        }
    }
}

#[test]
fn carriage_returns_are_ignored() {
    for (path, log) in logs().into_iter().filter(|(path, _)| !path.starts_with("corpus/broken")) {
        let log = String::from_utf8(log).unwrap().replace("\r\n", "\n");
        let other = log.replace('\n', "\r\n");
        assert_eq!(titles(log.as_bytes()), titles(other.as_bytes()), "{}", path.display());
    }
}

#[test]
fn information_changes_no_other_report() {
    let faults = |log: &[u8], information: bool| -> Vec<_> {
        let all = if information { reports(log) } else { ksplat::reports(log) };
        all.filter(|report| !report.kind.is_information()).map(ksplat::Report::into_owned).collect()
    };
    let logs = logs();
    let has_notice = |log: &[u8]| titles(log).len() > faults(log, true).len();
    let notices = logs.iter().filter(|(_, log)| has_notice(log));
    let notices: Vec<_> = notices.flat_map(|(_, log)| log.clone()).collect();
    assert!(!notices.is_empty(), "no information in the corpus");
    // A quotation of a headline takes the body of an information report below it, if information is
    // skipped.
    for (path, log) in logs.iter().filter(|(path, _)| !path.starts_with("corpus/none")) {
        let log = [notices.as_slice(), log, &notices].concat();
        assert_eq!(faults(&log, true), faults(&log, false), "{}", path.display());
    }
}

#[test]
fn an_owned_report_is_the_same() {
    for (path, log) in logs() {
        for report in reports(&log) {
            assert_eq!(report.clone().into_owned(), report, "{}", path.display());
        }
    }
}
