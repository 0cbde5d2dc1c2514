//! What is refused, and that the message names the window and what is wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use support::{OHLCV, Row, Type, Value, spec};
use window::Windows;
use window::spec::{Aggregate, IdColumns, Operation, Shape, Sliding, Spec};
use window::table::{ColumnData, Rows};

const MINUTE: Shape = Shape::Tumbling(60_000_000);

fn candles() -> Spec {
    spec("1m", MINUTE, Some(("id", "id")), &OHLCV)
}

fn changed(change: impl FnOnce(&mut Spec)) -> Spec {
    let mut spec = candles();
    change(&mut spec);
    spec
}

fn refused(specs: Vec<Spec>) -> String {
    Windows::open(specs).err().expect("it is wrong").to_string()
}

#[test]
fn a_wrong_spec_is_refused_with_its_name_and_what_is_wrong() {
    let aggregate = |name: &str, operation, column: Option<&str>, by: Option<&str>| {
        let (name, column, by) = (name.to_owned(), column.map(str::to_owned), by.map(str::to_owned));
        changed(|spec| spec.aggregates = vec![Aggregate { name, operation, column, by }])
    };
    let shape = |shape| changed(|spec| spec.shape = shape);
    let cases = [
        (shape(Shape::Tumbling(0)), "size of 0"),
        (shape(Shape::Tumbling(u64::MAX)), "too long"),
        (shape(Shape::Session(0)), "gap of 0"),
        (shape(Shape::Sliding(Sliding { size_us: 5, slide_us: 0 })), "slide of 0"),
        (shape(Shape::Sliding(Sliding { size_us: 5, slide_us: 6 })), "larger than the size"),
        (shape(Shape::Sliding(Sliding { size_us: 1 << 50, slide_us: 1 })), "larger slide"),
        (changed(|spec| spec.offset_us = i64::MIN), "offset"),
        (
            changed(|spec| {
                spec.shape = Shape::Session(1);
                spec.offset_us = 1;
            }),
            "no offset",
        ),
        (changed(|spec| spec.kinds.clear()), "`kinds` is empty"),
        (changed(|spec| spec.keys.push("window_start".to_owned())), "`window_start`"),
        (changed(|spec| spec.keys.push("symbol".to_owned())), "`symbol`"),
        (changed(|spec| spec.keys.push("open".to_owned())), "`open`"),
        (aggregate("revision", Operation::Count, None, None), "`revision`"),
        (aggregate("a", Operation::Sum, None, None), "needs a column"),
        (aggregate("a", Operation::Vwap, Some("price"), None), "second column"),
        (aggregate("a", Operation::Sum, Some("price"), Some("quantity")), "no second column"),
    ];
    for (spec, wrong) in cases {
        let message = refused(vec![spec]);
        assert!(message.starts_with("window `1m`: ") && message.contains(wrong), "{message}");
    }
    assert!(refused(vec![candles(), candles()]).contains("`1m`"));
}

fn schema() -> Vec<(String, Type)> {
    let columns = [
        ("symbol", Type::Text),
        ("time", Type::TimestampUs),
        ("id", Type::Int64),
        ("price", Type::Decimal(8)),
        ("quantity", Type::Decimal(8)),
    ];
    columns.map(|(name, kind)| (name.to_owned(), kind)).to_vec()
}

fn rows() -> Rows {
    let row = |offset| Row {
        kind: "trade".to_owned(),
        topic: "trades".to_owned(),
        partition: 0,
        offset,
        values: vec![
            Value::Text("A".to_owned()),
            Value::Int(offset),
            Value::Int(offset),
            Value::Decimal(5, 8),
            Value::Decimal(1, 8),
        ],
    };
    support::rows(&schema(), &[row(0), row(1)])
}

