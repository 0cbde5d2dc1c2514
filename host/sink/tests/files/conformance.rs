//! The suite for sinks, with readers that know nothing of the sinks but the documented columns.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use tallow_sink::{DeadLetters, Decimals, EpochOutput, Lake, LateRows, Sink};
use tallow_store::Store;
use tallow_test_support::sink::conformance::{Bench, check};
use tempfile::TempDir;

use crate::read;

/// A store, and the folder that it is in, where it is in one.
struct Place {
    store: Store,
    _folder: Option<TempDir>,
}

fn memory() -> Place {
    Place { store: Store::memory().unwrap(), _folder: None }
}

fn folder() -> Place {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path().to_str().unwrap(), &BTreeMap::new()).unwrap();
    Place { store, _folder: Some(folder) }
}

struct Files {
    place: Place,
    open: fn(Store) -> Box<dyn Sink>,
    expected: fn(&EpochOutput<'_>) -> Vec<String>,
}

impl Bench for Files {
    fn sink(&self) -> Box<dyn Sink> {
        (self.open)(self.place.store.clone())
    }

    fn visible(&self) -> Vec<String> {
        read::texts_of_store(&self.place.store)
    }

    fn expected(&self, output: &EpochOutput<'_>) -> Vec<String> {
        (self.expected)(output)
    }
}

#[test]
fn the_lake_keeps_the_promises_in_memory() {
    let open = |store| Box::new(Lake::new(store, Decimals::Double)) as Box<dyn Sink>;
    check(|| Files { place: memory(), open, expected: candles });
}

#[test]
fn the_lake_keeps_the_promises_in_a_folder() {
    let open = |store| Box::new(Lake::new(store, Decimals::Double)) as Box<dyn Sink>;
    check(|| Files { place: folder(), open, expected: candles });
}

#[test]
fn the_lake_keeps_the_promises_with_exact_decimals() {
    let open = |store| Box::new(Lake::new(store, Decimals::Decimal)) as Box<dyn Sink>;
    check(|| Files { place: memory(), open, expected: exact_candles });
}

#[test]
fn late_rows_keep_the_promises() {
    let open = |store| Box::new(LateRows::new(store)) as Box<dyn Sink>;
    check(|| Files { place: memory(), open, expected: late_rows });
    check(|| Files { place: folder(), open, expected: late_rows });
}

#[test]
fn dead_letters_keep_the_promises() {
    let open = |store| Box::new(DeadLetters::new(store)) as Box<dyn Sink>;
    check(|| Files { place: memory(), open, expected: dead_letters });
    check(|| Files { place: folder(), open, expected: dead_letters });
}

fn exact_candles(output: &EpochOutput<'_>) -> Vec<String> {
    candles_with(output, read::texts)
}

/// Decimals as the double that their text reads as.
fn candles(output: &EpochOutput<'_>) -> Vec<String> {
    candles_with(output, |batch| {
        let mut rows = read::texts(batch);
        for column in
            batch.columns().iter().filter(|column| matches!(column.data_type(), DataType::Decimal128(..)))
        {
            let decimals = column.as_primitive::<Decimal128Type>();
            for (row, text) in rows.iter_mut().enumerate().filter(|(row, _)| decimals.is_valid(*row)) {
                let exact = format!("{}e-8", decimals.value(row));
                let double: f64 = exact.parse().unwrap();
                *text = text.replace(&format!("={exact} "), &format!("={double:?} "));
            }
        }
        rows
    })
}

fn candles_with(output: &EpochOutput<'_>, texts: impl Fn(&RecordBatch) -> Vec<String>) -> Vec<String> {
    let of_window = |(window, batch): &(String, RecordBatch)| {
        let starts = batch.column_by_name("window_start").unwrap().as_primitive::<TimestampMicrosecondType>();
        let rows = texts(batch).into_iter().enumerate();
        rows.map(|(row, text)| {
            let day = match starts.value(row).div_euclid(86_400_000_000) {
                -1 => "1969-12-31",
                19_943 => "2024-08-08",
                19_944 => "2024-08-09",
                _ => "9999-12-31",
            };
            format!("speed/trades_{window}/date={day} {text}")
        })
        .collect::<Vec<_>>()
    };
    output.closed.iter().flat_map(of_window).collect()
}

fn late_rows(output: &EpochOutput<'_>) -> Vec<String> {
    let text = |row: &tallow_sink::LateRow| {
        format!(
            "late/trades_{}/date=2024-08-09 topic={:?} partition={} offset={} row={} timestamp={} event_time={}us UTC \
             watermark={}us UTC window={:?} key={} value={} commit={:?} ",
            row.window,
            &*row.place.topic,
            row.place.partition,
            row.place.offset,
            row.row,
            kafka_time(row.timestamp_us),
            row.event_time_us,
            row.watermark_us,
            row.window,
            bytes(&row.key),
            bytes(&row.value),
            format!("c1a9/3/{}", output.seq),
        )
    };
    output.late.iter().map(text).collect()
}

pub fn dead_letters(output: &EpochOutput<'_>) -> Vec<String> {
    let text = |letter: &tallow_sink::DeadLetter| {
        let headers = letter.headers.iter();
        let headers: Vec<_> =
            headers.map(|(name, value)| format!("{:?}", [format!("{name:?}"), bytes(value)])).collect();
        format!(
            "dead-letter/trades/date=2024-08-09 topic={:?} partition={} offset={} timestamp={} key={} value={} \
             headers={headers:?} reason_kind={:?} reason={:?} window={} row={} commit={:?} ",
            &*letter.place.topic,
            letter.place.partition,
            letter.place.offset,
            kafka_time(letter.timestamp_us),
            bytes(&letter.key),
            bytes(&letter.value),
            format!("{:?}", letter.kind).to_lowercase(),
            letter.reason,
            letter.window.as_ref().map_or("null".into(), |window| format!("{window:?}")),
            letter.row.map_or("null".into(), |row| row.to_string()),
            format!("c1a9/3/{}", output.seq),
        )
    };
    output.dead.iter().map(text).collect()
}

fn kafka_time(time_us: i64) -> String {
    if time_us == -1 { "null".into() } else { format!("{time_us}us UTC") }
}

fn bytes(value: &Option<Vec<u8>>) -> String {
    value.as_ref().map_or("null".into(), |value| format!("{value:02x?}"))
}
