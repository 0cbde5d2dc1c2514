//! `tallow dead-letters replay`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tallow_env::{Clock, SystemClock, exit};
use tallow_letters::{
    Filter, Journal, Letters, LettersError, Outcome, Replay, Rules, Sent, Tally, Target, Writer,
};
use tallow_manifest::{Pipeline, Topics, exposed};
use tallow_produce::{Delivered, Message, Progress, SinkConfig, Summary, produce_placed};
use tallow_store::Store;

use super::{Walk, Which, agreed, open, with};
use crate::cli::report::{LineReporter, counted, grouped};
use crate::cli::{Failure, ownership, produce, stop};

/// Records that are noted in the lake at once.
const NOTED_AT_ONCE: usize = 1000;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// The topic to send them to, which must exist: the pipeline's own, once its function takes such records, or another
    #[arg(long, value_name = "TOPIC", required_unless_present = "with")]
    to: Option<String>,
    /// Read the pipeline's topic again from the commit of the first letter on, with this parse function: candles that
    /// differ go out as their next revision. The pipeline must not run
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "again", "most_replays"])]
    with: Option<PathBuf>,
    #[command(flatten)]
    own: ownership::Args,
    /// Send those, too, that were sent to the topic before
    #[arg(long)]
    again: bool,
    /// Leave out records that were sent so often and died each time
    #[arg(long, value_name = "N", default_value_t = 3)]
    most_replays: u32,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Print progress and the summary as JSON lines
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let Some(to) = &args.to else {
        let file = args.with.as_deref().unwrap_or(Path::new(""));
        return with::run(&args.which, file, (args.yes, args.json), &args.own);
    };
    let (manifest, store, filter) = open(&args.which)?;
    let pipeline = args.which.one(&manifest)?;
    let rules = Rules {
        pipeline: pipeline.id.clone(),
        to: to.clone(),
        again: args.again,
        most_replays: args.most_replays,
    };
    let journal = Journal::read(&store, &pipeline.id)?;
    let clock = SystemClock::new();
    let run = Run { args, store: &store, filter: &filter, rules: &rules, journal: &journal, clock: &clock };
    let tally = run.look()?;
    let sink = SinkConfig {
        brokers: manifest.kafka.brokers.clone(),
        client: exposed(&manifest.kafka.client),
        topic: to.clone(),
    };
    if tally.sent == 0 {
        return run.print(&tally, &Summary::default());
    }
    if !run.agreed(pipeline, &tally, &sink)? {
        println!("nothing was sent");
        return Ok(());
    }
    run.send(&sink)
}

struct Run<'a> {
    args: &'a Args,
    store: &'a Store,
    filter: &'a Filter,
    rules: &'a Rules,
    journal: &'a Journal,
    clock: &'a SystemClock,
}

