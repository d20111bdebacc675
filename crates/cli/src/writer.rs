//! Reports on standard output, as text or JSON.

use std::io::{self, BufWriter, Write};

use ksplat::output::json::{self, ReportRecord};
use ksplat::output::text;

use crate::args::{Format, Output};
use crate::ui::in_color;

/// Reports to standard output in the format that was asked for.
pub(crate) struct Writer<W = BufWriter<io::Stdout>> {
    out: W,
    format: Format,
    options: text::TextOptions,
    pub(crate) count: usize,
}

impl Writer {
    pub(crate) fn new(output: &Output) -> Self {
        Self::to(BufWriter::with_capacity(1 << 16, io::stdout()), output)
    }

    /// Adds the reports of a page.
    pub(crate) fn append(&mut self, page: &Writer<Vec<u8>>) -> io::Result<()> {
        let between: &[u8] = match self.format {
            _ if page.count == 0 => return Ok(()),
            Format::Text if self.count > 0 => b"\n",
            Format::Json if self.count > 0 => b",\n",
            _ => b"",
        };
        // The page of JSON begins an array of its own.
        let is_array = matches!(self.format, Format::Json) && self.count > 0;
        let rest = page.out.get(usize::from(is_array)..).unwrap_or_default();
        self.count += page.count;
        self.out.write_all(between)?;
        self.out.write_all(rest)
    }
}

impl<W: Write> Writer<W> {
    pub(crate) fn to(out: W, output: &Output) -> Self {
        Self { out, format: output.format, options: text_options(output), count: 0 }
    }

    /// Writes what there is now.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    pub(crate) fn report(&mut self, record: &ReportRecord<'_>) -> io::Result<()> {
        let is_first = self.count == 0;
        self.count += 1;
        match self.format {
            Format::Text => {
                let mut page = String::new();
                text::write(&mut page, &record.file, &record.report, self.options)
                    .map_err(io::Error::other)?;
                self.out.write_all(if is_first { b"" } else { b"\n" })?;
                self.out.write_all(page.as_bytes())
            }
            Format::Json => {
                self.out.write_all(if is_first { b"[" } else { b",\n" })?;
                json::write(&mut self.out, record)
            }
            Format::Jsonl => {
                json::write(&mut self.out, record)?;
                self.out.write_all(b"\n")
            }
        }
    }

    /// Adds to the page of the last report.
    pub(crate) fn add(&mut self, page: &str) -> io::Result<()> {
        match self.format {
            Format::Text => self.out.write_all(page.as_bytes()),
            Format::Json | Format::Jsonl => Ok(()),
        }
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        match (self.format, self.count) {
            (Format::Json, 0) => self.out.write_all(b"[]\n")?,
            (Format::Json, _) => self.out.write_all(b"]\n")?,
            _ => {}
        }
        self.out.flush()
    }
}

pub(crate) fn text_options(output: &Output) -> text::TextOptions {
    text::TextOptions::default().with_color(in_color(output.color)).with_all(output.all)
}
