//! The log as its users see it: formats, stores, and what faults of a store do to a shard.

#![allow(clippy::unwrap_used)] // Helpers of tests may panic as tests may.

mod bench;
mod clean_up;
mod faults;
mod format;
mod large;
mod s3;
mod samples;
mod simulation;
mod stores;
