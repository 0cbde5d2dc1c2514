//! What functions make of records, for a pipeline, a batch, a backfill or a proof. In data-flow order:
//!
//! `byte_budget` (how many bytes may be under way), `parse` (a parse worker) and [`slices`] (what it makes of a batch) →
//! [`isolate`] (the window function fails on a slice) → [`ledger_entries`] and [`dead_letter`] (what became of each record).
//! [`plan`] is what a manifest asks of them, [`library`] keeps them in the lake. `search` finds the records that a
//! function fails on, `bisect_budget` bounds that search, `epoch_start` over `state` is where a new instance begins,
//! [`state_limit`] is for state that is too large, [`rekey`] for records that go out under another key. [`reasons`] counts them, `observer` is how others look on.

mod bisect_budget;
mod byte_budget;
pub mod dead_letter;
mod epoch_start;
mod error;
pub mod isolate;
pub mod ledger_entries;
pub mod library;
mod observer;
mod parse;
pub mod plan;
pub mod reasons;
pub mod rekey;
mod search;
pub mod slices;
mod state;
pub mod state_limit;
#[cfg(test)]
mod testing;

pub use bisect_budget::BisectBudget;
pub use byte_budget::{ByteBudget, Permit};
pub use epoch_start::EpochStart;
pub use error::WorkerError;
pub use isolate::Isolation;
pub use library::{Library, LibraryError};
pub use observer::{CallObserver, Unobserved};
pub use parse::{ParseJob, ParseOutcome, ParseSettings, ParseWorker, parse_function};
pub use plan::Plan;
pub use slices::{EventTimes, FetchedRange, ParsedBatch, ParsedSlice};
pub use state::{Sandboxed, StateCopy, forget_changes};
