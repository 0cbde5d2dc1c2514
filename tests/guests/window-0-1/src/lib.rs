//! A window function that counts rows by tumbling window and key, built for `tallow:window@0.1.0`: functions of the
//! contract before this one go on to work. What it counts, and how, is `hostile-window`'s.

#![cfg(target_arch = "wasm32")]

mod adapter;
#[path = "../../hostile-window/src/counts.rs"]
mod counts;
#[path = "../../hostile-window/src/misdeed.rs"]
mod misdeed;
#[path = "../../hostile-window/src/variant.rs"]
mod variant;
