//! The commit of a chunk: answers and rows as blobs, then the log record, then the tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tallow_engine::Component;
use tallow_env::{Clock, Random};
use tallow_lake::Folder;
use tallow_log::record::{Function, Input, Role};
use tallow_log::{Draft, Log, LogError, Opened, owner};
use tallow_manifest::Kept;
use tallow_sink::{EpochOutput, Item, Origin, Provenance, Sink};
use tallow_store::{Digest, Store};

use super::compute::Computed;
use super::fetch::Fetched;
use super::record::{Epoch, Fetches, State};
use super::state::{NoData, job_name};
use crate::error::BackfillError;
use tallow_worker::Plan;

/// The owner of a backfill's log.
pub struct Publisher {
    plan: Arc<Plan>,
    log: Log<Fetches>,
    sinks: Vec<Arc<dyn Sink>>,
    clock: Arc<dyn Clock>,
    state: State,
    /// The backfill function.
    function: Digest,
    pub no_data: NoData,
}

impl Publisher {
    /// Takes the log over, which fences another backfill, and publishes what a crash may have left. True: there was
    /// something of that kind, so the tables are not what they were.
    pub fn open(
        backfill: &str,
        plan: &Arc<Plan>,
        store: &Store,
        sinks: &[Arc<dyn Sink>],
        functions: &Functions<'_>,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    ) -> Result<(Self, bool), BackfillError> {
        let name = job_name(backfill);
        let opened = Log::<Fetches>::open(store, &name, 0, &owner::name(), clock.clone(), random)?;
        let Opened { mut log, to_publish, .. } = opened;
        let left = !to_publish.is_empty();
        log.publish(to_publish, |_, outgoing, bytes| {
            Ok::<_, BackfillError>(tallow_sink::publish(sinks, &outgoing.sink, &outgoing.name, bytes)?)
        })?;
        let folder = Folder::new(&name, 0).map_err(LogError::from)?;
        let before: State = log.newest().state.clone();
        let no_data = NoData::read(store, &folder, before.no_data.as_ref())?;
        let state = State {
            functions: functions.recorded(),
            manifest: Some(plan.pipeline.digest),
            windows: Kept::write(&plan.pipeline.kept()),
            ..before
        };
        let function = functions.backfill.digest();
        Ok((Self { plan: plan.clone(), log, sinks: sinks.to_vec(), clock, state, function, no_data }, left))
    }

    /// Commits what was fetched for a symbol, and publishes it. How many windows were published.
    pub fn commit(
        &mut self,
        symbol: &str,
        fetched: Fetched,
        computed: Computed,
    ) -> Result<u64, BackfillError> {
        let clock_us = self.clock.now_us();
        let mut no_data = self.no_data.clone();
        let mut state = self.state.clone();
        state.ledger.absorb(&computed.ledger);
        let forgotten = no_data.forget(symbol, &fetched.proved.without(&computed.no_data));
        if no_data.add(symbol, &computed.no_data, clock_us) || forgotten {
            state.no_data = Some(self.log.put_blob(no_data.encode()?)?);
        }
        let seq = self.log.next_seq();
        let windows = computed.closed.iter().map(|(_, rows)| rows.num_rows() as u64).sum();
        let output = EpochOutput {
            pipeline: self.plan.name(),
            chain: &self.log.newest().chain,
            shard: self.log.newest().shard,
            seq,
            clock_us,
            provenance: Provenance {
                origin: Origin::Backfill,
                functions: self.functions(),
                offsets: Vec::new(),
            },
            closed: computed.closed,
            open: Vec::new(),
            repeated: Vec::new(),
            whole: Vec::new(),
            late: Vec::new(),
            dead: computed.dead,
            rekeyed: Vec::new(),
        };
        let mut items = Vec::new();
        for sink in &self.sinks {
            items.extend(sink.prepare(&output)?);
        }
        let inputs = self.put_answers(fetched.answers)?;
        let put = |item: &Item| {
            let rows = (item.rows, item.rows_digest);
            self.log.put_outgoing(item.sink, &item.name, rows, item.bytes.clone())
        };
        let outbox = items.iter().map(put).collect::<Result<_, _>>()?;
        let epoch = Epoch { clock_us: Some(clock_us), inputs, outbox, ledger: computed.ledger };
        self.log.commit(Draft::commit(epoch, state.clone()))?;
        (self.state, self.no_data) = (state, no_data);
        for item in items {
            tallow_sink::publish(&self.sinks, item.sink, &item.name, item.bytes)?;
        }
        for sink in &self.sinks {
            self.log.published(sink.name(), seq);
        }
        Ok(windows)
    }

    /// Digests by role, as files name them.
    fn functions(&self) -> BTreeMap<String, Digest> {
        let of_log = self.state.functions.iter().map(|it| (it.role.name().to_owned(), it.digest));
        of_log.chain([("backfill".to_owned(), self.function)]).collect()
    }

    /// All answers go into one blob. They are never cleaned away: they are what the revisions can be verified by.
    fn put_answers(&self, answers: Vec<(String, Bytes)>) -> Result<Vec<Input>, BackfillError> {
        if answers.is_empty() {
            return Ok(Vec::new());
        }
        let bodies: Vec<&[u8]> = answers.iter().map(|(_, body)| &body[..]).collect();
        let blob = self.log.put_blob(bodies.concat())?;
        let mut from = 0;
        let inputs = answers.into_iter().map(|(name, body)| {
            let (function, length) = (self.function, body.len() as u64);
            let input = Input { name, function, blob: blob.clone(), from, length };
            from += input.length;
            input
        });
        Ok(inputs.collect())
    }
}

/// What makes a backfill's rows.
pub struct Functions<'a> {
    pub parse: &'a Component,
    pub window: &'a Component,
    pub backfill: &'a Component,
}

impl Functions<'_> {
    /// As the log names them. The backfill function is named with each answer that it read.
    fn recorded(&self) -> Vec<Function> {
        let function = |(role, component): (Role, &Component)| Function {
            role,
            name: component.name().to_owned(),
            digest: component.digest(),
            contract: component.contract().interface().to_owned(),
            state_version: None,
            file: None,
        };
        [(Role::Parse, self.parse), (Role::Window, self.window)].map(function).into()
    }
}
