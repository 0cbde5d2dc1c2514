//! Record batches as lines, a row a line, so that what reads lines reads them, too.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema, TimeUnit};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta};

use crate::splitter::Splitter;

/// Rows that become one piece of lines.
pub const BATCH_ROWS: usize = 4096;

/// The columns of a file that are read, and how they are named to what reads the lines.
pub struct Columns {
    /// All of the file's names, those of columns of lists and structures, too: their cells are empty.
    names: Arc<str>,
    /// Of each of these its number among the columns that are read.
    cells: Vec<Option<usize>>,
}

impl Columns {
    pub fn of(schema: &Schema) -> Self {
        let names: Vec<String> = schema.fields().iter().map(|field| quoted(field.name())).collect();
        let mut read = 0;
        let cells = schema.fields().iter().map(|field| {
            is_read(field.data_type()).then(|| {
                read += 1;
                read - 1
            })
        });
        Self { cells: cells.collect(), names: names.join(",").into() }
    }

    /// Numbers, among all of the file's, of those that are read.
    pub fn read(&self) -> impl Iterator<Item = usize> {
        self.cells.iter().enumerate().filter_map(|(index, cell)| cell.map(|_| index))
    }

    /// Gives the rows of a batch that holds the columns that are read. False where the sink wanted no more.
    pub fn give(&self, batch: &RecordBatch, splitter: &mut Splitter<'_>) -> Result<bool, String> {
        for from in (0..batch.num_rows()).step_by(BATCH_ROWS) {
            let rows = batch.slice(from, BATCH_ROWS.min(batch.num_rows() - from));
            let first = splitter.at_start().then(|| self.names.clone());
            if !splitter.give_under(self.lines(&rows)?, first) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn lines(&self, batch: &RecordBatch) -> Result<Vec<u8>, String> {
        let mut text = String::with_capacity(batch.num_rows() * 64);
        for row in 0..batch.num_rows() {
            for (index, read) in self.cells.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                let Some(column) = read.and_then(|read| batch.columns().get(read)) else { continue };
                cell(column, row, &mut text).map_err(|why| {
                    let name = batch.schema().field(read.unwrap_or_default()).name().clone();
                    format!("column `{name}`: {why}")
                })?;
            }
            text.push('\n');
        }
        Ok(text.into_bytes())
    }
}

/// Whether a cell of that type can be one of a line's.
fn is_read(data_type: &DataType) -> bool {
    use DataType as T;
    match data_type {
        T::Dictionary(_, values) => is_read(values),
        T::Null | T::Boolean | T::Utf8 | T::LargeUtf8 | T::Utf8View => true,
        T::Binary | T::LargeBinary | T::BinaryView => true,
        T::Date32 | T::Date64 | T::Time32(_) | T::Time64(_) | T::Timestamp(..) => true,
        other => other.is_numeric(),
    }
}

/// A cell as CSV writes it: numbers exactly, dates and times as ISO 8601.
fn cell(column: &dyn Array, row: usize, text: &mut String) -> Result<(), String> {
    use DataType as T;
    if column.is_null(row) {
        return Ok(());
    }
    macro_rules! number {
        ($kind:ty) => {
            write!(text, "{}", column.as_primitive::<$kind>().value(row))
        };
    }
    macro_rules! decimal {
        ($kind:ty) => {
            write!(text, "{}", column.as_primitive::<$kind>().value_as_string(row))
        };
    }
    let written = match column.data_type() {
        T::Utf8 => write!(text, "{}", quoted(column.as_string::<i32>().value(row))),
        T::LargeUtf8 => write!(text, "{}", quoted(column.as_string::<i64>().value(row))),
        T::Utf8View => write!(text, "{}", quoted(column.as_string_view().value(row))),
        T::Binary => write!(text, "{}", bytes(column.as_binary::<i32>().value(row))),
        T::LargeBinary => write!(text, "{}", bytes(column.as_binary::<i64>().value(row))),
        T::BinaryView => write!(text, "{}", bytes(column.as_binary_view().value(row))),
        T::Boolean => write!(text, "{}", column.as_boolean().value(row)),
        T::Int8 => number!(Int8Type),
        T::Int16 => number!(Int16Type),
        T::Int32 => number!(Int32Type),
        T::Int64 => number!(Int64Type),
        T::UInt8 => number!(UInt8Type),
        T::UInt16 => number!(UInt16Type),
        T::UInt32 => number!(UInt32Type),
        T::UInt64 => number!(UInt64Type),
        T::Float16 => number!(Float16Type),
        T::Float32 => number!(Float32Type),
        T::Float64 => number!(Float64Type),
        T::Decimal32(..) => decimal!(Decimal32Type),
        T::Decimal64(..) => decimal!(Decimal64Type),
        T::Decimal128(..) => decimal!(Decimal128Type),
        T::Decimal256(..) => decimal!(Decimal256Type),
        T::Dictionary(..) => {
            let dictionary = column.as_any_dictionary();
            let key = dictionary.normalized_keys().get(row).copied().unwrap_or_default();
            return cell(dictionary.values(), key, text);
        }
        other => write!(text, "{}", time(column, other, row).ok_or("a time beyond the calendar")?),
    };
    written.map_err(|error| error.to_string())
}

/// A date, a time or both, as ISO 8601; not as a number, whose unit would be told by its size.
fn time(column: &dyn Array, data_type: &DataType, row: usize) -> Option<String> {
    use DataType as T;
    use TimeUnit as U;
    macro_rules! value {
        ($kind:ty) => {
            column.as_primitive::<$kind>().value(row)
        };
    }
    let of_day = |nanos: i64| {
        let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        NaiveTime::from_num_seconds_from_midnight_opt(seconds.try_into().ok()?, rest.try_into().ok()?)
    };
    let moment = match data_type {
        T::Date32 => {
            let date = NaiveDate::default().checked_add_signed(TimeDelta::days(value!(Date32Type).into()));
            return date.map(|date| date.to_string());
        }
        T::Date64 => DateTime::from_timestamp_millis(value!(Date64Type)),
        T::Time32(U::Second) => {
            return of_day(i64::from(value!(Time32SecondType)) * 1_000_000_000).map(|time| time.to_string());
        }
        T::Time32(_) => {
            return of_day(i64::from(value!(Time32MillisecondType)) * 1_000_000).map(|time| time.to_string());
        }
        T::Time64(U::Microsecond) => {
            let nanos = value!(Time64MicrosecondType).checked_mul(1_000)?;
            return of_day(nanos).map(|time| time.to_string());
        }
        T::Time64(_) => return of_day(value!(Time64NanosecondType)).map(|time| time.to_string()),
        T::Timestamp(U::Second, _) => DateTime::from_timestamp(value!(TimestampSecondType), 0),
        T::Timestamp(U::Millisecond, _) => DateTime::from_timestamp_millis(value!(TimestampMillisecondType)),
        T::Timestamp(U::Microsecond, _) => DateTime::from_timestamp_micros(value!(TimestampMicrosecondType)),
        T::Timestamp(U::Nanosecond, _) => {
            Some(DateTime::from_timestamp_nanos(value!(TimestampNanosecondType)))
        }
        // A column without a value in any row.
        _ => return Some(String::new()),
    };
    Some(moment?.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
}

/// Texts of writers that do not say that they are.
fn bytes(value: &[u8]) -> String {
    quoted(&String::from_utf8_lossy(value))
}

/// Between quotes where a comma would end the cell. A quote or a line end inside cannot be written so.
fn quoted(value: &str) -> String {
    let plain = value.replace(['"', '\n', '\r'], " ");
    match plain.contains(',') {
        true => format!("\"{plain}\""),
        false => plain,
    }
}
