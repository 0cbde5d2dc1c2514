//! The ids of topics, by which a topic deleted and made again under the same name is seen.

use std::ffi::{CStr, CString, c_char};
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as rd;
use rdkafka::consumer::Consumer;

use super::queue::Queue;
use crate::kafka::client::Client;

/// What a broker without ids answers, in base 64.
const NO_ID: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// Something librdkafka made for us, with the call that releases it.
struct Owned<T>(NonNull<T>, unsafe extern "C" fn(*mut T));

impl<T> Owned<T> {
    fn new(made: *mut T, release: unsafe extern "C" fn(*mut T)) -> Option<Self> {
        NonNull::new(made).map(|made| Self(made, release))
    }

    fn pointer(&self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer is ours, and this is the call that librdkafka documents for its type.
        unsafe { (self.1)(self.0.as_ptr()) }
    }
}

/// The id of each topic, as Kafka's tools print it; `None` for a topic that is not there, or where the broker has no
/// ids. `broker` is the broker to ask.
///
/// # Errors
/// No answer in time.
pub(in crate::kafka) fn topic_ids(
    client: &Client,
    broker: i32,
    topics: &[&str],
    wait: Duration,
) -> Result<Vec<Option<Arc<str>>>, String> {
    let mut ids = vec![None; topics.len()];
    let answer = ask(client, broker, topics, wait).ok_or("no answer to the question for topic ids")?;
    // SAFETY: the answer is an event of this kind (or the result is null); the descriptions, their names and ids are
    // memory of the event, which lives until the end of this function; `count` says how many there are.
    unsafe {
        let result = rd::rd_kafka_event_DescribeTopics_result(answer.pointer());
        if result.is_null() {
            return Ok(ids);
        }
        let mut count = 0;
        let described = rd::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        for index in 0..count {
            let topic = *described.add(index);
            let name = CStr::from_ptr(rd::rd_kafka_TopicDescription_name(topic));
            let id = rd::rd_kafka_TopicDescription_topic_id(topic);
            if id.is_null() {
                continue;
            }
            let text = rd::rd_kafka_Uuid_base64str(id);
            let place = topics.iter().position(|asked| asked.as_bytes() == name.to_bytes());
            if let (Some(place), false) = (place, text.is_null()) {
                let text = CStr::from_ptr(text).to_string_lossy();
                ids[place] = (text != NO_ID).then(|| Arc::from(&*text));
            }
        }
    }
    Ok(ids)
}

fn ask(client: &Client, broker: i32, topics: &[&str], wait: Duration) -> Option<Owned<rd::rd_kafka_event_t>> {
    let names: Vec<CString> = topics.iter().filter_map(|topic| CString::new(*topic).ok()).collect();
    let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    let queue = Queue::new(client)?;
    let client = client.client().native_ptr();
    let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: client, queue, names and pointers are alive for all of these calls, and librdkafka copies what it keeps;
    // error texts may be null of length 0; each thing made is released by the call that belongs to it.
    unsafe {
        let collection = rd::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        let collection = Owned::new(collection, rd::rd_kafka_TopicCollection_destroy)?;
        let kind = rd::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
        let options =
            Owned::new(rd::rd_kafka_AdminOptions_new(client, kind), rd::rd_kafka_AdminOptions_destroy)?;
        // Any broker knows the ids; without this the question would wait for the controller.
        rd::rd_kafka_AdminOptions_set_broker(options.pointer(), broker, null_mut(), 0);
        rd::rd_kafka_AdminOptions_set_request_timeout(options.pointer(), wait_ms, null_mut(), 0);
        rd::rd_kafka_DescribeTopics(client, collection.pointer(), options.pointer(), queue.pointer());
        Owned::new(rd::rd_kafka_queue_poll(queue.pointer(), wait_ms), rd::rd_kafka_event_destroy)
    }
}
