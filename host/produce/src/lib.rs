//! Market messages into Kafka: [`Generator`] makes up a market, [`Replay`] reads recordings, [`produce`] sends either
//! at a chosen [`Pace`], and [`EmbeddedBroker`] takes them where there is no Kafka.

mod broker;
mod error;
mod market;
mod message;
mod pace;
mod producer;
mod replay;
mod tail;
mod unread;

pub use broker::{EMBEDDED_CAP, EmbeddedBroker};
pub use error::ProduceError;
pub use market::{Faults, Generator, History, Last, Market, Newest, history};
pub use message::Message;
pub use pace::Pace;
pub use producer::{Delivered, Gate, Progress, SinkConfig, Summary, produce, produce_placed};
pub use replay::{Replay, ReplayCounts};
pub use tail::{Tail, newest};
pub use unread::{Cap, Unread};
