//! JSON: one object per report, described by the JSON Schema in `docs/src/report.schema.json`.
//!
//! A report is the object of [`Report`](crate::model::Report): each field that is present under its own name, `class` as
//! `type`. Fields of [`ReportRecord`] stand beside them. Words for people have the code for programs beside them:
//! `corrupted` and `corrupted_code`, `why` and `code`. `docs/src/json.md` lists all keys.
//!
//! Addresses are strings: `0x` and 16 digits on a 64-bit machine, 8 on a 32-bit one. Offsets, sizes
//! and IDs are numbers. Unknown values are absent. Bytes are strings of hexadecimal digits; bytes of
//! text that are not valid UTF-8 become `\xff` and the like. Control characters, bidirectional marks
//! and invisible characters are JSON escapes, so the output is safe to print.

use std::io::{self, Write as _};

use serde::Serialize;

use super::fields::Value as _;
pub use super::record::{AuditRecord, BuiltFiles, ReportRecord, SuspectCommit, TouchedSuspect};
use crate::escape::{self, Json};
use crate::fingerprint::Signature;

/// Writes any value as JSON that is safe to print: see [the module](self).
///
/// # Examples
///
/// ```
/// let mut line = Vec::new();
/// ksplat::output::json::write_value(&mut line, &"a\u{9b}31m\u{202e}b").expect("memory");
/// assert_eq!(line, br#""a\u009b31m\u202eb""#);
/// ```
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write_value(out: &mut impl io::Write, value: &impl Serialize) -> io::Result<()> {
    escape::write_json(out, value, &[])
}

/// Writes a report as one JSON object on one line, without a line feed after it.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write(out: &mut impl io::Write, record: &ReportRecord<'_>) -> io::Result<()> {
    let mut json = Json::new(out);
    record.write(&mut json)?;
    json.flush()
}

/// Writes a signature as one JSON object on one line, without a line feed after it.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write_signature(out: &mut impl io::Write, signature: &Signature<'_>) -> io::Result<()> {
    let mut json = Json::new(out);
    signature.write(&mut json)?;
    json.flush()
}

/// Parses the JSON of a report, as [`write()`] writes it.
///
/// # Errors
///
/// The text is not JSON, or not that of a report; the message has the line and column.
pub fn read(text: &str) -> Result<ReportRecord<'_>, serde_json::Error> {
    serde_json::from_str(text)
}

/// Writes an audit as one JSON object on one line, without a line feed after it.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write_audit(out: &mut impl io::Write, record: &AuditRecord<'_>) -> io::Result<()> {
    write_value(out, record)
}
