//! Which letters are sent again, and as what. Pure.

use std::collections::{BTreeMap, BTreeSet};

use tallow_produce::Message;
use tallow_record::Place;
use tallow_sink::{DeadLetter, KeptLetter};

use crate::Journal;

/// Header with the number of times that a record was sent again.
pub const REPLAYS: &str = "tallow.replays";
/// Headers of ours: those of an earlier replay give way.
const OURS: &str = "tallow.";

/// What is sent, beside what the filter takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub pipeline: String,
    /// The topic.
    pub to: String,
    /// Letters that were sent to that topic before are sent again.
    pub again: bool,
    /// A record that was sent so often and died each time is not sent any more.
    pub most_replays: u32,
}

/// What is done with a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Send {
        message: Message,
        replays: u32,
    },
    /// Another row of a record that was looked at: the record is one message.
    SameRecord,
    /// It was sent to the topic before.
    SentBefore,
    /// It was sent as often as it may be.
    Exhausted,
    /// A record without a value: a tombstone would remove what has its key.
    Tombstone,
}

/// How many letters had which outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    pub letters: u64,
    pub sent: u64,
    pub bytes: u64,
    pub same_record: u64,
    pub sent_before: u64,
    pub exhausted: u64,
    pub tombstones: u64,
}

/// Goes through letters.
pub struct Replay<'a> {
    rules: &'a Rules,
    journal: &'a Journal,
    /// Offsets that were looked at, by topic and partition.
    seen: BTreeMap<(String, i32), BTreeSet<i64>>,
    pub tally: Tally,
}

impl<'a> Replay<'a> {
    pub fn new(rules: &'a Rules, journal: &'a Journal) -> Self {
        Self { rules, journal, seen: BTreeMap::new(), tally: Tally::default() }
    }

    /// What is done with the next letter.
    pub fn next(&mut self, kept: &KeptLetter) -> Outcome {
        let outcome = self.judge(kept);
        self.tally.letters += 1;
        match &outcome {
            Outcome::Send { message, .. } => {
                self.tally.sent += 1;
                self.tally.bytes += (message.value.len() + message.key.as_ref().map_or(0, Vec::len)) as u64;
            }
            Outcome::SameRecord => self.tally.same_record += 1,
            Outcome::SentBefore => self.tally.sent_before += 1,
            Outcome::Exhausted => self.tally.exhausted += 1,
            Outcome::Tombstone => self.tally.tombstones += 1,
        }
        outcome
    }

    fn judge(&mut self, kept: &KeptLetter) -> Outcome {
        let letter = &kept.letter;
        let Place { topic, partition, offset } = &letter.place;
        if !self.seen.entry((topic.to_string(), *partition)).or_default().insert(*offset) {
            return Outcome::SameRecord;
        }
        if !self.rules.again && self.journal.was_sent(&letter.place, &self.rules.to) {
            return Outcome::SentBefore;
        }
        let replays = replays(letter).max(self.journal.replays(&letter.place));
        if replays >= self.rules.most_replays {
            return Outcome::Exhausted;
        }
        let Some(value) = letter.value.clone() else { return Outcome::Tombstone };
        let headers = headers(kept, &self.rules.pipeline, replays + 1);
        let message = Message { key: letter.key.clone(), value, headers, ..Message::default() };
        Outcome::Send { message, replays: replays + 1 }
    }
}

/// What a letter's headers say of replays before.
fn replays(letter: &DeadLetter) -> u32 {
    let said = letter.headers.iter().rev().find(|(name, _)| name == REPLAYS);
    let text = said.and_then(|(_, value)| std::str::from_utf8(value.as_deref()?).ok());
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The record's own headers, then where it comes from, in the words of a dead-letter topic.
fn headers(kept: &KeptLetter, pipeline: &str, replays: u32) -> Vec<(String, Option<Vec<u8>>)> {
    let letter = &kept.letter;
    let own = letter.headers.iter().filter(|(name, _)| !name.starts_with(OURS)).cloned();
    let ours = [
        ("tallow.commit", kept.commit.clone()),
        ("tallow.pipeline", pipeline.to_owned()),
        ("tallow.topic", letter.place.topic.to_string()),
        ("tallow.partition", letter.place.partition.to_string()),
        ("tallow.offset", letter.place.offset.to_string()),
        ("tallow.reason-kind", letter.kind.as_str().to_owned()),
        ("tallow.reason", letter.reason.clone()),
        (REPLAYS, replays.to_string()),
    ];
    own.chain(ours.map(|(name, text)| (name.to_owned(), Some(text.into_bytes())))).collect()
}
