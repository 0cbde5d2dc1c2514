//! `tallow check`: everything that can be known of a manifest without running it.

use std::sync::Arc;

use tallow_engine::{Component, Runtime};
use tallow_lake::tables::speed_table;
use tallow_manifest::{Backfill, Batch, Manifest, Pipeline};

use super::gate::{Gate, OfBackfill, OfBatch, OfPipeline};
use super::{Failure, settings, wire};
use tallow_env::exit;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let manifest = args.settings.load()?;
    manifest.check_files().map_err(|errors| Failure::new(exit::USAGE, errors))?;
    wire::check_client(&manifest)?;
    let runtime = settings::runtime_of(&manifest, Arc::default())?;
    let gate = Gate::new(&manifest)?;
    for pipeline in &manifest.pipelines {
        check(&manifest, &runtime, &gate, pipeline)?;
    }
    for backfill in &manifest.backfills {
        check_backfill(&manifest, &runtime, &gate, backfill)?;
    }
    for batch in &manifest.batches {
        check_batch(&manifest, &runtime, &gate, batch)?;
    }
    for merge in &manifest.merges {
        let function = gate.of_merge(&manifest, &runtime, merge, wire::MERGE_LIMITS)?;
        println!("merge {}", merge.name);
        show("merge", &function.component);
        println!("  table   serving/{}", merge.name);
    }
    for trigger in &manifest.skipped_triggers {
        println!("trigger {trigger}: not Tallow's, left to `spin up`");
    }
    println!("{}: good", manifest.path.display());
    Ok(())
}

fn show(role: &str, component: &Component) {
    println!("  {role:<7} {}  sha256:{}", component.name(), component.digest());
}

fn check(manifest: &Manifest, runtime: &Runtime, gate: &Gate, pipeline: &Pipeline) -> Result<(), Failure> {
    let OfPipeline { parse, window, .. } = gate.of_pipeline(manifest, runtime, pipeline)?;
    println!("pipeline {}", pipeline.id);
    show("parse", &parse.component);
    show("window", &window.component);
    for spec in &pipeline.windows {
        println!("  table   speed/{}  ({} aggregates)", pipeline.table(spec), spec.aggregates.len());
    }
    Ok(())
}

fn check_backfill(
    manifest: &Manifest,
    runtime: &Runtime,
    gate: &Gate,
    backfill: &Backfill,
) -> Result<(), Failure> {
    let OfBackfill { function, .. } = gate.of_backfill(manifest, runtime, backfill)?;
    println!("backfill {}", backfill.name);
    show("fetch", &function.component);
    println!("  from    {}", backfill.base_url);
    for window in &backfill.bars.windows {
        println!("  fills   {}", speed_table(&backfill.bars.table(window)));
    }
    Ok(())
}

fn check_batch(manifest: &Manifest, runtime: &Runtime, gate: &Gate, batch: &Batch) -> Result<(), Failure> {
    let OfBatch { parse, window, merge } = gate.of_batch(manifest, runtime, batch)?;
    println!("batch {}", batch.name);
    show("parse", &parse.component);
    show("window", &window.component);
    show("merge", &merge.component);
    println!("  table   batch/{}", batch.table);
    Ok(())
}
