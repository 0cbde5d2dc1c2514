//! How many rows a second one core takes: `cargo run --release -p window --example window_rate`.
//!
//! Trades of eight symbols with ids, 4,096 rows a call, as the parse function gives them; candles of a
//! minute, and of a minute and a day together.

use window::Windows;
use window::spec::{Aggregate, IdColumns, Operation, Shape, Spec};
use window::table::{Column, ColumnData, Decimals, Rows, Run, Table, Text};

const CALLS: usize = 1000;
const ROWS: usize = 4096;
const SYMBOLS: usize = 8;
const MINUTE_US: u64 = 60_000_000;

fn main() -> Result<(), String> {
    let calls = trades();
    for (name, sizes) in [("1m", &[1][..]), ("1m + 1d", &[1, 1440]), ("1m + 1d + 1s", &[1, 1440, 0])] {
        let mut best = vec![f64::MAX; CALLS];
        for _ in 0..5 {
            run(&calls, sizes, &mut best)?;
        }
        let (best, rows) = (best.iter().sum::<f64>(), (CALLS * ROWS) as f64);
        println!("{name}: {:.1} M rows/s, {:.1} ns a row", rows / best / 1e6, best / rows * 1e9);
    }
    Ok(())
}

/// Times every call, and keeps the best time of each: other programs then disturb little.
#[allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn run(calls: &[Rows], minutes: &[u64], best: &mut [f64]) -> Result<(), String> {
    let specs = minutes.iter().map(|&minutes| ohlcv((minutes * MINUTE_US).max(1_000_000))).collect();
    let mut windows = Windows::open(specs)?;
    let mut accepted = 0;
    for (rows, best) in calls.iter().zip(best) {
        // The rows were just written when a function is called.
        let rows = rows.clone();
        let start = std::time::Instant::now();
        let reports = windows.update(&rows)?;
        accepted += reports[0].accepted;
        if let ColumnData::TimestampUs(times) = &rows.table.columns[1].data {
            windows.advance(times[ROWS - 1] - 10_000_000);
        }
        *best = best.min(start.elapsed().as_secs_f64());
    }
    assert_eq!(accepted as usize, CALLS * ROWS);
    Ok(())
}

fn ohlcv(size_us: u64) -> Spec {
    let aggregate = |name: &str, operation, column: &str, by: &str| Aggregate {
        name: name.to_owned(),
        operation,
        column: (!column.is_empty()).then(|| column.to_owned()),
        by: (!by.is_empty()).then(|| by.to_owned()),
    };
    Spec {
        name: format!("{size_us}"),
        kinds: vec!["trade".to_owned()],
        keys: vec!["symbol".to_owned()],
        time: "event_time".to_owned(),
        ids: Some(IdColumns::unbounded("id", "id")),
        shape: Shape::Tumbling(size_us),
        offset_us: 0,
        aggregates: vec![
            aggregate("open", Operation::First, "price", ""),
            aggregate("high", Operation::Max, "price", ""),
            aggregate("low", Operation::Min, "price", ""),
            aggregate("close", Operation::Last, "price", ""),
            aggregate("volume", Operation::Sum, "quantity", ""),
            aggregate("quote_volume", Operation::SumProduct, "price", "quantity"),
            aggregate("trades", Operation::Count, "", ""),
        ],
    }
}

/// Calls of trades, 2,000 a second of event time, in order of time, from one partition.
fn trades() -> Vec<Rows> {
    let mut seed = 7u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };
    let mut next_id = [1_000_000i64; SYMBOLS];
    let mut time_us = 1_723_161_240_000_000i64;
    let mut calls = Vec::with_capacity(CALLS);
    for call in 0..CALLS {
        let mut symbols = Text::default();
        for symbol in 0..SYMBOLS {
            symbols.push_entry(format!("COIN{symbol}USDT").as_bytes());
        }
        let (mut times, mut ids, mut prices, mut quantities) = (vec![], vec![], vec![], vec![]);
        for _ in 0..ROWS {
            let symbol = (random() % SYMBOLS as u64) as usize;
            time_us += 500;
            times.push(time_us / 1000 * 1000);
            symbols.codes.push(symbol as u32);
            ids.push(next_id[symbol]);
            next_id[symbol] += 1;
            prices.push(6_000_000_000_000 + (random() % 10_000_000_000) as i64);
            quantities.push((random() % 500_000_000) as i64);
        }
        let decimal = |values| ColumnData::Decimal(Decimals { scale: 8, values, high: None });
        let column = |name: &str, data| Column { name: name.to_owned(), data, validity: None };
        let mut kinds = Text { codes: vec![0; ROWS], ..Text::default() };
        kinds.push_entry(b"trade");
        let offset = (call * ROWS) as i64;
        calls.push(Rows {
            table: Table {
                rows: ROWS as u32,
                columns: vec![
                    column("symbol", ColumnData::Text(symbols)),
                    column("event_time", ColumnData::TimestampUs(times)),
                    column("id", ColumnData::Int64(ids)),
                    column("price", decimal(prices)),
                    column("quantity", decimal(quantities)),
                ],
            },
            kinds,
            records: (0..ROWS as u32).collect(),
            topics: vec!["trades".to_owned()],
            runs: vec![Run { topic: 0, partition: 0, records: ROWS as u32 }],
            offsets: (offset..offset + ROWS as i64).collect(),
        });
    }
    calls
}
