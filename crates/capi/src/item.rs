//! The JSON of a report with its signature and its text, written and read.

use ksplat::Analyzer;
use ksplat::fingerprint::{Signature, VERSION};
use ksplat::output::json::{self, ReportRecord};
use ksplat::output::text::{self, TextOptions};
use serde::Deserialize as _;
use serde_json::Value;

use crate::error::{ErrorCode, Failure};

/// Writes values with commas between them as a JSON array.
pub(crate) fn array<T>(
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T) -> Result<(), Failure>,
) -> Result<Vec<u8>, Failure> {
    let mut out = vec![b'['];
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(&mut out, item)?;
    }
    out.push(b']');
    Ok(out)
}

/// Writes a value as JSON that is safe to print.
pub(crate) fn write_value(out: &mut Vec<u8>, value: &impl serde::Serialize) -> Result<(), Failure> {
    json::write_value(out, value).map_err(|error| Failure::internal(error.to_string()))
}

/// Writes a report, its signature, its text, and the event of a monitor that returned it.
pub(crate) fn write(
    out: &mut Vec<u8>,
    event: Option<&str>,
    record: &ReportRecord<'_>,
    signature: &Signature<'_>,
) -> Result<(), Failure> {
    let internal = |error: &dyn std::fmt::Display| Failure::internal(error.to_string());
    out.push(b'{');
    if let Some(event) = event {
        out.extend_from_slice(b"\"event\":");
        write_value(out, &event)?;
        out.push(b',');
    }
    out.extend_from_slice(b"\"report\":");
    json::write(out, record).map_err(|error| internal(&error))?;
    out.extend_from_slice(b",\"signature\":");
    json::write_signature(out, signature).map_err(|error| internal(&error))?;
    let mut page = String::new();
    text::write(&mut page, &record.file, &record.report, TextOptions::default())
        .map_err(|error| internal(&error))?;
    out.extend_from_slice(b",\"text\":");
    write_value(out, &page)?;
    out.push(b'}');
    Ok(())
}

/// Reads the signatures of a JSON object or of an array of them, without starts of reports.
pub(crate) fn signatures(json: &str) -> Result<Vec<Signature<'static>>, Failure> {
    match parsed(json)? {
        Value::Array(items) => {
            let mut found = Vec::with_capacity(items.len());
            for (place, item) in items.iter().enumerate() {
                let place = || format!("element {place} of the array");
                found.extend(signature(item, &place)?);
            }
            Ok(found)
        }
        item => Ok(signature(&item, &whole)?.into_iter().collect()),
    }
}

/// Reads the signature of one JSON object.
pub(crate) fn one_signature(json: &str) -> Result<Signature<'static>, Failure> {
    let started = || wrong("the start of a report has no signature");
    signature(&parsed(json)?, &whole)?.ok_or_else(started)
}

fn parsed(json: &str) -> Result<Value, Failure> {
    serde_json::from_str(json).map_err(|error| wrong(error.to_string()))
}

fn wrong(details: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::Json, details)
}

fn whole() -> String {
    "the JSON".to_owned()
}

/// Returns the signature of an object: its own, or that of its report. `None` for the start of a
/// report, which has neither.
fn signature(
    item: &Value,
    place: &dyn Fn() -> String,
) -> Result<Option<Signature<'static>>, Failure> {
    if item.get("event").and_then(Value::as_str) == Some("started") {
        return Ok(None);
    }
    let given = item.get("signature").or_else(|| item.get("exact").map(|_| item));
    let signature = match given {
        Some(signature) => {
            // First, because a signature of another version may lack a field.
            let version = signature.get("version").and_then(Value::as_u64);
            match version.filter(|version| *version != u64::from(VERSION)) {
                Some(version) => return Err(other_version(version)),
                None => Signature::deserialize(signature)
                    .map_err(|error| wrong(format!("{} is not a signature: {error}", place())))?
                    .into_owned(),
            }
        }
        None => of_report(item.get("report").unwrap_or(item))
            .map_err(|error| wrong(format!("{} is not a report: {error}", place())))?,
    };
    Ok(Some(signature))
}

fn other_version(version: u64) -> Failure {
    let details = format!("the signature has version {version}, but this library makes {VERSION}");
    Failure::new(ErrorCode::Version, details)
}

/// Signs a report, which has an explanation then, as those that are compared with it.
fn of_report(json: &Value) -> serde_json::Result<Signature<'static>> {
    let mut record = ReportRecord::deserialize(json)?;
    if record.report.explanation.is_none() {
        Analyzer::new().without_instructions().without_suspects().annotate(&mut record.report);
    }
    Ok(Signature::of(&record.report).into_owned())
}
