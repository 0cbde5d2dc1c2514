//! What a candle's file looks like from outside.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, TimeUnit};
use bytes::Bytes;
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type};
use std::sync::Arc;
use tallow_sink::{Decimals, EpochOutput, Item, Lake, Sink, SinkError, rows_digest};
use tallow_store::{Digest, Store};
use tallow_test_support::sink::{Variant, sample};

use crate::read;

fn items(decimals: Decimals, output: &EpochOutput<'_>) -> Vec<Item> {
    Lake::new(Store::memory().unwrap(), decimals).prepare(output).unwrap()
}

/// The file of one-minute candles that start on 2024-08-09.
fn minutes(decimals: Decimals) -> Bytes {
    let items = items(decimals, &sample(7, Variant::First));
    items.into_iter().find(|item| item.name.contains("1m/date=2024-08-09")).unwrap().bytes
}

#[test]
fn there_is_a_file_a_window_and_utc_day_named_by_its_commit() {
    let names: Vec<_> =
        items(Decimals::Double, &sample(7, Variant::First)).into_iter().map(|i| i.name).collect();
    assert_eq!(
        names,
        [
            "speed/trades_1d/date=1969-12-31/c1a9-3-00000000000000000007.parquet",
            "speed/trades_1d/date=2024-08-08/c1a9-3-00000000000000000007.parquet",
            "speed/trades_1d/date=2024-08-09/c1a9-3-00000000000000000007.parquet",
            "speed/trades_1d/date=9999-12-31/c1a9-3-00000000000000000007.parquet",
            "speed/trades_1m/date=2024-08-08/c1a9-3-00000000000000000007.parquet",
            "speed/trades_1m/date=2024-08-09/c1a9-3-00000000000000000007.parquet",
        ]
    );
}

#[test]
fn names_from_the_manifest_cannot_leave_the_lake() {
    let mut output = EpochOutput { pipeline: "../p", chain: "../c", ..sample(1, Variant::First) };
    output.closed.truncate(1);
    output.closed[0].0 = "../../w".into();
    for item in items(Decimals::Double, &output) {
        assert_eq!(item.name.split('/').count(), 4, "{}", item.name);
        assert!(item.name.split('/').all(|segment| segment != ".."), "{}", item.name);
    }
}

#[test]
fn columns_have_the_documented_types() {
    let of = |decimals| {
        let schema = read::rows(minutes(decimals)).schema();
        schema.fields().iter().map(|f| (f.name().clone(), f.data_type().clone())).collect::<Vec<_>>()
    };
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let columns = |decimal: DataType| {
        [
            ("symbol", DataType::Utf8),
            ("window_start", time.clone()),
            ("window_end", time.clone()),
            ("open", decimal.clone()),
            ("volume", decimal),
            ("trades", DataType::Int64),
            ("first_id", DataType::Int64),
            ("complete", DataType::Boolean),
            ("revision", DataType::Int64),
        ]
        .map(|(name, data_type)| (name.to_owned(), data_type))
    };
    assert_eq!(of(Decimals::Double), columns(DataType::Float64));
    assert_eq!(of(Decimals::Decimal), columns(DataType::Decimal128(38, 8)));
}

#[test]
fn other_readers_see_utc_microseconds_and_text() {
    let footer = read::footer(minutes(Decimals::Double));
    let schema = footer.file_metadata().schema_descr();
    let start = schema.column(1);
    assert_eq!(start.physical_type(), Type::INT64);
    assert_eq!(start.converted_type(), ConvertedType::TIMESTAMP_MICROS);
    let logical = start.logical_type_ref().map(|logical| format!("{logical:?}")).unwrap();
    assert!(logical.contains("is_adjusted_to_u_t_c: true"), "{logical}");
    assert_eq!(schema.column(0).logical_type_ref(), Some(&LogicalType::String));
    assert_eq!(schema.column(3).self_type().get_basic_info().repetition(), Repetition::OPTIONAL);
}

