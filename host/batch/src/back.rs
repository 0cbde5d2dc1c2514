//! Do rows reach so far back that the window function has forgotten the contents of those they repeat?

use tallow_engine::{ColumnData, Rows, Text};

use super::coverage::Coverage;

/// Newest rows of a key whose contents the window function can still compare.
const COMPARED_ROWS: i64 = 1_024;

/// Where each key's rows ended before a batch came, by the key's code in it; µs, the smallest number for a new key.
pub struct Ends(Vec<i64>);

impl Ends {
    /// `coverage` does not know the batch's rows yet.
    pub fn before(rows: &Rows, key: &str, coverage: &Coverage) -> Ends {
        let Some(text) = keys(rows, key) else { return Ends(Vec::new()) };
        let mut from = 0;
        let ends = text.ends.iter().map(|end| {
            let name = String::from_utf8_lossy(&text.bytes[from..*end as usize]);
            from = *end as usize;
            coverage.span_us(&name).map_or(i64::MIN, |(_, end_us)| end_us)
        });
        Ends(ends.collect())
    }

    /// Whether some row is older than the rows of its key before it that can be compared. `unit_us`: time between
    /// two rows of a key.
    pub fn reach_back(mut self, rows: &Rows, time: &str, key: &str, unit_us: i64) -> bool {
        let Some(text) = keys(rows, key) else { return false };
        let Some(ColumnData::TimestampUs(times)) = column(rows, time) else { return false };
        let compared_us = COMPARED_ROWS.saturating_mul(unit_us);
        let is_there = |row: usize| {
            let mut columns = rows.table.columns.iter().filter(|it| it.name == time || it.name == key);
            columns.all(|it| it.is_valid(row))
        };
        (0..times.len()).filter(|row| is_there(*row)).any(|row| {
            let end_us = &mut self.0[text.codes[row] as usize];
            let back = end_us.saturating_sub(times[row]) > compared_us;
            *end_us = (*end_us).max(times[row].saturating_add(unit_us));
            back
        })
    }
}

fn column<'r>(rows: &'r Rows, name: &str) -> Option<&'r ColumnData> {
    rows.table.columns.iter().find(|column| column.name == name).map(|column| &column.data)
}

fn keys<'r>(rows: &'r Rows, key: &str) -> Option<&'r Text> {
    match column(rows, key)? {
        ColumnData::Text(text) => Some(text),
        _ => None,
    }
}
