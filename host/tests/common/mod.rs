//! A whole pipeline in one process: topics, object store and clock in memory, the built functions in their sandbox.

#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use crossbeam_channel::{Receiver, bounded};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tallow_backfill::{self as backfill, Backfilling};
use tallow_engine::{Component, Contract, Runtime};
use tallow_env::{Clock, ManualClock, SeededRandom};
use tallow_http::{AllowList, Guarded};
use tallow_lake::Folder;
use tallow_log::record::{self, Role};
use tallow_manifest::{Manifest, OutputMode, Overrides, Pipeline};
use tallow_pipeline::PipelineError;
use tallow_pipeline::Services;
use tallow_pipeline::functions::{Functions, contract};
use tallow_pipeline::hooks::{Outcome, Swap};
use tallow_pipeline::progress::{Counts, Progress};
use tallow_record::TopicPartition;
use tallow_sink::{DeadLetters, Decimals, Lake, LateRows, Sink};
use tallow_sink_kafka::KafkaSink;
use tallow_sink_kafka::settings::{self, Settings, Style, WindowTopic};
use tallow_source::{OnDataLoss, Source, Topics};
use tallow_store::Store;
use tallow_swap::HotSwap;
use tallow_test_support::http::{Handler, MemoryNet, ScriptedNames};
use tallow_test_support::source::{MemoryLog, MemorySource, Raw};
use tallow_test_support::transactions::MemoryTransactions;
use tallow_verify::Verifier;
use tallow_worker::library::{Card, Library};
use tallow_worker::plan::{Mode, Plan};

/// 2024-08-09 00:00:00 UTC: the tests' market opens.
pub const OPEN_US: i64 = 1_723_161_600_000_000;
pub const SECOND_US: i64 = 1_000_000;

pub struct World {
    runtime: Arc<Runtime>,
    pub log: Arc<MemoryLog>,
    /// Where results go that go to topics, of the same log.
    pub transactions: MemoryTransactions,
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

/// A pipeline's services, and what may change its functions.
pub struct Wired {
    pub services: Services,
    pub swap: Arc<HotSwap>,
}

impl Deref for Wired {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

impl DerefMut for Wired {
    fn deref_mut(&mut self) -> &mut Services {
        &mut self.services
    }
}

/// A table's row: column and value as text.
pub type Row = BTreeMap<String, String>;

impl World {
    /// A topic `trades` of so many partitions.
    pub fn new(partitions: usize) -> Self {
        let clock = Arc::new(ManualClock::at(OPEN_US + 3_600 * SECOND_US));
        Self::on(Store::memory().unwrap(), clock, Arc::new(SeededRandom::new(1)), partitions)
    }

    /// The same, of guests that do wrong in each of their versions.
    pub fn guests() -> Self {
        Self::new(1).with_guests()
    }

    pub fn with_guests(mut self) -> Self {
        (self.parse, self.window) = ("test/hostile-parse", "test/hostile-window");
        self
    }

