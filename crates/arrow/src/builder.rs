//! Logs to rows.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use ksplat::fingerprint::{self, Signature};
use ksplat::output::{Repeats, json};
use ksplat::{Analyzer, Parser, Report};

use crate::column::Values;
use crate::table::{columns, schema};

/// The most bytes of text in a batch: offsets of Arrow's `utf8` have 31 bits, and a report has less than a tenth
/// of its log in each column.
const MAX_TEXT: usize = 1 << 30;

/// The bytes of text at which a batch is full, so that a log of less than 768 MiB is added to any other batch.
const FULL: usize = MAX_TEXT / 4;

/// A report, and the other values of its row.
pub(crate) struct Row<'r> {
    pub(crate) file: &'r str,
    pub(crate) index: usize,
    pub(crate) occurrence: u64,
    pub(crate) report: &'r Report<'r>,
    pub(crate) signature: &'r Signature<'r>,
    pub(crate) signature_json: &'r str,
}

/// The analyzer of a table, which has no column for instructions as text.
pub fn analyzer() -> Analyzer<'static> {
    Analyzer::new().without_instructions()
}

/// Makes a batch of the reports of logs.
pub struct Builder {
    columns: Vec<Values>,
    rows: usize,
    text: usize,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Makes an empty batch.
    pub fn new() -> Self {
        let columns = columns().iter().map(|column| column.get.builder()).collect();
        Self { columns, rows: 0, text: 0 }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether the batch has so much text that it should be finished.
    pub fn is_full(&self) -> bool {
        self.text > FULL
    }

    /// Adds the reports of a log. Each is explained before it is signed, and hangs are signed with the others of
    /// their log, as `ksplat cluster` does. Returns the number of crashes among them: reports that are more than
    /// information.
    ///
    /// # Errors
    ///
    /// The batch has too much text: finish it, and begin another one.
    pub fn add(
        &mut self,
        file: &str,
        log: &[u8],
        parser: Parser,
        analyzer: &Analyzer<'_>,
    ) -> Result<usize, ArrowError> {
        let mut repeats = Repeats::default();
        let mut json = Vec::new();
        let signed = fingerprint::of_log(analyzer, parser.reports(log));
        for (index, (report, signature)) in signed.iter().enumerate() {
            json.clear();
            json::write_signature(&mut json, signature)?;
            let signature_json = str::from_utf8(&json).unwrap_or_default();
            self.text += report.span.end - report.span.start + json.len() + file.len();
            if self.text > MAX_TEXT {
                return Err(ArrowError::OffsetOverflowError(self.text));
            }
            let occurrence = repeats.number(report);
            let row = Row { file, index, occurrence, report, signature, signature_json };
            self.columns.iter_mut().for_each(|column| column.add(&row));
            self.rows += 1;
        }
        Ok(signed.iter().filter(|(report, _)| !report.kind.is_information()).count())
    }

    /// Returns the batch; the builder is empty then.
    ///
    /// # Errors
    ///
    /// Those of Arrow, which a table without nulls in its required columns does not have.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        (self.rows, self.text) = (0, 0);
        let arrays = self.columns.iter_mut().map(Values::finish).collect();
        RecordBatch::try_new(Arc::clone(&schema()), arrays)
    }
}
