//! `tallow status`: where the pipelines, backfills, merges and forecasts stand, from their logs, and how far behind the topics they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tallow_env::SystemClock;
use tallow_epoch::Ledger;
use tallow_log::record::{Kind, Record};
use tallow_log::status::last_records;
use tallow_manifest::{Manifest, Pipeline};
use tallow_source::Source;

use super::report::{counted, grouped, time, untracked};
use super::table::{indented, table};
use super::{Failure, backfill_status, compose, forecast_status, held_status, merge_status, settings};
use tallow_pipeline::PipelineError;
use tallow_pipeline::start::windows;
use tallow_pipeline::watermark_hold::WatermarkHold;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// Show only this pipeline
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// How many commits to show
    #[arg(long, value_name = "N", default_value_t = 5)]
    commits: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The newest log records of a pipeline, newest first, and how many of them are shown.
struct Commits {
    records: Vec<Record>,
    shown: usize,
}

impl Commits {
    fn newest(&self) -> Option<&Record> {
        self.records.first()
    }

    /// Each with the one before it, where that was read.
    fn shown(&self) -> impl Iterator<Item = (&Record, Option<&Record>)> {
        let each = self.records.iter().enumerate();
        each.take(self.shown).map(|(index, record)| (record, self.records.get(index + 1)))
    }
}

/// Where the topics end, by topic and partition; or why that is not known.
type Ends = Result<BTreeMap<(String, i32), i64>, String>;

pub fn run(args: Args) -> Result<(), Failure> {
    let manifest = args.settings.load()?;
    let store = compose::store(&manifest.kafka)?;
    let mut shown = Vec::new();
    for pipeline in settings::pipelines(&manifest, args.only.as_deref())? {
        let shown_commits = args.commits.max(1);
        // One more: what a record brought is seen against the one before it.
        let records = last_records(&store, &pipeline.id, 0, shown_commits + 1)?;
        let commits = Commits { records, shown: shown_commits };
        let ends = ends(&manifest, pipeline);
        let held = commits.newest().and_then(|newest| held_status::held(&manifest, &store, pipeline, newest));
        if args.json {
            shown.push(as_json(pipeline, &commits, &ends, held.as_ref()));
        } else {
            print(pipeline, &commits, &ends, held.as_ref(), store.url());
        }
    }
    let mut backfills = Vec::new();
    let wanted = |pipeline: &str| args.only.as_deref().is_none_or(|only| only == pipeline);
    for backfill in manifest.backfills.iter().filter(|it| wanted(it.pipeline())) {
        let status = backfill_status::Status::of(&store, backfill)?;
        if args.json { backfills.push(status.as_json()) } else { status.print(store.url()) }
    }
    let mut merges = Vec::new();
    for merge in manifest.merges.iter().filter(|_| args.only.is_none()) {
        let status = merge_status::Status::of(&store, merge)?;
        if args.json { merges.push(status.as_json()) } else { status.print(store.url()) }
    }
    let mut forecasts = Vec::new();
    for forecast in manifest.forecasts.iter().filter(|_| args.only.is_none()) {
        let status = forecast_status::Status::of(&store, forecast)?;
        if args.json { forecasts.push(status.as_json()) } else { status.print(&store) }
    }
    if args.json {
        println!(
            "{}",
            json!({
                "lake": store.url(), "pipelines": shown, "backfills": backfills, "merges": merges,
                "forecasts": forecasts,
            })
        );
    }
    Ok(())
}

fn ends(manifest: &Manifest, pipeline: &Pipeline) -> Ends {
    let look = || -> Result<_, PipelineError> {
        let source = compose::source(&manifest.kafka, pipeline, Arc::new(SystemClock::new()))?;
        Ok(source.partitions()?)
    };
    let partitions = look().map_err(|error| error.to_string())?;
    let end = partitions
        .into_iter()
        .map(|it| ((it.partition.topic.to_string(), it.partition.partition), it.latest));
    Ok(end.collect())
}

fn lag(ends: &Ends, topic: &str, partition: i32, next: i64) -> Option<i64> {
    let end = ends.as_ref().ok()?.get(&(topic.to_owned(), partition))?;
    Some((end - next).max(0))
}

fn print(pipeline: &Pipeline, commits: &Commits, ends: &Ends, held: Option<&WatermarkHold>, lake: &str) {
    let Some(newest) = commits.newest() else {
        println!("{}: no checkpoint in {lake}", pipeline.id);
        return;
    };
    let state = &newest.state;
    println!("{}: commit {} in {lake}", pipeline.id, newest.commit_id());
    println!("  watermark  {}", state.watermark_us.map_or("none yet".to_owned(), time));
    if let Some(held) = held.filter(|held| held.matters()) {
        println!("  held back  by {}", held.told());
    }
    let bytes: u64 = state.parts.iter().map(|part| part.length).sum();
    println!("  state      {} in {}", counted(bytes, "byte"), counted(state.parts.len() as u64, "part"));
    if let Err(why) = ends {
        println!("  lag        not known: {why}");
    }
    let mut table = table(&["partition", "next offset", "lag", "newest event", "note"]);
    for it in &state.partitions {
        let lag = lag(ends, &it.topic, it.partition, it.next);
        table.add_row([
            format!("{}/{}", it.topic, it.partition),
            grouped(it.next as u64),
            lag.map_or("?".to_owned(), |lag| grouped(lag as u64)),
            it.max_event_time_us.map_or("none yet".to_owned(), time),
            if it.idle { "idle".to_owned() } else { String::new() },
        ]);
    }
    println!("{}", indented(&table));
    for (sink, behind) in waiting(commits) {
        let commits = counted(behind, "commit");
        println!("  waits      {sink}: the results of {commits}, which {sink} has not taken so far");
    }
    print_ledger(&state.ledger);
    print_commits(commits);
}

