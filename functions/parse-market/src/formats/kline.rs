//! Binance WebSocket `kline`: an event around the kline itself, under `k`.

use super::{decimal, event_time, optional_decimals, optional_integer, sound, symbol};
use crate::interval::Interval;
use crate::message::{Message, Shape};
use crate::reason::{Apart, Step, excerpt};
use crate::rows::Rows;
use crate::schema::ColumnId;

/// Reads the kline under `k`; the message is read again from there.
pub(crate) fn read(message: &mut Message<'_>, rows: &mut Rows) -> Step<()> {
    let kline = message.required("kline", "k")?;
    match message.read(kline.0).map_err(|apart| apart.within(|| "k".to_owned()))? {
        Shape::Object => {}
        Shape::Array(_) => return Err(Apart::rejected("k: an array, not an object")),
    }
    if !message.required("final", "x")?.boolean("final")? {
        return Err(Apart::ignored("kline: not final"));
    }
    sound::check([
        message.required("open", "o")?,
        message.required("high", "h")?,
        message.required("low", "l")?,
        message.required("close", "c")?,
    ])?;
    symbol(message, "s", rows)?;
    let open_us = event_time(message, "t", rows)?;
    let name = message.required("interval", "i")?.string("interval")?;
    let interval = Interval::read(&name).ok_or_else(|| {
        Apart::rejected(format!("interval: not a count and one of s m h d w M: {}", excerpt(name.as_bytes())))
    })?;
    identity(interval, open_us, rows)?;
    for (column, key) in [
        (ColumnId::Open, "o"),
        (ColumnId::High, "h"),
        (ColumnId::Low, "l"),
        (ColumnId::Close, "c"),
        (ColumnId::Volume, "v"),
    ] {
        decimal(message, column, key, rows)?;
    }
    let optional =
        [(ColumnId::QuoteVolume, "q"), (ColumnId::TakerBuyVolume, "V"), (ColumnId::TakerBuyQuoteVolume, "Q")];
    optional_decimals(message, optional, rows)?;
    optional_integer(message, ColumnId::Trades, "n", rows)
}

/// What tells klines apart: their interval, and their number in its row.
pub(super) fn identity(interval: Interval, open_us: i64, rows: &mut Rows) -> Step<()> {
    let id = interval.number(open_us);
    rows.integer(ColumnId::Id, id)?;
    rows.integer(ColumnId::LastId, id)?;
    rows.text(ColumnId::Interval, &interval.name());
    Ok(())
}
