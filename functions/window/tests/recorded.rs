//! Minute candles of recorded trades against sums over the recording itself. The recordings are optional.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

use flate2::read::MultiGzDecoder;
use serde_json::Value as Json;
use support::{Candle, OHLCV, Row, Type, Value, by_spec, spec};
use window::Windows;
use window::spec::Shape;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/trades");
const MINUTE_US: i64 = 60_000_000;

struct Trade {
    symbol: String,
    time_us: i64,
    id: i64,
    price: i64,
    quantity: i64,
}

/// Trades of some recordings, one after the other; `None` if the recordings are absent.
fn trades(files: &[&str]) -> Option<Vec<Trade>> {
    let mut trades = Vec::new();
    for file in files {
        let Ok(file) = std::fs::File::open(format!("{FOLDER}/{file}")) else {
            println!("skipped: no recordings in {FOLDER}");
            return None;
        };
        for line in BufReader::new(MultiGzDecoder::new(file)).lines() {
            let line = line.unwrap();
            let Some((_, json)) = line.split_once(' ').filter(|(_, json)| json.contains("@trade\"")) else {
                continue;
            };
            let message: Json = serde_json::from_str(json).unwrap();
            let data = &message["data"];
            trades.push(Trade {
                symbol: data["s"].as_str().unwrap().to_owned(),
                time_us: data["T"].as_i64().unwrap() * 1000,
                id: data["t"].as_i64().unwrap(),
                price: eight_places(data["p"].as_str().unwrap()),
                quantity: eight_places(data["q"].as_str().unwrap()),
            });
        }
    }
    Some(trades)
}

fn eight_places(decimal: &str) -> i64 {
    let (_, places) = decimal.split_once('.').unwrap();
    assert_eq!(places.len(), 8);
    decimal.replace('.', "").parse().unwrap()
}

fn row(trade: &Trade, offset: usize) -> Row {
    Row {
        kind: "trade".to_owned(),
        topic: "trades".to_owned(),
        partition: i32::from(trade.symbol.starts_with('E')),
        offset: offset as i64,
        values: vec![
            Value::Text(trade.symbol.clone()),
            Value::Int(trade.time_us),
            Value::Int(trade.id),
            Value::Decimal(i128::from(trade.price), 8),
            Value::Decimal(i128::from(trade.quantity), 8),
        ],
    }
}

fn reference(trades: &[Trade]) -> Vec<Candle> {
    let mut minutes: BTreeMap<(i64, &str), Vec<&Trade>> = BTreeMap::new();
    for trade in trades {
        let start_us = trade.time_us - trade.time_us % MINUTE_US;
        minutes.entry((start_us, &trade.symbol)).or_default().push(trade);
    }
    let candle = |((start_us, symbol), mut trades): ((i64, &str), Vec<&Trade>)| {
        trades.sort_by_key(|trade| (trade.time_us, trade.id));
        let price = |value: i64| Value::Decimal(i128::from(value), 8);
        let quote = trades.iter().map(|trade| i128::from(trade.price) * i128::from(trade.quantity)).sum();
        let fields = [
            ("symbol", Value::Text(symbol.to_owned())),
            ("window_start", Value::Int(start_us)),
            ("window_end", Value::Int(start_us + MINUTE_US)),
            ("open", price(trades[0].price)),
            ("high", price(trades.iter().map(|trade| trade.price).max().unwrap())),
            ("low", price(trades.iter().map(|trade| trade.price).min().unwrap())),
            ("close", price(trades[trades.len() - 1].price)),
            ("volume", price(trades.iter().map(|trade| trade.quantity).sum())),
            ("quote_volume", Value::Decimal(quote, 16)),
            ("trades", Value::Int(trades.len() as i64)),
            ("first_id", Value::Int(trades.iter().map(|trade| trade.id).min().unwrap())),
            ("last_id", Value::Int(trades.iter().map(|trade| trade.id).max().unwrap())),
            ("revision", Value::Int(0)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    };
    minutes.into_iter().map(candle).collect()
}

#[test]
fn minute_candles_of_recorded_trades_agree_with_sums_over_the_recording() {
    let files = ["btcusdt_20240808.gz", "ethusdt_20240808.gz", "btcusdt_20240809.gz", "ethusdt_20240809.gz"];
    let Some(trades) = trades(&files) else { return };
    let schema = [
        ("symbol", Type::Text),
        ("time", Type::TimestampUs),
        ("id", Type::Int64),
        ("price", Type::Decimal(8)),
        ("quantity", Type::Decimal(8)),
    ];
    let schema = schema.map(|(name, kind)| (name.to_owned(), kind));
    let shape = Shape::Tumbling(MINUTE_US as u64);
    let mut windows = Windows::open(vec![spec("1m", shape, Some(("id", "id")), &OHLCV)]).unwrap();
    let rows: Vec<Row> = trades.iter().enumerate().map(|(offset, trade)| row(trade, offset)).collect();
    for chunk in rows.chunks(1000) {
        let report = windows.update(&support::rows(&schema, chunk)).unwrap().remove(0);
        assert_eq!(report.accepted, chunk.len() as u64);
    }
    let mut candles = by_spec(&windows.advance(i64::MAX), 1).remove(0);
    let mut seen = BTreeMap::new();
    for candle in &mut candles {
        assert_eq!(
            candle.remove("missing"),
            Some(Value::Int(0)),
            "trade ids are contiguous in the recording"
        );
        let first = seen.insert(format!("{:?}", candle["symbol"]), ()).is_none();
        assert_eq!(candle.remove("complete"), Some(Value::Bool(!first)), "{candle:?}");
    }
    assert!(candles.len() >= 20, "eleven minutes of two symbols");
    assert_eq!(candles, reference(&trades));
}
