//! What is asked and answered, in the words of the contract `tallow:backfill`.

use crate::Span;

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The symbol as the lake has it.
    pub symbol: String,
    /// The symbol as the exchange lists it.
    pub listed_as: String,
    pub interval_us: i64,
    pub settings: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    /// Begins with `/`; percent-encoded.
    pub path: String,
    /// Not encoded.
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub weight: u32,
    pub covers: Span,
}

impl Request {
    pub fn get(path: String, query: &[(&str, String)], weight: u32, covers: Span) -> Self {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self { method: Method::Get, path, query, headers: Vec::new(), body: Vec::new(), weight, covers }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }
}

/// What an answer says about how fast may be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    pub used_weight: Option<u32>,
    pub wait_us: Option<u64>,
    pub banned: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// In order of their time.
    pub records: Vec<Vec<u8>>,
    pub proved: Vec<Span>,
    pub no_data: Vec<Span>,
    pub next: Vec<Request>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Data(Data),
    Again(String),
    Never(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    pub verdict: Verdict,
    pub pace: Pace,
}
