//! `tallow dead-letters list`.

use serde_json::{Value, json};
use tallow_env::SystemClock;
use tallow_letters::{Letters, Seen, Summary};

use super::bytes::plain;
use super::{Walk, Which, open};
use crate::cli::report::{counted, grouped, time};
use crate::cli::table::{indented, texts};
use crate::cli::{Failure, settings};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let (manifest, store, filter) = open(&args.which)?;
    let clock = SystemClock::new();
    let mut shown = Vec::new();
    for pipeline in settings::pipelines(&manifest, args.which.pipeline.as_deref())? {
        let mut letters = Letters::of(&store, &pipeline.id, &filter)?;
        let (mut summary, mut walk) = (Summary::default(), Walk::new(&clock, args.json));
        while let Some(kept) = letters.next() {
            summary.add(&kept?.letter);
            walk.at(&letters);
        }
        walk.finish();
        match args.json {
            true => shown.push(as_json(&pipeline.id, &summary)),
            false => {
                print(&pipeline.id, &summary, &store.at(&tallow_lake::tables::dead_letters(&pipeline.id)))
            }
        }
    }
    if args.json {
        println!("{}", json!({ "lake": store.url(), "pipelines": shown }));
    }
    Ok(())
}

fn print(pipeline: &str, summary: &Summary, folder: &str) {
    println!("{pipeline}: {} in {folder}", counted(summary.letters, "dead letter"));
    if summary.letters == 0 {
        return;
    }
    let mut table = texts(&["letters", "kind", "reason", "first", "", "last", ""]);
    for ((kind, reason), group) in &summary.groups {
        let [first, last] = [&group.first, &group.last].map(|seen| (place(seen), when(seen)));
        table.add_row([
            grouped(group.letters),
            kind.as_str().to_owned(),
            plain(reason),
            first.0,
            first.1,
            last.0,
            last.1,
        ]);
    }
    println!("{}", indented(&table));
}

fn place(seen: &Seen) -> String {
    format!("{}/{}/{}", seen.topic, seen.partition, seen.offset)
}

fn when(seen: &Seen) -> String {
    seen.timestamp_us.map_or_else(|| "no time".to_owned(), time)
}

fn as_json(pipeline: &str, summary: &Summary) -> Value {
    let reasons = summary.groups.iter().map(|((kind, reason), group)| {
        json!({
            "kind": kind.as_str(), "reason": reason, "letters": group.letters,
            "first": group.first, "last": group.last,
        })
    });
    json!({ "pipeline": pipeline, "letters": summary.letters, "reasons": reasons.collect::<Vec<_>>() })
}
