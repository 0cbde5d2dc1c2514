//! What the tests of this crate share: a small pipeline over the guests of the project's tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tallow_engine::{Contract, Runtime};
use tallow_env::ManualClock;
use tallow_log::record::State;
use tallow_manifest::Overrides;
use tallow_record::{Batch, TopicPartition};
use tallow_source::Position;
use tallow_worker::{BisectBudget, ParseWorker, ParsedBatch, Unobserved};

use crate::functions::Functions;
use crate::start::restore;
use crate::window_worker::WindowState;
use tallow_worker::plan::{Mode, Plan, parse_settings};

/// Counts of trades by minute, with more keys of the pipeline. An id of 666 traps.
pub fn plan(keys: &str) -> Arc<Plan> {
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
parse = "hostile-parse"
{keys}
[[trigger.kafka.windows]]
name = "1m"
kinds = ["trade"]
tumbling = "1m"
keys = ["symbol"]
ids = "id"
[trigger.kafka.windows.aggregates]
trades = "count()"
[component.hostile-parse]
source = "hostile-parse.wasm"
[component.window]
source = "hostile-window.wasm"
"#
    );
    let (file, folder) = (Path::new("spin.toml"), Path::new("/"));
    let manifest = tallow_manifest::resolve(&manifest, file, folder, &BTreeMap::new(), &Overrides::default());
    let manifest = manifest.unwrap_or_else(|errors| panic!("{errors}"));
    Arc::new(Plan::new(&manifest.pipelines[0], Mode::default()))
}

pub fn functions() -> Functions {
    let runtime = Runtime::new(None).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/functions/test");
    let guest = |name: &str, contract| {
        let loaded = runtime.load_file(name, &folder.join(format!("{name}.wasm")), contract);
        Arc::new(loaded.unwrap_or_else(|error| panic!("{error}; run `make functions`")))
    };
    Functions {
        parse: guest("hostile-parse", Contract::Parse),
        window: guest("hostile-window", Contract::Window),
    }
}

/// No state, for a pipeline that reads one partition from its start.
pub fn nothing(plan: &Plan, functions: &Functions) -> WindowState {
    let from = [Position { partition: TopicPartition::new("trades", 0), next: 0 }];
    let read_blob = |_: &_| panic!("there is no state to read");
    restore(plan, &plan.pipeline.kept(), &read_blob, &State::default(), &from, functions).unwrap()
}

/// What a parse worker makes of records of that partition.
pub fn parsed(plan: &Plan, functions: &Functions, offset: i64, values: &[&str]) -> ParsedBatch {
    let (budget, clock) = (BisectBudget::new(100), Arc::new(ManualClock::at(0)));
    let settings = parse_settings(plan);
    let worker = ParseWorker::new(&functions.parse, settings, budget, Arc::new(Unobserved), clock);
    let mut batch = Batch::default();
    let topic = batch.topic_index(&"trades".into());
    for (offset, value) in (offset..).zip(values) {
        batch.push(topic, 0, offset, 0, i64::MAX / 2, None, Some(value.as_bytes()));
    }
    worker.unwrap().work(batch).unwrap()
}
