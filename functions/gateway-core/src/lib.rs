//! The functions over HTTP: state in, state out, nothing kept between requests. [`respond`] takes a request that was
//! read whole, and gives an answer; the worlds that carry them (`gateway`: wasi:http 0.3, `gateway-p2`: 0.2) are
//! other crates.
//!
//! In the order of a request's way: `http` (what comes and goes) → `route` (which function, which form) →
//! `binary` and `json` (bodies to the contracts' records and back) → `limits` (what is too much for one request)
//! → [`contracts`] (the call). `about` says what a gateway is, `browsers` lets pages read answers.

mod about;
mod binary;
mod browsers;
pub mod contracts;
mod http;
mod json;
mod limits;
mod route;
mod steps;

pub use http::{Request, Response};
pub use route::{respond, too_large};
pub use tallow_contract::messages::MAX_BODY_BYTES;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
