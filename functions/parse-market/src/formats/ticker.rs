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
    optional_decimals(
        message,
        &[
            (ColumnId::RollingOpen, "o"),
            (ColumnId::RollingHigh, "h"),
            (ColumnId::RollingLow, "l"),
            (ColumnId::RollingVolume, "v"),
            (ColumnId::RollingQuoteVolume, "q"),
            (ColumnId::RollingPriceChange, "p"),
            (ColumnId::RollingPriceChangePercent, "P"),
        ],
        rows,
    )?;
    optional_integer(message, ColumnId::RollingTrades, "n", rows)
}

/// `{symbol, event_time, price, open, high, low, volume, quote_volume, number_trades, …}`. Its `timestamp` is a
/// local time without a zone: it says nothing that `event_time` does not.
pub(crate) fn read_polled(message: &Message<'_>, rows: &mut Rows) -> Step<()> {
    symbol(message, "symbol", rows)?;
    event_time(message, "event_time", rows)?;
    decimal(message, ColumnId::Price, "price", rows)?;
    optional_decimals(
        message,
        &[
            (ColumnId::RollingOpen, "open"),
            (ColumnId::RollingHigh, "high"),
            (ColumnId::RollingLow, "low"),
            (ColumnId::RollingVolume, "volume"),
            (ColumnId::RollingQuoteVolume, "quote_volume"),
            (ColumnId::RollingPriceChange, "price_change"),
            (ColumnId::RollingPriceChangePercent, "price_change_percent"),
        ],
        rows,
    )?;
    optional_integer(message, ColumnId::RollingTrades, "number_trades", rows)
}
