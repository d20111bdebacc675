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
//! | `guilty_file` | the source file to find maintainers by: by the source lines of the log, otherwise that of the first suspect |
//! | `blame` | `function`, `file`, `line`: the function that most likely contains the bug; `why` in words, `code`: see [`BlameReason`](crate::model::BlameReason) |
//! | `suspects` | at most 8, the most likely first: `function`, `file`, `directory`, `subsystem`, `lists`, `probability`; `why` in words, `code`: see [`SuspectReason`](crate::model::SuspectReason) |
//! | `people` | with `--people`: the maintainers of the suspects' files, from the MAINTAINERS of the user's tree |
//! | `revises` | true if the report takes the place of the earlier one with the same `file` and `index`, as it went on: see [`Event::Revised`](crate::Event::Revised) |
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

use std::borrow::Cow;
use std::io::{self, Write as _};

use serde::{Deserialize, Serialize};

use super::record::Value as _;
use crate::bisect::Audit;
use crate::escape::{self, Json};
use crate::fingerprint::Signature;
use crate::model::Report;

/// A report and its file.
///
/// # Examples
///
/// ```
/// use ksplat::output::json::{self, ReportRecord};
///
/// let log = b"kernel BUG at fs/a.c:1!\nRIP: 0010:f+0x1/0x2\n";
/// let report = ksplat::reports(log).next().expect("a report");
/// let mut line = Vec::new();
/// json::write(&mut line, &ReportRecord::new("console.log", 0, report))?;
/// let text = String::from_utf8(line)?;
/// assert_eq!(json::read(&text)?.report.title(), "kernel BUG in f");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ReportRecord<'a> {
    /// The path as given; `-` for standard input.
    pub file: Cow<'a, str>,
    /// The index of the report in the file, from 0.
    pub index: usize,
    /// The text of the report, if it is included: see [`text`](crate::text).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The signature of the report, if it is included.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature<'a>>,
    /// The maintainers of the files of its suspects, where that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    /// The fixes that may be those of its bug, where that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<super::known::KnownFix>,
    /// Whether the report takes the place of an earlier one with the same file and index.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revises: bool,
    /// The number of the report in a row of equal ones, from 2: the same task hung again, leaks of one site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<u64>,
    /// The report.
    #[serde(borrow, flatten)]
    pub report: Report<'a>,
}

impl<'a> ReportRecord<'a> {
    /// Includes the text of the report.
    #[must_use]
    pub fn with_text(self, text: Option<String>) -> Self {
        Self { text, ..self }
    }

    /// Includes the maintainers of the files of the suspects.
    #[must_use]
    pub fn with_people(self, people: Vec<String>) -> Self {
        Self { people, ..self }
    }

    /// Includes the fixes that may be those of the bug.
    #[must_use]
    pub fn with_known(self, known: Vec<super::known::KnownFix>) -> Self {
        Self { known, ..self }
    }

    /// Sets whether the report takes the place of an earlier one.
    #[must_use]
    pub fn with_revises(self, revises: bool) -> Self {
        Self { revises, ..self }
    }

    /// Sets the number of the report in a row of equal ones.
    #[must_use]
    pub fn with_occurrence(self, occurrence: Option<u64>) -> Self {
        Self { occurrence, ..self }
    }

    /// Includes the signature of the report.
    #[must_use]
    pub fn with_signature(self, signature: Option<Signature<'a>>) -> Self {
        Self { signature, ..self }
    }

    /// Makes the record of the report `index` of `file`; indices count from 0.
    pub fn new(file: &'a str, index: usize, report: Report<'a>) -> Self {
        Self {
            file: Cow::Borrowed(file),
            index,
            text: None,
            signature: None,
            people: Vec::new(),
            known: Vec::new(),
            revises: false,
            occurrence: None,
            report,
        }
    }
}

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

