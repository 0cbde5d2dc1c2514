//! JSON taken apart without reading its numbers: what an exchange wrote goes to the parse function as it was written.

use serde_json::value::RawValue;
use tallow_contract::exchange::excerpt;
use tallow_contract::{Refusal, refuse};

/// A JSON value as it was written.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    pub fn text(self) -> &'a str {
        self.0
    }

    /// As an integer, which may be in quotes.
    pub fn integer(self) -> Option<i64> {
        self.0.trim_matches('"').parse().ok()
    }

    /// Whether it is a number, in quotes or not.
    pub fn is_number(self) -> bool {
        self.0.trim_matches('"').parse::<f64>().is_ok_and(f64::is_finite)
    }

    /// The items of an array.
    pub fn items(self) -> Option<Vec<Raw<'a>>> {
        let items: Vec<&'a RawValue> = serde_json::from_str(self.0).ok()?;
        Some(items.into_iter().map(|item| Raw(item.get())).collect())
    }
}

/// The items of a text that is one JSON array.
pub fn array(text: &[u8]) -> Result<Vec<Raw<'_>>, Refusal> {
    let items: Result<Vec<&RawValue>, _> = serde_json::from_slice(text);
    match items {
        Ok(items) => Ok(items.into_iter().map(|item| Raw(item.get())).collect()),
        Err(error) => refuse!("not an array of bars: {error}: {}", excerpt(text)),
    }
}
