//! The records that are written as JSON: a report or an audit, and its file.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::known::KnownFix;
use crate::bisect::Audit;
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
    /// The maintainers of the files of its suspects, if requested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    /// The fixes that may fix its bug, if requested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<KnownFix>,
    /// Whether the report replaces an earlier one with the same file and index.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revises: bool,
    /// The number of the report in a run of equal ones, from 2: the same task hung again, leaks of
    /// one site.
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

    /// Includes the fixes that may fix the bug.
    #[must_use]
    pub fn with_known(self, known: Vec<KnownFix>) -> Self {
        Self { known, ..self }
    }

    /// Sets whether the report replaces an earlier one.
    #[must_use]
    pub fn with_revises(self, revises: bool) -> Self {
        Self { revises, ..self }
    }

    /// Sets the number of the report in a run of equal ones.
    #[must_use]
    pub fn with_occurrence(self, occurrence: Option<u64>) -> Self {
        Self { occurrence, ..self }
    }

    /// Includes the signature of the report.
    #[must_use]
    pub fn with_signature(self, signature: Option<Signature<'a>>) -> Self {
        Self { signature, ..self }
    }

    /// Copies all text that is borrowed from the log or from JSON.
    pub fn into_owned(self) -> ReportRecord<'static> {
        ReportRecord {
            file: Cow::Owned(self.file.into_owned()),
            index: self.index,
            text: self.text,
            signature: self.signature.map(Signature::into_owned),
            people: self.people,
            known: self.known,
            revises: self.revises,
            occurrence: self.occurrence,
            report: self.report.into_owned(),
        }
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
/// | `p_wrong`, `doubts` | the probability that another commit is right, from 0 to 1; the features (`clue`, `value`, `weight`, `text`); `doubt` is the same as `p_wrong` |
/// | `first_doubtful` | the commit of the first doubtful step, or null |
/// | `audited` | `culprit`, `good`, `bad`, each a commit or null; `goods`; `revisions_left`, a number or null; `contradiction`, the reason if no commit results; `resume`, commands |
/// | `touches` | if a crash and a tree were given: see [`TouchedSuspect`] |
/// | `built` | if a tree and a configuration were given: see [`BuiltFiles`]; absent if the Makefiles do not show it |
/// | `candidates` | if a tree was given: see [`SuspectCommit`] |
/// | `missing`, `unknown_lines` | the parts that the log lacks; the number of lines that were not recognized |
/// | `report` | the report at the end of the log, as above, or null |
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AuditRecord<'a> {
    /// The path as given; `-` for standard input.
    pub file: Cow<'a, str>,
    /// Whether the culprit changes a directory of the suspects, if a crash and a tree were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub touches: Option<TouchedSuspect>,
    /// Whether the culprit is built, if a tree and a configuration were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub built: Option<BuiltFiles>,
    /// The commits of the range that change the suspects, the most likely first, if a tree was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<SuspectCommit>,
    /// The audit.
    #[serde(flatten)]
    pub audit: Audit<'a>,
}

/// Whether a commit changes a file that is built in a configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BuiltFiles {
    /// Whether it does.
    pub built: bool,
    /// The first file that is built, or all files of the commit.
    pub files: Vec<String>,
    /// The options that are not set, and without which these files are not built.
    pub options: Vec<String>,
}

/// A commit that changes suspects of a crash.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SuspectCommit {
    /// The commit.
    pub commit: String,
    /// Its subject.
    pub subject: String,
    /// The sum of the probabilities of the suspects that it changes, and a quarter of that of a suspect
    /// in whose file it changes other functions.
    pub score: f32,
    /// The suspects that it changes, or beside whose names it changes lines.
    pub functions: Vec<String>,
    /// The files of suspects that it changes.
    pub files: Vec<String>,
}

/// The most likely suspect of a crash in whose directory a commit changes a file.
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
    /// The probability that the fix changes the suspect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f32>,
}

impl TouchedSuspect {
    /// Finds the suspects of a report in the directories of a commit's files.
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
        Self {
            file: Cow::Borrowed(file),
            touches: None,
            built: None,
            candidates: Vec::new(),
            audit,
        }
    }
}
