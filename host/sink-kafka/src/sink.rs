//! The sink: one item an epoch, one transaction an item.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tallow_lake::tables;
use tallow_sink::{EpochOutput, Item, Sink, SinkError};

use crate::prepare;
use crate::record;
use crate::settings::Settings;
use crate::transactions::{Session, Shard, Transactions};

/// Names the sink in the checkpoint log.
pub const NAME: &str = "kafka";

/// A pipeline's results in topics.
pub struct KafkaSink {
    settings: Settings,
    transactions: Arc<dyn Transactions>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    shard: Option<Shard>,
    open: Option<Open>,
}

/// A session, and the commit through which everything is out.
struct Open {
    session: Box<dyn Session>,
    through: Option<u64>,
}

impl KafkaSink {
    pub fn new(settings: Settings, transactions: Arc<dyn Transactions>) -> Self {
        Self { settings, transactions, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, shard: &Shard) -> Result<Open, SinkError> {
        let (session, through) = self.transactions.begin(shard)?;
        Ok(Open { session, through })
    }
}

impl Sink for KafkaSink {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&self, output: &EpochOutput<'_>) -> Result<Vec<Item>, SinkError> {
        let records = prepare::records(&self.settings, output)?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![record::item(&records, output)?])
    }

    fn keeps_marker(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), SinkError> {
        self.transactions.check()
    }

    fn take_over(&self, chain: &str, shard: u32) -> Result<Option<u64>, SinkError> {
        let shard = Shard { chain: chain.to_owned(), shard };
        let mut state = self.state();
        // The session before is of an owner that is no more.
        *state = State::default();
        let open = self.begin(&shard)?;
        let through = open.through;
        *state = State { shard: Some(shard), open: Some(open) };
        Ok(through)
    }

    /// What the marker says to be out is not sent again. After an error the session is given up: the next call begins
    /// another one, and so with the marker.
    fn publish(&self, name: &str, bytes: Bytes) -> Result<(), SinkError> {
        let mut state = self.state();
        let shard = state.shard.clone();
        let seq = shard.as_ref().and_then(|shard| tables::seq_of(name, &shard.chain, shard.shard));
        let (Some(shard), Some(seq)) = (shard, seq) else {
            return Err(SinkError::Unknown { sink: NAME.to_owned(), name: name.to_owned() });
        };
        let mut open = match state.open.take() {
            Some(open) => open,
            None => self.begin(&shard)?,
        };
        if open.through < Some(seq) {
            let records = record::decode(name, bytes)
                .map_err(|error| SinkError::Encode { name: error.path, why: error.why })?;
            open.session.commit(&records, seq)?;
            open.through = Some(seq);
        }
        state.open = Some(open);
        Ok(())
    }
}
