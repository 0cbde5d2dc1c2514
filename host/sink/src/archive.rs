//! Records as they came, as Parquet: what a commit took can be computed again when the topic no longer holds it.
//!
//! A row a record, in the order in which the windows took them: `topic`, `partition`, `offset`, `timestamp` (Kafka's),
//! `fetched` (the clock that judged future event times), `key`, `value`, `headers`.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use tallow_record::{Batch, Place};

use crate::SinkError;
use crate::parquet_file::{self, Layout};
use crate::raw_records::{bytes, headers, kafka_times, place_columns, times};

/// Rows that are read at once.
const READ_ROWS: usize = 4096;

/// The batches' records, in their order. The same records give the same bytes.
pub fn encode(batches: &[Batch]) -> Result<Bytes, SinkError> {
    let layout = Layout { sorted_by: &[], opaque: &["key", "value", "headers.list.element.value"] };
    let encoded = || {
        let tables = batches.iter().map(table).collect::<Result<Vec<_>, ArrowError>>()?;
        let schema = match tables.first() {
            Some(table) => table.schema(),
            None => table(&Batch::default())?.schema(),
        };
        parquet_file::encode(&concat_batches(&schema, &tables)?, layout, Vec::new())
    };
    encoded().map_err(|error: ParquetError| SinkError::Encode {
        name: "archive".to_owned(),
        why: error.to_string(),
    })
}

/// What [`encode`] was given, in batches of another size.
///
/// # Errors
/// What is wrong with the file.
pub fn decode(bytes: Bytes) -> Result<Vec<Batch>, String> {
    let file = ParquetRecordBatchReaderBuilder::try_new(bytes)
        .and_then(|file| file.with_batch_size(READ_ROWS).build())
        .map_err(|error| error.to_string())?;
    file.map(|rows| batch(&rows.map_err(|error| error.to_string())?)).collect()
}

fn table(batch: &Batch) -> Result<RecordBatch, ArrowError> {
    let all = || 0..batch.len();
    let places: Vec<Place> = places(batch);
    let [topic, partition, offset] = place_columns(places.iter());
    let fetched = batch.runs.iter().flat_map(|run| (0..run.records).map(|_| Some(run.clock_us)));
    let mut counts = vec![0usize; batch.len()];
    batch.headers.records.iter().for_each(|record| counts[*record as usize] += 1);
    let named = batch.headers.names.iter().enumerate();
    RecordBatch::try_from_iter_with_nullable([
        (topic.0, topic.1, false),
        (partition.0, partition.1, false),
        (offset.0, offset.1, false),
        ("timestamp", kafka_times(batch.timestamps_us.iter().copied()), true),
        ("fetched", times(fetched), false),
        ("key", bytes(all().map(|record| batch.keys.get(record))), true),
        ("value", bytes(all().map(|record| batch.values.get(record))), true),
        (
            "headers",
            headers(
                counts.into_iter(),
                named.map(|(header, name)| (name.as_str(), batch.headers.values.get(header))),
            ),
            false,
        ),
    ])
}

fn places(batch: &Batch) -> Vec<Place> {
    let runs = batch.runs_from().flat_map(|(first, run)| {
        let topic = &batch.topics[run.topic as usize];
        (first..first + run.records as usize).map(move |record| Place {
            topic: topic.clone(),
            partition: run.partition,
            offset: batch.offsets[record],
        })
    });
    runs.collect()
}

