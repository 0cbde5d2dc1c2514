//! Records as they came, as Parquet: what a commit took can be computed again when the topic no longer holds it.
//!
//! A row a record, in the order in which the windows took them: `topic`, `partition`, `offset`, `timestamp` (Kafka's),
//! `fetched` (the clock that judged future event times), `key`, `value`, `headers`.

use std::sync::Arc;

use arrow_array::{
    Array, BinaryArray, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use parquet::errors::ParquetError;
use tallow_record::{Batch, Place};

use crate::SinkError;
use crate::lake_file::{LakeFile, ReadError, column};
use crate::parquet_file::{self, Layout};
use crate::raw_records::{HeaderLists, binary, bytes, headers, kafka_times, place_columns, times};

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
/// `path`: for errors.
pub fn decode(path: &str, bytes: Bytes) -> Result<Vec<Batch>, ReadError> {
    LakeFile::open(path, bytes)?.map(|rows| batch(path, &rows?)).collect()
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

fn batch(path: &str, rows: &RecordBatch) -> Result<Batch, ReadError> {
    let topics: &StringArray = column(path, rows, "topic")?;
    let partitions: &Int32Array = column(path, rows, "partition")?;
    let offsets: &Int64Array = column(path, rows, "offset")?;
    let timestamps: &TimestampMicrosecondArray = column(path, rows, "timestamp")?;
    let fetched: &TimestampMicrosecondArray = column(path, rows, "fetched")?;
    let keys: &BinaryArray = column(path, rows, "key")?;
    let values: &BinaryArray = column(path, rows, "value")?;
    let headers = HeaderLists::of(path, rows)?;
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
            binary(keys, row),
            binary(values, row),
        );
        headers.of_row(row).for_each(|(name, value)| batch.push_header(name, value));
    }
    Ok(batch)
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
        let batches = decode("a", encode(&[first.clone(), second.clone()]).unwrap()).unwrap();
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
        assert_eq!(decode("a/b", bytes).unwrap_err().to_string(), "a/b: it has no column `topic`");
        assert!(decode("a", Bytes::from_static(b"PAR1")).is_err());
    }
}
