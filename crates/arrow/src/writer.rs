//! Batches as a file.

use std::fmt;
use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use crate::schema;

/// The size in bytes of a row group of a Parquet file, which is in memory until it is complete.
#[cfg(feature = "parquet")]
const ROW_GROUP: usize = 64 << 20;

/// Writes batches to a file.
pub struct Writer<W: Write + Send>(Format<W>);

enum Format<W: Write + Send> {
    #[cfg(feature = "ipc")]
    Ipc(Box<arrow_ipc::writer::FileWriter<W>>),
    #[cfg(feature = "parquet")]
    Parquet(Box<parquet::arrow::ArrowWriter<W>>),
}

impl<W: Write + Send> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl<W: Write + Send> Writer<W> {
    /// Begins an Arrow IPC file, which `pyarrow.feather.read_table` and Polars map into memory.
    ///
    /// # Errors
    ///
    /// An error of `out` is returned.
    #[cfg(feature = "ipc")]
    pub fn ipc(out: W) -> Result<Self, ArrowError> {
        let writer = arrow_ipc::writer::FileWriter::try_new(out, &schema())?;
        Ok(Self(Format::Ipc(Box::new(writer))))
    }

    /// Begins a Parquet file, packed by Snappy, which Spark, DuckDB and Polars read.
    ///
    /// # Errors
    ///
    /// An error of `out` is returned.
    #[cfg(feature = "parquet")]
    pub fn parquet(out: W) -> Result<Self, ArrowError> {
        let properties = parquet::file::properties::WriterProperties::builder()
            .set_compression(parquet::basic::Compression::SNAPPY)
            .set_max_row_group_bytes(Some(ROW_GROUP))
            .build();
        let writer = parquet::arrow::ArrowWriter::try_new(out, schema(), Some(properties))?;
        Ok(Self(Format::Parquet(Box::new(writer))))
    }

    /// Writes a batch; an empty one is left out.
    ///
    /// # Errors
    ///
    /// An error of the output is returned.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        match &mut self.0 {
            #[cfg(feature = "ipc")]
            Format::Ipc(writer) => writer.write(batch),
            #[cfg(feature = "parquet")]
            Format::Parquet(writer) => Ok(writer.write(batch)?),
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// An error of the output is returned.
    pub fn finish(self) -> Result<(), ArrowError> {
        match self.0 {
            #[cfg(feature = "ipc")]
            Format::Ipc(mut writer) => writer.finish(),
            #[cfg(feature = "parquet")]
            Format::Parquet(writer) => Ok(writer.close().map(drop)?),
        }
    }
}
