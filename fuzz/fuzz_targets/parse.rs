//! Any log: spans are ordered and inside the log, one is found from the start of the first, titles
//! and text are safe to print, the facts of a diagnosis begin on lines of the log, JSON of report and signature round-trips, each report is in one
//! cluster.
#![no_main]

use ksplat::cluster::{Index, Observation};
use ksplat::output::bugs::{self, Bug};
use ksplat::output::json::{self, ReportRecord};
use ksplat::output::text;
use ksplat::fingerprint::Signature;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|log: &[u8]| {
    let mut last = 0;
    let mut known = Index::new();
    for (index, mut report) in ksplat::Parser::new().with_information(true).reports(log).enumerate() {
        let span = report.span;
        assert!(last <= span.start && span.start < span.end && span.end <= log.len());
        last = span.start;
        if let Some(diagnosis) = &report.diagnosis {
            assert!(!diagnosis.summary.is_empty() && diagnosis.why.len() <= 3);
            for offset in diagnosis.why.iter().filter_map(|evidence| evidence.offset) {
                assert!(offset == 0 || log.get(offset - 1) == Some(&b'\n'));
            }
        }
        assert!(report.title().bytes().all(|b| (0x20..0x7f).contains(&b)));
        // Quotations and reports above decide which headline begins a report, and to which report
        // the lines below belong. The empty line is that of the head of a bisection log.
        if index == 0 {
            let rest = [b"\n", &log[span.start..]].concat();
            assert!(ksplat::Parser::new().with_information(true).reports(&rest).next().is_some());
        }

        ksplat::Analyzer::new().annotate(&mut report);
        let mut page = String::new();
        text::write(&mut page, "-", &report, text::TextOptions::default().with_all(true)).expect("text");
        assert!(page.chars().all(|c| c == '\n' || !c.is_control()));
        let signature = Signature::of(&report).into_owned();
        let first = known.same(&signature);
        assert!(first.is_none_or(|first| (first as usize) < known.len()));
        known.add(&signature, Observation::default());
        let record = ReportRecord::new("-", index, report).with_signature(Some(signature));
        let mut line = Vec::new();
        json::write(&mut line, &record).expect("JSON");
        let line = std::str::from_utf8(&line).expect("UTF-8");
        assert_eq!(json::read(line).expect("what was written"), record);
    }
    let clusters = known.clusters();
    assert_eq!(clusters.iter().map(|cluster| cluster.count).sum::<usize>(), known.len());
    let bugs: Vec<_> = clusters.iter().map(|cluster| Bug::new(cluster, Vec::new())).collect();
    let mut table = String::new();
    bugs::write(&mut table, &bugs, true).expect("text");
    assert!(table.chars().all(|c| c == '\n' || !c.is_control()));
});
