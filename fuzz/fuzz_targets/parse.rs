//! Any log: spans in order and inside the log, a report found again from its start, titles and
//! text that are safe to print, a JSON round trip.
#![no_main]

use ksplat::disasm::{self, Syntax};
use ksplat::explain;
use ksplat::output::json::{self, Record};
use ksplat::output::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|log: &[u8]| {
    let mut last = 0;
    for (index, mut report) in ksplat::reports(log).with_information().enumerate() {
        let span = report.span;
        assert!(last <= span.start && span.start < span.end && span.end <= log.len());
        last = span.start;
        assert!(report.title().bytes().all(|b| (0x20..0x7f).contains(&b)));
        let again = ksplat::reports(&log[span.start..]).with_information().next().expect("the report again");
        assert_eq!(again.title(), report.title());

        disasm::annotate(&mut report, Syntax::Att);
        explain::annotate(&mut report, Syntax::Att);
        let mut page = String::new();
        text::write(&mut page, "-", &report, text::Options::default().with_all(true)).expect("text");
        assert!(page.chars().all(|c| c == '\n' || !c.is_control()));
        let record = Record::new("-", index, report);
        let mut line = Vec::new();
        json::write(&mut line, &record).expect("JSON");
        let line = std::str::from_utf8(&line).expect("UTF-8");
        assert_eq!(json::read(line).expect("what was written"), record);
    }
});
