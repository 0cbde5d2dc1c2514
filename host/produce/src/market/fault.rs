//! What goes wrong on the way from an exchange.

use tallow_env::Random;

/// Shares are of trades, as one in so many; 0 is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    pub late_one_in: u64,
    /// Nothing arrives later than this after its event time. Keep it below the pipeline's delay, or rows are late.
    pub latest_us: i64,
    pub twice_one_in: u64,
    /// A second copy of the trade arrives damaged.
    pub damaged_one_in: u64,
}

impl Faults {
    pub const NONE: Faults = Faults { late_one_in: 0, latest_us: 0, twice_one_in: 0, damaged_one_in: 0 };
    pub const DEMO: Faults =
        Faults { late_one_in: 40, latest_us: 2_000_000, twice_one_in: 500, damaged_one_in: 2_000 };

    /// Time between a trade and its arrival.
    pub fn delay_us(&self, random: &dyn Random) -> i64 {
        match hits(self.late_one_in, random) {
            // A copy may arrive later than its trade, and keeps to the same bound.
            true => random.below(self.latest_us as u64 / 2) as i64,
            false => 0,
        }
    }

    /// Where a trade arrives twice, how long after the first time.
    pub fn twice_after_us(&self, random: &dyn Random) -> Option<i64> {
        hits(self.twice_one_in, random).then(|| random.below(self.latest_us as u64 / 2) as i64)
    }

    /// A damaged copy: cut off, a price in words, not UTF-8, or nothing at all.
    pub fn damaged(&self, value: &[u8], random: &dyn Random) -> Option<Vec<u8>> {
        if !hits(self.damaged_one_in, random) {
            return None;
        }
        let cut = 1 + random.below(value.len() as u64 - 1) as usize;
        Some(match random.below(4) {
            0 => value[..cut].to_vec(),
            1 => String::from_utf8_lossy(value).replace(r#""p":""#, r#""p":"about "#).into_bytes(),
            2 => [&value[..cut], b"\xff\xfe", &value[cut..]].concat(),
            _ => Vec::new(),
        })
    }
}

fn hits(one_in: u64, random: &dyn Random) -> bool {
    one_in > 0 && random.below(one_in) == 0
}

#[cfg(test)]
mod tests {
    use tallow_env::SeededRandom;

    use super::*;

    #[test]
    fn damage_is_always_seen() {
        let whole = br#"{"e":"trade","p":"1.5","q":"2.0"}"#;
        let always = Faults { damaged_one_in: 1, ..Faults::NONE };
        let random = SeededRandom::new(3);
        for _ in 0..500 {
            let damaged = always.damaged(whole, &random).unwrap();
            let price = serde_json::from_slice::<serde_json::Value>(&damaged)
                .ok()
                .and_then(|value| value["p"].as_str()?.parse::<f64>().ok());
            assert_eq!(price, None, "{}", String::from_utf8_lossy(&damaged));
        }
    }
}
