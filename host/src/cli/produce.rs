//! `tallow produce`: market messages into a Kafka topic.

mod data_id;
mod feed;
mod market;

pub use self::feed::pieces;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::ValueEnum;
use serde_json::json;
use tallow_env::{Clock, SystemClock};
use tallow_produce::{Message, Pace, ProduceError, Progress, Replay, SinkConfig, Summary, produce};

use super::compose::sink_of;
use super::report::{LineReporter, counted, grouped, time};
use super::{Failure, settings, stop};
use tallow_env::exit;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// Where the messages come from
    #[arg(long, value_enum)]
    source: Source,
    /// What the `demo` sends
    #[arg(long, value_enum, default_value = "trades")]
    format: Format,
    /// Recordings to replay: JSON lines, lines of `<receive time, ns> <JSON>`, or kline CSV; gzip too
    #[arg(long = "input", value_name = "FILE", num_args = 1.., required_if_eq("source", "replay"))]
    files: Vec<PathBuf>,
    /// The topic, which must exist; without it the one of the manifest's first pipeline, or `trades` where there is no
    /// manifest
    #[arg(long)]
    topic: Option<String>,
    /// Messages a second, or `max`; without it the recorded pace (`replay`), or 1000 (`demo`)
    #[arg(long, value_name = "N|max")]
    rate: Option<Rate>,
    /// How long the `demo`'s market has been open: what was traded before now is sent at once. Where the topic holds
    /// trades of such a market, it continues from them
    #[arg(long, value_name = "DURATION", default_value = "3m", value_parser = tallow_manifest::parse_duration)]
    past: Duration,
    /// How many times faster than recorded to replay
    #[arg(long, default_value_t = 1.0, conflicts_with = "rate")]
    speed: f64,
    /// Stop after this many messages
    #[arg(long, value_name = "N")]
    messages: Option<u64>,
    /// Stop after this many seconds
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// The synthetic market's seed: the same seed gives the same messages
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print progress and the summary as JSON lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    feed: feed::FeedArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum Source {
    /// A synthetic market: eight symbols, with bursts, duplicates, late and broken messages
    Demo,
    /// Recordings
    Replay,
    /// An exchange's market data, without a silent hole
    Feed,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Trades, as Binance sends them
    Trades,
    /// `{data_id, name, timestamp}` for BTC, ETH, DOT and BTT each minute, as a scheduler sends them
    DataId,
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

/// Where messages go when there is no manifest that says it.
const BROKERS: &str = "localhost:9092";
const TOPIC: &str = "trades";

pub fn run(args: Args) -> Result<(), Failure> {
    let stop = stop::on_signal()?;
    if matches!(args.source, Source::Feed) {
        return feed::run(&args, &stop);
    }
    let sink = sink(&args)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut run = Run::new(&args, &sink, &*clock, &stop);
    match (args.source, args.format) {
        (Source::Demo, Format::DataId) => {
            let summary = data_id::send(&args, &mut run)?;
            run.print(&summary, None);
        }
        (Source::Demo, Format::Trades) => {
            let sent = market::send(&args, &mut run)?;
            run.print(&sent.summary, Some(&sent));
        }
        (Source::Replay, _) => {
            let summary = replay(&args, &mut run)?;
            run.print(&summary, None);
        }
        (Source::Feed, _) => {}
    }
    Ok(())
}

/// Where the messages go: as the manifest says, where there is one.
fn sink(args: &Args) -> Result<SinkConfig, Failure> {
    let topic = args.topic.clone();
    let Some(manifest) = args.settings.load_if_there()? else {
        let brokers = args.settings.changes.brokers.clone().unwrap_or_else(|| BROKERS.to_owned());
        let topic = topic.unwrap_or_else(|| TOPIC.to_owned());
        eprintln!("no {} here: writing into the topic `{topic}` on {brokers}", args.settings.file.display());
        return Ok(SinkConfig { brokers, client: BTreeMap::new(), topic });
    };
    let topic = match (topic, manifest.pipelines.first().map(|pipeline| &pipeline.topics)) {
        (Some(topic), _) => topic,
        (None, Some(tallow_manifest::Topics::Names(names))) if !names.is_empty() => names[0].clone(),
        _ => return Err(Failure::usage("name the topic with --topic")),
    };
    Ok(sink_of(&manifest, topic))
}

fn replay(args: &Args, run: &mut Run<'_>) -> Result<Summary, Failure> {
    let pace = match args.rate {
        Some(Rate::Max) => Pace::Max,
        Some(Rate::PerSecond(rate)) => Pace::PerSecond(rate),
        None => Pace::ByTime { speed: args.speed },
    };
    let most = usize::try_from(args.messages.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let mut replay = Replay::open(&args.files).map_err(failed)?;
    let done = run.send(replay.by_ref().take(most), pace);
    let first = replay.first_broken().next().map(str::to_owned);
    run.broken = Broken { lines: replay.counts().broken, first };
    done
}

/// Lines of recordings that were sent although they are broken.
#[derive(Default)]
struct Broken {
    lines: u64,
    /// The first one with its place.
    first: Option<String>,
}

/// One run of the command: streams that are sent one after the other, with one progress and one end.
struct Run<'a> {
    args: &'a Args,
    sink: &'a SinkConfig,
    clock: &'a dyn Clock,
    stop: &'a AtomicBool,
    reporter: LineReporter,
    sent: Summary,
    broken: Broken,
}

impl<'a> Run<'a> {
    fn new(args: &'a Args, sink: &'a SinkConfig, clock: &'a dyn Clock, stop: &'a AtomicBool) -> Self {
        let reporter = LineReporter::new(args.json);
        Self { args, sink, clock, stop, reporter, sent: Summary::default(), broken: Broken::default() }
    }

    /// Sends a stream until its end, or the run's; gives what the run has sent so far.
    fn send(
        &mut self,
        messages: impl IntoIterator<Item = Result<Message, ProduceError>>,
        pace: Pace,
    ) -> Result<Summary, Failure> {
        let (args, stop, before, reporter) = (self.args, self.stop, &self.sent, &mut self.reporter);
        let mut watch = |progress: Progress| {
            let elapsed = before.elapsed + progress.elapsed;
            let (records, bytes) = (before.records + progress.records, before.bytes + progress.bytes);
            let seconds = elapsed.as_secs_f64();
            let rate = records as f64 / seconds.max(1e-3);
            reporter.show(
                elapsed,
                &format!("{}, {} messages/s", counted(records, "message"), grouped(rate as u64)),
                || json!({ "progress": "produce", "records": records, "bytes": bytes, "seconds": seconds }),
            );
            let over = args.seconds.is_some_and(|limit| seconds >= limit);
            if over || stop.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let done = produce(messages, self.sink, pace, None, self.clock, &mut watch).map_err(failed)?;
        Ok(self.add(done))
    }

    /// Sends what is left, whatever asks the run to end.
    fn finish(&mut self, rest: Vec<Result<Message, ProduceError>>) -> Result<Summary, Failure> {
        let go_on = &mut |_| ControlFlow::Continue(());
        let done = produce(rest, self.sink, Pace::Max, None, self.clock, go_on).map_err(failed)?;
        Ok(self.add(done))
    }

    fn add(&mut self, done: Summary) -> Summary {
        self.sent = Summary {
            records: self.sent.records + done.records,
            bytes: self.sent.bytes + done.bytes,
            elapsed: self.sent.elapsed + done.elapsed,
            ..done
        };
        self.sent.clone()
    }

    fn print(&self, summary: &Summary, market: Option<&market::Sent>) {
        self.reporter.finish();
        let (seconds, topic) = (summary.elapsed.as_secs_f64(), &self.sink.topic);
        if self.args.json {
            println!(
                "{}",
                json!({ "summary": "produce", "topic": topic, "records": summary.records, "bytes": summary.bytes,
                        "seconds": seconds, "stopped": summary.stopped, "broken": self.broken.lines,
                        "first_broken": self.broken.first })
            );
            return;
        }
        println!(
            "{}, {}, into topic `{topic}` in {seconds:.1} s",
            counted(summary.records, "message"),
            counted(summary.bytes, "byte"),
        );
        if let Some(first) = &self.broken.first {
            println!("  broken {} lines, sent as they are; the first: {first}", grouped(self.broken.lines));
        }
        if let Some(sent) = market {
            let goes_on = if sent.goes_on { "; its ids follow those in the topic" } else { "" };
            println!("the market was open from {} to {}{goes_on}", time(sent.from_us), time(sent.to_us));
        }
    }
}

pub(super) fn failed(error: ProduceError) -> Failure {
    let code = match &error {
        ProduceError::File { .. } | ProduceError::Setting { .. } | ProduceError::NoTopic { .. } => {
            exit::USAGE
        }
        _ => exit::UNAVAILABLE,
    };
    Failure::new(code, error)
}
