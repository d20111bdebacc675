//! Logs to an Arrow stream.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
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

/// A log with its number among those that are parsed at once, and its name.
type Named = (usize, String, Source);

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
    /// Parses the next logs. A caller that holds the GIL gives it back meanwhile.
    fn fill(&mut self) -> Result<()> {
        Python::attach(|py| {
            let logs = self.take(py)?;
            let bad = Mutex::new(Vec::new());
            let batches = py.detach(|| self.parsed(&logs, &bad))?;
            self.ready.extend(batches);
            let mut bad = bad.into_inner().unwrap_or_else(PoisonError::into_inner);
            bad.sort_by_key(|(number, _)| *number);
            for (number, error) in bad {
                let name = logs.get(number).map_or("", |(_, name, _)| name);
                if let Some(call) = &self.bad {
                    call.call1(py, (name, PyErr::from(error)))?;
                }
            }
            Ok(())
        })
    }

    /// The batches of logs. The logs that cannot be read are an error, or are added to `bad` by their numbers.
    fn parsed(&self, logs: &[Named], bad: &Mutex<Vec<(usize, Error)>>) -> Result<Vec<RecordBatch>> {
        let run = |analyzer: &Analyzer<'_>| {
            let add = |builder: &mut Builder, (number, name, log): &Named| match log.read() {
                Ok(bytes) => Ok(builder.add(name, &bytes, self.parser, analyzer).map(drop)?),
                Err(error) if self.bad.is_none() => Err(error),
                Err(error) => {
                    bad.lock().unwrap_or_else(PoisonError::into_inner).push((*number, error));
                    Ok(())
                }
            };
            self.pool.install(|| ksplat_arrow::batches(logs, self.size, add))
        };
        match &self.symbolizer {
            None => run(&ksplat_arrow::analyzer()),
            Some(symbolizer) => symbolizer.get().with(run),
        }
    }

    /// Takes as many logs from the iterator as the threads parse at once.
    fn take(&mut self, py: Python<'_>) -> Result<Vec<Named>> {
        let threads = self.pool.current_num_threads();
        let (mut logs, mut bytes) = (Vec::new(), 0);
        let Some(iterator) = &self.logs else { return Ok(logs) };
        let mut iterator = iterator.bind(py).clone();
        while logs.len() < self.size.saturating_mul(threads) && bytes < BYTES * threads {
            let Some(item) = iterator.next() else {
                self.logs = None;
                break;
            };
            let (name, log): (String, Source) = item?.extract()?;
            if let Source::Bytes(log) = &log {
                bytes += log.len();
            }
            logs.push((logs.len(), name, log));
        }
        Ok(logs)
    }
}

impl Iterator for Reader {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && self.logs.is_some() {
            // A panic may not pass through the C interface of the stream.
            let filled = catch_unwind(AssertUnwindSafe(|| self.fill()));
            let filled =
                filled.unwrap_or_else(|_| Err(Error::Value("a panic of ksplat".to_owned())));
            if let Err(error) = filled {
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
