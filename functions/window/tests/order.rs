//! Nothing depends on the order in which rows came between two watermarks, nor on how they were cut into
//! calls; and a snapshot carries all there is.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use proptest::prelude::*;
use support::{OHLCV, Row, Type, Value, by_spec, spec};
use tallow_contract::Refusal;
use tallow_contract::window::{OutputPiece, Part, Portion};
use window::spec::{Operation, Shape, Sliding, Spec};
use window::table::Rows;
use window::{Output, Windows};

/// How rows are told apart.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ids {
    None,
    One,
    Range,
}

fn any_ids() -> impl Strategy<Value = Ids> {
    prop_oneof![Just(Ids::None), Just(Ids::One), Just(Ids::Range)]
}

fn specs(ids: Ids) -> Vec<Spec> {
    let mut aggregates = OHLCV.to_vec();
    aggregates.extend([
        ("vwap", Operation::Vwap, "price", "quantity"),
        ("mean", Operation::Mean, "price", ""),
        ("rate", Operation::Last, "rate", ""),
        ("lowest_rate", Operation::Min, "rate", ""),
        ("rates", Operation::Count, "rate", ""),
    ]);
    let shapes =
        [Shape::Tumbling(7), Shape::Sliding(Sliding { size_us: 10, slide_us: 4 }), Shape::Session(3)];
    let columns = match ids {
        Ids::None => None,
        Ids::One => Some(("id", "id")),
        Ids::Range => Some(("id", "last")),
    };
    let named = shapes.iter().enumerate();
    named.map(|(index, &shape)| spec(&index.to_string(), shape, columns, &aggregates)).collect()
}

fn schema() -> Vec<(String, Type)> {
    let columns = [
        ("symbol", Type::Text),
        ("time", Type::TimestampUs),
        ("id", Type::Int64),
        ("last", Type::Int64),
        ("price", Type::Decimal(2)),
        ("quantity", Type::Decimal(3)),
        ("rate", Type::Float64),
    ];
    columns.map(|(name, kind)| (name.to_owned(), kind)).to_vec()
}

/// A row whose content follows from its id, so that a repeated id is a duplicate and never a conflict.
fn row(id: i64, offset: i64) -> Row {
    let spread = |step: i64, modulus: i64| (id * step).rem_euclid(modulus);
    let mut price = i128::from(spread(7919, 1000) - 500);
    if id % 11 == 0 {
        price *= 1 << 100;
    }
    Row {
        kind: if id % 13 == 0 { "ticker" } else { "trade" }.to_owned(),
        topic: ["a", "b"][offset as usize % 2].to_owned(),
        partition: (offset % 3) as i32,
        offset,
        values: vec![
            Value::Text(["X", "Y", "Z"][spread(5, 3) as usize].to_owned()),
            if id % 17 == 0 { Value::Null } else { Value::Int(id / 3 + spread(31, 9)) },
            Value::Int(2 * id),
            Value::Int(2 * id + spread(3, 2)),
            if id % 5 == 0 { Value::Null } else { Value::Decimal(price, 2) },
            Value::Decimal(i128::from(spread(101, 50)), 3),
            if id % 7 == 0 { Value::Float(f64::NAN) } else { Value::Float((spread(17, 9) - 4) as f64 * 0.5) },
        ],
    }
}

/// All pieces of an answer.
fn all(mut piece: impl FnMut() -> Result<OutputPiece, Refusal>) -> Vec<Output> {
    let mut outputs = Vec::new();
    loop {
        let given = piece().unwrap();
        outputs.extend(given.outputs);
        if !given.more {
            return outputs;
        }
    }
}

/// A snapshot's parts, of pieces of a few bytes.
fn saved(windows: &mut Windows, bytes: u64) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    loop {
        let piece = windows.snapshot_by(0, bytes).unwrap();
        for part in piece.parts {
            match parts.last_mut().filter(|last| (last.spec, last.group) == (part.spec, part.group)) {
                Some(last) => last.bytes.extend(part.bytes),
                None => parts.push(part),
            }
        }
        if !piece.more {
            return parts;
        }
    }
}

fn update(windows: &mut Windows, rows: &[Row]) {
    windows.update(&support::rows(&schema(), rows)).unwrap();
}

