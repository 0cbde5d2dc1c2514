//! From a series to its future. [`model`] has all of the logic; the adapter moves it in and out of the contract.

pub mod model;

#[cfg(target_arch = "wasm32")]
mod adapter;
