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

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Decimal128Type, TimestampMicrosecondType};
    use arrow_schema::{DataType, TimeUnit};

    use super::*;
    use crate::bindings::types::{Column, Decimals};

    fn convert(rows: u32, data: ColumnData, validity: Option<Vec<u8>>) -> Result<ArrayRef, ArrowError> {
        let columns = vec![Column { name: "c".into(), data, validity }];
        Ok(to_arrow(&Table { rows, columns })?.column(0).clone())
    }

    #[test]
    fn timestamps_are_microseconds_in_utc() {
        let array = convert(2, ColumnData::TimestampUs(vec![-1, 1_723_161_255_000_000]), None).unwrap();
        assert_eq!(array.data_type(), &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
        let time = array.as_primitive::<TimestampMicrosecondType>().value_as_datetime(1).unwrap();
        assert_eq!(time.to_string(), "2024-08-08 23:54:15");
    }

    #[test]
    fn decimals_are_put_together_from_their_halves() {
        let numbers = [0i128, -1, 1, i128::from(i64::MAX) + 1, -(1i128 << 64), 10i128.pow(38) - 1];
        let values = numbers.iter().map(|it| *it as i64).collect();
        let high = Some(numbers.iter().map(|it| (it >> 64) as i64).collect());
        let array = convert(6, ColumnData::Decimal(Decimals { scale: 8, values, high }), None).unwrap();
        assert_eq!(array.data_type(), &DataType::Decimal128(38, 8));
        assert_eq!(array.as_primitive::<Decimal128Type>().values(), &numbers);

        let array =
            convert(1, ColumnData::Decimal(Decimals { scale: 2, values: vec![-150], high: None }), None);
        assert_eq!(array.unwrap().as_primitive::<Decimal128Type>().value_as_string(0), "-1.50");
    }

    #[test]
    fn a_decimal_of_more_than_38_digits_is_an_error_unless_its_row_is_null() {
        let number = 10i128.pow(38);
        let data = || {
            let (values, high) = (vec![number as i64], Some(vec![(number >> 64) as i64]));
            ColumnData::Decimal(Decimals { scale: 0, values, high })
        };
        assert!(convert(1, data(), None).is_err());
        assert_eq!(convert(1, data(), Some(vec![0])).unwrap().null_count(), 1);
    }

    #[test]
    fn null_rows_are_null_in_every_type() {
        let text = Text { bytes: b"ab".into(), ends: vec![1, 2], codes: vec![1, 99, 0] };
        for data in [
            ColumnData::Int64(vec![1, 2, 3]),
            ColumnData::Float64(vec![1.0, f64::NAN, 3.0]),
            ColumnData::Boolean(vec![true, false, true]),
            ColumnData::Text(text),
        ] {
            let array = convert(3, data, Some(vec![0b101])).unwrap();
            let nulls: Vec<_> = (0..3).map(|row| array.is_null(row)).collect();
            assert_eq!(nulls, [false, true, false], "{:?}", array.data_type());
        }
    }

    #[test]
    fn text_is_looked_up_by_code() {
        let text = Text { bytes: "BTC\u{20ac}".into(), ends: vec![3, 6, 6], codes: vec![1, 0, 2, 1] };
        let array = convert(4, ColumnData::Text(text), None).unwrap();
        let strings: Vec<_> = array.as_string::<i32>().iter().flatten().collect();
        assert_eq!(strings, ["\u{20ac}", "BTC", "", "\u{20ac}"]);
    }
}
