//! Kafka by librdkafka, read in batches.
//!
//! Each fetcher is one client. The queues of its partitions are forwarded to one private queue, which is read a few
//! thousand messages at a time: cheaper than polling message by message (`examples/consume.rs` measures both). The
//! client's own queue is left to the client's events (errors, logs).

mod client;
mod contact;
mod fetcher;
mod ffi;
mod loss;
mod setting_names;
mod settings;
mod source;

pub use client::Context as ClientEvents;
pub use loss::{Verdict, judge};
pub use settings::{REFUSED, refuse};
pub use source::{Config, KafkaSource, check_client};
