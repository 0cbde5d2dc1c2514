//! What an input's rows say of their windows.

use tallow_contract::merge::Input;
use tallow_contract::{Column, Refusal, Table, is_valid, refuse};

/// A row's window, and how good a row it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    pub start_us: i64,
    /// `None` if it is not known.
    pub complete: Option<bool>,
    pub revision: i64,
}

/// What an input says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// One per row; `None` for rows that were filled in.
    pub rows: Vec<Option<Fact>>,
    /// Windows of which it is known that nothing happened in them: rows that are filled in and complete.
    pub empty: Vec<i64>,
}

/// What the rows of an input say.
pub fn facts(input: &Input, step_us: i64) -> Result<Facts, Refusal> {
    let start = times(&input.table, "window_start")?;
    let end = times(&input.table, "window_end")?;
    let complete = optional(&input.table, "complete", Column::booleans)?;
    let filled = optional(&input.table, "filled", Column::booleans)?;
    let revision = optional(&input.table, "revision", Column::int64s)?;
    let rows = 0..input.table.rows as usize;
    let flag = |flags: &Option<Values<'_, bool>>, row| flags.as_ref().and_then(|flags| flags.get(row));
    let is_empty = |row: &usize| flag(&filled, *row) == Some(true) && flag(&complete, *row) == Some(true);
    let empty = rows.clone().filter(is_empty).filter_map(|row| start.get(row)).collect();
    let fact = |row: usize| {
        if flag(&filled, row) == Some(true) {
            return Ok(None);
        }
        let (Some(start_us), Some(end_us)) = (start.get(row), end.get(row)) else {
            refuse!("row {row} has no `window_start` or no `window_end`");
        };
        if start_us.checked_add(step_us) != Some(end_us) {
            refuse!("row {row}: the window from {start_us} µs to {end_us} µs is not {step_us} µs long");
        }
        let known = flag(&complete, row);
        let complete = match input.covers {
            None => known,
            Some(covers) if start_us < covers.from_us || end_us > covers.to_us => Some(false),
            Some(_) => Some(known.unwrap_or(true)),
        };
        let revision = revision.as_ref().and_then(|revision| revision.get(row)).unwrap_or(0);
        Ok(Some(Fact { start_us, complete, revision }))
    };
    Ok(Facts { rows: rows.map(fact).collect::<Result<_, Refusal>>()?, empty })
}

/// A column's values with their validity.
pub struct Values<'a, T> {
    values: &'a [T],
    validity: Option<&'a [u8]>,
}

impl<'a, T: Copy> Values<'a, T> {
    fn of(
        column: &'a Column,
        values: impl Fn(&'a Column) -> Result<&'a [T], Refusal>,
    ) -> Result<Self, Refusal> {
        Ok(Values { values: values(column)?, validity: column.validity.as_deref() })
    }

    pub fn get(&self, row: usize) -> Option<T> {
        is_valid(self.validity, row).then(|| self.values[row])
    }
}

/// A column of times that has to be there.
pub fn times<'a>(table: &'a Table, name: &str) -> Result<Values<'a, i64>, Refusal> {
    Values::of(table.column(name)?, Column::times_us)
}

fn optional<'a, T: Copy>(
    table: &'a Table,
    name: &str,
    values: impl Fn(&'a Column) -> Result<&'a [T], Refusal>,
) -> Result<Option<Values<'a, T>>, Refusal> {
    let there = table.columns.iter().any(|column| column.name == name);
    there.then(|| Values::of(table.column(name)?, values)).transpose()
}
