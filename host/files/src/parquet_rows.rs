//! Parquet as lines: the columns' names as the first line, a row a line, so that whoever reads lines reads both.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, TimeDelta};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::lines::Splitter;
use crate::reader::Reader;
use crate::{File, FileError};

const BATCH_ROWS: usize = 4096;

/// False where the sink wanted no more.
pub fn read(file: &File, reader: Reader, splitter: &mut Splitter<'_>) -> Result<bool, FileError> {
    let broken = |why: String| FileError::Broken { file: file.name.clone(), why };
    let chunks = Chunks { reader: Arc::new(reader), size_bytes: file.size_bytes() };
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let rows = ParquetRecordBatchReaderBuilder::try_new_with_options(chunks, options)
        .and_then(|builder| builder.with_batch_size(BATCH_ROWS).build())
        .map_err(|error| broken(error.to_string()))?;
    for batch in rows {
        let batch = batch.map_err(|error| broken(error.to_string()))?;
        if batch.num_rows() == 0 {
            continue;
        }
        let first = splitter.at_start().then(|| names(&batch));
        let lines = lines(&batch).map_err(broken)?;
        if !splitter.give_under(lines, first) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn names(batch: &RecordBatch) -> Arc<str> {
    let schema = batch.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    names.join(",").into()
}

fn lines(batch: &RecordBatch) -> Result<Vec<u8>, String> {
    let mut text = String::with_capacity(batch.num_rows() * 64);
    for row in 0..batch.num_rows() {
        for (index, column) in batch.columns().iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            if !column.is_null(row) {
                cell(column, row, &mut text)
                    .map_err(|why| format!("column `{}`: {why}", batch.schema().field(index).name()))?;
            }
        }
        text.push('\n');
    }
    Ok(text.into_bytes())
}

/// A cell as CSV writes it: numbers exactly, dates and times as ISO 8601.
fn cell(column: &dyn Array, row: usize, text: &mut String) -> Result<(), String> {
    let written = match column.data_type() {
        DataType::Utf8 => return quoted(column.as_string::<i32>().value(row), text),
        DataType::LargeUtf8 => return quoted(column.as_string::<i64>().value(row), text),
        DataType::Utf8View => return quoted(column.as_string_view().value(row), text),
        DataType::Boolean => write!(text, "{}", column.as_boolean().value(row)),
        DataType::Int16 => write!(text, "{}", column.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => write!(text, "{}", column.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => write!(text, "{}", column.as_primitive::<Int64Type>().value(row)),
        DataType::UInt32 => write!(text, "{}", column.as_primitive::<UInt32Type>().value(row)),
        DataType::UInt64 => write!(text, "{}", column.as_primitive::<UInt64Type>().value(row)),
        DataType::Float32 => write!(text, "{}", column.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => write!(text, "{}", column.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => {
            write!(text, "{}", column.as_primitive::<Decimal128Type>().value_as_string(row))
        }
        DataType::Date32 => {
            let days = TimeDelta::days(i64::from(column.as_primitive::<Date32Type>().value(row)));
            let date = NaiveDate::default().checked_add_signed(days);
            write!(text, "{}", date.ok_or("a date beyond the calendar")?)
        }
        DataType::Timestamp(unit, _) => return time(column, unit, row, text),
        other => return Err(format!("of type {other}, which is no column of klines")),
    };
    written.map_err(|error| error.to_string())
}

/// Not as a number, whose unit would be told by its size.
fn time(column: &dyn Array, unit: &TimeUnit, row: usize, text: &mut String) -> Result<(), String> {
    let time = match unit {
        TimeUnit::Second => {
            DateTime::from_timestamp(column.as_primitive::<TimestampSecondType>().value(row), 0)
        }
        TimeUnit::Millisecond => {
            DateTime::from_timestamp_millis(column.as_primitive::<TimestampMillisecondType>().value(row))
        }
        TimeUnit::Microsecond => {
            DateTime::from_timestamp_micros(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        TimeUnit::Nanosecond => {
            Some(DateTime::from_timestamp_nanos(column.as_primitive::<TimestampNanosecondType>().value(row)))
        }
    };
    let time = time.ok_or("a time beyond the calendar")?;
    write!(text, "{}", time.format("%Y-%m-%dT%H:%M:%S%.6fZ")).map_err(|error| error.to_string())
}

/// Between quotes where a comma would end the cell. A quote or a line end inside cannot be written so.
fn quoted(value: &str, text: &mut String) -> Result<(), String> {
    let plain = value.replace(['"', '\n', '\r'], " ");
    match plain.contains(',') {
        true => text.extend(["\"", &plain, "\""]),
        false => text.push_str(&plain),
    }
    Ok(())
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
        Ok(io::Cursor::new(self.get_bytes(start, READ.min(self.size_bytes - start) as usize)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.reader.range(start, length as u64).map_err(|error| ParquetError::External(Box::new(error)))
    }
}
