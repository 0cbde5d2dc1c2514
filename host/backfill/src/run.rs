//! A backfill, whole: look, fetch, compute, publish, chunk by chunk.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tallow_engine::{BackfillFunction, BackfillOptions, ParseDescription};
use tallow_http::Budget;
use tallow_manifest::Backfill;
use tallow_record::TopicPartition;

use super::chunk::{Chunk, chunks};
use super::columns::Target;
use super::compute::Computer;
use super::fetch::{FetchError, Fetcher};
use super::progress::Progress;
use super::publish::{Functions, Publisher};
use super::services::{Services, Step, Summary};
use super::state;
use super::survey::Wanted;
use super::survey::{Need, Survey, Tables, survey};
use crate::error::BackfillError;
use tallow_worker::WorkerError;
use tallow_worker::parse_function;
use tallow_worker::plan::parse_settings;
use tallow_worker::plan::{Mode, Plan};
use tallow_worker::{BisectBudget, ParseSettings, ParseWorker, Unobserved};

/// A backfill that can be run again and again: tables are read once, the allowance is kept.
pub struct Backfilling {
    services: Services,
    plan: Arc<Plan>,
    tables: Tables,
    fetcher: Fetcher,
    computer: Computer,
}

impl Backfilling {
    pub fn new(services: Services) -> Result<Self, BackfillError> {
        let plan = Arc::new(Plan::new(&services.backfill.bars, Mode::default()));
        let function = BackfillFunction::new(&services.function, plan.limits).map_err(|error| {
            WorkerError::Function {
                function: services.function.name().to_owned(),
                call: "start",
                why: error.to_string(),
            }
        })?;
        let of_stream = Plan::new(&services.stream, Mode::default());
        let stream_parse =
            parse_function(&services.stream_parse, of_stream.limits, &of_stream.parse_options)?;
        let tables = Tables::new(&services.backfill, &services.served);
        let asking = services.backfill.asking;
        Ok(Self {
            fetcher: Fetcher {
                http: services.http.clone(),
                function,
                base_url: services.backfill.base_url.clone(),
                budget: Budget::new(asking.weight),
                attempts: asking.attempts,
                clock: services.clock.clone(),
                random: services.random.clone(),
                stop: services.stop.clone(),
                progress: services.progress.clone(),
            },
            computer: Computer {
                plan: plan.clone(),
                parse: ParseWorker::new(
                    &Arc::new(services.parse.clone()),
                    ParseSettings { keeps_batches: false, ..parse_settings(&plan) },
                    BisectBudget::new(u64::from(plan.pipeline.limits.bisect_calls)),
                    Arc::new(Unobserved),
                    services.clock.clone(),
                )?,
                window: services.window.clone(),
                grids: tables.grids.clone(),
                targets: targets(&services, stream_parse.description()),
                interval_us: services.backfill.interval_us as i64,
            },
            tables,
            plan,
            services,
        })
    }

    pub fn name(&self) -> &str {
        &self.services.backfill.name
    }

    pub fn progress(&self) -> &Progress {
        &self.services.progress
    }

    /// The same, to look at while it runs.
    pub fn shared_progress(&self) -> Arc<Progress> {
        self.services.progress.clone()
    }

    /// What a run would ask, without asking and without writing.
    pub fn dry_run(&mut self, wanted: &Wanted) -> Result<(Vec<Step>, Option<i64>), BackfillError> {
        let no_data = state::look(&self.services.store, self.name())?;
        let survey = self.survey(&no_data, wanted)?;
        let mut steps = Vec::new();
        for need in survey.needs {
            let options = self.options(&need);
            let (mut requests, mut weight) = (0, 0);
            for chunk in self.cut(&need) {
                let planned =
                    self.fetcher.plan(&options, &chunk.fetch).map_err(|error| self.failed(error))?;
                requests += planned.len() as u64;
                weight += planned.iter().map(|request| u64::from(request.weight)).sum::<u64>();
            }
            steps.push(Step { need, requests, weight });
        }
        Ok((steps, survey.settles_us))
    }

    /// Fetches and publishes all that is wanted and lacking. Nothing is written where nothing lacks.
    pub fn run(&mut self, wanted: &Wanted) -> Result<Summary, BackfillError> {
        self.services.progress.doing("looking at the tables".to_owned());
        let no_data = state::look(&self.services.store, self.name())?;
        let mut survey = self.survey(&no_data, wanted)?;
        let mut summary = Summary { settles_us: survey.settles_us, ..Summary::default() };
        if survey.needs.is_empty() {
            return Ok(summary);
        }
        let (mut publisher, left) = self.open()?;
        if left || publisher.no_data != no_data {
            survey = self.survey(&publisher.no_data, wanted)?;
        }
        let work: Vec<(Need, Vec<Chunk>)> =
            survey.needs.into_iter().map(|need| (need.clone(), self.cut(&need))).collect();
        let lengths = work.iter().flat_map(|(_, chunks)| chunks).map(|chunk| chunk.fetch.length_us());
        self.services.progress.wanted(lengths.sum());
        for (need, chunks) in work {
            let options = self.options(&need);
            for chunk in chunks {
                match self.chunk(&mut publisher, &need, &options, &chunk, &mut summary) {
                    Ok(()) => {}
                    Err(FetchFailed::Fetch(FetchError::Never(why))) => {
                        tracing::error!(symbol = need.symbol, why, "the exchange refuses");
                        summary.refused.push((need.symbol.clone(), why));
                        break;
                    }
                    Err(FetchFailed::Fetch(FetchError::Stopped)) => {
                        summary.stopped = true;
                        return Ok(summary);
                    }
                    Err(FetchFailed::Fetch(error)) => return Err(self.failed(error)),
                    Err(FetchFailed::Other(error)) => return Err(error),
                }
            }
        }
        self.services.progress.doing("done".to_owned());
        Ok(summary)
    }

