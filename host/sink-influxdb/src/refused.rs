//! Points that no server took, as an object of the lake: a line of JSON each, with the reason.

use bytes::Bytes;
use serde_json::json;
use tallow_lake::hive;
use tallow_sink::SinkError;
use tallow_store::{Create, Digest, Store};

use crate::NAME;

/// A point that was set aside.
pub struct Refused<'p> {
    pub window: &'p str,
    pub line: &'p str,
    pub why: String,
}

/// Keeps the points of a commit that were refused; where. Any number of times, with one result for the same points and
/// reasons: the object is named by what it holds.
///
/// # Errors
/// The store takes no object.
pub fn keep(
    store: &Store,
    pipeline: &str,
    commit: &str,
    refused: &[Refused<'_>],
) -> Result<String, SinkError> {
    let lines = refused.iter().map(|it| {
        let line = json!({ "window": it.window, "reason": it.why, "line": it.line });
        format!("{line}\n")
    });
    let bytes = Bytes::from(lines.collect::<String>());
    let digest = Digest::of(&bytes);
    let name =
        format!("refused/{}/{NAME}/{commit}-{}.jsonl", hive::encode(pipeline), &digest.to_string()[..12]);
    match store.create(&name, bytes)? {
        Create::Created => Ok(name),
        Create::Exists { theirs } if Digest::of(&theirs) == digest => Ok(name),
        Create::Exists { theirs } => {
            Err(SinkError::Conflict { name, held: Digest::of(&theirs), wanted: digest })
        }
    }
}
