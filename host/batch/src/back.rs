//! Do rows reach so far back that the window function has forgotten the contents of those they repeat?

use tallow_engine::{Column, ColumnData, Rows, Text};

use crate::coverage::Coverage;

/// Newest rows of a key whose contents the window function can still compare.
const COMPARED_ROWS: i64 = 1_024;

/// Where each key's rows ended before a batch came, by the key's code in it; µs, the smallest number for a new key.
pub struct Ends(Vec<i64>);

impl Ends {
    /// `coverage` does not know the batch's rows yet.
    pub fn before(rows: &Rows, key: &str, coverage: &Coverage) -> Ends {
        let Some((_, text)) = keys(rows, key) else { return Ends(Vec::new()) };
        let end_us = |code| {
            let name = String::from_utf8_lossy(text.entry(code));
            coverage.span_us(&name).map_or(i64::MIN, |(_, end_us)| end_us)
        };
        Ends((0..text.ends.len() as u32).map(end_us).collect())
    }

    /// Whether some row is older than the rows of its key before it that can be compared. `unit_us`: time between
    /// two rows of a key.
    pub fn reach_back(mut self, rows: &Rows, time: &str, key: &str, unit_us: i64) -> bool {
        let (Some((keys, text)), Ok(times)) = (keys(rows, key), rows.table.column(time)) else {
            return false;
        };
        let ColumnData::TimestampUs(values) = &times.data else { return false };
        let compared_us = COMPARED_ROWS.saturating_mul(unit_us);
        let is_there = |row: &usize| keys.is_valid(*row) && times.is_valid(*row);
        (0..values.len()).filter(is_there).any(|row| {
            let end_us = &mut self.0[text.codes[row] as usize];
            let back = end_us.saturating_sub(values[row]) > compared_us;
            *end_us = (*end_us).max(values[row].saturating_add(unit_us));
            back
        })
    }
}

fn keys<'r>(rows: &'r Rows, key: &str) -> Option<(&'r Column, &'r Text)> {
    let column = rows.table.column(key).ok()?;
    match &column.data {
        ColumnData::Text(text) => Some((column, text)),
        _ => None,
    }
}
