//! The columns.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow_schema::{Field, Schema, SchemaRef};
use ksplat::fingerprint;
use ksplat::model::{Frame, Stack};

use crate::builder::Row;
use crate::column::{Get, Text};

/// The version of the columns. Later columns are added at the end under the same version; it changes when one is
/// removed, renamed, or gets another type or meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// A column.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Column {
    /// The name.
    pub name: &'static str,
    /// The meaning.
    pub doc: &'static str,
    /// Whether each report has a value.
    pub required: bool,
    pub(crate) get: Get,
}

impl std::fmt::Debug for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Column").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Column {
    const fn optional(name: &'static str, doc: &'static str, get: Get) -> Self {
        Self { name, doc, required: false, get }
    }

    const fn required(name: &'static str, doc: &'static str, get: Get) -> Self {
        Self { name, doc, required: true, get }
    }
}

/// The columns, in their order.
pub const fn columns() -> &'static [Column] {
    COLUMNS
}

/// The schema of the table. Each field has its meaning in the metadata `description`; the metadata of the schema
/// has [`SCHEMA_VERSION`] as `ksplat.schema`, and the version of signatures as `ksplat.fingerprint`.
pub fn schema() -> SchemaRef {
    static SCHEMA: OnceLock<SchemaRef> = OnceLock::new();
    let make = || {
        let field = |column: &Column| {
            let description = HashMap::from([("description".to_owned(), column.doc.to_owned())]);
            Field::new(column.name, column.get.data_type(), !column.required)
                .with_metadata(description)
        };
        let versions = [("schema", SCHEMA_VERSION), ("fingerprint", fingerprint::VERSION)];
        let metadata =
            versions.map(|(name, version)| (format!("ksplat.{name}"), version.to_string()));
        let fields: Vec<Field> = COLUMNS.iter().map(field).collect();
        Arc::new(Schema::new_with_metadata(fields, HashMap::from(metadata)))
    };
    Arc::clone(SCHEMA.get_or_init(make))
}

