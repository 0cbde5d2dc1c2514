//! What a message is, and what becomes of it: matches of Coinbase's WebSocket feed.

use serde_json::{Map, Value as Json};

use crate::number::{Decimal, utc_us};

/// The kinds of rows that this function makes; windows name those that they take.
pub const KINDS: [&str; 1] = ["trade"];

/// The columns that it can make.
pub const COLUMNS: [Column; 5] = [
    Column { name: "symbol", column_type: Type::Text, meaning: "what was traded" },
    Column { name: "event_time", column_type: Type::Time, meaning: "when it was traded, UTC" },
    Column { name: "price", column_type: Type::Decimal, meaning: "price of one, in the quote currency" },
    Column { name: "quantity", column_type: Type::Decimal, meaning: "how much was traded" },
    Column { name: "id", column_type: Type::Integer, meaning: "trade id, counted up by symbol" },
];

pub struct Column {
    pub name: &'static str,
    pub column_type: Type,
    /// With its unit.
    pub meaning: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Integer,
    /// Microseconds since 1970-01-01 UTC.
    Time,
    Decimal,
    Float,
    Boolean,
    Text,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Integer(i64),
    /// Microseconds since 1970-01-01 UTC.
    Time(i64),
    Decimal(Decimal),
    Float(f64),
    Boolean(bool),
    Text(String),
}

/// A kind, and a value for each of [`COLUMNS`]; `None` is null.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub kind: &'static str,
    pub values: [Option<Value>; COLUMNS.len()],
}

/// A message that gives no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Apart {
    /// It is known and not of interest. The reason is short: it is counted by it.
    Ignored(&'static str),
    /// It is broken. The reason is for people; the record is kept with it.
    Rejected(String),
}

/// The rows of one message: one, several, or a reason why there is none. It depends on the message alone, and never
/// panics, whatever the message is.
pub fn read(message: &[u8]) -> Result<Vec<Row>, Apart> {
    let json: Json =
        serde_json::from_slice(message).map_err(|error| Apart::Rejected(format!("not JSON: {error}")))?;
    let Json::Object(fields) = json else { return Err(Apart::Rejected("not a JSON object".to_owned())) };
    match fields.get("type").and_then(Json::as_str) {
        Some("match" | "last_match") => {}
        Some("heartbeat") => return Err(Apart::Ignored("heartbeat")),
        Some("subscriptions") => return Err(Apart::Ignored("subscriptions")),
        _ => return Err(Apart::Rejected("not a match".to_owned())),
    }
    Ok(vec![Row {
        kind: KINDS[0],
        values: [
            Some(Value::Text(text(&fields, "product_id")?.to_owned())),
            Some(Value::Time(time_us(&fields, "time")?)),
            Some(Value::Decimal(decimal(&fields, "price")?)),
            Some(Value::Decimal(decimal(&fields, "size")?)),
            integer(&fields, "trade_id").ok().map(Value::Integer),
        ],
    }])
}

fn text<'a>(fields: &'a Map<String, Json>, name: &str) -> Result<&'a str, Apart> {
    fields.get(name).and_then(Json::as_str).ok_or_else(|| Apart::Rejected(format!("`{name}` is no text")))
}

fn integer(fields: &Map<String, Json>, name: &str) -> Result<i64, Apart> {
    fields.get(name).and_then(Json::as_i64).ok_or_else(|| Apart::Rejected(format!("`{name}` is no integer")))
}

/// ISO 8601 in the message.
fn time_us(fields: &Map<String, Json>, name: &str) -> Result<i64, Apart> {
    utc_us(text(fields, name)?).ok_or_else(|| Apart::Rejected(format!("`{name}` is no time")))
}

/// A decimal as text, or as a JSON number.
fn decimal(fields: &Map<String, Json>, name: &str) -> Result<Decimal, Apart> {
    let read = match fields.get(name) {
        Some(Json::String(text)) => Decimal::read(text),
        Some(Json::Number(number)) => Decimal::read(&number.to_string()),
        _ => None,
    };
    read.ok_or_else(|| Apart::Rejected(format!("`{name}` is no decimal")))
}
