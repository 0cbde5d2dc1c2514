//! Merges on a store in memory, with the merge component as it was built.

#![allow(clippy::unwrap_used)] // Helpers of tests may panic as tests may.

mod bench;
mod empty;
mod faults;
mod healing;
mod restore;
mod retention;
mod served;
mod unchanged;
