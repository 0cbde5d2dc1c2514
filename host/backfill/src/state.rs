//! What a backfill remembers between its runs: what the exchange does not have, and when it said so. Format 1, JSON in a
//! blob of the newest commit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tallow_lake::Folder;
use tallow_log::record::BlobRef;
use tallow_log::status::last_of;
use tallow_log::{LogError, read_blob};
use tallow_store::Store;

use super::Spans;
use super::record::Fetches;
use crate::error::BackfillError;

const FORMAT: u32 = 1;

/// Spans for which the exchange has said that it has nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoData {
    /// By symbol: all of them.
    symbols: BTreeMap<String, Spans>,
    asked: BTreeMap<String, Asked>,
}

/// By the time at which it was asked, µs. Of what is in none of them, the time is not known.
type Asked = BTreeMap<i64, Spans>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    symbols: BTreeMap<String, Spans>,
    #[serde(default)]
    asked: BTreeMap<String, Asked>,
}

impl NoData {
    /// All of them, by symbol.
    pub fn all(&self) -> &BTreeMap<String, Spans> {
        &self.symbols
    }

    /// Those that the exchange has said since then.
    pub fn since(&self, symbol: &str, since_us: i64) -> Spans {
        let asked = self.asked.get(symbol).into_iter().flat_map(|asked| asked.range(since_us..));
        asked.flat_map(|(_, spans)| spans.iter()).collect()
    }

    /// Adds spans that were asked for at that time; whether anything is known now that was not.
    pub fn add(&mut self, symbol: &str, spans: &Spans, asked_us: i64) -> bool {
        if spans.is_empty() {
            return false;
        }
        let known = self.symbols.entry(symbol.to_owned()).or_default();
        *known = known.union(spans);
        let asked = self.asked.entry(symbol.to_owned()).or_default();
        for before in asked.values_mut() {
            *before = before.without(spans);
        }
        asked.retain(|_, before| !before.is_empty());
        let now = asked.entry(asked_us).or_default();
        *now = now.union(spans);
        true
    }

    /// Forgets spans for which the exchange has something after all.
    pub fn forget(&mut self, symbol: &str, spans: &Spans) -> bool {
        let Some(known) = self.symbols.get_mut(symbol) else { return false };
        let left = known.without(spans);
        let changed = left != *known;
        *known = left;
        for before in self.asked.get_mut(symbol).into_iter().flat_map(BTreeMap::values_mut) {
            *before = before.without(spans);
        }
        changed
    }

    pub fn encode(&self) -> Result<Vec<u8>, BackfillError> {
        let stored = Stored { format: FORMAT, symbols: self.symbols.clone(), asked: self.asked.clone() };
        serde_json::to_vec(&stored).map_err(|_| BackfillError::Broken)
    }

    /// What a commit knew. `blob`: what its state says about it.
    pub fn read(store: &Store, folder: &Folder, blob: Option<&BlobRef>) -> Result<Self, BackfillError> {
        let Some(blob) = blob else { return Ok(Self::default()) };
        let bytes = read_blob(store, folder, blob)?;
        let wrong = |why: String| {
            let name = &blob.name;
            BackfillError::Usage(format!(
                "blob `{name}` is not what this program remembers: {why}. Run the version of tallow that wrote it"
            ))
        };
        let stored: Stored = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if stored.format != FORMAT {
            return Err(wrong(format!("it is of format {}", stored.format)));
        }
        Ok(Self { symbols: stored.symbols, asked: stored.asked })
    }
}

/// The log of a backfill. A pipeline's id has no dot, so no pipeline's log goes by that name.
pub fn job_name(backfill: &str) -> String {
    format!("backfill.{backfill}")
}

/// What the newest commit knew, without owning the log.
pub fn look(store: &Store, backfill: &str) -> Result<NoData, BackfillError> {
    let job = job_name(backfill);
    let folder = Folder::new(&job, 0).map_err(LogError::from)?;
    let newest = last_of::<Fetches>(store, &job, 0, 1)?.pop();
    NoData::read(store, &folder, newest.and_then(|record| record.state.no_data).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(all: &[(i64, i64)]) -> Spans {
        all.iter().copied().collect()
    }

    #[test]
    fn what_the_exchange_has_said_is_known_with_its_age() {
        let mut no_data = NoData::default();
        assert!(no_data.add("A", &spans(&[(0, 10), (20, 30)]), 100));
        assert!(no_data.add("A", &spans(&[(5, 10)]), 200));
        assert_eq!(no_data.since("A", 100), spans(&[(0, 10), (20, 30)]));
        assert_eq!(no_data.since("A", 101), spans(&[(5, 10)]));
        assert_eq!(no_data.all()["A"], spans(&[(0, 10), (20, 30)]));
        assert!(no_data.forget("A", &spans(&[(20, 40)])) && !no_data.forget("A", &spans(&[(20, 40)])));
        assert_eq!(no_data.since("A", 0), spans(&[(0, 10)]));
        assert_eq!(no_data.since("B", 0), Spans::default());
    }

    #[test]
    fn what_was_remembered_without_an_age_is_asked_again() {
        let stored: Stored = serde_json::from_str(r#"{"format":1,"symbols":{"A":[[0,10]]}}"#).unwrap();
        let no_data = NoData { symbols: stored.symbols, asked: stored.asked };
        assert_eq!((no_data.since("A", 0), &no_data.all()["A"]), (Spans::default(), &spans(&[(0, 10)])));
    }
}
