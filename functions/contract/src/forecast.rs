//! The contract `tallow:forecast`: from a series to its future.

use crate::{Column, ColumnData, Refusal, Table, refuse};

/// A setting that a forecast function has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Setting {
    pub name: String,
    /// Its value unless the request says otherwise.
    pub default: String,
    /// What it does, and which values it takes, in a sentence.
    pub meaning: String,
}

/// A forecast function's description.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Description {
    pub name: String,
    pub version: String,
    pub settings: Vec<Setting>,
    /// Whether it takes regressors.
    pub regressors: bool,
    /// Whether it takes holidays.
    pub holidays: bool,
    /// Rows with a `y` that it needs at least.
    pub least_rows: u32,
}

/// Days on which the series behaves in its own way. Holidays of one name share their effect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Holiday {
    pub name: String,
    /// The day, by its start: microseconds since 1970-01-01 UTC.
    pub ds_us: i64,
    /// Days before it that count too, each with its own effect; 0 or less.
    pub lower_days: i32,
    /// Days after it that count too, each with its own effect; 0 or more.
    pub upper_days: i32,
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// `ds`, `y` and the regressors, ascending by `ds`, each `ds` once; `cap` and `floor` if the settings ask for
    /// growth between bounds.
    pub history: Table,
    /// The rows to forecast: `ds` and all that `history` has but `y`.
    pub future: Table,
    /// Columns of both tables that the series depends on.
    pub regressors: Vec<String>,
    pub holidays: Vec<Holiday>,
    /// The share of outcomes that lie between `lower` and `upper`; between 0 and 1.
    pub level: f64,
    pub seed: u64,
    /// Names and values.
    pub settings: Vec<(String, String)>,
}

/// A fitted parameter: one number, or one per changepoint, period or term.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Parameter {
    pub name: String,
    pub values: Vec<f64>,
}

/// What a call gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// `ds`, `yhat`, `lower`, `upper`, then the components: one row per row of the request's `future`.
    pub forecast: Table,
    /// Components that are shares of the trend.
    pub multiplicative: Vec<String>,
    pub parameters: Vec<Parameter>,
    /// What a person has to know of this fit, one sentence each.
    pub notes: Vec<String>,
}

impl Request {
    /// The value of a setting.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The times of a table, ascending, each once.
///
/// # Errors
/// `ds` is missing, is not a timestamp, has nulls, or does not ascend.
pub fn times_us<'a>(table: &'a Table, name: &str) -> Result<&'a [i64], Refusal> {
    let column = table.column("ds")?;
    let times_us = column.times_us()?;
    if let Some(row) = (0..times_us.len()).find(|row| !column.is_valid(*row)) {
        refuse!("`ds` of {name} is null in row {row}");
    }
    match times_us.windows(2).position(|pair| pair[0] >= pair[1]) {
        Some(row) => refuse!("`ds` of {name} does not ascend at row {}", row + 1),
        None => Ok(times_us),
    }
}

/// The values of a float64 column, each finite; `None` where it is null.
///
/// # Errors
/// The column is missing or of another type, or a value is not finite.
pub fn values(table: &Table, column: &str) -> Result<Vec<Option<f64>>, Refusal> {
    let found = table.column(column)?;
    let ColumnData::Float64(values) = &found.data else {
        refuse!("column `{column}` is {}, and float64 is needed", found.data.type_name());
    };
    let one = |(row, value): (usize, &f64)| match (found.is_valid(row), value.is_finite()) {
        (false, _) => Ok(None),
        (true, true) => Ok(Some(*value)),
        (true, false) => refuse!("`{column}` is {value} in row {row}: a finite number is needed"),
    };
    values.iter().enumerate().map(one).collect()
}

/// The values of a float64 column without nulls.
///
/// # Errors
/// As [`values`], or a value is null.
pub fn known(table: &Table, column: &str) -> Result<Vec<f64>, Refusal> {
    let all = values(table, column)?;
    let one = |(row, value): (usize, Option<f64>)| match value {
        Some(value) => Ok(value),
        None => refuse!("`{column}` is null in row {row}"),
    };
    all.into_iter().enumerate().map(one).collect()
}

/// A float64 column without nulls.
pub fn column(name: &str, values: Vec<f64>) -> Column {
    Column { name: name.to_owned(), data: ColumnData::Float64(values), validity: None }
}

/// A column `ds`.
pub fn ds(times_us: &[i64]) -> Column {
    Column { name: "ds".to_owned(), data: ColumnData::TimestampUs(times_us.to_vec()), validity: None }
}
