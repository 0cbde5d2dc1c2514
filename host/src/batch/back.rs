//! Do rows reach so far back that the window function has forgotten the contents of those they repeat?

use std::collections::BTreeMap;

use tallow_engine::{ColumnData, Rows, bit};

use super::coverage::Coverage;

/// Newest rows of a key whose contents the window function can still compare.
const COMPARED_ROWS: i64 = 1_024;

/// Whether some row is older than the rows of its key that can be compared. `time` and `key` are the rows' columns;
/// `coverage` knows them already; `interval_us`: how long the shortest of them is.
pub fn reach_back(rows: &Rows, time: &str, key: &str, coverage: &Coverage, interval_us: i64) -> bool {
    let column = |name: &str| rows.table.columns.iter().find(|column| column.name == name);
    let (Some(times), Some(keys)) = (column(time), column(key)) else { return false };
    let (ColumnData::TimestampUs(values), ColumnData::Text(text)) = (&times.data, &keys.data) else {
        return false;
    };
    let mut newest: BTreeMap<u32, i64> = BTreeMap::new();
    let is_there = |row: usize| {
        [times, keys].iter().all(|column| column.validity.as_deref().is_none_or(|bits| bit(bits, row)))
    };
    let compared_us = COMPARED_ROWS.saturating_mul(coverage.ids().unit_us(interval_us));
    (0..values.len()).filter(|row| is_there(*row)).any(|row| {
        let code = text.codes[row];
        let end_us = newest.entry(code).or_insert_with(|| {
            let start = if code == 0 { 0 } else { text.ends[code as usize - 1] as usize };
            let name = String::from_utf8_lossy(&text.bytes[start..text.ends[code as usize] as usize]);
            coverage.span_us(&name).map_or(i64::MIN, |(_, end_us)| end_us)
        });
        end_us.saturating_sub(values[row]) > compared_us
    })
}
