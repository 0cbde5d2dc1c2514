//! One queue for the messages of many partitions, read in batches.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::{NonNull, null, null_mut};
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as rd;
use rdkafka::consumer::Consumer;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use tallow_record::TopicPartition;

use crate::kafka::client::Client;

/// A queue handle; released on drop.
pub(super) struct Queue(NonNull<rd::rd_kafka_queue_t>);

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the pointer came from librdkafka, which gave us one reference, and is not used after this.
        unsafe { rd::rd_kafka_queue_destroy(self.0.as_ptr()) }
    }
}

impl Queue {
    /// The caller keeps the client alive for longer than the queue.
    pub(super) fn new(client: &Client) -> Option<Self> {
        // SAFETY: the client is alive.
        NonNull::new(unsafe { rd::rd_kafka_queue_new(client.client().native_ptr()) }).map(Self)
    }

    pub(super) fn pointer(&self) -> *mut rd::rd_kafka_queue_t {
        self.0.as_ptr()
    }
}

/// The messages of many partitions, taken in batches.
pub(in crate::kafka) struct BatchQueue {
    /// Messages taken and not yet dropped: `messages[next..filled]`.
    messages: Vec<*mut rd::rd_kafka_message_t>,
    next: usize,
    filled: usize,
    queue: Queue,
    /// Last, so that it is dropped last: librdkafka wants messages and queues released before their client.
    client: Arc<Client>,
}

// SAFETY: librdkafka's queues and messages may be used and released by any thread, one at a time; `&mut self` sees to
// "one at a time".
unsafe impl Send for BatchQueue {}

impl BatchQueue {
    /// `None` where librdkafka cannot make a queue.
    pub(in crate::kafka) fn new(client: Arc<Client>, messages_at_once: usize) -> Option<Self> {
        let queue = Queue::new(&client)?;
        Some(Self { messages: vec![null_mut(); messages_at_once.max(1)], next: 0, filled: 0, queue, client })
    }

    /// Leads a partition's messages into this queue. To be called before the partition is assigned: librdkafka then
    /// keeps the forwarding, and no message can come by the client's own queue.
    ///
    /// Returns whether it could be done.
    pub(in crate::kafka) fn forward(&self, partition: &TopicPartition) -> bool {
        let Ok(topic) = CString::new(&*partition.topic) else { return false };
        // SAFETY: client and string are alive; the result is null or a handle that we own.
        let source = unsafe {
            rd::rd_kafka_queue_get_partition(
                self.client.client().native_ptr(),
                topic.as_ptr(),
                partition.partition,
            )
        };
        let Some(source) = NonNull::new(source).map(Queue) else { return false };
        // SAFETY: both queues belong to this client; librdkafka takes its own reference to the target.
        unsafe { rd::rd_kafka_queue_forward(source.pointer(), self.queue.pointer()) }
        true
    }

    /// Takes up to `at_most` messages, waiting for all of them if `wait` is not zero. Does nothing while messages
    /// taken before are left. Returns how many are there.
    pub(in crate::kafka) fn refill(&mut self, at_most: usize, wait: Duration) -> usize {
        if self.next == self.filled {
            let room = self.messages.len().min(at_most);
            let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
            // SAFETY: librdkafka writes at most `room` pointers, and the buffer has at least as many; each message
            // written is ours to release.
            let taken = unsafe {
                rd::rd_kafka_consume_batch_queue(
                    self.queue.pointer(),
                    wait_ms,
                    self.messages.as_mut_ptr(),
                    room,
                )
            };
            self.next = 0;
            self.filled = usize::try_from(taken).unwrap_or(0);
        }
        self.filled - self.next
    }

