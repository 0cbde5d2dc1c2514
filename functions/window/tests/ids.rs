//! What ids tell, where state is bounded: ids older than their fingerprints, more of them than may be kept,
//! ids that restart, keys that fall silent.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use support::{Row, Type, Value, by_spec, spec};
use window::ring::RING;
use window::spec::{IdColumns, Operation, Shape, Spec};
use window::{Report, Windows};

const HOUR_US: u64 = 3_600_000_000;

fn specs() -> Vec<Spec> {
    let aggregates = [("close", Operation::Last, "price", ""), ("trades", Operation::Count, "", "")];
    vec![spec("1h", Shape::Tumbling(HOUR_US), Some(("id", "id")), &aggregates)]
}

/// As [`specs`], where scattered ids may take so many bytes.
fn bounded(max_bytes: u64, beyond: Beyond) -> Vec<Spec> {
    let halt = beyond == Beyond::Halt;
    with_ids(|ids| IdColumns { max_bytes, halt, ..ids })
}

/// What is done where scattered ids take more than they may.
#[derive(PartialEq)]
enum Beyond {
    GiveUp,
    Halt,
}

fn with_ids(of: impl Fn(IdColumns) -> IdColumns) -> Vec<Spec> {
    let spec = |spec: Spec| Spec { ids: spec.ids.map(&of), ..spec };
    specs().into_iter().map(spec).collect()
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

/// One update of every second id below twice `ids`.
fn holes(windows: &mut Windows, ids: i64) {
    let rows: Vec<Row> = (0..ids).map(|index| trade(index, 2 * index, 1)).collect();
    assert_eq!(update(windows, &rows).accepted, ids as u64);
}

/// Ids of a chunk, of which half take 8 KiB.
const CHUNK: i64 = 1 << 16;

#[test]
fn a_million_scattered_ids_are_told_apart() {
    let mut windows = Windows::open(bounded(2 << 20, Beyond::Halt)).unwrap();
    let half = 1_000_000;
    holes(&mut windows, half);
    windows.advance(0);
    windows.bound_ids().unwrap();
    let again: Vec<Row> = (0..half).rev().map(|index| trade(index, 2 * index, 1)).collect();
    assert_eq!(update(&mut windows, &again).accepted, 0);
    let odd: Vec<Row> = (0..half).flat_map(|index| [2 * index + 1; 2]).map(|id| trade(id, id, 1)).collect();
    let report = update(&mut windows, &odd);
    assert_eq!((report.accepted, report.duplicate), (half as u64, half as u64));
    let candle = by_spec(&windows.advance(HOUR_US as i64), 1).remove(0).remove(0);
    assert_eq!((&candle["trades"], &candle["missing"]), (&Value::Int(2 * half), &Value::Int(0)));
}

#[test]
fn beyond_their_share_rows_are_untracked_and_windows_say_so() {
    let mut windows = Windows::open(bounded(10_000, Beyond::GiveUp)).unwrap();
    holes(&mut windows, CHUNK);
    windows.advance(0);
    windows.bound_ids().unwrap();
    assert_eq!(windows.stats()[0].untracked, 0, "nothing has come twice");
    let floor = CHUNK - 2;
    let report = update(&mut windows, &[trade(1, floor, 1), trade(1, floor + 2, 1), trade(1, floor + 1, 1)]);
    assert_eq!((report.accepted, report.duplicate, report.untracked), (2, 1, 1));
    assert_eq!(windows.stats()[0].untracked, 1, "at the floor nothing is known, above it all is");

    let snapshot = windows.snapshot(0).parts;
    let specs = bounded(10_000, Beyond::GiveUp);
    let mut windows = Windows::restore(specs, 0, &snapshot).unwrap();
    assert_eq!(windows.snapshot(0).parts, snapshot);
    assert_eq!(windows.stats()[0].untracked, 1);

    let hour = HOUR_US as i64;
    let next = 2 * CHUNK;
    update(&mut windows, &[trade(hour, next - 1, 5), trade(2 * hour, next, 6)]);
    let candles = by_spec(&windows.advance(3 * hour), 1).remove(0);
    let said: Vec<(&Value, &Value)> =
        candles.iter().map(|candle| (&candle["missing"], &candle["complete"])).collect();
    assert_eq!(said[0], (&Value::Null, &Value::Null));
    assert_eq!(candles[0]["trades"], Value::Int(CHUNK + 2));
    assert_eq!(said[1], (&Value::Int(0), &Value::Bool(true)), "the next window knows again");
    assert_eq!(said[2], (&Value::Int(0), &Value::Bool(true)));
    let low = update(&mut windows, &[trade(3 * hour, 7, 1), trade(3 * hour, 7, 1)]);
    assert_eq!(
        (low.accepted, low.duplicate),
        (1, 1),
        "with the last window that had such ids the floor goes"
    );
}

#[test]
fn where_ids_are_to_halt_the_bound_is_refused_with_the_figures() {
    let mut windows = Windows::open(bounded(10_000, Beyond::Halt)).unwrap();
    holes(&mut windows, CHUNK / 2);
    windows.advance(0);
    windows.bound_ids().unwrap();
    let rows: Vec<Row> = (0..CHUNK).map(|index| trade(index, CHUNK + 2 * index, 1)).collect();
    update(&mut windows, &rows);
    windows.advance(0);
    assert_eq!(
        windows.bound_ids().unwrap_err().to_string(),
        "window `1h`: the scattered ids of 1 keys take 24768 bytes, and may take 10000"
    );
}

#[test]
fn untracked_rows_of_one_id_are_ordered_by_their_places() {
    let closes = [(7, 8), (8, 7)].map(|(before, after)| {
        let mut windows = Windows::open(bounded(10_000, Beyond::GiveUp)).unwrap();
        holes(&mut windows, CHUNK);
        windows.advance(0);
        windows.bound_ids().unwrap();
        for offset in [before, after] {
            let row = Row { offset, ..trade(HOUR_US as i64 - 1, 0, offset) };
            assert_eq!(update(&mut windows, &[row]).accepted, 1);
        }
        by_spec(&windows.advance(HOUR_US as i64), 1).remove(0)[0]["close"].clone()
    });
    assert_eq!(closes, [Value::Decimal(8, 0), Value::Decimal(8, 0)]);
}

#[test]
fn the_share_is_judged_between_epochs_and_not_while_holes_fill() {
    let mut windows = Windows::open(bounded(0, Beyond::Halt)).unwrap();
    holes(&mut windows, CHUNK);
    let rows: Vec<Row> = (0..CHUNK).map(|index| trade(index, 2 * index + 1, 1)).collect();
    update(&mut windows, &rows);
    windows.bound_ids().unwrap();
    let candles = by_spec(&windows.advance(HOUR_US as i64), 1).remove(0);
    assert_eq!(candles[0]["missing"], Value::Int(0));
}

/// Hours with the ids of each, one row a minute; as (first id, last id, missing, complete) of their windows. In one
/// go, or with an epoch an hour.
fn told(hours: &[(i64, i64)], live: bool) -> Vec<(i64, i64, Value, Value)> {
    let mut windows = Windows::open(specs()).unwrap();
    let hour = HOUR_US as i64;
    let mut candles = Vec::new();
    for (index, &(first, last)) in hours.iter().enumerate() {
        let start = index as i64 * hour;
        let rows: Vec<Row> = (first..=last).map(|id| trade(start + id.rem_euclid(60), id, 1)).collect();
        assert_eq!(update(&mut windows, &rows).accepted, rows.len() as u64);
        if live {
            candles.extend(by_spec(&windows.advance(start + 61), 1).remove(0));
            let parts = windows.snapshot(0).parts;
            windows = Windows::restore(specs(), start + 61, &parts).unwrap();
        }
    }
    candles.extend(by_spec(&windows.advance(hours.len() as i64 * hour), 1).remove(0));
    let int = |value: &Value| if let Value::Int(value) = value { *value } else { panic!("{value:?}") };
    let of = |candle: &support::Candle| {
        let (missing, complete) = (candle["missing"].clone(), candle["complete"].clone());
        (int(&candle["first_id"]), int(&candle["last_id"]), missing, complete)
    };
    candles.iter().map(of).collect()
}

#[test]
fn ids_that_begin_anew_are_complete_again_wherever_epochs_end() {
    let hours = [(5000, 5499), (5500, 6000), (100, 199), (200, 299), (310, 399), (400, 499)];
    let (yes, no) = (Value::Bool(true), Value::Bool(false));
    let live = told(&hours, true);
    let said: Vec<_> = live.iter().map(|(.., missing, complete)| (missing.clone(), complete)).collect();
    let none = Value::Int(0);
    let expected =
        [(&none, &no), (&none, &yes), (&none, &no), (&none, &no), (&Value::Int(10), &no), (&none, &yes)];
    assert_eq!(
        said,
        expected.map(|(missing, complete)| (missing.clone(), complete)),
        "300 to 309 are missing"
    );
    assert_eq!(told(&hours, false), live);
}

#[test]
fn ids_that_begin_anew_below_zero_are_told_alike() {
    let hours = [(1, 50), (51, 900), (-4993, -4960), (-4959, -4920), (-4919, -4910), (-4909, -4000)];
    let live = told(&hours, true);
    assert_eq!(told(&hours, false), live);
    let complete: Vec<bool> = live.iter().map(|it| it.3 == Value::Bool(true)).collect();
    assert_eq!(complete, [false, true, false, true, true, true]);
}

/// Ids that are kept for a day after the last window of their key.
fn for_a_day() -> Vec<Spec> {
    with_ids(|ids| IdColumns { silence_us: 24 * HOUR_US, ..ids })
}

#[test]
fn a_key_that_was_silent_for_long_is_like_a_new_one() {
    let hour = HOUR_US as i64;
    for (silence, complete) in [(23, true), (24, false)] {
        let row = trade((silence + 1) * hour, 2, 1);
        for forgotten in [false, true] {
            let mut windows = Windows::open(for_a_day()).unwrap();
            update(&mut windows, &[trade(0, 1, 1)]);
            windows.advance(hour);
            // The row is in time as long as its window is open.
            if forgotten {
                windows.advance((silence + 2) * hour - 1);
            }
            update(&mut windows, std::slice::from_ref(&row));
            let candle = by_spec(&windows.advance((silence + 2) * hour), 1).remove(0).remove(0);
            assert_eq!(candle["complete"], Value::Bool(complete), "after {silence} h, {forgotten}");
            assert_eq!(candle["missing"], Value::Int(0));
        }
    }
}

#[test]
fn many_keys_that_came_once_are_forgotten() {
    let hour = HOUR_US as i64;
    let mut windows = Windows::open(for_a_day()).unwrap();
    for day in 0..40 {
        let mut rows: Vec<Row> = (0..10_000).map(|id| trade(24 * day * hour, id, 1)).collect();
        for (number, row) in rows.iter_mut().enumerate() {
            row.values[0] = Value::Text(format!("{day}-{number}"));
        }
        assert_eq!(update(&mut windows, &rows).accepted, 10_000);
        windows.advance((24 * day + 23) * hour);
    }
    let stats = windows.stats()[0];
    assert_eq!((stats.keys, stats.open_windows), (10_000, 0), "those of the last day");
    let before = windows.snapshot(0).version;
    windows.advance((24 * 41 + 1) * hour);
    assert_eq!(windows.stats()[0].keys, 0);
    assert_eq!(windows.snapshot(before).parts.len(), 16, "every part is given once more, empty");
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

#[test]
fn rows_of_ids_alone_are_in_no_candle_and_not_missing() {
    let hour = HOUR_US as i64;
    let aside = |time_us, id| Row { kind: "trade:ids".to_owned(), ..trade(time_us, id, 999) };
    let rows =
        [trade(0, 1, 10), aside(1, 3), trade(2, 2, 11), trade(hour, 5, 12), aside(5, 4), trade(hour, 7, 13)];
    for cut in 0..=rows.len() {
        let mut windows = Windows::open(specs()).unwrap();
        let before = update(&mut windows, &rows[..cut]);
        let parts = windows.snapshot(0).parts;
        let mut windows = Windows::restore(specs(), i64::MIN, &parts).unwrap();
        let after = update(&mut windows, &rows[cut..]);
        assert_eq!((before.taken + after.taken, before.accepted + after.accepted), (4, 4));
        let candles = by_spec(&windows.advance(2 * hour), 1).remove(0);
        let said = |candle: &support::Candle| {
            ["close", "trades", "last_id", "missing"].map(|column| candle[column].clone())
        };
        let first = [Value::Decimal(11, 0), Value::Int(2), Value::Int(2), Value::Int(0)];
        let second = [Value::Decimal(13, 0), Value::Int(2), Value::Int(7), Value::Int(1)];
        assert_eq!(
            candles.iter().map(said).collect::<Vec<_>>(),
            [first, second],
            "cut at {cut}: 6 is missing"
        );
        assert_eq!(candles[0]["complete"], Value::Bool(false), "the first of its key");
        let late = update(&mut windows, &[aside(3, 6), trade(3 * hour, 8, 1)]);
        assert_eq!((late.late, late.accepted), (0, 1));
        assert_eq!(windows.stats()[0].open_windows, 1);
        let candle = by_spec(&windows.advance(4 * hour), 1).remove(0).remove(0);
        assert_eq!((&candle["missing"], &candle["complete"]), (&Value::Int(0), &Value::Bool(true)));
    }
}

#[test]
fn two_halves_of_the_ids_are_one_day_wherever_epochs_end() {
    // The even ids come first; the odd ones follow, each twice, and some of the even ones come again.
    let even = (0..20_000).map(|index| 2 * index);
    let odd = (0..20_000).flat_map(|index| [2 * index + 1; 2]).filter(|&id| id < 39_999);
    let again = (0..20_000).step_by(7).map(|index| 2 * index);
    let ids: Vec<i64> = even.chain(odd).chain(again).collect();
    let rows: Vec<Row> = ids.iter().map(|&id| trade(id, id, id)).collect();
    let duplicates = rows.len() as u64 - 39_999;
    for seed in 0..12u64 {
        let mut windows = Windows::open(bounded(64 << 10, Beyond::Halt)).unwrap();
        let (mut at, mut random, mut counted) = (0, seed, (0, 0));
        while at < rows.len() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let until = if seed == 0 { rows.len() } else { at + 1 + (random >> 33) as usize % 9000 };
            let report = update(&mut windows, &rows[at..until.min(rows.len())]);
            counted = (counted.0 + report.accepted, counted.1 + report.duplicate);
            windows.advance(0);
            windows.bound_ids().unwrap();
            if random & 1 == 1 {
                let parts = windows.snapshot(0).parts;
                windows = Windows::restore(bounded(64 << 10, Beyond::Halt), 0, &parts).unwrap();
            }
            at = until;
        }
        assert_eq!(counted, (39_999, duplicates), "seed {seed}");
        let candle = by_spec(&windows.advance(HOUR_US as i64), 1).remove(0).remove(0);
        assert_eq!((&candle["trades"], &candle["missing"]), (&Value::Int(39_999), &Value::Int(0)));
    }
}
