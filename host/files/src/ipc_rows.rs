//! Arrow's own files (Feather) and streams as lines.

use std::io::{BufReader, Read, Seek};

use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::ArrowError;

use crate::arrow_rows::Columns;
use crate::reader::Reader;
use crate::splitter::Splitter;
use crate::{File, FileError};

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 256 << 10;

/// A file with a footer. False where the sink wanted no more.
pub fn read_file(file: &File, reader: Reader, splitter: &mut Splitter<'_>) -> Result<bool, FileError> {
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, reader);
    let columns = FileReader::try_new(&mut reader, None).map(|file| Columns::of(&file.schema()));
    let columns = columns.map_err(|error| broken(file, &error))?;
    let rows = projected(reader, &columns).map_err(|error| broken(file, &error))?;
    give(file, &columns, rows, splitter)
}

fn projected<R: Read + Seek>(reader: R, columns: &Columns) -> Result<FileReader<R>, ArrowError> {
    FileReader::try_new(reader, Some(columns.read().collect()))
}

/// A stream of batches without a footer.
pub fn read_stream(file: &File, reader: Reader, splitter: &mut Splitter<'_>) -> Result<bool, FileError> {
    let reader = BufReader::with_capacity(BUFFER_BYTES, reader);
    let rows = StreamReader::try_new(reader, None).map_err(|error| broken(file, &error))?;
    let columns = Columns::of(&rows.schema());
    let read: Vec<usize> = columns.read().collect();
    let rows = rows.map(|batch| batch.and_then(|batch| batch.project(&read)));
    give(file, &columns, rows, splitter)
}

fn give(
    file: &File,
    columns: &Columns,
    batches: impl Iterator<Item = Result<arrow_array::RecordBatch, ArrowError>>,
    splitter: &mut Splitter<'_>,
) -> Result<bool, FileError> {
    for batch in batches {
        let batch = batch.map_err(|error| broken(file, &error))?;
        let given = columns.give(&batch, splitter);
        if !given.map_err(|why| FileError::Broken { file: file.name.clone(), why })? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn broken(file: &File, error: &ArrowError) -> FileError {
    FileError::Broken { file: file.name.clone(), why: error.to_string() }
}
