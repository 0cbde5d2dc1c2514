//! Candles into databases of InfluxDB, each as one point. In the order in which it happens:
//!
//! - [`settings`]: which windows go where, and how they are written;
//! - [`line`]: line protocol: what a text, a number and a name become, so that no text can be more than itself;
//! - `prepare`: an epoch's output as [`Point`]s, a pure function;
//! - [`point`]: these as one file, which waits in the outbox until the epoch is committed;
//! - `request`, [`answer`]: what is sent, and what an answer means, both pure;
//! - `write`: sends lines in batches, and finds those that a server refuses;
//! - `refused`: keeps these where people see them;
//! - [`InfluxDb`]: the sink.
//!
//! A point is written over the one of the same measurement, tags and time, field by field. Every point says which of its
//! fields are null, so publishing again gives the same, any number of times.

pub mod answer;
pub mod line;
pub mod point;
mod prepare;
mod refused;
mod request;
pub mod settings;
mod sink;
mod write;

pub use point::Point;
pub use sink::{Edges, InfluxDb, NAME};
