//! Logs that are still being written.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ksplat::fingerprint::Signature;
use ksplat::output::json::{self, ReportRecord};
use ksplat::{Analyzer, Event, Report, Started};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{Error, Result};
use crate::parse::{self, Answer, Parser, pairs};

/// The most reports that may go on after their pause: more than a monitor has open.
const MAX_SHOWN: usize = 1024;

/// The start of a report, as `ksplat watch --early` prints it.
#[derive(serde::Serialize)]
struct StartedRecord<'a> {
    line: usize,
    offset: usize,
    kind: ksplat::Kind,
    title: &'a str,
}

/// Parses a console log that is still being written.
#[pyclass(frozen, subclass, module = "ksplat._native")]
pub(crate) struct Monitor(Mutex<State>);

struct State {
    monitor: ksplat::Monitor,
    analyzer: Analyzer<'static>,
    name: String,
    count: usize,
    /// The first byte in the log, and the index, of the last reports.
    last: Vec<(usize, usize)>,
}

type Pairs<'py> = Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>;

#[pymethods]
impl Monitor {
    #[new]
    #[pyo3(signature = (*, name="-", parser=None, quiet=None, pause=None, syntax="att"))]
    fn new(
        name: &str,
        parser: Option<&Bound<'_, Parser>>,
        quiet: Option<f64>,
        pause: Option<f64>,
        syntax: &str,
    ) -> PyResult<Self> {
        let parser = parse::parser(parser.map(Bound::get));
        let parser = match quiet {
            Some(quiet) => parser.with_quiet(seconds(quiet)?),
            None => parser,
        };
        let parser = match pause {
            Some(pause) => parser.with_pause(seconds(pause)?),
            None => parser,
        };
        let analyzer = Analyzer::new().with_syntax(parse::syntax(syntax)?);
        Ok(Self(Mutex::new(State {
            monitor: parser.monitor(),
            analyzer,
            name: name.to_owned(),
            count: 0,
            last: Vec::new(),
        })))
    }

    /// Parses the next bytes; returns the events as JSON, with an empty signature for the start of a report.
    fn push<'py>(&self, py: Python<'py>, chunk: &[u8]) -> PyResult<Pairs<'py>> {
        self.events(py, |state| state.monitor.push(chunk).collect())
    }

    /// Returns the events that `now`, in seconds since any moment, brings.
    fn tick<'py>(&self, py: Python<'py>, now: f64) -> PyResult<Pairs<'py>> {
        let now = seconds(now)?;
        self.events(py, |state| state.monitor.tick(now).collect())
    }

    /// Ends the log, and returns the events of all open reports.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Pairs<'py>> {
        let events = self.events(py, |state| state.monitor.finish().collect())?;
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (state.count, state.last) = (0, Vec::new());
        Ok(events)
    }
}

impl Monitor {
    fn events<'py>(
        &self,
        py: Python<'py>,
        take: impl FnOnce(&mut State) -> Vec<Event> + Send,
    ) -> PyResult<Pairs<'py>> {
        let answers: Result<Vec<Answer>> = py.detach(|| {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let events = take(&mut state);
            events.into_iter().filter_map(|event| state.answer(event).transpose()).collect()
        });
        Ok(pairs(py, answers?))
    }
}

impl State {
    fn answer(&mut self, event: Event) -> Result<Option<Answer>> {
        match event {
            Event::Started(started) => self::started(&started).map(Some),
            Event::Finished(report) => {
                let index = self.count;
                self.count += 1;
                self.last.push((report.span.start, index));
                let old = self.last.len().saturating_sub(MAX_SHOWN);
                self.last.drain(..old);
                self.report(*report, index, false).map(Some)
            }
            Event::Revised(report) => {
                let is = |(start, _): &&(usize, usize)| *start == report.span.start;
                let index = self.last.iter().rev().find(is).map(|(_, index)| *index);
                index.map(|index| self.report(*report, index, true)).transpose()
            }
            _ => Ok(None),
        }
    }

    fn report(&self, mut report: Report<'static>, index: usize, revises: bool) -> Result<Answer> {
        self.analyzer.annotate(&mut report);
        let signature = Signature::of(&report).into_owned();
        let record = ReportRecord::new(&self.name, index, report)
            .with_signature(Some(signature.clone()))
            .with_revises(revises);
        parse::written(&record, &signature)
    }
}

fn started(started: &Started) -> Result<Answer> {
    let Started { line, offset, kind, ref title, .. } = *started;
    let mut json = Vec::new();
    json::write_value(&mut json, &StartedRecord { line, offset, kind, title })
        .map_err(|error| Error::Value(error.to_string()))?;
    Ok((json, Vec::new()))
}

fn seconds(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err(format!("{seconds} is no number of seconds")))
}
