//! Empty windows between two windows of a key: against a list that is made by hand, whatever the pieces, the watermarks
//! and the restarts.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use proptest::prelude::*;
use support::{Row, Type, Value, by_spec, rows, spec};
use tallow_contract::fill::{Fill, FillWith};
use tallow_contract::window::{Part, Portion};
use window::Windows;
use window::spec::{Operation, Shape, Sliding, Spec};

/// Windows of 10 µs; a silence of up to 40 µs is filled, and after 100 µs a key is forgotten.
const SIZE_US: i64 = 10;
const FOR_US: i64 = 40;
const KEEP_US: i64 = 100;

fn fill(with: FillWith) -> Fill {
    Fill { with, for_us: FOR_US as u64, keep_us: KEEP_US as u64 }
}

fn specs(fill: Option<Fill>) -> Vec<Spec> {
    let aggregates = [("last", Operation::Last, "price", ""), ("rows", Operation::Count, "", "")];
    let mut spec = spec("10us", Shape::Tumbling(SIZE_US as u64), None, &aggregates);
    spec.aggregates.extend(fill.map(|fill| fill.aggregate()));
    vec![spec]
}

fn trades(trades: &[(u8, i64)]) -> window::table::Rows {
    let schema = [("symbol", Type::Text), ("time", Type::TimestampUs), ("price", Type::Decimal(0))]
        .map(|(name, kind)| (name.to_owned(), kind));
    let row = |(offset, &(symbol, time_us)): (i64, &(u8, i64))| Row {
        kind: "trade".to_owned(),
        topic: "trades".to_owned(),
        partition: 0,
        offset,
        values: vec![
            Value::Text(symbol.to_string()),
            Value::Int(time_us),
            Value::Decimal(i128::from(time_us), 0),
        ],
    };
    let all: Vec<Row> = (0..).zip(trades).map(row).collect();
    rows(&schema, &all)
}

/// Symbol, start, last price, rows, filled, unfilled.
type Said = (u8, i64, Option<i64>, i64, bool, Option<i64>);

/// The windows of trades that all come in time, by another way: symbol by symbol, window by window.
fn listed(trades: &[(u8, i64)]) -> Vec<Said> {
    let mut all = Vec::new();
    for symbol in 0..3 {
        let of_symbol = || trades.iter().filter(move |it| it.0 == symbol).map(|it| it.1);
        let mut before: Option<(i64, i64)> = None;
        for start in (0..2000).step_by(SIZE_US as usize) {
            let within = || of_symbol().filter(|time| (start..start + SIZE_US).contains(time));
            let Some(last) = within().max() else { continue };
            let mut unfilled = None;
            if let Some((closed, price)) = before {
                let empty: Vec<i64> = (closed + SIZE_US..start).step_by(SIZE_US as usize).collect();
                let silence_us = start - closed - SIZE_US;
                if silence_us <= FOR_US {
                    all.extend(empty.iter().map(|at| (symbol, *at, Some(price), 0, true, Some(0))));
                }
                let left_out = if silence_us > FOR_US { empty.len() as i64 } else { 0 };
                unfilled = (silence_us < KEEP_US).then_some(left_out);
            }
            all.push((symbol, start, Some(last), within().count() as i64, false, unfilled));
            before = Some((start, last));
        }
    }
    all.sort_by_key(|it| (it.1, it.0));
    all
}

fn said(outputs: &[window::Output]) -> Vec<Said> {
    let number = |value: &Value| match value {
        Value::Int(value) => Some(*value),
        Value::Decimal(value, 0) => Some(*value as i64),
        _ => None,
    };
    let candles = by_spec(outputs, 1).remove(0);
    let one = |candle: &support::Candle| {
        let Value::Text(symbol) = &candle["symbol"] else { panic!("a symbol is text") };
        (
            symbol.parse().unwrap(),
            number(&candle["window_start"]).unwrap(),
            number(&candle["last"]),
            number(&candle["rows"]).unwrap(),
            candle["filled"] == Value::Bool(true),
            number(&candle["unfilled"]),
        )
    };
    candles.iter().map(one).collect()
}

/// Closes in pieces of so many windows.
fn advance(windows: &mut Windows, watermark_us: i64, most: u32) -> Vec<Said> {
    let portion = Portion { windows: most, bytes: u64::MAX };
    let mut all = Vec::new();
    loop {
        let piece = windows.advance_by(watermark_us, portion).unwrap();
        let some = said(&piece.outputs);
        assert!(some.len() <= most as usize, "{} windows in a piece of {most}", some.len());
        all.extend(some);
        if !piece.more {
            return all;
        }
    }
}

fn restored(windows: &Windows, specs: Vec<Spec>, watermark_us: i64) -> Windows {
    Windows::restore(specs, watermark_us, &windows.snapshot(0).parts).unwrap()
}

proptest! {
    #[test]
    fn what_is_filled_follows_from_the_rows_alone(
        mut times in prop::collection::vec((0u8..3, 0i64..900), 1..60),
        cuts in prop::collection::vec((1usize..20, any::<bool>(), 1u32..5), 1..60),
    ) {
        times.sort_by_key(|it| it.1);
        let mut windows = Windows::open(specs(Some(fill(FillWith::Previous)))).unwrap();
        let (mut given, mut taken) = (Vec::new(), 0);
        for (count, restarts, most) in cuts.iter().cycle() {
            if taken == times.len() {
                break;
            }
            let some = &times[taken..(taken + count).min(times.len())];
            taken += some.len();
            windows.update(&trades(some)).unwrap();
            let watermark_us = some[some.len() - 1].1;
            given.extend(advance(&mut windows, watermark_us, *most));
            if *restarts {
                windows = restored(&windows, specs(Some(fill(FillWith::Previous))), watermark_us);
            }
        }
        given.extend(advance(&mut windows, 2000, 3));
        given.sort_by_key(|it| (it.1, it.0));
        prop_assert_eq!(given, listed(&times));
        prop_assert!(windows.snapshot(0).parts.is_empty(), "every key is forgotten in the end");
    }
}

