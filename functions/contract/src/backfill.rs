//! The contract `tallow:backfill`: from an exchange's history to raw records.

use crate::ByteColumn;
pub use crate::exchange::{Answer, Pace};

/// A backfill function's description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub name: String,
    pub version: String,
}

/// Event time from `from_us` (inclusive) to `to_us` (exclusive), microseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Span {
    pub from_us: i64,
    pub to_us: i64,
}

impl Span {
    pub fn new(from_us: i64, to_us: i64) -> Self {
        Self { from_us, to_us }
    }

    /// Whether a time lies in it.
    pub fn contains(&self, time_us: i64) -> bool {
        self.from_us <= time_us && time_us < self.to_us
    }
}

/// What is wanted; the same for every call about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Options {
    /// The symbol as the lake has it: records name it so.
    pub symbol: String,
    /// The symbol as the exchange lists it.
    pub listed_as: String,
    /// Length of the bars to ask for, in microseconds.
    pub interval_us: u64,
    /// The function's own settings from the manifest, by name.
    pub settings: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "UPPERCASE"))]
pub enum Method {
    Get,
    Post,
}

/// What to ask. The host puts scheme, host and port before it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Request {
    pub method: Method,
    /// Begins with `/`; percent-encoded.
    pub path: String,
    /// Name and value, not encoded, in order.
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// What it takes of the exchange's allowance.
    pub weight: u32,
    /// What is known once it is answered in full.
    pub covers: Span,
}

impl Request {
    /// A request without headers and body.
    pub fn get(path: String, query: &[(&str, String)], weight: u32, covers: Span) -> Self {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self { method: Method::Get, path, query, headers: Vec::new(), body: Vec::new(), weight, covers }
    }
}

/// Bars, and what is known by them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Data {
    /// Messages for a parse function, one per bar, in order of time.
    pub records: ByteColumn,
    /// What is known now, within what the request covers.
    pub proved: Vec<Span>,
    /// Parts of `proved` for which the exchange has nothing.
    pub no_data: Vec<Span>,
    /// What to ask for the rest of what the request covers.
    pub next: Vec<Request>,
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Verdict {
    Data(Data),
    /// The same request may work later; why it did not now.
    Again(String),
    /// The same request will never work; what the exchange said.
    Never(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Decoded {
    pub verdict: Verdict,
    pub pace: Pace,
}
