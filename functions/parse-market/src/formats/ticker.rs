//! Tickers: Binance `24hrTicker` events, and the flat JSON of pollers. All market values but the price are
//! rolling 24 hours, and are named so.

use super::{decimal, event_time, optional_decimals, optional_integer, symbol};
use crate::message::Message;
use crate::reason::Step;
use crate::rows::Rows;
use crate::schema::ColumnId;

pub(crate) fn read_24hr(message: &Message<'_>, rows: &mut Rows) -> Step<()> {
    symbol(message, "s", rows)?;
    event_time(message, "E", rows)?;
    decimal(message, ColumnId::Price, "c", rows)?;
    rolling(message, ["o", "h", "l", "v", "q", "p", "P"], "n", rows)
}

/// `{symbol, event_time, price, open, high, low, volume, quote_volume, number_trades, …}`. Its `timestamp` is a
/// local time without a zone: it says nothing that `event_time` does not.
pub(crate) fn read_polled(message: &Message<'_>, rows: &mut Rows) -> Step<()> {
    symbol(message, "symbol", rows)?;
    event_time(message, "event_time", rows)?;
    decimal(message, ColumnId::Price, "price", rows)?;
    let keys = ["open", "high", "low", "volume", "quote_volume", "price_change", "price_change_percent"];
    rolling(message, keys, "number_trades", rows)
}

/// The rolling values, which a ticker may leave out. `keys`: of open, high, low, volume, quote volume, price change and
/// price change in percent.
pub(super) fn rolling(message: &Message<'_>, keys: [&str; 7], trades: &str, rows: &mut Rows) -> Step<()> {
    const COLUMNS: [ColumnId; 7] = [
        ColumnId::RollingOpen,
        ColumnId::RollingHigh,
        ColumnId::RollingLow,
        ColumnId::RollingVolume,
        ColumnId::RollingQuoteVolume,
        ColumnId::RollingPriceChange,
        ColumnId::RollingPriceChangePercent,
    ];
    optional_decimals(message, COLUMNS.into_iter().zip(keys), rows)?;
    optional_integer(message, ColumnId::RollingTrades, trades, rows)
}
