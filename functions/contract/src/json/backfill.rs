//! What a backfill function is asked, and what it answers.

use serde::{Deserialize, Serialize};

use super::{Span, pairs};
use crate::backfill::{self, Method};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    symbol: String,
    /// Its name at the exchange, if that is another one.
    listed_as: Option<String>,
    interval_us: u64,
    #[serde(default, deserialize_with = "pairs")]
    settings: Vec<(String, String)>,
}

impl From<Options> for backfill::Options {
    fn from(options: Options) -> Self {
        Self {
            listed_as: options.listed_as.unwrap_or_else(|| options.symbol.clone()),
            symbol: options.symbol,
            interval_us: options.interval_us,
            settings: options.settings,
        }
    }
}

/// Spans as a function takes them.
pub fn spans(spans: &[Span]) -> Vec<backfill::Span> {
    spans.iter().copied().map(Into::into).collect()
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    method: Method,
    path: String,
    #[serde(default)]
    query: Vec<(String, String)>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: String,
    weight: u32,
    covers: Span,
}

crate::convert_record!(@one Request, backfill::Request, method path query headers body weight covers; ; );

impl From<backfill::Request> for Request {
    fn from(request: backfill::Request) -> Self {
        Self {
            method: request.method,
            path: request.path,
            query: request.query,
            headers: request.headers,
            body: text(&request.body),
            weight: request.weight,
            covers: request.covers.into(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    status: u16,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: String,
}

crate::convert_record!(@one Answer, backfill::Answer, status headers body; ; );

/// What an answer means.
#[derive(Debug, Default, Serialize)]
pub struct Decoded {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    records: Vec<String>,
    proved: Vec<Span>,
    no_data: Vec<Span>,
    next: Vec<Request>,
    used_weight: Option<u32>,
    wait_us: Option<u64>,
    banned: bool,
}

impl From<backfill::Decoded> for Decoded {
    fn from(decoded: backfill::Decoded) -> Self {
        let backfill::Pace { used_weight, wait_us, banned } = decoded.pace;
        let out = Self { used_weight, wait_us, banned, ..Self::default() };
        match decoded.verdict {
            backfill::Verdict::Again(why) => Self { verdict: "again", why: Some(why), ..out },
            backfill::Verdict::Never(why) => Self { verdict: "never", why: Some(why), ..out },
            backfill::Verdict::Data(data) => Self {
                verdict: "data",
                records: data.records.iter().map(text).collect(),
                proved: data.proved.into_iter().map(Into::into).collect(),
                no_data: data.no_data.into_iter().map(Into::into).collect(),
                next: data.next.into_iter().map(Into::into).collect(),
                ..out
            },
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
