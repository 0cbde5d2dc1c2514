//! `tallow demo`: a synthetic market, an embedded broker and the manifest's pipelines, on this machine alone. At its end
//! the market's past and its last day become one served table.

mod history;
mod served;
mod show;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tallow_env::{Clock, SystemClock};
use tallow_manifest::{Manifest, Merge, Pipeline, Topics};
use tallow_produce::{
    EMBEDDED_CAP, EmbeddedBroker, Gate, Generator, Market, Pace, ProduceError, SinkConfig, produce,
};
use tallow_record::TopicPartition;

use self::show::Show;
use super::attend::{self, Attendance};
use super::wire::{Asked, World, first_failure};
use super::{Failure, again, init, merge, report, settings, stop, up, wire};
use crate::say;
use tallow_env::Finally;
use tallow_env::exit;
use tallow_pipeline::PipelineError;
use tallow_pipeline::Services;
use tallow_pipeline::progress::Progress;
use tallow_swap::control::serve::ControlHandler;
use tallow_swap::{HotSwap, Target};
use tallow_worker::Unobserved;
use tallow_worker::plan::Mode;

#[derive(clap::Args)]
pub struct Args {
    /// How long to run
    #[arg(long, value_name = "S", default_value_t = 60)]
    seconds: u64,
    /// Trades a second, over all symbols
    #[arg(long, value_name = "N", default_value_t = 300.0)]
    rate: f64,
    /// The market's seed: the same seed gives the same market
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The manifest whose pipelines are run; where there is none, the demo has its own
    #[arg(short = 'f', long = "file", value_name = "FILE", default_value = settings::MANIFEST)]
    file: std::path::PathBuf,
    /// Where the tables go; without it a new folder below `lake/`
    #[arg(long, value_name = "URL")]
    lake: Option<String>,
    /// Folder with components as NAME.wasm, for those whose file is not where the manifest says
    #[arg(long, value_name = "DIR")]
    functions: Option<std::path::PathBuf>,
    #[command(flatten)]
    attend: attend::Args,
}

const PARTITIONS: i32 = 2;
/// The market has been open for that long when the demo starts, so that there are closed candles at once.
const HISTORY: Duration = Duration::from_secs(20 * 60);
/// Shorter than a deployment's: what the terminal shows follows the epochs.
const EPOCH: Duration = Duration::from_millis(250);
const IDLE_AFTER: Duration = Duration::from_secs(3);

pub fn run(args: Args) -> Result<(), Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let stop = stop::on_signal()?;
    let lake = args.lake.clone().unwrap_or_else(|| fresh_lake(clock.now_us()));
    let settings = settings::Args {
        file: args.file.clone(),
        changes: settings::Changes {
            lake: Some(lake),
            brokers: Some("localhost:1".to_owned()),
            functions: args.functions.clone(),
        },
    };
    let mut manifest = match settings.load_if_there()? {
        Some(manifest) => manifest,
        None => settings.resolve(&own_manifest(), Path::new("the demo's own manifest"))?,
    };
    let topics = topics(&manifest)?;
    let named: Vec<(&str, i32)> = topics.iter().map(|topic| (topic.as_str(), PARTITIONS)).collect();
    let broker = EmbeddedBroker::start(&named).map_err(|error| Failure::new(exit::FAILED, error))?;
    manifest.kafka.brokers = broker.brokers().to_owned();
    manifest.pipelines.iter_mut().for_each(for_demo);

    let world = World::new(&manifest, stop.clone())?;
    let show = Arc::new(Show::new(&manifest, clock.clone()));
    let mut targets = Vec::new();
    for (index, pipeline) in manifest.pipelines.iter().enumerate() {
        let progress = Arc::new(Progress::new(vec![show.viewer(index)]));
        let swap = Arc::new(HotSwap::default());
        let services = Arc::new(world.wire(&manifest, pipeline, Asked::default(), progress, swap.clone())?);
        targets.push(Arc::new(Target { services, swap }));
    }
    let streams: Vec<_> = targets.iter().map(|target| target.services.clone()).collect();
    let attendance = Attendance::open(&args.attend, &manifest, &world.gate, &targets)?;
    let stage =
        Stage { streams: &streams, desks: attendance.desks(), topics: &topics, brokers: broker.brokers() };
    let failures = play(&args, &stage, &clock, &stop, &show)?;
    drop(attendance);
    if failures.is_empty() {
        close_windows(&world, &manifest, &streams)?;
        show.refresh(&streams);
    }
    show.summary(&streams, &world.store);
    first_failure(failures)?;
    match manifest.merges.first() {
        Some(merge) => serve(&args, &world, &manifest, &settings, merge),
        None => Ok(()),
    }
}