#[test]
fn rows_are_sorted_by_key_and_start_and_the_footer_says_so() {
    let mut output = sample(7, Variant::First);
    output.closed.retain(|(window, _)| window == "1d");
    let starts = [5, 3, 4, 1, 2].map(|minute| minute * 60_000_000);
    let start: ArrayRef =
        Arc::new(arrow_array::TimestampMicrosecondArray::from(starts.to_vec()).with_timezone("UTC"));
    let key = |texts: [&str; 5]| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
    let columns = [
        ("a", key(["y", "x", "x", "x", "Z"])),
        ("b", key(["1", "2", "1", "2", "9"])),
        ("window_start", start),
    ];
    output.closed[0].1 = RecordBatch::try_from_iter(columns).unwrap();

    let items = items(Decimals::Double, &output);
    let rows = read::rows(items[0].bytes.clone());
    let text = |column: usize, row| rows.column(column).as_string::<i32>().value(row).to_owned();
    let minute = |row| rows.column(2).as_primitive::<TimestampMicrosecondType>().value(row) / 60_000_000;
    let order: Vec<_> = (0..5).map(|row| (text(0, row), text(1, row), minute(row))).collect();
    let expected = [("Z", "9", 2), ("x", "1", 4), ("x", "2", 1), ("x", "2", 3), ("y", "1", 5)];
    assert_eq!(order, expected.map(|(a, b, minute)| (a.to_owned(), b.to_owned(), minute)));

    let footer = read::footer(items[0].bytes.clone());
    let sorting = footer.row_group(0).sorting_columns().unwrap();
    assert_eq!(
        sorting.iter().map(|c| (c.column_idx, c.descending)).collect::<Vec<_>>(),
        [(0, false), (1, false), (2, false)]
    );
}

#[test]
fn the_footer_names_commit_functions_and_offsets() {
    let bytes = minutes(Decimals::Double);
    let value = |key| read::footer_value(bytes.clone(), key);
    assert_eq!(value("tallow.commit"), "c1a9/3/7");
    assert_eq!(value("tallow.schema"), "1");
    assert_eq!(value("tallow.source"), "stream");
    assert_eq!(
        value("tallow.functions"),
        format!(r#"{{"parse":"{}","window":"{}"}}"#, Digest::of(b"p"), Digest::of(b"w"))
    );
    let offsets: serde_json::Value = serde_json::from_str(&value("tallow.offsets")).unwrap();
    assert_eq!(
        offsets,
        serde_json::json!([
            {"topic": "btc", "partition": 0, "from": 0, "to": 1000},
            {"topic": "btc", "partition": 1, "from": 7, "to": 9},
        ])
    );
    assert_eq!(read::footer(bytes).file_metadata().created_by(), Some("tallow"));
}

#[test]
fn the_digest_in_the_footer_is_that_of_the_rows_in_the_file() {
    for item in items(Decimals::Double, &sample(7, Variant::First)) {
        let from_file = rows_digest(&read::rows(item.bytes.clone())).unwrap();
        assert_eq!(from_file, item.rows_digest, "{}", item.name);
        assert_eq!(read::footer_value(item.bytes, "tallow.rows_digest"), from_file.to_string());
    }
}

#[test]
fn every_column_has_statistics_and_is_compressed_by_zstd() {
    let footer = read::footer(minutes(Decimals::Double));
    for column in footer.row_group(0).columns() {
        assert!(column.statistics().is_some(), "{}", column.column_path());
        assert!(matches!(column.compression(), parquet::basic::Compression::ZSTD(_)));
    }
}

#[test]
fn a_table_without_a_window_start_is_an_error_that_names_pipeline_and_window() {
    let mut output = sample(1, Variant::First);
    let symbols: ArrayRef = Arc::new(StringArray::from(vec!["BTCUSDT"]));
    output.closed = vec![("1m".into(), RecordBatch::try_from_iter([("symbol", symbols)]).unwrap())];
    let error = Lake::new(Store::memory().unwrap(), Decimals::Double).prepare(&output).unwrap_err();
    assert!(matches!(error, SinkError::Table { .. }));
    assert_eq!(error.to_string(), "pipeline `trades`, window `1m`: its table has no column `window_start`");
}

#[test]
fn pieces_of_one_window_must_have_equal_columns() {
    let mut output = sample(1, Variant::First);
    let days = output.closed[1].1.clone();
    output.closed.push(("1m".into(), days));
    let error = Lake::new(Store::memory().unwrap(), Decimals::Double).prepare(&output).unwrap_err();
    assert!(error.to_string().starts_with("pipeline `trades`, window `1m`: "), "{error}");
}
