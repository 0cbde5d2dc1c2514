//! Windows as a table.

use super::contract::{Output, Spec};
use super::types::{Column, ColumnData, Decimals, Table, Text};
use crate::state::ValueType;
use crate::windows::Window;

/// `are_open`: they are shown as they are now, and are not complete.
pub fn output(
    index: u32,
    spec: &Spec,
    types: &[Option<ValueType>],
    windows: &[Window],
    are_open: bool,
) -> Output {
    let size_us = match spec.shape {
        super::contract::Shape::Tumbling(size_us) => size_us as i64,
        _ => 0,
    };
    let mut columns: Vec<Column> = (0..spec.keys.len()).map(|at| key_column(&spec.keys[at], at, windows)).collect();
    let mut push = |name: &str, data, validity| columns.push(Column { name: name.to_owned(), data, validity });
    let times = |of: fn(&Window) -> i64| ColumnData::TimestampUs(windows.iter().map(of).collect());
    push("window_start", times(|window| window.start_us), None);
    push("window_end", ColumnData::TimestampUs(windows.iter().map(|window| window.start_us + size_us).collect()), None);
    for (at, aggregate) in spec.aggregates.iter().enumerate() {
        let values: Vec<Option<i128>> = windows.iter().map(|window| window.cells[at].value()).collect();
        let counts = aggregate.operation == super::contract::Operation::Count;
        let value_type = if counts { Some(ValueType::Integer) } else { types[at] };
        push(&aggregate.name, data(value_type, &values), validity(&values));
    }
    // Without ids it is not known what is missing.
    let unknown: Vec<Option<i128>> = vec![None; windows.len()];
    push("missing", data(None, &unknown), validity(&unknown));
    let complete = ColumnData::Boolean(vec![false; windows.len()]);
    push("complete", complete, if are_open { None } else { validity(&unknown) });
    push("revision", ColumnData::Int64(windows.iter().map(|window| window.given as i64).collect()), None);
    Output {
        spec: index,
        assignments: windows.iter().map(|window| window.rows).sum(),
        table: Table { rows: windows.len() as u32, columns },
    }
}

fn key_column(name: &str, at: usize, windows: &[Window]) -> Column {
    let mut text = Text { bytes: Vec::new(), ends: Vec::new(), codes: Vec::new() };
    for (code, window) in (0..).zip(windows) {
        text.bytes.extend_from_slice(window.key[at].as_bytes());
        text.ends.push(text.bytes.len() as u32);
        text.codes.push(code);
    }
    Column { name: name.to_owned(), data: ColumnData::Text(text), validity: None }
}

/// Null values are 0.
fn data(value_type: Option<ValueType>, values: &[Option<i128>]) -> ColumnData {
    let narrow = || values.iter().map(|value| value.unwrap_or(0) as i64).collect::<Vec<i64>>();
    match value_type {
        Some(ValueType::Time) => ColumnData::TimestampUs(narrow()),
        Some(ValueType::Decimal(scale)) => {
            let wide = values.iter().flatten().any(|value| i64::try_from(*value).is_err());
            let high = || values.iter().map(|value| (value.unwrap_or(0) >> 64) as i64).collect();
            ColumnData::Decimal(Decimals { scale, values: narrow(), high: wide.then(high) })
        }
        Some(ValueType::Integer) | None => ColumnData::Int64(narrow()),
    }
}

/// One bit per row, if any row is null.
fn validity(values: &[Option<i128>]) -> Option<Vec<u8>> {
    if values.iter().all(Option::is_some) {
        return None;
    }
    let mut bits = vec![0u8; values.len().div_ceil(8)];
    for (row, value) in values.iter().enumerate() {
        bits[row / 8] |= u8::from(value.is_some()) << (row % 8);
    }
    Some(bits)
}
