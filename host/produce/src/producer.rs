//! Sends messages to Kafka, paced and held back.

mod context;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaConfRes;
use tallow_env::{Clock, Ticks};

use crate::pace::Schedule;
use crate::unread::{Cap, Unread};
use crate::{Message, Pace, ProduceError};
pub use context::Delivered;
use context::Deliveries;

const FIXED: &[(&str, &str)] = &[("enable.idempotence", "true")];
/// Large batches, bounded memory, and partitions chosen as Java's clients do.
const DEFAULTS: &[(&str, &str)] = &[
    ("client.id", "tallow-produce"),
    ("linger.ms", "5"),
    ("batch.num.messages", "20000"),
    ("batch.size", "1000000"),
    ("queue.buffering.max.messages", "200000"),
    ("queue.buffering.max.kbytes", "131072"),
    ("partitioner", "murmur2_random"),
];
/// How long to wait at once: deliveries are served and progress is reported in between.
const SLICE: Duration = Duration::from_millis(50);
/// Waits shorter than this are not worth a sleep; the schedule makes up for them.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// How long a broker may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
/// How often to look for the topic, and how long to wait in between.
const TOPIC_TRIES: u32 = 5;
const TOPIC_WAIT: Duration = Duration::from_millis(300);
/// Events of a client that may wait to be served.
const EVENTS: u32 = 64;
/// Messages between two looks at the deliveries.
const SERVE_EVERY: u64 = 256;

/// Where to.
#[derive(Clone, Debug)]
pub struct SinkConfig {
    /// `host:port`, several by commas.
    pub brokers: String,
    /// Settings of the Kafka client, passed through.
    pub client: BTreeMap<String, String>,
    pub topic: String,
}

/// Holds the producer back while too much is unread, for brokers that forget what is too much.
pub struct Gate<'a> {
    pub cap: Cap,
    /// The next offset that readers have committed in a partition.
    pub committed: &'a dyn Fn(i32) -> i64,
}

/// What has been done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records and bytes of keys and values that the broker has.
    pub records: u64,
    pub bytes: u64,
    /// Records handed to the client and not answered yet.
    pub on_the_way: u64,
    pub elapsed: Duration,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub records: u64,
    pub bytes: u64,
    pub elapsed: Duration,
    /// The callback asked to stop before the stream's end.
    pub stopped: bool,
    /// The message whose turn it was then: it was taken from the stream and not sent.
    pub unsent: Option<Message>,
}

