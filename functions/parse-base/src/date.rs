//! Dates as files write them beside ISO 8601: year last, months by name, hours without a leading zero, `PM`.

use crate::calendar::{DAY_US, clock_us, day_number};

/// Whether the day or the month comes first in a date whose year comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    DayFirst,
    MonthFirst,
}

impl Order {
    pub fn name(self) -> &'static str {
        match self {
            Order::DayFirst => "day-first",
            Order::MonthFirst => "month-first",
        }
    }

    pub fn read(name: &str) -> Option<Self> {
        [Order::DayFirst, Order::MonthFirst].into_iter().find(|order| order.name() == name)
    }
}

/// The days since 1970-01-01 that a date may mean: the same by either order if the year comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    pub day_first: Option<i64>,
    pub month_first: Option<i64>,
}

impl Day {
    /// The day by an order; without one, that which can only be one.
    pub fn by(self, order: Option<Order>) -> Option<i64> {
        match (order, self.day_first, self.month_first) {
            (Some(Order::DayFirst), day, _) | (Some(Order::MonthFirst), _, day) => day,
            (None, Some(one), Some(other)) => (one == other).then_some(one),
            (None, one, other) => one.or(other),
        }
    }
}

/// A date that a text begins with, and what comes after it.
pub fn day(text: &[u8]) -> Option<(Day, &[u8])> {
    year_first(text).or_else(|| year_last(text)).or_else(|| with_month_name(text))
}

/// A date and, if there is one, a time of day, both in UTC. `None` for any other text, and if the day may be either.
pub fn time_us(text: &[u8], order: Option<Order>) -> Option<i64> {
    let (day, rest) = day(text)?;
    let of_day_us = match rest.trim_ascii_start() {
        [] => 0,
        _ if !rest.starts_with(b" ") && !rest.starts_with(b"T") && !rest.starts_with(b",") => return None,
        rest => of_day_us(without(rest, b" T,"))?,
    };
    Some(day.by(order)? * DAY_US + of_day_us)
}

/// Without bytes of some kinds at the start.
fn without<'t>(text: &'t [u8], leading: &[u8]) -> &'t [u8] {
    let start = text.iter().position(|byte| !leading.contains(byte)).unwrap_or(text.len());
    &text[start..]
}

/// A time of day in UTC, µs: `9:00`, `09:00:30.5`, `11:00 PM`, `11-PM`, `235900`, `2359`.
pub fn of_day_us(text: &[u8]) -> Option<i64> {
    let text = text.trim_ascii();
    let text = text.strip_suffix(b"UTC").or_else(|| text.strip_suffix(b"Z")).unwrap_or(text).trim_ascii();
    let (text, afternoon) = half_of_day(text);
    let (hours, rest) = match text {
        digits if digits.len() >= 4 && digits.iter().all(u8::is_ascii_digit) => return compact_us(digits),
        text => digits(text, 1, 2)?,
    };
    let (minutes, rest) = match rest {
        [b':', rest @ ..] => digits(rest, 2, 2)?,
        [] if afternoon.is_some() => (0, rest),
        _ => return None,
    };
    let (seconds_us, rest) = match rest {
        [b':', rest @ ..] => seconds_us(rest)?,
        rest => (0, rest),
    };
    let hours = match afternoon {
        None => hours,
        Some(afternoon) if (1..=12).contains(&hours) => hours % 12 + if afternoon { 12 } else { 0 },
        Some(_) => return None,
    };
    let sound = hours < 24 && minutes < 60 && seconds_us < 60_000_000 && rest.is_empty();
    sound.then_some((hours * 60 + minutes) * 60_000_000 + seconds_us)
}

/// Without `AM` or `PM` and what separates it; whether it was `PM`.
fn half_of_day(text: &[u8]) -> (&[u8], Option<bool>) {
    let Some((rest, half)) = text.split_at_checked(text.len().wrapping_sub(2)) else { return (text, None) };
    let afternoon = match half {
        b"PM" | b"pm" => true,
        b"AM" | b"am" => false,
        _ => return (text, None),
    };
    let end = rest.iter().rposition(|byte| !b" -".contains(byte)).map_or(0, |last| last + 1);
    (&rest[..end], Some(afternoon))
}

/// `HHMM` and `HHMMSS`.
fn compact_us(digits: &[u8]) -> Option<i64> {
    let value = digits.iter().fold(0i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    match digits.len() {
        4 => clock_us(value / 100, value % 100, 0),
        6 => clock_us(value / 10_000, value / 100 % 100, value % 100),
        _ => None,
    }
}

/// `SS` and `SS.ffffff`.
pub fn seconds_us(text: &[u8]) -> Option<(i64, &[u8])> {
    let (seconds, rest) = digits(text, 2, 2)?;
    let [b'.', rest @ ..] = rest else { return Some((seconds * 1_000_000, rest)) };
    let places = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, rest) = rest.split_at(places);
    let place = |at: usize| i64::from(fraction.get(at).map_or(0, |digit| digit - b'0'));
    (places > 0).then(|| (seconds * 1_000_000 + (0..6).fold(0, |us, at| us * 10 + place(at)), rest))
}

