//! Reports as an Arrow table, one row a report.
//!
//! The columns are those of [`schema`], whose version is [`SCHEMA_VERSION`]. A [`Builder`] takes logs and gives
//! a `RecordBatch`; [`batches`] parses many logs on several cores. A `Writer` writes them as an Arrow IPC file with
//! the feature `ipc`, and as a Parquet file with the feature `parquet`.
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
#[cfg(any(feature = "ipc", feature = "parquet"))]
mod writer;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use rayon::prelude::*;

pub use arrow_array as array;
pub use arrow_schema::ArrowError as Error;
pub use builder::{Builder, analyzer};
pub use table::{Column, SCHEMA_VERSION, columns, schema};
#[cfg(any(feature = "ipc", feature = "parquet"))]
pub use writer::Writer;

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

/// Reads all batches of an Arrow IPC file.
///
/// # Errors
///
/// The file is not one, or cannot be read.
#[cfg(feature = "ipc")]
pub fn read(file: impl std::io::Read + std::io::Seek) -> Result<Vec<RecordBatch>, ArrowError> {
    arrow_ipc::reader::FileReader::try_new(file, None)?.collect()
}

/// Reads all batches of a Parquet file.
///
/// # Errors
///
/// The file is not one, or cannot be read.
#[cfg(feature = "parquet")]
pub fn read_parquet(file: std::fs::File) -> Result<Vec<RecordBatch>, ArrowError> {
    parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)?.build()?.collect()
}
