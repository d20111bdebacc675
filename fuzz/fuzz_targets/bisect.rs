//! A bisection log: it is audited, the audit is consistent, and its output is safe to print.
#![no_main]

use ksplat::bisect::{self, MAX_UNKNOWN, AuditOptions, Trust, Verdict};
use ksplat::output::audit;
use ksplat::output::json::{self, AuditRecord};
use ksplat::output::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|log: &[u8]| {
    let Ok(bisection) = bisect::parse(log) else { return };
    assert!(bisection.unknown.len() == bisection.unknown_lines.min(MAX_UNKNOWN));
    let report = bisection.report.clone();
    for known in [
        AuditOptions::default(),
        AuditOptions::default().with_title(Some("WARNING in io_wqe_enqueue")),
        AuditOptions::default().with_report(report.as_ref()),
    ] {
        let audit = bisect::audit(&bisection, known);
        assert_eq!(audit.steps.len(), bisection.steps.len());
        let changed = audit.steps.iter().any(|step| step.verdict != step.audited_verdict);
        let turned = audit.steps.iter().any(|step| {
            step.verdict != step.audited_verdict && step.audited_verdict != Verdict::Skip
        });
        assert!(turned == (audit.trust == Trust::Wrong));
        assert!(audit.p_wrong.is_some() || !changed || audit.trust != Trust::Sound);
        assert!(audit.trust != Trust::Sound || audit.first_doubtful.is_none());
        assert!(audit.trust == Trust::Sound || !changed || audit.first_doubtful.is_some());
        assert!(audit.doubt.is_none_or(|doubt| (0.0..=1.0).contains(&doubt)));
        for step in &audit.steps {
            assert!(step.confidence.is_none_or(|sure| (0.0..=1.0).contains(&sure)));
            assert!(step.rate.low <= step.rate.high && step.rate.hits <= step.rate.runs);
        }
        let mut page = String::new();
        audit::write(&mut page, "-", &audit, text::TextOptions::default()).expect("text");
        assert!(page.chars().all(|c| c == '\n' || !c.is_control()));
        let mut line = String::new();
        audit::write_summary(&mut line, "-", &audit, text::TextOptions::default()).expect("text");
        assert_eq!(line.lines().count(), 1);
        let mut json = Vec::new();
        json::write_audit(&mut json, &AuditRecord::new("-", audit)).expect("JSON");
        serde_json::from_slice::<serde_json::Value>(&json).expect("JSON");
    }
});