#[test]
fn rows_that_do_not_fit_are_refused_and_nothing_of_them_is_taken_in() {
    type Change = fn(&mut Rows);
    let cases: [(Change, &str); 17] = [
        (|rows| rows.table.columns[3].name = "preis".to_owned(), "`price` is not in the table"),
        (|rows| rows.table.columns[1].data = ColumnData::Int64(vec![0, 1]), "`time` is int64"),
        (|rows| rows.table.columns[2].data = ColumnData::Float64(vec![0.0, 1.0]), "`id` is float64"),
        (|rows| rows.table.columns[0].data = ColumnData::Int64(vec![0, 1]), "`symbol` is int64"),
        (|rows| rows.table.columns[3].data = ColumnData::Boolean(vec![true, true]), "does not take boolean"),
        (|rows| rows.table.columns[4].data = ColumnData::Float64(vec![0.0, 1.0]), "not float64"),
        (|rows| rows.table.columns[1].data = ColumnData::TimestampUs(vec![0]), "1 rows of 2"),
        (|rows| rows.table.columns[1].validity = Some(vec![]), "0 bytes of validity"),
        (|rows| text(rows).codes = vec![0, 7], "beyond its dictionary"),
        (|rows| text(rows).ends = vec![99], "`symbol` has a broken dictionary"),
        (|rows| rows.kinds.codes = vec![0, 7], "code 7"),
        (|rows| rows.kinds.codes = vec![0], "`kinds` has 1 entries"),
        (|rows| rows.records = vec![1, 0], "does not ascend"),
        (|rows| rows.records = vec![0, 2], "record 2 of 2"),
        (|rows| rows.records = vec![0], "1 entries for 2 rows"),
        (|rows| rows.runs[0].records = 3, "cover 3 records of 2"),
        (|rows| rows.runs[0].topic = 1, "a topic beyond"),
    ];
    let mut windows = Windows::open(vec![candles()]).unwrap();
    for (change, wrong) in cases {
        let mut rows = rows();
        change(&mut rows);
        let message = windows.update(&rows).expect_err(wrong).to_string();
        assert!(message.contains(wrong), "{message}");
        assert!(windows.snapshot(0).parts.is_empty(), "{wrong}");
    }
    assert_eq!(windows.update(&rows()).unwrap()[0].accepted, 2);
}

fn text(rows: &mut Rows) -> &mut window::table::Text {
    match &mut rows.table.columns[0].data {
        ColumnData::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_column_that_changes_its_scale_under_a_state_is_refused() {
    let mut windows = Windows::open(vec![candles()]).unwrap();
    windows.update(&rows()).unwrap();
    let parts = windows.snapshot(0).parts;
    let mut restored = Windows::restore(vec![candles()], 0, &parts).unwrap();
    for windows in [&mut windows, &mut restored] {
        let mut other = rows();
        let ColumnData::Decimal(decimals) = &mut other.table.columns[3].data else { panic!("not a decimal") };
        decimals.scale = 6;
        let message = windows.update(&other).unwrap_err().to_string();
        assert!(message.contains("window `1m`: column `price` came as decimal of scale 6"), "{message}");
    }
}

#[test]
fn scales_that_add_up_to_more_than_38_are_refused() {
    let mut windows = Windows::open(vec![candles()]).unwrap();
    let mut rows = rows();
    for column in &mut rows.table.columns[3..] {
        let ColumnData::Decimal(decimals) = &mut column.data else { panic!("not a decimal") };
        decimals.scale = 20;
    }
    let message = windows.update(&rows).unwrap_err().to_string();
    assert!(message.contains("`quote_volume`") && message.contains("40"), "{message}");
}

#[test]
fn state_is_restored_only_under_the_spec_that_wrote_it() {
    let mut windows = Windows::open(vec![candles()]).unwrap();
    windows.update(&rows()).unwrap();
    let parts = windows.snapshot(0).parts;
    let other_ids = IdColumns::unbounded("id", "last");
    let cases = [
        (changed(|spec| spec.kinds.push("agg-trade".to_owned())), "kinds"),
        (changed(|spec| spec.keys.push("venue".to_owned())), "keys"),
        (changed(|spec| spec.time = "received".to_owned()), "time"),
        (changed(|spec| spec.ids = Some(other_ids)), "ids"),
        (changed(|spec| spec.shape = Shape::Tumbling(1)), "shape"),
        (changed(|spec| spec.offset_us = 5), "offset"),
        (changed(|spec| spec.aggregates[1].operation = Operation::Mean), "aggregates"),
    ];
    for (spec, field) in cases {
        let message = Windows::restore(vec![spec], 0, &parts).err().expect(field).to_string();
        assert!(message.starts_with("window `1m`: state of group "), "{message}");
        assert!(message.contains(&format!("under other {field} (then: ")), "{message}");
    }
    let mut later = parts.clone();
    later[0].bytes[4] = 9;
    let message = Windows::restore(vec![candles()], 0, &later).err().unwrap().to_string();
    assert!(message.contains("state version 9"), "{message}");
    let twice = [parts[0].clone(), parts[0].clone()];
    assert!(Windows::restore(vec![candles()], 0, &twice).err().unwrap().to_string().contains("twice"));
}
