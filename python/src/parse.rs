//! Logs to reports.

use ksplat::disasm::Syntax;
use ksplat::fingerprint::{self, Signature};
use ksplat::output::Repeats;
use ksplat::output::json::{self, ReportRecord};
use ksplat::output::text::{self, TextOptions};
use ksplat::{Analyzer, Limits, Report};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{Error, Result};
use crate::log::Source;
use crate::symbolizer::Symbolizer;

/// The options of parsing: which reports are read, and their limits.
///
/// `information` adds reports of memory exhaustion and damaged file systems, `any_program` reads the lines of
/// programs other than the kernel. Limits of a report: its lines, its frames, and how many reports may be
/// interleaved.
#[pyclass(frozen, module = "ksplat")]
#[derive(Debug)]
pub(crate) struct Parser(pub(crate) ksplat::Parser);

#[pymethods]
impl Parser {
    #[new]
    #[pyo3(signature = (*, information=false, any_program=false, max_lines=None, max_frames=None, max_open=None))]
    fn new(
        information: bool,
        any_program: bool,
        max_lines: Option<usize>,
        max_frames: Option<usize>,
        max_open: Option<usize>,
    ) -> PyResult<Self> {
        if [max_lines, max_frames, max_open].contains(&Some(0)) {
            return Err(PyValueError::new_err("a limit is at least 1"));
        }
        let known = Limits::default();
        let limits = known
            .with_lines(max_lines.unwrap_or(known.lines))
            .with_frames(max_frames.unwrap_or(known.frames))
            .with_open(max_open.unwrap_or(known.open));
        let parser = ksplat::Parser::new().with_limits(limits);
        Ok(Self(parser.with_information(information).with_any_program(any_program)))
    }
}

/// The parser of an argument that may be missing.
pub(crate) fn parser(given: Option<&Parser>) -> ksplat::Parser {
    given.map_or_else(ksplat::Parser::new, |parser| parser.0)
}

/// The syntax that a word names.
pub(crate) fn syntax(name: &str) -> PyResult<Syntax> {
    match name {
        "att" => Ok(Syntax::Att),
        "intel" => Ok(Syntax::Intel),
        _ => Err(PyValueError::new_err(format!("a syntax is 'att' or 'intel', not {name:?}"))),
    }
}

/// A report and the signature that clusters compare, as JSON.
pub(crate) type Answer = (Vec<u8>, Vec<u8>);

/// The pairs as Python's bytes.
pub(crate) fn pairs(
    py: Python<'_>,
    answers: Vec<Answer>,
) -> Vec<(Bound<'_, PyBytes>, Bound<'_, PyBytes>)> {
    let pair =
        |(report, signature): Answer| (PyBytes::new(py, &report), PyBytes::new(py, &signature));
    answers.into_iter().map(pair).collect()
}

/// Returns the reports of a log as JSON, each with the signature that clusters compare.
#[pyfunction]
#[pyo3(signature = (log, name, parser, text, syntax, symbolizer))]
pub(crate) fn parse<'py>(
    py: Python<'py>,
    log: Source,
    name: Option<&str>,
    parser: Option<&Bound<'py, Parser>>,
    text: bool,
    syntax: &str,
    symbolizer: Option<&Bound<'py, Symbolizer>>,
) -> PyResult<Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>> {
    let parser = self::parser(parser.map(Bound::get));
    let syntax = self::syntax(syntax)?;
    let symbolizer = symbolizer.map(Bound::get);
    let name = name.map_or_else(|| log.name(), str::to_owned);
    let answers = py.detach(|| {
        let bytes = log.read()?;
        match symbolizer {
            Some(symbolizer) => {
                symbolizer.with(|analyzer| answers(&name, &bytes, parser, analyzer, text))
            }
            None => answers(&name, &bytes, parser, &Analyzer::new().with_syntax(syntax), text),
        }
    });
    Ok(pairs(py, answers?))
}

fn answers(
    name: &str,
    log: &[u8],
    parser: ksplat::Parser,
    analyzer: &Analyzer<'_>,
    text: bool,
) -> Result<Vec<Answer>> {
    let mut repeats = Repeats::default();
    let signed = fingerprint::of_log(analyzer, parser.reports(log));
    let answer = |(index, (report, signature)): (usize, (Report<'_>, Signature<'_>))| {
        let number = repeats.number(&report);
        let text = text.then(|| ksplat::text(log, &report));
        let own = Signature::of(&report).into_owned();
        let record = ReportRecord::new(name, index, report)
            .with_text(text)
            .with_occurrence(Some(number).filter(|number| *number > 1))
            .with_signature(Some(own));
        written(&record, &signature)
    };
    signed.into_iter().enumerate().map(answer).collect()
}

/// A report and a signature as JSON.
pub(crate) fn written(record: &ReportRecord<'_>, signature: &Signature<'_>) -> Result<Answer> {
    let (mut report, mut signed) = (Vec::new(), Vec::new());
    let written = json::write(&mut report, record)
        .and_then(|()| json::write_signature(&mut signed, signature));
    written.map_err(|error| Error::Value(error.to_string()))?;
    Ok((report, signed))
}

/// Returns a report as the text that `ksplat parse` prints.
#[pyfunction]
#[pyo3(signature = (report, all, width))]
pub(crate) fn explain(
    py: Python<'_>,
    report: &str,
    all: bool,
    width: Option<usize>,
) -> PyResult<String> {
    let page = py.detach(|| -> Result<String> {
        let record = json::read(report).map_err(|error| Error::Json("report", error))?;
        let options = TextOptions::default().with_width(width).with_all(all);
        let mut page = String::new();
        text::write(&mut page, &record.file, &record.report, options)
            .map_err(|error| Error::Value(error.to_string()))?;
        Ok(page)
    });
    Ok(page?)
}
