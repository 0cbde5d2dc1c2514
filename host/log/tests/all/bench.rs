//! A shard on a store that breaks on demand, with a clock that stands still.

use std::ops::Deref;
use std::time::Duration;

use tallow_env::Clock;
use tallow_log::record::{Chunk, Epoch, Outgoing, Partition, State, StatePart};
use tallow_log::{Draft, Log, LogError, Opened};
use tallow_store::Digest;
use tallow_test_support::faulty::FaultyStore;

pub struct Bench(FaultyStore);

pub fn bench(seed: u64) -> Bench {
    Bench(FaultyStore::new("lake", 1_700_000_000_000_000, seed))
}

impl Deref for Bench {
    type Target = FaultyStore;

    fn deref(&self) -> &FaultyStore {
        &self.0
    }
}

impl Bench {
    pub fn open(&self) -> Result<Opened, LogError> {
        <Log>::open(&self.store, "btc", 0, "test", self.clock.clone(), self.random.clone())
    }

    pub fn job(&self) -> Log {
        self.open().unwrap().log
    }

    /// What the log holds, by name.
    pub fn log(&self) -> Vec<String> {
        let listed = self.store.list("_tallow/jobs/btc/0/log").unwrap();
        listed
            .iter()
            .map(|(path, _)| path.rsplit('/').next().unwrap().trim_start_matches('0').to_owned())
            .collect()
    }

    pub fn clock_us(&self) -> i64 {
        self.clock.now_us()
    }

    pub fn wait(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    pub fn blobs(&self) -> usize {
        self.store.list("_tallow/jobs/btc/0/blob").unwrap().len()
    }
}

/// The next ten offsets of one partition, with a state blob and one file for the lake.
pub fn draft(job: &Log) -> Result<Draft, LogError> {
    let newest = job.newest();
    let from = newest.state.partitions.first().map_or(0, |partition| partition.next);
    let to = from + 10;
    let state = job.put_blob(format!("state at {to}"))?;
    let file = format!("rows {from} to {to}");
    let outgoing = Outgoing {
        sink: "lake".into(),
        name: format!("speed/{}.parquet", job.next_commit_id()),
        rows: 10,
        rows_digest: Digest::of(file.as_bytes()),
        digest: Digest::of(file.as_bytes()),
        blob: job.put_blob(file)?,
    };
    let chunk = Chunk { topic: "trades".into(), partition: 0, from, to, clock_us: 0 };
    let partition = Partition {
        topic: "trades".into(),
        topic_id: None,
        partition: 0,
        next: to,
        max_event_time_us: None,
        idle: false,
        at_end_since_us: None,
        stands_since_us: None,
    };
    let length = state.length;
    Ok(Draft::commit(
        Epoch { chunks: vec![chunk], outbox: vec![outgoing], ..Epoch::default() },
        State {
            partitions: vec![partition],
            parts: vec![StatePart { window: "1m".into(), group: 0, blob: state, from: 0, length }],
            ..State::default()
        },
    ))
}

pub fn commit(job: &mut Log) -> Result<u64, LogError> {
    let draft = draft(job)?;
    job.commit(draft).map(|record| record.seq)
}
