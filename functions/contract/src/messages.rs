//! The binary messages between a host and a gateway: the records of `wit/`, in the order of their
//! fields, as [postcard](https://postcard.jamesmunns.com/wire-format) writes them. Each side has its own Rust types
//! for the records, generated from the same WIT, so the envelopes here are generic.
//!
//! An answer with status 200 and [`CONTENT_TYPE`] holds a `Result`: `Err` is the function's own refusal. Any
//! other status comes with a [`Fault`] as JSON.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Refusal, refuse};

/// The media type of the binary form. Its number is that of the contracts: `tallow:*@0.1.0`.
pub const CONTENT_TYPE: &str = "application/vnd.tallow.v0.1";

/// The media type of [`WINDOW`]'s binary form: `tallow:window@0.2.0`.
pub const WINDOW_CONTENT_TYPE: &str = "application/vnd.tallow.v0.2";

/// The media type of a contract's binary form, such as `tallow:parse/parse@0.1.0`'s.
pub fn content_type(contract: &str) -> &'static str {
    if contract.ends_with("@0.2.0") { WINDOW_CONTENT_TYPE } else { CONTENT_TYPE }
}

/// Largest body of a request and of an answer, in bytes: what every platform takes.
pub const MAX_BODY_BYTES: usize = 10 << 20;

/// Names of a gateway's answers: which function gave it (`parse-market 0.1.0`).
pub const FUNCTION_HEADER: &str = "tallow-function";

pub const PARSE: &str = "/parse";
pub const WINDOW: &str = "/window";
pub const MERGE: &str = "/merge";
pub const PLAN: &str = "/backfill/plan";
pub const DECODE: &str = "/backfill/decode";

/// A request of [`PARSE`]; answered by `tallow:parse`'s `parsed`.
#[derive(Debug, Serialize, Deserialize)]
pub struct ParseCall<Batch, Options> {
    pub batch: Batch,
    pub options: Options,
}

/// A request of [`WINDOW`]: steps from a state on; answered by a [`WindowAnswer`].
#[derive(Debug, Serialize, Deserialize)]
pub struct WindowCall<Spec, Part, Rows> {
    pub specs: Vec<Spec>,
    /// `None`: empty state.
    pub state: Option<State<Part>>,
    pub steps: Vec<Step<Rows>>,
}

/// What a window function's snapshot holds, and the watermark that held then.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State<Part> {
    pub watermark_us: i64,
    pub parts: Vec<Part>,
}

/// A function of `tallow:window`'s resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Step<Rows> {
    Update(Rows),
    /// To this watermark, µs.
    Advance(i64),
    CloseAll,
    Changed,
    Stats,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct WindowAnswer<Part, Report, Output, Stats> {
    /// One per step.
    pub results: Vec<StepResult<Report, Output, Stats>>,
    /// The parts that changed, those that hold nothing any more included.
    pub changed: Vec<Part>,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum StepResult<Report, Output, Stats> {
    Reports(Vec<Report>),
    Outputs(Vec<Output>),
    Stats(Vec<Stats>),
}

/// A request of [`MERGE`]; answered by `tallow:merge`'s `merged`.
#[derive(Debug, Serialize, Deserialize)]
pub struct MergeCall<Table, Input, Settings> {
    pub before: Option<Table>,
    pub inputs: Vec<Input>,
    pub settings: Settings,
}

/// A request of [`PLAN`]; answered by a list of `tallow:backfill`'s `request`.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlanCall<Options, Span> {
    pub options: Options,
    pub wanted: Vec<Span>,
    pub covered: Vec<Span>,
}

/// A request of [`DECODE`]; answered by `tallow:backfill`'s `decoded`.
#[derive(Debug, Serialize, Deserialize)]
pub struct DecodeCall<Options, Request, Answer> {
    pub options: Options,
    pub request: Request,
    pub answer: Answer,
}

/// Why a request was not carried out, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub error: String,
}

/// The part of the answer to `GET /` that a host needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    pub name: String,
    pub version: String,
    pub functions: Vec<AboutFunction>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AboutFunction {
    /// The interface that it exports, such as `tallow:parse/parse@0.1.0`.
    pub contract: String,
    pub name: String,
    pub version: String,
    /// Of a window function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_version: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads_state_versions: Vec<u32>,
    /// Of a parse function.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<AboutColumn>,
    #[serde(default)]
    pub wants_keys: bool,
    #[serde(default)]
    pub wants_headers: bool,
}

impl AboutFunction {
    /// The value of [`FUNCTION_HEADER`].
    pub fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AboutColumn {
    pub name: String,
    /// As in WIT: `int64`, `timestamp-us`, `decimal`, `float64`, `boolean`, `text`.
    #[serde(rename = "type")]
    pub column_type: String,
    pub meaning: String,
}

/// # Errors
/// What postcard cannot write; records of WIT are never that.
pub fn encode(message: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    postcard::to_allocvec(message).map_err(|error| error.to_string().into())
}

/// # Errors
/// Bytes that are no such message, or more than one.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let (message, rest) = postcard::take_from_bytes(bytes).map_err(|error| error.to_string())?;
    match rest.len() {
        0 => Ok(message),
        more => refuse!("{more} bytes follow the message"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_went_and_nothing_may_follow_it() {
        let call = ParseCall { batch: (vec![1_u8, 2], -5_i64), options: "x".to_owned() };
        let mut bytes = encode(&call).unwrap();
        let back: ParseCall<(Vec<u8>, i64), String> = decode(&bytes).unwrap();
        assert_eq!((back.batch, back.options), (call.batch, call.options));
        bytes.push(0);
        let error = decode::<ParseCall<(Vec<u8>, i64), String>>(&bytes).unwrap_err().to_string();
        assert_eq!(error, "1 bytes follow the message");
    }

    #[test]
    fn a_message_that_is_cut_off_is_an_error() {
        let mut bytes = encode(&vec![7_u64; 100]).unwrap();
        bytes.truncate(50);
        assert!(decode::<Vec<u64>>(&bytes).is_err());
        assert!(decode::<Vec<u64>>(&[255, 255, 255, 255, 15]).is_err());
    }
}
