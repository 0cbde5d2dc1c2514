//! Binance `trade` and `aggTrade`.

use super::{decimal, event_time, integer, symbol};
use crate::message::Message;
use crate::reason::{Apart, Step};
use crate::rows::Rows;
use crate::schema::ColumnId;

/// One trade: `t` is its id, `T` its time.
pub(crate) fn read(message: &Message<'_>, rows: &mut Rows) -> Step<()> {
    symbol(message, "s", rows)?;
    common(message, rows)?;
    let id = integer(message, ColumnId::Id, "t", rows)?;
    rows.integer(ColumnId::LastId, id)?;
    rows.integer(ColumnId::Trades, 1)
}

/// Whether a trade of the futures streams was not made on the market: `X` is `INSURANCE_FUND`, `ADL`, `NA` …
pub(crate) fn is_off_market(message: &Message<'_>) -> Step<bool> {
    Ok(message.get("X")?.is_some_and(|made| made.0 != b"\"MARKET\""))
}

/// What tells a trade off the market from others: its price and quantity may be 0, and mean nothing.
pub(crate) fn read_ids(message: &Message<'_>, rows: &mut Rows) -> Step<()> {
    symbol(message, "s", rows)?;
    event_time(message, "T", rows)?;
    let id = integer(message, ColumnId::Id, "t", rows)?;
    rows.integer(ColumnId::LastId, id)
}

/// Trades of one taker order at one price: `f` to `l` are their ids.
pub(crate) fn read_aggregate(message: &Message<'_>, rows: &mut Rows) -> Step<()> {
    symbol(message, "s", rows)?;
    read_aggregate_of(message, rows)
}

/// The same of a symbol that is known.
pub(crate) fn read_aggregate_of(message: &Message<'_>, rows: &mut Rows) -> Step<()> {
    common(message, rows)?;
    let first = integer(message, ColumnId::Id, "f", rows)?;
    let last = integer(message, ColumnId::LastId, "l", rows)?;
    if last < first {
        return Err(Apart::rejected(format!("last_id: {last} is before id {first}")));
    }
    // Of two ids from 0 up, the count of all of them overflows only if they span every id there is.
    rows.integer(ColumnId::Trades, (last - first).saturating_add(1))
}

fn common(message: &Message<'_>, rows: &mut Rows) -> Step<()> {
    event_time(message, "T", rows)?;
    decimal(message, ColumnId::Price, "p", rows)?;
    decimal(message, ColumnId::Quantity, "q", rows)?;
    if let Some(maker) = message.get("m")? {
        rows.boolean(ColumnId::BuyerMaker, maker.boolean("buyer_maker")?);
    }
    Ok(())
}
