//! What the batches' columns must be, and how many bytes a row takes.

use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::{DataType, SchemaRef, TimeUnit};

use crate::SortError;

/// The columns of all rows of a sort.
#[derive(Clone, Debug)]
pub struct Layout {
    pub schema: SchemaRef,
    /// Where runs are written.
    pub scratch: PathBuf,
    key: usize,
    time: usize,
    /// Bytes of a row without its texts.
    fixed_bytes: usize,
    /// Columns whose values differ in length.
    texts: Vec<usize>,
}

impl Layout {
    pub fn new(schema: SchemaRef, scratch: &Path, key: &str, time: &str) -> Result<Self, SortError> {
        let is_text = |data_type: &DataType| *data_type == DataType::Utf8;
        let is_time =
            |data_type: &DataType| matches!(data_type, DataType::Timestamp(TimeUnit::Microsecond, _));
        let (key, time) =
            (find(&schema, key, "text", is_text)?, find(&schema, time, "a time in µs", is_time)?);
        let (mut fixed_bytes, mut texts) = (0, Vec::new());
        for (index, field) in schema.fields().iter().enumerate() {
            match field.data_type() {
                DataType::Boolean => fixed_bytes += 1,
                DataType::Utf8 | DataType::Binary => {
                    fixed_bytes += size_of::<i32>();
                    texts.push(index);
                }
                other => match other.primitive_width() {
                    Some(bytes) => fixed_bytes += bytes,
                    None => return Err(column(field.name(), format!("is {other}, which is not written"))),
                },
            }
        }
        Ok(Self { schema, scratch: scratch.to_owned(), key, time, fixed_bytes, texts })
    }

    pub fn keys<'a>(&self, batch: &'a RecordBatch) -> &'a StringArray {
        batch.column(self.key).as_string()
    }

    pub fn times<'a>(&self, batch: &'a RecordBatch) -> &'a PrimitiveArray<TimestampMicrosecondType> {
        batch.column(self.time).as_primitive()
    }

    /// Bytes of a row's values.
    #[inline]
    pub fn row_bytes(&self, batch: &RecordBatch, row: usize) -> usize {
        let text_bytes = |column: &usize| {
            let column = batch.column(*column);
            let ends = match column.data_type() {
                DataType::Utf8 => column.as_string::<i32>().value_offsets(),
                _ => column.as_binary::<i32>().value_offsets(),
            };
            (ends[row + 1] - ends[row]) as usize
        };
        self.fixed_bytes + self.texts.iter().map(text_bytes).sum::<usize>()
    }
}

fn find(
    schema: &SchemaRef,
    name: &str,
    what: &str,
    fits: impl Fn(&DataType) -> bool,
) -> Result<usize, SortError> {
    let Some((index, field)) = schema.column_with_name(name) else {
        return Err(column(name, "is not among the rows' columns".to_owned()));
    };
    match fits(field.data_type()) {
        true => Ok(index),
        false => Err(column(name, format!("is {}, not {what}", field.data_type()))),
    }
}

fn column(name: &str, why: String) -> SortError {
    SortError::Column { column: name.to_owned(), why }
}

/// A row's value; `None` if it is null. As nulls sort: before all others.
pub fn key_of(keys: &StringArray, row: usize) -> Option<&str> {
    keys.is_valid(row).then(|| keys.value(row))
}

/// As [`key_of`], in µs.
pub fn time_of(times: &PrimitiveArray<TimestampMicrosecondType>, row: usize) -> Option<i64> {
    times.is_valid(row).then(|| times.value(row))
}
