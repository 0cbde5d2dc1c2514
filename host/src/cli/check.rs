//! `tallow check`: everything that can be known of a manifest without running it.

use std::sync::Arc;

use tallow_lake::tables::speed_table;

use super::gate::{Admitted, Gate, OfBackfill, OfBatch, OfPipeline};
use super::{Failure, compose, settings};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let manifest = args.settings.load()?;
    manifest.check_files().map_err(Failure::usage)?;
    compose::check_client(&manifest)?;
    let runtime = settings::runtime_of(&manifest, Arc::default())?;
    let gate = Gate::new(&manifest)?;
    for pipeline in &manifest.pipelines {
        let OfPipeline { parse, window, .. } = gate.of_pipeline(&manifest, &runtime, pipeline)?;
        show("pipeline", &pipeline.id, &[("parse", &parse), ("window", &window)]);
        for spec in &pipeline.windows {
            println!("  table   speed/{}  ({} aggregates)", pipeline.table(spec), spec.aggregates.len());
        }
        for (topic, _) in pipeline.result_topics() {
            println!("  topic   {topic}");
        }
        let windows = pipeline.windows.iter();
        for (window, points) in windows.filter_map(|window| Some((window, window.influxdb.as_ref()?))) {
            println!("  points  {}  ({})", pipeline.measurement(window, points), points.url);
        }
    }
    for backfill in &manifest.backfills {
        let OfBackfill { function, .. } = gate.of_backfill(&manifest, &runtime, backfill)?;
        show("backfill", &backfill.name, &[("fetch", &function)]);
        println!("  from    {}", backfill.base_url);
        for window in &backfill.bars.windows {
            println!("  fills   {}", speed_table(&backfill.bars.table(window)));
        }
    }
    for batch in &manifest.batches {
        let OfBatch { parse, window, merge } = gate.of_batch(&manifest, &runtime, batch)?;
        show("batch", &batch.name, &[("parse", &parse), ("window", &window), ("merge", &merge)]);
        println!("  table   batch/{}", batch.table);
    }
    for merge in &manifest.merges {
        let function = gate.of_merge(&manifest, &runtime, merge, compose::MERGE_LIMITS)?;
        show("merge", &merge.name, &[("merge", &function)]);
        println!("  table   serving/{}", merge.name);
    }
    for trigger in &manifest.skipped_triggers {
        println!("trigger {trigger}: not Tallow's, left to `spin up`");
    }
    println!("{}: good", manifest.path.display());
    Ok(())
}

/// A job, and its functions by their roles.
fn show(kind: &str, name: &str, functions: &[(&str, &Admitted)]) {
    println!("{kind} {name}");
    for (role, Admitted { component, .. }) in functions {
        println!("  {role:<7} {}  sha256:{}", component.name(), component.digest());
    }
}