/// The command that shows more of the demo's lake, where there is a manifest to give it.
fn status(settings: &settings::Args) -> Option<String> {
    if !settings.file.exists() {
        return None;
    }
    let (file, lake) = (settings.file.display().to_string(), settings.changes.lake.as_deref());
    let mut words = vec!["tallow", "status"];
    if file != settings::MANIFEST {
        words.extend(["-f", &file]);
    }
    words.extend(lake.into_iter().flat_map(|lake| ["--lake", lake]));
    Some(again::typed(&words))
}

/// What `tallow init` makes, with days beside the minutes and a table that serves them.
fn own_manifest() -> String {
    format!("{}\n{}", init::MANIFEST.replace("{{name}}", "demo"), include_str!("demo/more.toml"))
}

/// The market's past by batch, its last day by the stream, and both as one table, in a picture.
fn serve(
    args: &Args,
    world: &World,
    manifest: &Manifest,
    settings: &settings::Args,
    merge: &Merge,
) -> Result<(), Failure> {
    println!();
    if let Some(table) = &merge.batch {
        let folder = std::env::temp_dir().join(format!("tallow-demo-{}", std::process::id()));
        let made = history::make(world, settings, manifest, &folder, table, args.seed);
        // A folder that stays behind costs some space.
        let _ = std::fs::remove_dir_all(&folder);
        let made = made?;
        println!(
            "batch: {} of an hour became {} in batch/{table}",
            report::counted(made.report.rows, "kline"),
            report::counted(made.report.windows, "day")
        );
    }
    merge::run_and_print(world, manifest, merge, status(settings).as_deref(), false)?;
    println!();
    served::print(&world.store, &wire::merge_settings(merge))
        .map_err(|error| Failure::new(error.exit_code(), error))
}

/// Takes what the market has sent last, and publishes the windows that are still open, as incomplete ones: a day of the
/// demo has no end. All of it counts with what the streams have counted.
fn close_windows(world: &World, manifest: &Manifest, streams: &[Arc<Services>]) -> Result<(), Failure> {
    let mode = Mode { available_now: true, close_all: true };
    let asked = Asked { mode, ..Asked::default() };
    for (pipeline, played) in manifest.pipelines.iter().zip(streams) {
        let (progress, hooks) = (played.progress.clone(), Arc::new(Unobserved));
        let mut stream = world.wire(manifest, pipeline, asked, progress, hooks)?;
        stream.stop = Arc::new(AtomicBool::new(false));
        tallow_pipeline::run(&stream)?;
    }
    Ok(())
}

fn for_demo(pipeline: &mut Pipeline) {
    pipeline.epoch.interval = EPOCH;
    pipeline.idle_after = IDLE_AFTER;
    pipeline.follow_clock_when_idle();
    pipeline.swap.watch = true;
}

/// Each run has a broker of its own, whose offsets mean nothing to another run: so it has a lake of its own.
fn fresh_lake(now_us: i64) -> String {
    let now = chrono::DateTime::from_timestamp_micros(now_us).unwrap_or_default();
    format!("lake/demo-{}", now.format("%Y%m%dT%H%M%SZ"))
}

fn topics(manifest: &Manifest) -> Result<Vec<String>, Failure> {
    let mut topics = Vec::new();
    for pipeline in &manifest.pipelines {
        match &pipeline.topics {
            Topics::Names(names) => topics.extend(names.clone()),
            Topics::Pattern(pattern) => {
                let text =
                    format!("pipeline `{}`: the demo needs topics by name, not `{pattern}`", pipeline.id);
                return Err(Failure::new(exit::USAGE, text));
            }
        }
    }
    topics.sort();
    topics.dedup();
    Ok(topics)
}

