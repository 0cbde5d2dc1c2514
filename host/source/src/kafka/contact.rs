//! Whether the brokers that lead the partitions answer.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use tallow_env::Ticks;
use tallow_record::TopicPartition;

use super::client::Client;
use crate::is_answer;

/// How often a broker that fell silent is asked again, and how long for its answer.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// While records come.
const ASK_EVERY_WHILE_BUSY: Duration = Duration::from_secs(5);
const ASK_WAIT: Duration = Duration::from_millis(500);
const NOT_ASKED: &str = "no answer yet";

pub(super) struct Contact {
    /// `None`: the brokers are known to answer.
    doubt: Option<Doubt>,
}

/// The client complained, or no broker was asked yet.
struct Doubt {
    asked: Option<Ticks>,
    why: String,
}

impl Contact {
    /// Before any broker was asked.
    pub(super) fn unknown() -> Self {
        Self { doubt: Some(Doubt { asked: None, why: NOT_ASKED.to_owned() }) }
    }

    /// Settles whether the brokers answer, where that is in doubt; gives why they may not. `quiet`: the last fetch gave
    /// no records.
    pub(super) fn check<'p>(
        &mut self,
        client: &Client,
        partitions: impl Iterator<Item = &'p TopicPartition>,
        now: Ticks,
        quiet: bool,
    ) -> Option<String> {
        if let Some(why) = client.context().complaint() {
            client.context().forget();
            let asked = self.doubt.take().and_then(|doubt| doubt.asked);
            self.doubt = Some(Doubt { asked, why });
        }
        let doubt = self.doubt.as_mut()?;
        // One broker may be busy while another is silent: doubt is settled then, too, but asking holds up the
        // reading, so it is asked less often.
        let every = if quiet { ASK_EVERY } else { ASK_EVERY_WHILE_BUSY };
        if doubt.asked.is_none_or(|before| now.since(before) >= every) {
            doubt.asked = Some(now);
            match ask_leaders(client, partitions) {
                Ok(()) => {
                    self.doubt = None;
                    return None;
                }
                // What the client complained of says more than "timed out", and less than a broker's answer.
                Err(error) if doubt.why == NOT_ASKED || is_answer(&error) => doubt.why = error,
                Err(_) => {}
            }
        }
        Some(doubt.why.clone())
    }
}

/// Asks one partition of each leader for its offsets.
fn ask_leaders<'a>(
    client: &Client,
    partitions: impl Iterator<Item = &'a TopicPartition>,
) -> Result<(), String> {
    let mut by_topic: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for partition in partitions {
        by_topic.entry(&partition.topic).or_default().push(partition.partition);
    }
    let mut asked = Vec::new();
    for (topic, numbers) in by_topic {
        let metadata = client.fetch_metadata(Some(topic), ASK_WAIT).map_err(|error| error.to_string())?;
        let known = metadata.topics().iter().flat_map(|topic| topic.partitions());
        for partition in known.filter(|partition| numbers.contains(&partition.id())) {
            if partition.leader() < 0 {
                return Err(format!("{topic}/{} has no leader", partition.id()));
            }
            if !asked.contains(&partition.leader()) {
                client
                    .fetch_watermarks(topic, partition.id(), ASK_WAIT)
                    .map_err(|error| error.to_string())?;
                asked.push(partition.leader());
            }
        }
    }
    Ok(())
}
