//! Candles as one JSON document, as exporters of Coinbase's history write them: `{"ohlc": [{"endTime": …, "closePrice":
//! …}, …]}`, times in milliseconds at the ends of the candles.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::input::Input;
use crate::series::{Candle as Prices, Point};

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    name: String,
    ohlc: Vec<Candle>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candle {
    end_time: i64,
    open_price: Option<f64>,
    high_price: Option<f64>,
    low_price: Option<f64>,
    close_price: f64,
}

impl Candle {
    fn prices(&self) -> Option<Prices> {
        Some(Prices { open: self.open_price?, high: self.high_price?, low: self.low_price? })
    }
}

/// Whether a file may be such a document: it begins with a bracket of JSON and not with a line of a table.
pub fn is_one(first_line: &str) -> bool {
    let text = first_line.trim();
    text == "{" || text == "[" || (text.starts_with('{') && text.contains("\"ohlc\""))
}

/// The closes, each at the start of its candle. `symbol`: in place of the document's own name.
///
/// # Errors
/// What is wrong with the document, and what to do.
pub fn read(text: &str, symbol: Option<&str>) -> Result<Input, NotCandles> {
    let document: Document = serde_json::from_str(text).map_err(NotCandles::Unreadable)?;
    let ends: Vec<i64> = document.ohlc.iter().map(|candle| candle.end_time).collect();
    let length_ms = commonest_distance(&ends).ok_or(NotCandles::TooFew)?;
    let symbol = symbol.unwrap_or(&document.name);
    if symbol.is_empty() {
        return Err(NotCandles::NoSymbol);
    }
    let point = |candle: &Candle| Point {
        time_us: (candle.end_time - length_ms).saturating_mul(1_000),
        value: Some(candle.close_price),
        candle: candle.prices(),
    };
    let points = document.ohlc.iter().map(point).collect();
    let remarks = vec![format!(
        "its candles are {} long by their distances, and their times are ends",
        length(length_ms)
    )];
    Ok(Input { symbol: symbol.to_owned(), points, remarks })
}

#[derive(Debug, thiserror::Error)]
pub enum NotCandles {
    #[error(
        "it is JSON, but not `{{\"ohlc\": [{{\"endTime\": …, \"closePrice\": …}}, …]}}` ({0}). Write the candles as CSV, or one \
         JSON object per line, as `tallow batch` reads them"
    )]
    Unreadable(serde_json::Error),
    #[error("it has fewer than two candles: their length cannot be told")]
    TooFew,
    #[error("it names no symbol: name it with `--symbol`")]
    NoSymbol,
}

/// The smallest of those that are equally common: gaps are longer.
fn commonest_distance(ends_ms: &[i64]) -> Option<i64> {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for pair in ends_ms.windows(2) {
        *counts.entry((pair[1].saturating_sub(pair[0])).saturating_abs()).or_default() += 1;
    }
    counts.remove(&0);
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(distance, _)| distance)
}

fn length(ms: i64) -> String {
    const DAY_MS: i64 = 86_400_000;
    match ms {
        _ if ms % DAY_MS == 0 => format!("{} d", ms / DAY_MS),
        _ => format!("{} s", ms as f64 / 1_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"name": "ETH-USD", "ohlc": [
        {"endTime": 1463616000000, "closePrice": 13.18, "volume": 1}, {"endTime": 1463702400000, "openPrice": 13.1,
        "highPrice": 15, "lowPrice": 13, "closePrice": 14.9},
        {"endTime": 1463875200000, "closePrice": 14.17}]}"#;

    #[test]
    fn a_close_is_at_the_start_of_its_candle() {
        let input = read(TEXT, None).unwrap();
        assert_eq!(input.symbol, "ETH-USD");
        // 2016-05-18 and on; a day is missing.
        let found: Vec<_> = input.points.iter().map(|it| (it.time_us / 86_400_000_000, it.value)).collect();
        assert_eq!(found, [(16_939, Some(13.18)), (16_940, Some(14.9)), (16_942, Some(14.17))]);
        let candles: Vec<_> =
            input.points.iter().map(|it| it.candle.map(|it| (it.open, it.high, it.low))).collect();
        assert_eq!(candles, [None, Some((13.1, 15.0, 13.0)), None]);
        assert_eq!(input.remarks, ["its candles are 1 d long by their distances, and their times are ends"]);
        assert_eq!(read(TEXT, Some("ETHUSD")).unwrap().symbol, "ETHUSD");
    }

    #[test]
    fn another_document_says_what_to_do() {
        let error = read("[[1, 2, 3, 4, 5, 6]]", Some("A")).unwrap_err().to_string();
        assert!(error.contains("Write the candles as CSV"), "{error}");
        assert!(matches!(read(r#"{"ohlc": []}"#, Some("A")), Err(NotCandles::TooFew)));
        let unnamed = TEXT.replace("ETH-USD", "");
        assert!(matches!(read(&unnamed, None), Err(NotCandles::NoSymbol)));
    }

    #[test]
    fn lines_of_tables_are_not_taken_for_documents() {
        assert!(
            is_one("{")
                && is_one("[")
                && is_one("{\"name\": \"x\", \"ohlc\": [")
                && !is_one("timestamp,open")
        );
        assert!(!is_one("{\"e\":\"kline\"}") && !is_one("[1,2,3,4,5,6]"));
    }
}