/// Parses the JSON of a report, as [`write()`] writes it.
///
/// # Errors
///
/// The text is not JSON, or not that of a report; the message has the line and column.
pub fn read(text: &str) -> Result<ReportRecord<'_>, serde_json::Error> {
    serde_json::from_str(text)
}

/// The audit of a bisection and its file.
///
/// | field | value |
/// |---|---|
/// | `file` | the path as given, `-` for standard input |
/// | `kind` | `cause` or `fix` |
/// | `original` | `titles` of the crash under bisection; its `rate` on the commits that have it (`hits`, `runs`; `low` and `high`, the 95 % confidence interval, from 0 to 1) |
/// | `steps` | `commit`, `subject`, `release`; `runs` (`outcome`, `title`, `count`, `detail`); `rate` of the crash under bisection; `verdict`, `audited_verdict` (`good`, `bad`, `skip`), `decided_by`, `related` (`title`, `count` of runs, `tie`, `score`, `evidence`), `others` of the same kind, `confidence` in `verdict` and `missed`, the chance that a commit with the crash passes as many runs, from 0 to 1, `revisions_left`, `why` |
/// | `culprit`, `subject` | the commit that the bisection names, or null; its subject |
/// | `trust` | `sound`, `doubtful`, `wrong` |
/// | `p_wrong`, `doubts` | the probability that another commit is right, from 0 to 1; the clues (`clue`, `value`, `weight`, `text`); `doubt` is the same as `p_wrong` |
/// | `first_doubtful` | the commit of the first doubtful step, or null |
/// | `audited` | `culprit`, `good`, `bad`, each a commit or null; `goods`; `revisions_left`, a number or null; `contradiction`, why no commit follows, if none does; `resume`, commands |
/// | `missing`, `unknown_lines` | the parts that the log lacks; the number of lines that were not recognized |
/// | `report` | the report at the end of the log, as above, or null |
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AuditRecord<'a> {
    /// The path as given; `-` for standard input.
    pub file: Cow<'a, str>,
    /// Whether the culprit changes a directory of the suspects, where a crash and a tree were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub touches: Option<TouchedSuspect>,
    /// The audit.
    #[serde(flatten)]
    pub audit: Audit<'a>,
}

/// The likeliest suspect of a crash in whose directory a commit changes a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TouchedSuspect {
    /// Whether there is one.
    pub suspect: bool,
    /// The suspect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Its directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// How likely the fix changes the suspect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f32>,
}

impl TouchedSuspect {
    /// Looks for the suspects of a report in the directories of a commit's files.
    pub fn of<'f>(report: &Report<'_>, files: &(impl Iterator<Item = &'f str> + Clone)) -> Self {
        let is_there = |directory: &str| {
            let mut folders = files.clone().filter_map(|file| file.rsplit_once('/'));
            folders.any(|(folder, _)| folder == directory)
        };
        let mut suspects = report.suspects.iter();
        let found = suspects.find(|suspect| suspect.directory.as_deref().is_some_and(is_there));
        Self {
            suspect: found.is_some(),
            function: found.map(|suspect| suspect.function.clone().into_owned()),
            directory: found.and_then(|suspect| suspect.directory.clone()).map(Cow::into_owned),
            probability: found.map(|suspect| suspect.probability),
        }
    }
}

impl<'a> AuditRecord<'a> {
    /// Makes the record of the audit of `file`.
    pub fn new(file: &'a str, audit: Audit<'a>) -> Self {
        Self { file: Cow::Borrowed(file), touches: None, audit }
    }

    /// The same with what the culprit changes.
    #[must_use]
    pub fn with_touches(self, touches: Option<TouchedSuspect>) -> Self {
        Self { touches, ..self }
    }
}

/// Writes an audit as one JSON object on one line, without a line feed after it.
///
/// # Errors
///
/// An error of `out` is returned.
pub fn write_audit(out: &mut impl io::Write, record: &AuditRecord<'_>) -> io::Result<()> {
    write_value(out, record)
}
