//! The lake read back: Parquet files as rows of text, to be compared with expected ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use chrono::{DateTime, SecondsFormat};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// A row: column to text. Null is the empty text; a time is `2024-08-08T23:54:00Z`; a double is the shortest
/// text that reads back as it.
pub type Row = BTreeMap<String, String>;

/// All rows of a table, a folder such as `speed/trades_1m`; `None` if there is no such folder.
pub fn table(lake: &Path, name: &str) -> Vec<Row> {
    let mut files = Vec::new();
    find_parquet(&lake.join(name), &mut files);
    files.iter().flat_map(|file| read(file)).collect()
}

/// How many files there are below a folder, while others may write and remove some.
pub fn objects(folder: &Path) -> usize {
    let Ok(entries) = folder.read_dir() else { return 0 };
    let paths = entries.flatten().map(|entry| entry.path());
    paths.map(|path| if path.is_dir() { objects(&path) } else { 1 }).sum()
}

/// Names of the tables under one of the lake's folders, such as `speed`.
pub fn tables(lake: &Path, folder: &str) -> BTreeSet<String> {
    let Ok(entries) = lake.join(folder).read_dir() else {
        return BTreeSet::new();
    };
    let names = entries.map(|entry| entry.expect("the lake can be read").file_name());
    names.map(|name| format!("{folder}/{}", name.to_string_lossy())).collect()
}

/// Fails where a window stands there twice: the same key columns, start and revision.
pub fn assert_no_duplicates(rows: &[Row], keys: &[&str]) {
    let mut seen = BTreeSet::new();
    for row in rows {
        let of =
            |column: &str| row.get(column).unwrap_or_else(|| panic!("no column {column} in {row:?}")).clone();
        let identity: Vec<String> =
            keys.iter().chain(&["window_start", "revision"]).map(|key| of(key)).collect();
        assert!(seen.insert(identity.clone()), "{identity:?} is there twice");
    }
}

/// Fails, with what differs, where two tables do not hold the same rows, in any order. Only the expected
/// rows' columns are compared.
pub fn assert_same_rows(what: &str, expected: &[Row], actual: &[Row]) {
    let columns: Vec<&String> =
        expected.iter().flat_map(BTreeMap::keys).collect::<BTreeSet<_>>().into_iter().collect();
    let counted = |rows: &[Row]| {
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for row in rows {
            *counts.entry(line(row, &columns)).or_default() += 1;
        }
        counts
    };
    let (expected_counts, actual_counts) = (counted(expected), counted(actual));
    let only = |these: &BTreeMap<String, i64>, those: &BTreeMap<String, i64>| -> Vec<String> {
        let extra = these.iter().map(|(line, count)| (line, count - those.get(line).unwrap_or(&0)));
        extra.filter(|(_, count)| *count > 0).map(|(line, count)| format!("{count} x {line}")).collect()
    };
    let missing = only(&expected_counts, &actual_counts);
    let unexpected = only(&actual_counts, &expected_counts);
    assert!(
        missing.is_empty() && unexpected.is_empty(),
        "{what}: {} rows expected, {} are there\n{}{}",
        expected.len(),
        actual.len(),
        listed("missing", &missing),
        listed("unexpected", &unexpected),
    );
}

fn line(row: &Row, columns: &[&String]) -> String {
    let cells = columns.iter().map(|column| match row.get(*column) {
        Some(cell) => format!("{column}={cell}"),
        None => format!("no {column}"),
    });
    cells.collect::<Vec<_>>().join(" ")
}

fn listed(what: &str, lines: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text = String::new();
    for line in lines.iter().take(SHOWN) {
        text.push_str(&format!("  {what}: {line}\n"));
    }
    if lines.len() > SHOWN {
        text.push_str(&format!("  {what}: and {} more\n", lines.len() - SHOWN));
    }
    text
}

fn find_parquet(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = folder.read_dir() else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the lake can be read").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            find_parquet(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            found.push(path);
        }
    }
}

fn read(file: &Path) -> Vec<Row> {
    let name = file.display();
    let file = File::open(file).unwrap_or_else(|error| panic!("{name}: {error}"));
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|builder| builder.build());
    let reader = reader.unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.unwrap_or_else(|error| panic!("{name}: {error}"));
        for row in 0..batch.num_rows() {
            let schema = batch.schema();
            let columns = schema.fields().iter().map(|field| field.name().clone());
            rows.push(columns.zip(batch.columns().iter().map(|column| cell(column, row))).collect());
        }
    }
    rows
}

fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return String::new();
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Binary => String::from_utf8_lossy(column.as_binary::<i32>().value(row)).into_owned(),
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            time(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::List(_) => format!("{} items", column.as_list::<i32>().value(row).len()),
        other => panic!("a column of type {other}"),
    }
}

/// `2024-08-08T23:54:00Z`, with the places of a second that it has.
pub fn time(time_us: i64) -> String {
    let time = DateTime::from_timestamp_micros(time_us).expect("a time that chrono can show");
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Rows of a CSV file with a header; no cell holds a comma or a quote.
pub fn read_csv(file: &Path) -> Vec<Row> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let header: Vec<&str> =
        lines.next().unwrap_or_else(|| panic!("{}: no header", file.display())).split(',').collect();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), header.len(), "{}: {line}", file.display());
        header.iter().zip(cells).map(|(column, cell)| ((*column).to_owned(), cell.to_owned())).collect()
    };
    lines.map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(close: &str) -> Row {
        [("symbol", "AB"), ("window_start", "t"), ("revision", "0"), ("close", close)]
            .map(|(column, cell)| (column.to_owned(), cell.to_owned()))
            .into()
    }

    #[test]
    fn the_same_rows_in_another_order_are_the_same() {
        assert_same_rows("t", &[row("1"), row("2")], &[row("2"), row("1")]);
    }

    #[test]
    #[should_panic(expected = "unexpected: 1 x close=1")]
    fn a_row_that_is_there_twice_is_seen() {
        assert_same_rows("t", &[row("1")], &[row("1"), row("1")]);
    }

    #[test]
    #[should_panic(expected = "is there twice")]
    fn a_window_that_is_there_twice_is_seen_whatever_it_holds() {
        assert_no_duplicates(&[row("1"), row("2")], &["symbol"]);
    }
}
