//! From messages to rows. [`message`] has all of the logic; the adapter moves it in and out of the contract.

pub mod message;
pub mod number;

#[cfg(target_arch = "wasm32")]
mod adapter;
