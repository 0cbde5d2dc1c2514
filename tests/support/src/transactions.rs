//! Transactions in memory, over topics in memory, and the suite that each edge of transactions passes.

pub mod conformance;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tallow_env::Random;
use tallow_record::TopicPartition;
use tallow_sink::SinkError;
use tallow_sink_kafka::Record;
use tallow_sink_kafka::transactions::{Session, Shard, Transactions};

use crate::source::{MemoryLog, Raw};

/// What goes wrong with a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody answers, and nothing happened.
    Lost,
    /// It was committed, and the answer never came.
    AnswerLost,
    /// Another session came between.
    Fenced,
}

/// Brokers that commit to a log in memory, whose topics are made by the test.
#[derive(Clone)]
pub struct MemoryTransactions {
    log: Arc<MemoryLog>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By shard: the newest session, and the marker.
    sessions: BTreeMap<Shard, u64>,
    markers: BTreeMap<Shard, u64>,
    script: VecDeque<Option<Trouble>>,
    by_chance: Option<(Arc<dyn Random>, u64)>,
    commits: u64,
}

impl State {
    fn trouble(&mut self) -> Option<Trouble> {
        if let Some(next) = self.script.pop_front() {
            return next;
        }
        let (random, one_in) = self.by_chance.as_ref()?;
        (random.below(*one_in) == 0).then(|| match random.below(3) {
            0 => Trouble::Lost,
            1 => Trouble::AnswerLost,
            _ => Trouble::Fenced,
        })
    }
}

impl MemoryTransactions {
    pub fn new(log: Arc<MemoryLog>) -> Self {
        Self { log, state: Arc::default() }
    }

    /// What becomes of the next transactions.
    pub fn script(&self, next: impl IntoIterator<Item = Option<Trouble>>) {
        self.state().script.extend(next);
    }

    /// From now on one transaction in so many fails in some way.
    pub fn draw(&self, random: Arc<dyn Random>, one_in: u64) {
        self.state().by_chance = (one_in > 0).then_some((random, one_in));
    }

    /// The marker's topic is lost.
    pub fn forget_markers(&self) {
        self.state().markers.clear();
    }

    /// Transactions that were tried.
    pub fn tried(&self) -> u64 {
        self.state().commits
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit(&self, shard: &Shard, session: u64, records: &[Record], seq: u64) -> Result<(), SinkError> {
        let mut state = self.state();
        state.commits += 1;
        let fenced = || SinkError::Fenced { service: "memory".into(), why: "a newer session".into() };
        if state.sessions.get(shard) != Some(&session) {
            return Err(fenced());
        }
        let lost = || SinkError::Unreachable { service: "memory".into(), why: "no answer".into() };
        let trouble = state.trouble();
        match trouble {
            Some(Trouble::Lost) => return Err(lost()),
            Some(Trouble::Fenced) => {
                state.sessions.insert(shard.clone(), session + 1);
                return Err(fenced());
            }
            None | Some(Trouble::AnswerLost) => {}
        }
        for record in records {
            let raw = Raw {
                key: record.key.clone(),
                value: record.value.clone(),
                timestamp_us: record.timestamp_us,
                headers: record.headers.clone(),
            };
            self.log.append(&TopicPartition::new(&record.topic, 0), raw);
        }
        state.markers.insert(shard.clone(), seq);
        if trouble.is_some() { Err(lost()) } else { Ok(()) }
    }
}

impl Transactions for MemoryTransactions {
    fn check(&self) -> Result<(), SinkError> {
        Ok(())
    }

    fn begin(&self, shard: &Shard) -> Result<(Box<dyn Session>, Option<u64>), SinkError> {
        let mut state = self.state();
        let session = state.sessions.entry(shard.clone()).or_default();
        *session += 1;
        let session = MemorySession { of: self.clone(), shard: shard.clone(), session: *session };
        Ok((Box::new(session), state.markers.get(shard).copied()))
    }
}

struct MemorySession {
    of: MemoryTransactions,
    shard: Shard,
    session: u64,
}

impl Session for MemorySession {
    fn commit(&mut self, records: &[Record], seq: u64) -> Result<(), SinkError> {
        self.of.commit(&self.shard, self.session, records, seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemorySource;
    use tallow_env::ManualClock;
    use tallow_source::{OnDataLoss, Topics};

    struct InMemory {
        log: Arc<MemoryLog>,
        transactions: MemoryTransactions,
    }

    impl conformance::Bench for InMemory {
        fn transactions(&self) -> &dyn Transactions {
            &self.transactions
        }

        fn topic(&self) -> String {
            "results".to_owned()
        }

        fn visible(&self) -> Vec<Record> {
            let topics = Topics::Names(vec!["results".to_owned()]);
            let clock = Arc::new(ManualClock::at(0));
            let source = MemorySource::new(self.log.clone(), &topics, OnDataLoss::Halt, clock);
            let source = source.unwrap_or_else(|error| panic!("{error}"));
            conformance::read_all(&source)
        }
    }

    #[test]
    fn memory_keeps_the_promises_of_transactions() {
        conformance::check(|| {
            let log = Arc::new(MemoryLog::default());
            log.create_topic("results", 1);
            InMemory { transactions: MemoryTransactions::new(log.clone()), log }
        });
    }
}