fn batch(rows: &RecordBatch) -> Result<Batch, String> {
    let column = |name: &str| rows.column_by_name(name).ok_or_else(|| format!("it has no column `{name}`"));
    let wrong = |name: &str| format!("its column `{name}` is of another type than an archive's");
    let topics = column("topic")?.as_string_opt::<i32>().ok_or_else(|| wrong("topic"))?;
    let partitions =
        column("partition")?.as_primitive_opt::<Int32Type>().ok_or_else(|| wrong("partition"))?;
    let offsets = column("offset")?.as_primitive_opt::<Int64Type>().ok_or_else(|| wrong("offset"))?;
    let time =
        |name: &str| column(name)?.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(|| wrong(name));
    let (timestamps, fetched) = (time("timestamp")?, time("fetched")?);
    let (keys, values) = (Binary::of(column("key")?), Binary::of(column("value")?));
    let lists = column("headers")?.as_list_opt::<i32>().ok_or_else(|| wrong("headers"))?;
    let pairs = lists.values().as_struct_opt().ok_or_else(|| wrong("headers"))?;
    let names = pairs.column_by_name("name").and_then(|it| it.as_string_opt::<i32>());
    let names = names.ok_or_else(|| wrong("headers"))?;
    let header_values = Binary::of(pairs.column_by_name("value").ok_or_else(|| wrong("headers"))?);

    let mut batch = Batch::default();
    for row in 0..rows.num_rows() {
        let topic: Arc<str> = topics.value(row).into();
        let topic = batch.topic_index(&topic);
        let timestamp_us = if timestamps.is_null(row) { -1 } else { timestamps.value(row) };
        batch.push(
            topic,
            partitions.value(row),
            offsets.value(row),
            timestamp_us,
            fetched.value(row),
            keys.get(row),
            values.get(row),
        );
        let ends = lists.value_offsets();
        for header in ends[row] as usize..ends[row + 1] as usize {
            batch.push_header(names.value(header), header_values.get(header));
        }
    }
    Ok(batch)
}

/// A column of bytes: Parquet does not say with offsets of which size it was made.
struct Binary<'a>(&'a dyn Array);

impl<'a> Binary<'a> {
    fn of(array: &'a dyn Array) -> Self {
        Self(array)
    }

    fn get(&self, row: usize) -> Option<&'a [u8]> {
        if self.0.is_null(row) {
            return None;
        }
        let small = self.0.as_binary_opt::<i32>().map(|array| array.value(row));
        small.or_else(|| self.0.as_binary_opt::<i64>().map(|array| array.value(row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_with_places_clocks_nulls_and_headers() {
        let mut first = Batch::default();
        let topic = first.topic_index(&"trades".into());
        first.push(topic, 0, 7, 1_000, 50, Some(b"k"), Some(b"v"));
        first.push_header("h", Some(b"\xff"));
        first.push_header("h", None);
        first.push(topic, 1, 3, -1, 50, None, None);
        let mut second = Batch::default();
        let other = second.topic_index(&"other".into());
        second.push(other, 0, 0, 0, 60, Some(b""), Some(b""));
        let batches = decode(encode(&[first.clone(), second.clone()]).unwrap()).unwrap();
        let [whole] = &batches[..] else { panic!("{} batches", batches.len()) };
        assert_eq!(whole.select(0..2).runs, first.runs);
        assert_eq!(places(whole), [places(&first), places(&second)].concat());
        assert_eq!(whole.timestamps_us, [1_000, -1, 0]);
        assert_eq!(whole.runs.iter().map(|run| run.clock_us).collect::<Vec<_>>(), [50, 50, 60]);
        assert_eq!((whole.keys.get(1), whole.values.get(1)), (None, None));
        assert_eq!((whole.keys.get(2), whole.values.get(2)), (Some(&b""[..]), Some(&b""[..])));
        assert_eq!(whole.headers.names, ["h", "h"]);
        assert_eq!((whole.headers.values.get(0), whole.headers.values.get(1)), (Some(&b"\xff"[..]), None));
    }

    #[test]
    fn another_file_is_refused_with_what_it_lacks() {
        let other = RecordBatch::try_from_iter([("offset", times([None].into_iter()))]).unwrap();
        let bytes = parquet_file::encode(&other, Layout::default(), Vec::new()).unwrap();
        assert_eq!(decode(bytes).unwrap_err(), "it has no column `topic`");
        assert!(decode(Bytes::from_static(b"PAR1")).is_err());
    }
}
