//! Letters by reason.

use std::collections::BTreeMap;

use serde::Serialize;
use tallow_sink::{DeadLetter, ReasonKind};
use tallow_worker::reasons::without_details;

/// Reasons told apart; the letters of further ones share a line, so that hostile data cannot fill the memory.
const MOST: usize = 200;
const OTHER: &str = "other reasons";

/// Where and when a letter's record stood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Seen {
    /// Kafka's timestamp, µs; `None` if it has none.
    pub timestamp_us: Option<i64>,
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
}

impl Seen {
    fn of(letter: &DeadLetter) -> Self {
        let place = &letter.place;
        Self {
            timestamp_us: (letter.timestamp_us != -1).then_some(letter.timestamp_us),
            topic: place.topic.to_string(),
            partition: place.partition,
            offset: place.offset,
        }
    }
}

/// The letters of one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    pub letters: u64,
    /// By Kafka's timestamp, then place.
    pub first: Seen,
    pub last: Seen,
}

/// Letters by kind and reason; numbers and quoted text in a reason do not tell it from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub letters: u64,
    pub groups: BTreeMap<(ReasonKind, String), Group>,
}

impl Summary {
    pub fn add(&mut self, letter: &DeadLetter) {
        self.letters += 1;
        let mut reason = (letter.kind, without_details(&letter.reason));
        if !self.groups.contains_key(&reason) && self.groups.len() >= MOST {
            OTHER.clone_into(&mut reason.1);
        }
        let seen = Seen::of(letter);
        let group = self.groups.entry(reason).or_insert_with(|| Group {
            letters: 0,
            first: seen.clone(),
            last: seen.clone(),
        });
        group.letters += 1;
        if seen < group.first {
            group.first = seen;
        } else if seen > group.last {
            group.last = seen;
        }
    }
}