/// What is played.
struct Stage<'a> {
    streams: &'a [Arc<Services>],
    desks: &'a [Arc<ControlHandler>],
    topics: &'a [String],
    brokers: &'a str,
}

/// Runs market, pipelines and view until the time is over, a signal comes, or one of them fails.
fn play(
    args: &Args,
    stage: &Stage<'_>,
    clock: &Arc<dyn Clock>,
    stop: &Arc<AtomicBool>,
    show: &Show,
) -> Result<Vec<(String, PipelineError)>, Failure> {
    let Stage { streams, desks, topics, brokers } = stage;
    let start = clock.ticks();
    let over = || {
        let time = clock.ticks().since(start) >= Duration::from_secs(args.seconds);
        time || stop.load(Ordering::Relaxed) || say::is_unheard()
    };
    let deadline = stop::Deadline::after(stop.clone(), clock.clone())?;
    let (failures, produced) = std::thread::scope(|scope| {
        // The scope waits for the market and the pipelines, also where this thread fails.
        let _stopped = Finally(|| stop.store(true, Ordering::Relaxed));
        let markets: Vec<_> = topics
            .iter()
            .map(|topic| scope.spawn(|| open_market(args, streams, topic, brokers, &**clock, stop)))
            .collect();
        let pipelines: Vec<_> = streams
            .iter()
            .zip(*desks)
            .map(|(stream, desk)| {
                scope.spawn(|| {
                    let done = up::run_one(stream, desk);
                    stream.stop.store(true, Ordering::Relaxed);
                    done
                })
            })
            .collect();
        while !over() && !markets.iter().any(|market| market.is_finished()) {
            show.refresh(streams);
        }
        stop.store(true, Ordering::Relaxed);
        let names = streams.iter().map(|stream| stream.plan.name().to_owned());
        let done = pipelines.into_iter().map(|thread| thread.join().unwrap_or(Err(PipelineError::Broken)));
        let failures =
            names.zip(done).filter_map(|(name, done)| done.err().map(|error| (name, error))).collect();
        let produced: Vec<_> = markets.into_iter().filter_map(|market| market.join().ok()).collect();
        (failures, produced)
    });
    drop(deadline);
    show.refresh(streams);
    for done in produced {
        done.map_err(|error| Failure::new(exit::FAILED, error))?;
    }
    Ok(failures)
}

/// What happened before the demo as fast as it goes, then the market in its own time.
fn open_market(
    args: &Args,
    streams: &[Arc<Services>],
    topic: &str,
    brokers: &str,
    clock: &dyn Clock,
    stop: &AtomicBool,
) -> Result<(), ProduceError> {
    let now_us = clock.now_us();
    let market = Market::demo(args.seed, now_us - HISTORY.as_micros() as i64, args.rate);
    let mut messages = Generator::new(market);
    let sink =
        SinkConfig { brokers: brokers.to_owned(), client: Default::default(), topic: topic.to_owned() };
    let mut watch =
        |_| if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    // The embedded broker forgets what is too much: nobody who reads the topic may be left behind.
    let committed = |partition: i32| {
        let at = TopicPartition::new(topic, partition);
        streams.iter().map(|stream| stream.progress.committed(&at)).min().unwrap_or(0)
    };
    let history = std::iter::from_fn(|| messages.next_before(now_us)).map(Ok);
    let gate = || Some(Gate { cap: EMBEDDED_CAP, committed: &committed });
    let done = produce(history, &sink, Pace::Max, gate(), clock, &mut watch)?;
    let done = match done.stopped {
        true => done,
        false => {
            produce(messages.by_ref().map(Ok), &sink, Pace::ByTime { speed: 1.0 }, gate(), clock, &mut watch)?
        }
    };
    // What is on its way arrives, or its ids would be missing: it is little, and read when the windows are closed.
    let now_us = clock.now_us();
    messages.close(now_us);
    let unsent = done.unsent.into_iter().filter(|message| message.event_us.is_some_and(|it| it <= now_us));
    let rest: Vec<_> = unsent.chain(messages).map(Ok).collect();
    produce(rest, &sink, Pace::Max, None, clock, &mut |_| ControlFlow::Continue(()))?;
    Ok(())
}
