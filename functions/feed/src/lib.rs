//! What feed functions share. An exchange differs in what is subscribed to, what its frames are, and how it is asked for
//! what is missing ([`Exchange`]); the names of a subscription ([`Names`]), what a refusal means, and the contract
//! `tallow:feed` around it ([`adapter`]) are the same for all.
//!
//! [`plan`], [`read`], [`ask`] and [`answer`] are pure, and know nothing of WebAssembly.

#[cfg(target_arch = "wasm32")]
pub mod adapter;
mod exchange;
mod names;

pub use exchange::{Exchange, Reading, answer, ask, plan, read};
pub use names::Names;
pub use serde_json::value::RawValue;
pub use tallow_contract::exchange::excerpt;
pub use tallow_contract::feed::*;
pub use tallow_contract::{ByteColumn, Refusal, refuse};

/// A minute and a second, in microseconds.
pub const MINUTE_US: u64 = 60_000_000;
pub const SECOND_US: u64 = 1_000_000;

/// An integer that was written as a number or in quotes.
pub fn integer(raw: &RawValue) -> Option<i64> {
    raw.get().trim_matches('"').parse().ok()
}

/// Series in groups of at most so many, for one connection or one message each.
pub fn groups(series: &[Series], most: usize) -> impl Iterator<Item = &[Series]> {
    series.chunks(most.max(1))
}
