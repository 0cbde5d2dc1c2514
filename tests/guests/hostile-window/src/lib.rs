//! A window function that counts rows by tumbling window and key, and does wrong where it is told to: by the
//! name of a spec (`misdeed::by_spec`; habits that break a rule of vetting each are in `counts`), by the id of a row
//! (`misdeed::by_id`), or in all that it does (`variant`).

#![cfg(target_arch = "wasm32")]

mod adapter;
mod counts;
mod misdeed;
mod variant;
