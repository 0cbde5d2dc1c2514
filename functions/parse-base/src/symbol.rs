//! Symbols: text of 1 to 256 bytes.

use tallow_contract::{Refusal, refuse};

use crate::reason::{Apart, Step};

/// Longest symbol, in bytes.
const MAX_BYTES: usize = 256;

/// A symbol that a message or line has.
pub fn of_record(symbol: &str) -> Step<&str> {
    match symbol.len() {
        0 => Err(Apart::rejected("symbol: empty")),
        1..=MAX_BYTES => Ok(symbol),
        length => Err(Apart::rejected(format!("symbol: {length} bytes, more than {MAX_BYTES}"))),
    }
}

/// The setting `symbol`.
///
/// # Errors
/// It is empty or too long.
pub fn of_setting(symbol: &str) -> Result<&str, Refusal> {
    match symbol.len() {
        1..=MAX_BYTES => Ok(symbol),
        length => refuse!("setting `symbol` takes 1 to {MAX_BYTES} bytes, not {length}"),
    }
}
