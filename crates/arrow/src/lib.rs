//! Reports as an Arrow table, one row a report.
//!
//! The columns are those of [`schema`], whose version is [`SCHEMA_VERSION`]. A [`Builder`] takes logs and gives
//! a `RecordBatch`; [`batches`] parses many logs on several cores. With the feature `ipc` a `Writer` writes
//! them as an Arrow IPC file.
//!
//! # Examples
//!
//! ```
//! use arrow_array::cast::AsArray;
//!
//! let log = b"kernel BUG at fs/a.c:1!\nRIP: 0010:f+0x1/0x2\nCall Trace:\n g+0x1/0x2\n";
//! let mut builder = ksplat_arrow::Builder::new();
//! builder.add("console.log", log, ksplat::Parser::new(), &ksplat_arrow::analyzer())?;
//! let batch = builder.finish()?;
//! let titles = batch.column_by_name("title").expect("a column").as_string::<i32>();
//! assert_eq!(titles.value(0), "kernel BUG in f");
//! # Ok::<(), arrow_schema::ArrowError>(())
//! ```

mod builder;
mod column;
mod table;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use rayon::prelude::*;

pub use arrow_array as array;
pub use arrow_schema::ArrowError as Error;
pub use builder::{Builder, analyzer};
pub use table::{Column, SCHEMA_VERSION, columns, schema};

/// The number of logs of a batch, if nothing else is asked for.
pub const BATCH: usize = 1024;

/// The number of batches that each thread makes of the logs of one call, so that all end at about the same time.
const SHARES: usize = 4;

/// Makes the batches of logs, each of at most `size` logs, in their order. Logs with very much text make more.
///
/// `add` adds a log to a builder; it runs on all threads of the current pool of rayon.
///
/// # Errors
///
/// The first error of `add`.
pub fn batches<L: Sync, E: From<ArrowError> + Send>(
    logs: &[L],
    size: usize,
    add: impl Fn(&mut Builder, &L) -> Result<(), E> + Sync,
) -> Result<Vec<RecordBatch>, E> {
    let batch = |logs: &[L]| -> Result<Vec<RecordBatch>, E> {
        let (mut builder, mut full) = (Builder::new(), Vec::new());
        for log in logs {
            add(&mut builder, log)?;
            if builder.is_full() {
                full.push(builder.finish()?);
            }
        }
        full.push(builder.finish()?);
        Ok(full)
    };
    let share = logs.len().div_ceil(SHARES * rayon::current_num_threads());
    let batches: Result<Vec<Vec<RecordBatch>>, E> =
        logs.par_chunks(share.min(size).max(1)).map(batch).collect();
    Ok(batches?.into_iter().flatten().collect())
}

/// Writes batches as an Arrow IPC file, which `pyarrow.feather.read_table` and Polars map into memory.
#[cfg(feature = "ipc")]
pub struct Writer<W: std::io::Write>(arrow_ipc::writer::FileWriter<W>);

#[cfg(feature = "ipc")]
impl<W: std::io::Write> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

#[cfg(feature = "ipc")]
impl<W: std::io::Write> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    ///
    /// An error of `out` is returned.
    pub fn new(out: W) -> Result<Self, ArrowError> {
        arrow_ipc::writer::FileWriter::try_new(out, &schema()).map(Self)
    }

    /// Writes a batch; an empty one is left out.
    ///
    /// # Errors
    ///
    /// An error of the output is returned.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        if batch.num_rows() == 0 { Ok(()) } else { self.0.write(batch) }
    }

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// An error of the output is returned.
    pub fn finish(mut self) -> Result<(), ArrowError> {
        self.0.finish()
    }
}

/// Reads all batches of an Arrow IPC file.
///
/// # Errors
///
/// The file is not one, or cannot be read.
#[cfg(feature = "ipc")]
pub fn read(file: impl std::io::Read + std::io::Seek) -> Result<Vec<RecordBatch>, ArrowError> {
    arrow_ipc::reader::FileReader::try_new(file, None)?.collect()
}
