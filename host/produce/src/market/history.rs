//! What the synthetic market did before it opened: klines of an hour, as CSV. They end where its first trades begin.

use std::fmt::Write;

use tallow_env::{Random, SeededRandom};

use super::symbol::Symbol;

const HOUR_US: i64 = 3_600_000_000;
/// Mean size of an hour's move: some 3 % a day.
const HOURLY: f64 = 0.012;
/// Every third symbol was not traded for that long, half-way through.
const OUTAGE_HOURS: i64 = 3 * 24;

/// The history of a symbol of a market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    pub symbol: String,
    /// `open_time,open,high,low,close,volume`, times in ms.
    pub csv: String,
    pub rows: usize,
}

/// The histories of a market's first `symbols` symbols, from `from_us` to `to_us` (µs since 1970-01-01 UTC, whole
/// hours). The same seed gives the same.
pub fn history(seed: u64, symbols: usize, from_us: i64, to_us: i64) -> Vec<History> {
    let random = SeededRandom::new(seed);
    (0..symbols)
        .map(|index| {
            let symbol = Symbol::new(index, &random, None);
            let hours = ((to_us - from_us) / HOUR_US).max(0);
            let outage = hours / 2..hours / 2 + OUTAGE_HOURS;
            let walk = walk(hours, &random);
            let last = walk.last().copied().unwrap_or(0.0);
            let price = |log: f64| symbol.near((log - last).exp());
            let mut csv = "open_time,open,high,low,close,volume\n".to_owned();
            let mut rows = 0;
            for hour in 0..hours {
                if index % 3 == 0 && outage.contains(&hour) {
                    continue;
                }
                let (open, close) = (walk[hour as usize], walk[hour as usize + 1]);
                let high = open.max(close) + random.unit() * HOURLY / 2.0;
                let low = open.min(close) - random.unit() * HOURLY / 2.0;
                let open_ms = (from_us + hour * HOUR_US) / 1000;
                let prices = [open, high, low, close].map(|log| decimal(price(log)));
                let volume = decimal(symbol.quantity(200_000 + random.below(2_000_000)));
                let written = writeln!(csv, "{open_ms},{},{volume}", prices.join(","));
                debug_assert!(written.is_ok(), "memory can always be written to");
                rows += 1;
            }
            History { symbol: symbol.name().to_owned(), csv, rows }
        })
        .collect()
}

/// Logarithms of prices at the hours' edges.
fn walk(hours: i64, random: &dyn Random) -> Vec<f64> {
    let mut log = 0.0;
    let mut walk = vec![log];
    for _ in 0..hours {
        log += (random.unit() + random.unit() + random.unit() - 1.5) * HOURLY;
        walk.push(log);
    }
    walk
}

/// A number in 10^-8, with its places.
fn decimal(e8: i64) -> String {
    format!("{}.{:08}", e8 / 100_000_000, e8 % 100_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_US: i64 = 24 * HOUR_US;

    #[test]
    fn a_history_has_its_hours_and_is_the_same_for_a_seed() {
        let made = history(1, 4, 0, 90 * DAY_US);
        assert_eq!(made, history(1, 4, 0, 90 * DAY_US));
        assert_ne!(made, history(2, 4, 0, 90 * DAY_US));
        let rows: Vec<usize> = made.iter().map(|history| history.rows).collect();
        assert_eq!(rows, [87 * 24, 90 * 24, 90 * 24, 87 * 24]);
        assert_eq!(made[0].csv.lines().count(), 87 * 24 + 1);
        assert!(made[1].csv.lines().nth(1).unwrap().starts_with("0,"));
    }

    #[test]
    fn prices_are_within_their_bars_and_end_where_the_market_opens() {
        let made = history(1, 1, 0, 30 * DAY_US);
        assert_eq!(made[0].symbol, "SYNBTC");
        let mut last = 0.0;
        for line in made[0].csv.lines().skip(1) {
            let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            let (open, high, low, close) = (cells[1], cells[2], cells[3], cells[4]);
            assert!(low > 0.0 && low <= open.min(close) && high >= open.max(close), "{line}");
            assert!(cells[5] > 0.0, "{line}");
            last = close;
        }
        assert_eq!(last, 61_837.63);
    }
}
