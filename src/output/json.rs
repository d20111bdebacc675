//! JSON: one object per report, described by the JSON Schema in `docs/src/report.schema.json`.
//!
//! | field | value |
//! |---|---|
//! | `file` | the path as given, `-` for standard input |
//! | `index` | 0 for the first report of the file |
//! | `text` | with `--text`: the report without prefixes and lines of others |
//! | `span` | `start`, `end`: bytes in the file; `line`: of the first byte, from 1 |
//! | `kind`, `title`, `alt_titles`, `type`, `frame` | what it is; `frame` is the function in the title |
//! | `message` | what the kernel said in words: the text of a `WARN()`, or what led to a `BUG()` |
//! | `corrupted`, `corrupted_code` | the convention's reason in words and as a code, where the title is not to be trusted: see [`Corruption`](crate::model::Corruption) |
//! | `complete`, `incomplete` | whether the report is whole; what is missing or foreign: see [`Incomplete`](crate::model::Incomplete) |
//! | `suppressed` | whether the test itself broke |
//! | `executor` | `proc`, `id`: the fuzzer's process that was running |
//! | `panicked`, `consequences` | whether the kernel panicked; titles of what the report led to |
//! | `guilty_file` | the source file whose maintainers are asked, where the log has source lines |
//! | `blame` | `function`, `file`, `line`: what most likely holds the bug; `why` in words, `code`: see [`BlameReason`](crate::model::BlameReason) |
//! | `kernel` | `release`, `arch`, `tainted`, `hardware` |
//! | `task` | `comm`, `pid`, `cpu`, `workqueue` |
//! | `access` | `kind` (`read`, `write`, `execute`, `free`), `size` in bytes, `address` |
//! | `registers` | name to value, of the crash |
//! | `link` | a frame: the return address in the link register |
//! | `code` | `arch`, `bytes`, `trap_offset`, `instructions` (`offset`, `bytes`, `text`, `trapping`) |
//! | `explanation` | `summary`; `access` that the code meant (`kind`, `size`, `address`, `expression`, `registers`); `address_class` of it; `shadow`, whether a check of KASAN faulted; `pointer` (`register`, `value`, `offset`, `origin` in words; `source`, the same as fields: `code` is `loaded` (`at`, `operand`, `register`, `displacement`), `returned` (`at`) or `constant` (`value`)); `steps` (`offset`, `text`; `means` in words, beside it `code` and its fields: see [`StepKind`](crate::model::StepKind)); `condition` of a `WARN` or `BUG` (`text` in words; `code`, the [`Relation`](crate::model::Relation), between `left`, whose bits of `mask` alone count where there is one, and `right`, each an [`Operand`](crate::model::Operand); `size` of them; `values` of registers); `agrees_with` (`cr2`, `header`, `error_code`); `confidence` (`certain`, `likely`) |
//! | `stacks` | `role`, `frames` (`function`, `offset`, `size`, `module`, `build_id`, `address`, `exact`, `reliable`, `inline`, `file`, `line`, `context`) |
//! | `memory` | `object`, `allocated_by`, `freed_by`, `shadow` |
//! | `modules` | `name`, `flags` |
//! | `diagnostics` | what could not be read: `offset` in bytes; `what` in words, `part`: see [`ReportPart`](crate::model::ReportPart); `why` in words, `code`: see [`DiagnosticKind`](crate::model::DiagnosticKind) |
//!
//! Addresses are strings, `0x` and 16 digits of a 64-bit machine, 8 of a 32-bit one. Offsets, sizes
//! and ids are numbers. What is unknown is absent. Bytes are strings of hexadecimal digits; bytes of text
//! that are no UTF-8 are `\xff` and the like in it. Control characters, marks that change the direction of
//! text and invisible characters are escapes of JSON, so that the output can be shown as it is.

use std::borrow::Cow;
use std::io::{self, Write as _};

use serde::{Deserialize, Serialize};

use super::record::Value as _;
use crate::bisect::Audit;
use crate::escape::{self, Json};
use crate::fingerprint::Signature;
use crate::model::Report;

