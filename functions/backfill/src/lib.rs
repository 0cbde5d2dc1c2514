//! What backfill functions share. An exchange differs in how it is asked, how it writes bars, and how it refuses
//! ([`Exchange`]); pages ([`page`]), what an answer proves ([`bars`]) and the contract `tallow:backfill` around it
//! ([`adapter`]) are the same for all.
//!
//! [`plan`] and [`decode`] are pure, and know nothing of WebAssembly.

#[cfg(target_arch = "wasm32")]
pub mod adapter;
mod bars;
mod exchange;
mod page;
mod raw;
mod span;

pub use bars::Bar;
pub use exchange::{Exchange, decode, interval_us, plan};
pub use raw::{Raw, array};
pub use tallow_contract::backfill::{Answer, Data, Decoded, Method, Options, Pace, Request, Span, Verdict};
pub use tallow_contract::exchange::excerpt;
pub use tallow_contract::{Refusal, refuse};
