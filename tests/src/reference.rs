//! Trades to candles, once more and independently: `serde_json`, a `BTreeMap` and integers. It shares no
//! code with the functions, so that both making the same mistake is unlikely.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::lake::{self, Row};

/// Decimal places of Binance's prices and quantities.
const PLACES: u32 = 8;

/// A candle of trades.
#[derive(Clone, Debug, PartialEq)]
pub struct Candle {
    pub symbol: String,
    /// Microseconds since 1970-01-01 UTC.
    pub window_start_us: i64,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    pub volume: f64,
    /// Sum of price times quantity.
    pub quote_volume: f64,
    pub trades: i64,
    pub first_id: i64,
    pub last_id: i64,
    /// Ids between this window's and those before it that never came.
    pub missing: i64,
}

impl Candle {
    /// The candle as the lake's rows are read.
    pub fn row(&self) -> Row {
        let cells = [
            ("symbol", self.symbol.clone()),
            ("window_start", lake::time(self.window_start_us)),
            ("open", self.open.to_string()),
            ("high", self.high.to_string()),
            ("low", self.low.to_string()),
            ("close", self.close.to_string()),
            ("volume", self.volume.to_string()),
            ("quote_volume", self.quote_volume.to_string()),
            ("trades", self.trades.to_string()),
            ("first_id", self.first_id.to_string()),
            ("last_id", self.last_id.to_string()),
            ("missing", self.missing.to_string()),
        ];
        cells.map(|(column, cell)| (column.to_owned(), cell)).into()
    }
}

/// Candles of all trades among the messages (Binance's `trade`, bare or in the combined-stream envelope) by
/// symbol and window. Messages of other kinds are passed over; a trade that comes again counts once.
pub fn candles<'a>(messages: impl IntoIterator<Item = &'a str>, window_us: i64) -> Vec<Candle> {
    let mut windows: BTreeMap<(String, i64), BTreeMap<i64, Trade>> = BTreeMap::new();
    for message in messages {
        if let Some(trade) = Trade::read(message) {
            let start = trade.time_us.div_euclid(window_us) * window_us;
            windows.entry((trade.symbol.clone(), start)).or_default().entry(trade.id).or_insert(trade);
        }
    }
    let mut before: BTreeMap<String, i64> = BTreeMap::new();
    let mut candles = Vec::new();
    for ((symbol, start), trades) in windows {
        let candle = candle(&symbol, start, &trades, before.get(&symbol).copied());
        before.insert(symbol, candle.last_id);
        candles.push(candle);
    }
    candles
}

fn candle(
    symbol: &str,
    window_start_us: i64,
    trades: &BTreeMap<i64, Trade>,
    last_before: Option<i64>,
) -> Candle {
    let by_time = || trades.values().map(|trade| ((trade.time_us, trade.id), trade.price));
    let open = by_time().min().expect("a window holds a trade").1;
    let close = by_time().max().expect("a window holds a trade").1;
    let first_id = *trades.keys().next().expect("a window holds a trade");
    let last_id = *trades.keys().next_back().expect("a window holds a trade");
    let from = last_before.map_or(first_id, |last| last + 1);
    Candle {
        symbol: symbol.to_owned(),
        window_start_us,
        open: nearest(open, PLACES),
        high: nearest(
            trades.values().map(|trade| trade.price).max().expect("a window holds a trade"),
            PLACES,
        ),
        low: nearest(trades.values().map(|trade| trade.price).min().expect("a window holds a trade"), PLACES),
        close: nearest(close, PLACES),
        volume: nearest(trades.values().map(|trade| trade.quantity).sum(), PLACES),
        quote_volume: nearest(trades.values().map(|trade| trade.price * trade.quantity).sum(), 2 * PLACES),
        trades: trades.len() as i64,
        first_id,
        last_id,
        missing: last_id - from + 1 - trades.len() as i64,
    }
}

struct Trade {
    symbol: String,
    id: i64,
    time_us: i64,
    price: i128,
    quantity: i128,
}

impl Trade {
    fn read(message: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[allow(non_snake_case)]
        struct Fields {
            e: String,
            s: String,
            t: i64,
            T: i64,
            p: String,
            q: String,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Message {
            Combined { data: Fields },
            Bare(Fields),
        }
        let (Message::Combined { data: fields } | Message::Bare(fields)) =
            serde_json::from_str(message).ok()?;
        if fields.e != "trade" {
            return None;
        }
        // Milliseconds until 2025, microseconds since: 10^14 ms is the year 5138.
        let time_us = if fields.T < 100_000_000_000_000 { fields.T * 1000 } else { fields.T };
        Some(Self {
            symbol: fields.s,
            id: fields.t,
            time_us,
            price: mantissa(&fields.p),
            quantity: mantissa(&fields.q),
        })
    }
}

/// `"60123.12"` with 8 places.
pub(crate) fn mantissa(text: &str) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    assert!(fraction.len() <= PLACES as usize, "{text} has more than {PLACES} places");
    format!("{whole}{fraction:0<width$}", width = PLACES as usize).parse().expect("a decimal")
}

/// The double nearest to `mantissa / 10^places`: Rust reads decimals of any length exactly.
pub(crate) fn nearest(mantissa: i128, places: u32) -> f64 {
    format!("{mantissa}e-{places}").parse().expect("a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trade(id: i64, time_ms: i64, price: &str, quantity: &str) -> String {
        format!(
            r#"{{"e":"trade","E":{time_ms},"s":"AB","t":{id},"p":"{price}","q":"{quantity}","T":{time_ms}}}"#
        )
    }

    #[test]
    fn a_minute_by_hand() {
        let messages = [
            trade(2, 60_500, "12.5", "2"),
            trade(1, 60_500, "10", "1"),
            trade(5, 119_999, "11", "0.00000001"),
            trade(5, 119_999, "11", "0.00000001"),
            r#"{"e":"aggTrade","s":"AB"}"#.to_owned(),
            format!(r#"{{"stream":"ab@trade","data":{}}}"#, trade(8, 120_000, "7", "1")),
        ];
        let candles = candles(messages.iter().map(String::as_str), 60_000_000);
        let first = Candle {
            symbol: "AB".to_owned(),
            window_start_us: 60_000_000,
            open: 10.0,
            high: 12.5,
            low: 10.0,
            close: 11.0,
            volume: 3.00000001,
            quote_volume: 35.00000011,
            trades: 3,
            first_id: 1,
            last_id: 5,
            missing: 2,
        };
        assert_eq!(candles[0], first);
        assert_eq!((candles[1].window_start_us, candles[1].missing), (120_000_000, 2));
        assert_eq!(candles.len(), 2);
    }

    #[test]
    fn doubles_are_the_nearest() {
        assert_eq!(nearest(mantissa("0.1"), 8), 0.1);
        assert_eq!(nearest(6_012_312_000_000, 8), 60123.12);
    }
}
