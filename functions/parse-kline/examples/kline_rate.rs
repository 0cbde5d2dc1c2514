//! How many lines a second one core parses, natively: `cargo run --release -p parse-kline --example kline_rate`.
//!
//! Batches of 4,000 lines of 6 columns (58 bytes) and of 12, by the template and by the careful way; the best of
//! several rounds, since others use the machine too.

// A benchmark reads the clock: that is its purpose.
#![allow(clippy::disallowed_methods)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use parse_kline::{Batch, Options, Path, WantedColumn, parse_by};

const LINES: u64 = 4_000;
const ROUNDS: usize = 20;
const ROUND: Duration = Duration::from_millis(100);
const COLUMNS: [&str; 11] = [
    "symbol",
    "event_time",
    "id",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "quote_volume",
    "trades",
    "flagged",
];

fn main() {
    let settings = [("symbol", "BTCUSD"), ("interval", "1m")];
    for twelve in [false, true] {
        let (batch, first_line) = lines(twelve);
        let settings = settings.into_iter().chain([("first-line", first_line.as_str())]);
        let options = Options {
            kinds: Vec::new(),
            columns: COLUMNS.iter().map(|name| WantedColumn { name: name.to_string(), scale: 8 }).collect(),
            settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        };
        let bytes = batch.values.bytes.len() as u64 / LINES;
        for (name, path) in [("template", Path::Templates), ("careful way", Path::FullOnly)] {
            let rate = best_rate(&batch, &options, path);
            println!("lines of {bytes} bytes, {name:<11} {:6.2} M lines/s", rate / 1e6);
        }
    }
}

/// Lines a second in the best round.
fn best_rate(batch: &Batch, options: &Options, path: Path) -> f64 {
    let round = || {
        let start = Instant::now();
        let mut lines = 0;
        while start.elapsed() < ROUND {
            match parse_by(path, black_box(batch), options) {
                Ok(parsed) => lines += u64::from(black_box(parsed).rows.rows),
                Err(error) => panic!("{error}"),
            }
        }
        lines as f64 / start.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(|_| round()).fold(0.0, f64::max)
}

fn lines(twelve: bool) -> (Batch, String) {
    let mut batch = Batch::default();
    let mut first = String::new();
    for index in 0..LINES {
        // Knuth's multiplicative hash: digits that a branch predictor cannot learn.
        let noise = (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let time = 1_577_836_800_000 + index * 60_000;
        let (price, places) = (10_000 + noise % 50_000, noise % 100);
        let (high, low) = (price + 10 + noise / 3 % 9, price - 10 - noise / 7 % 9);
        let mut line = format!(
            "{time},{price}.{places:02},{high}.{places:02},{low}.{places:02},{price}.{places:02},{}.{:05}",
            noise % 10,
            noise / 11 % 100_000
        );
        if twelve {
            line += &format!(",{},{price}.12345,{},1.5,2.25,0", time + 59_999, noise % 5_000);
        }
        if index == 0 {
            first.clone_from(&line);
        }
        line.push('\n');
        batch.values.push(Some(line.as_bytes()));
    }
    (batch, first)
}
