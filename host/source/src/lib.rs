//! Where records come from. [`Source`] is the edge: [`KafkaSource`] in production, [`MemorySource`] in tests and
//! simulations; [`conformance`] holds both to the same rules.

mod source;
mod topics;

mod kafka;
mod memory;

pub mod conformance;

pub use kafka::{Config, KafkaSource, REFUSED, check_client, refuse};
pub use memory::{MemoryLog, MemorySource, Raw};
pub use source::{
    Event, Fetcher, Limits, OnDataLoss, PartitionInfo, Position, Source, SourceError, is_answer,
};
pub use topics::Topics;
