//! What was sent again, kept in the lake: a letter is not sent twice by mistake, and one that dies again is known to have
//! been sent. Headers would say it too, but are there only if the parse function asks for them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tallow_lake::{replays, replays_of};
use tallow_record::Place;
use tallow_store::{Create, Store};

use crate::LettersError;

const FORMAT: u32 = 1;

/// Where a letter went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub partition: i32,
    pub offset: i64,
}

/// A letter that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    pub to: Target,
    /// How often its bytes have been sent again, this time included.
    pub replays: u32,
}

/// One object of the journal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    format: u32,
    /// The clock, µs.
    at_us: i64,
    /// The topic that they were sent to.
    to: String,
    sent: Vec<Sent>,
}

/// All that is known of a pipeline's replays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Topics that letters were sent to, by the letter's place.
    sent: BTreeMap<Place, Vec<String>>,
    /// Replays of the records that were sent, by their new place.
    replays: BTreeMap<Place, u32>,
    pages: u64,
}

impl Journal {
    /// # Errors
    /// The store's, or a page that cannot be read.
    pub fn read(store: &Store, pipeline: &str) -> Result<Self, LettersError> {
        let mut journal = Self::default();
        for (path, _) in store.list(&replays_of(pipeline))? {
            let Some(bytes) = store.get(&path)? else { continue };
            let broken = |why: String| LettersError::Journal { path: store.at(&path), why };
            let page: Page = serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
            if page.format != FORMAT {
                return Err(broken(format!("it has format {}, and {FORMAT} is read", page.format)));
            }
            page.sent.iter().for_each(|sent| journal.note(&page.to, sent));
            journal.pages += 1;
        }
        Ok(journal)
    }

    /// Writes what is sent to a topic from here on.
    pub fn writer<'a>(&self, store: &'a Store, pipeline: &'a str, to: &'a str) -> Writer<'a> {
        Writer { store, pipeline, to, number: self.pages }
    }

    fn note(&mut self, to: &str, sent: &Sent) {
        let place = |topic: &str, partition, offset| Place { topic: topic.into(), partition, offset };
        let from = place(&sent.topic, sent.partition, sent.offset);
        self.sent.entry(from).or_default().push(to.to_owned());
        let replays = self.replays.entry(place(to, sent.to.partition, sent.to.offset)).or_default();
        *replays = (*replays).max(sent.replays);
    }

    /// Whether a letter was sent to a topic.
    pub fn was_sent(&self, place: &Place, to: &str) -> bool {
        self.sent.get(place).is_some_and(|topics| topics.iter().any(|topic| topic == to))
    }

    /// How often the bytes of a record had been sent again when it came.
    pub fn replays(&self, place: &Place) -> u32 {
        self.replays.get(place).copied().unwrap_or(0)
    }
}

/// Adds to a journal.
pub struct Writer<'a> {
    store: &'a Store,
    pipeline: &'a str,
    to: &'a str,
    number: u64,
}

impl Writer<'_> {
    /// Adds what was sent, under a clock.
    ///
    /// # Errors
    /// The store's.
    pub fn add(&mut self, at_us: i64, sent: Vec<Sent>) -> Result<(), LettersError> {
        let page = Page { format: FORMAT, at_us, to: self.to.to_owned(), sent };
        let bytes = serde_json::to_vec(&page).map_err(|error| LettersError::Journal {
            path: self.store.at(&replays(self.pipeline, self.number)),
            why: error.to_string(),
        })?;
        // Another replay may have taken the number.
        while let Create::Exists { .. } =
            self.store.create(&replays(self.pipeline, self.number), bytes.clone())?
        {
            self.number += 1;
        }
        self.number += 1;
        Ok(())
    }
}
