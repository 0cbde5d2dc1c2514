//! From a function's table to an Arrow record batch, which every sink takes.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_schema::{ArrowError, Field, Schema};

use crate::bindings::types::{ColumnData, Table, Text};
use crate::validate::{bit, texts};

/// The largest precision that 128 bits hold.
const DECIMAL_PRECISION: u8 = 38;

/// Decimals become `Decimal128(38, scale)`, timestamps `Timestamp(µs, "UTC")`, text `Utf8`. The table has been
/// validated, so an error means that a decimal does not fit 38 digits or two columns differ in length.
pub fn to_arrow(table: &Table) -> Result<RecordBatch, ArrowError> {
    let rows = table.rows as usize;
    let mut fields = Vec::with_capacity(table.columns.len());
    let mut arrays = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let nulls = column
            .validity
            .as_ref()
            .map(|bits| NullBuffer::new(BooleanBuffer::new(Buffer::from_slice_ref(bits), 0, rows)));
        let array = array(&column.data, nulls, column.validity.as_deref())?;
        fields.push(Field::new(&column.name, array.data_type().clone(), true));
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

fn array(
    data: &ColumnData,
    nulls: Option<NullBuffer>,
    validity: Option<&[u8]>,
) -> Result<ArrayRef, ArrowError> {
    Ok(match data {
        ColumnData::Int64(values) => Arc::new(Int64Array::new(values.clone().into(), nulls)),
        ColumnData::TimestampUs(values) => {
            Arc::new(TimestampMicrosecondArray::new(values.clone().into(), nulls).with_timezone("UTC"))
        }
        ColumnData::Decimal(decimals) => {
            let wide: Vec<i128> = match &decimals.high {
                None => decimals.values.iter().map(|value| i128::from(*value)).collect(),
                Some(high) => decimals
                    .values
                    .iter()
                    .zip(high)
                    .map(|(low, high)| i128::from(*high) << 64 | i128::from(*low as u64))
                    .collect(),
            };
            let array = Decimal128Array::new(wide.into(), nulls)
                .with_precision_and_scale(DECIMAL_PRECISION, decimals.scale as i8)?;
            array.validate_decimal_precision(DECIMAL_PRECISION)?;
            Arc::new(array)
        }
        ColumnData::Float64(values) => Arc::new(Float64Array::new(values.clone().into(), nulls)),
        ColumnData::Boolean(values) => {
            Arc::new(BooleanArray::new(BooleanBuffer::from(values.as_slice()), nulls))
        }
        ColumnData::Text(text) => Arc::new(strings(text, validity)?),
    })
}

fn strings(text: &Text, validity: Option<&[u8]>) -> Result<StringArray, ArrowError> {
    let entries = texts(text).map_err(ArrowError::InvalidArgumentError)?;
    Ok(text
        .codes
        .iter()
        .enumerate()
        .map(|(row, code)| {
            let valid = validity.is_none_or(|bits| bit(bits, row));
            valid.then(|| entries[*code as usize].as_str())
        })
        .collect())
}
