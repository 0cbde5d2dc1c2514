//! Kline intervals: their names, and the number of a kline in the row of all klines of its interval.

use crate::calendar::{DAY_US, civil};

const SECOND_US: i64 = 1_000_000;
/// Units of fixed length, longest first.
const UNITS: [(char, i64); 5] =
    [('w', 7 * DAY_US), ('d', DAY_US), ('h', 3600 * SECOND_US), ('m', 60 * SECOND_US), ('s', SECOND_US)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// Length in microseconds.
    Fixed(i64),
    /// Calendar months, UTC.
    Months(i64),
}

pub const SHORTEST_MONTH_US: i64 = 28 * DAY_US;

impl Interval {
    /// `1m`, `4h`, `1d`, `1M` …: a count and one of `s m h d w M`.
    pub fn read(name: &str) -> Option<Self> {
        let unit = name.chars().last()?;
        let count = &name[..name.len() - unit.len_utf8()];
        if count.is_empty() || count.len() > 4 || !count.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let count: i64 = count.parse().ok().filter(|&count| count > 0)?;
        if unit == 'M' {
            return Some(Interval::Months(count));
        }
        let (_, length_us) = UNITS.into_iter().find(|(known, _)| *known == unit)?;
        Some(Interval::Fixed(count * length_us))
    }

    /// The interval of a kline from its open to the open of the next one; `None` if it has no length or is
    /// no whole number of seconds.
    pub fn between(open_us: i64, next_open_us: i64) -> Option<Self> {
        let (year, month, day) = civil(open_us.div_euclid(DAY_US));
        let (next_year, next_month, next_day) = civil(next_open_us.div_euclid(DAY_US));
        let at_midnight = open_us % DAY_US == 0 && next_open_us % DAY_US == 0;
        let months = (next_year - year) * 12 + next_month - month;
        if at_midnight && day == 1 && next_day == 1 && months > 0 {
            return Some(Interval::Months(months));
        }
        let length_us = next_open_us - open_us;
        (length_us > 0 && length_us % SECOND_US == 0).then_some(Interval::Fixed(length_us))
    }

    /// How long one lasts at least.
    pub fn least_us(self) -> i64 {
        match self {
            Interval::Fixed(length_us) => length_us,
            Interval::Months(count) => count * SHORTEST_MONTH_US,
        }
    }

    /// The exchange's name of it; of equal ones (`7d`, `1w`) that with the longest unit.
    pub fn name(self) -> String {
        match self {
            Interval::Months(count) => format!("{count}M"),
            Interval::Fixed(length_us) => {
                let (unit, unit_us) = UNITS
                    .into_iter()
                    .find(|(_, unit_us)| length_us % unit_us == 0)
                    .unwrap_or(('s', SECOND_US));
                format!("{}{unit}", length_us / unit_us)
            }
        }
    }

    /// Open time / interval: klines that follow each other have numbers that do.
    pub fn number(self, open_us: i64) -> i64 {
        match self {
            Interval::Fixed(length_us) => open_us.div_euclid(length_us),
            Interval::Months(count) => {
                let (year, month, _) = civil(open_us.div_euclid(DAY_US));
                ((year - 1970) * 12 + month - 1).div_euclid(count)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-02-01, 2024-03-01, 2017-07-03 (a Monday), 2017-07-10, by `date -u +%s`.
    const FEB: i64 = 1_706_745_600 * SECOND_US;
    const MAR: i64 = 1_709_251_200 * SECOND_US;
    const WEEK: (i64, i64) = (1_499_040_000 * SECOND_US, 1_499_644_800 * SECOND_US);

    #[test]
    fn a_name_and_the_distance_of_two_opens_say_the_same_interval() {
        assert_eq!(Interval::read("1w"), Interval::between(WEEK.0, WEEK.1));
        assert_eq!(Interval::read("1M"), Interval::between(FEB, MAR));
        assert_eq!(Interval::read("29d"), Some(Interval::Fixed(MAR - FEB)));
        assert_eq!(
            Interval::between(WEEK.0, WEEK.0 + 60 * SECOND_US).map(Interval::name).as_deref(),
            Some("1m")
        );
    }

    #[test]
    fn every_interval_of_the_exchange_keeps_its_name() {
        for name in "1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M".split(' ') {
            assert_eq!(Interval::read(name).map(Interval::name).as_deref(), Some(name));
        }
    }

    #[test]
    fn klines_that_follow_each_other_have_numbers_that_do() {
        assert_eq!(Interval::Months(1).number(FEB), 54 * 12 + 1);
        assert_eq!(Interval::Months(1).number(MAR), 54 * 12 + 2);
        let week = Interval::Fixed(7 * DAY_US);
        assert_eq!(week.number(WEEK.1), week.number(WEEK.0) + 1);
    }

    #[test]
    fn what_is_no_interval_is_told() {
        for name in ["", "m", "1", "0m", "-1m", "1x", "99999m", "1é", "m1"] {
            assert_eq!(Interval::read(name), None, "{name:?}");
        }
        assert_eq!(Interval::between(5, 5), None);
        assert_eq!(Interval::between(0, 1_500_000), None);
    }
}
