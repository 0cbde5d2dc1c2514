//! A parse function: raw records in, rows out.

use std::borrow::Cow;
use std::mem::take;
use std::time::Duration;

use tallow_record::Batch;
use wasmtime::Store;

use crate::bindings::{ParseWorld, parse_contract as wit, types};
use crate::component::Body;
use crate::instance;
use crate::local::Local;
use crate::remote::RemoteParse;
use crate::sandbox::Sandbox;
use crate::validate::{self, texts};
use crate::{CallError, Component, Limits, ParseDescription, ParseOptions, Rows};

/// How the name of a kind ends whose rows only tell that their ids are not missing: they come where the kind before
/// it is asked for, and no window of that kind takes anything else of them.
pub const IDS_ONLY: &str = ":ids";

/// Records set apart, each with its reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    pub records: Vec<u32>,
    reasons: Vec<String>,
    codes: Vec<u32>,
}

impl Marked {
    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Record index and reason.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &str)> {
        let reasons = self.codes.iter().map(|code| self.reasons[*code as usize].as_str());
        self.records.iter().map(|record| *record as usize).zip(reasons)
    }
}

/// A parsed batch. Every record is in exactly one of: a row at least, `ignored`, `rejected`.
pub struct Parsed {
    /// Rows with their places, as the window function takes them.
    pub rows: Rows,
    pub ignored: Marked,
    pub rejected: Marked,
    /// Decimals that had more places than their column keeps.
    pub rounded: u64,
}

impl std::fmt::Debug for Parsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parsed")
            .field("rows", &self.rows.table.rows)
            .field("ignored", &self.ignored.len())
            .field("rejected", &self.rejected.len())
            .finish_non_exhaustive()
    }
}

impl Rows {
    /// Rows of a batch. `records` says for each which of the batch's records it came from, ascending.
    pub fn new(table: types::Table, kinds: types::Text, records: Vec<u32>, batch: &Batch) -> Self {
        Self {
            table,
            kinds,
            records,
            topics: batch.topics.iter().map(|topic| topic.to_string()).collect(),
            runs: wit_runs(batch),
            offsets: batch.offsets.clone(),
        }
    }
}

/// An instance. After an error other than [`CallError::Refused`] the next call makes a new one.
pub struct ParseFunction {
    component: Component,
    limits: Limits,
    options: wit::Options,
    /// What it says about itself, and what its schema adds to that.
    own: ParseDescription,
    by_schema: Option<ParseDescription>,
    live: Option<Live>,
}

/// What answers calls.
enum Live {
    Local(Box<(Store<Sandbox>, ParseWorld)>),
    Remote(RemoteParse),
}

impl ParseFunction {
    pub fn new(component: &Component, limits: Limits, options: ParseOptions) -> Result<Self, CallError> {
        let mut live = start(component, limits)?;
        let own: ParseDescription = match &mut live {
            Live::Local(local) => call(local, |parse, store| parse.call_describe(store))?.into(),
            Live::Remote(remote) => remote.describe()?,
        };
        let by_schema = by_schema(&own, &options);
        let options = options.into();
        Ok(Self { component: component.clone(), limits, options, own, by_schema, live: Some(live) })
    }

    /// Asks for something else, from the next call on.
    pub fn set_options(&mut self, options: ParseOptions) {
        self.by_schema = by_schema(&self.own, &options);
        self.options = options.into();
    }

    /// What the function makes and reads with its settings.
    pub fn description(&self) -> &ParseDescription {
        self.by_schema.as_ref().unwrap_or(&self.own)
    }

    /// Parses a batch. The batch is as it was afterwards: its columns are lent, not copied.
    pub fn parse(&mut self, batch: &mut Batch) -> Result<Parsed, CallError> {
        let mut live = match self.live.take() {
            Some(live) => live,
            None => start(&self.component, self.limits)?,
        };
        let lent = lend(batch, self.description());
        let answer = match &mut live {
            Live::Local(local) => call(local, |parse, store| parse.call_parse(store, &lent, &self.options)),
            Live::Remote(remote) => match remote.parse(&lent, &self.options) {
                Err(CallError::Refused(why)) => Ok(Err(why)),
                answer => answer.map(Ok),
            },
        };
        take_back(batch, lent);
        let parsed = match answer? {
            Ok(parsed) => parsed,
            Err(refusal) => {
                self.live = Some(live);
                return Err(CallError::Refused(refusal));
            }
        };
        validate::parsed(&parsed, batch.len()).map_err(CallError::Contract)?;
        self.live = Some(live);
        into_parsed(parsed, batch)
    }

