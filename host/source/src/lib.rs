//! Where records come from. [`Source`] is the edge: Kafka in production, memory in tests.

mod source;

pub use source::{Event, Fetcher, Limits, PartitionInfo, Position, Source, SourceError};