/// Sends a stream until its end, or until `progress` (called a few times a second) says stop. Returns when the broker
/// has all that was sent.
///
/// # Errors
/// No broker, no topic, a wrong setting, a record that the broker did not take, or the stream's own.
pub fn produce(
    messages: impl IntoIterator<Item = Result<Message, ProduceError>>,
    sink: &SinkConfig,
    pace: Pace,
    gate: Option<Gate<'_>>,
    clock: &dyn Clock,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Summary, ProduceError> {
    run(messages, Sender::new(sink, gate, None, clock, progress)?, pace)
}

/// The same as fast as it goes; `placed` is told where each message is, once the broker has it.
///
/// # Errors
/// As [`produce`].
pub fn produce_placed(
    messages: impl IntoIterator<Item = Result<Message, ProduceError>>,
    sink: &SinkConfig,
    placed: &mut dyn FnMut(Delivered),
    clock: &dyn Clock,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Summary, ProduceError> {
    run(messages, Sender::new(sink, None, Some(placed), clock, progress)?, Pace::Max)
}

fn run(
    messages: impl IntoIterator<Item = Result<Message, ProduceError>>,
    mut sender: Sender<'_>,
    pace: Pace,
) -> Result<Summary, ProduceError> {
    let mut schedule = Schedule::new(pace);
    for message in messages {
        let message = message?;
        let due = schedule.next(message.due_us);
        if sender.wait_until(due)?.is_break() || sender.send(&message)?.is_break() {
            return sender.finish(Some(message));
        }
    }
    sender.finish(None)
}

/// A producer whose records are in order and acknowledged, for streams whose end is not known. [`produce`] is one.
pub struct Sender<'a> {
    producer: BaseProducer<Deliveries>,
    sink: &'a SinkConfig,
    gate: Option<(Gate<'a>, Unread)>,
    placed: Option<&'a mut dyn FnMut(Delivered)>,
    clock: &'a dyn Clock,
    start: Ticks,
    told: Ticks,
    progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    sent: u64,
}

impl<'a> Sender<'a> {
    /// Finds the topic. `progress` is called a few times a second, while records are sent or served.
    ///
    /// # Errors
    /// No broker, no topic, or a wrong setting.
    pub fn new(
        sink: &'a SinkConfig,
        gate: Option<Gate<'a>>,
        placed: Option<&'a mut dyn FnMut(Delivered)>,
        clock: &'a dyn Clock,
        progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Self, ProduceError> {
        let mut config = ClientConfig::new();
        for (key, value) in DEFAULTS {
            config.set(*key, *value);
        }
        for (key, value) in &sink.client {
            config.set(key, value);
        }
        for (key, value) in FIXED {
            config.set(*key, *value);
        }
        config.set("bootstrap.servers", &sink.brokers);
        let deliveries = Deliveries::new(gate.is_some() || placed.is_some());
        let producer = config.create_with_context(deliveries).map_err(|error| match error {
            // The value of a setting that there is not may be a password under a misspelt name.
            KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, why, key, _) => {
                ProduceError::Setting { key, why }
            }
            KafkaError::ClientConfig(_, why, key, value) => {
                ProduceError::Setting { key, why: format!("{why} (value `{value}`)") }
            }
            other => failed(sink, other.to_string()),
        })?;
        let gate = gate.map(|gate| {
            let unread = Unread::new(gate.cap);
            (gate, unread)
        });
        let start = clock.ticks();
        let sender = Self { producer, sink, gate, placed, clock, start, told: start, progress, sent: 0 };
        sender.find_topic()?;
        Ok(sender)
    }

    /// Waits for a topic that the broker makes when it is first asked for it.
    fn find_topic(&self) -> Result<(), ProduceError> {
        let topic = &self.sink.topic;
        for _ in 0..TOPIC_TRIES {
            let metadata = self.producer.client().fetch_metadata(Some(topic), ANSWER_WAIT);
            let metadata = metadata.map_err(|error| {
                // Each call serves one event; the reason is among them.
                (0..EVENTS).for_each(|_| self.producer.poll(Duration::ZERO));
                let why = self.producer.context().complaint().unwrap_or_else(|| error.to_string());
                // librdkafka says so where a broker itself gave the reason.
                let is_answer = why.contains("Broker: ");
                failed(self.sink, if is_answer { why } else { format!("no broker answers: {why}") })
            })?;
            if metadata.topics().iter().any(|known| known.name() == topic && !known.partitions().is_empty()) {
                return Ok(());
            }
            self.clock.sleep(TOPIC_WAIT);
        }
        Err(ProduceError::NoTopic { topic: topic.clone(), brokers: self.sink.brokers.clone() })
    }

    fn elapsed(&self) -> Duration {
        self.clock.ticks().since(self.start)
    }

    fn wait_until(&mut self, due: Duration) -> Result<ControlFlow<()>, ProduceError> {
        while due.saturating_sub(self.elapsed()) >= SHORTEST_WAIT {
            let wait = due.saturating_sub(self.elapsed()).min(SLICE);
            self.clock.sleep(wait);
            if self.serve()?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Hands a record to the client; waits while its queue is full. `Break`: the callback said stop before it was taken.
    ///
    /// # Errors
    /// A record, this one or one before it, was not taken.
    pub fn send(&mut self, message: &Message) -> Result<ControlFlow<()>, ProduceError> {
        let bytes = message.key.as_ref().map_or(0, Vec::len) + message.value.len();
        while !self.has_room(bytes as u64) {
            self.clock.sleep(SHORTEST_WAIT);
            if self.serve()?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if self.sent.is_multiple_of(SERVE_EVERY) && self.serve()?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        loop {
            let mut record =
                BaseRecord::<[u8], [u8], usize>::with_opaque_to(&self.sink.topic, self.sent as usize);
            (record.key, record.payload) = (message.key.as_deref(), Some(message.value.as_slice()));
            record.headers = headers(message);
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    self.producer.poll(SLICE);
                    if self.serve()?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Err((error, _)) => return Err(failed(self.sink, error.to_string())),
            }
        }
        self.sent += 1;
        if let Some((_, unread)) = &mut self.gate {
            unread.sent(bytes as u64);
        }
        Ok(ControlFlow::Continue(()))
    }

    fn has_room(&self, bytes: u64) -> bool {
        self.gate.as_ref().is_none_or(|(_, unread)| unread.has_room(bytes))
    }

    /// Takes deliveries, asks what was read, tells the progress.
    ///
    /// # Errors
    /// A record was not taken.
    pub fn serve(&mut self) -> Result<ControlFlow<()>, ProduceError> {
        self.producer.poll(Duration::ZERO);
        let deliveries = self.producer.context();
        if let Some((gate, unread)) = &mut self.gate {
            for Delivered { partition, offset, bytes, .. } in deliveries.take() {
                unread.delivered(partition, offset, bytes);
            }
            unread.read(gate.committed);
        } else if let Some(placed) = &mut self.placed {
            deliveries.take().into_iter().for_each(placed);
        }
        if let Some(why) = deliveries.failure() {
            return Err(failed(self.sink, why));
        }
        let now = self.clock.ticks();
        if now.since(self.told) < PROGRESS_EVERY {
            return Ok(ControlFlow::Continue(()));
        }
        self.told = now;
        Ok(self.tell())
    }

    fn tell(&mut self) -> ControlFlow<()> {
        let (records, bytes) = self.producer.context().counts();
        let on_the_way = self.sent.saturating_sub(records);
        let elapsed = self.elapsed();
        (self.progress)(Progress { records, bytes, on_the_way, elapsed })
    }

    /// Waits for the answers that are missing, at most for so long.
    ///
    /// # Errors
    /// A record was not taken, or there was no answer in time.
    pub fn finish_within(self, limit: Duration) -> Result<Summary, ProduceError> {
        self.wait_for_answers(None, limit)
    }

    /// How long each answer may take is the client's `message.timeout.ms`.
    fn finish(self, unsent: Option<Message>) -> Result<Summary, ProduceError> {
        self.wait_for_answers(unsent, Duration::MAX)
    }

    fn wait_for_answers(mut self, unsent: Option<Message>, limit: Duration) -> Result<Summary, ProduceError> {
        let begun = self.clock.ticks();
        while self.producer.in_flight_count() > 0 {
            let waited = self.clock.ticks().since(begun);
            if waited > limit {
                let (left, waited) = (self.producer.in_flight_count(), waited.as_secs());
                let heard =
                    self.producer.context().complaint().map(|it| format!(": {it}")).unwrap_or_default();
                let why = format!("{left} records were not acknowledged within {waited} s{heard}");
                return Err(failed(self.sink, why));
            }
            self.producer.poll(SLICE);
            // The callback cannot stop this: what was sent is sent.
            let _ = self.serve()?;
        }
        let _ = self.serve()?;
        let _ = self.tell();
        let (records, bytes) = self.producer.context().counts();
        Ok(Summary { records, bytes, elapsed: self.elapsed(), stopped: unsent.is_some(), unsent })
    }
}

fn headers(message: &Message) -> Option<OwnedHeaders> {
    let insert = |headers: OwnedHeaders, (key, value): &(String, Option<Vec<u8>>)| {
        headers.insert(Header { key, value: value.as_ref() })
    };
    let all = &message.headers;
    (!all.is_empty()).then(|| all.iter().fold(OwnedHeaders::new_with_capacity(all.len()), insert))
}

fn failed(sink: &SinkConfig, why: String) -> ProduceError {
    ProduceError::Delivery { topic: sink.topic.clone(), brokers: sink.brokers.clone(), why }
}
