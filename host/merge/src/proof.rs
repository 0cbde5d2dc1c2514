//! Windows in which nothing was traded, as the trade ids of the speed rows on both sides of them prove. The function
//! learns of them by rows that are filled and complete.

use std::collections::BTreeMap;

use arrow_array::{Array, Int64Array, TimestampMicrosecondArray};
use arrow_schema::ArrowError;
use tallow_engine::{Column, ColumnData, MergeInput, MergeSource, Table, Text, to_arrow};
use tallow_lake::hive;
use tallow_lake::partition::year_start_us;
use tallow_sink::optional_column;
use tallow_table::ids::{Ids, Known, empty_spans};

use crate::{MergeError, Settings};

/// The windows of the stream's rows whose ids are known, by time; revisions of a window together.
/// `path`: for the error.
pub fn known(inputs: &[MergeInput], path: &str) -> Result<Vec<Known>, MergeError> {
    let mut windows: BTreeMap<i64, Known> = BTreeMap::new();
    for input in inputs.iter().filter(|input| input.source == MergeSource::Speed) {
        each_known(&input.table, |known| {
            let window = windows.entry(known.start_us).or_insert(known);
            window.ids = window.ids.union(known.ids);
        })
        .map_err(MergeError::input(path))?;
    }
    Ok(windows.into_values().collect())
}

fn each_known(table: &Table, mut take: impl FnMut(Known)) -> Result<(), ArrowError> {
    const COLUMNS: [&str; 4] = ["window_start", "window_end", "first_id", "last_id"];
    let columns = table.columns.iter().filter(|column| COLUMNS.contains(&column.name.as_str()));
    let rows = to_arrow(&Table { rows: table.rows, columns: columns.cloned().collect() })?;
    let times = |name| optional_column::<TimestampMicrosecondArray>(&rows, name);
    let numbers = |name| optional_column::<Int64Array>(&rows, name);
    let (Some(starts), Some(ends), Some(firsts), Some(lasts)) =
        (times("window_start"), times("window_end"), numbers("first_id"), numbers("last_id"))
    else {
        return Ok(());
    };
    let at = |column: &Int64Array, row| column.is_valid(row).then(|| column.value(row));
    for row in 0..rows.num_rows() {
        if let (Some(first), Some(last)) = (at(firsts, row), at(lasts, row)) {
            let (start_us, end_us) = (starts.value(row), ends.value(row));
            take(Known { start_us, end_us, ids: Ids { first, last } });
        }
    }
    Ok(())
}

/// What the function learns about a year: `None` if nothing is proven. `known`: by time, those next to the year's own
/// included; `key`: as in paths.
pub fn empty_windows(settings: &Settings, key: &str, year: i32, known: Vec<Known>) -> Option<MergeInput> {
    let step_us = settings.step_us as i64;
    let year_us = year_start_us(year)..year_start_us(year + 1);
    let starts: Vec<i64> = empty_spans(known)
        .into_iter()
        .flat_map(|(from_us, to_us)| {
            let before_year = (year_us.start - from_us).max(0);
            let first_us = from_us + (before_year + step_us - 1) / step_us * step_us;
            (first_us..to_us.min(year_us.end)).step_by(settings.step_us as usize)
        })
        .collect();
    if starts.is_empty() {
        return None;
    }
    let rows = starts.len();
    let value = hive::decode(key).unwrap_or_else(|| key.to_owned());
    let ends = vec![value.len() as u32];
    let text = Text { bytes: value.into_bytes(), ends, codes: vec![0; rows] };
    let column = |name: &str, data| Column { name: name.to_owned(), data, validity: None };
    let window_ends = starts.iter().map(|start_us| start_us + step_us).collect();
    let columns = vec![
        column(&settings.key, ColumnData::Text(text)),
        column("window_start", ColumnData::TimestampUs(starts)),
        column("window_end", ColumnData::TimestampUs(window_ends)),
        column("filled", ColumnData::Boolean(vec![true; rows])),
        column("complete", ColumnData::Boolean(vec![true; rows])),
    ];
    let table = Table { rows: rows as u32, columns };
    Some(MergeInput { source: MergeSource::Speed, table, covers: None })
}
