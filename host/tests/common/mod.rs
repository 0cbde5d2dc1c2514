//! A whole pipeline in one process: topics, object store and clock in memory, the built functions in their sandbox.

#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tallow::error::PipelineError;
use tallow::pipeline::{self, Wiring};
use tallow::plan::{Mode, Plan};
use tallow::progress::{Counts, Progress};
use tallow_edge::{Clock, ManualClock, SeededRandom};
use tallow_engine::{Component, Contract, Runtime};
use tallow_log::Store;
use tallow_manifest::{Overrides, Pipeline};
use tallow_record::TopicPartition;
use tallow_sink::{DeadLetters, Decimals, Lake, LateRows, Sink};
use tallow_source::{MemoryLog, MemorySource, OnDataLoss, Raw, Topics};

/// 2024-08-09 00:00:00 UTC: the tests' market opens.
pub const OPEN_US: i64 = 1_723_161_600_000_000;
pub const SECOND_US: i64 = 1_000_000;

pub struct World {
    runtime: Runtime,
    pub log: Arc<MemoryLog>,
    pub store: Store,
    pub clock: Arc<ManualClock>,
    random: Arc<SeededRandom>,
    pub parse: &'static str,
    pub window: &'static str,
}

pub struct Run {
    pub outcome: Result<(), PipelineError>,
    pub counts: Counts,
}

/// A table's row: column and value as text.
pub type Row = BTreeMap<String, String>;

impl World {
    /// A topic `trades` of so many partitions.
    pub fn new(partitions: usize) -> Self {
        let log = Arc::new(MemoryLog::default());
        log.create_topic("trades", partitions);
        Self {
            runtime: Runtime::new(Some(root().join("target/tests/compiled"))).unwrap(),
            log,
            store: Store::memory().unwrap(),
            clock: Arc::new(ManualClock::at(OPEN_US + 3_600 * SECOND_US)),
            random: Arc::new(SeededRandom::new(1)),
            parse: "parse-market",
            window: "window",
        }
    }

    pub fn append(&self, partition: i32, value: impl Into<Vec<u8>>) {
        self.log.append(&TopicPartition::new("trades", partition), Raw::value(value));
    }

    /// Drains what the topic holds.
    pub fn run(&self, pipeline: &Pipeline) -> Run {
        self.run_as(pipeline, Mode { available_now: true, close_all: false })
    }

    pub fn run_as(&self, pipeline: &Pipeline, mode: Mode) -> Run {
        let wiring = self.wire(pipeline, mode);
        let outcome = pipeline::run(&wiring);
        Run { outcome, counts: wiring.progress.counts() }
    }

    pub fn wire(&self, pipeline: &Pipeline, mode: Mode) -> Wiring {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let topics = Topics::Names(vec!["trades".to_owned()]);
        let source = MemorySource::new(self.log.clone(), &topics, OnDataLoss::Halt, clock.clone()).unwrap();
        let store = &self.store;
        let sinks: Vec<Arc<dyn Sink>> = vec![
            Arc::new(Lake::new(store.clone(), Decimals::Double)),
            Arc::new(LateRows::new(store.clone())),
            Arc::new(DeadLetters::new(store.clone())),
        ];
        Wiring {
            plan: Arc::new(Plan::new(pipeline, mode)),
            parse: self.component(self.parse, Contract::Parse),
            window: self.component(self.window, Contract::Window),
            source: Arc::new(source),
            store: store.clone(),
            sinks,
            clock,
            random: self.random.clone(),
            progress: Arc::new(Progress::new(Vec::new())),
            stop: Arc::new(AtomicBool::new(false)),
        }
    }

    fn component(&self, name: &str, contract: Contract) -> Component {
        let path = root().join("target/functions").join(format!("{name}.wasm"));
        let loaded = self.runtime.load_file(name, &path, contract);
        loaded.unwrap_or_else(|error| panic!("{error}"))
    }

    /// All rows of the files below a folder of the lake, in the order of their names.
    pub fn rows(&self, folder: &str) -> Vec<Row> {
        let mut rows = Vec::new();
        for (path, _) in self.store.list(folder).unwrap() {
            let bytes = self.store.get(&path).unwrap().unwrap();
            let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
            reader.for_each(|batch| rows.extend(texts(&batch.unwrap())));
        }
        rows
    }
}

/// A pipeline `candles` over the topic `trades`, with more keys before its windows, and its windows.
pub fn pipeline(keys: &str, windows: &str) -> Pipeline {
    let manifest = format!(
        r#"
spin_manifest_version = 2
[application]
name = "test"
version = "0.1.0"
[application.trigger.kafka]
brokers = "memory:1"
lake = "memory:///"
[[trigger.kafka]]
id = "candles"
topic = "trades"
parse = "parse-market"
{keys}
{windows}
[component.parse-market]
source = "parse-market.wasm"
[component.window]
source = "window.wasm"
"#
    );
    let resolved = tallow_manifest::resolve(
        &manifest,
        Path::new("spin.toml"),
        Path::new("/"),
        &BTreeMap::new(),
        &Overrides::default(),
    );
    resolved.unwrap_or_else(|errors| panic!("{errors}")).pipelines.remove(0)
}

/// One window of one-minute candles over trades.
pub const MINUTES: &str = r#"
[[trigger.kafka.windows]]
name = "1m"
kinds = ["trade"]
tumbling = "1m"
keys = ["symbol"]
ids = "id"
[trigger.kafka.windows.aggregates]
open = "first(price)"
high = "max(price)"
low = "min(price)"
close = "last(price)"
volume = "sum(quantity)"
trades = "count()"
"#;

/// A trade as the exchange sends it. `at_us` counts from the market's opening.
pub fn trade(symbol: &str, id: i64, at_us: i64, price: &str, quantity: &str) -> String {
    let ms = (OPEN_US + at_us) / 1000;
    format!(
        r#"{{"e":"trade","E":{ms},"s":"{symbol}","t":{id},"p":"{price}","q":"{quantity}","T":{ms},"m":true,"M":true}}"#
    )
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn texts(batch: &RecordBatch) -> Vec<Row> {
    let schema = batch.schema();
    let row = |index: usize| {
        let columns = schema.fields().iter().zip(batch.columns());
        columns.map(|(field, array)| (field.name().clone(), text(array, index))).collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

fn text(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return "null".to_owned();
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Binary => String::from_utf8_lossy(array.as_binary::<i32>().value(row)).into_owned(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Timestamp(..) => array.as_primitive::<TimestampMicrosecondType>().value(row).to_string(),
        other => format!("{other}"),
    }
}
