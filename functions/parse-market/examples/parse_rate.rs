//! How many records a second one core parses, natively: `cargo run --release -p parse-market --example parse_rate`.
//!
//! Batches of 2,000 trades of five symbols, bare (about 125 bytes) and in the combined-stream envelope, by the
//! templates and by the full parser; the best of several rounds, since others use the machine too.

// A benchmark reads the clock: that is its purpose.
#![allow(clippy::disallowed_methods)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use parse_market::{Batch, Options, Path, WantedColumn, parse_by};

const RECORDS: u64 = 2_000;
const ROUNDS: usize = 20;
const ROUND: Duration = Duration::from_millis(100);
const COLUMNS: [&str; 7] = ["symbol", "event_time", "id", "last_id", "price", "quantity", "trades"];

fn main() {
    let options = Options {
        kinds: vec!["trade".to_owned()],
        columns: COLUMNS.iter().map(|name| WantedColumn { name: name.to_string(), scale: 8 }).collect(),
        settings: Vec::new(),
    };
    for (shape, enveloped) in [("bare", false), ("enveloped", true)] {
        let batch = trades(enveloped);
        let bytes = batch.values.bytes.len() as u64 / RECORDS;
        for (name, path) in [("templates", Path::Templates), ("full parser", Path::FullOnly)] {
            let rate = best_rate(&batch, &options, path);
            println!("{shape:>9} trades of {bytes} bytes, {name:<11} {:6.2} M records/s", rate / 1e6);
        }
    }
}

/// Records a second in the best round.
fn best_rate(batch: &Batch, options: &Options, path: Path) -> f64 {
    let round = || {
        let start = Instant::now();
        let mut records = 0;
        while start.elapsed() < ROUND {
            match parse_by(path, black_box(batch), options) {
                Ok(parsed) => records += u64::from(black_box(parsed).rows.rows),
                Err(error) => panic!("{error}"),
            }
        }
        records as f64 / start.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(|_| round()).fold(0.0, f64::max)
}

fn trades(enveloped: bool) -> Batch {
    let symbols =
        [("BTCUSDT", 61_837), ("ETHUSDT", 2_683), ("SOLUSDT", 152), ("BNBUSDT", 571), ("DOGEUSDT", 1)];
    let mut batch = Batch::default();
    for index in 0..RECORDS {
        // Knuth's multiplicative hash: digits that a branch predictor cannot learn.
        let noise = (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let (symbol, base) = symbols[(noise % 5) as usize];
        let time = 1_723_161_255_000 + index * 3;
        let trade = format!(
            r#"{{"e":"trade","E":{},"s":"{symbol}","t":{},"p":"{base}.{:08}","q":"{}.{:08}","T":{time},"m":{}}}"#,
            time + 1,
            3_735_683_259u64 + index,
            noise % 10_000 * 10_000,
            noise % 3,
            noise % 100_000 * 1_000,
            noise % 2 == 0,
        );
        let message = match enveloped {
            true => format!(r#"{{"stream":"{}@trade","data":{trade}}}"#, symbol.to_lowercase()),
            false => trade,
        };
        batch.values.push(Some(message.as_bytes()));
    }
    batch
}
