//! Results on standard output, as text or JSON.

use std::fmt;
use std::io::{self, BufWriter, Write};

use ksplat::output::escape::escape;
use ksplat::output::json::{self, ReportRecord};
use ksplat::output::{known, markdown, text};

use crate::args::{Output, ReportFormat};
use crate::ci::{self, Document};
use crate::ui::{error_text, in_color, width};

/// The format of a writer.
#[derive(Clone, Copy)]
pub(crate) enum Format<'a> {
    /// Results one after the other, with separators.
    Results(ReportFormat),
    /// One document about all logs.
    Document(ci::Format<'a>),
}

impl From<ReportFormat> for Format<'_> {
    fn from(format: ReportFormat) -> Self {
        Self::Results(format)
    }
}

/// Writes results one after the other, or collects them for a document.
pub(crate) struct Writer<'a> {
    out: Box<dyn Write + 'a>,
    format: Format<'a>,
    count: usize,
    document: Document,
}

/// The results of one input, which are not written yet.
#[derive(Default)]
pub(crate) struct Page {
    bytes: Vec<u8>,
    count: usize,
    document: Document,
}

impl<'a> Writer<'a> {
    /// Writes to standard output.
    pub(crate) fn new(format: Format<'a>) -> Self {
        let out = Box::new(BufWriter::with_capacity(1 << 16, io::stdout()));
        Self { out, format, count: 0, document: Document::default() }
    }

    /// Calls `write` with a writer to a page.
    pub(crate) fn page<T>(
        format: Format<'_>,
        write: impl FnOnce(&mut Writer<'_>) -> T,
    ) -> (Page, T) {
        let (mut bytes, document) = (Vec::new(), Document::default());
        let mut writer = Writer { out: Box::new(&mut bytes), format, count: 0, document };
        let result = write(&mut writer);
        let (count, document) = (writer.count, std::mem::take(&mut writer.document));
        drop(writer);
        (Page { bytes, count, document }, result)
    }

    /// Appends the results of a page.
    pub(crate) fn append(&mut self, page: Page) -> io::Result<()> {
        let is_next = self.count > 0 && page.count > 0;
        let between: &[u8] = match self.format {
            Format::Results(ReportFormat::Text | ReportFormat::Md) if is_next => b"\n",
            Format::Results(ReportFormat::Json) if is_next => b",\n",
            _ => b"",
        };
        // The JSON of a page is a separate array.
        let is_json = matches!(self.format, Format::Results(ReportFormat::Json));
        let rest = page.bytes.get(usize::from(is_json && self.count > 0)..).unwrap_or_default();
        self.count += page.count;
        self.document.append(page.document);
        self.out.write_all(between)?;
        self.out.write_all(rest)
    }

    /// The number of results so far.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self.format, Format::Results(ReportFormat::Text | ReportFormat::Md))
    }

    /// Flushes the buffer.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes a report; `sources` are its source lines as text, which JSON does not have.
    pub(crate) fn report(
        &mut self,
        record: &ReportRecord<'_>,
        options: text::TextOptions,
        sources: &str,
    ) -> io::Result<()> {
        let is_markdown = match self.format {
            Format::Document(format) => {
                let mut page = String::new();
                let options = options.with_color(false).with_width(None);
                write_text(&mut page, record, options, sources).map_err(io::Error::other)?;
                self.count += 1;
                return self.document.add(format, record, &page);
            }
            Format::Results(format) => matches!(format, ReportFormat::Md),
        };
        self.result(
            |page| {
                if !is_markdown {
                    return write_text(page, record, options, sources);
                }
                let (file, report) = (&record.file, &record.report);
                markdown::write_with(page, file, report, options, &below(record)?)?;
                page.push_str(sources);
                Ok(())
            },
            |mut out| json::write(&mut out, record),
        )
    }

    /// Ends the results of a log; `error` is the reason why it was not read to its end.
    pub(crate) fn end_log(&mut self, name: &str, error: Option<&dyn fmt::Display>) {
        if let Format::Document(format) = self.format {
            let error = error.map(error_text);
            self.document.end_log(format, name, error.as_deref());
        }
    }

    /// Writes a result by one of two functions. A document has only reports.
    pub(crate) fn result(
        &mut self,
        as_text: impl FnOnce(&mut String) -> fmt::Result,
        as_json: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let Format::Results(format) = self.format else { return Ok(()) };
        let is_first = self.count == 0;
        self.count += 1;
        match format {
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
        }
    }

    /// Writes text that belongs to the last result; JSON has none.
    pub(crate) fn add(&mut self, text: &[u8]) -> io::Result<()> {
        if self.is_text() { self.out.write_all(text) } else { Ok(()) }
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        match (self.format, self.count) {
            (Format::Results(ReportFormat::Json), 0) => self.out.write_all(b"[]\n")?,
            (Format::Results(ReportFormat::Json), _) => self.out.write_all(b"]\n")?,
            (Format::Results(_), _) => {}
            (Format::Document(format), _) => self.document.write(format, &mut *self.out)?,
        }
        self.out.flush()
    }
}

/// Writes a report as text.
fn write_text(
    page: &mut String,
    record: &ReportRecord<'_>,
    options: text::TextOptions,
    sources: &str,
) -> fmt::Result {
    text::write(page, &record.file, &record.report, options)?;
    page.push_str(&below(record)?);
    page.push_str(sources);
    Ok(())
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
