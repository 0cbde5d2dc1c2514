//! The table that a forecast takes: `ds`, `y` and the key, as Prophet names them.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, Schema};
use tallow_sink::nearest_double;

use crate::MergeError;

/// `ds` is the start of the window without a time zone, which is what Prophet takes (it is UTC); `y` a double.
/// `path`: of the prophet table's partition.
pub fn rows(served: &RecordBatch, key: &str, column: &str, path: &str) -> Result<RecordBatch, MergeError> {
    let found = |name: &str| {
        let found = served.column_by_name(name).ok_or_else(|| {
            format!("the served table has no column `{name}`; `prophet` names another one, or \"\" for no such table")
        });
        found.map_err(MergeError::input(path))
    };
    let starts = found("window_start")?.as_primitive::<TimestampMicrosecondType>();
    let ds: ArrayRef = Arc::new(TimestampMicrosecondArray::new(starts.values().clone(), None));
    let value = found(column)?;
    let y: Float64Array = match value.data_type() {
        DataType::Float64 => value.as_primitive::<Float64Type>().clone(),
        DataType::Int64 => value.as_primitive::<Int64Type>().unary(|value| value as f64),
        DataType::Decimal128(_, scale) => {
            value.as_primitive::<Decimal128Type>().unary(|mantissa| nearest_double(mantissa, *scale))
        }
        other => {
            let why = format!("column `{column}` is {other}: `y` has to be a number");
            return Err(MergeError::Input { path: path.to_owned(), why });
        }
    };
    let key_column = found(key)?;
    let fields = vec![
        Field::new("ds", ds.data_type().clone(), true),
        Field::new("y", DataType::Float64, true),
        Field::new(key, key_column.data_type().clone(), true),
    ];
    RecordBatch::try_new(Arc::new(Schema::new(fields)), vec![ds, Arc::new(y), key_column.clone()])
        .map_err(MergeError::input(path))
}
