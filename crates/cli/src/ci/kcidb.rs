//! KCIDB submissions: an issue for each signature, an incident for each report.
//!
//! The schema is kcidb_io/schema/v05_03.py of the package kcidb-io. It has no null, and NUL is forbidden
//! in most strings.

use std::collections::HashSet;
use std::io::{self, Write};

use ksplat::output::escape::escape;
use ksplat::output::json::{self, ReportRecord};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::args;

/// The keys of a report that describe its bug. They have the same names and values in its JSON.
const OF_ISSUE: &[&str] = &[
    "kind",
    "type",
    "alt_titles",
    "frame",
    "blame",
    "guilty_file",
    "diagnosis",
    "explanation",
    "suspects",
    "people",
    "known",
];

/// The keys of its signature that describe the bug.
const OF_SIGNATURE: &[&str] = &["family", "impact"];

/// The keys of a report that describe one occurrence.
const OF_INCIDENT: &[&str] = &[
    "file",
    "index",
    "time",
    "wall_time",
    "kernel",
    "task",
    "complete",
    "corrupted_code",
    "suppressed",
    "panicked",
    "consequences",
    "occurrence",
    "text",
];

/// The issues and incidents.
#[derive(Debug, Default)]
pub(super) struct Kcidb {
    issues: Vec<Issue>,
    /// The signatures of the issues.
    signatures: HashSet<u64>,
    incidents: Vec<Incident>,
}

/// A bug.
#[derive(Debug)]
struct Issue {
    signature: u64,
    version: u32,
    title: String,
    comment: String,
    is_information: bool,
    misc: Map<String, Value>,
}

/// A report.
#[derive(Debug)]
struct Incident {
    /// The signature and the version of its issue.
    signature: u64,
    version: u32,
    title: String,
    /// `FILE#INDEX`.
    place: String,
    misc: Map<String, Value>,
}

impl Kcidb {
    pub(super) fn add(&mut self, record: &ReportRecord<'_>) -> io::Result<()> {
        let (Some(signature), report) = (&record.signature, &record.report) else {
            return Err(io::Error::other("a report has no signature"));
        };
        // By way of the text, because a `Value` of an `f32` has the digits of an `f64`.
        let mut text = Vec::new();
        json::write(&mut text, record)?;
        let mut all: Map<String, Value> = serde_json::from_slice(&text)?;
        let title = escape(&report.title).to_string();
        let mut misc = take(&mut all, OF_INCIDENT);
        misc.insert("line".to_owned(), report.span.line.into());
        self.incidents.push(Incident {
            signature: signature.exact,
            version: signature.version,
            title: title.clone(),
            place: format!("{}#{}", escape(&record.file), record.index),
            misc,
        });
        if !self.signatures.insert(signature.exact) {
            return Ok(());
        }
        let mut misc = take(&mut all, OF_ISSUE);
        if let Some(Value::Object(signature)) = all.get_mut("signature") {
            misc.extend(take(signature, OF_SIGNATURE));
        }
        let diagnosis = report.diagnosis.as_ref().map(|diagnosis| &*diagnosis.summary);
        let trap = report.explanation.as_ref().map(|explanation| &*explanation.summary);
        let comment = escape(diagnosis.or(trap).unwrap_or(&report.headline)).to_string();
        self.issues.push(Issue {
            signature: signature.exact,
            version: signature.version,
            title,
            comment,
            is_information: report.kind.is_information(),
            misc,
        });
        Ok(())
    }

    pub(super) fn append(&mut self, later: Self) {
        let signatures = &mut self.signatures;
        self.issues.extend(later.issues.into_iter().filter(|new| signatures.insert(new.signature)));
        self.incidents.extend(later.incidents);
    }

    pub(super) fn write(&self, labels: &args::Kcidb, mut out: &mut dyn Write) -> io::Result<()> {
        let submission = Submission {
            version: SchemaVersion { major: 5, minor: 3 },
            issues: self.issues.iter().map(|issue| issue.object(labels)).collect(),
            incidents: self.incidents.iter().map(|incident| incident.object(labels)).collect(),
        };
        json::write_value(&mut out, &submission)?;
        out.write_all(b"\n")
    }
}

/// Moves the values of keys to another object.
fn take(all: &mut Map<String, Value>, keys: &[&str]) -> Map<String, Value> {
    keys.iter().filter_map(|key| all.remove_entry(*key)).collect()
}

impl Issue {
    fn object<'a>(&'a self, labels: &'a args::Kcidb) -> IssueObject<'a> {
        IssueObject {
            id: issue_id(labels, self.signature),
            version: self.version,
            origin: &labels.origin,
            report_subject: &self.title,
            // An information report does not say that the code is wrong.
            culprit: (!self.is_information).then_some(Culprit { code: true }),
            comment: &self.comment,
            misc: &self.misc,
        }
    }
}

impl Incident {
    fn object<'a>(&'a self, labels: &'a args::Kcidb) -> IncidentObject<'a> {
        let args::Kcidb { origin, build_id, test_id } = labels;
        // Another run of a test may have a log of the same name.
        let run = test_id.as_deref().or(build_id.as_deref());
        let run = run.map(|id| format!("{id}:")).unwrap_or_default();
        IncidentObject {
            id: format!("{origin}:{run}{}", self.place),
            origin,
            issue_id: issue_id(labels, self.signature),
            issue_version: self.version,
            build_id: build_id.as_deref(),
            test_id: test_id.as_deref(),
            present: true,
            comment: &self.title,
            misc: &self.misc,
        }
    }
}

/// The ID of the issue with a signature, which must begin with the origin.
fn issue_id(labels: &args::Kcidb, signature: u64) -> String {
    format!("{}:{signature:016x}", labels.origin)
}

#[derive(Serialize)]
struct Submission<'a> {
    version: SchemaVersion,
    issues: Vec<IssueObject<'a>>,
    incidents: Vec<IncidentObject<'a>>,
}

#[derive(Serialize)]
struct SchemaVersion {
    major: u8,
    minor: u8,
}

#[derive(Serialize)]
struct IssueObject<'a> {
    id: String,
    version: u32,
    origin: &'a str,
    report_subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    culprit: Option<Culprit>,
    comment: &'a str,
    misc: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Culprit {
    code: bool,
}

#[derive(Serialize)]
struct IncidentObject<'a> {
    id: String,
    origin: &'a str,
    issue_id: String,
    issue_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_id: Option<&'a str>,
    present: bool,
    comment: &'a str,
    misc: &'a Map<String, Value>,
}
