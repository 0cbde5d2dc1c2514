//! The time of a line, however it is written.

use parse_base::date::{self, Order};
use parse_base::decimal::Number;
use parse_base::reason::{Step, fault};
use parse_base::time;

use crate::number;

/// Seconds below are of before 1973-03-03: a number like that in a file without a header is rather a price.
const LEAST_MOMENT: f64 = 1e8;

/// Reads a time: a unix time of any unit, or a date. `order`: of dates whose year comes last.
pub fn event_time(name: &str, cell: &[u8], order: Option<Order>) -> Step<i64> {
    let fault = |what: &str| Err(fault(name, what, cell));
    let time = match Number::read(cell) {
        Some(number) if number::is_shortened(cell, &number) => {
            return fault("its last digits were lost in a spreadsheet");
        }
        Some(number) => Some(time::from_unix(&number)),
        None => time::from_iso(cell).or_else(|| date::time_us(cell, order).map(Ok)),
    };
    match time {
        Some(Ok(time_us)) => Ok(time_us),
        Some(Err(no_time)) => fault(no_time.fault()),
        None if order.is_none() && date::day(cell).is_some_and(|(day, _)| day.by(None).is_none()) => {
            fault("day and month may be either (name their order by `dates`)")
        }
        None => fault("not a time"),
    }
}

/// The time of a day and a time of day in two cells. Where the second is a whole time, or nothing, the other has no say.
pub fn of_two(day: &[u8], of_day: &[u8], order: Option<Order>) -> Step<i64> {
    let Some(of_day_us) = date::of_day_us(of_day) else {
        return match of_day {
            [] => event_time("event_time", day, order),
            whole => event_time("event_time", whole, order),
        };
    };
    let day_us = match date::day(day) {
        Some((_, rest)) if !rest.is_empty() => {
            return Err(fault("event_time", "a time of day in two columns", day));
        }
        _ => event_time("event_time", day, order)?,
    };
    Ok(day_us + of_day_us)
}

/// Whether a cell is a time of the years that there are klines of.
pub fn is_moment(cell: &[u8]) -> bool {
    match number::value(cell) {
        Some(value) => value >= LEAST_MOMENT || date::day(cell).is_some_and(|(_, rest)| rest.is_empty()),
        None => time::from_iso(cell).is_some() || date::day(cell).is_some(),
    }
}
