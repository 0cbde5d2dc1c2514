//! `tallow functions list`: what the pipelines run, and what the lake holds. Needs no running pipeline.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tallow_store::Digest;

use crate::cli::report::time;
use crate::cli::table::texts;
use crate::cli::{Failure, compose, settings};
use tallow_worker::library::Library;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let manifest = args.settings.load()?;
    let store = compose::store(&manifest.kafka)?;
    let library = Library::new(Arc::new(settings::runtime()?), store.clone());
    let mut run_by: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
    for pipeline in &manifest.pipelines {
        let Some(newest) = compose::newest_record(&store, &pipeline.id)? else { continue };
        for function in &newest.state.functions {
            let on_probation =
                newest.state.live.probation.as_ref().is_some_and(|it| it.role == function.role);
            let note = if on_probation { ", on probation" } else { "" };
            let text = format!("{} ({}{note})", pipeline.id, function.role.name());
            run_by.entry(function.digest).or_default().push(text);
        }
    }
    let kept = library.list()?;
    if args.json {
        let list: Vec<_> = kept
            .iter()
            .map(|kept| {
                json!({
                    "digest": kept.digest,
                    "size_bytes": kept.size_bytes,
                    "card": kept.card,
                    "run_by": run_by.get(&kept.digest).cloned().unwrap_or_default(),
                })
            })
            .collect();
        println!("{}", json!({ "lake": store.url(), "components": list }));
        return Ok(());
    }
    let mut table = texts(&["sha256", "name", "contract", "KiB", "since", "from", "run by"]);
    for kept in kept {
        let runs = run_by.get(&kept.digest).map(|pipelines| pipelines.join(", ")).unwrap_or_default();
        let card = kept.card.as_ref();
        table.add_row([
            format!("{:.12}", kept.digest),
            card.map_or("?", |card| &card.name).to_owned(),
            card.map_or("?", |card| &card.contract).to_owned(),
            (kept.size_bytes / 1024).to_string(),
            card.map_or("?".to_owned(), |card| time(card.kept_at_us)),
            card.map_or("?", |card| &card.origin).to_owned(),
            runs,
        ]);
    }
    println!("{table}");
    Ok(())
}
