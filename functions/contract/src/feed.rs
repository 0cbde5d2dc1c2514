//! The contract `tallow:feed`: from an exchange's sockets and REST API to records.

use crate::ByteColumn;
pub use crate::exchange::{Answer, Pace};

/// A feed function's description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub name: String,
    pub version: String,
    /// Where the exchange is, unless the manifest says otherwise.
    pub ws_url: String,
    pub rest_url: String,
}

/// What is wanted; the same for every call about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Subscription {
    pub symbols: Vec<String>,
    pub streams: Vec<String>,
    /// The function's own settings from the manifest, by name.
    #[cfg_attr(feature = "serde", serde(default))]
    pub settings: Vec<(String, String)>,
}

impl Subscription {
    /// The value of a setting.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The symbol of a series.
    pub fn symbol(&self, series: Series) -> &str {
        self.symbols.get(series.symbol as usize).map_or("", String::as_str)
    }

    /// The stream of a series.
    pub fn stream(&self, series: Series) -> &str {
        self.streams.get(series.stream as usize).map_or("", String::as_str)
    }
}

/// One stream of one symbol: indices into the subscription's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Series {
    pub symbol: u32,
    pub stream: u32,
}

/// What the ids of a series promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum Law {
    /// Each id is its predecessor plus one.
    Dense,
    /// A later record has a higher id.
    Rising,
    /// Records have no ids.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct StreamPlan {
    pub law: Law,
    /// Whether ids of the stream, and its newest one, can be requested.
    pub refetch: bool,
    /// A series of which nothing was heard for so long is suspicious.
    pub quiet_us: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Connection {
    /// What follows the host.
    pub path: String,
    /// What is sent once the connection is open.
    pub frames: Vec<String>,
    pub carries: Vec<Series>,
}

/// What is asked again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Poll {
    pub request: Request,
    pub period_us: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Plan {
    /// One for each stream of the subscription.
    pub streams: Vec<StreamPlan>,
    pub connections: Vec<Connection>,
    pub polls: Vec<Poll>,
    /// Time between two frames that are sent.
    pub pace_us: u64,
    /// Age at which a connection is replaced.
    pub life_us: u64,
    /// A connection on which nothing arrives for so long is dead.
    pub silence_us: u64,
    /// Connections that the exchange allows in `attempts_per_us`.
    pub attempts: u32,
    pub attempts_per_us: u64,
    /// The allowance of requests for a minute.
    pub weight: u32,
}

/// That a series is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Heard {
    pub series: Series,
    /// The newest id that it has, if the exchange says so.
    pub newest: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum Said {
    /// Send this text.
    Reply(String),
    /// The exchange refuses what it was asked for; its words.
    Refused(String),
    /// The exchange asks to leave the connection; its words.
    Leave(String),
    /// Neither data nor anything that is known.
    Unknown(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Notice {
    pub frame: u32,
    pub said: Said,
}

/// Records with their series and ids, column by column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Messages for a parse function.
    pub values: ByteColumn,
    pub series: Vec<Series>,
    pub ids: Vec<i64>,
}

impl Records {
    pub fn push(&mut self, series: Series, id: i64, value: &[u8]) {
        self.values.push(Some(value));
        self.series.push(series);
        self.ids.push(id);
    }

    /// Each record's series, id and value.
    pub fn iter(&self) -> impl Iterator<Item = (Series, i64, &[u8])> {
        self.series
            .iter()
            .zip(&self.ids)
            .zip(self.values.iter())
            .map(|((series, id), value)| (*series, *id, value))
    }
}

/// What frames hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// In the order of the frames.
    pub records: Records,
    pub heard: Vec<Heard>,
    pub notices: Vec<Notice>,
}

/// Ids of a series, both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub struct Span {
    pub series: Series,
    pub first: i64,
    pub last: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Want {
    Ids(Span),
    /// The newest record of a series.
    Newest(Series),
    /// A poll, by its index in the plan.
    Poll(u32),
}

/// What to ask. The host puts scheme, host and port before it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Request {
    /// Begins with `/`; percent-encoded.
    pub path: String,
    /// Name and value, not encoded, in order.
    pub query: Vec<(String, String)>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub headers: Vec<(String, String)>,
    /// What it takes of the exchange's allowance.
    pub weight: u32,
}

impl Request {
    pub fn get(path: impl Into<String>, query: &[(&str, String)], weight: u32) -> Self {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self { path: path.into(), query, headers: Vec::new(), weight }
    }
}

/// A part of what an exchange has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// In any order.
    pub records: Records,
    /// What to ask for the rest.
    pub next: Option<Request>,
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Page(Page),
    /// The same request may work later; why it did not now.
    Again(String),
    /// The same request will never work; what the exchange said.
    Never(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    pub verdict: Verdict,
    pub pace: Pace,
}
