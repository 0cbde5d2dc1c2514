//! What the exchange answers over REST: 24-hour tickers, prices with their time, trades and aggregate trades. Answers of
//! one item and lists of them are read alike; klines, which are arrays, are read by `rest_kline`. Trades do not name
//! their symbol.

use super::ticker::rolling;
use super::trade::read_aggregate_of;
use super::{decimal, event_time, integer, symbol, symbol_beside};
use crate::message::Message;
use crate::options::Plan;
use crate::reason::{Apart, Step};
use crate::record::Record;
use crate::rows::Rows;
use crate::schema::{ColumnId, Kind};

const DAY_US: i64 = 86_400_000_000;
/// A window that is asked for by its length begins at a whole minute.
const MINUTE_US: i64 = 60_000_000;

#[derive(Clone, Copy)]
pub(crate) enum Format {
    Ticker,
    Price,
    Trade,
    AggTrade,
}

impl Format {
    pub fn kind(self) -> Kind {
        match self {
            Format::Ticker | Format::Price => Kind::Ticker,
            Format::Trade => Kind::Trade,
            Format::AggTrade => Kind::AggTrade,
        }
    }
}

/// Which of the answers a message without an event's name is, if any.
pub(crate) fn told(message: &Message<'_>) -> Option<Format> {
    let has = |keys: &[&str]| keys.iter().all(|key| message.has(key));
    if has(&["symbol", "lastPrice", "closeTime"]) {
        Some(Format::Ticker)
    } else if has(&["id", "price", "qty", "time"]) {
        Some(Format::Trade)
    } else if has(&["symbol", "price", "time"]) && !message.has("event_time") {
        Some(Format::Price)
    } else if has(&["a", "p", "q", "f", "l", "T"]) {
        Some(Format::AggTrade)
    } else {
        None
    }
}

pub(crate) fn read<'r>(
    format: Format,
    message: &Message<'_>,
    record: &Record<'r>,
    plan: &Plan<'r>,
    rows: &mut Rows,
) -> Step<()> {
    match format {
        Format::Ticker => ticker(message, rows),
        Format::Price => {
            symbol(message, "symbol", rows)?;
            event_time(message, "time", rows)?;
            decimal(message, ColumnId::Price, "price", rows)
        }
        Format::Trade => {
            named_or_beside(message, "symbol", record, plan, rows)?;
            trade(message, rows)
        }
        Format::AggTrade => {
            named_or_beside(message, "s", record, plan, rows)?;
            read_aggregate_of(message, rows)
        }
    }
}

fn named_or_beside<'r>(
    message: &Message<'_>,
    key: &str,
    record: &Record<'r>,
    plan: &Plan<'r>,
    rows: &mut Rows,
) -> Step<()> {
    match message.has(key) {
        true => symbol(message, key, rows),
        false => rows.symbol(symbol_beside(record, plan)?),
    }
}

fn ticker(message: &Message<'_>, rows: &mut Rows) -> Step<()> {
    if !is_of_24_hours(message)? {
        return Err(Apart::ignored("ticker of another time than 24 hours: not asked for"));
    }
    symbol(message, "symbol", rows)?;
    event_time(message, "closeTime", rows)?;
    if !has_never_traded(message)? {
        decimal(message, ColumnId::Price, "lastPrice", rows)?;
    }
    let keys =
        ["openPrice", "highPrice", "lowPrice", "volume", "quoteVolume", "priceChange", "priceChangePercent"];
    rolling(message, keys, "count", rows)
}

/// The exchange has tickers of other lengths, and of trading days, under the same names.
fn is_of_24_hours(message: &Message<'_>) -> Step<bool> {
    let Some(open) = message.get("openTime")? else { return Ok(true) };
    let open_us = open.exchange_time("openTime")?;
    let close_us = message.required("event_time", "closeTime")?.exchange_time("event_time")?;
    Ok((DAY_US..=DAY_US + MINUTE_US).contains(&(close_us - open_us)))
}

/// Lists of all tickers have pairs that were never traded: their price of 0 is no price.
fn has_never_traded(message: &Message<'_>) -> Step<bool> {
    let price = message.required("price", "lastPrice")?;
    let is_zero = price.plain().iter().all(|byte| matches!(byte, b'0' | b'.'));
    Ok(is_zero && message.get("count")?.is_some_and(|count| count.0 == b"0"))
}

fn trade(message: &Message<'_>, rows: &mut Rows) -> Step<()> {
    event_time(message, "time", rows)?;
    decimal(message, ColumnId::Price, "price", rows)?;
    decimal(message, ColumnId::Quantity, "qty", rows)?;
    if let Some(maker) = message.get("isBuyerMaker")? {
        rows.boolean(ColumnId::BuyerMaker, maker.boolean("buyer_maker")?);
    }
    let id = integer(message, ColumnId::Id, "id", rows)?;
    rows.integer(ColumnId::LastId, id)?;
    rows.integer(ColumnId::Trades, 1)
}
