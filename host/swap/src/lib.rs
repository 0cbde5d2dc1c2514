//! Functions that change while a pipeline runs: a candidate is rehearsed beside the pipeline, shadows it, is
//! swapped in at an epoch's end, proves itself on probation, and is rolled back where it does not.
//!
//! In the order of a candidate's way: [`watch`] (a changed file) and [`control`] (a request) → [`admission`] of a
//! [`candidate`], with [`rehearse`] → [`shadow`], [`comparison`] and [`tally`] → `requests` (what waits for an epoch's
//! end) → `probation`, `invariants` and `call_timing` (what it is held to). `hot_swap` attaches all of it to the
//! pipeline.

pub mod admission;
mod call_timing;
pub mod candidate;
pub mod comparison;
pub mod control;
mod error;
mod hot_swap;
mod invariants;
mod probation;
pub mod rehearse;
mod requests;
pub mod shadow;
pub mod tally;
pub mod watch;

pub use error::SwapError;
pub use hot_swap::{HotSwap, Target};
