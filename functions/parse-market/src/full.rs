//! Any message: told by its look, then read by its format.

use crate::formats;
use crate::json::Value;
use crate::message::{Message, Shape};
use crate::options::Plan;
use crate::reason::{Apart, Step, excerpt};
use crate::record::{Record, asked_for};
use crate::rows::Rows;
use crate::schema::Kind;

/// Events of the exchange's streams of which no rows are made.
const OTHER_EVENTS: [&str; 19] = [
    "24hrMiniTicker",
    "1hTicker",
    "4hTicker",
    "1dTicker",
    "avgPrice",
    "balanceUpdate",
    "bookTicker",
    "continuous_kline",
    "contractInfo",
    "depthUpdate",
    "executionReport",
    "forceOrder",
    "hole",
    "indexPriceUpdate",
    "listStatus",
    "listenKeyExpired",
    "markPriceUpdate",
    "outboundAccountPosition",
    "serverShutdown",
];

/// How many keys of an unknown message its reason names.
const SHOWN_KEYS: usize = 6;

/// Reads a record into rows. On an error rows may have been made: the caller takes them back.
pub(crate) fn read<'a>(
    record: &Record<'a>,
    plan: &Plan<'_>,
    message: &mut Message<'a>,
    rows: &mut Rows,
) -> Step<()> {
    if record.value.is_empty() {
        return Err(Apart::rejected("empty value"));
    }
    // Nearly all are ASCII, which a vectorized pass tells in a tenth of the time.
    if !record.value.iter().fold(0, |all, byte| all | byte).is_ascii() {
        std::str::from_utf8(record.value)
            .map_err(|error| Apart::rejected(format!("not UTF-8 at byte {}", error.valid_up_to())))?;
    }
    match message.read(record.value)? {
        Shape::Array(items) => list(&items, record, plan, message, rows),
        Shape::Object if message.has("stream") && message.has("data") => {
            let data = message.required("data", "data")?;
            match message.read(data.0).map_err(|apart| apart.within(|| "data".to_owned()))? {
                Shape::Object => object(record, plan, message, rows),
                Shape::Array(items) => list(&items, record, plan, message, rows)
                    .map_err(|apart| apart.within(|| "data".to_owned())),
            }
        }
        Shape::Object => object(record, plan, message, rows),
    }
}

/// An array: of klines, which are arrays, or of messages. Items that are ignored among others give no row; a broken one
/// makes the record a broken one.
fn list<'a>(
    items: &[Value<'a>],
    record: &Record<'a>,
    plan: &Plan<'_>,
    message: &mut Message<'a>,
    rows: &mut Rows,
) -> Step<()> {
    if !items.first().is_some_and(|item| item.is_object()) {
        return formats::rest_kline::read(items, record, plan, rows);
    }
    let (before, mut ignored) = (rows.count(), None);
    for (index, item) in items.iter().enumerate() {
        let mark = rows.mark();
        let read = message.read(item.0).and_then(|shape| match shape {
            Shape::Object => object(record, plan, message, rows),
            Shape::Array(_) => Err(Apart::rejected("an array, not an object")),
        });
        match read {
            Ok(()) => {}
            Err(apart) if apart.is_ignored() => {
                rows.back_to(mark);
                ignored.get_or_insert(apart);
            }
            Err(apart) => return Err(apart.within(|| format!("item {index}"))),
        }
    }
    match ignored {
        Some(apart) if rows.count() == before => Err(apart),
        _ => Ok(()),
    }
}

fn object(record: &Record<'_>, plan: &Plan<'_>, message: &mut Message<'_>, rows: &mut Rows) -> Step<()> {
    if let Some(event) = message.get("e")? {
        return binance_event(record.index, event, plan, message, rows);
    }
    let has = |keys: &[&str]| keys.iter().all(|key| message.has(key));
    if let Some(format) = formats::rest::told(message) {
        asked_for(format.kind(), plan)?;
        formats::rest::read(format, message, record, plan, rows)?;
        rows.end(record.index, format.kind());
        return Ok(());
    }
    let kind = if has(&["symbol", "event_time"]) {
        Kind::Ticker
    } else if has(&["data_id", "name", "timestamp"]) {
        Kind::Json
    } else if has(&["u", "s", "b", "B", "a", "A"])
        || has(&["symbol", "bidPrice", "bidQty", "askPrice", "askQty"])
    {
        return Err(Apart::ignored("bookTicker: not asked for"));
    } else if has(&["lastUpdateId", "bids", "asks"]) {
        return Err(Apart::ignored("partial depth: not asked for"));
    } else if message.has("id") && (message.has("result") || message.has("error")) {
        return Err(Apart::ignored("answer to a subscription"));
    } else if has(&["symbol", "price"]) {
        return Err(Apart::rejected("event_time: missing: a price without its time belongs to no window"));
    } else {
        return Err(Apart::rejected(format!("unknown message: no known \"e\", {}", keys_shown(message))));
    };
    asked_for(kind, plan)?;
    match kind {
        Kind::Ticker => formats::ticker::read_polled(message, rows)?,
        _ => formats::timed::read(message, rows)?,
    }
    rows.end(record.index, kind);
    Ok(())
}

fn binance_event(
    record: u32,
    event: Value<'_>,
    plan: &Plan<'_>,
    message: &mut Message<'_>,
    rows: &mut Rows,
) -> Step<()> {
    let kind = match event.0 {
        b"\"trade\"" => Kind::Trade,
        b"\"aggTrade\"" => Kind::AggTrade,
        b"\"kline\"" => Kind::Kline,
        b"\"24hrTicker\"" => Kind::Ticker,
        _ => {
            return Err(match OTHER_EVENTS.iter().find(|known| known.as_bytes() == event.plain()) {
                Some(known) => Apart::ignored(format!("{known}: not asked for")),
                None => Apart::rejected(format!("unknown message: \"e\" is {}", excerpt(event.plain()))),
            });
        }
    };
    if kind == Kind::Trade && formats::trade::is_off_market(message)? {
        return off_market(record, plan, message, rows);
    }
    asked_for(kind, plan)?;
    match kind {
        Kind::Trade => formats::trade::read(message, rows)?,
        Kind::AggTrade => formats::trade::read_aggregate(message, rows)?,
        Kind::Kline => formats::kline::read(message, rows)?,
        _ => formats::ticker::read_24hr(message, rows)?,
    }
    rows.end(record, kind);
    Ok(())
}

fn off_market(record: u32, plan: &Plan<'_>, message: &Message<'_>, rows: &mut Rows) -> Step<()> {
    if !plan.wants_ids_of_trades() {
        return asked_for(Kind::TradeIds, plan);
    }
    formats::trade::read_ids(message, rows)?;
    rows.end(record, Kind::TradeIds);
    Ok(())
}

/// The first keys of a message, to tell what it is.
fn keys_shown(message: &Message<'_>) -> String {
    let keys = message.first_keys(SHOWN_KEYS + 1);
    let mut shown: Vec<String> = keys.iter().take(SHOWN_KEYS).map(|key| plain_or_quoted(key)).collect();
    if shown.is_empty() {
        return "no keys".to_owned();
    }
    if keys.len() > SHOWN_KEYS {
        shown.push("…".to_owned());
    }
    format!("keys {}", shown.join(", "))
}

fn plain_or_quoted(key: &[u8]) -> String {
    match std::str::from_utf8(key) {
        Ok(key)
            if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') =>
        {
            key.chars().take(24).collect()
        }
        _ => excerpt(key),
    }
}
