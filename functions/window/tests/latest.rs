//! Rows that replace each other by a revision: the windows are those of the rows that counted in the end, whatever came
//! before them, the watermarks and the restarts.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use support::{Candle, OHLCV, Row, Type, Value, by_spec, rows, spec};
use tallow_contract::latest;
use window::Windows;
use window::spec::{Operation, Shape, Sliding, Spec};

const SHAPES: [Shape; 3] =
    [Shape::Tumbling(20), Shape::Sliding(Sliding { size_us: 30, slide_us: 10 }), Shape::Session(7)];

fn specs(replaces: bool, shape: Shape) -> Vec<Spec> {
    let mut spec = spec("w", shape, None, &OHLCV);
    spec.aggregates.extend(replaces.then(|| latest::aggregate("revision")));
    vec![spec]
}

/// Symbol, time, revision, price; a price of 0 is null.
type Bar = (u8, i64, i64, i64);

fn bars(bars: &[Bar]) -> window::table::Rows {
    let schema = [
        ("symbol", Type::Text),
        ("time", Type::TimestampUs),
        ("revision", Type::Int64),
        ("price", Type::Decimal(2)),
        ("quantity", Type::Int64),
    ]
    .map(|(name, kind)| (name.to_owned(), kind));
    let row = |(offset, &(symbol, time_us, revision, price)): (i64, &Bar)| Row {
        kind: "trade".to_owned(),
        topic: "bars".to_owned(),
        partition: 0,
        offset,
        values: vec![
            Value::Text(symbol.to_string()),
            Value::Int(time_us),
            if revision < 0 { Value::Null } else { Value::Int(revision) },
            if price == 0 { Value::Null } else { Value::Decimal(i128::from(price), 2) },
            Value::Int(price % 7 + 1),
        ],
    };
    let all: Vec<Row> = (0..).zip(bars).map(row).collect();
    rows(&schema, &all)
}

/// Whether a row is late for all of its windows.
fn is_late(shape: Shape, time_us: i64, watermark_us: i64) -> bool {
    let end_us = match shape {
        Shape::Tumbling(size) => time_us.div_euclid(size as i64) * size as i64 + size as i64,
        // Windows start at every 10 µs, so the newest one that holds the time ends last.
        Shape::Sliding(it) => time_us.div_euclid(it.slide_us as i64) * it.slide_us as i64 + it.size_us as i64,
        Shape::Session(gap) => time_us + gap as i64,
    };
    end_us <= watermark_us
}

/// The batches with each key and time where it came first, and with what counted in the end.
fn settled(batches: &[(Vec<Bar>, i64)], shape: Shape) -> Vec<(Vec<Bar>, i64)> {
    let mut last: BTreeMap<(u8, i64), (i64, i64)> = BTreeMap::new();
    let mut first: Vec<(Vec<(u8, i64)>, i64)> = Vec::new();
    let mut watermark_us = i64::MIN;
    for (batch, to_us) in batches {
        let mut new = Vec::new();
        for &(symbol, time_us, revision, price) in batch {
            if is_late(shape, time_us, watermark_us) {
                continue;
            }
            match last.get_mut(&(symbol, time_us)) {
                Some(known) if known.0 > revision => {}
                Some(known) => *known = (revision, price),
                None => {
                    last.insert((symbol, time_us), (revision, price));
                    new.push((symbol, time_us));
                }
            }
        }
        first.push((new, *to_us));
        watermark_us = watermark_us.max(*to_us);
    }
    let bar = |&(symbol, time_us): &(u8, i64)| {
        let (revision, price) = last[&(symbol, time_us)];
        (symbol, time_us, revision, price)
    };
    first.iter().map(|(new, to_us)| (new.iter().map(bar).collect(), *to_us)).collect()
}

fn restored(windows: &Windows, specs: Vec<Spec>, watermark_us: i64) -> Windows {
    let parts = windows.snapshot(0).parts;
    let restored = Windows::restore(specs, watermark_us, &parts).unwrap();
    assert_eq!(restored.snapshot(0).parts, parts);
    restored
}

/// Takes batches in, each followed by its watermark, and gives what closes.
fn run(specs: &[Spec], batches: &[(Vec<Bar>, i64)], restarts: bool) -> Vec<Candle> {
    let mut windows = Windows::open(specs.to_vec()).unwrap();
    let (mut all, mut watermark_us) = (Vec::new(), i64::MIN);
    for (batch, to_us) in batches {
        let reports = windows.update(&bars(batch)).unwrap();
        if let [report] = &reports[..] {
            let counted = report.accepted + report.late + report.duplicate;
            assert_eq!((report.assignments, report.conflict), (counted, 0));
        }
        watermark_us = watermark_us.max(*to_us);
        all.extend(by_spec(&windows.advance(watermark_us), 1).remove(0));
        if restarts {
            windows = restored(&windows, specs.to_vec(), watermark_us);
        }
    }
    assert_eq!(windows.stats()[0].open_windows, 0);
    all
}

