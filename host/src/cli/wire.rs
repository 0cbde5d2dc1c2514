//! Wires a pipeline of the manifest to the real world: Kafka, the object store, the machine's clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tallow_edge::{Clock, Random, SystemClock, SystemRandom};
use tallow_engine::{Component, Contract, Limits, ParseFunction, Runtime};
use tallow_log::Store;
use tallow_manifest::{self as manifest, Cluster, Manifest, Pipeline};
use tallow_merge::Merger;
use tallow_sink::{DeadLetters, Decimals, Lake, LateRows, Sink};
use tallow_source::{Config, KafkaSource, OnDataLoss, Topics};

use super::{Failure, settings};
use crate::error::{PipelineError, exit};
use crate::merging::Merging;
use crate::pipeline::Wiring;
use crate::plan::{Mode, Plan};
use crate::progress::Progress;
use crate::start::owner;

/// What the pipelines of a process share.
pub struct World {
    pub runtime: Runtime,
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub stop: Arc<AtomicBool>,
}

impl World {
    pub fn new(manifest: &Manifest, stop: Arc<AtomicBool>) -> Result<Self, Failure> {
        Ok(Self {
            runtime: settings::runtime()?,
            store: store(&manifest.kafka)?,
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            stop,
        })
    }

    pub fn wire(
        &self,
        manifest: &Manifest,
        pipeline: &Pipeline,
        mode: Mode,
        progress: Arc<Progress>,
    ) -> Result<Wiring, Failure> {
        let component = |name: &str, contract| settings::component(manifest, &self.runtime, name, contract);
        let plan = Plan::new(pipeline, mode);
        let parse = component(&pipeline.parse, Contract::Parse)?;
        let source = source(&manifest.kafka, pipeline, self.clock.clone())?;
        let wants_headers = wants_headers(&parse, &plan)?;
        // Looking for headers costs a quarter of what a record costs to fetch.
        let source = if wants_headers { source } else { source.without_headers() };
        Ok(Wiring {
            plan: Arc::new(plan),
            parse,
            window: component(pipeline.window_function(), Contract::Window)?,
            source: Arc::new(source),
            sinks: sinks(&self.store, pipeline),
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            progress,
            stop: self.stop.clone(),
        })
    }
}

impl World {
    /// A merge of the manifest, ready to run.
    pub fn merger(&self, manifest: &Manifest, merge: &manifest::Merge) -> Result<Merger, Failure> {
        Ok(Merger {
            settings: merge_settings(merge),
            component: settings::component(manifest, &self.runtime, &merge.function, Contract::Merge)?,
            limits: MERGE_LIMITS,
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            owner: owner(),
        })
    }
}

impl World {
    /// The merges that run by themselves and take a window of these pipelines.
    pub fn merging(&self, manifest: &Manifest, pipelines: &[&Pipeline]) -> Result<Merging, Failure> {
        let written = |table: &String| {
            let writes =
                |pipeline: &&Pipeline| pipeline.windows.iter().any(|it| pipeline.table(it) == *table);
            pipelines.iter().any(writes)
        };
        let merges = manifest.merges.iter().filter(|it| it.auto && it.speed.as_ref().is_some_and(written));
        let mergers = merges.map(|merge| self.merger(manifest, merge)).collect::<Result<Vec<_>, _>>()?;
        Ok(Merging::new(mergers))
    }
}

/// A year of minutes of one symbol fits into it.
const MERGE_LIMITS: Limits =
    Limits { memory_bytes: 2 << 30, deadline: Duration::from_secs(120), output_bytes: 512 << 20 };

pub fn merge_settings(merge: &manifest::Merge) -> tallow_merge::Settings {
    let averages = merge.averages.as_ref().map(|averages| {
        averages.iter().map(|it| (it.name.clone(), it.column.clone(), it.length)).collect::<Vec<_>>()
    });
    tallow_merge::Settings {
        name: merge.name.clone(),
        batch: merge.batch.clone(),
        speed: merge.speed.clone(),
        key: merge.key.clone(),
        step_us: merge.step_us,
        fill: merge.fill,
        carry: merge.carry.clone(),
        zero: merge.zero.clone(),
        averages,
        prophet: merge.prophet.clone(),
        heal: merge.heal,
        keep_backups: merge.keep_backups,
        speed_retention_us: merge.speed_retention.map(|age| age.as_micros() as i64),
    }
}

fn wants_headers(parse: &Component, plan: &Plan) -> Result<bool, PipelineError> {
    let function = ParseFunction::new(parse, plan.limits, plan.parse_options.clone());
    let function = function.map_err(|error| PipelineError::Function {
        function: parse.name().to_owned(),
        call: "describe",
        why: error.to_string(),
    })?;
    Ok(function.description().wants_headers)
}

/// The lake's object store. A local folder is made where it is missing.
pub fn store(cluster: &Cluster) -> Result<Store, Failure> {
    let options: BTreeMap<String, String> =
        cluster.lake_options.iter().map(|(key, value)| (key.clone(), value.expose().to_owned())).collect();
    Store::open(&cluster.lake, &options).map_err(|error| Failure::new(error.exit_code(), error))
}

pub fn source(
    cluster: &Cluster,
    pipeline: &Pipeline,
    clock: Arc<dyn Clock>,
) -> Result<KafkaSource, PipelineError> {
    let client = cluster.client.iter().map(|(key, value)| (key.clone(), value.expose().to_owned()));
    Ok(KafkaSource::new(Config {
        brokers: cluster.brokers.clone(),
        client: client.collect(),
        topics: match &pipeline.topics {
            manifest::Topics::Names(names) => Topics::Names(names.clone()),
            manifest::Topics::Pattern(pattern) => Topics::Pattern(pattern.clone()),
        },
        on_data_loss: match pipeline.on_data_loss {
            manifest::OnDataLoss::Halt => OnDataLoss::Halt,
            manifest::OnDataLoss::Continue => OnDataLoss::Continue,
        },
        group_for_lag: Some(format!("tallow-{}", pipeline.id)),
        clock,
    })?)
}

fn sinks(store: &Store, pipeline: &Pipeline) -> Vec<Arc<dyn Sink>> {
    let decimals = match pipeline.decimals {
        manifest::Decimals::Double => Decimals::Double,
        manifest::Decimals::Decimal => Decimals::Decimal,
    };
    vec![
        Arc::new(Lake::new(store.clone(), decimals)),
        Arc::new(LateRows::new(store.clone())),
        Arc::new(DeadLetters::new(store.clone())),
    ]
}

/// Pipelines of one process that failed are told one by one; the exit code is the first one's.
pub fn first_failure(failures: Vec<(String, PipelineError)>) -> Result<(), Failure> {
    let Some((_, first)) = failures.first() else { return Ok(()) };
    let code = first.exit_code();
    let texts: Vec<String> =
        failures.iter().map(|(name, error)| format!("pipeline `{name}`: {error}")).collect();
    Err(Failure::new(if code == exit::DONE { exit::FAILED } else { code }, texts.join("\n")))
}
