//! Results on standard output, as text or JSON.

use std::fmt;
use std::io::{self, BufWriter, Write};

use ksplat::output::escape::escape;
use ksplat::output::json::{self, ReportRecord};
use ksplat::output::{known, markdown, text};

use crate::args::{Output, ReportFormat};
use crate::ui::{in_color, width};

/// Why a command other than `parse` has no table.
#[cfg(feature = "arrow")]
pub(crate) const NO_TABLE: &str = "--format arrow is a format of `ksplat parse`";

/// Writes results one after the other, with the separators of the format.
pub(crate) struct Writer<'a> {
    out: Box<dyn Write + 'a>,
    format: ReportFormat,
    count: usize,
}

/// The results of one input, which are not written yet.
#[derive(Default)]
pub(crate) struct Page {
    bytes: Vec<u8>,
    count: usize,
}

impl Writer<'_> {
    /// Writes to standard output.
    pub(crate) fn new(format: ReportFormat) -> Self {
        let out = Box::new(BufWriter::with_capacity(1 << 16, io::stdout()));
        Self { out, format, count: 0 }
    }

    /// Calls `write` with a writer to a page.
    pub(crate) fn page<T>(
        format: ReportFormat,
        write: impl FnOnce(&mut Writer<'_>) -> T,
    ) -> (Page, T) {
        let mut bytes = Vec::new();
        let mut writer = Writer { out: Box::new(&mut bytes), format, count: 0 };
        let result = write(&mut writer);
        let count = writer.count;
        drop(writer);
        (Page { bytes, count }, result)
    }

    /// Appends the results of a page.
    pub(crate) fn append(&mut self, page: &Page) -> io::Result<()> {
        let between: &[u8] = match self.format {
            ReportFormat::Text | ReportFormat::Md if self.count > 0 && page.count > 0 => b"\n",
            ReportFormat::Json if self.count > 0 && page.count > 0 => b",\n",
            _ => b"",
        };
        // The JSON of a page is a separate array.
        let is_array = matches!(self.format, ReportFormat::Json) && self.count > 0;
        let rest = page.bytes.get(usize::from(is_array)..).unwrap_or_default();
        self.count += page.count;
        self.out.write_all(between)?;
        self.out.write_all(rest)
    }

    /// The number of results so far.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self.format, ReportFormat::Text | ReportFormat::Md)
    }

    /// Flushes the buffer.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes a report.
    pub(crate) fn report(
        &mut self,
        record: &ReportRecord<'_>,
        options: text::TextOptions,
    ) -> io::Result<()> {
        let is_markdown = matches!(self.format, ReportFormat::Md);
        self.result(
            |page| {
                let below = below(record)?;
                if is_markdown {
                    return markdown::write_with(
                        page,
                        &record.file,
                        &record.report,
                        options,
                        &below,
                    );
                }
                text::write(page, &record.file, &record.report, options)?;
                page.push_str(&below);
                Ok(())
            },
            |mut out| json::write(&mut out, record),
        )
    }

    /// Writes a result by one of two functions.
    pub(crate) fn result(
        &mut self,
        as_text: impl FnOnce(&mut String) -> fmt::Result,
        as_json: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let is_first = self.count == 0;
        self.count += 1;
        match self.format {
            ReportFormat::Text | ReportFormat::Md => {
                let mut page = String::new();
                as_text(&mut page).map_err(io::Error::other)?;
                self.out.write_all(if is_first { b"" } else { b"\n" })?;
                self.out.write_all(page.as_bytes())
            }
            ReportFormat::Json => {
                self.out.write_all(if is_first { b"[" } else { b",\n" })?;
                as_json(&mut *self.out)
            }
            ReportFormat::Jsonl => {
                as_json(&mut *self.out)?;
                self.out.write_all(b"\n")
            }
            #[cfg(feature = "arrow")]
            ReportFormat::Arrow => Err(io::Error::other(NO_TABLE)),
        }
    }

    /// Writes text that belongs to the last result; JSON has none.
    pub(crate) fn add(&mut self, text: &[u8]) -> io::Result<()> {
        if self.is_text() { self.out.write_all(text) } else { Ok(()) }
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        match (self.format, self.count) {
            (ReportFormat::Json, 0) => self.out.write_all(b"[]\n")?,
            (ReportFormat::Json, _) => self.out.write_all(b"]\n")?,
            _ => {}
        }
        self.out.flush()
    }
}

/// Returns the lines below a report: people, and fixes.
fn below(record: &ReportRecord<'_>) -> Result<String, fmt::Error> {
    let mut page = String::new();
    for (index, name) in record.people.iter().enumerate() {
        let label = if index == 0 { "people" } else { "" };
        fmt::Write::write_fmt(&mut page, format_args!("  {label:<9} {}\n", escape(name)))?;
    }
    if !record.known.is_empty() {
        known::write(&mut page, &record.known)?;
    }
    Ok(page)
}

pub(crate) fn text_options(output: &Output) -> text::TextOptions {
    let options = text::TextOptions::default().with_width(width());
    options.with_color(in_color(output.color)).with_all(output.all).with_convention(output.title)
}
