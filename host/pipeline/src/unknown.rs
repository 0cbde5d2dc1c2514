//! Columns of candles that are not known yet: an aggregate that came later than its window knows nothing of the rows
//! before, and a window that came later than its pipeline is not complete while it may lack some.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow_schema::{ArrowError, Schema};
use arrow_select::zip::zip;
use tallow_manifest::COMPLETE;

/// `candles` with null, or false, where windows start before a column is known; `since_us`: when that is, by column, µs.
///
/// # Errors
/// The candles are no table of windows.
pub fn withhold(since_us: &BTreeMap<String, i64>, candles: RecordBatch) -> Result<RecordBatch, ArrowError> {
    if since_us.is_empty() {
        return Ok(candles);
    }
    let schema = candles.schema();
    let starts = candles.column(schema.index_of("window_start")?);
    let starts = starts
        .as_primitive_opt::<TimestampMicrosecondType>()
        .ok_or_else(|| ArrowError::SchemaError("`window_start` is no timestamp in µs".to_owned()))?;
    let mut fields = schema.fields().to_vec();
    let mut columns = candles.columns().to_vec();
    for (name, &since_us) in since_us {
        let early: BooleanArray = starts.values().iter().map(|&start_us| Some(start_us < since_us)).collect();
        if early.true_count() == 0 {
            continue;
        }
        let at = match schema.index_of(name) {
            // A function need not tell what is complete.
            Err(_) if name == COMPLETE => continue,
            at => at?,
        };
        let unknown: ArrayRef = match name == COMPLETE {
            true => Arc::new(BooleanArray::from(vec![false; candles.num_rows()])),
            false => new_null_array(columns[at].data_type(), candles.num_rows()),
        };
        columns[at] = zip(&early, &unknown, &columns[at])?;
        fields[at] = Arc::new(fields[at].as_ref().clone().with_nullable(true));
    }
    let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
    RecordBatch::try_new(Arc::new(schema), columns)
}

#[cfg(test)]
mod tests {
    use arrow_array::types::Int64Type;
    use arrow_array::{Int64Array, TimestampMicrosecondArray};
    use arrow_schema::{DataType, Field, TimeUnit};

    use super::*;

    fn candles() -> RecordBatch {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let fields = vec![
            Field::new("window_start", time, false),
            Field::new("trades", DataType::Int64, false),
            Field::new("old", DataType::Int64, false),
            Field::new("complete", DataType::Boolean, true),
        ];
        let starts = TimestampMicrosecondArray::from(vec![0, 60, 120]).with_timezone("UTC");
        let number = |values: [i64; 3]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
        let complete = BooleanArray::from(vec![None, None, Some(true)]);
        let columns =
            vec![Arc::new(starts) as ArrayRef, number([1, 2, 3]), number([4, 5, 6]), Arc::new(complete)];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    fn numbers(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
        batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().iter().collect()
    }

    #[test]
    fn an_aggregate_is_null_where_its_window_began_before_it() {
        let known = withhold(&BTreeMap::from([("trades".to_owned(), 61)]), candles()).unwrap();
        assert_eq!(numbers(&known, "trades"), [None, None, Some(3)]);
        assert_eq!(numbers(&known, "old"), [Some(4), Some(5), Some(6)]);
    }

    #[test]
    fn an_added_window_is_incomplete_until_it_has_seen_all() {
        let known = withhold(&BTreeMap::from([(COMPLETE.to_owned(), 60)]), candles()).unwrap();
        let complete = known.column_by_name(COMPLETE).unwrap().as_boolean();
        assert_eq!(complete.iter().collect::<Vec<_>>(), [Some(false), None, Some(true)]);
    }
}
