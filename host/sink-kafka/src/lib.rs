//! Results into topics, each exactly once. In the order in which it happens:
//!
//! - [`settings`]: which results go to which topics, and how they are written;
//! - `prepare`, `json`: an epoch's output as [`Record`]s, a pure function;
//! - [`record`]: these as one file, which waits in the outbox until the epoch is committed;
//! - [`KafkaSink`]: publishes it as one transaction, with a marker that says through which commit everything is out;
//! - [`transactions`]: the edge to Kafka, in production [`Brokers`]: `config`, `client`, `marker`.
//!
//! What became of a transaction is never guessed: after anything but a clear yes the producer is given up, and the next
//! one reads the marker, once every transaction of the one before has ended.

mod brokers;
mod client;
mod config;
mod json;
mod marker;
mod prepare;
pub mod record;
pub mod settings;
mod sink;
pub mod transactions;

pub use brokers::Brokers;
pub use client::check_client;
pub use config::Config;
pub use record::Record;
pub use sink::{KafkaSink, NAME};