    /// Gives calls another deadline: a missed one is tried again with more time before a record is blamed.
    pub fn set_deadline(&mut self, deadline: Duration) {
        self.limits.deadline = deadline;
        if let Some(Live::Local(local)) = &mut self.live {
            instance::set_deadline(&mut local.0, deadline);
        }
    }
}

fn by_schema(own: &ParseDescription, options: &ParseOptions) -> Option<ParseDescription> {
    match own.with_settings(&options.settings) {
        Cow::Owned(by_schema) => Some(by_schema),
        Cow::Borrowed(_) => None,
    }
}

fn start(component: &Component, limits: Limits) -> Result<Live, CallError> {
    match &component.body {
        Body::Local(local) => instantiate(local, limits).map(Box::new).map(Live::Local),
        Body::Remote(remote) => Ok(Live::Remote(RemoteParse::new(remote.clone()))),
    }
}

fn instantiate(component: &Local, limits: Limits) -> Result<(Store<Sandbox>, ParseWorld), CallError> {
    let mut store = instance::sandbox(component, limits);
    match ParseWorld::instantiate(&mut store, &component.code, &component.linker) {
        Ok(world) => Ok((store, world)),
        Err(error) => Err(instance::call_error(&store, error)),
    }
}

fn call<T>(
    (store, world): &mut (Store<Sandbox>, ParseWorld),
    f: impl FnOnce(&wit::Guest, &mut Store<Sandbox>) -> wasmtime::Result<T>,
) -> Result<T, CallError> {
    instance::arm(store);
    f(world.tallow_parse_parse(), store).map_err(|error| instance::call_error(store, error))
}

fn lend(batch: &mut Batch, wants: &ParseDescription) -> types::Batch {
    types::Batch {
        topics: batch.topics.iter().map(|topic| topic.to_string()).collect(),
        runs: wit_runs(batch),
        offsets: take(&mut batch.offsets),
        timestamps_us: take(&mut batch.timestamps_us),
        values: lend_column(&mut batch.values),
        keys: wants.wants_keys.then(|| lend_column(&mut batch.keys)),
        headers: wants.wants_headers.then(|| lend_headers(batch)),
    }
}

fn take_back(batch: &mut Batch, lent: types::Batch) {
    batch.offsets = lent.offsets;
    batch.timestamps_us = lent.timestamps_us;
    batch.values = back_column(lent.values);
    if let Some(keys) = lent.keys {
        batch.keys = back_column(keys);
    }
}

fn lend_column(column: &mut tallow_record::ByteColumn) -> types::ByteColumn {
    types::ByteColumn {
        bytes: take(&mut column.bytes),
        ends: take(&mut column.ends),
        nulls: take(&mut column.nulls),
    }
}

fn back_column(column: types::ByteColumn) -> tallow_record::ByteColumn {
    tallow_record::ByteColumn { bytes: column.bytes, ends: column.ends, nulls: column.nulls }
}

/// Headers are rare and small, so they are copied.
fn lend_headers(batch: &Batch) -> types::Headers {
    let mut names = types::Text { bytes: Vec::new(), ends: Vec::new(), codes: Vec::new() };
    for (code, name) in batch.headers.names.iter().enumerate() {
        names.bytes.extend_from_slice(name.as_bytes());
        names.ends.push(names.bytes.len() as u32);
        names.codes.push(code as u32);
    }
    let mut values = batch.headers.values.clone();
    types::Headers { records: batch.headers.records.clone(), names, values: lend_column(&mut values) }
}

pub(crate) fn wit_runs(batch: &Batch) -> Vec<types::Run> {
    let runs = batch.runs.iter();
    runs.map(|run| types::Run { topic: run.topic, partition: run.partition, records: run.records }).collect()
}

fn into_parsed(parsed: wit::Parsed, batch: &Batch) -> Result<Parsed, CallError> {
    Ok(Parsed {
        rows: Rows::new(parsed.rows, parsed.kinds, parsed.records, batch),
        ignored: marked(parsed.ignored)?,
        rejected: marked(parsed.rejected)?,
        rounded: parsed.rounded,
    })
}

fn marked(marked: wit::Marked) -> Result<Marked, CallError> {
    let reasons = texts(&marked.reasons).map_err(CallError::Contract)?;
    Ok(Marked { records: marked.records, reasons, codes: marked.reasons.codes })
}
