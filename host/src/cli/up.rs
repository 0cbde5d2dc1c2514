//! `tallow up`: runs the pipelines of a manifest, each in a thread, until stopped or drained.

mod feeds;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use clap::Args as ClapArgs;
use tallow_manifest::{Manifest, Pipeline};

use self::feeds::Feeds;
use super::compose::{Asked, Host, first_failure};
use super::control_server::{self, ControlServer};
use super::report::{Reporter, Show};
use super::{Failure, ownership, settings, spawn, stop};
use tallow_backfill::auto;
use tallow_env::Finally;

use tallow_pipeline::PipelineError;
use tallow_pipeline::Services;
use tallow_pipeline::progress::Progress;
use tallow_pipeline::start;
use tallow_swap::control::serve::ControlHandler;
use tallow_swap::{HotSwap, Target};
use tallow_worker::plan::Mode;

/// How long the Kafka clients may take to close.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    #[command(flatten)]
    how: How,
}

/// How pipelines are run, under `tallow up` and under Spin.
#[derive(ClapArgs)]
pub struct How {
    /// Run only this pipeline
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Read what the topics hold now, in bounded epochs, then stop
    #[arg(long)]
    available_now: bool,
    /// Publish the windows that are still open at the end, as incomplete ones
    #[arg(long, requires = "available_now")]
    close_all: bool,
    /// Discard the open windows of a window that is no longer in the manifest; its table stays
    #[arg(long, value_name = "NAME")]
    drop_window: Vec<String>,
    /// Print progress and the summary as JSON lines
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    control: control_server::Args,
    #[command(flatten)]
    own: ownership::Args,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let manifest = args.settings.load()?;
    let stop = stop::on_signal()?;
    for trigger in &manifest.skipped_triggers {
        tracing::info!(trigger, "not run by `tallow up`: `spin up` serves it");
    }
    let show = if args.how.json { Show::Json } else { Show::Text };
    run_pipelines(&manifest, &args.how, show, stop)
}

/// Runs the pipelines of a manifest until `stop` is set or they are drained.
pub fn run_pipelines(
    manifest: &Manifest,
    how: &How,
    show: Show,
    stop: Arc<AtomicBool>,
) -> Result<(), Failure> {
    let host = Host::new(manifest, stop.clone())?;
    host.check_lake()?;
    let mode = Mode { available_now: how.available_now, close_all: how.close_all };
    let asked = Asked { mode, drop_windows: &how.drop_window };
    let pipelines = settings::pipelines(manifest, how.only.as_deref())?;
    warn_of_kept_windows(&how.drop_window, &pipelines);
    let merging = host.merging(manifest, &pipelines)?;
    let mut targets = Vec::new();
    for pipeline in &pipelines {
        let viewers = merging.viewer(tables(pipeline)).into_iter().collect();
        let progress = Arc::new(Progress::new(viewers));
        let swap = Arc::new(HotSwap::default());
        let services = Arc::new(host.pipeline(manifest, pipeline, asked, progress, swap.clone())?);
        targets.push(Arc::new(Target { services, swap }));
    }
    let streams: Vec<_> = targets.iter().map(|target| target.services.clone()).collect();
    for stream in &streams {
        start::refuse_changes(stream)?;
    }
    // Before anything that a process beside this one may be doing.
    let Some(_ownership) = ownership::claim(&how.own, &streams, &stop)? else { return Ok(()) };
    let reporter = Reporter::new(show, host.clock.clone(), host.stop.clone());
    let control = ControlServer::open(&how.control, manifest, &host.gate, &targets)?;
    let fetching = Fetching::start(manifest, &host, &streams)?;
    let feeds = Feeds::start(manifest, &host, how)?;
    // What is fetched last is served, too.
    let failures = merging.beside(|| {
        let deadline = stop::Deadline::after(host.stop.clone(), host.clock.clone())?;
        let failures = run_all(&streams, control.handlers(), &reporter);
        drop((deadline, control));
        fetching.finish(&streams, &reporter);
        Ok::<_, Failure>(failures)
    })?;
    // A pipeline that could not begin has nothing to sum up.
    let began = |stream: &&Arc<Services>| failures.is_empty() || stream.progress.counts().epochs > 0;
    for stream in streams.iter().filter(began) {
        reporter.summary(stream.plan.name(), &stream.progress.counts(), host.store.url());
    }
    let fed = feeds.finish(show);
    stop::drop_within(CLOSE_WITHIN, (streams, targets));
    first_failure(failures).and(fed)
}