const COLUMNS: &[Column] = &[
    Column::required("file", "the path or the name of the log", Get::Text(|row| text(row.file))),
    Column::required(
        "index",
        "0 for the first report of the log",
        Get::Count(|row| count(row.index)),
    ),
    Column::required(
        "start",
        "the offset of the first byte of the report in the log",
        Get::Count(|row| count(row.report.span.start)),
    ),
    Column::required(
        "end",
        "the offset behind its last byte",
        Get::Count(|row| count(row.report.span.end)),
    ),
    Column::required("line", "its line, from 1", Get::Count(|row| count(row.report.span.line))),
    Column::optional(
        "time",
        "when its headline was printed, in seconds since boot",
        // The kernel prints microseconds.
        Get::Number(|row| row.report.time.map(|time| (time.as_secs_f64() * 1e6).round() / 1e6)),
    ),
    Column::optional(
        "wall_time",
        "the date and the time of day of its headline, as the log has them",
        Get::Text(|row| borrowed(row.report.wall_time.as_ref())),
    ),
    Column::required("kind", "the kind of failure", Get::Text(|row| text(row.report.kind.name()))),
    Column::required(
        "title",
        "the title by syzbot's convention",
        Get::Text(|row| text(&row.report.title)),
    ),
    Column::required(
        "alt_titles",
        "other titles of the same bug",
        Get::Texts(|row| texts(&row.report.alt_titles)),
    ),
    Column::optional(
        "type",
        "the bug type by syzbot's convention",
        Get::Text(|row| borrowed(row.report.class.as_ref())),
    ),
    Column::optional(
        "frame",
        "the function named in the title",
        Get::Text(|row| row.report.frame.as_deref().map(Cow::Borrowed)),
    ),
    Column::required(
        "headline",
        "the first line as the kernel printed it",
        Get::Text(|row| text(&row.report.headline)),
    ),
    Column::optional(
        "message",
        "the text of a WARN(), or the line printed before a BUG()",
        Get::Text(|row| borrowed(row.report.message.as_ref())),
    ),
    Column::required(
        "complete",
        "whether the report is complete",
        Get::Flag(|row| row.report.complete),
    ),
    Column::required(
        "incomplete",
        "the reasons if it is not, as codes",
        Get::Texts(|row| row.report.incomplete.iter().map(|why| text(why.code())).collect()),
    ),
    Column::optional(
        "corrupted",
        "why the title is not reliable, as a code",
        Get::Text(|row| row.report.corrupted.as_ref().map(|why| Cow::Borrowed(why.code()))),
    ),
    Column::required(
        "suppressed",
        "whether the test machine failed",
        Get::Flag(|row| row.report.suppressed),
    ),
    Column::required(
        "panicked",
        "whether the kernel panicked",
        Get::Flag(|row| row.report.panicked),
    ),
    Column::required(
        "consequences",
        "titles of later reports that this one caused",
        Get::Texts(|row| texts(&row.report.consequences)),
    ),
    Column::required(
        "occurrence",
        "the number of the report in a row of equal ones, from 1",
        Get::Count(|row| Some(row.occurrence)),
    ),
    Column::optional(
        "guilty_file",
        "the source file to find maintainers by",
        Get::Text(|row| row.report.guilty_file.as_deref().map(Cow::Borrowed)),
    ),
    Column::optional(
        "blame",
        "the function that most likely contains the bug",
        Get::Text(|row| row.report.blame.as_ref().map(|blame| Cow::Borrowed(&*blame.function))),
    ),
    Column::optional(
        "blame_reason",
        "why, as a code",
        Get::Text(|row| row.report.blame.as_ref().map(|blame| Cow::Borrowed(blame.why.code()))),
    ),
    Column::required(
        "suspects",
        "the functions that a fix most likely changes, the most likely first",
        Get::Texts(|row| row.report.suspects.iter().map(|found| text(&found.function)).collect()),
    ),
    Column::required(
        "suspect_files",
        "their source files",
        Get::Texts(|row| {
            row.report.suspects.iter().map(|found| borrowed(found.file.as_ref())).collect()
        }),
    ),
    Column::required(
        "suspect_probabilities",
        "how likely a fix changes each",
        Get::Numbers(|row| row.report.suspects.iter().map(|found| found.probability).collect()),
    ),
    Column::optional(
        "subsystem",
        "the section of MAINTAINERS of the first suspect",
        Get::Text(|row| borrowed(row.report.suspects.first()?.subsystem.as_ref())),
    ),
    Column::optional(
        "diagnosis",
        "what happened, in a sentence",
        Get::Text(|row| row.report.diagnosis.as_ref().map(|found| Cow::Borrowed(&*found.summary))),
    ),
    Column::optional(
        "explanation",
        "what the trapping instruction did",
        Get::Text(|row| {
            row.report.explanation.as_ref().map(|found| Cow::Borrowed(&*found.summary))
        }),
    ),
    Column::optional(
        "release",
        "the release of the kernel",
        Get::Text(|row| borrowed(row.report.kernel.release.as_ref())),
    ),
    Column::optional(
        "arch",
        "its architecture",
        Get::Text(|row| row.report.kernel.arch.map(|arch| Cow::Borrowed(arch.name()))),
    ),
    Column::optional(
        "tainted",
        "its taint flags",
        Get::Text(|row| borrowed(row.report.kernel.tainted.as_ref())),
    ),
    Column::optional(
        "hardware",
        "the machine",
        Get::Text(|row| borrowed(row.report.kernel.hardware.as_ref())),
    ),
    Column::optional(
        "build_id",
        "the build ID of the kernel",
        Get::Text(|row| borrowed(row.report.kernel.build_id.as_ref())),
    ),
    Column::optional(
        "comm",
        "the name of the task",
        Get::Text(|row| borrowed(row.report.task.comm.as_ref())),
    ),
    Column::optional("pid", "its number", Get::Count(|row| row.report.task.pid)),
    Column::optional("cpu", "the number of the CPU", Get::Count(|row| row.report.task.cpu)),
    Column::optional(
        "access",
        "the access that failed: read, write, execute or free",
        Get::Text(|row| row.report.access.as_ref()?.kind.map(|kind| Cow::Borrowed(kind.name()))),
    ),
    Column::optional(
        "access_size",
        "its size in bytes",
        Get::Count(|row| row.report.access.as_ref()?.size),
    ),
    Column::optional(
        "access_address",
        "its address, such as 0x0000000000000068",
        Get::Text(|row| {
            row.report.access.as_ref()?.address.map(|address| address.to_string().into())
        }),
    ),
    Column::required(
        "stack",
        "the functions of the crash stack, innermost first; null where a frame has no name",
        Get::Texts(|row| stack(row).map(|frame| borrowed(frame.function.as_ref())).collect()),
    ),
    Column::required(
        "family",
        "the class of the failure, which does not change between kernel versions",
        Get::Text(|row| text(row.signature.family.name())),
    ),
    Column::optional(
        "site",
        "the function where the failure is",
        Get::Text(|row| {
            let site = row.signature.site.as_ref()?;
            borrowed(site.functions.first())
        }),
    ),
    Column::required(
        "impact",
        "the severity in words",
        Get::Text(|row| text(&row.signature.impact.name)),
    ),
    Column::required(
        "exact",
        "the hash of the signature that clusters compare: equal in equal reports of different runs",
        Get::Text(|row| Some(format!("{:016x}", row.signature.exact).into())),
    ),
    Column::required(
        "signature",
        "that signature as JSON",
        Get::Text(|row| text(row.signature_json)),
    ),
];

#[expect(clippy::unnecessary_wraps, reason = "a value of a column")]
fn text(text: &str) -> Text<'_> {
    Some(Cow::Borrowed(text))
}

fn borrowed<'r>(text: Option<&'r Cow<'_, str>>) -> Text<'r> {
    text.map(|text| Cow::Borrowed(&**text))
}

fn texts(all: &[String]) -> Vec<Text<'_>> {
    all.iter().map(|one| text(one)).collect()
}

fn count(count: usize) -> Option<u64> {
    u64::try_from(count).ok()
}

/// The frames of the crash, or of the first stack.
fn stack<'r>(row: &'r Row<'_>) -> impl Iterator<Item = &'r Frame<'r>> {
    let stacks: &[Stack<'r>] = &row.report.stacks;
    let stack = row.report.crash_stack().or_else(|| stacks.first());
    stack.into_iter().flat_map(|stack| &stack.frames)
}
