//! Columns that late rows, dead letters, archives and outgoing records share: where a record stood, and its untouched
//! bytes.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, Int32Array, Int64Array, LargeBinaryArray, LargeStringArray, ListArray,
    RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field};
use tallow_record::Place;

use crate::lake_file::{ReadError, column, typed};

/// A named column, nullable where some of its values are.
pub type Column = (&'static str, ArrayRef);

/// `topic`, `partition` and `offset`.
pub fn place_columns<'a>(places: impl Iterator<Item = &'a Place> + Clone) -> [Column; 3] {
    let topics = StringArray::from_iter_values(places.clone().map(|place| &place.topic));
    let partitions = Int32Array::from_iter_values(places.clone().map(|place| place.partition));
    let offsets = Int64Array::from_iter_values(places.map(|place| place.offset));
    [("topic", Arc::new(topics)), ("partition", Arc::new(partitions)), ("offset", Arc::new(offsets))]
}

/// Times in µs since 1970-01-01 UTC.
pub fn times(times_us: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(times_us.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

/// Kafka says -1 where a record has no timestamp.
pub fn kafka_times(times_us: impl Iterator<Item = i64>) -> ArrayRef {
    times(times_us.map(|time_us| (time_us != -1).then_some(time_us)))
}

/// Arrow's offsets are of 64 bits here and below: an epoch of large records may pass 2 GiB.
pub fn bytes<'a>(values: impl Iterator<Item = Option<&'a [u8]>>) -> ArrayRef {
    Arc::new(values.collect::<LargeBinaryArray>())
}

/// Texts, some of them null.
pub fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<LargeStringArray>())
}

/// Counts, some of them null.
pub fn numbers(values: impl Iterator<Item = Option<u32>>) -> ArrayRef {
    Arc::new(values.map(|value| value.map(i64::from)).collect::<Int64Array>())
}

/// A list of (name, value) a record, in Kafka's order; names may repeat. `counts`: how many each record has.
pub fn headers<'a>(
    counts: impl Iterator<Item = usize>,
    all: impl Iterator<Item = (&'a str, Option<&'a [u8]>)> + Clone,
) -> ArrayRef {
    let names = StringArray::from_iter_values(all.clone().map(|(name, _)| name));
    let values = bytes(all.map(|(_, value)| value));
    let pairs = StructArray::from(vec![
        (Arc::new(Field::new("name", DataType::Utf8, false)), Arc::new(names) as ArrayRef),
        (Arc::new(Field::new("value", DataType::LargeBinary, true)), values),
    ]);
    let element = Arc::new(Field::new("element", pairs.data_type().clone(), false));
    Arc::new(ListArray::new(element, OffsetBuffer::from_lengths(counts), Arc::new(pairs), None))
}

/// The column that [`headers`] writes, read back.
pub(crate) struct HeaderLists<'a> {
    ends: &'a [i32],
    names: &'a StringArray,
    values: &'a BinaryArray,
}

impl<'a> HeaderLists<'a> {
    /// `path`: of the file.
    pub fn of(path: &str, rows: &'a RecordBatch) -> Result<Self, ReadError> {
        let lists: &ListArray = column(path, rows, "headers")?;
        let pairs: &StructArray = typed(path, "headers", Some(lists.values()))?;
        let names = typed(path, "headers.name", pairs.column_by_name("name"))?;
        let values = typed(path, "headers.value", pairs.column_by_name("value"))?;
        Ok(Self { ends: lists.value_offsets(), names, values })
    }

    pub fn of_row(&self, row: usize) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> + use<'a> {
        let (names, values) = (self.names, self.values);
        let headers = self.ends[row] as usize..self.ends[row + 1] as usize;
        headers.map(move |header| (names.value(header), binary(values, header)))
    }
}

pub(crate) fn binary(values: &BinaryArray, row: usize) -> Option<&[u8]> {
    values.is_valid(row).then(|| values.value(row))
}
