//! The demo's last picture: the served table that batch and stream became.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use tallow_lake::hive;
use tallow_merge::Settings;
use tallow_store::Store;
use tallow_table::{TableError, file};
use tallow_terminal::{Bar, Output, Palette, Screen, Summary, chart, summary};

/// Lines of the picture.
const HEIGHT: usize = 14;
/// Columns where standard output is not a terminal.
const PLAIN_WIDTH: usize = 110;

/// Prints the table of a merge: a chart of its dearest symbol, and a line for each.
pub fn print(store: &Store, settings: &Settings) -> Result<(), TableError> {
    let symbols = read(store, settings)?;
    let (width, palette) = match Output::detect() {
        Output::Terminal(palette) => (Screen::stdout().size().0, palette),
        Output::Lines => (PLAIN_WIDTH, Palette::Plain),
    };
    let close = |symbol: &&Summary| symbol.bars.last().map_or(0.0, |bar| bar.close);
    let Some(dearest) = symbols.iter().max_by(|one, other| close(one).total_cmp(&close(other))) else {
        println!("nothing has been served yet");
        return Ok(());
    };
    println!("{} by day, batch and stream as one table (serving/{})", dearest.symbol, settings.name);
    println!();
    chart(&dearest.bars, width, HEIGHT, palette).iter().for_each(|line| println!("{line}"));
    println!("█ traded  │ high and low  · filled: no data for that day  (yellow: not over yet)");
    println!();
    summary(&symbols, width, palette).iter().for_each(|line| println!("{line}"));
    Ok(())
}

/// The whole of the served table, by symbol.
fn read(store: &Store, settings: &Settings) -> Result<Vec<Summary>, TableError> {
    let mut symbols: BTreeMap<String, Summary> = BTreeMap::new();
    // By symbol, then by year.
    for (partition, listed) in tallow_table::list(store, &settings.serving_table())? {
        let Some(content) = file::read(store, &listed.path)? else { continue };
        let symbol = hive::decode(&partition.key).unwrap_or(partition.key);
        let known = symbols.entry(symbol.clone()).or_insert_with(|| Summary {
            symbol,
            bars: Vec::new(),
            averages: Vec::new(),
        });
        known.bars.extend(bars(&content.rows));
        known.averages = averages(&content.rows);
    }
    Ok(symbols.into_values().collect())
}

fn bars(rows: &RecordBatch) -> Vec<Bar> {
    let price = |name: &str, row: usize| number(rows, name, row).unwrap_or(f64::NAN);
    let says = |name: &str, row: usize, unknown: bool| {
        let column = rows.column_by_name(name).and_then(|column| column.as_boolean_opt());
        column.filter(|column| column.is_valid(row)).map_or(unknown, |column| column.value(row))
    };
    let starts =
        rows.column_by_name("window_start").and_then(|it| it.as_primitive_opt::<TimestampMicrosecondType>());
    let bar = |row: usize| {
        Some(Bar {
            start_us: starts?.value(row),
            open: price("open", row),
            high: price("high", row),
            low: price("low", row),
            close: price("close", row),
            filled: says("filled", row, false),
            partial: !says("complete", row, true),
        })
    };
    (0..rows.num_rows()).filter_map(bar).collect()
}

/// The averages of the last row: the columns after `filled`.
fn averages(rows: &RecordBatch) -> Vec<(String, Option<f64>)> {
    let schema = rows.schema();
    let after = schema.index_of("filled").map_or(usize::MAX, |index| index + 1);
    let names = schema.fields().iter().skip(after).map(|field| field.name().clone());
    let last = rows.num_rows().saturating_sub(1);
    names
        .map(|name| {
            let value = number(rows, &name, last);
            (name, value)
        })
        .collect()
}

fn number(rows: &RecordBatch, name: &str, row: usize) -> Option<f64> {
    let column = rows.column_by_name(name)?.as_primitive_opt::<Float64Type>()?;
    (row < column.len() && column.is_valid(row)).then(|| column.value(row))
}
