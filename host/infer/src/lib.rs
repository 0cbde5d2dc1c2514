//! Proposes `[trigger.kafka.schema]` from a sample of messages, with what it is unsure of.
//!
//! [`sample`] takes messages one by one; [`place`] is what was seen at one place of them; [`choice`] decides what a place
//! is; [`proposal`] writes it down.

mod choice;
mod place;
mod proposal;
mod sample;

pub use sample::{Sample, messages};
