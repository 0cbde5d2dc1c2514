//! The other side, for tests and simulations: what a server sees, and what it answers or fails to.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub method: String,
    /// Without the query, as it was written.
    pub path: String,
    /// Without the `?`; empty where there is none.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A value of the query, percent-decoded.
    pub fn query_value(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }
}

/// What is wrong with an answer on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    #[default]
    None,
    /// The connection is closed without an answer.
    Silent,
    /// The connection is closed in the middle of the body.
    CutShort,
    /// The answer comes after so long.
    Slow(Duration),
    /// The body is repeated without end.
    Endless,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub trouble: Trouble,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), trouble: Trouble::None }
    }

    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::new(200, body)
    }

    pub fn redirect(status: u16, to: &str) -> Self {
        Self::new(status, "").with_header("location", to)
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn with_trouble(mut self, trouble: Trouble) -> Self {
        self.trouble = trouble;
        self
    }
}

/// A server's mind.
pub type Handler = Arc<dyn Fn(&Received) -> Answer + Send + Sync>;
