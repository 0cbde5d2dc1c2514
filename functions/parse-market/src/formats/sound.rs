//! Whether a kline's prices can be those of one time.

use crate::decimal::Number;
use crate::json::Value;
use crate::reason::{Apart, Step, excerpt};

/// Places at which prices are compared; what they do not hold of more digits decides nothing.
const PLACES: u8 = 18;

/// Rejects a kline whose high or low contradict open, close or each other.
pub(super) fn check(prices: [Value<'_>; 4]) -> Step<()> {
    let numbers = prices.map(|price| Number::read(price.plain())?.at_scale(PLACES).ok());
    let [Some(open), Some(high), Some(low), Some(close)] = numbers.map(|it| it.map(|it| it.mantissa)) else {
        // What is wrong with a number is for its column to say.
        return Ok(());
    };
    if high >= open.max(close).max(low) && low <= open.min(close) {
        return Ok(());
    }
    let [open, high, low, close] = prices.map(|price| excerpt(price.plain()));
    Err(Apart::rejected(format!(
        "kline: its prices contradict each other: open {open}, high {high}, low {low}, close {close}"
    )))
}
