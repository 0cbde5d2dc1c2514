//! Made-up trades in the shape of Binance's stream, about 125 bytes each.

use std::fmt::Write;

/// Symbols and the whole part of their prices.
const SYMBOLS: [(&str, u32); 8] = [
    ("BTCUSDT", 61_837),
    ("ETHUSDT", 2_683),
    ("SOLUSDT", 152),
    ("BNBUSDT", 571),
    ("DOGEUSDT", 1),
    ("LTCUSDT", 62),
    ("AVAXUSDT", 24),
    ("LINKUSDT", 11),
];
/// Event time of the first trade: a minute's beginning, ms since 1970-01-01 UTC.
const START_MS: u64 = 1_723_161_240_000;
const FIRST_ID: u64 = 3_735_683_259;

/// How a message looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// As the stream of one symbol sends it.
    Bare,
    /// As a combined stream sends it: in an envelope that names the stream.
    Enveloped,
    /// The same trade with its keys in another order, as another program may write it.
    Reordered,
    /// The same trade with its keys in an order of its own.
    Shuffled,
}

/// Trades with rising event times; each symbol's ids have no hole.
pub struct Trades {
    look: Look,
    count: u64,
    span_ms: u64,
    made: u64,
    next_ids: [u64; SYMBOLS.len()],
}

impl Trades {
    /// `count` trades spread over `span_ms` of event time.
    pub fn new(look: Look, count: u64, span_ms: u64) -> Self {
        Self { look, count, span_ms, made: 0, next_ids: [FIRST_ID; SYMBOLS.len()] }
    }

    /// Writes the next trade over `out` and gives its symbol; None after the last.
    pub fn next_into(&mut self, out: &mut String) -> Option<&'static str> {
        if self.made == self.count {
            return None;
        }
        // Knuth's multiplicative hash: digits that a branch predictor cannot learn.
        let noise = (self.made + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let index = (noise % SYMBOLS.len() as u64) as usize;
        let (symbol, base) = SYMBOLS[index];
        let time =
            START_MS + (u128::from(self.made) * u128::from(self.span_ms) / u128::from(self.count)) as u64;
        let (sent, id) = (time + 1, self.next_ids[index]);
        let price_places = noise % 10_000 * 10_000;
        let (quantity, quantity_places) = (noise % 3, noise % 100_000 * 1_000);
        let maker = noise.is_multiple_of(2);
        self.next_ids[index] += 1;
        self.made += 1;
        out.clear();
        if self.look == Look::Enveloped {
            let _ = write!(out, r#"{{"stream":"{}@trade","data":"#, symbol.to_lowercase());
        }
        let written = match self.look {
            Look::Bare | Look::Enveloped => write!(
                out,
                r#"{{"e":"trade","E":{sent},"s":"{symbol}","t":{id},"p":"{base}.{price_places:08}","q":"{quantity}.{quantity_places:08}","T":{time},"m":{maker}}}"#
            ),
            Look::Reordered => write!(
                out,
                r#"{{"s":"{symbol}","m":{maker},"T":{time},"q":"{quantity}.{quantity_places:08}","p":"{base}.{price_places:08}","t":{id},"E":{sent},"e":"trade"}}"#
            ),
            Look::Shuffled => {
                let mut members = [
                    r#""e":"trade""#.to_owned(),
                    format!(r#""E":{sent}"#),
                    format!(r#""s":"{symbol}""#),
                    format!(r#""t":{id}"#),
                    format!(r#""p":"{base}.{price_places:08}""#),
                    format!(r#""q":"{quantity}.{quantity_places:08}""#),
                    format!(r#""T":{time}"#),
                    format!(r#""m":{maker}"#),
                ];
                let mut left = noise;
                for last in (1..members.len()).rev() {
                    members.swap(last, (left % (last as u64 + 1)) as usize);
                    left /= last as u64 + 1;
                }
                write!(out, "{{{}}}", members.join(","))
            }
        };
        debug_assert!(written.is_ok(), "a string takes what is written");
        if self.look == Look::Enveloped {
            out.push('}');
        }
        Some(symbol)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn ids_have_no_hole_and_times_rise_over_the_span() {
        let (mut trades, mut text) = (Trades::new(Look::Bare, 10_000, 600_000), String::new());
        let (mut ids, mut times) = (BTreeMap::<String, Vec<u64>>::new(), Vec::new());
        let mut bytes = 0;
        while let Some(symbol) = trades.next_into(&mut text) {
            let trade: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(trade["s"], symbol);
            ids.entry(symbol.to_owned()).or_default().push(trade["t"].as_u64().unwrap());
            times.push(trade["T"].as_u64().unwrap());
            bytes += text.len();
        }
        assert_eq!(ids.len(), SYMBOLS.len());
        assert!(ids.values().all(|ids| ids.windows(2).all(|pair| pair[1] == pair[0] + 1)));
        assert!(times.is_sorted());
        assert_eq!((times[0], times[9_999]), (START_MS, START_MS + 599_940));
        assert!((120..=130).contains(&(bytes / 10_000)), "{}", bytes / 10_000);
    }

    #[test]
    fn every_look_tells_the_same_trade() {
        let read = |look| {
            let mut text = String::new();
            Trades::new(look, 1, 1).next_into(&mut text).unwrap();
            serde_json::from_str::<serde_json::Value>(&text).unwrap()
        };
        let bare = read(Look::Bare);
        assert_eq!(read(Look::Reordered), bare);
        assert_eq!(read(Look::Shuffled), bare);
        assert_eq!(read(Look::Enveloped)["data"], bare);
    }
}
