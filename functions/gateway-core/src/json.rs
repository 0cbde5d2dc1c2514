//! The form for people: rows as objects, decimals as strings, times as RFC 3339 or as microseconds since 1970-01-01
//! UTC. Records, columns and specs are written as golden vectors write them.

pub mod backfill;
mod base64;
mod columns;
pub mod merge;
pub mod parse;
mod specs;
mod table;
mod time;
pub mod window;

use serde::Deserialize;

use crate::http::Refused;

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused::malformed(format!("the body: {error}")))
}
