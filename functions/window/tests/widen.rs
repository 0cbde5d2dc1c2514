//! State that was written under fewer aggregates continues under more: those that were there as if nothing had happened,
//! the new ones from then on.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;

use proptest::prelude::*;
use support::{Candle, OHLCV, Row, Type, Value, by_spec, spec};
use window::Windows;
use window::spec::{Operation, Shape, Sliding, Spec};
use window::widen::Written;

type Aggregates = Vec<(&'static str, Operation, &'static str, &'static str)>;

fn specs(aggregates: &[(&str, Operation, &str, &str)], ids: Option<(&str, &str)>) -> Vec<Spec> {
    let shapes =
        [Shape::Tumbling(7), Shape::Sliding(Sliding { size_us: 10, slide_us: 4 }), Shape::Session(3)];
    let named = shapes.iter().enumerate();
    named.map(|(index, &shape)| spec(&index.to_string(), shape, ids, aggregates)).collect()
}

fn row(id: i64, offset: i64) -> Row {
    let spread = |step: i64, modulus: i64| (id * step).rem_euclid(modulus);
    Row {
        kind: "trade".to_owned(),
        topic: "a".to_owned(),
        partition: 0,
        offset,
        values: vec![
            Value::Text(["X", "Y"][spread(5, 2) as usize].to_owned()),
            Value::Int(id / 2 + spread(31, 9)),
            Value::Int(2 * id),
            Value::Int(2 * id + spread(3, 2)),
            if id % 5 == 0 { Value::Null } else { Value::Decimal(i128::from(spread(7919, 1000)), 2) },
            Value::Decimal(i128::from(spread(101, 50)), 3),
        ],
    }
}

fn update(windows: &mut Windows, rows: &[Row]) -> Vec<window::Report> {
    let schema = [
        ("symbol", Type::Text),
        ("time", Type::TimestampUs),
        ("id", Type::Int64),
        ("last", Type::Int64),
        ("price", Type::Decimal(2)),
        ("quantity", Type::Decimal(3)),
    ];
    let schema = schema.map(|(name, kind)| (name.to_owned(), kind));
    windows.update(&support::rows(&schema, rows)).unwrap()
}

/// Some columns of candles, and which window each is of.
fn columns(candles: &[Candle], names: &[&str]) -> Vec<Vec<Value>> {
    let place = ["symbol", "window_start", "window_end", "missing", "complete"];
    let all = || place.iter().chain(names);
    candles.iter().map(|candle| all().map(|name| candle[*name].clone()).collect()).collect()
}

fn start_us(candle: &Candle) -> i64 {
    let Value::Int(start_us) = candle["window_start"] else { panic!("{candle:?}") };
    start_us
}

fn epochs() -> impl Strategy<Value = Vec<(Vec<Row>, i64)>> {
    let one = (prop::collection::vec(0i64..90, 0..40), 0i64..12);
    prop::collection::vec(one, 2..5).prop_map(|raw| {
        let (mut offset, mut watermark) = (0, -10);
        let mut row = |number| {
            offset += 1;
            row(number, offset)
        };
        let epoch = |(numbers, on): (Vec<i64>, i64)| {
            watermark += on;
            (numbers.into_iter().map(&mut row).collect(), watermark)
        };
        raw.into_iter().map(epoch).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn added_aggregates_change_nothing_but_themselves(
        epochs in epochs(),
        kind in 0usize..3,
        order in Just(OHLCV.to_vec()).prop_shuffle(),
        few in prop::sample::subsequence(OHLCV.to_vec(), 0..=7).prop_shuffle(),
        cut in 0usize..3,
    ) {
        let ids = [None, Some(("id", "id")), Some(("id", "last"))][kind];
        let order: Aggregates = order;
        let mut narrow = Windows::open(specs(&few, ids)).unwrap();
        let mut wide = Windows::open(specs(&order, ids)).unwrap();
        let mut widened: Option<Windows> = None;
        let (mut newest_us, mut before_us) = (i64::MIN, i64::MIN);
        let names = |aggregates: &[(&'static str, Operation, &str, &str)]| {
            aggregates.iter().map(|it| it.0).collect::<Vec<_>>()
        };
        for (number, (rows, watermark)) in epochs.into_iter().enumerate() {
            if number == cut.max(1) {
                let parts = narrow.snapshot(0).parts;
                widened = Some(Windows::restore(specs(&order, ids), before_us, &parts).unwrap());
            }
            let reports = update(&mut narrow, &rows);
            update(&mut wide, &rows);
            let Some(widened) = &mut widened else {
                let times = rows.iter().filter_map(|row| match row.values[1] {
                    Value::Int(time_us) => Some(time_us),
                    _ => None,
                });
                newest_us = times.chain([newest_us]).max().unwrap();
                narrow.advance(watermark);
                wide.advance(watermark);
                before_us = watermark;
                continue;
            };
            prop_assert_eq!(update(widened, &rows), reports);
            let [narrow, wide, widened] =
                [&mut narrow, &mut wide, widened].map(|windows| by_spec(&windows.advance(watermark), 3));
            for (widened, (narrow, wide)) in widened.iter().zip(narrow.iter().zip(&wide)) {
                prop_assert_eq!(columns(widened, &names(&few)), columns(narrow, &names(&few)));
                let later = |candles: &[Candle]| {
                    candles.iter().filter(|it| start_us(it) > newest_us).cloned().collect::<Vec<_>>()
                };
                let all = names(&order);
                prop_assert_eq!(columns(&later(widened), &all), columns(&later(wide), &all));
            }
        }
    }
}

#[test]
fn other_or_fewer_aggregates_are_refused_by_name() {
    let mut windows = Windows::open(specs(&OHLCV, None)).unwrap();
    update(&mut windows, &[row(1, 0)]);
    let parts = windows.snapshot(0).parts;
    let mut other = OHLCV.to_vec();
    other[0].1 = Operation::Last;
    for aggregates in [&OHLCV[1..], &other] {
        let wrong = Windows::restore(specs(aggregates, None), 0, &parts).err().unwrap().to_string();
        assert!(wrong.contains("other aggregates (then: open = first(price), high = "), "{wrong}");
    }
}

#[test]
fn aggregates_are_found_by_their_text_whatever_their_names() {
    let aggregates = [
        ("a", Operation::Count, "", ""),
        ("a = count(), a", Operation::Max, "price", ""),
        ("b", Operation::Vwap, "price", "quantity"),
    ];
    let plan = window::spec::Plan::new(specs(&aggregates, None).remove(0)).unwrap();
    let cells = |text: &str| Written::of(&plan, text).map(|written| written.cells);
    assert_eq!(cells(""), Some(vec![]));
    assert_eq!(cells("a = count()"), Some(vec![0]));
    assert_eq!(cells("b = vwap(price, quantity), a = count()"), Some(vec![2, 0]));
    assert_eq!(cells("a = count(), a = max(price)"), Some(vec![1]));
    for text in ["a = count(), ", "a = count(), a = count()", "c = count()", "b = vwap(price)"] {
        assert_eq!(cells(text), None, "{text}");
    }
    let inputs = Written::of(&plan, "b = vwap(price, quantity)").unwrap();
    assert!(inputs.same_fingerprints(&plan));
    let names: BTreeSet<&str> = inputs.inputs.iter().map(|&input| plan.inputs[input].as_str()).collect();
    assert_eq!(names, BTreeSet::from(["price", "quantity"]));
}

#[test]
fn rows_sent_again_are_duplicates_though_more_of_them_is_read() {
    for ids in [("id", "id"), ("id", "last")] {
        let mut windows = Windows::open(specs(&OHLCV[..1], Some(ids))).unwrap();
        let rows: Vec<Row> = (1..30).map(|id| row(id, id)).collect();
        update(&mut windows, &rows);
        let parts = windows.snapshot(0).parts;
        let mut widened = Windows::restore(specs(&OHLCV, Some(ids)), i64::MIN, &parts).unwrap();
        for report in update(&mut widened, &rows) {
            assert_eq!((report.accepted, report.conflict), (0, 0), "{report:?}");
        }
        let mut other = rows.clone();
        other.push(row(30, 30));
        let reports = update(&mut widened, &other);
        assert!(reports.iter().all(|report| report.accepted > 0 && report.conflict == 0), "{reports:?}");
        let mut changed = other.pop().unwrap();
        changed.values[5] = Value::Decimal(77, 3);
        assert!(update(&mut widened, &[changed]).iter().all(|report| report.conflict > 0));
    }
}
