//! Binance REST klines: arrays of 12, one of them or an array of them. They are final by contract: their
//! producer leaves the running one out. They do not name their symbol: the setting `symbol` does, or the
//! record's key.

use super::kline::identity;
use super::sound;
use super::symbol_beside;
use crate::interval::Interval;
use crate::json::Value;
use crate::json::array;
use crate::options::Plan;
use crate::reason::{Apart, Step};
use crate::record::{Record, asked_for};
use crate::rows::Rows;
use crate::schema::{ColumnId, Kind};

const FIELDS: usize = 12;

/// Reads the items of an array into a row a kline.
pub(crate) fn read(items: &[Value<'_>], record: &Record<'_>, plan: &Plan<'_>, rows: &mut Rows) -> Step<()> {
    let Some(first) = items.first() else {
        return Err(Apart::ignored("an empty array"));
    };
    let many = first.is_array();
    if !many && items.len() != FIELDS {
        return Err(Apart::rejected(format!(
            "unknown message: an array of {}, not {FIELDS} as klines are",
            items.len()
        )));
    }
    asked_for(Kind::Kline, plan)?;
    let symbol = symbol_beside(record, plan)?;
    if !many {
        return one(items, symbol, record.index, rows);
    }
    for (index, item) in items.iter().enumerate() {
        array(item.0)
            .and_then(|fields| one(&fields, symbol, record.index, rows))
            .map_err(|apart| apart.within(|| format!("kline {index}")))?;
    }
    Ok(())
}

fn one(fields: &[Value<'_>], symbol: &str, record: u32, rows: &mut Rows) -> Step<()> {
    let &[open_time, open, high, low, close, volume, close_time, quote_volume, trades, taker, taker_quote, _] =
        fields
    else {
        return Err(Apart::rejected(format!("an array of {}, not {FIELDS}", fields.len())));
    };
    sound::check([open, high, low, close])?;
    rows.symbol(symbol)?;
    let open_us = open_time.exchange_time("event_time")?;
    rows.time(ColumnId::EventTime, open_us);
    identity(interval(open_time, open_us, close_time)?, open_us, rows)?;
    for (column, value) in [
        (ColumnId::Open, open),
        (ColumnId::High, high),
        (ColumnId::Low, low),
        (ColumnId::Close, close),
        (ColumnId::Volume, volume),
        (ColumnId::QuoteVolume, quote_volume),
        (ColumnId::TakerBuyVolume, taker),
        (ColumnId::TakerBuyQuoteVolume, taker_quote),
    ] {
        rows.decimal(column, value)?;
    }
    rows.integer(ColumnId::Trades, trades.integer("trades")?)?;
    rows.end(record, Kind::Kline);
    Ok(())
}

/// A close time is the last unit (millisecond or microsecond) before the next open.
fn interval(open_time: Value<'_>, open_us: i64, close_time: Value<'_>) -> Step<Interval> {
    let close_us = close_time.exchange_time("close_time")?;
    let in_ms = close_time.integer("close_time")? != close_us;
    let next_open_us = close_us + if in_ms { 1_000 } else { 1 };
    Interval::between(open_us, next_open_us).ok_or_else(|| {
        let times = [open_time, close_time].map(|time| String::from_utf8_lossy(time.0));
        Apart::rejected(format!("interval: {} to {} is no whole number of seconds", times[0], times[1]))
    })
}
