//! The merge function: from the tables of one key to the one that is served.
//!
//! A pure function of tables and settings: no clock, no randomness, no files, no network. The modules, in the order
//! of the data's way:
//!
//! `settings` (what is asked for) and `input` (what each row says about its window) → `choose` (the one row of a
//! window that counts) → `series` (all windows in a row, the missing ones between) and `gaps` → `columns` (the
//! inputs' columns as one) → `average` over `exact` sums → [`merge()`] (the whole).
//!
//! What is promised: the result depends on the rows, not on their order (rows that are alike in all that counts
//! aside); a series that is merged piece by piece is the one that is merged at once.

mod average;
mod choose;
mod columns;
mod exact;
mod gaps;
mod input;
mod merge;
mod series;
mod settings;

#[cfg(target_arch = "wasm32")]
mod adapter;

pub use merge::merge;
pub use tallow_contract::merge::{Average, Gap, Input, Lack, Merged, Range, Settings, Source};
