//! What a recording's file name says: `BTCUSDT-1m-2024-08.csv.gz`, `btcusdt_20240808.gz`.

use std::path::Path;

/// How long a kline is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// As Binance writes it: `1m`.
    pub name: String,
    pub length_us: i64,
}

fn words(path: &Path) -> Vec<&str> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split(['-', '_', '.']).collect()
}

/// The first word of the name, in capitals.
pub fn symbol(path: &Path) -> String {
    words(path).first().unwrap_or(&"").to_uppercase()
}

/// The first word after the symbol that is a count and a unit of fixed length.
pub fn interval(path: &Path) -> Option<Interval> {
    words(path).into_iter().skip(1).find_map(|word| {
        let unit_s = match word.chars().last()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        let count: i64 = word[..word.len() - 1].parse().ok().filter(|count| (1..100_000).contains(count))?;
        Some(Interval { name: word.to_owned(), length_us: count * unit_s * 1_000_000 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbol_and_interval_are_found_in_the_names_that_are_in_use() {
        for (name, want_symbol, want_interval) in [
            ("BTCUSDT-1m-2024-08.csv.gz", "BTCUSDT", Some(("1m", 60_000_000))),
            ("BTCUSD_1d_2011-2025.csv.gz", "BTCUSD", Some(("1d", 86_400_000_000))),
            ("btcusdt_20240808.gz", "BTCUSDT", None),
            ("trades.jsonl", "TRADES", None),
        ] {
            let path = Path::new("/recordings").join(name);
            assert_eq!(symbol(&path), want_symbol);
            let found = interval(&path);
            let found = found.as_ref().map(|interval| (&*interval.name, interval.length_us));
            assert_eq!(found, want_interval, "{name}");
        }
    }
}