proptest! {
    #[test]
    fn windows_hold_what_counted_in_the_end(
        batches in prop::collection::vec(
            (prop::collection::vec((0u8..2, 0i64..25, 0i64..3, 0i64..90), 0..12), 0i64..10), 1..12,
        ),
        restarts: bool,
        shape in 0usize..3,
    ) {
        let shape = SHAPES[shape];
        // Each batch is of a later time, so that some rows are late, and some windows are closed.
        let place = |(index, (batch, step)): (i64, &(Vec<Bar>, i64))| {
            let bars = batch.iter().map(|&(symbol, time, revision, price)| (symbol, index * 12 + time, revision, price));
            // A sliding window that closed keeps what its rows were then, unlike the next one that holds them.
            let watermark_us = if shape == SHAPES[1] { 0 } else { index * 12 + step };
            (bars.collect(), watermark_us)
        };
        let mut batches: Vec<(Vec<Bar>, i64)> = (0..).zip(&batches).map(place).collect();
        batches.push((Vec::new(), 10_000));
        let given = run(&specs(true, shape), &batches, restarts);
        let expected = run(&specs(false, shape), &settled(&batches, shape), false);
        prop_assert_eq!(given, expected);
    }
}

#[test]
fn a_row_is_counted_once_whatever_replaces_it() {
    let mut windows = Windows::open(specs(true, SHAPES[0])).unwrap();
    let report = |windows: &mut Windows, some: &[Bar]| windows.update(&bars(some)).unwrap().remove(0);
    let first = report(&mut windows, &[(0, 5, 1, 50), (0, 5, 0, 40), (0, 6, 0, 60), (0, 7, -1, 70)]);
    assert_eq!((first.taken, first.accepted, first.duplicate), (4, 2, 1));
    assert_eq!(first.invalid, [3], "a row without a revision cannot be told from others");
    let again = report(&mut windows, &[(0, 5, 1, 55)]);
    assert_eq!((again.accepted, again.duplicate), (0, 1), "of equal revisions the last one counts");
    let candle = by_spec(&windows.changed(), 1).remove(0).remove(0);
    assert_eq!((&candle["open"], &candle["trades"]), (&Value::Decimal(55, 2), &Value::Int(2)));
    assert_eq!(windows.stats()[0].open_assignments, 2);
    windows.advance(20);
    let late = report(&mut windows, &[(0, 5, 2, 99)]);
    assert_eq!((late.late, late.late_rows), (1, vec![0]), "a window that closed is not opened again");
}

#[test]
fn state_is_read_under_the_same_latest_by_alone() {
    let mut windows = Windows::open(specs(true, SHAPES[0])).unwrap();
    windows.update(&bars(&[(0, 5, 1, 50), (1, 6, 0, 60)])).unwrap();
    let parts = windows.snapshot(0).parts;
    let refused = |specs: Vec<Spec>| Windows::restore(specs, 0, &parts).err().unwrap().to_string();
    assert!(
        refused(specs(false, SHAPES[0])).contains("written with `latest-by`, and is to be read without it")
    );
    let mut other = specs(false, SHAPES[0]);
    other[0].aggregates.push(latest::aggregate("time"));
    assert!(refused(other).contains("latest-by (then: revision; now: time)"));

    // More aggregates over what is kept have the rows of before, too.
    let mut more = specs(true, SHAPES[0]);
    let spread = spec("w", SHAPES[0], None, &[("highest", Operation::Max, "price", "")]).aggregates;
    more[0].aggregates.extend(spread);
    let mut widened = Windows::restore(more, 0, &parts).unwrap();
    let candles = by_spec(&widened.advance(20), 1).remove(0);
    assert_eq!(candles[0]["highest"], Value::Decimal(50, 2));

    for part in &parts {
        for length in 0..part.bytes.len() {
            let mut cut = part.clone();
            cut.bytes.truncate(length);
            assert!(Windows::restore(specs(true, SHAPES[0]), 0, &[cut]).is_err(), "{length}");
        }
    }
}

#[test]
fn only_rows_without_ids_replace_each_other() {
    let mut with_ids = specs(true, SHAPES[0]);
    with_ids[0].ids = Some(window::spec::IdColumns::unbounded("id", "id"));
    assert!(Windows::open(with_ids).err().unwrap().to_string().contains("not both"));
    let mut by_text = specs(false, SHAPES[0]);
    by_text[0].aggregates.push(latest::aggregate("symbol"));
    let wrong = Windows::open(by_text).unwrap().update(&bars(&[(0, 5, 1, 50)])).err().unwrap().to_string();
    assert!(wrong.contains("column `symbol`, which is text: int64 or timestamp is needed"), "{wrong}");
}
