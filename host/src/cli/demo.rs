//! `tallow demo`: a synthetic market, an embedded broker and the manifest's pipelines, on this machine alone. At its end
//! the market's past and its last day become one served table, and this one a forecast.

mod history;
mod play;
mod served;
mod show;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tallow_env::{Clock, SystemClock};
use tallow_manifest::{Manifest, Merge, Pipeline, Topics};
use tallow_pipeline::Services;
use tallow_pipeline::progress::Progress;
use tallow_produce::EmbeddedBroker;
use tallow_swap::{HotSwap, Target};
use tallow_worker::Unobserved;
use tallow_worker::plan::Mode;

use self::play::Stage;
use self::show::Show;
use super::compose::{self, Asked, Host, first_failure};
use super::control_server::{self, ControlServer};
use super::{Failure, again, forecast, init, merge, report, settings, stop};

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
    /// The manifest whose pipelines are run; without one, the demo uses its own
    #[arg(short = 'f', long = "file", value_name = "FILE", default_value = settings::MANIFEST)]
    file: std::path::PathBuf,
    /// Where the tables go; without it a new folder below `lake/`
    #[arg(long, value_name = "URL")]
    lake: Option<String>,
    /// Folder with components as NAME.wasm, for those whose file is not where the manifest says
    #[arg(long, value_name = "DIR")]
    functions: Option<std::path::PathBuf>,
    #[command(flatten)]
    control: control_server::Args,
}

const PARTITIONS: i32 = 2;
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
    let broker = EmbeddedBroker::start(&named).map_err(Failure::failed)?;
    manifest.kafka.brokers = broker.brokers().to_owned();
    manifest.pipelines.iter_mut().for_each(for_demo);

    let host = Host::new(&manifest, stop.clone())?;
    let show = Arc::new(Show::new(&manifest, clock.clone()));
    let mut targets = Vec::new();
    for (index, pipeline) in manifest.pipelines.iter().enumerate() {
        let progress = Arc::new(Progress::new(vec![show.viewer(index)]));
        let swap = Arc::new(HotSwap::default());
        let services =
            Arc::new(host.pipeline(&manifest, pipeline, Asked::default(), progress, swap.clone())?);
        targets.push(Arc::new(Target { services, swap }));
    }
    let streams: Vec<_> = targets.iter().map(|target| target.services.clone()).collect();
    let control = ControlServer::open(&args.control, &manifest, &host.gate, &targets)?;
    let stage =
        Stage { streams: &streams, handlers: control.handlers(), topics: &topics, brokers: broker.brokers() };
    let failures = play::play(&args, &stage, &clock, &stop, &show)?;
    drop(control);
    if failures.is_empty() {
        close_windows(&host, &manifest, &streams)?;
        show.refresh(&streams);
    }
    show.summary(&streams, &host.store);
    first_failure(failures)?;
    match manifest.merges.first() {
        Some(merge) => serve(&args, &host, &manifest, &settings, merge),
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
    host: &Host,
    manifest: &Manifest,
    settings: &settings::Args,
    merge: &Merge,
) -> Result<(), Failure> {
    println!();
    if let Some(table) = &merge.batch {
        let folder = std::env::temp_dir().join(format!("tallow-demo-{}", std::process::id()));
        let made = history::make(host, settings, manifest, &folder, table, args.seed);
        // A folder that stays behind costs some space.
        let _ = std::fs::remove_dir_all(&folder);
        let made = made?;
        println!(
            "batch: {} of an hour became {} in batch/{table}",
            report::counted(made.report.rows, "kline"),
            report::counted(made.report.windows, "day")
        );
    }
    merge::run_and_print(host, manifest, merge, status(settings).as_deref(), false)?;
    println!();
    served::print(&host.store, &compose::merge_settings(merge))?;
    if let Some(forecast) = manifest.forecasts.iter().find(|it| it.follows(&merge.name)) {
        println!();
        forecast::run_and_print(host, manifest, forecast)?;
    }
    Ok(())
}

/// Takes what the market has sent last, and publishes the windows that are still open, as incomplete ones: a day of the
/// demo has no end. All of it counts with what the streams have counted.
fn close_windows(host: &Host, manifest: &Manifest, streams: &[Arc<Services>]) -> Result<(), Failure> {
    let mode = Mode { available_now: true, close_all: true };
    let asked = Asked { mode, ..Asked::default() };
    for (pipeline, played) in manifest.pipelines.iter().zip(streams) {
        let (progress, hooks) = (played.progress.clone(), Arc::new(Unobserved));
        let mut stream = host.pipeline(manifest, pipeline, asked, progress, hooks)?;
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

/// Each run has its own broker, whose offsets mean nothing to another run. So it has its own lake.
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
                return Err(Failure::usage(text));
            }
        }
    }
    topics.sort();
    topics.dedup();
    Ok(topics)
}
