//! Parquet as lines: the columns' names as the first line, a row a line.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::arrow_rows::{BATCH_ROWS, Columns};
use crate::reader::Reader;
use crate::splitter::Splitter;
use crate::{File, FileError};

/// False where the sink wanted no more.
pub fn read(file: &File, reader: Reader, splitter: &mut Splitter<'_>) -> Result<bool, FileError> {
    let broken = |why: String| FileError::Broken { file: file.name.clone(), why };
    let chunks = Chunks { reader: Arc::new(reader), size_bytes: file.size_bytes() };
    // What another program's types were says nothing that Parquet's own do not.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(chunks, options);
    let builder = builder.map_err(|error| broken(error.to_string()))?;
    let columns = Columns::of(builder.schema());
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns.read());
    let rows = builder.with_batch_size(BATCH_ROWS).with_projection(mask).build();
    for batch in rows.map_err(|error| broken(error.to_string()))? {
        let batch = batch.map_err(|error| broken(error.to_string()))?;
        if !columns.give(&batch, splitter).map_err(broken)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What the Parquet reader reads from.
struct Chunks {
    reader: Arc<Reader>,
    size_bytes: u64,
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.size_bytes
    }
}

impl ChunkReader for Chunks {
    type T = io::Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        /// Page headers are small; more is asked for by length.
        const READ: u64 = 64 << 10;
        let length = READ.min(self.size_bytes.saturating_sub(start));
        Ok(io::Cursor::new(self.get_bytes(start, length as usize)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let end = start.checked_add(length as u64);
        if end.is_none_or(|end| end > self.size_bytes) {
            return Err(ParquetError::EOF(format!("{length} bytes from {start} on are beyond its end")));
        }
        self.reader.range(start, length as u64).map_err(|error| ParquetError::External(Box::new(error)))
    }
}
