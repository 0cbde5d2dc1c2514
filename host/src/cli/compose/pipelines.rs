//! A pipeline of the manifest, composed to run or to be verified.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tallow_engine::Component;
use tallow_env::exit;
use tallow_lake::Folder;
use tallow_manifest::{self as manifest, Manifest, Pipeline};
use tallow_pipeline::functions::Functions;
use tallow_pipeline::hooks::Hooks;
use tallow_pipeline::progress::Progress;
use tallow_pipeline::{PipelineError, Services};
use tallow_sink::{DeadLetters, Decimals, Lake, LateRows, Sink};
use tallow_source::Source;
use tallow_store::Store;
use tallow_verify::Verifier;
use tallow_worker::library::{Card, Library};
use tallow_worker::plan::{Mode, Plan};

use super::{Host, kafka, points, results};
use crate::cli::Failure;
use crate::cli::gate::{Admitted, OfPipeline};

/// How a run was asked for.
#[derive(Clone, Copy, Default)]
pub struct Asked<'a> {
    pub mode: Mode,
    /// Windows whose state may be lost.
    pub drop_windows: &'a [String],
}

impl Host {
    pub fn pipeline(
        &self,
        manifest: &Manifest,
        pipeline: &Pipeline,
        asked: Asked<'_>,
        progress: Arc<Progress>,
        hooks: Arc<dyn Hooks>,
    ) -> Result<Services, Failure> {
        kafka::check_results_client(manifest, pipeline)?;
        let library = self.library();
        let mut plan = Plan::new(pipeline, asked.mode);
        plan.drop_windows = asked.drop_windows.to_vec();
        let OfPipeline { parse, window, wants_headers } =
            self.gate.of_pipeline_or_last_good(manifest, &library, pipeline)?;
        // A record that goes out under another key keeps its headers.
        let wants_headers = wants_headers || pipeline.rekey.is_some();
        let source = kafka::source(&manifest.kafka, pipeline, self.clock.clone())
            .map_err(|error| kafka::failure(manifest, error))?;
        // The lake keeps them: a log names them by their digests.
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
            sinks: self.stream_sinks(manifest, pipeline)?,
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            progress,
            stop: self.stop.clone(),
        })
    }

    /// What `tallow verify` reads. The manifest's components are not needed: the lake has those that a log names.
    pub fn verifier(&self, manifest: &Manifest, pipeline: &Pipeline) -> Result<Verifier, Failure> {
        let (cluster, topics, clock) = (manifest.kafka.clone(), pipeline.clone(), self.clock.clone());
        let open = move |headers: bool| -> Result<Arc<dyn Source>, PipelineError> {
            let source = kafka::source(&cluster, &topics, clock.clone())?;
            Ok(Arc::new(if headers { source } else { source.without_headers() }))
        };
        let (cluster, clock) = (manifest.kafka.clone(), self.clock.clone());
        let results = move |topic: &str| -> Result<Arc<dyn Source>, PipelineError> {
            Ok(Arc::new(kafka::results(&cluster, topic, clock.clone())?))
        };
        Ok(Verifier {
            plan: Arc::new(Plan::new(pipeline, Mode::default())),
            library: self.library(),
            store: self.store.clone(),
            folder: Folder::new(&pipeline.id, 0).map_err(Failure::usage)?,
            sinks: self.stream_sinks(manifest, pipeline)?,
            source: Box::new(open),
            results: Box::new(results),
            brokers: manifest.kafka.brokers.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            blobs: Mutex::default(),
        })
    }

    /// The lake, and topics and databases that get results.
    fn stream_sinks(&self, manifest: &Manifest, pipeline: &Pipeline) -> Result<Vec<Arc<dyn Sink>>, Failure> {
        let topics = results::sink(manifest, pipeline, self.clock.clone());
        let databases = points::sink(self, manifest, pipeline)?;
        Ok(sinks(&self.store, pipeline).into_iter().chain(topics).chain(databases).collect())
    }

    pub(super) fn library(&self) -> Library {
        Library::new(self.runtime.clone(), self.store.clone())
    }

    /// A function, and what the lake keeps of it.
    pub(super) fn carded(&self, function: Admitted) -> (Component, Bytes, Card) {
        let Admitted { component, bytes, origin } = function;
        let card = Card::new(&component, origin, self.clock.now_us());
        (component, bytes.into(), card)
    }
}

pub(super) fn sinks(store: &Store, pipeline: &Pipeline) -> Vec<Arc<dyn Sink>> {
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

/// Reports each pipeline that failed; the exit code is the first one's.
pub fn first_failure(failures: Vec<(String, PipelineError)>) -> Result<(), Failure> {
    let code = |error: &PipelineError| match error.exit_code() {
        exit::DONE => exit::FAILED,
        code => code,
    };
    Failure::of_several(
        failures.iter().map(|(name, error)| (code(error), format!("pipeline `{name}`: {error}"))),
    )
}
