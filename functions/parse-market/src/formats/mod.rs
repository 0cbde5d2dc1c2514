//! One format a file. A format sets the cells of a row from a message's fields; ending the row is the caller's.

pub(crate) mod kline;
pub(crate) mod rest;
pub(crate) mod rest_kline;
mod sound;
pub(crate) mod ticker;
pub(crate) mod timed;
pub(crate) mod trade;

use crate::message::Message;
use crate::options::Plan;
use crate::reason::{Apart, Step};
use crate::record::Record;
use crate::rows::Rows;
use crate::schema::ColumnId;

#[inline]
fn symbol(message: &Message<'_>, key: &str, rows: &mut Rows) -> Step<()> {
    rows.symbol(&message.required("symbol", key)?.string("symbol")?)
}

/// The symbol of what does not name it: the setting `symbol` does, or the record's key.
fn symbol_beside<'r>(record: &Record<'r>, plan: &Plan<'r>) -> Step<&'r str> {
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

/// An exchange's event time; returns it.
#[inline]
fn event_time(message: &Message<'_>, key: &str, rows: &mut Rows) -> Step<i64> {
    let time_us = message.required("event_time", key)?.exchange_time("event_time")?;
    rows.time(ColumnId::EventTime, time_us);
    Ok(time_us)
}

#[inline]
fn decimal(message: &Message<'_>, column: ColumnId, key: &str, rows: &mut Rows) -> Step<()> {
    rows.decimal(column, message.required(column.info().name, key)?)
}

/// Decimals that a message may leave out: null then.
fn optional_decimals<'k>(
    message: &Message<'_>,
    columns: impl IntoIterator<Item = (ColumnId, &'k str)>,
    rows: &mut Rows,
) -> Step<()> {
    for (column, key) in columns {
        if let Some(value) = message.get(key)? {
            rows.decimal(column, value)?;
        }
    }
    Ok(())
}

#[inline]
fn integer(message: &Message<'_>, column: ColumnId, key: &str, rows: &mut Rows) -> Step<i64> {
    let name = column.info().name;
    let value = message.required(name, key)?.integer(name)?;
    rows.integer(column, value)?;
    Ok(value)
}

#[inline]
fn optional_integer(message: &Message<'_>, column: ColumnId, key: &str, rows: &mut Rows) -> Step<()> {
    match message.get(key)? {
        Some(value) => rows.integer(column, value.integer(column.info().name)?),
        None => Ok(()),
    }
}
