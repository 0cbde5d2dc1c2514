//! A row of a kline CSV, as a message that an exchange could have sent.

use std::fmt::Write;

use super::line::unit_us;
use super::name::Interval;

/// Columns of a file: what is known of each kline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Columns {
    /// All twelve of Binance's.
    Twelve,
    /// Open time, open, high, low, close, volume.
    Six(Interval),
}

impl Columns {
    pub fn count(&self) -> usize {
        match self {
            Self::Twelve => 12,
            Self::Six(_) => 6,
        }
    }
}

/// The message, and its open time in µs; `None` where the row is broken.
pub fn message(row: &str, columns: &Columns, symbol: &str) -> Option<(String, i64)> {
    let fields: Vec<&str> = row.split(',').map(str::trim).collect();
    if fields.len() != columns.count() || !fields[1..].iter().all(|field| is_number(field)) {
        return None;
    }
    let open_time: i64 = fields[0].parse().ok()?;
    let json = match columns {
        Columns::Twelve => rest(&fields),
        Columns::Six(interval) => final_kline(&fields, open_time, interval, symbol),
    };
    Some((json, unit_us(open_time)))
}

/// Whether a row that can be read has a high below its open, close or low, or a low above them.
pub fn contradicts(row: &str, columns: &Columns) -> bool {
    let fields: Vec<&str> = row.split(',').map(str::trim).collect();
    let prices = fields.get(1..5).filter(|_| fields.len() == columns.count());
    let prices: Option<Vec<f64>> =
        prices.and_then(|prices| prices.iter().map(|it| it.parse().ok()).collect());
    match prices.as_deref() {
        Some([open, high, low, close]) => high < low || high < &open.max(*close) || low > &open.min(*close),
        _ => false,
    }
}

fn is_number(field: &str) -> bool {
    field.parse::<f64>().is_ok_and(f64::is_finite)
}

/// An array of Binance's REST API: times and the count are numbers, the rest are strings.
fn rest(fields: &[&str]) -> String {
    let items: Vec<String> = fields
        .iter()
        .enumerate()
        .map(|(index, field)| match index {
            0 | 6 | 8 => (*field).to_owned(),
            _ => format!("\"{field}\""),
        })
        .collect();
    format!("[{}]", items.join(","))
}

fn final_kline(fields: &[&str], open_time: i64, interval: &Interval, symbol: &str) -> String {
    let open_us = unit_us(open_time);
    // Microseconds where the file has them, else milliseconds.
    let (per_us, open) = if open_us == open_time { (1, open_us) } else { (1_000, open_us / 1_000) };
    let close = open + interval.length_us / per_us - 1;
    let [_, first, high, low, last, volume] = fields else { return String::new() };
    let symbol = serde_json::Value::from(symbol);
    let mut json = String::with_capacity(200);
    let written = write!(
        json,
        r#"{{"e":"kline","E":{close},"s":{symbol},"k":{{"t":{open},"T":{close},"s":{symbol},"i":"{}","o":"{first}","c":"{last}","h":"{high}","l":"{low}","v":"{volume}","x":true}}}}"#,
        interval.name,
    );
    debug_assert!(written.is_ok(), "memory can always be written to");
    json
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn twelve_columns_become_the_array_of_the_rest_api() {
        let row = "1730419200000,3.958,3.959,3.956,3.958,45103.8,1730419259999,178487.4969,306,26031.0,103016.3016,0";
        let (json, open_us) = message(row, &Columns::Twelve, "DOTUSDT").unwrap();
        let want = json!([
            1730419200000i64,
            "3.958",
            "3.959",
            "3.956",
            "3.958",
            "45103.8",
            1730419259999i64,
            "178487.4969",
            306,
            "26031.0",
            "103016.3016",
            "0"
        ]);
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), want);
        assert_eq!(open_us, 1_730_419_200_000_000);
    }

    #[test]
    fn six_columns_become_a_final_kline_that_makes_nothing_up() {
        let minute = Columns::Six(Interval { name: "1m".to_owned(), length_us: 60_000_000 });
        for (time, open, close) in [
            ("1364774820000", 1364774820000i64, 1364774879999i64),
            ("1364774820", 1364774820000, 1364774879999),
            ("1364774820000000", 1364774820000000, 1364774879999999),
        ] {
            let row = format!("{time},93.25,93.3,93.1,93.2,4e-7");
            let (json, _) = message(&row, &minute, "BTCUSD").unwrap();
            let want = json!({"e": "kline", "E": close, "s": "BTCUSD", "k": {
                "t": open, "T": close, "s": "BTCUSD", "i": "1m",
                "o": "93.25", "h": "93.3", "l": "93.1", "c": "93.2", "v": "4e-7", "x": true}});
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), want);
        }
    }

    #[test]
    fn broken_rows_are_known() {
        let minute = Columns::Six(Interval { name: "1m".to_owned(), length_us: 60_000_000 });
        for row in ["", "1,2,3", "then,1,1,1,1,1", "1364774820000,1,1,one,1,1", "1364774820000,1,NaN,1,1,1"] {
            assert_eq!(message(row, &minute, "BTCUSD"), None, "{row}");
        }
    }
}
