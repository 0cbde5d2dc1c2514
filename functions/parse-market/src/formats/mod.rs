//! One format a file. A format sets the cells of a row from a message's fields; ending the row is the caller's.

pub(crate) mod kline;
pub(crate) mod rest_kline;
pub(crate) mod ticker;
pub(crate) mod timed;
pub(crate) mod trade;

use crate::json::{self, Message};
use crate::reason::Step;
use crate::rows::Rows;
use crate::schema::ColumnId;

fn symbol(message: &Message<'_>, key: &str, rows: &mut Rows) -> Step<()> {
    rows.symbol(&json::string("symbol", message.required("symbol", key)?)?)
}

/// An exchange's event time; returns it.
fn event_time(message: &Message<'_>, key: &str, rows: &mut Rows) -> Step<i64> {
    let time_us = json::exchange_time("event_time", message.required("event_time", key)?)?;
    rows.time(ColumnId::EventTime, time_us);
    Ok(time_us)
}

fn decimal(message: &Message<'_>, column: ColumnId, key: &str, rows: &mut Rows) -> Step<()> {
    let name = column.info().name;
    rows.decimal(column, &json::text(name, message.required(name, key)?)?)
}

/// Decimals that a message may leave out: null then.
fn optional_decimals(message: &Message<'_>, columns: &[(ColumnId, &str)], rows: &mut Rows) -> Step<()> {
    for &(column, key) in columns {
        if let Some(value) = message.get(key)? {
            rows.decimal(column, &json::text(column.info().name, value)?)?;
        }
    }
    Ok(())
}

fn integer(message: &Message<'_>, column: ColumnId, key: &str, rows: &mut Rows) -> Step<i64> {
    let name = column.info().name;
    let value = json::integer(name, message.required(name, key)?)?;
    rows.integer(column, value)?;
    Ok(value)
}

fn optional_integer(message: &Message<'_>, column: ColumnId, key: &str, rows: &mut Rows) -> Step<()> {
    match message.get(key)? {
        Some(value) => rows.integer(column, json::integer(column.info().name, value)?),
        None => Ok(()),
    }
}
