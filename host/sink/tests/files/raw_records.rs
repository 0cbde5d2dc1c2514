//! Late rows and dead letters as files.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use parquet::file::metadata::ParquetMetaData;
use tallow_sink::{DeadLetters, LateRows, Sink};
use tallow_store::Store;
use tallow_test_support::sink::{Variant, sample};

use crate::read;

#[test]
fn files_are_dated_by_the_clock_of_the_commit_whatever_the_records_say() {
    let store = Store::memory().unwrap();
    let output = sample(7, Variant::First);
    let dead = DeadLetters::new(store.clone()).prepare(&output).unwrap();
    let late = LateRows::new(store).prepare(&output).unwrap();
    let names: Vec<_> = dead.iter().chain(&late).map(|item| item.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "dead-letter/trades/date=2024-08-09/c1a9-3-00000000000000000007.parquet",
            "late/trades_1d/date=2024-08-09/c1a9-3-00000000000000000007.parquet",
            "late/trades_1m/date=2024-08-09/c1a9-3-00000000000000000007.parquet",
        ]
    );
}

#[test]
fn the_order_in_which_letters_were_set_aside_does_not_change_the_file() {
    let sink = DeadLetters::new(Store::memory().unwrap());
    let output = sample(7, Variant::First);
    let mut turned = output.clone();
    turned.dead.reverse();
    assert_eq!(sink.prepare(&output).unwrap(), sink.prepare(&turned).unwrap());
}

#[test]
fn raw_bytes_have_no_statistics_that_would_repeat_them() {
    let sink = DeadLetters::new(Store::memory().unwrap());
    let item = sink.prepare(&sample(7, Variant::First)).unwrap().remove(0);
    let footer = read::footer(item.bytes);
    for path in ["key", "value", "headers.list.element.value"] {
        assert!(column(&footer, path).statistics().is_none(), "{path}");
    }
    assert!(column(&footer, "offset").statistics().is_some());
}

#[test]
fn large_records_are_kept_whole() {
    let mut output = sample(7, Variant::First);
    let large: Vec<u8> = (0..20 << 20).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    output.dead.truncate(3);
    for letter in &mut output.dead {
        letter.value = Some(large.clone());
    }
    let item = DeadLetters::new(Store::memory().unwrap()).prepare(&output).unwrap().remove(0);
    let rows = read::rows(item.bytes);
    let values = rows.column_by_name("value").unwrap().as_binary::<i32>();
    assert_eq!(values.len(), 3);
    assert!(values.iter().all(|value| value == Some(large.as_slice())));
}

fn column<'a>(footer: &'a ParquetMetaData, path: &str) -> &'a parquet::file::metadata::ColumnChunkMetaData {
    let columns = footer.row_group(0).columns();
    columns.iter().find(|column| column.column_path().string() == path).unwrap()
}