/// A report, and the file that it was found in.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ReportRecord<'a> {
    /// The path as given; `-` for standard input.
    pub file: Cow<'a, str>,
    /// 0 for the first report of the file.
    pub index: usize,
    /// Its text, where that was asked for: see [`text`](crate::text).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its signature, where that was asked for.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature<'a>>,
    /// The report.
    #[serde(borrow, flatten)]
    pub report: Report<'a>,
}

impl<'a> ReportRecord<'a> {
    /// The same with the text of the report.
    #[must_use]
    pub fn with_text(self, text: Option<String>) -> Self {
        Self { text, ..self }
    }

    /// The same with its signature.
    #[must_use]
    pub fn with_signature(self, signature: Option<Signature<'a>>) -> Self {
        Self { signature, ..self }
    }

    /// The `index`-th report of `file`.
    pub fn new(file: &'a str, index: usize, report: Report<'a>) -> Self {
        Self { file: Cow::Borrowed(file), index, text: None, signature: None, report }
    }
}

/// Writes any value as JSON that can be shown: see [the module](self).
///
/// ```
/// let mut line = Vec::new();
/// ksplat::output::json::write_value(&mut line, &"a\u{9b}31m\u{202e}b").expect("memory");
/// assert_eq!(line, br#""a\u009b31m\u202eb""#);
/// ```
///
/// # Errors
///
/// Those of `out`.
pub fn write_value(out: &mut impl io::Write, value: &impl Serialize) -> io::Result<()> {
    escape::write_json(out, value, &[])
}

/// Writes a report as one JSON object on one line, without a line feed after it.
///
/// # Errors
///
/// Those of `out`.
pub fn write(out: &mut impl io::Write, record: &ReportRecord<'_>) -> io::Result<()> {
    let mut json = Json::new(out);
    record.write(&mut json)?;
    json.flush()
}

/// Reads a report that [`write()`] wrote.
///
/// # Errors
///
/// The text is no JSON, or not that of a report; the message says where.
pub fn read(text: &str) -> Result<ReportRecord<'_>, serde_json::Error> {
    serde_json::from_str(text)
}

/// The audit of a bisection, and the file that it was found in.
///
/// | field | value |
/// |---|---|
/// | `file` | the path as given, `-` for standard input |
/// | `kind` | `cause` or `fix` |
/// | `original` | `titles` of the crash under bisection; its `rate` (`hits`, `runs`; `low` and `high`, from 0 to 1, between which it is with 95 %) on the commits that have it |
/// | `steps` | `commit`, `subject`, `release`; `runs` (`outcome`, `title`, `count`, `detail`); `rate` of the crash under bisection; `verdict`, `audited_verdict` (`good`, `bad`, `skip`), `decided_by`, `related` (`title`, `count` of runs, `tie`, `score`, `evidence`), `others` of the same kind, `confidence` in `verdict` and `missed`, the chance that a commit with the crash passes as many runs, from 0 to 1, `revisions_left`, `why` |
/// | `culprit`, `subject` | the commit that the bisection names, or null; its subject |
/// | `trust` | `sound`, `doubtful`, `wrong` |
/// | `doubt`, `doubts` | how likely another commit is the right one, from 0 to 1; why (`clue`, `value`, `weight`, `text`) |
/// | `first_doubtful` | the commit of the first step that should not be relied on, or null |
/// | `audited` | `culprit`, `good`, `bad`, each a commit or null; `goods`; `revisions_left`, a number or null; `resume`, commands |
/// | `missing`, `unknown_lines` | what the log lacks; how many lines were not understood |
/// | `report` | the report at the end of the log, as above, or null |
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AuditRecord<'a> {
    /// The path as given; `-` for standard input.
    pub file: Cow<'a, str>,
    /// The audit.
    #[serde(flatten)]
    pub audit: Audit<'a>,
}

impl<'a> AuditRecord<'a> {
    /// The audit of `file`.
    pub fn new(file: &'a str, audit: Audit<'a>) -> Self {
        Self { file: Cow::Borrowed(file), audit }
    }
}

/// Writes an audit as one JSON object on one line, without a line feed after it.
///
/// # Errors
///
/// Those of `out`.
pub fn write_audit(out: &mut impl io::Write, record: &AuditRecord<'_>) -> io::Result<()> {
    write_value(out, record)
}
