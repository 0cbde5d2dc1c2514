//! What the log records of a backfill say. Their bytes are those of a pipeline's record, of which they use some fields.

use serde::{Deserialize, Serialize};
use tallow_epoch::Ledger;
use tallow_log::draft::Contradiction;
use tallow_log::record::{self, BlobRef, Content, Function, Input, Kind, Outgoing, StatePart};
use tallow_log::{Draft, Record};
use tallow_store::Digest;

/// Names the part of a record's state that holds what the exchange does not have.
const NO_DATA: &str = "no-data";

/// The log of a backfill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetches;

/// What was fetched and published at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "record::Epoch", into = "record::Epoch")]
pub struct Epoch {
    /// Wall clock, µs since 1970-01-01 UTC; `None` in a fence.
    pub clock_us: Option<i64>,
    /// The exchange's answers.
    pub inputs: Vec<Input>,
    pub outbox: Vec<Outgoing>,
    /// Counts of this epoch alone.
    pub ledger: Ledger,
}

/// What the next run begins with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "record::State", into = "record::State")]
pub struct State {
    pub functions: Vec<Function>,
    /// Of the backfill's part of the manifest; `None` before the first commit.
    pub manifest: Option<Digest>,
    /// The window definitions.
    pub windows: serde_json::Value,
    /// What the exchange does not have; `None` as long as it has everything.
    pub no_data: Option<BlobRef>,
    /// Counts since the chain began.
    pub ledger: Ledger,
}

impl Content for Fetches {
    type Epoch = Epoch;
    type State = State;

    fn fence(_: &State) -> Epoch {
        Epoch::default()
    }

    fn outbox(epoch: &Epoch) -> &[Outgoing] {
        &epoch.outbox
    }

    fn state_blobs(state: &State) -> Vec<&BlobRef> {
        state.no_data.iter().collect()
    }

    fn epoch_blobs(epoch: &Epoch) -> Vec<&BlobRef> {
        epoch.inputs.iter().map(|input| &input.blob).collect()
    }

    fn released_through(_: &State, _: &str) -> Option<u64> {
        None
    }

    fn check(draft: &Draft<Self>, newest: &Record<Self>) -> Result<(), Contradiction> {
        if draft.kind != Kind::Commit {
            return Err(Contradiction(format!("a backfill does not write records of kind {:?}", draft.kind)));
        }
        record::check_ledgers(&draft.epoch.ledger, &newest.state.ledger, &draft.state.ledger)
    }
}

impl From<Epoch> for record::Epoch {
    fn from(Epoch { clock_us, inputs, outbox, ledger }: Epoch) -> Self {
        Self { clock_us, inputs, outbox, ledger, ..Self::default() }
    }
}

impl TryFrom<record::Epoch> for Epoch {
    type Error = &'static str;

    fn try_from(read: record::Epoch) -> Result<Self, Self::Error> {
        let record::Epoch { clock_us, inputs, outbox, ledger, .. } = read.clone();
        let epoch = Self { clock_us, inputs, outbox, ledger };
        match record::Epoch::from(epoch.clone()) == read {
            true => Ok(epoch),
            false => Err("its epoch is not one of a backfill"),
        }
    }
}

impl From<State> for record::State {
    fn from(State { functions, manifest, windows, no_data, ledger }: State) -> Self {
        let part = |blob: BlobRef| {
            let length = blob.length;
            StatePart { window: NO_DATA.to_owned(), group: 0, blob, from: 0, length }
        };
        let parts = no_data.into_iter().map(part).collect();
        Self { functions, manifest, windows, parts, ledger, ..Self::default() }
    }
}

impl TryFrom<record::State> for State {
    type Error = &'static str;

    fn try_from(read: record::State) -> Result<Self, Self::Error> {
        let record::State { functions, manifest, windows, parts, ledger, .. } = read.clone();
        let no_data = parts.into_iter().find(|part| part.window == NO_DATA).map(|part| part.blob);
        let state = Self { functions, manifest, windows, no_data, ledger };
        match record::State::from(state.clone()) == read {
            true => Ok(state),
            false => Err("its state is not one of a backfill"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a backfill's commit has always been written. Never to be changed.
    const FROZEN: &[u8] = include_bytes!("../tests/formats/5.record");

    #[test]
    fn the_frozen_record_is_read_and_written_again_as_it_is() {
        let record = Record::<Fetches>::decode(FROZEN).unwrap();
        assert_eq!(record.encode().unwrap(), FROZEN);
        assert_eq!((record.epoch.inputs.len(), record.state.no_data.map(|blob| blob.length)), (2, Some(57)));
    }

    #[test]
    fn a_record_of_a_pipeline_is_refused() {
        assert!(State::try_from(record::State { watermark_us: Some(1), ..Default::default() }).is_err());
        assert!(Epoch::try_from(record::Epoch { headers: true, ..Default::default() }).is_err());
    }
}