/// A window that the manifest has is not dropped, whatever was meant.
fn warn_of_kept_windows(dropped: &[String], pipelines: &[&Pipeline]) {
    for name in dropped {
        let has = |pipeline: &&Pipeline| pipeline.windows.iter().any(|window| window.name == *name);
        if pipelines.iter().all(has) {
            tracing::warn!(
                window = name,
                "`--drop-window`: the manifest still has this window, so nothing is dropped"
            );
        }
    }
}

/// A pipeline's tables by the names of their windows.
pub fn tables(pipeline: &Pipeline) -> BTreeMap<String, String> {
    pipeline.windows.iter().map(|window| (window.name.clone(), pipeline.table(window))).collect()
}

/// Runs pipelines side by side. Where one fails the others finish their epoch and stop.
fn run_all(
    streams: &[Arc<Services>],
    handlers: &[Arc<ControlHandler>],
    reporter: &Reporter,
) -> Vec<(String, PipelineError)> {
    std::thread::scope(|scope| {
        // The scope waits for the pipelines, also if this thread panics. If it does not, the automatic backfills still
        // have to run.
        let _stopped = Finally(|| {
            if std::thread::panicking() {
                stop_all(streams);
            }
        });
        let threads: Vec<_> = streams
            .iter()
            .zip(handlers)
            .map(|(stream, handler)| scope.spawn(move || run_one(stream, handler)))
            .collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            reporter.progress(streams.iter().map(|stream| (stream.plan.name(), stream.progress.counts())));
        }
        let names = streams.iter().map(|stream| stream.plan.name().to_owned());
        let done = threads.into_iter().map(|thread| thread.join().unwrap_or(Err(PipelineError::Broken)));
        names.zip(done).filter_map(|(name, done)| done.err().map(|error| (name, error))).collect()
    })
}

/// Runs a pipeline to its end; the others stop with one that fails.
pub fn run_one(stream: &Services, handler: &ControlHandler) -> Result<(), PipelineError> {
    let went_well = Cell::new(false);
    let _ended = Finally(|| {
        handler.over.store(true, Ordering::SeqCst);
        if !went_well.get() {
            stream.stop.store(true, Ordering::Relaxed);
        }
    });
    let done = tallow_pipeline::run(stream);
    went_well.set(done.is_ok());
    done
}

fn stop_all(streams: &[Arc<Services>]) {
    streams.iter().for_each(|stream| stream.stop.store(true, Ordering::Relaxed));
}

/// The automatic backfills, each in its own thread.
struct Fetching {
    threads: Vec<JoinHandle<()>>,
    ended: Arc<AtomicBool>,
}

impl Fetching {
    fn start(manifest: &Manifest, host: &Host, streams: &[Arc<Services>]) -> Result<Self, Failure> {
        let ended = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        for stream in streams.iter().filter(|stream| stream.plan.pipeline.auto_backfill) {
            for backfill in manifest.backfills.iter().filter(|it| it.pipeline() == stream.plan.name()) {
                let mut backfilling = host.backfilling(manifest, backfill)?;
                let (progress, clock) = (stream.progress.clone(), stream.clock.clone());
                let (stop, ended) = (stream.stop.clone(), ended.clone());
                let at_end = stream.plan.available_now;
                threads.push(spawn("backfill", move || {
                    let holes = || {
                        let counts = progress.counts();
                        // The first windows that close after a start may have a gap before them that no id tells of.
                        counts.incomplete + u64::from(counts.candles > 0)
                    };
                    let stream = auto::Stream { holes: &holes, filled: &|| progress.backfilled() };
                    auto::run(&mut backfilling, stream, &*clock, (&stop, &ended), at_end);
                })?);
            }
        }
        Ok(Self { threads, ended })
    }

    /// The pipelines have ended: waits for what they leave to be fetched. Who stops the program does not want to wait
    /// for an exchange: what is not committed is fetched again.
    fn finish(self, streams: &[Arc<Services>], reporter: &Reporter) {
        self.ended.store(true, Ordering::Relaxed);
        let stopped = || streams.iter().any(|stream| stream.stop.load(Ordering::Relaxed));
        while !stopped() && self.threads.iter().any(|thread| !thread.is_finished()) {
            reporter.progress(streams.iter().map(|stream| (stream.plan.name(), stream.progress.counts())));
        }
    }
}