#[test]
fn windows_are_filled_with_what_was_asked_for() {
    for (with, last, rows) in [
        (FillWith::Previous, Some(5), Some(0)),
        (FillWith::Null, None, None),
        (FillWith::Zero, Some(0), Some(0)),
    ] {
        let mut windows = Windows::open(specs(Some(fill(with)))).unwrap();
        windows.update(&trades(&[(0, 3), (0, 5), (0, 21)])).unwrap();
        let candles = by_spec(&windows.advance(30), 1).remove(0);
        let decimal = |value: Option<i128>| value.map_or(Value::Null, |value| Value::Decimal(value, 0));
        assert_eq!(candles[1]["last"], decimal(last), "{with:?}");
        assert_eq!(candles[1]["rows"], rows.map_or(Value::Null, Value::Int), "{with:?}");
        assert_eq!(candles.len(), 3, "{with:?}");
    }
}

#[test]
fn a_long_silence_comes_in_pieces() {
    let long = Fill { with: FillWith::Previous, for_us: 1 << 40, keep_us: 1 << 41 };
    let mut windows = Windows::open(specs(Some(long))).unwrap();
    windows.update(&trades(&[(0, 0), (1, 5), (0, 100_000), (1, 100_000)])).unwrap();
    let given = advance(&mut windows, 200_000, 64);
    assert_eq!(given.len(), 2 * 10_001);
    assert!(given.is_sorted_by_key(|it| (it.1, it.0)), "by start, then by key");
}

#[test]
fn filling_begins_and_ends_with_state_that_is_there() {
    let mut plain = Windows::open(specs(None)).unwrap();
    plain.update(&trades(&[(0, 5), (0, 25)])).unwrap();
    plain.advance(20);
    let before: Vec<Part> = plain.snapshot(0).parts;
    // What closed before is not known: there is nothing to fill from.
    let mut filling = restored(&plain, specs(Some(fill(FillWith::Previous))), 20);
    assert_eq!(said(&filling.advance(30)), [(0, 20, Some(25), 1, false, None)]);
    filling.update(&trades(&[(0, 45)])).unwrap();
    let other = restored(&filling, specs(Some(fill(FillWith::Zero))), 30);
    assert_eq!(
        other.snapshot(0).parts,
        filling.snapshot(0).parts,
        "another way to fill reads the same state"
    );
    let mut without = restored(&filling, specs(None), 30);
    assert_eq!(without.snapshot(0).parts[0].bytes[4..6], before[0].bytes[4..6], "the layout of before");
    assert_eq!(by_spec(&without.advance(50), 1).remove(0).len(), 1, "nothing is filled any more");
    let expected = [(0, 30, Some(25), 0, true, Some(0)), (0, 40, Some(45), 1, false, Some(0))];
    assert_eq!(said(&filling.advance(50)), expected);
}

/// `frozen/state-3.txt` was written by the first function that fills: symbol 0 with a closed window from 20 µs on and a
/// trade at 45 µs, under a watermark of 30 µs.
#[test]
fn state_of_version_3_continues_and_is_written_as_today() {
    let (group, bytes) = include_str!("frozen/state-3.txt").trim().split_once(' ').unwrap();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let bytes = bytes.as_bytes().chunks(2).map(byte).collect();
    let parts = [Part { spec: 0, group: group.parse().unwrap(), bytes }];
    let mut windows = Windows::restore(specs(Some(fill(FillWith::Previous))), 30, &parts).unwrap();
    assert_eq!(windows.snapshot(0).parts, parts);
    let expected = [(0, 30, Some(25), 0, true, Some(0)), (0, 40, Some(45), 1, false, Some(0))];
    assert_eq!(said(&windows.advance(50)), expected);
    for length in 0..parts[0].bytes.len() {
        let cut = Part { bytes: parts[0].bytes[..length].to_vec(), ..parts[0].clone() };
        assert!(Windows::restore(specs(Some(fill(FillWith::Previous))), 30, &[cut]).is_err(), "{length}");
    }
}

#[test]
fn only_tumbling_windows_are_filled() {
    let refused = |change: &dyn Fn(&mut Spec)| {
        let mut specs = specs(Some(fill(FillWith::Null)));
        change(&mut specs[0]);
        Windows::open(specs).err().unwrap().to_string()
    };
    let tumbling = "only tumbling windows can be filled";
    let sliding = Shape::Sliding(Sliding { size_us: 10, slide_us: 5 });
    assert!(refused(&|spec| spec.shape = sliding).contains(tumbling));
    assert!(refused(&|spec| spec.shape = Shape::Session(5)).contains(tumbling));
    assert!(refused(&|spec| spec.aggregates[2].by = Some("last 1 2".into())).contains("`last 1 2`"));
    assert!(refused(&|spec| spec.keys = vec!["unfilled".into()]).contains("`unfilled`"));
}
