//! A broker inside the process, for the demo: librdkafka's mock cluster, which speaks Kafka's protocol over a real
//! socket.
//!
//! It keeps 5 MiB and 100,000 batches a partition and then drops the oldest without a word, and it writes no
//! transaction markers. So its producer has to be held back by what is unread: see [`EMBEDDED_CAP`] and [`crate::Gate`].

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use rdkafka::mocking::MockCluster;

use crate::{Cap, ProduceError};

/// What may wait unread in a partition of the embedded broker: well below what it keeps.
pub const EMBEDDED_CAP: Cap = Cap { records: 50_000, bytes: 4 << 20 };

/// Runs until it is dropped; what it held is gone then.
pub struct EmbeddedBroker {
    brokers: String,
    stop: Option<SyncSender<()>>,
    owner: Option<JoinHandle<()>>,
}

impl EmbeddedBroker {
    /// Starts a broker with these topics, each with its number of partitions.
    ///
    /// # Errors
    /// No port, no memory, or a topic's name that Kafka does not allow.
    pub fn start(topics: &[(&str, i32)]) -> Result<Self, ProduceError> {
        let topics: Vec<(String, i32)> =
            topics.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        let (started, answer) = sync_channel(1);
        let (stop, stopped) = sync_channel(1);
        // The cluster may not change threads, so one thread makes it, keeps it and drops it.
        let owner = std::thread::Builder::new()
            .name("embedded-broker".to_owned())
            .spawn(move || {
                let cluster = open(&topics);
                let told = cluster.as_ref().map(MockCluster::bootstrap_servers).map_err(Clone::clone);
                if started.send(told).is_ok() {
                    // An error means that the broker was dropped: the same as being told.
                    let _ = stopped.recv();
                }
            })
            .map_err(|error| ProduceError::Broker(format!("no thread: {error}")))?;
        let brokers = answer
            .recv()
            .unwrap_or_else(|_| Err("it stopped while starting".to_owned()))
            .map_err(ProduceError::Broker)?;
        Ok(Self { brokers, stop: Some(stop), owner: Some(owner) })
    }

    /// `host:port`, for `bootstrap.servers`.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }
}

fn open(
    topics: &[(String, i32)],
) -> Result<MockCluster<'static, rdkafka::producer::DefaultProducerContext>, String> {
    let cluster = MockCluster::new(1).map_err(|error| error.to_string())?;
    for (topic, partitions) in topics {
        cluster
            .create_topic(topic, *partitions, 1)
            .map_err(|error| format!("topic `{topic}` with {partitions} partitions: {error}"))?;
    }
    Ok(cluster)
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(owner) = self.owner.take()
            && owner.join().is_err()
        {
            tracing::error!("the embedded broker's thread panicked");
        }
    }
}
