//! Rows that came after their window had closed, as Parquet: kept, so that a late row is never lost in silence.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use bytes::Bytes;
use tallow_lake::{hive, tables};
use tallow_store::Store;

use crate::parquet_file::{self, Layout};
use crate::raw_records::{bytes, kafka_times, numbers, place_columns, texts, times};
use crate::sink::publish_object;
use crate::{EpochOutput, Item, LateRow, Sink, SinkError};

/// `late/<pipeline>_<window>/date=<UTC day of the epoch's clock>/<chain>-<shard>-<seq>.parquet`
pub struct LateRows {
    store: Store,
}

impl LateRows {
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Sink for LateRows {
    fn name(&self) -> &'static str {
        "late"
    }

    fn prepare(&self, output: &EpochOutput<'_>) -> Result<Vec<Item>, SinkError> {
        let mut windows: BTreeMap<&str, Vec<&LateRow>> = BTreeMap::new();
        for row in &output.late {
            windows.entry(&row.window).or_default().push(row);
        }
        let day = hive::day(output.clock_us);
        let mut items = Vec::new();
        for (window, mut rows) in windows {
            rows.sort_by_key(|row| (&row.place, row.row));
            let path = output.file(&tables::late(output.pipeline, window), &day);
            let table = table(&rows, &output.commit())
                .map_err(|error| SinkError::Encode { name: path.clone(), why: error.to_string() })?;
            let layout = Layout { sorted_by: &[0, 1, 2, 3], opaque: &["key", "value"] };
            items.push(parquet_file::item(self.name(), path, &table, layout, output)?);
        }
        Ok(items)
    }

    fn publish(&self, name: &str, bytes: Bytes) -> Result<(), SinkError> {
        publish_object(&self.store, name, bytes)
    }
}

fn table(rows: &[&LateRow], commit: &str) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let [topic, partition, offset] = place_columns(rows.iter().map(|row| &row.place));
    RecordBatch::try_from_iter([
        topic,
        partition,
        offset,
        ("row", numbers(rows.iter().map(|row| Some(row.row)))),
        ("timestamp", kafka_times(rows.iter().map(|row| row.timestamp_us))),
        ("event_time", times(rows.iter().map(|row| Some(row.event_time_us)))),
        ("watermark", times(rows.iter().map(|row| Some(row.watermark_us)))),
        ("window", texts(rows.iter().map(|row| Some(row.window.as_str())))),
        ("key", bytes(rows.iter().map(|row| row.key.as_deref()))),
        ("value", bytes(rows.iter().map(|row| row.value.as_deref()))),
        ("commit", texts(rows.iter().map(|_| Some(commit)))),
    ])
}
