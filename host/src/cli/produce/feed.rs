//! An exchange's market data into a topic, until it is stopped.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value, json};
use tallow_env::{Clock, SystemClock, SystemRandom};
use tallow_feed::Counts;
use tallow_manifest::{Feed, Manifest, parse_duration};
use tallow_produce::{SinkConfig, Summary};

use super::{Args, sink};
use crate::cli::compose::{Feeding, feed_failed, sink_of};
use crate::cli::gate::Gate;
use crate::cli::report::{LineReporter, counted, grouped};
use crate::cli::{Failure, settings};

/// What `--source feed` takes beside the options of all sources.
#[derive(clap::Args)]
pub struct FeedArgs {
    /// The feed: a table `[application.trigger.kafka.feed.NAME]` of the manifest, or a feed function: a component of the
    /// manifest, one that is installed with tallow (`feed-binance`, `feed-coinbase`), or a file
    #[arg(long, value_name = "NAME|FILE", required_if_eq("source", "feed"))]
    feed: Option<String>,
    /// Symbols as the exchange writes them, such as BTCUSDT,ETHUSDT
    #[arg(long, value_name = "LIST", value_delimiter = ',', requires = "feed")]
    symbols: Vec<String>,
    /// Streams, by the function's names of them, such as trade
    #[arg(long, value_name = "LIST", value_delimiter = ',', requires = "feed")]
    streams: Vec<String>,
    /// Where the exchange's sockets are, instead of where the function or the manifest says
    #[arg(long, value_name = "URL", requires = "feed")]
    ws_url: Option<String>,
    /// Where its REST API is, instead of where the function or the manifest says
    #[arg(long, value_name = "URL", requires = "feed")]
    rest_url: Option<String>,
    /// A setting of the function
    #[arg(long = "setting", value_name = "KEY=VALUE", requires = "feed")]
    settings: Vec<String>,
    /// The exchange may be at an internal address
    #[arg(long, requires = "feed")]
    internal: bool,
    /// How long missing ids are requested, instead of the manifest's or 10m
    #[arg(long, value_name = "TIME", value_parser = parse_duration, requires = "feed")]
    patience: Option<std::time::Duration>,
}

