//! `tallow produce`: market messages into a Kafka topic.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use serde_json::json;
use tallow_edge::{Clock, SystemClock};
use tallow_produce::{Generator, Market, Pace, ProduceError, Progress, Replay, SinkConfig, Summary, produce};

use super::report::{LineReporter, counted, grouped};
use super::{Failure, settings, stop};
use crate::error::exit;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// Where the messages come from
    #[arg(long, value_enum)]
    source: Source,
    /// Recordings to replay: JSON lines, lines of `<receive time, ns> <JSON>`, or kline CSV; gzip too
    #[arg(long = "input", value_name = "FILE", num_args = 1.., required_if_eq("source", "replay"))]
    files: Vec<PathBuf>,
    /// The topic, which must exist; without it the one of the manifest's first pipeline
    #[arg(long)]
    topic: Option<String>,
    /// Messages a second, or `max`; without it the recorded pace (`replay`), or 1000 (`demo`)
    #[arg(long, value_name = "N|max")]
    rate: Option<Rate>,
    /// How many times faster than recorded to replay
    #[arg(long, default_value_t = 1.0, conflicts_with = "rate")]
    speed: f64,
    /// Stop after so many messages
    #[arg(long, value_name = "N")]
    messages: Option<u64>,
    /// Stop after so many seconds
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// The synthetic market's seed: the same seed gives the same messages
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print progress and the summary as JSON lines
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Source {
    /// A synthetic market: eight symbols, with bursts, duplicates, late and broken messages
    Demo,
    /// Recordings
    Replay,
}

#[derive(Clone, Copy)]
enum Rate {
    Max,
    PerSecond(f64),
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        match text.parse::<f64>() {
            Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(Self::PerSecond(rate)),
            _ => Err("write messages a second, such as 1000, or `max`".to_owned()),
        }
    }
}

const DEMO_RATE: f64 = 1000.0;

pub fn run(args: Args) -> Result<(), Failure> {
    let manifest = args.settings.load()?;
    let stop = stop::on_signal()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let topic = match (&args.topic, manifest.pipelines.first().map(|pipeline| &pipeline.topics)) {
        (Some(topic), _) => topic.clone(),
        (None, Some(tallow_manifest::Topics::Names(names))) if !names.is_empty() => names[0].clone(),
        _ => return Err(Failure::new(exit::USAGE, "name the topic with --topic")),
    };
    let client: BTreeMap<String, String> =
        manifest.kafka.client.iter().map(|(key, value)| (key.clone(), value.expose().to_owned())).collect();
    let sink = SinkConfig { brokers: manifest.kafka.brokers.clone(), client, topic };
    let (summary, broken) = send(&args, &sink, &*clock, &stop)?;
    print(&args, &sink, &summary, &broken);
    Ok(())
}

/// Lines of recordings that were sent although they are broken.
#[derive(Default)]
struct Broken {
    lines: u64,
    /// The first one with its place.
    first: Option<String>,
}

fn send(
    args: &Args,
    sink: &SinkConfig,
    clock: &dyn Clock,
    stop: &AtomicBool,
) -> Result<(Summary, Broken), Failure> {
    let mut broken = Broken::default();
    let most = args.messages.unwrap_or(u64::MAX);
    let mut reporter = LineReporter::new(args.json);
    let mut watch = |progress: Progress| {
        let seconds = progress.elapsed.as_secs_f64();
        let rate = progress.records as f64 / seconds.max(1e-3);
        reporter.show(
            progress.elapsed,
            &format!("{}, {} messages/s", counted(progress.records, "message"), grouped(rate as u64)),
            || json!({ "progress": "produce", "records": progress.records, "bytes": progress.bytes, "seconds": seconds }),
        );
        let over = args.seconds.is_some_and(|limit| seconds >= limit);
        if over || stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let done = match args.source {
        Source::Demo => {
            let per_second = match args.rate {
                Some(Rate::PerSecond(rate)) => rate,
                _ => DEMO_RATE,
            };
            let pace = match args.rate {
                Some(Rate::Max) => Pace::Max,
                _ => Pace::ByTime { speed: 1.0 },
            };
            let market = Generator::new(Market::demo(args.seed, clock.now_us(), per_second));
            let messages = market.take(usize::try_from(most).unwrap_or(usize::MAX)).map(Ok);
            produce(messages, sink, pace, None, clock, &mut watch)
        }
        Source::Replay => {
            let pace = match args.rate {
                Some(Rate::Max) => Pace::Max,
                Some(Rate::PerSecond(rate)) => Pace::PerSecond(rate),
                None => Pace::ByTime { speed: args.speed },
            };
            let mut replay = Replay::open(&args.files).map_err(failed)?;
            let messages = replay.by_ref().take(usize::try_from(most).unwrap_or(usize::MAX));
            let done = produce(messages, sink, pace, None, clock, &mut watch);
            let first = replay.first_broken().next().map(str::to_owned);
            broken = Broken { lines: replay.counts().broken, first };
            done
        }
    };
    reporter.finish();
    Ok((done.map_err(failed)?, broken))
}

fn failed(error: ProduceError) -> Failure {
    let code = match &error {
        ProduceError::File { .. } | ProduceError::Setting { .. } => exit::USAGE,
        _ => exit::UNAVAILABLE,
    };
    Failure::new(code, error)
}

fn print(args: &Args, sink: &SinkConfig, summary: &Summary, broken: &Broken) {
    let seconds = summary.elapsed.as_secs_f64();
    if args.json {
        let topic = &sink.topic;
        println!(
            "{}",
            json!({ "summary": "produce", "topic": topic, "records": summary.records, "bytes": summary.bytes,
                    "seconds": seconds, "stopped": summary.stopped, "broken": broken.lines,
                    "first_broken": broken.first })
        );
        return;
    }
    println!(
        "{}, {}, into topic `{}` in {seconds:.1} s",
        counted(summary.records, "message"),
        counted(summary.bytes, "byte"),
        sink.topic
    );
    if let Some(first) = &broken.first {
        println!("  broken {} lines, sent as they are; the first: {first}", grouped(broken.lines));
    }
}
