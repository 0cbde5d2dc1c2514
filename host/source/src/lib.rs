//! Where records come from. [`Source`] is the edge: [`KafkaSource`] in production, topics in memory
//! (`tests/support`) in tests and simulations. One suite of tests holds both to the same rules.

mod source;
mod topics;

mod kafka;

pub use kafka::{ClientEvents, Config, KafkaSource, REFUSED, Verdict, check_client, judge, refuse};
pub use source::{
    Event, Fetcher, Limits, OnDataLoss, PartitionInfo, Position, Source, SourceError, is_answer,
};
pub use topics::{Chosen, Topics};
