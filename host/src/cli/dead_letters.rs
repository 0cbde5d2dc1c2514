//! `tallow dead-letters`: what a pipeline set aside.

mod bytes;
mod list;
mod replay;
mod show;
mod with;

use std::io::{IsTerminal, stdin};
use std::ops::RangeInclusive;

use tallow_env::{Clock, SystemClock};
use tallow_letters::{Filter, Letters};
use tallow_manifest::{Manifest, Pipeline};
use tallow_store::Store;

use super::report::{LineReporter, counted, grouped};
use super::{Failure, compose, settings};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Count dead letters by reason
    List(list::Args),
    /// Print dead letters with their bytes
    Show(show::Args),
    /// Send the records of dead letters to a topic again
    Replay(replay::Args),
}

pub fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::List(args) => list::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Replay(args) => replay::run(&args),
    }
}

/// Which dead letters.
#[derive(clap::Args)]
struct Which {
    /// The pipeline; without it the only one, or (`list`) all
    #[arg(value_name = "PIPELINE")]
    pipeline: Option<String>,
    #[command(flatten)]
    settings: settings::Args,
    /// Only those of this kind (rejected, trap, deadline, future, conflict, invalid), or with this in the reason's text
    #[arg(long, value_name = "KIND|TEXT")]
    reason: Option<String>,
    /// Only records that Kafka's timestamp says are not older: `2h`, `2026-11-30`, `2026-11-30T08:00:00Z`
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only records of this topic
    #[arg(long)]
    topic: Option<String>,
    /// Only records of this partition
    #[arg(long, value_name = "N")]
    partition: Option<i32>,
    /// Only the record at this offset, or those from the first to the second
    #[arg(long, value_name = "N|N-M", value_parser = offsets)]
    offset: Option<RangeInclusive<i64>>,
}

fn offsets(text: &str) -> Result<RangeInclusive<i64>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse::<i64>(), last.parse::<i64>()) {
        (Ok(first), Ok(last)) if first <= last => Ok(first..=last),
        _ => Err("write an offset, such as 17, or the first and the last, such as 17-20".to_owned()),
    }
}

impl Which {
    fn filter(&self) -> Result<Filter, Failure> {
        let since_us = self.since.as_deref().map(since_us).transpose()?;
        Ok(Filter {
            reason: self.reason.clone(),
            since_us,
            topic: self.topic.clone(),
            partition: self.partition,
            offsets: self.offset.clone(),
        })
    }

    /// The pipeline that is meant.
    fn one<'m>(&self, manifest: &'m Manifest) -> Result<&'m Pipeline, Failure> {
        match &settings::pipelines(manifest, self.pipeline.as_deref())?[..] {
            [only] => Ok(only),
            several => {
                let names: Vec<&str> = several.iter().map(|it| it.id.as_str()).collect();
                Err(Failure::usage(format!("name the pipeline: there are {}", names.join(", "))))
            }
        }
    }
}

/// Whether something is to be done. `given`: the answer is yes already, and nobody can be asked.
fn agreed(what: &str, given: (bool, bool)) -> Result<bool, Failure> {
    let (yes, json) = given;
    if yes {
        return Ok(true);
    }
    if json || !stdin().is_terminal() {
        return Err(Failure::usage(format!("this would {what}: confirm with --yes")));
    }
    eprintln!("{what}? [y/N]");
    let mut answer = String::new();
    stdin().read_line(&mut answer).map_err(|error| Failure::failed(format!("no answer: {error}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// A time ago, or a day or moment, µs.
fn since_us(text: &str) -> Result<i64, Failure> {
    let ago = tallow_manifest::parse_duration(text);
    match (ago, tallow_manifest::moment_us(text)) {
        (Ok(ago), _) => Ok(SystemClock::new().now_us() - ago.as_micros() as i64),
        (_, Ok(moment_us)) => Ok(moment_us),
        _ => Err(Failure::usage(format!(
            "--since {text}: write how long ago, such as 2h, or a day or moment, such as 2026-11-30T08:00:00Z"
        ))),
    }
}

/// Shows how far the walk through a pipeline's letters is.
struct Walk<'a> {
    clock: &'a SystemClock,
    begun: tallow_env::Ticks,
    reporter: LineReporter,
}

impl<'a> Walk<'a> {
    fn new(clock: &'a SystemClock, json: bool) -> Self {
        Self { clock, begun: clock.ticks(), reporter: LineReporter::new(json) }
    }

    fn at(&mut self, letters: &Letters<'_>) {
        let (read, elapsed) = (letters.read(), self.clock.ticks().since(self.begun));
        self.reporter.show(
            elapsed,
            &format!(
                "{} of {}, {}",
                grouped(read.files),
                counted(read.of_files, "file"),
                counted(read.letters, "dead letter")
            ),
            || serde_json::json!({ "progress": "dead-letters", "files": read.files, "letters": read.letters }),
        );
    }

    fn finish(self) {
        self.reporter.finish();
    }
}

fn open(which: &Which) -> Result<(Manifest, Store, Filter), Failure> {
    let manifest = which.settings.load()?;
    let store = compose::store(&manifest.kafka)?;
    Ok((manifest, store, which.filter()?))
}
