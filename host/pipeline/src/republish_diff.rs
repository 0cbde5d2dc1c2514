//! After a rollback of results that had gone out: what comes out again is published only where it differs from what is
//! there, as the next revision; late rows and dead letters only where they are not there yet.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, DataType};
use arrow_select::filter::filter_record_batch;
use arrow_select::take::take_record_batch;
use bytes::Bytes;
use tallow_lake::tables;
use tallow_sink::{EpochOutput, LakeFile, ReadError};

use crate::error::PipelineError;

const REVISION: &str = "revision";
/// The columns that tell a late row or a dead letter from all others.
const PLACE: [&str; 6] = ["topic", "partition", "offset", "row", "window", "reason_kind"];

/// What records that are void have published.
#[derive(Default)]
pub struct Published {
    /// Candles by table and by key and start: the newest revision of each, as the lake has it.
    candles: BTreeMap<(String, Vec<String>), RecordBatch>,
    /// Places of late rows and dead letters.
    rows: BTreeSet<Vec<String>>,
}

impl Published {
    /// Takes in one published file; later ones win. What other sinks published is there, too.
    pub fn learn(&mut self, sink: &str, path: &str, bytes: Bytes) -> Result<(), ReadError> {
        match sink {
            "lake" => {
                for rows in LakeFile::open(path, bytes)? {
                    self.learn_candles(path, &rows?)?;
                }
                return Ok(());
            }
            "late" | "dead-letter" => {}
            _ => return Ok(()),
        }
        for rows in LakeFile::open_columns(path, bytes, &PLACE)? {
            let rows = rows?;
            self.rows.extend((0..rows.num_rows()).map(|row| place(&rows, row)));
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.candles.is_empty() && self.rows.is_empty()
    }

    fn learn_candles(&mut self, path: &str, batch: &RecordBatch) -> Result<(), ReadError> {
        let table = path.split('/').nth(1).unwrap_or_default();
        for row in 0..batch.num_rows() {
            let one = take_record_batch(batch, &UInt32Array::from(vec![row as u32]))
                .map_err(|error| ReadError::new(path, error))?;
            self.candles.insert((table.to_owned(), key(batch, row)), one);
        }
        Ok(())
    }

    /// Leaves out of an epoch's output what is published as it is, and numbers the revisions of the rest.
    pub fn apply(&self, output: &mut EpochOutput<'_>) -> Result<(), PipelineError> {
        let broken = |error: ArrowError| PipelineError::Checkpoint(error.to_string());
        let (mut closed, mut repeated) = (Vec::new(), Vec::new());
        for (window, batch) in std::mem::take(&mut output.closed) {
            let table = tables::of_window(output.pipeline, &window);
            let (changed, same) = self.divide(&table, &batch).map_err(broken)?;
            let some = |rows: &RecordBatch| rows.num_rows() > 0;
            repeated.extend(Some(same).filter(some).map(|rows| (window.clone(), rows)));
            closed.extend(Some(changed).filter(some).map(|rows| (window, rows)));
        }
        (output.closed, output.repeated) = (closed, repeated);
        let known = |place: Vec<String>| self.rows.contains(&place);
        output.late.retain(|row| {
            let at = &row.place;
            !known(vec![
                at.topic.to_string(),
                at.partition.to_string(),
                at.offset.to_string(),
                row.row.to_string(),
                row.window.clone(),
                String::new(),
            ])
        });
        output.dead.retain(|letter| {
            let at = &letter.place;
            !known(vec![
                at.topic.to_string(),
                at.partition.to_string(),
                at.offset.to_string(),
                letter.row.map(|row| row.to_string()).unwrap_or_default(),
                letter.window.clone().unwrap_or_default(),
                letter.kind.as_str().to_owned(),
            ])
        });
        Ok(())
    }

    /// Candles that are not published yet as they are, and those that are; each with its revision.
    fn divide(&self, table: &str, batch: &RecordBatch) -> Result<(RecordBatch, RecordBatch), ArrowError> {
        let mut keep = Vec::with_capacity(batch.num_rows());
        let mut revisions = Vec::with_capacity(batch.num_rows());
        let own = batch.column_by_name(REVISION).map(|column| column.as_primitive::<Int64Type>());
        for row in 0..batch.num_rows() {
            let revision = own.map_or(0, |own| own.value(row));
            let published = self.candles.get(&(table.to_owned(), key(batch, row)));
            keep.push(published.is_none_or(|published| !same_candle(batch, row, published)));
            revisions.push(match published {
                Some(published) if keep.last() == Some(&false) => revision_of(published),
                Some(published) => revision.max(revision_of(published) + 1),
                None => revision,
            });
        }
        let mut columns = batch.columns().to_vec();
        if let Ok(index) = batch.schema().index_of(REVISION) {
            columns[index] = std::sync::Arc::new(Int64Array::from(revisions));
        }
        let numbered = RecordBatch::try_new(batch.schema(), columns)?;
        let changed = BooleanArray::from(keep);
        let same: BooleanArray = changed.values().iter().map(|changed| Some(!changed)).collect();
        Ok((filter_record_batch(&numbered, &changed)?, filter_record_batch(&numbered, &same)?))
    }
}

/// The key's columns, which come before `window_start`, and the start.
pub(crate) fn key(batch: &RecordBatch, row: usize) -> Vec<String> {
    let schema = batch.schema();
    let start = schema.index_of("window_start").unwrap_or(0);
    (0..=start).map(|index| text(batch.column(index), row)).collect()
}

fn place(batch: &RecordBatch, row: usize) -> Vec<String> {
    let value = |name: &&str| batch.column_by_name(name).map(|column| text(column, row)).unwrap_or_default();
    PLACE.iter().map(value).collect()
}

fn text(column: &ArrayRef, row: usize) -> String {
    use arrow_array::types::{Int32Type, TimestampMicrosecondType, UInt32Type};
    if column.is_null(row) {
        return String::new();
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::LargeUtf8 => column.as_string::<i64>().value(row).to_owned(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Timestamp(..) => column.as_primitive::<TimestampMicrosecondType>().value(row).to_string(),
        _ => String::new(),
    }
}

fn revision_of(candle: &RecordBatch) -> i64 {
    candle.column_by_name(REVISION).map_or(0, |column| column.as_primitive::<Int64Type>().value(0))
}

/// Whether a candle says what the published one says, its revision aside.
fn same_candle(batch: &RecordBatch, row: usize, published: &RecordBatch) -> bool {
    let schema = batch.schema();
    schema.fields().iter().zip(batch.columns()).all(|(field, column)| {
        let published = published.column_by_name(field.name());
        field.name() == REVISION
            || published.is_some_and(|published| same_value(&column.slice(row, 1), published))
    })
}

fn same_value(ours: &ArrayRef, published: &ArrayRef) -> bool {
    use arrow_array::types::{Decimal128Type, Float64Type};
    if let (DataType::Decimal128(_, scale), DataType::Float64) = (ours.data_type(), published.data_type()) {
        let double = |array: &ArrayRef| {
            (!array.is_null(0)).then(|| {
                let mantissa = array.as_primitive::<Decimal128Type>().value(0);
                tallow_sink::nearest_double(mantissa, *scale)
            })
        };
        let there = (!published.is_null(0)).then(|| published.as_primitive::<Float64Type>().value(0));
        return double(ours).map(f64::to_bits) == there.map(f64::to_bits);
    }
    if ours.is_null(0) || published.is_null(0) {
        return ours.is_null(0) == published.is_null(0);
    }
    ours.to_data() == published.to_data()
}
