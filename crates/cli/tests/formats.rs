//! `ksplat parse --format junit` and `--format kcidb`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::print_stderr)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::time::Duration;

use common::{call as ksplat, folder};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus};
use serde_json::{Value, json};

const DIVIDE: &str = "corpus/divide-error/divide.log";

/// Runs `parse` with a format; returns the output, the messages and the status.
fn parse(format: &str, args: &[&str], input: &[u8]) -> (String, String, i32) {
    ksplat(&[&["parse", "--format", format], args].concat(), input)
}

fn suites(xml: &str) -> Report {
    Report::deserialize_from_str(xml).unwrap_or_else(|error| panic!("{error}: {xml}"))
}

/// The type, message and text of a failure or an error.
fn reason(case: &TestCase, wanted: NonSuccessKind) -> (&str, &str, &str) {
    match &case.status {
        TestCaseStatus::NonSuccess { kind, message, ty, description, .. } if *kind == wanted => {
            let text = description.as_deref().unwrap_or_default();
            (ty.as_deref().unwrap(), message.as_deref().unwrap(), text)
        }
        status => panic!("{status:?}"),
    }
}

#[test]
fn junit_has_a_suite_for_each_log_and_a_failure_for_each_report() {
    let folder = folder("junit");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (empty, damaged, two) = (path("empty.log"), path("damaged.gz"), path("two.log"));
    fs::write(&empty, "[    0.000000] Linux version 6.1.0\n").unwrap();
    fs::write(&damaged, b"\x1f\x8bdamaged").unwrap();
    let bug = "kernel BUG at fs/a.c:1!\nRIP: 0010:f+0x1/0x2\n---[ end trace 0 ]---\n";
    fs::write(&two, [bug, bug].concat()).unwrap();
    let (xml, err, status) = parse("junit", &[DIVIDE, &empty, &damaged, &two, "nosuch.log"], b"");
    assert_eq!((err.lines().count(), status), (3, 2), "{err}");
    let report = suites(&xml);
    assert_eq!((report.tests, report.failures, report.errors), (6, 3, 2), "{xml}");
    let names: Vec<_> = report.test_suites.iter().map(|suite| &*suite.name).collect();
    assert_eq!(names, [DIVIDE, &empty, &damaged, &two, "nosuch.log"]);
    let counts = report.test_suites.iter().map(|s| (s.tests, s.failures, s.errors));
    assert_eq!(counts.collect::<Vec<_>>(), [(1, 1, 0), (1, 0, 0), (1, 0, 1), (2, 2, 0), (1, 0, 1)]);
    let case = |suite: usize, case: usize| &report.test_suites[suite].test_cases[case];

    let crash = case(0, 0);
    assert_eq!(&*crash.name, "divide error in cm_rate_div");
    assert_eq!(crash.classname.as_deref(), Some(DIVIDE));
    let (kind, message, text) = reason(crash, NonSuccessKind::Failure);
    assert_eq!((kind, message), ("divide-error", "divide error in cm_rate_div"));
    let (page, ..) = ksplat(&["parse", DIVIDE], b"");
    assert_eq!(text.trim_end(), page.trim_end());

    assert_eq!(
        (&*case(1, 0).name, &case(1, 0).status),
        ("no crash report", &TestCaseStatus::success())
    );
    let (_, message, _) = reason(case(2, 0), NonSuccessKind::Error);
    assert!(message.contains("gzip data is damaged"), "{message}");
    assert_eq!([&*case(3, 0).name, &*case(3, 1).name], ["kernel BUG in f", "kernel BUG in f #2"]);
    let (_, message, _) = reason(case(4, 0), NonSuccessKind::Error);
    assert_eq!(message, "No such file or directory");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn junit_has_the_time_since_boot() {
    let log = b"[   12.345678] kernel BUG at fs/a.c:1!\n[   12.345679] RIP: 0010:f+0x1/0x2\n";
    let (xml, err, status) = parse("junit", &[], log);
    assert_eq!((err.as_str(), status), ("", 1));
    let suite = &suites(&xml).test_suites[0];
    assert_eq!(&*suite.name, "-");
    let time = Some(Duration::from_millis(12346));
    assert_eq!((suite.time, suite.test_cases[0].time), (time, time), "{xml}");
}

#[test]
fn information_is_no_failure() {
    let log = b"EXT4-fs error (device sda1): ext4_lookup:1855: inode #2: comm a: deleted inode referenced: 7\n";
    let (xml, _, status) = parse("junit", &["--information"], log);
    let report = suites(&xml);
    assert_eq!((report.tests, report.failures, status), (1, 0, 0), "{xml}");
    assert!(report.test_suites[0].test_cases[0].system_out.is_some(), "{xml}");
    let (text, _, status) = parse("kcidb", &["--information"], log);
    let all: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((all["issues"][0].get("culprit"), status), (None, 0), "{text}");
}

#[test]
fn source_lines_are_in_the_failure() {
    let args =
        ["--vmlinux", "tests/fixture", "--modules", "tests/fixture", "--source", "tests/fixture"];
    let log = "tests/fixture/oops.log";
    let (page, ..) = ksplat(&[&["parse"], &args[..], &[log]].concat(), b"");
    let (xml, ..) = parse("junit", &[&args[..], &[log]].concat(), b"");
    let report = suites(&xml);
    let (.., text) = reason(&report.test_suites[0].test_cases[0], NonSuccessKind::Failure);
    assert_eq!(text.trim_end(), page.trim_end());
    // Images that cannot be read are an error.
    let (xml, _, status) = parse("junit", &["--strict", "--vmlinux", "tests/fixture", DIVIDE], b"");
    assert_eq!((suites(&xml).errors, status), (1, 2), "{xml}");
}

#[test]
fn junit_is_well_formed_xml() {
    // Characters that XML forbids; U+FFFE and U+FFFF are harmless on a terminal.
    let log = "kernel BUG at fs/]]>&<a\u{fffe}\u{ffff}\x01\x1b[31m\0.c:1!\nCPU: 0 PID: 1 Comm: <a>&\u{ffff} Not tainted 6.1.0 #1\n\
               Hardware name: \u{fffe}\u{ffff}\x0b]]> a\nRIP: 0010:f+0x1/0x2\n";
    let (xml, _, status) = parse("junit", &[], log.as_bytes());
    assert_eq!(status, 1);
    let is_allowed =
        |c: char| matches!(c, '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert_eq!(xml.chars().find(|c| !is_allowed(*c)), None, "{xml:?}");
    assert!(xml.contains(r"\u{fffe}\u{ffff}"), "{xml}");
    let (corpus, ..) = parse("junit", &[&["-q"], &logs()[..]].concat(), b"");
    let report = suites(&corpus);
    assert!(report.failures > 200 && report.test_suites.len() > 200, "{}", report.failures);
    for xml in [xml, corpus] {
        let read = "import sys, xml.etree.ElementTree as e; print(len(e.fromstring(sys.stdin.buffer.read()).findall('testsuite')))";
        let Some(output) = python(&["-c", read], xml.as_bytes()) else { return };
        assert_eq!(output.trim(), suites(&xml).test_suites.len().to_string());
    }
}

/// Runs Python; `None` if it is not installed.
fn python(args: &[&str], input: &[u8]) -> Option<String> {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: no python3");
        return None;
    }
    let output = common::run(Command::new("python3").args(args), input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The logs of the corpus.
fn logs() -> Vec<&'static str> {
    common::top();
    let kinds = fs::read_dir("corpus").unwrap().map(|kind| kind.unwrap().path());
    let files = kinds.filter(|kind| kind.is_dir()).flat_map(|kind| fs::read_dir(kind).unwrap());
    let files = files.map(|file| file.unwrap().path());
    let logs = files.filter(|file| file.extension().is_some_and(|extension| extension == "log"));
    logs.map(|log| &*log.to_str().unwrap().to_owned().leak()).collect()
}

#[test]
fn kcidb_has_an_issue_for_each_signature_and_an_incident_for_each_report() {
    let folder = folder("kcidb");
    let copy = folder.join("copy.log").to_str().unwrap().to_owned();
    fs::write(&copy, common::log(DIVIDE)).unwrap();
    let gpf = common::GPF;
    let ids =
        ["--kcidb-origin", "my_ci", "--kcidb-build-id", "my_ci:6.1", "--kcidb-test-id", "farm:7"];
    let (text, err, status) = parse("kcidb", &[&ids[..], &[DIVIDE, &copy, gpf]].concat(), b"");
    assert_eq!((err.as_str(), status, text.lines().count()), ("", 1, 1));
    let all: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(all["version"], json!({"major": 5, "minor": 3}));

    let (line, ..) = parse("jsonl", &[DIVIDE], b"");
    let record: Value = serde_json::from_str(&line).unwrap();
    let id = format!("my_ci:{}", record["signature"]["exact"].as_str().unwrap());
    let version = &record["signature"]["version"];
    let issues = all["issues"].as_array().unwrap();
    assert_eq!(issues.len(), 2, "two logs have the same report");
    let issue = &issues[0];
    let fixed = json!({"id": id, "version": version, "origin": "my_ci", "culprit": {"code": true},
        "report_subject": "divide error in cm_rate_div"});
    assert_contains(issue, &fixed);
    assert!(issue["comment"].as_str().unwrap().len() > 20, "{issue}");
    for key in ["kind", "type", "explanation", "suspects"] {
        assert_eq!(issue["misc"].get(key), record.get(key), "{key}");
        assert!(record.get(key).is_some(), "{key}");
    }
    for key in ["impact", "family"] {
        assert_eq!(issue["misc"][key], record["signature"][key]);
    }

    let incidents = all["incidents"].as_array().unwrap();
    let fixed = json!({"id": format!("my_ci:farm:7:{DIVIDE}#0"), "origin": "my_ci", "issue_id": id,
        "issue_version": version, "build_id": "my_ci:6.1", "test_id": "farm:7", "present": true,
        "comment": "divide error in cm_rate_div"});
    assert_contains(&incidents[0], &fixed);
    let misc = json!({"file": DIVIDE, "index": 0, "line": record["span"]["line"], "kernel": record["kernel"]});
    assert_contains(&incidents[0]["misc"], &misc);
    let files: Vec<_> = incidents.iter().map(|incident| &incident["misc"]["file"]).collect();
    assert_eq!(files, [DIVIDE, &copy, gpf]);
    assert_eq!(incidents[1]["issue_id"], id);
    fs::remove_dir_all(folder).unwrap();
}

#[track_caller]
fn assert_contains(object: &Value, fields: &Value) {
    for (key, value) in fields.as_object().unwrap() {
        assert_eq!(&object[key], value, "{key}: {object}");
    }
}

#[test]
fn kcidb_objects_refer_to_each_other() {
    let (text, ..) = parse("kcidb", &[&["-q", "--information"], &logs()[..]].concat(), b"");
    let all: Value = serde_json::from_str(&text).unwrap();
    let key = |object: &Value, key: &str| object[key].as_str().unwrap().to_owned();
    let objects = |list: &str| all[list].as_array().unwrap().clone();
    let (issues, incidents) = (objects("issues"), objects("incidents"));
    let versions: BTreeMap<_, _> =
        issues.iter().map(|issue| (key(issue, "id"), issue["version"].clone())).collect();
    assert!(issues.len() > 150 && versions.len() == issues.len(), "{} issues", issues.len());
    let ids: BTreeSet<_> = incidents.iter().map(|incident| key(incident, "id")).collect();
    assert!(incidents.len() > issues.len() && ids.len() == incidents.len(), "{}", ids.len());
    for incident in &incidents {
        assert_eq!(versions.get(&key(incident, "issue_id")), Some(&incident["issue_version"]));
    }
    for object in issues.iter().chain(&incidents) {
        assert_eq!(object["origin"], "ksplat");
        assert!(key(object, "id").starts_with("ksplat:"), "{object}");
        // The schema has neither null nor NUL.
        for (key, value) in object.as_object().unwrap() {
            assert!(!value.is_null(), "{key}: {object}");
            assert!(!value.as_str().is_some_and(|text| text.contains('\0')), "{key}: {object}");
        }
    }
}

#[test]
fn a_log_without_a_report_has_empty_lists() {
    let (text, err, status) = parse("kcidb", &["-q"], b"");
    assert_eq!((err.as_str(), status), ("", 0));
    assert_eq!(text, "{\"version\":{\"major\":5,\"minor\":3},\"issues\":[],\"incidents\":[]}\n");
}
