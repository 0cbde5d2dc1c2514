//! What ids tell, where state is bounded: ids older than their fingerprints, too many ranges, many keys.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use support::{Row, Type, Value, by_spec, spec};
use window::ids::{MAX_RANGES, RING};
use window::spec::{Operation, Shape, Spec};
use window::{Report, Windows};

const HOUR_US: u64 = 3_600_000_000;

fn specs() -> Vec<Spec> {
    let aggregates = [("close", Operation::Last, "price", ""), ("trades", Operation::Count, "", "")];
    vec![spec("1h", Shape::Tumbling { size_us: HOUR_US }, Some(("id", "id")), &aggregates)]
}

/// A trade of one symbol at a time with an id; the price is the id unless another one is given.
fn trade(time_us: i64, id: i64, price: i64) -> Row {
    Row {
        kind: "trade".to_owned(),
        topic: "trades".to_owned(),
        partition: 0,
        offset: 0,
        values: vec![
            Value::Text("A".to_owned()),
            Value::Int(time_us),
            Value::Int(id),
            Value::Decimal(i128::from(price), 0),
        ],
    }
}

fn update(windows: &mut Windows, rows: &[Row]) -> Report {
    let schema = [
        ("symbol", Type::Text),
        ("time", Type::TimestampUs),
        ("id", Type::Int64),
        ("price", Type::Decimal(0)),
    ];
    let schema = schema.map(|(name, kind)| (name.to_owned(), kind));
    windows.update(&support::rows(&schema, rows)).unwrap().remove(0)
}

#[test]
fn an_id_older_than_its_fingerprint_counts_as_a_duplicate_whatever_it_brings() {
    let mut windows = Windows::open(specs()).unwrap();
    let many = RING as i64 + 10;
    let rows: Vec<Row> = (0..many).map(|id| trade(id, id, id)).collect();
    assert_eq!(update(&mut windows, &rows).accepted, many as u64);
    let old = update(&mut windows, &[trade(0, 3, 3), trade(0, 3, 777)]);
    assert_eq!((old.duplicate, old.conflict), (2, 0));
    let recent = update(&mut windows, &[trade(many - 1, many - 1, many - 1), trade(0, many - 1, 777)]);
    assert_eq!((recent.duplicate, recent.conflict), (1, 1));
}

#[test]
fn ids_that_come_after_much_higher_ones_are_told_apart() {
    let mut windows = Windows::open(specs()).unwrap();
    let rows: Vec<Row> = (0..3000).rev().map(|id| trade(id, id, id)).collect();
    assert_eq!(update(&mut windows, &rows).accepted, 3000);
    assert_eq!(update(&mut windows, &rows).duplicate, 3000);
    let high = update(&mut windows, &[trade(1, 2999, 2)]);
    assert_eq!(high.conflict, 1, "the fingerprint of a high id outlives lower ids that came later");
}

#[test]
fn a_repeated_id_in_another_window_is_a_conflict() {
    let mut windows = Windows::open(specs()).unwrap();
    update(&mut windows, &[trade(0, 1, 1)]);
    let moved = update(&mut windows, &[trade(HOUR_US as i64, 1, 1)]);
    assert_eq!((moved.conflict, moved.conflict_rows), (1, vec![0]));
    windows.advance(HOUR_US as i64);
    let after_its_window_closed = update(&mut windows, &[trade(HOUR_US as i64, 1, 1)]);
    assert_eq!(after_its_window_closed.conflict, 1);
}

/// One update of every second id, so that each is a range of its own.
fn holes(windows: &mut Windows, ranges: usize) {
    let rows: Vec<Row> = (0..ranges as i64).map(|index| trade(index, 2 * index, 1)).collect();
    assert_eq!(update(windows, &rows).accepted, ranges as u64);
}

