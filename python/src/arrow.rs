//! Logs to an Arrow stream.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{ArrowError, SchemaRef};
use ksplat::Analyzer;
use ksplat_arrow::Builder;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyIterator, PyTuple};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};
use crate::log::Source;
use crate::parse::{self, Parser};
use crate::symbolizer::Symbolizer;

/// The bytes of logs that are in memory at once, for each thread.
const BYTES: usize = 8 << 20;

/// A log with its name.
type Named = (String, Source);

/// Parses logs when a reader of Arrow asks for batches.
#[pyclass(frozen, subclass, module = "ksplat._native")]
pub(crate) struct ReportStream(Mutex<Option<Reader>>);

/// The reader of the stream.
struct Reader {
    /// Iterates over pairs of a name and a log; none once it ended.
    logs: Option<Py<PyIterator>>,
    /// Takes a name and an exception of a log that cannot be read.
    bad: Option<Py<PyAny>>,
    parser: ksplat::Parser,
    symbolizer: Option<Py<Symbolizer>>,
    size: usize,
    pool: ThreadPool,
    ready: VecDeque<RecordBatch>,
}

#[pymethods]
impl ReportStream {
    #[new]
    #[pyo3(signature = (logs, size, threads, parser, symbolizer, bad))]
    fn new(
        logs: &Bound<'_, PyIterator>,
        size: usize,
        threads: Option<usize>,
        parser: Option<&Bound<'_, Parser>>,
        symbolizer: Option<Py<Symbolizer>>,
        bad: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        if size == 0 || threads == Some(0) {
            return Err(PyValueError::new_err("batch_size and threads are at least 1"));
        }
        let pool = ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build();
        let pool = pool.map_err(|error| Error::Value(error.to_string()))?;
        Ok(Self(Mutex::new(Some(Reader {
            logs: Some(logs.clone().unbind()),
            bad,
            parser: parse::parser(parser.map(Bound::get)),
            symbolizer,
            size,
            pool,
            ready: VecDeque::new(),
        }))))
    }

    /// The schema, by the Arrow PyCapsule interface.
    #[expect(clippy::unused_self, reason = "a method of the interface")]
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema(py)
    }

    /// The batches, by the Arrow PyCapsule interface; logs are parsed when they are asked for.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A consumer that wants other types casts what it gets, as the interface allows.
        let _ = requested_schema;
        let reader = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let reader = reader.ok_or_else(|| {
            PyValueError::new_err("the stream was read already: call to_arrow again")
        })?;
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}

/// The schema of all streams.
pub(crate) fn schema(py: Python<'_>) -> PyResult<Bound<'_, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(&*ksplat_arrow::schema());
    let schema = schema.map_err(Error::from)?;
    PyCapsule::new_with_value(py, schema, c"arrow_schema")
}

/// The columns: name, type, whether each report has a value, meaning.
pub(crate) fn columns(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
    let schema = ksplat_arrow::schema();
    let column = |column: &ksplat_arrow::Column| {
        let field = schema.field_with_name(column.name).map_err(Error::from)?;
        let kind = field.data_type().to_string();
        Ok((column.name, kind, column.required, column.doc))
    };
    let columns: Result<Vec<_>> = ksplat_arrow::columns().iter().map(column).collect();
    PyTuple::new(py, columns?)
}

impl Reader {
    /// The next batches; empty once all logs are read.
    fn fill(&mut self) -> Result<()> {
        let logs = Python::attach(|py| self.take(py))?;
        let Self { parser, symbolizer, size, pool, bad, .. } = &*self;
        let run = |analyzer: &Analyzer<'_>| {
            let add = |builder: &mut Builder, (name, log): &Named| match (log.read(), bad) {
                (Ok(bytes), _) => Ok(builder.add(name, &bytes, *parser, analyzer).map(drop)?),
                (Err(error), None) => Err(error),
                (Err(error), Some(bad)) => Python::attach(|py| {
                    bad.call1(py, (name.as_str(), PyErr::from(error)))?;
                    Ok(())
                }),
            };
            pool.install(|| ksplat_arrow::batches(&logs, *size, add))
        };
        let batches = match symbolizer {
            None => run(&ksplat_arrow::analyzer()),
            Some(symbolizer) => symbolizer.get().with(run),
        };
        self.ready.extend(batches?);
        Ok(())
    }

    /// Takes as many logs from the iterator as the threads parse at once.
    fn take(&mut self, py: Python<'_>) -> Result<Vec<Named>> {
        let threads = self.pool.current_num_threads();
        let (mut logs, mut bytes) = (Vec::new(), 0);
        let Some(iterator) = &self.logs else { return Ok(logs) };
        let mut iterator = iterator.bind(py).clone();
        while logs.len() < self.size * threads && bytes < BYTES * threads {
            let Some(item) = iterator.next() else {
                self.logs = None;
                break;
            };
            let (name, log): Named = item?.extract()?;
            if let Source::Bytes(log) = &log {
                bytes += log.len();
            }
            logs.push((name, log));
        }
        Ok(logs)
    }
}

impl Iterator for Reader {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && self.logs.is_some() {
            if let Err(error) = self.fill() {
                // Nothing follows an error.
                self.logs = None;
                return Some(Err(ArrowError::ExternalError(Box::new(PyErr::from(error)))));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

impl RecordBatchReader for Reader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&ksplat_arrow::schema())
    }
}