    /// A world whose store may break.
    pub fn on(store: Store, clock: Arc<ManualClock>, random: Arc<SeededRandom>, partitions: usize) -> Self {
        let log = Arc::new(MemoryLog::default());
        log.create_topic("trades", partitions);
        Self {
            runtime: Arc::new(Runtime::new(Some(root().join("target/tests/compiled"))).unwrap()),
            transactions: MemoryTransactions::new(log.clone()),
            log,
            store,
            clock,
            random,
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
        self.run_wired(self.wire(pipeline, mode))
    }

    pub fn run_wired(&self, wiring: Wired) -> Run {
        let outcome = tallow_pipeline::run(&wiring);
        Run { outcome, counts: wiring.progress.counts() }
    }

    pub fn wire(&self, pipeline: &Pipeline, mode: Mode) -> Wired {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let topics = Topics::Names(vec!["trades".to_owned()]);
        let source = MemorySource::new(self.log.clone(), &topics, OnDataLoss::Halt, clock.clone()).unwrap();
        let swap = Arc::new(HotSwap::default());
        let services = Services {
            plan: Arc::new(Plan::new(pipeline, mode)),
            functions: Functions {
                parse: Arc::new(self.component(self.parse, Contract::Parse)),
                window: Arc::new(self.component(self.window, Contract::Window)),
            },
            library: self.library(),
            hooks: swap.clone(),
            reads_headers: true,
            source: Arc::new(source),
            store: self.store.clone(),
            sinks: self.sinks().into_iter().chain(self.topics(pipeline)).collect(),
            clock,
            random: self.random.clone(),
            progress: Arc::new(Progress::new(Vec::new())),
            stop: Arc::new(AtomicBool::new(false)),
        };
        Wired { services, swap }
    }

    /// A backfill of the manifest, whose exchange is a server in memory.
    pub fn backfilling(&self, manifest: &Manifest, handler: Handler) -> Backfilling {
        let backfill = manifest.backfills[0].clone();
        let net = MemoryNet::new(self.clock.clone());
        net.listen(([127, 0, 0, 1], 80).into(), handler);
        let allow = AllowList::default().internal(backfill.base_url.parse().unwrap());
        let names = Arc::new(ScriptedNames::default().with("exchange.test", &[[127, 0, 0, 1].into()]));
        let limits = tallow_http::Limits { whole: backfill.asking.timeout, ..Default::default() };
        let clock: Arc<dyn Clock> = self.clock.clone();
        let wiring = backfill::Services {
            function: self.component(&backfill.function, Contract::Backfill),
            parse: self.component(&backfill.bars.parse, Contract::Parse),
            stream_parse: self.component(self.parse, Contract::Parse),
            window: self.component(self.window, Contract::Window),
            served: vec![("candles_1m".to_owned(), "serving/minutes".to_owned())],
            library: self.library(),
            components: Vec::new(),
            http: Arc::new(Guarded::new(allow, limits, names, clock.clone(), net)),
            store: self.store.clone(),
            sinks: self.sinks(),
            clock,
            random: self.random.clone(),
            progress: Arc::default(),
            stop: Arc::new(AtomicBool::new(false)),
            stream: manifest.pipeline(backfill.pipeline()).unwrap().clone(),
            backfill,
        };
        Backfilling::new(wiring).unwrap()
    }

    /// What a proof of the pipeline's commits reads.
    pub fn verifier(&self, pipeline: &Pipeline) -> Verifier {
        let wiring = self.wire(pipeline, Mode::default()).services;
        let (log, clock) = (self.log.clone(), self.clock.clone());
        let open = move |_headers: bool| -> Result<Arc<dyn Source>, PipelineError> {
            let topics = Topics::Names(vec!["trades".to_owned()]);
            Ok(Arc::new(MemorySource::new(log.clone(), &topics, OnDataLoss::Halt, clock.clone())?))
        };
        let (log, clock) = (self.log.clone(), self.clock.clone());
        let results = move |topic: &str| -> Result<Arc<dyn Source>, PipelineError> {
            let topics = Topics::Names(vec![topic.to_owned()]);
            Ok(Arc::new(MemorySource::new(log.clone(), &topics, OnDataLoss::Continue, clock.clone())?))
        };
        Verifier {
            plan: wiring.plan,
            library: wiring.library,
            store: wiring.store,
            folder: Folder::new(&pipeline.id, 0).unwrap(),
            sinks: wiring.sinks,
            source: Box::new(open),
            results: Box::new(results),
            brokers: "memory".to_owned(),
            clock: wiring.clock,
            random: wiring.random,
            blobs: Mutex::default(),
        }
    }

    pub fn library(&self) -> Library {
        Library::new(self.runtime.clone(), self.store.clone())
    }

    /// A built component; the lake holds it, too.
    pub fn component(&self, name: &str, contract: Contract) -> Component {
        self.component_of(name, built(name), contract)
    }

    /// Another version of a built component: a test guest's by its variant byte, a real function's by a section that
    /// nothing reads.
    pub fn version(&self, name: &str, variant: u8, contract: Contract) -> Component {
        const MARK: &[u8] = b"tallow-test-variant=";
        let mut bytes = built(name);
        match bytes.windows(MARK.len()).position(|window| window == MARK) {
            Some(at) => bytes[at + MARK.len()] = variant,
            None => bytes.extend([0, 9, 7, b'v', b'e', b'r', b's', b'i', b'o', b'n', variant]),
        }
        self.component_of(name, bytes, contract)
    }

    fn component_of(&self, name: &str, bytes: Vec<u8>, contract: Contract) -> Component {
        let loaded = self.runtime.load(name, &bytes, contract);
        let component = loaded.unwrap_or_else(|error| panic!("{error}"));
        self.library().keep(bytes.into(), &Card::new(&component, name.to_owned(), 0)).unwrap();
        component
    }

    fn sinks(&self) -> Vec<Arc<dyn Sink>> {
        let store = &self.store;
        vec![
            Arc::new(Lake::new(store.clone(), Decimals::Double)),
            Arc::new(LateRows::new(store.clone())),
            Arc::new(DeadLetters::new(store.clone())),
        ]
    }

    /// The sink of the pipeline's topics, if it has any.
    fn topics(&self, pipeline: &Pipeline) -> Option<Arc<dyn Sink>> {
        let windows = pipeline.windows.iter().filter_map(|window| {
            let topic = window.kafka.as_ref()?.topic.clone();
            let mode = match window.kafka.as_ref()?.mode {
                OutputMode::Append => settings::Mode::Append,
                OutputMode::Update => settings::Mode::Update,
                OutputMode::Complete => settings::Mode::Complete,
            };
            Some((window.name.clone(), WindowTopic { topic, mode, style: Style::default() }))
        });
        let rekeyed = pipeline.rekey.as_ref().map(|it| it.topic.clone());
        let wanted = Settings { windows: windows.collect(), rekeyed, ..Settings::default() };
        let sink = || KafkaSink::new(wanted.clone(), Arc::new(self.transactions.clone()));
        (!wanted.is_empty()).then(|| Arc::new(sink()) as Arc<dyn Sink>)
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
    manifest(keys, windows, "").pipelines.remove(0)
}

/// The manifest of that pipeline, with more tables before it.
pub fn manifest(keys: &str, windows: &str, tables: &str) -> Manifest {
    let manifest = format!(
        r#"
spin_manifest_version = 2
[application]
name = "test"
version = "0.1.0"
[application.trigger.kafka]
brokers = "memory:1"
lake = "memory:///"
{tables}
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
[component.backfill-binance]
source = "backfill-binance.wasm"
"#
    );
    let resolved = tallow_manifest::resolve(
        &manifest,
        Path::new("spin.toml"),
        Path::new("/"),
        &BTreeMap::new(),
        &Overrides::default(),
    );
    resolved.unwrap_or_else(|errors| panic!("{errors}"))
}

/// Counts of trades by minute, which the guests make, too; ids tell the window guest which misdeed is asked for.
pub const COUNTS: &str = r#"
[[trigger.kafka.windows]]
name = "1m"
kinds = ["trade"]
tumbling = "1m"
keys = ["symbol"]
ids = "id"
[trigger.kafka.windows.aggregates]
trades = "count()"
"#;

/// A trade as the guests read it.
pub fn plain(id: i64, second: i64) -> String {
    format!("BTCUSDT {} 100.5 {id} 2", OPEN_US + second * SECOND_US)
}

/// Asks a pipeline for another function.
pub fn ask_swap(
    wiring: &Wired,
    role: Role,
    component: Component,
    mode: record::Mode,
    epochs: u32,
) -> Receiver<Outcome> {
    let (reply, outcome) = bounded(1);
    let swap = Swap {
        role,
        component: Arc::new(component),
        state_version: (role == Role::Window).then_some(1),
        mode,
        epochs,
        deadline: Duration::from_secs(1),
        why: "a test asked".to_owned(),
        reply,
    };
    assert!(wiring.swap.requests.ask_swap(swap));
    outcome
}

/// Takes what the topics hold now.
pub const DRAIN: Mode = Mode { available_now: true, close_all: false };

/// Trades of one symbol, one a second, in the format of the world's parse function.
pub fn market(world: &World, seconds: std::ops::Range<i64>) {
    for second in seconds {
        let real = || trade("BTCUSDT", second, second * SECOND_US, &format!("{}", 100 + second % 7), "2");
        world.append(0, if world.parse == "parse-market" { real() } else { plain(second, second) });
    }
}

/// Epochs of 30 records.
pub fn epochs(windows: &str) -> Pipeline {
    pipeline("epoch = { max-records = 30 }\nlimits = { batch-records = 10 }", windows)
}

/// Runs with a version of the world's function swapped in at the end of the first epoch.
pub fn run_with_swap(
    world: &World,
    pipeline: &Pipeline,
    role: Role,
    variant: u8,
    mode: record::Mode,
    epochs: u32,
) -> Outcome {
    let wiring = world.wire(pipeline, DRAIN);
    let name = if role == Role::Parse { world.parse } else { world.window };
    let outcome = ask_swap(&wiring, role, world.version(name, variant, contract(role)), mode, epochs);
    world.run_wired(wiring).outcome.unwrap();
    outcome.recv().unwrap()
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

fn built(name: &str) -> Vec<u8> {
    std::fs::read(root().join("target/functions").join(format!("{name}.wasm"))).unwrap()
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