#[test]
fn beyond_the_cap_rows_are_taken_in_untracked_and_the_window_says_that_it_does_not_know() {
    let mut windows = Windows::open(specs()).unwrap();
    holes(&mut windows, MAX_RANGES + 100);
    windows.advance(0);
    assert_eq!(windows.stats()[0].untracked, 0);
    let floor = 2 * 99;
    let again = update(&mut windows, &[trade(1, floor, 1), trade(1, floor + 2, 1)]);
    assert_eq!((again.accepted, again.duplicate), (1, 1), "at the floor nothing is known, above it all is");
    assert_eq!(windows.stats()[0].untracked, 1);

    let snapshot = windows.snapshot(0).parts;
    let mut windows = Windows::restore(specs(), 0, &snapshot).unwrap();
    assert_eq!(windows.snapshot(0).parts, snapshot);
    assert_eq!(windows.stats()[0].untracked, 1);

    let hour = HOUR_US as i64;
    let next = 2 * (MAX_RANGES as i64 + 100);
    update(&mut windows, &[trade(hour, next - 1, 5), trade(2 * hour, next, 6)]);
    let candles = by_spec(&windows.advance(3 * hour), 1).remove(0);
    let said: Vec<(&Value, &Value)> =
        candles.iter().map(|candle| (&candle["missing"], &candle["complete"])).collect();
    assert_eq!(said[0], (&Value::Null, &Value::Null));
    assert_eq!(candles[0]["trades"], Value::Int(MAX_RANGES as i64 + 101));
    assert_eq!(said[1], (&Value::Int(0), &Value::Bool(true)), "the next window knows again");
    assert_eq!(said[2], (&Value::Int(0), &Value::Bool(true)));
}

#[test]
fn untracked_rows_of_one_id_are_ordered_by_their_places() {
    let closes = [(7, 8), (8, 7)].map(|(before, after)| {
        let mut windows = Windows::open(specs()).unwrap();
        holes(&mut windows, MAX_RANGES + 100);
        windows.advance(0);
        for offset in [before, after] {
            let row = Row { offset, ..trade(HOUR_US as i64 - 1, 0, offset) };
            assert_eq!(update(&mut windows, &[row]).accepted, 1);
        }
        by_spec(&windows.advance(HOUR_US as i64), 1).remove(0)[0]["close"].clone()
    });
    assert_eq!(closes, [Value::Decimal(8, 0), Value::Decimal(8, 0)]);
}

#[test]
fn the_cap_is_judged_between_epochs_and_not_while_holes_fill() {
    let mut windows = Windows::open(specs()).unwrap();
    let ranges = MAX_RANGES + 100;
    holes(&mut windows, ranges);
    let rows: Vec<Row> = (0..ranges as i64).map(|index| trade(index, 2 * index + 1, 1)).collect();
    update(&mut windows, &rows);
    let candles = by_spec(&windows.advance(HOUR_US as i64), 1).remove(0);
    assert_eq!(candles[0]["missing"], Value::Int(0));
    assert_eq!(windows.stats()[0].untracked, 0);
}

#[test]
fn rows_far_from_our_time_and_ids_out_of_reach_are_invalid() {
    let mut windows = Windows::open(specs()).unwrap();
    let rows = [
        trade(i64::MAX, 1, 1),
        trade(i64::MIN, 2, 1),
        trade(0, i64::MAX, 1),
        trade(0, i64::MIN, 1),
        trade(-1, -5, 1),
    ];
    let report = update(&mut windows, &rows);
    assert_eq!((report.invalid, report.accepted), (vec![0, 1, 2, 3], 1));
    let candles = by_spec(&windows.advance(i64::MAX), 1).remove(0);
    assert_eq!(candles[0]["window_start"], Value::Int(-(HOUR_US as i64)));
    assert_eq!(candles[0]["first_id"], Value::Int(-5));
    assert!(windows.advance(i64::MIN).is_empty());
}

#[test]
fn a_key_without_ids_is_forgotten_with_its_last_window() {
    let mut spec = specs().remove(0);
    spec.ids = None;
    let mut windows = Windows::open(vec![spec]).unwrap();
    update(&mut windows, &[trade(0, 1, 1)]);
    let before = windows.snapshot(0);
    assert_eq!((windows.stats()[0].keys, before.parts.len()), (1, 1));
    windows.advance(HOUR_US as i64);
    assert_eq!(windows.stats()[0].keys, 0);
    assert!(windows.snapshot(0).parts.is_empty());
    let emptied = windows.snapshot(before.version).parts;
    assert_eq!(emptied.len(), 1, "the part is given once more, so that the old one is replaced");
    assert!(emptied[0].bytes.len() < before.parts[0].bytes.len());
}