/// The sinks that are behind, each with how many commits. A commit notes what was published before it: being one behind is
/// being up to date.
fn waiting(commits: &Commits) -> BTreeMap<&str, u64> {
    let Some(newest) = commits.newest() else { return BTreeMap::new() };
    let outboxes = commits.records.iter().flat_map(|record| &record.epoch.outbox);
    let sinks = newest.published_through.keys().chain(outboxes.map(|it| &it.sink));
    let behind = sinks.map(|sink| (sink.as_str(), newest.seq.saturating_sub(newest.published_through(sink))));
    behind.filter(|(_, behind)| *behind > 1).collect()
}

fn print_ledger(ledger: &Ledger) {
    let mut partitions = table(&["partition", "records", "with rows", "ignored", "rejected", "set aside"]);
    for (partition, counts) in &ledger.partitions {
        let sum = |counts: &BTreeMap<String, u64>| grouped(counts.values().sum());
        partitions.add_row([
            partition.to_string(),
            grouped(counts.records),
            grouped(counts.with_rows),
            sum(&counts.ignored),
            grouped(counts.rejected),
            sum(&counts.set_aside),
        ]);
    }
    println!("{}", indented(&partitions));
    let mut windows =
        table(&["window", "rows", "invalid", "closed", "open", "late", "duplicate", "conflict", "untracked"]);
    for (name, counts) in &ledger.windows {
        let numbers = [
            counts.rows_taken,
            counts.invalid,
            counts.closed,
            counts.open.max(0) as u64,
            counts.late,
            counts.duplicate,
            counts.conflict,
            counts.untracked,
        ];
        windows.add_row(std::iter::once(name.clone()).chain(numbers.map(grouped)));
    }
    println!("{}", indented(&windows));
    if let Some(untracked) = untracked(ledger.windows.values().map(|counts| counts.untracked).sum()) {
        println!("  ids        {untracked}");
    }
    for (name, counts) in ledger.windows.iter().filter(|(_, counts)| counts.dropped > 0) {
        let rows = grouped(counts.dropped);
        println!(
            "  dropped    {rows} rows of open windows, when window `{name}` was removed (`--drop-window`)"
        );
    }
    println!(
        "  ledger     {}",
        ledger.check().map_or_else(|error| error.to_string(), |()| "balanced".to_owned())
    );
}

fn print_commits(commits: &Commits) {
    let mut table = table(&["commit", "kind", "at", "records", "files", "rows"]);
    let voided: Vec<_> = commits.records.iter().filter_map(|record| record.voided).collect();
    for (record, before) in commits.shown() {
        let kind = kind(record, before);
        let is_void = voided.iter().any(|range| range.contains(record.seq));
        let taken: u64 = record.epoch.ledger.partitions.values().map(|counts| counts.records).sum();
        table.add_row([
            record.seq.to_string(),
            if is_void { format!("{kind}, void") } else { kind.to_owned() },
            time(record.at_us),
            grouped(taken),
            record.epoch.outbox.len().to_string(),
            grouped(record.epoch.outbox.iter().map(|it| it.rows).sum()),
        ]);
    }
    println!("{}", indented(&table));
}

/// What a record is, for people. The one before it tells whether it brought other windows.
fn kind(record: &Record, before: Option<&Record>) -> &'static str {
    match record.kind {
        Kind::Fence => "start",
        Kind::Commit if before.is_some_and(|it| windows::only(&it.state, &record.epoch, &record.state)) => {
            "windows"
        }
        Kind::Commit => "epoch",
        Kind::Swap => "swap",
        Kind::Rollback => "rollback",
    }
}

fn as_json(pipeline: &Pipeline, commits: &Commits, ends: &Ends, held: Option<&WatermarkHold>) -> Value {
    let Some(newest) = commits.newest() else {
        return json!({ "pipeline": pipeline.id, "commit": null });
    };
    let (state, waiting) = (&newest.state, waiting(commits));
    let partitions = state.partitions.iter().map(|it| {
        json!({
            "topic": it.topic, "partition": it.partition, "next": it.next, "idle": it.idle,
            "max_event_time_us": it.max_event_time_us, "stands_since_us": it.stands_since_us, "lag": lag(ends, &it.topic, it.partition, it.next),
        })
    });
    let commits = commits.shown().map(|(record, before)| {
        json!({
            "seq": record.seq, "kind": kind(record, before), "at_us": record.at_us, "term": record.term,
            "outbox": record.epoch.outbox.iter().map(|it| json!({ "sink": it.sink, "name": it.name, "rows": it.rows }))
                .collect::<Vec<_>>(),
        })
    });
    json!({
        "pipeline": pipeline.id,
        "commit": newest.commit_id(),
        "watermark_us": state.watermark_us,
        "held": held,
        "state_bytes": state.parts.iter().map(|part| part.length).sum::<u64>(),
        "partitions": partitions.collect::<Vec<_>>(),
        "lag_unknown": ends.as_ref().err(),
        "ledger": state.ledger,
        "balanced": state.ledger.check().is_ok(),
        "published_through": newest.published_through,
        "waiting": waiting,
        "commits": commits.collect::<Vec<_>>(),
    })
}
