//! What can go wrong.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum ProduceError {
    #[error("{path}: {why}", path = path.display())]
    File { path: PathBuf, why: String },
    #[error("Kafka client setting `{key}`: {why}")]
    Setting { key: String, why: String },
    #[error(
        "topic `{topic}` does not exist on {brokers}: name another with --topic, or create it, as by `kafka-topics.sh \
         --bootstrap-server {brokers} --create --topic {topic} --partitions 4`"
    )]
    NoTopic { topic: String, brokers: String },
    #[error("topic `{topic}` on {brokers}: {why}")]
    Delivery { topic: String, brokers: String, why: String },
    #[error("the embedded broker: {0}")]
    Broker(String),
}
