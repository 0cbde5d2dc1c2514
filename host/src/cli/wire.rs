//! Wires a pipeline of the manifest to the real world: Kafka, the object store, the machine's clock.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tallow_engine::{Component, Contract, Limits, Runtime};
use tallow_env::{Clock, Random, SystemClock, SystemRandom};
use tallow_http::{AllowList, Http, Origin};
use tallow_lake::Folder;
use tallow_lake::partition::serving;
use tallow_manifest::{self as manifest, Backfill, Cluster, Manifest, Mistake, Pipeline, key_path};
use tallow_merge::Merger;
use tallow_sink::{DeadLetters, Decimals, Lake, LateRows, Sink};
use tallow_source::{Config, KafkaSource, OnDataLoss, Source, SourceError, Topics};
use tallow_store::Store;

use super::gate::{Admitted, Gate, OfBackfill, OfPipeline};
use super::{Failure, settings};
use crate::merging::Merging;
use tallow_backfill::{BackfillError, Backfilling};
use tallow_env::exit;
use tallow_log::owner;
use tallow_pipeline::PipelineError;
use tallow_pipeline::Services;
use tallow_pipeline::functions::Functions;
use tallow_pipeline::hooks::Hooks;
use tallow_pipeline::progress::Progress;
use tallow_verify::Verifier;
use tallow_worker::library::{Card, Library};
use tallow_worker::plan::{Mode, Plan};

/// What the pipelines of a process share.
pub struct World {
    pub runtime: Arc<Runtime>,
    pub store: Store,
    pub gate: Arc<Gate>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub stop: Arc<AtomicBool>,
}

/// How a run was asked for.
#[derive(Clone, Copy, Default)]
pub struct Asked<'a> {
    pub mode: Mode,
    /// Windows whose state may be lost.
    pub drop_windows: &'a [String],
}

impl World {
    /// Whether the lake can be written, said soon.
    pub fn check_lake(&self) -> Result<(), Failure> {
        check_lake(&self.store, &*self.random)
    }

    pub fn new(manifest: &Manifest, stop: Arc<AtomicBool>) -> Result<Self, Failure> {
        Ok(Self {
            runtime: Arc::new(settings::runtime_of(manifest, stop.clone())?),
            store: store(&manifest.kafka)?,
            gate: Arc::new(Gate::new(manifest)?),
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            stop,
        })
    }

