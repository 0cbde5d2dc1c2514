//! Tables of plain rows, for the tests.

#![allow(dead_code, reason = "each test file uses a part of it")]

use merge::{Average, Input, Settings, Source};
use tallow_contract::{Column, ColumnData, Decimals, Table, Text, validity};

pub const DAY_US: i64 = 86_400_000_000;

/// A candle of one symbol: the day since 1970-01-01, its close and volume in hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub day: i64,
    pub close: i64,
    pub volume: i64,
    pub complete: Option<bool>,
    pub revision: Option<i64>,
}

pub fn row(day: i64, close: i64) -> Row {
    Row { day, close, volume: 100, complete: Some(true), revision: Some(0) }
}

pub fn input(source: Source, rows: &[Row]) -> Input {
    Input { source, table: table("X", rows), covers: None }
}

pub fn table(symbol: &str, rows: &[Row]) -> Table {
    let symbols = Text { bytes: symbol.into(), ends: vec![symbol.len() as u32], codes: vec![0; rows.len()] };
    let times = |offset: i64| rows.iter().map(|row| (row.day + offset) * DAY_US).collect();
    let decimals = |of: fn(&Row) -> i64| {
        let mantissas: Vec<Option<i128>> = rows.iter().map(|row| Some(i128::from(of(row)))).collect();
        ColumnData::Decimal(Decimals::new(2, &mantissas))
    };
    let complete: Vec<Option<bool>> = rows.iter().map(|row| row.complete).collect();
    let revision: Vec<Option<i64>> = rows.iter().map(|row| row.revision).collect();
    let column = |name: &str, data, validity| Column { name: name.to_owned(), data, validity };
    let columns = vec![
        column("symbol", ColumnData::Text(symbols), None),
        column("window_start", ColumnData::TimestampUs(times(0)), None),
        column("window_end", ColumnData::TimestampUs(times(1)), None),
        column("close", decimals(|row| row.close), None),
        column("volume", decimals(|row| row.volume), None),
        column(
            "complete",
            ColumnData::Boolean(complete.iter().map(|it| it.unwrap_or(false)).collect()),
            validity(&complete),
        ),
        column(
            "revision",
            ColumnData::Int64(revision.iter().map(|it| it.unwrap_or(0)).collect()),
            validity(&revision),
        ),
    ];
    Table { rows: rows.len() as u32, columns }
}

pub fn settings() -> Settings {
    Settings {
        keys: vec!["symbol".into()],
        step_us: DAY_US as u64,
        fill: true,
        until_us: None,
        carried: vec!["close".into()],
        zeroed: vec!["volume".into()],
        averages: vec![Average { name: "ma3".into(), column: "close".into(), length: 3 }],
    }
}

/// The values of a column as text, null as `-`.
pub fn shown(table: &Table, name: &str) -> Vec<String> {
    let column = table.column(name).unwrap();
    let value = |row: usize| {
        if !tallow_contract::is_valid(column.validity.as_deref(), row) {
            return "-".to_owned();
        }
        match &column.data {
            ColumnData::Int64(values) | ColumnData::TimestampUs(values) => values[row].to_string(),
            ColumnData::Decimal(decimals) => decimals.mantissa(row).to_string(),
            ColumnData::Float64(values) => values[row].to_string(),
            ColumnData::Boolean(values) => values[row].to_string(),
            ColumnData::Text(text) => String::from_utf8_lossy(text.entry(text.codes[row])).into_owned(),
        }
    };
    (0..table.rows as usize).map(value).collect()
}

/// The last rows of a result.
pub fn tail(table: &Table, rows: usize) -> Table {
    let all = table.rows as usize;
    let from = all.saturating_sub(rows);
    let cut = |column: &Column| {
        let kept = from..all;
        let data = match &column.data {
            ColumnData::Int64(values) => ColumnData::Int64(values[kept.clone()].to_vec()),
            ColumnData::TimestampUs(values) => ColumnData::TimestampUs(values[kept.clone()].to_vec()),
            ColumnData::Float64(values) => ColumnData::Float64(values[kept.clone()].to_vec()),
            ColumnData::Boolean(values) => ColumnData::Boolean(values[kept.clone()].to_vec()),
            ColumnData::Text(text) => {
                ColumnData::Text(Text { codes: text.codes[kept.clone()].to_vec(), ..text.clone() })
            }
            ColumnData::Decimal(decimals) => {
                let mantissas: Vec<_> = kept.clone().map(|row| Some(decimals.mantissa(row))).collect();
                ColumnData::Decimal(Decimals::new(decimals.scale, &mantissas))
            }
        };
        let valid: Vec<Option<()>> = kept
            .map(|row| tallow_contract::is_valid(column.validity.as_deref(), row).then_some(()))
            .collect();
        Column { name: column.name.clone(), data, validity: validity(&valid) }
    };
    Table { rows: (all - from) as u32, columns: table.columns.iter().map(cut).collect() }
}
