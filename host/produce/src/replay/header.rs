//! The header of a kline file: whether its columns are where a replay reads them.

/// Names that the first six columns go by, in small letters and without anything else.
const NAMES: [&[&str]; 6] = [
    &["opentime", "time", "timestamp", "unix", "unixtimestamp", "date", "datetime", "mts", "timeopen", "t"],
    &["open", "openprice", "o"],
    &["high", "highprice", "max", "h"],
    &["low", "lowprice", "min", "l"],
    &["close", "closeprice", "last", "price", "c"],
    &["volume", "vol", "basevolume", "v"],
];

/// Which column is another one, and what to do; `None` if all are where they should be.
pub fn misplaced(header: &str, columns: usize) -> Option<String> {
    let names: Vec<String> = header.split(',').map(bare).collect();
    for (place, (name, known)) in names.iter().zip(NAMES).enumerate() {
        // A unit may follow: milliseconds, the coin.
        let has_unit = match place {
            0 => ["opentime", "timestamp", "time"].iter().any(|known| name.starts_with(known)),
            _ => place == 5 && name.starts_with("volume"),
        };
        if !known.contains(&name.as_str()) && !has_unit {
            return Some(format!(
                "its header says `{header}`: column {} is not the {}. A replay reads {columns} columns in the exchange's order, \
                 which begins with open time, open, high, low, close and volume; `tallow batch` reads any order",
                place + 1,
                ["open time", "open", "high", "low", "close", "volume"][place],
            ));
        }
    }
    None
}

fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_elsewhere_are_named_and_usual_names_pass() {
        for header in [
            "open_time,open,high,low,close,volume",
            "timestamp_ms,Open,High,Low,Close,Volume_(BTC)",
            "open_time_ms,open,high,low,close,volume",
            "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore",
        ] {
            assert_eq!(misplaced(header, 6), None, "{header}");
        }
        let why = misplaced("MTS,OPEN,CLOSE,HIGH,LOW,VOLUME", 6).unwrap();
        assert!(why.contains("column 3 is not the high"), "{why}");
        let why = misplaced("symbol,open,high,low,close,volume", 6).unwrap();
        assert!(why.contains("column 1 is not the open time"), "{why}");
    }
}