/// `2024.01.02`, `2024-1-2`, `20240102`.
fn year_first(text: &[u8]) -> Option<(Day, &[u8])> {
    if let Some((date, rest)) = digits(text, 8, 8) {
        return Some((known(date / 10_000, date / 100 % 100, date % 100)?, rest));
    }
    let (year, rest) = digits(text, 4, 4)?;
    let (separator, rest) = separator(rest)?;
    let (month, rest) = digits(rest, 1, 2)?;
    let (day, rest) = digits(rest.strip_prefix(&[separator])?, 1, 2)?;
    Some((known(year, month, day)?, rest))
}

/// `21/05/2021`, `01.10.2024`, `1-2-2024`.
fn year_last(text: &[u8]) -> Option<(Day, &[u8])> {
    let (first, rest) = digits(text, 1, 2)?;
    let (separator, rest) = separator(rest)?;
    let (second, rest) = digits(rest, 1, 2)?;
    let (year, rest) = digits(rest.strip_prefix(&[separator])?, 4, 4)?;
    let day = Day { day_first: number(year, second, first), month_first: number(year, first, second) };
    day.day_first.or(day.month_first)?;
    Some((day, rest))
}

/// `Jan 10, 2024`, `10 Jan 2024`, `10-Jan-2024`.
fn with_month_name(text: &[u8]) -> Option<(Day, &[u8])> {
    let (month, day, rest) = match month_name(text) {
        Some((month, rest)) => {
            let (day, rest) = digits(without(rest, b" ."), 1, 2)?;
            (month, day, rest)
        }
        None => {
            let (day, rest) = digits(text, 1, 2)?;
            let (month, rest) = month_name(without(rest, b" -"))?;
            (month, day, rest)
        }
    };
    let (year, rest) = digits(without(rest, b" ,-"), 4, 4)?;
    Some((known(year, month, day)?, rest))
}

fn month_name(text: &[u8]) -> Option<(i64, &[u8])> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let letters = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (name, rest) = text.split_at(letters);
    let short = name.get(..3)?;
    let month = MONTHS.iter().position(|month| short.eq_ignore_ascii_case(month.as_bytes()))?;
    Some((month as i64 + 1, rest))
}

fn known(year: i64, month: i64, day: i64) -> Option<Day> {
    let day = number(year, month, day);
    day.map(|_| Day { day_first: day, month_first: day })
}

/// The number of a day since 1970-01-01; `None` before it, and if there is no such day.
fn number(year: i64, month: i64, day: i64) -> Option<i64> {
    day_number(year, month, day).filter(|number| *number >= 0)
}

fn separator(text: &[u8]) -> Option<(u8, &[u8])> {
    let (first, rest) = text.split_first()?;
    b"-/.".contains(first).then_some((*first, rest))
}

/// A number of so many digits, all that there are, and what comes after it.
pub fn digits(text: &[u8], least: usize, most: usize) -> Option<(i64, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(count);
    let fits = (least..=most).contains(&count);
    fits.then(|| (number.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds by `date -u -d … +%s`.
    #[test]
    fn dates_are_read_however_files_write_them() {
        for (text, order, seconds) in [
            ("2024.01.02", None, 1_704_153_600),
            ("2024-1-2", None, 1_704_153_600),
            ("20240102", None, 1_704_153_600),
            ("20240102 235900", None, 1_704_239_940),
            ("2020-06-02 11-PM", None, 1_591_138_800),
            ("2020-06-02 12-AM", None, 1_591_056_000),
            ("21/05/2021 23:00", None, 1_621_638_000),
            ("20/05/2021 9:00", None, 1_621_501_200),
            ("05/21/2021 9:00:30 PM", None, 1_621_630_830),
            ("01/10/2024", Some(Order::MonthFirst), 1_704_844_800),
            ("01/10/2024", Some(Order::DayFirst), 1_727_740_800),
            ("01/01/2024", None, 1_704_067_200),
            ("Jan 10, 2024", None, 1_704_844_800),
            ("10 January 2024", None, 1_704_844_800),
            ("10-Jan-2024 00:00:01.5", None, 1_704_844_801),
        ] {
            assert_eq!(time_us(text.as_bytes(), order).map(|us| us / 1_000_000), Some(seconds), "{text}");
        }
    }

    #[test]
    fn what_may_be_two_days_and_what_is_none_is_no_time() {
        for text in [
            "01/10/2024",
            "31/02/2024",
            "13/13/2024",
            "2024-01/02",
            "2024.01.02 24:00",
            "2024.01.02 9:60",
            "2024.01.02x",
            "01/02/24",
            "Foo 1, 2024",
            "2024.01.02 13:00 PM",
            "1969.12.31",
            "",
            "AM",
        ] {
            assert_eq!(time_us(text.as_bytes(), None), None, "{text}");
        }
        let either = Day { day_first: Some(19_997), month_first: Some(19_732) };
        assert_eq!(day(b"01/10/2024").map(|(day, _)| day), Some(either));
        assert_eq!(
            time_us(b"21/05/2021", Some(Order::MonthFirst)),
            None,
            "what another line says is no excuse"
        );
        assert_eq!(of_day_us(b"00:01"), Some(60_000_000));
        assert_eq!(of_day_us(b"0930"), Some(34_200_000_000));
        assert_eq!(of_day_us(b"930"), None);
    }
}
