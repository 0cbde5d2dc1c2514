//! From a function's table to an Arrow record batch, which every sink takes, and back.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};

use tallow_contract::{Column, ColumnData, Decimals, Table, Text, is_valid};

use crate::validate::texts;

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
            let array = Decimal128Array::new(decimals.mantissas().collect::<Vec<_>>().into(), nulls)
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
            let valid = is_valid(validity, row);
            valid.then(|| entries[*code as usize].as_str())
        })
        .collect())
}

/// What [`to_arrow`] makes, and what other programs write for the same: 32-bit integers and floats, times without a
/// zone (taken for UTC), large text. An error names the column whose type has no place in a function's table.
pub fn from_arrow(batch: &RecordBatch) -> Result<Table, ArrowError> {
    let rows = u32::try_from(batch.num_rows())
        .map_err(|_| ArrowError::InvalidArgumentError(format!("{} rows are too many", batch.num_rows())))?;
    let schema = batch.schema();
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (field, array) in schema.fields().iter().zip(batch.columns()) {
        let data = data(array.as_ref()).ok_or_else(|| {
            let (name, data_type) = (field.name(), field.data_type());
            ArrowError::NotYetImplemented(format!(
                "column `{name}` is {data_type}, which functions do not take"
            ))
        })?;
        let validity = array.nulls().filter(|nulls| nulls.null_count() > 0);
        let validity = validity.map(|nulls| nulls.inner().sliced().to_vec());
        columns.push(Column { name: field.name().clone(), data, validity });
    }
    Ok(Table { rows, columns })
}

fn data(array: &dyn Array) -> Option<ColumnData> {
    Some(match array.data_type() {
        DataType::Int64 => ColumnData::Int64(array.as_primitive::<Int64Type>().values().to_vec()),
        DataType::Int32 => ColumnData::Int64(
            array.as_primitive::<Int32Type>().values().iter().map(|it| i64::from(*it)).collect(),
        ),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            ColumnData::TimestampUs(array.as_primitive::<TimestampMicrosecondType>().values().to_vec())
        }
        DataType::Decimal128(_, scale) => {
            let mantissas = array.as_primitive::<Decimal128Type>().values();
            ColumnData::Decimal(Decimals::of(u8::try_from(*scale).ok()?, mantissas.iter().copied()))
        }
        DataType::Float64 => ColumnData::Float64(array.as_primitive::<Float64Type>().values().to_vec()),
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>().values();
            ColumnData::Float64(values.iter().map(|it| f64::from(*it)).collect())
        }
        DataType::Boolean => ColumnData::Boolean(array.as_boolean().values().iter().collect()),
        DataType::Utf8 => {
            ColumnData::Text(array.as_string::<i32>().iter().map(Option::unwrap_or_default).collect())
        }
        DataType::LargeUtf8 => {
            ColumnData::Text(array.as_string::<i64>().iter().map(Option::unwrap_or_default).collect())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_table_comes_back_from_arrow_as_it_was() {
        let text = Text { bytes: b"BTCETH".into(), ends: vec![3, 6], codes: vec![0, 1, 0] };
        let wide = 1i128 << 70;
        let decimals = Decimals {
            scale: 8,
            values: vec![1, wide as i64, -1],
            high: Some(vec![0, (wide >> 64) as i64, -1]),
        };
        let column = |name: &str, data, validity| Column { name: name.to_owned(), data, validity };
        let columns = vec![
            column("symbol", ColumnData::Text(text), None),
            column("window_start", ColumnData::TimestampUs(vec![-1, 0, 1]), None),
            column("close", ColumnData::Float64(vec![1.5, 0.0, -2.5]), Some(vec![0b101])),
            column("volume", ColumnData::Decimal(decimals), None),
            column("trades", ColumnData::Int64(vec![1, 2, 3]), None),
            column("complete", ColumnData::Boolean(vec![true, false, true]), Some(vec![0b011])),
        ];
        let table = Table { rows: 3, columns };
        let batch = to_arrow(&table).unwrap();
        assert_eq!(to_arrow(&from_arrow(&batch).unwrap()).unwrap(), batch);
        // A slice keeps its own rows and their validity.
        let sliced = from_arrow(&batch.slice(1, 2)).unwrap();
        assert_eq!(to_arrow(&sliced).unwrap(), batch.slice(1, 2));
    }

    #[test]
    fn a_type_that_functions_do_not_take_is_named_with_its_column() {
        let days: ArrayRef = Arc::new(arrow_array::Date32Array::from(vec![1]));
        let batch = RecordBatch::try_from_iter([("day", days)]).unwrap();
        let error = from_arrow(&batch).unwrap_err().to_string();
        assert!(error.contains("`day` is Date32"), "{error}");
    }
}
