//! The three sinks that write Parquet files, on stores in memory and in a folder.

#![allow(clippy::unwrap_used)] // Helpers of tests may panic as tests may.

mod broken;
mod candles;
mod conformance;
mod raw_records;
mod read;
