//! Bars of an exchange, recorded or made up, and what windows over them must be: worked out without the functions.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use tallow_env::{Random, SeededRandom};

use crate::lake::{self, Row};
use crate::reference::{mantissa, nearest};
use crate::skip;

/// Places of the reference's decimals.
const PLACES: u32 = 8;

/// A bar, its numbers as they were written.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    pub open_ms: i64,
    pub open: String,
    pub high: String,
    pub low: String,
    pub close: String,
    pub volume: String,
    pub quote_volume: String,
    pub trades: i64,
}

impl Bar {
    /// As Binance's REST API writes it.
    pub fn as_kline(&self, interval_ms: i64) -> Value {
        json!([
            self.open_ms,
            self.open,
            self.high,
            self.low,
            self.close,
            self.volume,
            self.open_ms + interval_ms - 1,
            self.quote_volume,
            self.trades,
            "0",
            "0",
            "0"
        ])
    }

    /// As Coinbase writes it.
    pub fn as_candle(&self) -> String {
        let Bar { open_ms, low, high, open, close, volume, .. } = self;
        format!("[{},{low},{high},{open},{close},{volume}]", open_ms / 1000)
    }

    /// As Binance's WebSocket sends it once it is final.
    pub fn as_message(&self, symbol: &str, interval: &str, interval_ms: i64) -> String {
        let close_ms = self.open_ms + interval_ms - 1;
        let kline = json!({
            "t": self.open_ms, "T": close_ms, "s": symbol, "i": interval,
            "o": self.open, "c": self.close, "h": self.high, "l": self.low, "v": self.volume,
            "n": self.trades, "q": self.quote_volume, "V": "0", "Q": "0", "x": true,
        });
        json!({ "e": "kline", "E": close_ms, "s": symbol, "k": kline }).to_string()
    }

    /// Whether nothing was traded.
    pub fn is_idle(&self) -> bool {
        mantissa(&self.volume) == 0
    }
}

/// Made-up bars, the same for the same seed: a random walk.
pub fn synthetic(seed: u64, from_ms: i64, interval_ms: i64, count: i64) -> Vec<Bar> {
    let random = SeededRandom::new(seed);
    let mut price = 1_000_000i64;
    let cents = |price: i64| format!("{}.{:02}", price / 100, price % 100);
    let bar = |index: i64| {
        let open = price;
        let step = || random.below(2001) as i64 - 1000;
        let (first, second) = (open + step(), open + step());
        price = (open + step()).max(10_000);
        let prices = [open, first, second, price].map(|it| it.max(10_000));
        let volume = random.below(100_000_000);
        Bar {
            open_ms: from_ms + index * interval_ms,
            open: cents(open),
            high: cents(prices.into_iter().max().unwrap_or(open)),
            low: cents(prices.into_iter().min().unwrap_or(open)),
            close: cents(price),
            volume: format!("{}.{:05}", volume / 100_000, volume % 100_000),
            quote_volume: format!("{}.{:04}", random.below(9_000_000), random.below(10_000)),
            trades: random.below(5_000) as i64 + 1,
        }
    };
    (0..count).map(bar).collect()
}

/// A recorded file of bars with 12 columns or 6; None after saying so where it is not there.
pub fn recorded(test: &str, file: &str) -> Option<Vec<Bar>> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")).join(file);
    let bars = read(&path);
    if bars.is_none() {
        skip(test, &format!("no recording {}", path.display()));
    }
    bars
}

/// A gzip file of bars with a header; `None` if it is not there.
pub fn read(path: &Path) -> Option<Vec<Bar>> {
    let lines = BufReader::new(MultiGzDecoder::new(File::open(path).ok()?)).lines().skip(1);
    Some(lines.map(|line| bar(&line.expect("the file is UTF-8"))).collect())
}

fn bar(line: &str) -> Bar {
    let fields: Vec<&str> = line.split(',').collect();
    let text = |index: usize, other: &str| fields.get(index).map_or(other, |it| it).to_owned();
    Bar {
        open_ms: fields[0].parse().expect("an open time in ms"),
        open: text(1, ""),
        high: text(2, ""),
        low: text(3, ""),
        close: text(4, ""),
        volume: text(5, ""),
        // Files of six columns have neither.
        quote_volume: text(7, "0"),
        trades: text(8, "0").parse().expect("a count"),
    }
}

/// The windows of so many ms over bars, as the lake's rows must be; of the columns of a kline.
pub fn windows(symbol: &str, bars: &[Bar], window_ms: i64) -> Vec<Row> {
    let mut windows: BTreeMap<i64, Vec<&Bar>> = BTreeMap::new();
    for bar in bars {
        windows.entry(bar.open_ms.div_euclid(window_ms) * window_ms).or_default().push(bar);
    }
    windows.into_iter().map(|(start, bars)| row(symbol, start, &bars)).collect()
}

fn row(symbol: &str, start_ms: i64, bars: &[&Bar]) -> Row {
    let number = |mantissa: i128| nearest(mantissa, PLACES).to_string();
    let sum = |of: fn(&Bar) -> &str| number(bars.iter().map(|bar| mantissa(of(bar))).sum());
    let first = bars.iter().min_by_key(|bar| bar.open_ms).expect("a window holds a bar");
    let last = bars.iter().max_by_key(|bar| bar.open_ms).expect("a window holds a bar");
    let high = bars.iter().map(|bar| mantissa(&bar.high)).max().expect("a window holds a bar");
    let low = bars.iter().map(|bar| mantissa(&bar.low)).min().expect("a window holds a bar");
    let cells = [
        ("symbol", symbol.to_owned()),
        ("window_start", lake::time(start_ms * 1000)),
        ("open", number(mantissa(&first.open))),
        ("high", number(high)),
        ("low", number(low)),
        ("close", number(mantissa(&last.close))),
        ("volume", sum(|bar| &bar.volume)),
        ("quote_volume", sum(|bar| &bar.quote_volume)),
        ("trades", bars.iter().map(|bar| bar.trades).sum::<i64>().to_string()),
    ];
    cells.map(|(column, cell)| (column.to_owned(), cell)).into()
}
