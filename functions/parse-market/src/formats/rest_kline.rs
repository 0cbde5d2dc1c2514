//! Binance REST klines: arrays of 12, one of them or an array of them. They are final by contract: whoever
//! produces them leaves the running one out. They do not name their symbol: the setting `symbol` does, or the
//! record's key.

use serde_json::value::RawValue;

use super::kline::identity;
use crate::full::{Record, asked_for};
use crate::interval::Interval;
use crate::json::{self, Message, Shape};
use crate::options::Plan;
use crate::reason::{Apart, Step};
use crate::rows::Rows;
use crate::schema::{ColumnId, Kind};

const FIELDS: usize = 12;

/// Reads the items of an array into a row a kline.
pub(crate) fn read(items: &[&RawValue], record: &Record<'_>, plan: &Plan<'_>, rows: &mut Rows) -> Step<()> {
    let Some(first) = items.first() else {
        return Err(Apart::ignored("no klines: an empty array"));
    };
    let many = first.get().starts_with('[');
    if !many && items.len() != FIELDS {
        return Err(Apart::rejected(format!(
            "unknown message: an array of {}, not {FIELDS} as klines are",
            items.len()
        )));
    }
    asked_for(Kind::Kline, plan)?;
    let symbol = symbol(record, plan)?;
    if !many {
        return one(items, symbol, record.index, rows);
    }
    for (index, item) in items.iter().enumerate() {
        nested(item, symbol, record.index, rows)
            .map_err(|apart| apart.within(|| format!("kline {index}")))?;
    }
    Ok(())
}

fn nested(item: &RawValue, symbol: &str, record: u32, rows: &mut Rows) -> Step<()> {
    match Message::new().read(item.get())? {
        Shape::Array(fields) => one(&fields, symbol, record, rows),
        Shape::Object => Err(Apart::rejected(format!("an object, not an array of {FIELDS}"))),
    }
}

fn symbol<'r>(record: &Record<'r>, plan: &Plan<'r>) -> Step<&'r str> {
    if let Some(symbol) = plan.symbol {
        return Ok(symbol);
    }
    match record.key {
        Some(key) if !key.is_empty() => {
            std::str::from_utf8(key).map_err(|_| Apart::rejected("symbol: the record's key is not UTF-8"))
        }
        _ => Err(Apart::rejected("symbol: neither a setting `symbol` nor a record key names it")),
    }
}

fn one(fields: &[&RawValue], symbol: &str, record: u32, rows: &mut Rows) -> Step<()> {
    let &[open_time, open, high, low, close, volume, close_time, quote_volume, trades, taker, taker_quote, _] =
        fields
    else {
        return Err(Apart::rejected(format!("an array of {}, not {FIELDS}", fields.len())));
    };
    rows.symbol(symbol)?;
    let open_us = json::exchange_time("event_time", open_time)?;
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
        rows.decimal(column, &json::text(column.info().name, value)?)?;
    }
    rows.integer(ColumnId::Trades, json::integer("trades", trades)?)?;
    rows.end(record, Kind::Kline);
    Ok(())
}

/// A close time is the last unit (millisecond or microsecond) before the next open.
fn interval(open_time: &RawValue, open_us: i64, close_time: &RawValue) -> Step<Interval> {
    let close_us = json::exchange_time("close_time", close_time)?;
    let in_ms = json::integer("close_time", close_time)? != close_us;
    let next_open_us = close_us + if in_ms { 1_000 } else { 1 };
    Interval::between(open_us, next_open_us).ok_or_else(|| {
        Apart::rejected(format!(
            "interval: {} to {} is no whole number of seconds",
            open_time.get(),
            close_time.get()
        ))
    })
}
