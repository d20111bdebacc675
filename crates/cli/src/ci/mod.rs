//! Documents for CI systems. They contain counts or lists of all logs, so they are written at the end.

mod junit;
mod kcidb;

use std::io::{self, Write};

use ksplat::output::json::ReportRecord;

use crate::args;
use junit::Junit;
use kcidb::Kcidb;

/// The format of a document.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Format<'a> {
    Junit,
    Kcidb(&'a args::Kcidb),
}

/// The contents of a document.
#[derive(Debug, Default)]
pub(crate) struct Document {
    junit: Junit,
    kcidb: Kcidb,
}

impl Document {
    /// Adds a report of the current log; `text` is the report as text.
    pub(crate) fn add(
        &mut self,
        format: Format<'_>,
        record: &ReportRecord<'_>,
        text: &str,
    ) -> io::Result<()> {
        match format {
            Format::Junit => self.junit.add(record, text),
            Format::Kcidb(_) => self.kcidb.add(record)?,
        }
        Ok(())
    }

    /// Ends the current log; `error` is the escaped reason why it could not be read to its end.
    pub(crate) fn end_log(&mut self, format: Format<'_>, name: &str, error: Option<&str>) {
        match format {
            Format::Junit => self.junit.end_log(name, error),
            // KCIDB has no object for a log.
            Format::Kcidb(_) => {}
        }
    }

    /// Appends the contents for later logs.
    pub(crate) fn append(&mut self, later: Self) {
        self.junit.append(later.junit);
        self.kcidb.append(later.kcidb);
    }

    /// Writes the document.
    pub(crate) fn write(&self, format: Format<'_>, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Junit => self.junit.write(out),
            Format::Kcidb(labels) => self.kcidb.write(labels, out),
        }
    }
}
