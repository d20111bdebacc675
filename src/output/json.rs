//! JSON: one object per report, described by the JSON Schema in `docs/src/report.schema.json`.
//!
//! | field | value |
//! |---|---|
//! | `file` | the path as given, `-` for standard input |
//! | `index` | 0 for the first report of the file |
//! | `text` | with `--text`: the lines of the report, without prefixes and lines of other reports |
//! | `span` | `start`, `end`: byte offsets in the file; `line`: the line of the first byte, from 1 |
//! | `kind`, `title`, `alt_titles`, `type`, `frame` | kind, titles and bug type; `frame` is the function in the title |
//! | `message` | the kernel's message: the text of a `WARN()`, or the line printed before a `BUG()` |
//! | `corrupted`, `corrupted_code` | why the title is not reliable by syzbot's convention, in words and as a code: see [`Corruption`](crate::model::Corruption) |
//! | `complete`, `incomplete` | whether the report is complete; the reasons if not: see [`Incomplete`](crate::model::Incomplete) |
//! | `suppressed` | whether the test machine failed |
//! | `executor` | `proc`, `id`: the fuzzer's process |
//! | `panicked`, `consequences` | whether the kernel panicked; titles of later reports that this one caused |
//! | `guilty_file` | the source file by which to find maintainers: by the source lines of the log, otherwise that of the first suspect |
//! | `blame` | `function`, `file`, `line`: the function that most likely contains the bug; `why` in words, `code`: see [`BlameReason`](crate::model::BlameReason) |
//! | `suspects` | at most 8, the most likely first: `function`, `file`, `directory`, `subsystem`, `lists`, `probability`; `why` in words, `code`: see [`SuspectReason`](crate::model::SuspectReason) |
//! | `people` | with `--people`: the maintainers of the suspects' files, from the MAINTAINERS of the user's tree |
//! | `revises` | true if the report replaces the earlier one with the same `file` and `index`, because it continued: see [`Event::Revised`](crate::Event::Revised) |
//! | `kernel` | `release`, `arch`, `tainted`, `hardware` |
//! | `task` | `comm`, `pid`, `cpu`, `workqueue` |
//! | `access` | `kind` (`read`, `write`, `execute`, `free`), `size` in bytes, `address` |
//! | `registers` | names and values at the crash |
//! | `link` | a frame: the return address in the link register |
//! | `code` | `arch`, `bytes`, `trap_offset`, `instructions` (`offset`, `bytes`, `text`, `trapping`) |
//! | `explanation` | `summary`; `access` of the source code (`kind`, `size`, `address`, `expression`, `registers`); `address_class` of its address; `shadow`, whether a check of KASAN faulted; `pointer` (`register`, `value`, `offset`, `origin` in words; `source`, its fields: `code` is `loaded` (`at`, `operand`, `register`, `displacement`), `returned` (`at`) or `constant` (`value`)); `steps` (`offset`, `text`; `means` in words, beside it `code` and its fields: see [`StepKind`](crate::model::StepKind)); `condition` of a `WARN` or `BUG` (`text` in words; `code`, the [`Relation`](crate::model::Relation), between `left`, masked with `mask` if there is one, and `right`, each an [`Operand`](crate::model::Operand); their `size` in bytes; `values` of registers); `agrees_with` (`cr2`, `header`, `error_code`); `confidence` (`certain`, `likely`) |
//! | `stacks` | `role`, `frames` (`function`, `offset`, `size`, `module`, `build_id`, `address`, `exact`, `reliable`, `inline`, `file`, `line`, `context`) |
//! | `memory` | `object`, `allocated_by`, `freed_by`, `shadow` |
//! | `modules` | `name`, `flags` |
//! | `diagnostics` | the parts that could not be parsed: `offset` in bytes; `what` in words, `part`: see [`ReportPart`](crate::model::ReportPart); `why` in words, `code`: see [`DiagnosticKind`](crate::model::DiagnosticKind) |
//!
//! Addresses are strings: `0x` and 16 digits on a 64-bit machine, 8 on a 32-bit one. Offsets, sizes
//! and IDs are numbers. Unknown values are absent. Bytes are strings of hexadecimal digits; bytes of
//! text that are not valid UTF-8 become `\xff` and the like. Control characters, bidirectional marks
//! and invisible characters are JSON escapes, so the output is safe to print.

use std::io::{self, Write as _};

use serde::Serialize;

use super::fields::Value as _;
pub use super::record::{AuditRecord, ReportRecord, TouchedSuspect};
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
