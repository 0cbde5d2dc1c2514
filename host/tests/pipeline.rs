//! The whole pipeline in memory: what is promised of it, with the built functions in their sandbox.

mod common;

use common::{MINUTES, OPEN_US, Row, SECOND_US, World, pipeline, trade};

const MINUTE_US: i64 = 60 * SECOND_US;

/// Three minutes of a symbol, a trade a second, ids from 100 on.
fn three_minutes(symbol: &str) -> Vec<String> {
    (0..180)
        .map(|second| {
            let price = format!("{}.5", 100 + second % 7);
            trade(symbol, 100 + second, second * SECOND_US, &price, "2.0")
        })
        .collect()
}

fn by_start(rows: &[Row]) -> Vec<(i64, &Row)> {
    let start = |row: &Row| (row["window_start"].parse::<i64>().unwrap() - OPEN_US) / MINUTE_US;
    let mut rows: Vec<_> = rows.iter().map(|row| (start(row), row)).collect();
    rows.sort_by_key(|(start, _)| *start);
    rows
}

#[test]
fn trades_become_candles_once_the_watermark_has_passed_their_minute() {
    let world = World::new(1);
    three_minutes("BTCUSDT").into_iter().for_each(|message| world.append(0, message));
    let run = world.run(&pipeline("", MINUTES));
    run.outcome.unwrap();

    let rows = world.rows("speed/candles_1m");
    let rows = by_start(&rows);
    let starts: Vec<i64> = rows.iter().map(|(start, _)| *start).collect();
    assert_eq!(starts, [0, 1], "the third minute is still open: 177 s is as far as the watermark came");
    let first = rows[0].1;
    for (column, value) in [
        ("symbol", "BTCUSDT"),
        ("open", "100.5"),
        ("high", "106.5"),
        ("low", "100.5"),
        ("close", "103.5"),
        ("volume", "120"),
        ("trades", "60"),
        ("first_id", "100"),
        ("last_id", "159"),
        ("revision", "0"),
    ] {
        assert_eq!(first[column], value, "{column}");
    }
    assert_eq!(run.counts.records, 180);
    assert_eq!(run.counts.candles, 2);
}
