//! Market messages into Kafka: [`Generator`] makes up a market, [`Replay`] reads recordings, [`produce`] sends either
//! at a chosen [`Pace`], and [`EmbeddedBroker`] takes them where there is no Kafka.

mod broker;
mod data_id;
mod error;
mod market;
mod message;
mod pace;
mod producer;
mod replay;
mod tail;
mod unread;

pub use broker::{EMBEDDED_CAP, EmbeddedBroker};
pub use data_id::DataIds;
pub use error::ProduceError;
pub use market::{Faults, Generator, History, Last, Market, Newest, history};
pub use message::Message;
pub use pace::Pace;
pub use producer::{Delivered, Gate, Progress, Sender, SinkConfig, Summary, produce, produce_placed};
pub use replay::{Replay, ReplayCounts};
pub use tail::{Tail, newest, read_end};
pub use unread::{Cap, Unread};
