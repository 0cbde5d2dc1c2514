//! From an exchange to records. [`exchange`] has all of the logic; the adapter moves it in and out of the contract.

pub mod exchange;

#[cfg(target_arch = "wasm32")]
mod adapter;
