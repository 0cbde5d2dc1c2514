//! An exchange on this machine, to try `tallow backfill` without a network: Binance's and Coinbase's API over bars of
//! a kline CSV (gzip, with a header), or over made-up minutes of the last 90 days.
//!
//! cargo run --release -p tallow-tests --example exchange [-- SYMBOL SECONDS-PER-BAR FILE]

#![allow(clippy::unwrap_used)]
#![allow(clippy::expect_used, reason = "wrong arguments end it, and are told")]

use std::path::Path;
use std::time::Duration;

use tallow_env::{Clock, SystemClock};
use tallow_tests::bars;
use tallow_tests::exchange::Exchange;

const MINUTE_MS: i64 = 60_000;
const DAYS: i64 = 90;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let exchange = Exchange::default();
    let clock = SystemClock::new();
    match &arguments[..] {
        [symbol, seconds, file] => {
            let interval_ms = seconds.parse::<i64>().expect("seconds per bar") * 1000;
            exchange.list(symbol, interval_ms, bars::read(Path::new(file)).expect("a kline CSV"));
        }
        _ => {
            let minutes = DAYS * 1440;
            let from_ms = (clock.now_us() / 1000 / MINUTE_MS - minutes) * MINUTE_MS;
            exchange.list("SYNBTC", MINUTE_MS, bars::synthetic(1, from_ms, MINUTE_MS, minutes));
        }
    }
    let server = exchange.serve();
    println!("{}", server.url());
    loop {
        clock.sleep(Duration::from_secs(3600));
    }
}