    pub fn wire(
        &self,
        manifest: &Manifest,
        pipeline: &Pipeline,
        asked: Asked<'_>,
        progress: Arc<Progress>,
        hooks: Arc<dyn Hooks>,
    ) -> Result<Services, Failure> {
        let library = Library::new(self.runtime.clone(), self.store.clone());
        let mut plan = Plan::new(pipeline, asked.mode);
        plan.drop_windows = asked.drop_windows.to_vec();
        let OfPipeline { parse, window, wants_headers } =
            self.gate.of_pipeline_or_last_good(manifest, &library, pipeline)?;
        let source = source(&manifest.kafka, pipeline, self.clock.clone())
            .map_err(|error| of_source(manifest, error))?;
        // The lake gets them, too: a log names them by their digests.
        let keep = |function: Admitted| -> Result<Arc<Component>, Failure> {
            let (component, bytes, card) = self.carded(function);
            library.keep(bytes, &card)?;
            Ok(Arc::new(component))
        };
        let functions = Functions { parse: keep(parse)?, window: keep(window)? };
        // Looking for headers costs a quarter of what a record costs to fetch.
        let source = if wants_headers { source } else { source.without_headers() };
        Ok(Services {
            plan: Arc::new(plan),
            functions,
            library,
            hooks,
            reads_headers: wants_headers,
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
    /// What `tallow verify` reads. The manifest's components are not needed: the lake has those that a log names.
    pub fn verifier(&self, manifest: &Manifest, pipeline: &Pipeline) -> Result<Verifier, Failure> {
        let (cluster, topics, clock) = (manifest.kafka.clone(), pipeline.clone(), self.clock.clone());
        let open = move |headers: bool| -> Result<Arc<dyn Source>, PipelineError> {
            let source = source(&cluster, &topics, clock.clone())?;
            Ok(Arc::new(if headers { source } else { source.without_headers() }))
        };
        Ok(Verifier {
            plan: Arc::new(Plan::new(pipeline, Mode::default())),
            library: Library::new(self.runtime.clone(), self.store.clone()),
            store: self.store.clone(),
            folder: Folder::new(&pipeline.id, 0).map_err(|error| Failure::new(exit::USAGE, error))?,
            sinks: sinks(&self.store, pipeline),
            source: Box::new(open),
            brokers: manifest.kafka.brokers.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            blobs: Mutex::default(),
        })
    }

    /// A function, and what the lake gets of it.
    fn carded(&self, function: Admitted) -> (Component, Bytes, Card) {
        let Admitted { component, bytes, origin } = function;
        let card = Card::new(&component, origin, self.clock.now_us());
        (component, bytes.into(), card)
    }

    /// A backfill wired to its exchange.
    pub fn backfilling(&self, manifest: &Manifest, backfill: &Backfill) -> Result<Backfilling, Failure> {
        let mut components = Vec::new();
        let mut card = |function: Admitted| {
            let (component, bytes, card) = self.carded(function);
            components.push((bytes, card));
            component
        };
        let stream = settings::pipelines(manifest, Some(backfill.pipeline()))?[0].clone();
        let OfBackfill { function, parse, window } =
            self.gate.of_backfill(manifest, &self.runtime, backfill)?;
        let (function, parse, window) = (card(function), card(parse), card(window));
        Ok(Backfilling::new(tallow_backfill::Services {
            function,
            parse,
            window,
            stream_parse: settings::component(manifest, &self.runtime, &stream.parse, Contract::Parse)?,
            library: Library::new(self.runtime.clone(), self.store.clone()),
            components,
            http: exchange(backfill, self.clock.clone())?,
            store: self.store.clone(),
            sinks: sinks(&self.store, &stream),
            clock: self.clock.clone(),
            random: self.random.clone(),
            progress: Arc::default(),
            stop: self.stop.clone(),
            served: served(manifest),
            backfill: backfill.clone(),
            stream,
        })?)
    }
}

/// By name of a speed table: the tables that serve its windows.
fn served(manifest: &Manifest) -> Vec<(String, String)> {
    let merges = manifest.merges.iter();
    merges.filter_map(|merge| Some((merge.speed.clone()?, serving(&merge.name)))).collect()
}

/// A client that talks to the hosts of a backfill, and to no others.
fn exchange(backfill: &Backfill, clock: Arc<dyn Clock>) -> Result<Arc<dyn Http>, Failure> {
    let origin = |text: &str| -> Result<Origin, Failure> {
        text.parse().map_err(|why| {
            Failure::new(exit::USAGE, format!("backfill `{}`: host `{text}`: {why}", backfill.name))
        })
    };
    let url = url::Url::parse(&backfill.base_url)
        .map_err(|why| Failure::new(exit::USAGE, format!("backfill `{}`: base-url: {why}", backfill.name)))?;
    let base = Origin::of(&url).map_err(|why| Failure::new(exit::USAGE, why))?;
    let mut allow = match backfill.internal {
        true => AllowList::default().internal(base),
        false => AllowList::default().public(base),
    };
    for host in &backfill.hosts {
        allow = allow.public(origin(host)?);
    }
    let asking = backfill.asking;
    let limits = tallow_http::Limits {
        whole: asking.timeout,
        body_bytes: asking.body_bytes,
        ..tallow_http::Limits::default()
    };
    Ok(Arc::new(tallow_http::client(allow, limits, clock).map_err(BackfillError::from)?))
}

impl World {
    /// A merge of the manifest, ready to run.
    pub fn merger(&self, manifest: &Manifest, merge: &manifest::Merge) -> Result<Merger, Failure> {
        Ok(Merger {
            settings: merge_settings(merge),
            component: self.gate.of_merge(manifest, &self.runtime, merge, MERGE_LIMITS)?.component,
            limits: MERGE_LIMITS,
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            owner: owner::name(),
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
pub const MERGE_LIMITS: Limits =
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

/// Whether a lake can be written, said soon.
pub fn check_lake(store: &Store, random: &dyn Random) -> Result<(), Failure> {
    store.probe_soon(random).map_err(|error| Failure::new(error.exit_code(), error))
}

/// The lake's object store. A local folder is made where it is missing.
pub fn store(cluster: &Cluster) -> Result<Store, Failure> {
    let options: BTreeMap<String, String> =
        cluster.lake_options.iter().map(|(key, value)| (key.clone(), value.expose().to_owned())).collect();
    Store::open(&cluster.lake, &options).map_err(|error| Failure::new(error.exit_code(), error))
}

/// Whether Kafka's client takes the manifest's settings.
pub fn check_client(manifest: &Manifest) -> Result<(), Failure> {
    let client = manifest.kafka.client.iter();
    let client = client.map(|(key, value)| (key.clone(), value.expose().to_owned())).collect();
    let (mut mistakes, mut others) = (Vec::new(), Vec::new());
    for error in tallow_source::check_client(&client) {
        match error {
            SourceError::Setting { key, why } => mistakes.push(of_client(&key, why)),
            other => others.push(other),
        }
    }
    match others.into_iter().next() {
        Some(other) if mistakes.is_empty() => Err(PipelineError::from(other).into()),
        _ if mistakes.is_empty() => Ok(()),
        _ => Err(Failure::new(exit::USAGE, manifest.mistakes(mistakes))),
    }
}

fn of_client(key: &str, problem: String) -> Mistake {
    Mistake { key: key_path("application.trigger.kafka.client", key), problem }
}

/// A setting that Kafka's client does not take is a mistake of the manifest's.
fn of_source(manifest: &Manifest, error: PipelineError) -> Failure {
    let PipelineError::Source(SourceError::Setting { key, why }) = error else { return error.into() };
    Failure::new(exit::USAGE, manifest.mistakes(vec![of_client(&key, why)]))
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
