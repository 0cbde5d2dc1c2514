//! The newest trades of a market that was sent before, so that the next run follows them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a topic holds of a market.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newest {
    /// Event time of the newest trade, µs since 1970-01-01 UTC.
    pub event_us: Option<i64>,
    /// The trade with the highest id, by symbol.
    pub symbols: BTreeMap<String, Last>,
}

/// A symbol's newest trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Last {
    pub id: i64,
    pub price_e8: i64,
}

#[derive(Deserialize)]
struct Sent<'a> {
    e: &'a str,
    s: &'a str,
    t: i64,
    p: &'a str,
    #[serde(rename = "T")]
    traded_ms: i64,
}

impl Newest {
    /// Takes note of a message. Others than whole trades say nothing.
    pub fn see(&mut self, value: &[u8]) {
        let Ok(Sent { e: "trade", s, t, p, traded_ms }) = serde_json::from_slice(value) else { return };
        let Some(price_e8) = e8(p) else { return };
        self.event_us = self.event_us.max(traded_ms.checked_mul(1000));
        match self.symbols.get_mut(s) {
            Some(last) if last.id < t => *last = Last { id: t, price_e8 },
            Some(_) => {}
            None => drop(self.symbols.insert(s.to_owned(), Last { id: t, price_e8 })),
        }
    }
}

/// A decimal of at most eight places, in 10^-8.
fn e8(text: &str) -> Option<i64> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || places.len() > 8 || !is_number(whole) || !is_number(places) {
        return None;
    }
    format!("{whole}{places:0<8}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(values: &[&str]) -> Newest {
        let mut newest = Newest::default();
        values.iter().for_each(|value| newest.see(value.as_bytes()));
        newest
    }

    #[test]
    fn the_highest_id_of_each_symbol_counts_in_any_order() {
        let newest = seen(&[
            r#"{"e":"trade","E":9,"s":"A","t":7,"p":"1.25","q":"1","T":9,"m":true}"#,
            r#"{"e":"trade","E":8,"s":"A","t":5,"p":"9","q":"1","T":11,"m":true}"#,
            r#"{"e":"trade","E":8,"s":"B","t":1,"p":"61837.63000000","q":"1","T":8,"m":true}"#,
        ]);
        let symbols = [("A", 7, 125_000_000), ("B", 1, 6_183_763_000_000)];
        let symbols = symbols.map(|(name, id, price_e8)| (name.to_owned(), Last { id, price_e8 }));
        assert_eq!(newest, Newest { event_us: Some(11_000), symbols: symbols.into() });
    }

    #[test]
    fn damaged_and_other_messages_say_nothing() {
        let values = [
            "",
            "{",
            r#"{"e":"trade","E":9,"s":"A","t":7,"p":"about 1.25","q":"1","T":9,"m":true}"#,
            r#"{"e":"trade","E":9,"s":"A","t":7,"p":"1.123456789","q":"1","T":9,"m":true}"#,
            r#"{"e":"aggTrade","E":9,"s":"A","t":7,"p":"1.25","q":"1","T":9,"m":true}"#,
            r#"[1,2]"#,
        ];
        assert_eq!(seen(&values), Newest::default());
    }
}
