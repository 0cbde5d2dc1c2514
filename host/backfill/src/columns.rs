//! From windows over bars to rows of the stream's own table: the same columns, of the same types.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, Int64Array, RecordBatch, UInt32Array, new_null_array,
};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::take::take_record_batch;
use tallow_contract::decimal::{divide_half_even, raised};
use tallow_engine::{ColumnType, ParseDescription};
use tallow_manifest::{Aggregate, Operation, Pipeline, Window};

/// Most digits of a decimal of 128 bits.
const PRECISION: u8 = 38;

/// A window's table as the stream writes it.
pub struct Target {
    has_ids: bool,
    /// By column: the type that the stream gives it, where that is not the bars' own.
    types: Vec<(String, DataType)>,
}

impl Target {
    /// `parse`: what the stream's parse function says about its columns.
    pub fn new(stream: &Pipeline, window: &Window, parse: &ParseDescription) -> Self {
        let places = |column: &str| match parse.columns.iter().find(|it| it.name == column)?.type_ {
            ColumnType::Decimal => Some(stream.scale(column)),
            ColumnType::Int64 => Some(0),
            _ => None,
        };
        let types = window.aggregates.iter();
        let is_whole =
            |column: &str| parse.columns.iter().any(|it| it.name == column && it.type_ == ColumnType::Int64);
        let types =
            types.filter_map(|it| Some((it.name.clone(), number_type(it, &places, &is_whole)?))).collect();
        Self { has_ids: window.ids.is_some(), types }
    }

    /// The chosen rows, each with its revision. They are whole: the caller has the exchange's word for it. Their ids
    /// are the bars' and say nothing beside the stream's, so they are left out.
    pub fn rows(
        &self,
        windows: &RecordBatch,
        chosen: Vec<u32>,
        revisions: Vec<i64>,
    ) -> Result<RecordBatch, String> {
        let windows =
            take_record_batch(windows, &UInt32Array::from(chosen)).map_err(|error| error.to_string())?;
        let count = windows.num_rows();
        let revisions: ArrayRef = Arc::new(Int64Array::from(revisions));
        let mut fields = Vec::new();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (field, column) in windows.schema().fields().iter().zip(windows.columns()) {
            let column = match field.name().as_str() {
                "first_id" | "last_id" if !self.has_ids => continue,
                "first_id" | "last_id" => new_null_array(column.data_type(), count),
                "missing" => Arc::new(Int64Array::from(vec![0; count])),
                "complete" => Arc::new(BooleanArray::from(vec![true; count])),
                "revision" => revisions.clone(),
                name => match self.types.iter().find(|(known, _)| known == name) {
                    Some((_, wanted)) => number(column, wanted).map_err(|why| format!("`{name}`: {why}"))?,
                    None => column.clone(),
                },
            };
            fields.push(Field::new(field.name(), column.data_type().clone(), true));
            columns.push(column);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|error| error.to_string())
    }
}

/// The type of an aggregate of numbers, as the window function gives it; `None` for one whose type is its column's own
/// and no number.
fn number_type(
    aggregate: &Aggregate,
    places: &impl Fn(&str) -> Option<u8>,
    is_whole: &impl Fn(&str) -> bool,
) -> Option<DataType> {
    let of = |column: &Option<String>| places(column.as_deref()?);
    let scale = match aggregate.operation {
        Operation::Count => return Some(DataType::Int64),
        Operation::Sum if is_whole(aggregate.column.as_deref()?) => return Some(DataType::Int64),
        Operation::SumProduct => of(&aggregate.column)? + of(&aggregate.by)?,
        _ => of(&aggregate.column)?,
    };
    Some(DataType::Decimal128(PRECISION, scale as i8))
}

/// A column of exact numbers in another type that holds them. Columns of other types stay as they are.
fn number(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, String> {
    let DataType::Decimal128(_, scale) = column.data_type() else { return Ok(column.clone()) };
    let wanted_scale = match wanted {
        DataType::Decimal128(_, wanted) => *wanted,
        _ => 0,
    };
    let decimals = column.as_primitive::<Decimal128Type>();
    let values =
        decimals.iter().map(|value| value.map(|value| rescale(value, *scale, wanted_scale)).transpose());
    let values = values.collect::<Result<Vec<Option<i128>>, String>>()?;
    if *wanted == DataType::Int64 {
        let whole = values.into_iter().map(|value| {
            value.map(|value| i64::try_from(value).map_err(|_| format!("{value} is too large"))).transpose()
        });
        return Ok(Arc::new(Int64Array::from(whole.collect::<Result<Vec<_>, String>>()?)));
    }
    let rescaled = Decimal128Array::from(values).with_precision_and_scale(PRECISION, wanted_scale);
    Ok(Arc::new(rescaled.map_err(|error| error.to_string())?))
}

/// A mantissa with other places. Places that are cut off are rounded half even, as everywhere.
fn rescale(mantissa: i128, from: i8, to: i8) -> Result<i128, String> {
    let places = to.abs_diff(from);
    let rescaled = match to >= from {
        true => raised(mantissa, places),
        false => raised(1, places).and_then(|unit| divide_half_even(mantissa, unit)),
    };
    rescaled.ok_or_else(|| format!("{mantissa} with {from} places does not fit {to} places"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_added_exactly_and_cut_off_half_even() {
        for (mantissa, from, to, wanted) in [
            (15, 1, 3, 1500),
            (-15, 1, 0, -2),
            (25, 1, 0, 2),
            (35, 1, 0, 4),
            (-25, 1, 0, -2),
            (26, 1, 0, 3),
            (7, 0, 0, 7),
        ] {
            assert_eq!(rescale(mantissa, from, to), Ok(wanted), "{mantissa} {from} {to}");
        }
        assert!(rescale(i128::MAX, 0, 1).is_err());
    }

    #[test]
    fn sums_of_whole_numbers_are_counted_where_the_stream_counts() {
        let sums: ArrayRef =
            Arc::new(Decimal128Array::from(vec![Some(2631), None]).with_precision_and_scale(38, 0).unwrap());
        let counts = number(&sums, &DataType::Int64).unwrap();
        assert_eq!(*counts, Int64Array::from(vec![Some(2631), None]));
        let wide: ArrayRef =
            Arc::new(Decimal128Array::from(vec![1i128 << 64]).with_precision_and_scale(38, 0).unwrap());
        assert!(number(&wide, &DataType::Int64).is_err());
    }
}