impl Run<'_> {
    /// What would be sent.
    fn look(&self) -> Result<Tally, Failure> {
        let mut letters = Letters::of(self.store, &self.rules.pipeline, self.filter)?;
        let (mut replay, mut walk) =
            (Replay::new(self.rules, self.journal), Walk::new(self.clock, self.args.json));
        while let Some(kept) = letters.next() {
            replay.next(&kept?);
            walk.at(&letters);
        }
        walk.finish();
        Ok(replay.tally)
    }

    /// Whether it is to be done.
    fn agreed(&self, pipeline: &Pipeline, tally: &Tally, sink: &SinkConfig) -> Result<bool, Failure> {
        let what = format!(
            "{} ({}) to the topic `{}` on {}",
            counted(tally.sent, "record"),
            counted(tally.bytes, "byte"),
            sink.topic,
            sink.brokers
        );
        let own = matches!(&pipeline.topics, Topics::Names(names) if names.contains(&sink.topic));
        if own && !self.args.json {
            eprintln!(
                "pipeline `{}` reads `{}`: a record that is still broken becomes a dead letter again, and counts how often \
                 it was sent; rows whose windows have closed are late",
                pipeline.id, sink.topic
            );
        }
        agreed(&format!("send {what}"), (self.args.yes, self.args.json))
    }

    fn send(&self, sink: &SinkConfig) -> Result<(), Failure> {
        let stop = stop::on_signal()?;
        let mut letters = Letters::of(self.store, &self.rules.pipeline, self.filter)?;
        let mut replay = Replay::new(self.rules, self.journal);
        let notes = RefCell::new(Notes {
            writer: self.journal.writer(self.store, &self.rules.pipeline, &self.rules.to),
            clock: self.clock,
            on_the_way: BTreeMap::new(),
            delivered: Vec::new(),
            sent: 0,
            trouble: None,
        });
        let messages = std::iter::from_fn(|| next(&mut letters, &mut replay, &notes).map(Ok));
        let mut reporter = LineReporter::new(self.args.json);
        let mut progress = |progress: Progress| self.progress(&mut reporter, progress, &notes, &stop);
        let mut placed = |delivered| notes.borrow_mut().placed(&delivered);
        let sent = produce_placed(messages, sink, &mut placed, self.clock, &mut progress);
        reporter.finish();
        let mut notes = notes.into_inner();
        notes.write();
        match (sent, notes.trouble) {
            (Ok(summary), None) => self.print(&replay.tally, &summary),
            (Ok(_), Some(trouble)) => Err(trouble.into()),
            (Err(error), _) => Err(produce::failed(error)),
        }
    }

    fn progress(
        &self,
        reporter: &mut LineReporter,
        progress: Progress,
        notes: &RefCell<Notes<'_>>,
        stop: &AtomicBool,
    ) -> ControlFlow<()> {
        reporter.show(
            progress.elapsed,
            &format!("{} sent", counted(progress.records, "record")),
            || json!({ "progress": "replay", "records": progress.records }),
        );
        match notes.borrow().trouble.is_some() || stop.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn print(&self, tally: &Tally, summary: &Summary) -> Result<(), Failure> {
        let (pipeline, to) = (&self.rules.pipeline, &self.rules.to);
        if self.args.json {
            let shown = json!({ "summary": "replay", "pipeline": pipeline, "topic": to, "records": summary.records,
                                "bytes": summary.bytes, "stopped": summary.stopped, "letters": tally });
            println!("{shown}");
            return Ok(());
        }
        println!(
            "{pipeline}: {} of {} sent to the topic `{to}` ({})",
            counted(summary.records, "record"),
            counted(tally.letters, "dead letter"),
            counted(summary.bytes, "byte")
        );
        if tally.letters == 0 {
            println!("  no dead letter matches");
        }
        let most = self.rules.most_replays;
        for (letters, why) in [
            (tally.same_record, "further rows of the same records".to_owned()),
            (tally.sent_before, format!("left out: sent to `{to}` before (--again sends them)")),
            (tally.exhausted, format!("left out: sent {most} times, and died each time (--most-replays)")),
            (tally.tombstones, "left out: records without a value".to_owned()),
        ] {
            if letters > 0 {
                println!("  {:>10}  {why}", grouped(letters));
            }
        }
        if summary.stopped {
            let why = "stopped before the end: run it again, and what was sent is left out";
            return Err(Failure::new(exit::FAILED, why));
        }
        Ok(())
    }
}

/// The next message; none at the end, and after an error, which is noted.
fn next(letters: &mut Letters<'_>, replay: &mut Replay<'_>, notes: &RefCell<Notes<'_>>) -> Option<Message> {
    loop {
        let kept = match letters.next()? {
            Ok(kept) => kept,
            Err(error) => {
                notes.borrow_mut().trouble = Some(error);
                return None;
            }
        };
        if let Outcome::Send { message, replays } = replay.next(&kept) {
            let place = kept.letter.place;
            let (topic, partition, offset) = (place.topic.to_string(), place.partition, place.offset);
            // Where it goes is told later.
            let to = Target { partition: -1, offset: -1 };
            notes.borrow_mut().goes(Sent { topic, partition, offset, to, replays });
            return Some(message);
        }
    }
}

/// Notes in the lake what was sent.
struct Notes<'a> {
    writer: Writer<'a>,
    clock: &'a SystemClock,
    /// By number.
    on_the_way: BTreeMap<usize, Sent>,
    delivered: Vec<Sent>,
    sent: usize,
    trouble: Option<LettersError>,
}

impl Notes<'_> {
    fn goes(&mut self, sent: Sent) {
        self.on_the_way.insert(self.sent, sent);
        self.sent += 1;
    }

    fn placed(&mut self, delivered: &Delivered) {
        let Some(mut sent) = self.on_the_way.remove(&delivered.number) else { return };
        sent.to = Target { partition: delivered.partition, offset: delivered.offset };
        self.delivered.push(sent);
        if self.delivered.len() >= NOTED_AT_ONCE {
            self.write();
        }
    }

    fn write(&mut self) {
        let delivered = std::mem::take(&mut self.delivered);
        if !delivered.is_empty()
            && let Err(error) = self.writer.add(self.clock.now_us(), delivered)
        {
            self.trouble.get_or_insert(error);
        }
    }
}