    /// The messages that are there, in order.
    pub(in crate::kafka) fn waiting(&self) -> impl Iterator<Item = Message<'_>> {
        self.messages[self.next..self.filled].iter().map(|message| {
            // SAFETY: messages in this range were given by librdkafka and are not released yet; the borrow of `self`
            // ends before `pop` can release them.
            Message(unsafe { &**message })
        })
    }

    pub(in crate::kafka) fn front(&self) -> Option<Message<'_>> {
        self.waiting().next()
    }

    /// Releases the first message.
    pub(in crate::kafka) fn pop(&mut self) {
        if self.next < self.filled {
            // SAFETY: the message is ours, and `next` moves past it, so it is released once.
            unsafe { rd::rd_kafka_message_destroy(self.messages[self.next]) };
            self.next += 1;
        }
    }
}

impl Drop for BatchQueue {
    fn drop(&mut self) {
        while self.next < self.filled {
            self.pop();
        }
    }
}

/// A record, or news of a partition (see [`Message::error`]).
#[derive(Clone, Copy)]
pub(in crate::kafka) struct Message<'a>(&'a rd::rd_kafka_message_t);

impl<'a> Message<'a> {
    /// Tells topics apart without reading their names: equal as long as the client has the topic assigned.
    pub(in crate::kafka) fn topic_handle(self) -> usize {
        self.0.rkt as usize
    }

    pub(in crate::kafka) fn topic(self) -> &'a str {
        if self.0.rkt.is_null() {
            return "";
        }
        // SAFETY: the topic handle is kept by the message; its name is a C string that lives as long.
        let name = unsafe { CStr::from_ptr(rd::rd_kafka_topic_name(self.0.rkt)) };
        name.to_str().unwrap_or_default() // Kafka allows ASCII names only.
    }

    pub(in crate::kafka) fn partition(self) -> i32 {
        self.0.partition
    }

    pub(in crate::kafka) fn offset(self) -> i64 {
        self.0.offset
    }

    pub(in crate::kafka) fn key(self) -> Option<&'a [u8]> {
        // SAFETY: pointer and length describe memory of the message, which outlives `'a`.
        unsafe { bytes(self.0.key, self.0.key_len) }
    }

    pub(in crate::kafka) fn value(self) -> Option<&'a [u8]> {
        // SAFETY: as above.
        unsafe { bytes(self.0.payload, self.0.len) }
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub(in crate::kafka) fn timestamp_ms(self) -> Option<i64> {
        let mut kind = rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is alive, `kind` is written to.
        let timestamp_ms = unsafe { rd::rd_kafka_message_timestamp(self.0, &mut kind) };
        (kind != rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE).then_some(timestamp_ms)
    }

    pub(in crate::kafka) fn each_header(self, mut take: impl FnMut(&str, Option<&[u8]>)) {
        let mut headers = null_mut();
        // SAFETY: the message is alive and keeps the headers that it hands out.
        let found = unsafe { rd::rd_kafka_message_headers(self.0, &mut headers) };
        if found != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return;
        }
        for index in 0.. {
            let (mut name, mut value, mut size): (*const c_char, *const c_void, usize) = (null(), null(), 0);
            // SAFETY: the three out-pointers are valid; name and value are memory of the message.
            let found =
                unsafe { rd::rd_kafka_header_get_all(headers, index, &mut name, &mut value, &mut size) };
            if found != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                return;
            }
            // SAFETY: librdkafka ends names with a NUL; value and size as above.
            let (name, value) = unsafe { (CStr::from_ptr(name), bytes(value, size)) };
            take(&name.to_string_lossy(), value);
        }
    }

    /// `None` for a record. Otherwise what happened to the partition, and librdkafka's words for it.
    pub(in crate::kafka) fn error(self) -> Option<(RDKafkaErrorCode, String)> {
        if self.0.err == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        let code = RDKafkaErrorCode::from(self.0.err);
        let why = self.value().map(|words| String::from_utf8_lossy(words).into_owned());
        Some((code, why.filter(|why| !why.is_empty()).unwrap_or_else(|| code.to_string())))
    }
}

/// # Safety
/// `pointer` is null, or `length` bytes at it can be read for as long as `'a`.
unsafe fn bytes<'a>(pointer: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: promised by the caller.
    (!pointer.is_null()).then(|| unsafe { slice::from_raw_parts(pointer.cast(), length) })
}
