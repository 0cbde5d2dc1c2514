//! Epochs: what lies between two commits. When one ends ([`cut`]), how far event time has come
//! ([`watermark`]), whether the data or the clock is wrong ([`future`]), whether every record is accounted
//! for ([`ledger`]), what holds the watermark back ([`hold`]) and whether the chunks taken tile the offsets ([`tiling`]).
//!
//! Pure: facts in, decision out. No clock, no I/O.

pub mod cut;
pub mod future;
pub mod hold;
pub mod ledger;
pub mod partition_time;
pub mod tiling;
pub mod watermark;

pub use hold::Hold;
pub use ledger::{Imbalance, Ledger, PartitionCounts, WindowCounts};
pub use partition_time::PartitionTime;
pub use watermark::Watermarks;
