//! The exchange: what to subscribe to, what a frame is, and how what is missing is requested. This one is made up; change
//! it into yours.

use serde_json::{Value, json};

/// Where it is, unless the manifest says otherwise.
pub const WS_URL: &str = "wss://stream.example.com";
pub const REST_URL: &str = "https://api.example.com";
/// Path of the sockets.
pub const PATH: &str = "/ws";
/// The one stream that there is.
pub const STREAM: &str = "trades";
/// Symbols of one connection.
pub const SYMBOLS: usize = 100;
/// Most trades of an answer.
pub const PAGE: i64 = 500;
/// How long a symbol may be quiet before its newest id is asked for, in microseconds.
pub const QUIET_US: u64 = 60_000_000;
/// Requests of a minute, and what a request takes of them.
pub const ALLOWANCE: u32 = 600;
pub const WEIGHT: u32 = 1;

/// What a frame is. Ids are dense: each is its predecessor plus one.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// A record: the frame goes to Kafka as it is.
    Trade { symbol: String, id: i64 },
    /// The symbol is alive; perhaps the exchange tells its newest id.
    Alive { symbol: String, newest: Option<i64> },
    /// Nothing to do.
    Answer,
    /// The exchange refuses what it was asked for.
    Refused(String),
    /// Not known; why.
    Unknown(String),
}

/// A request: path, and query as names and values.
pub type Asked = (String, Vec<(String, String)>);

/// Whether the exchange writes a symbol like that.
pub fn is_symbol(symbol: &str) -> bool {
    !symbol.is_empty() && symbol.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-')
}

/// What subscribes to some symbols.
pub fn subscribe(symbols: &[&str]) -> String {
    json!({ "subscribe": symbols }).to_string()
}

/// What a frame is. A record that is read back from Kafka is one, too.
pub fn read(frame: &[u8]) -> Frame {
    let message: Value = match serde_json::from_slice(frame) {
        Ok(message) => message,
        Err(error) => return Frame::Unknown(error.to_string()),
    };
    if let Some(words) = message["error"].as_str() {
        return Frame::Refused(words.to_owned());
    }
    if message["subscribed"].is_array() {
        return Frame::Answer;
    }
    let symbol = message["symbol"].as_str().map(str::to_owned);
    match (symbol, message["id"].as_i64()) {
        (Some(symbol), Some(id)) if message["price"].is_string() => Frame::Trade { symbol, id },
        (Some(symbol), None) if message["heartbeat"] == true => {
            Frame::Alive { symbol, newest: message["newest"].as_i64() }
        }
        _ => Frame::Unknown("neither a trade nor a heartbeat".to_owned()),
    }
}

/// The request for ids from `first` on, up to `last`: the oldest first, at most [`PAGE`].
pub fn ids(symbol: &str, first: i64, last: i64) -> Asked {
    let limit = last.saturating_sub(first).saturating_add(1).clamp(1, PAGE);
    let query = [("symbol", symbol.to_owned()), ("from", first.to_string()), ("limit", limit.to_string())];
    ("/trades".to_owned(), query.map(|(name, value)| (name.to_owned(), value)).into())
}

/// The request for the newest trade.
pub fn newest(symbol: &str) -> Asked {
    let query = [("symbol", symbol.to_owned()), ("limit", "1".to_owned())];
    ("/trades".to_owned(), query.map(|(name, value)| (name.to_owned(), value)).into())
}

/// The trades of an answer: ids, and records as the socket would have sent them.
pub fn trades(body: &[u8]) -> Result<Vec<(i64, Vec<u8>)>, String> {
    let items: Vec<Value> = serde_json::from_slice(body).map_err(|error| format!("not a list: {error}"))?;
    let trade = |item: Value| match item["id"].as_i64() {
        Some(id) if item["price"].is_string() => Ok((id, item.to_string().into_bytes())),
        _ => Err(format!("not a trade: {item}")),
    };
    items.into_iter().map(trade).collect()
}
