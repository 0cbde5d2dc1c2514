//! Which windows go to which databases.

use std::collections::BTreeMap;
use std::fmt;

/// What the manifest asks of a pipeline's windows.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// By window.
    pub windows: BTreeMap<String, Window>,
}

/// How a window's candles become points.
#[derive(Clone, Debug)]
pub struct Window {
    pub measurement: String,
    /// Beside the window's keys, the same in every point; none is empty.
    pub tags: BTreeMap<String, String>,
    pub decimals: Decimals,
    pub mode: Mode,
    pub server: Server,
}

/// Where points are written.
#[derive(Clone, Debug)]
pub struct Server {
    /// `http://host:8086`, without a slash at the end.
    pub url: String,
    pub database: Database,
    pub credentials: Credentials,
    /// Points in one request; at least 1.
    pub batch_points: usize,
    /// Where the manifest names it, for messages.
    pub key: String,
}

/// A database, as the server's version addresses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// `/write`
    V1 { database: String, retention_policy: Option<String> },
    /// `/api/v2/write`
    V2 { org: String, bucket: String },
    /// `/api/v3/write_lp`
    V3 { database: String },
}

#[derive(Clone)]
pub enum Credentials {
    Nothing,
    Token(String),
    Password { user: String, password: String },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "none",
            Self::Token(_) => "a token",
            Self::Password { .. } => "a password",
        })
    }
}

/// Which candles are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Of windows that close.
    #[default]
    Append,
    /// Of open windows that change, too.
    Update,
}

/// How decimals are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decimals {
    /// As floats: InfluxDB keeps the nearest double.
    #[default]
    Float,
    /// As strings, with every digit.
    Text,
}

impl Server {
    /// What messages call it.
    pub fn service(&self) -> String {
        format!("InfluxDB ({})", self.url)
    }
}