    fn chunk(
        &mut self,
        publisher: &mut Publisher,
        need: &Need,
        options: &BackfillOptions,
        chunk: &Chunk,
        summary: &mut Summary,
    ) -> Result<(), FetchFailed> {
        let Some((from_us, _)) = chunk.fetch.hull() else { return Ok(()) };
        if self.services.stop.load(Ordering::Relaxed) {
            return Err(FetchError::Stopped.into());
        }
        self.services.progress.doing(format!("{} from {}", need.symbol, shown_time(from_us)));
        let fetched = self.fetcher.fetch(options, &chunk.fetch)?;
        let source = TopicPartition::new(&format!("backfill.{}.{}", self.name(), need.symbol), 0);
        let clock_us = self.services.clock.now_us();
        let tables = &self.tables;
        let mut computed =
            self.computer.compute(&need.symbol, &source, &fetched, chunk, clock_us, |index, start_us| {
                tables.next_revision(index, &need.symbol, start_us)
            })?;
        let grids = &self.tables.grids;
        // The stream has trades there: the exchange is not believed, and asked again by the next run.
        let traded = self.tables.traded(&need.symbol);
        let doubted = computed.no_data.without(&computed.no_data.without(&traded));
        computed.no_data = computed.no_data.without(&traded);
        let no_data = grids.iter().zip(&chunk.windows).map(|(grid, windows)| {
            let lacking = windows.without(&windows.without(&computed.no_data));
            (lacking.length_us() / grid.size_us) as u64
        });
        let (no_data, rejected) = (no_data.sum(), computed.dead.len() as u64);
        let (spoiled, unproved) = (computed.spoiled, computed.unproved);
        let windows = publisher.commit(&need.symbol, fetched, computed)?;
        self.services.progress.committed(chunk.fetch.length_us(), windows, no_data, rejected);
        *summary.windows.entry(need.symbol.clone()).or_default() += windows;
        if spoiled > 0 {
            *summary.spoiled.entry(need.symbol.clone()).or_default() += spoiled;
        }
        if unproved > 0 {
            *summary.unproved.entry(need.symbol.clone()).or_default() += unproved;
        }
        if !doubted.is_empty() {
            *summary.doubted_us.entry(need.symbol.clone()).or_default() += doubted.length_us();
        }
        Ok(())
    }

    fn survey(&mut self, no_data: &state::NoData, wanted: &Wanted) -> Result<Survey, BackfillError> {
        let Services { backfill, store, clock, .. } = &self.services;
        survey(backfill, &mut self.tables, store, no_data, wanted, clock.now_us())
    }

    fn open(&self) -> Result<(Publisher, bool), BackfillError> {
        let Services { parse, window, function, store, sinks, clock, random, .. } = &self.services;
        for (bytes, card) in &self.services.components {
            self.services.library.keep(bytes.clone(), card)?;
        }
        let functions = Functions { parse, window, backfill: function };
        Publisher::open(self.name(), &self.plan, store, sinks, &functions, (clock.clone(), random.clone()))
    }

    fn cut(&self, need: &Need) -> Vec<Chunk> {
        chunks(&self.tables.grids, &need.windows, self.services.backfill.interval_us as i64)
    }

    fn options(&self, need: &Need) -> BackfillOptions {
        BackfillOptions {
            symbol: need.symbol.clone(),
            listed_as: need.listed_as.clone(),
            interval_us: self.services.backfill.interval_us,
            settings: self.services.backfill.settings.clone().into_iter().collect(),
        }
    }

    fn failed(&self, error: FetchError) -> BackfillError {
        let Backfill { name, base_url, .. } = &self.services.backfill;
        match error {
            FetchError::Never(why) | FetchError::Away(why) => {
                let (backfill, base_url) = (name.clone(), base_url.clone());
                let commits = self.services.progress.counts().commits;
                BackfillError::Away { backfill, base_url, why, commits }
            }
            FetchError::Http(error) => error.into(),
            FetchError::Function(error) => WorkerError::Function {
                function: self.services.function.name().to_owned(),
                call: "plan or decode",
                why: error.to_string(),
            }
            .into(),
            FetchError::Stopped => BackfillError::Broken,
        }
    }
}

/// Why a chunk was not committed.
enum FetchFailed {
    Fetch(FetchError),
    Other(BackfillError),
}

impl From<FetchError> for FetchFailed {
    fn from(error: FetchError) -> Self {
        Self::Fetch(error)
    }
}

impl From<BackfillError> for FetchFailed {
    fn from(error: BackfillError) -> Self {
        Self::Other(error)
    }
}

/// The stream's own tables of the windows that are filled.
fn targets(services: &Services, parse: &ParseDescription) -> Vec<Target> {
    let stream = &services.stream;
    let windows = services.backfill.bars.windows.iter();
    let own = windows.map(|window| stream.windows.iter().find(|it| it.name == window.name).unwrap_or(window));
    own.map(|window| Target::new(stream, window, parse)).collect()
}

fn shown_time(us: i64) -> String {
    chrono::DateTime::from_timestamp_micros(us)
        .map_or_else(|| format!("{us} µs"), |time| time.format("%Y-%m-%d %H:%MZ").to_string())
}
