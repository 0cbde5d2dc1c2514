//! Candles as Parquet files: one file a window definition and UTC day.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use bytes::Bytes;
use tallow_contract::decimal::nearest_double;
use tallow_lake::{hive, tables};
use tallow_store::Store;

use crate::parquet_file::{self, Layout};
use crate::sink::publish_object;
use crate::sorted::sort_rows;
use crate::{EpochOutput, Item, Sink, SinkError};

/// How decimal columns are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decimals {
    /// As the nearest double, which every tool computes with.
    #[default]
    Double,
    /// As Parquet DECIMAL, exact.
    Decimal,
}

/// `speed/<pipeline>_<window>/date=<UTC day of window_start>/<chain>-<shard>-<seq>.parquet`
pub struct Lake {
    store: Store,
    decimals: Decimals,
}

impl Lake {
    pub fn new(store: Store, decimals: Decimals) -> Self {
        Self { store, decimals }
    }

    fn window_items(
        &self,
        output: &EpochOutput<'_>,
        window: &str,
        batches: &[&RecordBatch],
    ) -> Result<Vec<Item>, SinkError> {
        let table_error =
            |why: String| SinkError::Table { pipeline: output.pipeline.into(), window: window.into(), why };
        let table = concat_batches(&batches[0].schema(), batches.iter().copied())
            .map_err(|error| table_error(error.to_string()))?;
        let sorted_by = sort_columns(&table).map_err(table_error)?;
        let table = match self.decimals {
            Decimals::Double => {
                decimals_to_doubles(&table).map_err(|error| table_error(error.to_string()))?
            }
            Decimals::Decimal => table,
        };

        let folder = tables::speed(output.pipeline, window);
        let mut items = Vec::new();
        for (day, mut rows) in rows_by_day(&table, sorted_by.len() - 1).map_err(table_error)? {
            sort_rows(&table, &sorted_by, &mut rows);
            let rows = take_record_batch(&table, &UInt32Array::from(rows))
                .map_err(|error| table_error(error.to_string()))?;
            let layout = Layout { sorted_by: &sorted_by, opaque: &[] };
            let path = output.file(&folder, &day);
            items.push(parquet_file::item(self.name(), path, &rows, layout, output)?);
        }
        Ok(items)
    }
}

impl Sink for Lake {
    fn name(&self) -> &'static str {
        "lake"
    }

    fn prepare(&self, output: &EpochOutput<'_>) -> Result<Vec<Item>, SinkError> {
        let mut windows: BTreeMap<&str, Vec<&RecordBatch>> = BTreeMap::new();
        for (window, batch) in &output.closed {
            windows.entry(window).or_default().push(batch);
        }
        let mut items = Vec::new();
        for (window, batches) in windows {
            items.extend(self.window_items(output, window, &batches)?);
        }
        Ok(items)
    }

    fn publish(&self, name: &str, bytes: Bytes) -> Result<(), SinkError> {
        publish_object(&self.store, name, bytes)
    }
}

/// The key's columns, which come before `window_start`, and `window_start`.
fn sort_columns(table: &RecordBatch) -> Result<Vec<usize>, String> {
    let schema = table.schema();
    let start = schema.index_of("window_start").map_err(|_| "its table has no column `window_start`")?;
    if !matches!(schema.field(start).data_type(), DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, _))
    {
        return Err(format!("`window_start` is {}, not a timestamp in µs", schema.field(start).data_type()));
    }
    for key in &schema.fields()[..start] {
        if key.data_type() != &DataType::Utf8 {
            return Err(format!("key column `{}` is {}, not text", key.name(), key.data_type()));
        }
    }
    Ok((0..=start).collect())
}

/// Row indices by day.
fn rows_by_day(table: &RecordBatch, start: usize) -> Result<BTreeMap<String, Vec<u32>>, String> {
    let starts = table.column(start).as_primitive::<TimestampMicrosecondType>();
    let mut days: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for row in 0..table.num_rows() {
        if starts.is_null(row) {
            return Err(format!("row {row} has no `window_start`"));
        }
        days.entry(hive::day(starts.value(row))).or_default().push(row as u32);
    }
    Ok(days)
}

/// The rows with the nearest doubles for decimals.
///
/// # Errors
/// Arrow refuses the columns, which is a fault of this program.
pub fn decimals_to_doubles(table: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::with_capacity(table.num_columns());
    let mut columns = Vec::with_capacity(table.num_columns());
    for (field, column) in table.schema().fields().iter().zip(table.columns()) {
        match column.data_type() {
            DataType::Decimal128(_, scale) => {
                let decimals = column.as_primitive::<Decimal128Type>();
                let doubles: Float64Array = decimals.unary(|mantissa| nearest_double(mantissa, *scale));
                fields.push(Arc::new(Field::new(field.name(), DataType::Float64, field.is_nullable())));
                columns.push(Arc::new(doubles) as ArrayRef);
            }
            _ => {
                fields.push(field.clone());
                columns.push(column.clone());
            }
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}
