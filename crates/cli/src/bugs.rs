//! Clusters of reports on standard output, or as a page.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use ksplat::output::bugs::{self, Bug};
use ksplat::output::html::{self, PageOptions};
use ksplat::output::json;

use crate::args::{Format, Page};
use crate::error::Error;

/// Writes bugs to standard output, or as a page.
pub(crate) fn write(
    bugs: &[Bug<'_>],
    reports: usize,
    logs: usize,
    long: bool,
    html: Option<(&Path, &Page)>,
    format: Format,
) -> Result<(), Error> {
    let mut out = BufWriter::new(io::stdout().lock());
    if let Some((path, shown)) = html {
        let written = fs::File::create(path).and_then(|file| {
            let mut page = BufWriter::new(file);
            let options = PageOptions::default().with_link_base(shown.link_base.as_deref());
            html::write_with(&mut page, bugs, logs, options)?;
            page.flush()
        });
        return written.map_err(|source| Error::Page { path: path.to_owned(), source });
    }
    match format {
        Format::Text => {
            let mut page = String::new();
            bugs::write(&mut page, bugs, long).map_err(io::Error::other)?;
            out.write_all(page.as_bytes())?;
            let bugs = bugs.len();
            writeln!(out, "{}, {}, {}", of(logs, "log"), of(reports, "report"), of(bugs, "bug"))?;
        }
        Format::Json => {
            json::write_value(&mut out, &All { reports, files: logs, clusters: bugs })?;
            out.write_all(b"\n")?;
        }
        Format::Jsonl => {
            for bug in bugs {
                json::write_value(&mut out, bug)?;
                out.write_all(b"\n")?;
            }
        }
    }
    Ok(out.flush()?)
}

/// Formats a number of things.
fn of(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// All clusters, as JSON.
#[derive(serde::Serialize)]
struct All<'a> {
    reports: usize,
    files: usize,
    clusters: &'a [Bug<'a>],
}
