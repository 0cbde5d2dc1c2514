//! What the broker answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::ProducerContext;

/// A record that the broker has.
pub struct Delivered {
    /// Which of the messages it is, in the order in which they were sent, from 0.
    pub number: usize,
    pub partition: i32,
    pub offset: i64,
    /// Bytes of key and value.
    pub bytes: u64,
}

pub struct Deliveries {
    records: AtomicU64,
    bytes: AtomicU64,
    /// Whether each record's place is wanted.
    places_wanted: bool,
    places: Mutex<Vec<Delivered>>,
    failure: Mutex<Option<String>>,
    /// What the client last complained of, which says more than "timed out".
    complaint: Mutex<Option<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Deliveries {
    pub fn new(places_wanted: bool) -> Self {
        Self {
            records: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            places_wanted,
            places: Mutex::default(),
            failure: Mutex::default(),
            complaint: Mutex::default(),
        }
    }

    /// Records and bytes that the broker has.
    pub fn counts(&self) -> (u64, u64) {
        (self.records.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    /// The first record that was not taken, and why.
    pub fn failure(&self) -> Option<String> {
        lock(&self.failure).clone()
    }

    /// What the client last complained of.
    pub fn complaint(&self) -> Option<String> {
        lock(&self.complaint).clone()
    }

    /// The places of records since the last call.
    pub fn take(&self) -> Vec<Delivered> {
        std::mem::take(&mut *lock(&self.places))
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Debug => tracing::debug!(facility, "{message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => tracing::info!(facility, "{message}"),
            _ => tracing::warn!(facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let mut complaint = lock(&self.complaint);
        if complaint.is_none() || !reason.contains("brokers are down") {
            *complaint = Some(if reason.is_empty() { error.to_string() } else { reason.to_owned() });
        }
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        match result {
            Ok(message) => {
                let bytes = (message.key_len() + message.payload_len()) as u64;
                self.records.fetch_add(1, Ordering::Relaxed);
                self.bytes.fetch_add(bytes, Ordering::Relaxed);
                if self.places_wanted {
                    let (partition, offset) = (message.partition(), message.offset());
                    lock(&self.places).push(Delivered { number, partition, offset, bytes });
                }
            }
            Err((error, message)) => {
                let heard = self.complaint().map(|heard| format!(" ({heard})")).unwrap_or_default();
                let bytes = message.payload_len();
                lock(&self.failure)
                    .get_or_insert(format!("a record of {bytes} bytes was not taken: {error}{heard}"));
            }
        }
    }
}
