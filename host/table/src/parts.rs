//! What the log records of a table's job say. Their bytes are those of a pipeline's record, of which they use few fields.

use serde::{Deserialize, Serialize};
use tallow_log::draft::Contradiction;
use tallow_log::record::{self, BlobRef, Content, Kind, Outgoing, StatePart};
use tallow_log::{Draft, Record};

/// Names the part of a record's state that tells of the tables.
const TABLES: &str = "table";
/// Names the parts of unfinished work: its account first, then the blobs that the account names.
const UNFINISHED: &str = "unfinished";

/// The log of a table's job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tables;

/// A run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "record::Epoch", into = "record::Epoch")]
pub(crate) struct Written {
    /// Wall clock, µs since 1970-01-01 UTC; `None` if no run ended.
    pub clock_us: Option<i64>,
    /// The partitions that it writes.
    pub outbox: Vec<Outgoing>,
}

/// What the next owner continues from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "record::State", into = "record::State")]
pub(crate) struct Held {
    /// The blob that tells of the tables; `None` before the first run.
    pub tables: Option<BlobRef>,
    pub unfinished: Option<Unfinished>,
}

/// Work that a job has begun and that no run has taken in. The newest commit holds it, so that the next owner of the job
/// can continue with it; a commit that does not hold it lets its blobs go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The job's own account of it.
    pub account: BlobRef,
    /// The blobs that the account names.
    pub blobs: Vec<BlobRef>,
}

impl Unfinished {
    fn all(&self) -> impl Iterator<Item = &BlobRef> {
        std::iter::once(&self.account).chain(&self.blobs)
    }
}

impl Content for Tables {
    type Epoch = Written;
    type State = Held;

    fn fence(_: &Held) -> Written {
        Written::default()
    }

    fn outbox(epoch: &Written) -> &[Outgoing] {
        &epoch.outbox
    }

    fn state_blobs(state: &Held) -> Vec<&BlobRef> {
        state.tables.iter().chain(state.unfinished.iter().flat_map(Unfinished::all)).collect()
    }

    fn epoch_blobs(_: &Written) -> Vec<&BlobRef> {
        Vec::new()
    }

    fn released_through(_: &Held, _: &str) -> Option<u64> {
        None
    }

    fn check(draft: &Draft<Self>, _: &Record<Self>) -> Result<(), Contradiction> {
        match draft.kind {
            Kind::Commit => Ok(()),
            other => Err(Contradiction(format!("a table's job does not write records of kind {other:?}"))),
        }
    }
}

impl From<Written> for record::Epoch {
    fn from(Written { clock_us, outbox }: Written) -> Self {
        Self { clock_us, outbox, ..Self::default() }
    }
}

impl TryFrom<record::Epoch> for Written {
    type Error = &'static str;

    fn try_from(read: record::Epoch) -> Result<Self, Self::Error> {
        let epoch = Self { clock_us: read.clock_us, outbox: read.outbox.clone() };
        match record::Epoch::from(epoch.clone()) == read {
            true => Ok(epoch),
            false => Err("its epoch is not one of a table's job"),
        }
    }
}

impl From<Held> for record::State {
    fn from(held: Held) -> Self {
        let part = |window: &str, group: usize, blob: &BlobRef| {
            let length = blob.length;
            StatePart { window: window.to_owned(), group: group as u32, blob: blob.clone(), from: 0, length }
        };
        let unfinished = held.unfinished.iter().flat_map(Unfinished::all).enumerate();
        let unfinished = unfinished.map(|(group, blob)| part(UNFINISHED, group, blob));
        let tables = held.tables.iter().map(|blob| part(TABLES, 0, blob));
        Self { parts: tables.chain(unfinished).collect(), ..Self::default() }
    }
}

impl TryFrom<record::State> for Held {
    type Error = &'static str;

    fn try_from(read: record::State) -> Result<Self, Self::Error> {
        let mut blobs =
            read.parts.iter().filter(|part| part.window == UNFINISHED).map(|part| part.blob.clone());
        let unfinished = blobs.next().map(|account| Unfinished { account, blobs: blobs.collect() });
        let tables = read.parts.iter().find(|part| part.window == TABLES).map(|part| part.blob.clone());
        let held = Self { tables, unfinished };
        match record::State::from(held.clone()) == read {
            true => Ok(held),
            false => Err("its state is not one of a table's job"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frozen_records_are_read_and_written_again_as_they_are() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
        let files: Vec<_> = folder.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.len() > 5);
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            assert_eq!(Record::<Tables>::decode(&bytes).unwrap().encode().unwrap(), bytes, "{file:?}");
        }
    }

    #[test]
    fn a_record_of_a_pipeline_is_refused() {
        let mut epoch = record::Epoch { headers: true, ..Default::default() };
        assert!(Written::try_from(epoch.clone()).is_err());
        epoch.headers = false;
        assert!(Written::try_from(epoch).is_ok());
        let state = record::State { watermark_us: Some(1), ..Default::default() };
        assert!(Held::try_from(state).is_err());
    }
}