/// Rows of some epochs with the watermark at the end of each.
fn epochs() -> impl Strategy<Value = Vec<(Vec<Row>, i64)>> {
    prop::collection::vec((prop::collection::vec(0i64..120, 0..60), 0i64..12), 1..4).prop_map(|raw| {
        let mut offset = 0;
        let mut watermark = -10;
        raw.into_iter()
            .map(|(numbers, on)| {
                watermark += on;
                let rows = numbers.into_iter().map(|number| {
                    offset += 1;
                    row(number, offset)
                });
                (rows.collect(), watermark)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_order_and_any_cut_give_the_same_bytes(
        ids in any_ids(), epochs in epochs(),
        seed: u64,
        most in 1usize..20,
    ) {
        let mut straight = Windows::open(specs(ids)).unwrap();
        let mut shuffled = Windows::open(specs(ids)).unwrap();
        let mut random = seed;
        for (rows, watermark) in epochs {
            update(&mut straight, &rows);
            let mut rows = rows;
            for index in (1..rows.len()).rev() {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                rows.swap(index, (random >> 33) as usize % (index + 1));
            }
            rows.chunks(most).for_each(|chunk| update(&mut shuffled, chunk));
            prop_assert_eq!(straight.snapshot(0).parts, shuffled.snapshot(0).parts, "before the watermark");
            prop_assert_eq!(straight.close_all(), shuffled.close_all());
            prop_assert_eq!(straight.advance(watermark), shuffled.advance(watermark));
            prop_assert_eq!(straight.snapshot(0).parts, shuffled.snapshot(0).parts, "after the watermark");
            prop_assert_eq!(straight.changed(), shuffled.changed());
        }
    }

    #[test]
    fn pieces_put_together_are_the_whole(
        ids in any_ids(), epochs in epochs(), windows in 1u32..5, bytes in 1u64..2000,
    ) {
        let portion = Portion { windows, bytes };
        let mut whole = Windows::open(specs(ids)).unwrap();
        let mut pieces = Windows::open(specs(ids)).unwrap();
        let same = |whole: Vec<Output>, pieces: Vec<Output>| {
            let most = pieces.iter().map(|output| output.table.rows).max();
            (by_spec(&whole, 3) == by_spec(&pieces, 3)).then_some(most.unwrap_or(0))
        };
        for (rows, watermark) in epochs {
            update(&mut whole, &rows);
            update(&mut pieces, &rows);
            let given = all(|| pieces.changed_by(portion));
            prop_assert!(same(whole.changed(), given).is_some_and(|most| most <= windows), "changed");
            let given = all(|| pieces.close_all_by(portion));
            prop_assert!(same(whole.close_all(), given).is_some_and(|most| most <= windows), "close-all");
            let given = all(|| pieces.advance_by(watermark, portion));
            prop_assert!(same(whole.advance(watermark), given).is_some_and(|most| most <= windows), "advance");
            prop_assert_eq!(saved(&mut pieces, bytes), whole.snapshot(0).parts);
        }
        let given = all(|| pieces.advance_by(i64::MAX, portion));
        prop_assert!(same(whole.advance(i64::MAX), given).is_some());
        prop_assert_eq!(pieces.stats(), whole.stats());
    }

    #[test]
    fn parts_that_changed_make_up_the_whole(
        ids in any_ids(), epochs in epochs(),
    ) {
        let mut windows = Windows::open(specs(ids)).unwrap();
        let mut kept = std::collections::BTreeMap::new();
        let mut since = 0;
        let mut last = i64::MIN;
        for (rows, watermark) in epochs {
            update(&mut windows, &rows);
            windows.advance(watermark);
            last = watermark;
            let snapshot = windows.snapshot(since);
            since = snapshot.version;
            for part in snapshot.parts {
                kept.insert((part.spec, part.group), part);
            }
            prop_assert!(windows.snapshot(since).parts.is_empty(), "nothing changed since");
        }
        let kept: Vec<_> = kept.into_values().collect();
        let mut restored = Windows::restore(specs(ids), last, &kept).unwrap();
        prop_assert_eq!(restored.snapshot(0).parts, windows.snapshot(0).parts);
        prop_assert!(restored.snapshot(1).parts.is_empty(), "version 1 is what was restored");
        let ends: Vec<Output> = restored.advance(i64::MAX);
        prop_assert_eq!(ends, windows.advance(i64::MAX));
    }

    #[test]
    fn damaged_state_is_refused_or_read_but_never_panics(
        rows in prop::collection::vec(0i64..60, 1..40), ids in any_ids(),
        at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>(),
    ) {
        let mut windows = Windows::open(specs(ids)).unwrap();
        let rows: Vec<Row> = rows.into_iter().enumerate().map(|(at, id)| row(id, at as i64)).collect();
        update(&mut windows, &rows);
        for mut part in windows.snapshot(0).parts {
            let whole = part.bytes.clone();
            part.bytes.truncate(cut.index(whole.len()));
            prop_assert!(Windows::restore(specs(ids), 0, std::slice::from_ref(&part)).is_err(), "it was cut");
            part.bytes = whole;
            let at = at.index(part.bytes.len());
            part.bytes[at] = byte;
            if let Ok(mut restored) = Windows::restore(specs(ids), 0, std::slice::from_ref(&part)) {
                let _ = restored.update(&support::rows(&schema(), &rows));
                restored.changed();
                restored.close_all();
                restored.advance(5);
                restored.stats();
                restored.snapshot(0);
                restored.advance(i64::MAX);
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes: Vec<u8>, group in 0u32..20, spec in 0u32..4) {
        let part = Part { spec, group, bytes };
        prop_assert!(Windows::restore(specs(Ids::Range), 0, &[part]).is_err());
    }
}

#[test]
fn between_two_pieces_nothing_else_is_done() {
    let mut windows = Windows::open(specs(Ids::Range)).unwrap();
    let rows: Vec<Row> = (1..60).map(|id| row(id, id)).collect();
    update(&mut windows, &rows);
    let one = Portion { windows: 1, bytes: 1 };
    let ends = windows.snapshot(0).parts;
    assert!(windows.advance_by(10, one).unwrap().more);
    let error = "make that one again until there is no more";
    for refused in [
        windows.update(&support::rows(&schema(), &rows)).map(drop),
        windows.advance_by(11, one).map(drop),
        windows.close_all_by(one).map(drop),
        windows.changed_by(one).map(drop),
        windows.snapshot_by(0, 1).map(drop),
        windows.load(&ends),
    ] {
        assert!(refused.unwrap_err().to_string().contains(error));
    }
    while windows.advance_by(10, one).unwrap().more {}
    assert!(windows.snapshot_by(0, 1).unwrap().more);
    assert!(windows.advance_by(11, one).unwrap_err().to_string().contains(error));
    while windows.snapshot_by(0, 1).unwrap().more {}
    windows.advance_by(11, one).unwrap();
}

#[test]
fn an_update_without_rows_changes_nothing() {
    let mut windows = Windows::open(specs(Ids::Range)).unwrap();
    let reports = windows.update(&Rows::default()).unwrap();
    assert_eq!(reports, vec![window::Report::default(); 3]);
    assert!(windows.snapshot(0).parts.is_empty());
}