pub fn run(args: &Args, stop: &AtomicBool) -> Result<(), Failure> {
    let (manifest, feed, sink) = asked(args)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let gate = Gate::new(&manifest)?;
    let runtime = settings::runtime()?;
    let feeding = Feeding {
        manifest: &manifest,
        gate: &gate,
        runtime: &runtime,
        clock: clock.clone(),
        random: Arc::new(SystemRandom),
    };
    let services = feeding.compose(&feed, sink, Arc::default())?;
    let (progress, topic) = (services.progress.clone(), services.sink.topic.clone());
    if !args.json {
        let what = format!("{} of {}", feed.streams.join(", "), feed.symbols.join(", "));
        eprintln!("{what} from {} into topic `{topic}`; Ctrl-C ends it", services.ws_url);
    }
    let mut reporter = LineReporter::new(args.json);
    let mut watch = |sent: tallow_produce::Progress, counts: &Counts| {
        let seconds = sent.elapsed.as_secs_f64();
        let progress = || json!({ "progress": "produce", "seconds": seconds, "counts": counts });
        reporter.show(sent.elapsed, &line(counts, seconds), progress);
        let over = args.seconds.is_some_and(|limit| seconds >= limit)
            || args.messages.is_some_and(|limit| sent.records >= limit);
        match over || stop.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let summary = tallow_feed::run(services, &mut watch).map_err(feed_failed)?;
    reporter.finish();
    print(&topic, &summary, &progress.counts(), args.json);
    Ok(())
}

fn line(counts: &Counts, seconds: f64) -> String {
    let rate = counts.records as f64 / seconds.max(1e-3);
    format!(
        "{}, {} messages/s, {} of {}, {}",
        counted(counts.records, "message"),
        grouped(rate as u64),
        grouped(counts.connected),
        counted(counts.connections, "connection"),
        pieces(counts).join(", "),
    )
}

/// What became of the market's ids; a count of what should not happen only if it did.
pub fn pieces(counts: &Counts) -> Vec<String> {
    let some = |count, thing: &str, what: &str| format!("{}{what}", counted(count, thing));
    let mut pieces = vec![
        format!("{} refetched", grouped(counts.refetched)),
        some(counts.duplicates, "duplicate", " dropped"),
    ];
    let rare = [
        (counts.missing_ids, "id", " missing"),
        (counts.lacking_ids, "id", " not in the topic"),
        (counts.interruptions, "interruption", ""),
        (counts.retries, "request", " repeated"),
        (counts.refusals, "refusal", ""),
        (counts.unknown, "frame", " not understood"),
        (counts.dropped, "record", " dropped to be refetched"),
    ];
    let rare = rare.into_iter().filter(|(count, ..)| *count > 0);
    pieces.extend(rare.map(|(count, thing, what)| some(count, thing, what)));
    pieces
}

fn print(topic: &str, summary: &Summary, counts: &Counts, json: bool) {
    let seconds = summary.elapsed.as_secs_f64();
    if json {
        println!(
            "{}",
            json!({ "summary": "produce", "topic": topic, "records": summary.records, "bytes": summary.bytes,
                    "seconds": seconds, "counts": counts })
        );
        return;
    }
    println!(
        "{}, {}, into topic `{topic}` in {seconds:.1} s; all of them are acknowledged",
        counted(summary.records, "message"),
        counted(summary.bytes, "byte"),
    );
    println!("  {}", pieces(counts).join(", "));
    if counts.missing_ids > 0 {
        println!("  {} say which ids are missing", counted(counts.holes, "record"));
    }
}

/// The feed, the manifest that has its function, and where its records go.
fn asked(args: &Args) -> Result<(Manifest, Feed, SinkConfig), Failure> {
    let it = &args.feed;
    let name = it.feed.clone().unwrap_or_default();
    let manifest = args.settings.load_if_there()?;
    let written = manifest.as_ref().and_then(|manifest| manifest.feed(&name)).cloned();
    if let (Some(manifest), Some(mut feed)) = (manifest, written) {
        it.change(&mut feed)?;
        feed.topic = args.topic.clone().unwrap_or(feed.topic);
        let sink = sink_of(&manifest, feed.topic.clone());
        return Ok((manifest, feed, sink));
    }
    let sink = sink(args)?;
    let manifest = args.settings.one_feed(&name, it.table(&name, &sink.topic)?)?;
    let mut feed =
        manifest.feeds.first().cloned().ok_or_else(|| Failure::usage("name the feed with --feed"))?;
    it.change(&mut feed)?;
    Ok((manifest, feed, sink))
}

impl FeedArgs {
    /// The options as the manifest would have them.
    fn table(&self, function: &str, topic: &str) -> Result<Value, Failure> {
        for (what, option, names) in
            [("symbols", "--symbols", &self.symbols), ("streams", "--streams", &self.streams)]
        {
            if names.is_empty() {
                let text = format!(
                    "the manifest has no [application.trigger.kafka.feed.{function}]: name the {what} with {option}"
                );
                return Err(Failure::usage(text));
            }
        }
        let mut table = json!({ "topic": topic, "symbols": self.symbols, "streams": self.streams });
        for (key, url) in [("ws-url", &self.ws_url), ("rest-url", &self.rest_url)] {
            if let Some(url) = url {
                table[key] = json!(url);
            }
        }
        table["settings"] = self.settings()?.into();
        Ok(table)
    }

    fn settings(&self) -> Result<Map<String, Value>, Failure> {
        let pair = |text: &String| match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), json!(value))),
            _ => Err(Failure::usage(format!("--setting `{text}`: write KEY=VALUE"))),
        };
        self.settings.iter().map(pair).collect()
    }

    fn change(&self, feed: &mut Feed) -> Result<(), Failure> {
        if !self.symbols.is_empty() {
            feed.symbols = self.symbols.clone();
        }
        if !self.streams.is_empty() {
            feed.streams = self.streams.clone();
        }
        feed.ws_url = self.ws_url.clone().or(feed.ws_url.take());
        feed.rest_url = self.rest_url.clone().or(feed.rest_url.take());
        feed.internal |= self.internal;
        feed.patience = self.patience.unwrap_or(feed.patience);
        for (key, value) in self.settings()? {
            feed.settings.insert(key, value.as_str().unwrap_or_default().to_owned());
        }
        Ok(())
    }
}
