//! JUnit XML: a test suite for each log, with a failed test case for each report.

use std::collections::HashMap;
use std::io::{self, Write};

use ksplat::output::escape::escape;
use ksplat::output::json::ReportRecord;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// The name of the test case of a log without a report, which also fails if the log cannot be read.
const NO_REPORT: &str = "no crash report";

/// The test suites.
#[derive(Debug)]
pub(super) struct Junit {
    suites: Report,
    /// The test cases of the current log.
    cases: Vec<TestCase>,
    /// How often each title occurs in the current log.
    titles: HashMap<String, usize>,
}

impl Default for Junit {
    fn default() -> Self {
        Self { suites: Report::new("ksplat"), cases: Vec::new(), titles: HashMap::new() }
    }
}

impl Junit {
    pub(super) fn add(&mut self, record: &ReportRecord<'_>, text: &str) {
        let report = &record.report;
        let (title, text) = (xml(&report.title), xml(text));
        let count = self.titles.entry(title.clone()).or_default();
        *count += 1;
        // Many CI systems find the history of a test case by its name, which must be unique.
        let name = if *count == 1 { title.clone() } else { format!("{title} #{count}") };
        let mut case = if report.kind.is_information() {
            let mut case = TestCase::new(name, TestCaseStatus::success());
            case.set_system_out(text);
            case
        } else {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(report.kind.name()).set_message(title).set_description(text);
            TestCase::new(name, status)
        };
        case.time = report.time;
        self.cases.push(case);
    }

    pub(super) fn end_log(&mut self, name: &str, error: Option<&str>) {
        let name = xml(&escape(name).to_string());
        self.titles.clear();
        let mut suite = TestSuite::new(&name);
        suite.time = self.cases.iter().filter_map(|case| case.time).max();
        suite.add_test_cases(self.cases.drain(..));
        if let Some(error) = error {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("input").set_message(xml(error));
            suite.add_test_case(TestCase::new(NO_REPORT, status));
        } else if suite.test_cases.is_empty() {
            suite.add_test_case(TestCase::new(NO_REPORT, TestCaseStatus::success()));
        }
        for case in &mut suite.test_cases {
            case.set_classname(&name);
        }
        self.suites.add_test_suite(suite);
    }

    pub(super) fn append(&mut self, later: Self) {
        self.suites.add_test_suites(later.suites.test_suites);
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.suites.serialize(out).map_err(io::Error::other)
    }
}

/// Escapes the two characters that XML forbids and a terminal does not: control characters are escaped before.
fn xml(text: &str) -> String {
    text.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}
