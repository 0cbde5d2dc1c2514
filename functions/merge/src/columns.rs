//! The tables' columns as one: a name, a type that holds the values of all, and where each table has it.

use tallow_contract::decimal::{MAX_SCALE, in_range, nearest_double, raised};
use tallow_contract::{Column, ColumnData, Decimals, Refusal, Table, ValueType, is_valid, refuse, validity};

use crate::choose::Place;

/// The type that holds both: int64 goes into decimal, decimal into float64.
fn join_types(one: ValueType, other: ValueType) -> Option<ValueType> {
    use ValueType::{Decimal, Float64, Int64};
    match (one, other) {
        (one, other) if one == other => Some(one),
        (Decimal(one), Decimal(other)) => Some(Decimal(one.max(other))),
        (Int64, number @ (Decimal(_) | Float64)) | (number @ (Decimal(_) | Float64), Int64) => Some(number),
        (Decimal(_), Float64) | (Float64, Decimal(_)) => Some(Float64),
        _ => None,
    }
}

/// A column of several tables.
pub struct Joined<'a> {
    pub name: &'a str,
    pub kind: ValueType,
    /// By table; `None` if it does not have the column.
    pub of: Vec<Option<&'a Column>>,
}

/// The columns of all tables in the order in which they first come, without those that `leaves_out` names.
pub fn join<'a>(tables: &[&'a Table], leaves_out: impl Fn(&str) -> bool) -> Result<Vec<Joined<'a>>, Refusal> {
    let mut joined: Vec<Joined<'a>> = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        for column in table.columns.iter().filter(|column| !leaves_out(&column.name)) {
            let column = table.column(&column.name)?;
            let kind = ValueType::of(&column.data);
            if let ValueType::Decimal(scale) = kind
                && scale > MAX_SCALE
            {
                refuse!("column `{}` has a scale of {scale}: at most {MAX_SCALE}", column.name);
            }
            let Some(known) = joined.iter_mut().find(|known| known.name == column.name) else {
                let mut of = vec![None; tables.len()];
                of[index] = Some(column);
                joined.push(Joined { name: &column.name, kind, of });
                continue;
            };
            known.kind = join_types(known.kind, kind).ok_or_else(|| {
                let (name, other) = (&column.name, column.data.type_name());
                format!(
                    "column `{name}` is {other} in one table and {} in another: no type holds both",
                    known.kind
                )
            })?;
            known.of[index] = Some(column);
        }
    }
    Ok(joined)
}

/// What a row of the result has of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    Of(Place),
    Zero,
    Null,
}

/// Values of one column, a row each.
pub enum Values<'a> {
    Integers(Vec<Option<i128>>),
    Floats(Vec<Option<f64>>),
    Booleans(Vec<Option<bool>>),
    Texts(Vec<Option<&'a [u8]>>),
}

impl<'a> Joined<'a> {
    /// The values of some cells.
    pub fn gather(&self, cells: impl Iterator<Item = Cell>) -> Result<Values<'a>, Refusal> {
        if let ValueType::Decimal(_) | ValueType::Int64 | ValueType::TimestampUs = self.kind {
            return Ok(Values::Integers(self.each(cells, Some(0), |column, row| self.integer(column, row))?));
        }
        Ok(match self.kind {
            ValueType::Float64 => {
                Values::Floats(self.each(cells, Some(0.0), |column, row| Ok(float(column, row)))?)
            }
            ValueType::Boolean => {
                Values::Booleans(self.each(cells, None, |column, row| match &column.data {
                    ColumnData::Boolean(values) => Ok(values[row]),
                    _ => Ok(false),
                })?)
            }
            _ => Values::Texts(self.each(cells, None, |column, row| match &column.data {
                ColumnData::Text(text) => Ok(text.entry(text.codes[row])),
                _ => Ok(&[][..]),
            })?),
        })
    }

    fn each<T: Copy>(
        &self,
        cells: impl Iterator<Item = Cell>,
        zero: Option<T>,
        value: impl Fn(&'a Column, usize) -> Result<T, Refusal>,
    ) -> Result<Vec<Option<T>>, Refusal> {
        cells
            .map(|cell| match cell {
                Cell::Null => Ok(None),
                Cell::Zero => {
                    zero.map(Some).ok_or_else(|| format!("column `{}` has no zero", self.name).into())
                }
                Cell::Of(Place { table, row }) => match self.of[table] {
                    Some(column) if is_valid(column.validity.as_deref(), row) => value(column, row).map(Some),
                    _ => Ok(None),
                },
            })
            .collect()
    }

    /// A value as a mantissa of the joined scale.
    fn integer(&self, column: &Column, row: usize) -> Result<i128, Refusal> {
        let (mantissa, scale) = match &column.data {
            ColumnData::Int64(values) | ColumnData::TimestampUs(values) => (i128::from(values[row]), 0),
            ColumnData::Decimal(decimals) => (decimals.mantissa(row), decimals.scale),
            _ => (0, 0),
        };
        let ValueType::Decimal(joined) = self.kind else { return Ok(mantissa) };
        raised(mantissa, joined - scale).filter(|mantissa| in_range(*mantissa)).ok_or_else(|| {
            format!("column `{}`: a value has more than 38 digits at {joined} decimal places", self.name)
                .into()
        })
    }
}

/// A number as the nearest double.
fn float(column: &Column, row: usize) -> f64 {
    match &column.data {
        ColumnData::Float64(values) => values[row],
        ColumnData::Int64(values) => values[row] as f64,
        ColumnData::Decimal(decimals) => nearest_double(decimals.mantissa(row), decimals.scale),
        _ => f64::NAN,
    }
}

impl Values<'_> {
    /// A column of the values.
    pub fn into_column(self, name: &str, kind: ValueType) -> Column {
        let (data, validity) = match self {
            Values::Integers(values) => {
                let narrow = || values.iter().map(|value| value.unwrap_or(0) as i64).collect();
                let data = match kind {
                    ValueType::Decimal(scale) => ColumnData::Decimal(Decimals::new(scale, &values)),
                    ValueType::TimestampUs => ColumnData::TimestampUs(narrow()),
                    _ => ColumnData::Int64(narrow()),
                };
                (data, validity(&values))
            }
            Values::Floats(values) => {
                let data = values.iter().map(|value| value.unwrap_or(0.0)).collect();
                (ColumnData::Float64(data), validity(&values))
            }
            Values::Booleans(values) => {
                let data = values.iter().map(|value| value.unwrap_or(false)).collect();
                (ColumnData::Boolean(data), validity(&values))
            }
            Values::Texts(values) => {
                let text = values.iter().map(|value| value.unwrap_or_default()).collect();
                (ColumnData::Text(text), validity(&values))
            }
        };
        Column { name: name.to_owned(), data, validity }
    }
}
