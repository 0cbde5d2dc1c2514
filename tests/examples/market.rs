//! Serves an exchange's sockets and REST API on this machine, to try a feed without a network: two symbols for ten minutes
//! from now. The first connection is cut in the middle of a message, the second one loses trades.
//!
//! `cargo run --release -p tallow-tests --example market`

use std::time::Duration;

use tallow_env::{Clock, SystemClock};
use tallow_tests::market::{Fault, Market, Plan, Trade};

const PER_SECOND: i64 = 100;
const SECONDS: i64 = 600;

fn main() {
    let clock = SystemClock::new();
    let begin_ms = clock.now_us() / 1000;
    let trade = |number: i64| {
        let symbol = if number % 2 == 0 { "SYNBTC" } else { "SYNETH" };
        let (id, time) = (1_000_000 + number / 2, begin_ms + number * 1000 / PER_SECOND);
        let price = 60_000 + (number * 7) % 131 - (number / 50) % 67;
        let message = format!(
            r#"{{"e":"trade","E":{time},"s":"{symbol}","t":{id},"p":"{price}.50","q":"0.{:03}","T":{time},"m":true,"M":true}}"#,
            1 + number % 900
        );
        Trade { symbol: symbol.to_owned(), id, message }
    };
    let market = Market::open(Plan {
        trades: (0..PER_SECOND * SECONDS).map(trade).collect(),
        per_second: PER_SECOND as u64,
        faults: vec![
            vec![Fault::CutInMessage { after: 500 }],
            vec![Fault::Drop { after: 300, count: 20 }, Fault::Close { after: 900, code: 1012 }],
        ],
        refusals: vec![(429, 1)],
        ..Plan::default()
    });
    println!(
        "tallow produce --source feed --feed feed-binance --symbols SYNBTC,SYNETH --streams trade --internal \\"
    );
    println!("    --ws-url {} --rest-url {}", market.ws_url(), market.rest_url());
    loop {
        clock.sleep(Duration::from_secs(3600));
    }
}
