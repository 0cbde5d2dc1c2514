//! Rebuilt tables on stores that break on demand.

#![allow(clippy::unwrap_used)] // Helpers of tests may panic as tests may.

mod bench;
mod faults;
mod files;
mod frozen;
mod large;
mod restore;
mod runs;
mod unfinished;
