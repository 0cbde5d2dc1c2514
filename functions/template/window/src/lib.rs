//! Rows into windows. [`windows`], [`cell`] and [`state`] have all of the logic; the adapter moves it in and out of
//! the contract.

pub mod cell;
pub mod state;
pub mod windows;

#[cfg(target_arch = "wasm32")]
mod adapter;
