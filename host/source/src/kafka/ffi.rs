//! Calls into librdkafka that the `rdkafka` crate does not wrap. All of this crate's `unsafe` is here.

mod queue;
mod topic_ids;

pub(super) use queue::{BatchQueue, Message};
pub(super) use topic_ids::topic_ids;
