//! The tables' columns as one: a name, a type that holds the values of all, and where each table has it.

use tallow_contract::decimal::{MAX_SCALE, in_range, nearest_double, raised};
use tallow_contract::{Column, ColumnData, Decimals, Table, Text, is_valid, validity};

use crate::choose::Place;

/// Type of a joined column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Int64,
    TimestampUs,
    Decimal(u8),
    Float64,
    Boolean,
    Text,
}

impl Kind {
    fn of(data: &ColumnData) -> Kind {
        match data {
            ColumnData::Int64(_) => Kind::Int64,
            ColumnData::TimestampUs(_) => Kind::TimestampUs,
            ColumnData::Decimal(decimals) => Kind::Decimal(decimals.scale),
            ColumnData::Float64(_) => Kind::Float64,
            ColumnData::Boolean(_) => Kind::Boolean,
            ColumnData::Text(_) => Kind::Text,
        }
    }

    /// The type that holds both: int64 goes into decimal, decimal into float64.
    fn join(self, other: Kind) -> Option<Kind> {
        match (self, other) {
            (one, two) if one == two => Some(one),
            (Kind::Decimal(one), Kind::Decimal(two)) => Some(Kind::Decimal(one.max(two))),
            (Kind::Int64, number @ (Kind::Decimal(_) | Kind::Float64))
            | (number @ (Kind::Decimal(_) | Kind::Float64), Kind::Int64) => Some(number),
            (Kind::Decimal(_), Kind::Float64) | (Kind::Float64, Kind::Decimal(_)) => Some(Kind::Float64),
            _ => None,
        }
    }

    pub fn is_number(self) -> bool {
        matches!(self, Kind::Int64 | Kind::Decimal(_) | Kind::Float64)
    }
}

/// A column of several tables.
pub struct Joined<'a> {
    pub name: &'a str,
    pub kind: Kind,
    /// By table: none where it lacks the column.
    pub of: Vec<Option<&'a Column>>,
}

/// The columns of all tables in the order in which they first come, without those that `leaves_out` names.
///
/// # Errors
/// Which column is broken, or has types in two tables that no type holds.
pub fn join<'a>(tables: &[&'a Table], leaves_out: impl Fn(&str) -> bool) -> Result<Vec<Joined<'a>>, String> {
    let mut joined: Vec<Joined<'a>> = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        for column in table.columns.iter().filter(|column| !leaves_out(&column.name)) {
            let column = table.column(&column.name)?;
            let kind = Kind::of(&column.data);
            if let Kind::Decimal(scale) = kind
                && scale > MAX_SCALE
            {
                return Err(format!("column `{}` has a scale of {scale}: at most {MAX_SCALE}", column.name));
            }
            let Some(known) = joined.iter_mut().find(|known| known.name == column.name) else {
                let mut of = vec![None; tables.len()];
                of[index] = Some(column);
                joined.push(Joined { name: &column.name, kind, of });
                continue;
            };
            known.kind = known.kind.join(kind).ok_or_else(|| {
                let (name, other) = (&column.name, column.data.type_name());
                format!(
                    "column `{name}` is {other} in one table and {:?} in another: no type holds both",
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
    ///
    /// # Errors
    /// A decimal that leaves 38 digits at the joined scale; a zero of a type that has none.
    pub fn gather(&self, cells: impl Iterator<Item = Cell>) -> Result<Values<'a>, String> {
        if let Kind::Decimal(_) | Kind::Int64 | Kind::TimestampUs = self.kind {
            return Ok(Values::Integers(self.each(cells, Some(0), |column, row| self.integer(column, row))?));
        }
        Ok(match self.kind {
            Kind::Float64 => {
                Values::Floats(self.each(cells, Some(0.0), |column, row| Ok(float(column, row)))?)
            }
            Kind::Boolean => Values::Booleans(self.each(cells, None, |column, row| match &column.data {
                ColumnData::Boolean(values) => Ok(values[row]),
                _ => Ok(false),
            })?),
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
        value: impl Fn(&'a Column, usize) -> Result<T, String>,
    ) -> Result<Vec<Option<T>>, String> {
        cells
            .map(|cell| match cell {
                Cell::Null => Ok(None),
                Cell::Zero => zero.map(Some).ok_or_else(|| format!("column `{}` has no zero", self.name)),
                Cell::Of(Place { table, row }) => match self.of[table] {
                    Some(column) if is_valid(column.validity.as_deref(), row) => value(column, row).map(Some),
                    _ => Ok(None),
                },
            })
            .collect()
    }

    /// A value as a mantissa of the joined scale.
    fn integer(&self, column: &Column, row: usize) -> Result<i128, String> {
        let (mantissa, scale) = match &column.data {
            ColumnData::Int64(values) | ColumnData::TimestampUs(values) => (i128::from(values[row]), 0),
            ColumnData::Decimal(decimals) => (decimals.mantissa(row), decimals.scale),
            _ => (0, 0),
        };
        let Kind::Decimal(joined) = self.kind else { return Ok(mantissa) };
        raised(mantissa, joined - scale).filter(|mantissa| in_range(*mantissa)).ok_or_else(|| {
            format!("column `{}`: a value has more than 38 digits at {joined} decimal places", self.name)
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
    pub fn into_column(self, name: &str, kind: Kind) -> Column {
        let (data, validity) = match self {
            Values::Integers(values) => {
                let narrow = || values.iter().map(|value| value.unwrap_or(0) as i64).collect();
                let data = match kind {
                    Kind::Decimal(scale) => ColumnData::Decimal(Decimals::new(scale, &values)),
                    Kind::TimestampUs => ColumnData::TimestampUs(narrow()),
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
            Values::Texts(values) => (ColumnData::Text(dictionary(&values)), validity(&values)),
        };
        Column { name: name.to_owned(), data, validity }
    }
}

/// Text with each entry once, in the order in which they come.
fn dictionary(values: &[Option<&[u8]>]) -> Text {
    let mut text = Text::default();
    let mut codes = std::collections::BTreeMap::new();
    let values = values.iter().map(|value| value.unwrap_or_default());
    let coded = values.map(|value| *codes.entry(value).or_insert_with(|| text.push_entry(value))).collect();
    Text { codes: coded, ..text }
}
