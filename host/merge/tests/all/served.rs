//! What is served.

use tallow_engine::{Column, ColumnData};
use tallow_merge::MergeError;
use tallow_table::file;

use crate::bench::{bench, btc, candle, partial, prophet, rows, serving, shown, speed_path};

#[test]
fn batch_wins_over_speed_and_days_between_are_filled() {
    let bench = bench();
    bench.batch(2024, &[btc("2024-12-30", 10.0), btc("2024-12-31", 20.0)]);
    bench.batch(2025, &[btc("2025-01-01", 30.0), partial(btc("2025-01-02", 31.0))]);
    bench.speed("a", &[btc("2025-01-01", 99.0)]);
    bench.speed("b", &[btc("2025-01-02", 40.0)]);
    bench.speed("c", &[btc("2025-01-05", 70.0)]);
    let report = bench.merge();
    assert_eq!(bench.served("BTC", 2024), ["2024-12-30 10 batch 10", "2024-12-31 20 batch 15"]);
    assert_eq!(
        bench.served("BTC", 2025),
        [
            "2025-01-01 30 batch 20",
            "2025-01-02 40 speed 30",
            "2025-01-03 40 - 36.666666666666664 filled",
            "2025-01-04 40 - 40 filled",
            "2025-01-05 70 speed 50",
        ]
    );
    assert_eq!((report.run, report.keys, report.partitions, report.rows, report.gaps), (Some(1), 1, 2, 7, 1));
}

#[test]
fn filled_days_carry_prices_and_have_no_volume() {
    let bench = bench();
    bench.batch(2025, &[btc("2025-01-01", 30.0), btc("2025-01-03", 50.0)]);
    bench.merge();
    let path = serving("BTC", 2025);
    let table = file::read(&bench.store, &path).unwrap().unwrap().table(&path).unwrap();
    let row = [
        "symbol", "open", "high", "low", "close", "volume", "trades", "complete", "revision", "source",
        "filled",
    ];
    assert_eq!(
        row.map(|name| shown(&table, name, 1)),
        ["BTC", "29", "32", "28", "30", "0", "0", "false", "-", "-", "true"]
    );
}

#[test]
fn the_forecast_table_has_days_closes_and_symbols() {
    let bench = bench();
    bench.batch(2025, &[btc("2025-01-01", 30.0), btc("2025-01-03", 50.0)]);
    bench.merge();
    let content = file::read(&bench.store, &prophet("BTC", 2025)).unwrap().unwrap();
    let fields: Vec<String> =
        content.rows.schema().fields().iter().map(|it| format!("{} {}", it.name(), it.data_type())).collect();
    assert_eq!(fields, ["ds Timestamp(µs)", "y Float64", "symbol Utf8"]);
    let table = content.table("").unwrap();
    let closes: Vec<String> = (0..3).map(|row| shown(&table, "y", row)).collect();
    assert_eq!(closes, ["30", "30", "50"]);
}

#[test]
fn years_without_a_row_between_two_with_some_are_filled() {
    let bench = bench();
    bench.batch(2022, &[btc("2022-12-30", 10.0)]);
    bench.batch(2025, &[btc("2025-01-02", 40.0)]);
    let report = bench.merge();
    assert_eq!(report.rows, 2 + 365 + 366 + 2);
    assert_eq!(bench.served("BTC", 2024)[365], "2024-12-31 10 - 10 filled");
    assert_eq!(bench.served("BTC", 2025), ["2025-01-01 10 - 10 filled", "2025-01-02 40 batch 20"]);
}

#[test]
fn without_filling_there_are_only_rows_that_are() {
    let mut bench = bench();
    bench.settings.fill = false;
    bench.batch(2022, &[btc("2022-12-30", 10.0)]);
    bench.speed("a", &[btc("2025-01-02", 40.0)]);
    let report = bench.merge();
    assert_eq!((report.partitions, report.rows, report.gaps), (2, 2, 1));
    assert_eq!(bench.served("BTC", 2025), ["2025-01-02 40 speed 25"]);
}

#[test]
fn symbols_are_told_apart_whatever_they_are_called() {
    let bench = bench();
    bench.batch(2025, &[candle("a/b", "2025-01-01", 1.0)]);
    bench.speed("x", &[candle("a/b", "2025-01-02", 2.0), candle("../c", "2025-01-02", 3.0)]);
    assert_eq!(bench.merge().keys, 2);
    assert_eq!(bench.served("a/b", 2025), ["2025-01-01 1 batch 1", "2025-01-02 2 speed 1.5"]);
    assert_eq!(bench.served("../c", 2025), ["2025-01-02 3 speed 3"]);
    assert!(bench.store.get("serving/daily/symbol=a%2Fb/year=2025/data.parquet").unwrap().is_some());
}

#[test]
fn a_later_column_is_in_every_partition_in_the_same_order() {
    let bench = bench();
    bench.batch(2024, &[btc("2024-12-31", 20.0)]);
    bench.merge();
    let mut wider = rows(&[btc("2025-01-01", 30.0)]);
    let quote = Column { name: "quote_volume".into(), data: ColumnData::Float64(vec![7.0]), validity: None };
    wider.columns.push(quote);
    bench.speed_file("a", "stream", &wider, "2025-01-01");
    assert_eq!(bench.merge().written.len(), 3, "2024 again, 2025, and the forecast's 2025");
    let schema = |year| file::read(&bench.store, &serving("BTC", year)).unwrap().unwrap().rows.schema();
    assert_eq!(schema(2024), schema(2025));
    let names: Vec<String> = schema(2024).fields().iter().map(|field| field.name().clone()).collect();
    assert!(names.contains(&"quote_volume".to_owned()), "{names:?}");
    assert_eq!(names[names.len() - 4..], ["complete", "source", "filled", "ma3"]);
}

#[test]
fn an_input_that_cannot_be_merged_is_named() {
    let bench = bench();
    bench.batch(2025, &[btc("2025-01-01", 30.0)]);
    bench.store.put_overwrite(&speed_path("2025-01-02", "a"), "no parquet").unwrap();
    let error = bench.try_merge().unwrap_err();
    assert!(error.to_string().contains("speed/candles_1d/date=2025-01-02/a.parquet"), "{error}");
    assert_eq!(error.exit_code(), 65);
    let mut other = rows(&[btc("2025-01-02", 1.0)]);
    other.columns[6].data = ColumnData::Boolean(vec![true]);
    bench.speed_file("a", "stream", &other, "2025-01-02");
    let error = bench.try_merge().unwrap_err();
    assert!(matches!(error, MergeError::Input { .. }), "{error}");
    assert!(error.to_string().contains("`close`"), "{error}");
    assert_eq!(bench.objects(), []);
}
