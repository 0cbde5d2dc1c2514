//! State that an older release wrote is read, continues as if nothing had happened, and is written as today.
//!
//! `frozen/state-1.txt` (a group and its bytes per line) was written by the function whose state version was 1, over
//! hours of trades, under a watermark of one hour: ADA's ids 1 to 10 closed, 11 to 30 open; BTC's even ids
//! 100 to 3000 open; OLD's id 7 closed. `frozen/state-2.txt` is the same as the first function of version 2 wrote it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use support::{Candle, Row, Type, Value, by_spec, spec};
use tallow_contract::window::Part;
use window::Windows;
use window::spec::{Operation, Shape, Spec};

const HOUR_US: i64 = 3_600_000_000;

fn specs() -> Vec<Spec> {
    let aggregates = [("close", Operation::Last, "price", ""), ("trades", Operation::Count, "", "")];
    vec![spec("1h", Shape::Tumbling(HOUR_US as u64), Some(("id", "id")), &aggregates)]
}

fn trade(symbol: &str, time_us: i64, id: i64) -> Row {
    Row {
        kind: "trade".to_owned(),
        topic: "trades".to_owned(),
        partition: 0,
        offset: 0,
        values: vec![
            Value::Text(symbol.to_owned()),
            Value::Int(time_us),
            Value::Int(id),
            Value::Decimal(i128::from(id), 0),
        ],
    }
}

fn frozen(text: &str) -> Vec<Part> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let part = |line: &str| {
        let (group, bytes) = line.split_once(' ').unwrap();
        Part { spec: 0, group: group.parse().unwrap(), bytes: bytes.as_bytes().chunks(2).map(byte).collect() }
    };
    text.lines().map(part).collect()
}

const STATE_1: &str = include_str!("frozen/state-1.txt");
const STATE_2: &str = include_str!("frozen/state-2.txt");

fn said(candle: &Candle) -> [Value; 5] {
    ["symbol", "close", "trades", "missing", "complete"].map(|column| candle[column].clone())
}

#[test]
fn state_of_version_1_continues_and_is_written_as_today() {
    let mut windows = Windows::restore(specs(), HOUR_US, &frozen(STATE_1)).unwrap();
    let rewritten = windows.snapshot(1).parts;
    assert_eq!(rewritten.len(), 3, "every part is saved in the layout of today");
    assert_eq!(rewritten, frozen(STATE_2));
    assert_eq!(windows.snapshot(0).parts, rewritten);
    assert_eq!(Windows::restore(specs(), HOUR_US, &rewritten).unwrap().snapshot(0).parts, rewritten);
    assert!(rewritten.iter().map(|part| part.bytes.len()).sum::<usize>() < 7000, "scattered ids stay small");

    let mut rows: Vec<Row> = (31..=40).map(|id| trade("ADA", 2 * HOUR_US + id, id)).collect();
    rows.push(trade("ADA", HOUR_US + 15, 15));
    rows.extend((101..3000).step_by(2).flat_map(|id| [id; 2]).map(|id| trade("BTC", HOUR_US + id, id)));
    rows.push(trade("OLD", 2 * HOUR_US, 8));
    let schema = [
        ("symbol", Type::Text),
        ("time", Type::TimestampUs),
        ("id", Type::Int64),
        ("price", Type::Decimal(0)),
    ];
    let schema = schema.map(|(name, kind)| (name.to_owned(), kind));
    let report = windows.update(&support::rows(&schema, &rows)).unwrap().remove(0);
    assert_eq!((report.accepted, report.duplicate, report.conflict), (10 + 1450 + 1, 1 + 1450, 0));
    let candles = by_spec(&windows.advance(3 * HOUR_US), 1).remove(0);
    let text = |text: &str| Value::Text(text.to_owned());
    let candle = |symbol, close, trades, complete| {
        [text(symbol), Value::Decimal(close, 0), Value::Int(trades), Value::Int(0), Value::Bool(complete)]
    };
    let expected = [
        candle("ADA", 30, 20, true),
        candle("BTC", 3000, 2901, false),
        candle("ADA", 40, 10, true),
        candle("OLD", 8, 1, true),
    ];
    assert_eq!(candles.iter().map(said).collect::<Vec<_>>(), expected);
}

#[test]
fn state_of_version_1_takes_an_added_aggregate() {
    let mut more = specs();
    let spread = [("high", Operation::Max, "price", ""), ("weight", Operation::Sum, "id", "")];
    let shape = more[0].shape;
    more[0].aggregates.splice(1..1, spec("", shape, None, &spread).aggregates);
    let mut windows = Windows::restore(more, HOUR_US, &frozen(STATE_1)).unwrap();
    let mut narrow = Windows::restore(specs(), HOUR_US, &frozen(STATE_1)).unwrap();
    let of = |windows: &mut Windows| by_spec(&windows.advance(3 * HOUR_US), 1).remove(0);
    let (wide, narrow) = (of(&mut windows), of(&mut narrow));
    assert_eq!(wide.iter().map(said).collect::<Vec<_>>(), narrow.iter().map(said).collect::<Vec<_>>());
    assert!(wide.iter().all(|candle| candle["high"] == Value::Null && candle["weight"] == Value::Null));
}
