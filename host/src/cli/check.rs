//! `tallow check`: everything that can be known of a manifest without running it.

use std::sync::Arc;

use tallow_engine::{BackfillFunction, BackfillOptions, CallError, Contract, ParseFunction, WindowFunction};
use tallow_manifest::{Backfill, Manifest, Pipeline};

use super::{Failure, settings};
use crate::error::exit;
use crate::plan::{Mode, Plan};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let manifest = args.settings.load()?;
    manifest.check_files().map_err(|errors| Failure::new(exit::USAGE, errors))?;
    let runtime = settings::runtime_of(&manifest, Arc::default())?;
    for pipeline in &manifest.pipelines {
        check(&manifest, &runtime, pipeline)?;
    }
    for backfill in &manifest.backfills {
        check_backfill(&manifest, &runtime, backfill)?;
    }
    for merge in &manifest.merges {
        let component = settings::component(&manifest, &runtime, &merge.function, Contract::Merge)?;
        println!("merge {}", merge.name);
        println!("  merge   {}  sha256:{}", component.name(), component.digest());
        println!("  table   serving/{}", merge.name);
    }
    for trigger in &manifest.skipped_triggers {
        println!("trigger {trigger}: not Tallow's, left to `spin up`");
    }
    println!("{}: good", manifest.path.display());
    Ok(())
}

fn check_backfill(
    manifest: &Manifest,
    runtime: &tallow_engine::Runtime,
    backfill: &Backfill,
) -> Result<(), Failure> {
    let failed = |function: &str, error: CallError| {
        Failure::new(exit::USAGE, format!("backfill `{}`, function `{function}`: {error}", backfill.name))
    };
    let plan = Plan::new(&backfill.bars, Mode::default());
    let component = settings::component(manifest, runtime, &backfill.function, Contract::Backfill)?;
    let mut function =
        BackfillFunction::new(&component, plan.limits).map_err(|error| failed(component.name(), error))?;
    let options = BackfillOptions {
        symbol: String::new(),
        listed_as: String::new(),
        interval_us: backfill.interval_us,
        settings: backfill.settings.clone().into_iter().collect(),
    };
    // Nothing is wanted: it is refused where the interval or the settings are.
    function.plan(&options, &[], &[]).map_err(|error| failed(component.name(), error))?;
    let parse = settings::component(manifest, runtime, &backfill.bars.parse, Contract::Parse)?;
    let mut function = ParseFunction::new(&parse, plan.limits, plan.parse_options.clone())
        .map_err(|error| failed(parse.name(), error))?;
    function.parse(&mut tallow_record::Batch::default()).map_err(|error| failed(parse.name(), error))?;

    println!("backfill {}", backfill.name);
    println!("  fetch   {}  sha256:{}", component.name(), component.digest());
    println!("  from    {}", backfill.base_url);
    for window in &backfill.bars.windows {
        println!("  fills   speed/{}", backfill.bars.table(window));
    }
    Ok(())
}

fn check(manifest: &Manifest, runtime: &tallow_engine::Runtime, pipeline: &Pipeline) -> Result<(), Failure> {
    let plan = Plan::new(pipeline, Mode::default());
    let failed = |function: &str, error: CallError| {
        Failure::new(exit::USAGE, format!("pipeline `{}`, function `{function}`: {error}", pipeline.id))
    };
    let parse = settings::component(manifest, runtime, &pipeline.parse, Contract::Parse)?;
    let window = settings::component(manifest, runtime, pipeline.window_function(), Contract::Window)?;
    let mut function = ParseFunction::new(&parse, plan.limits, plan.parse_options.clone())
        .map_err(|error| failed(parse.name(), error))?;
    // An empty batch is refused where the options are: unknown kinds, columns or settings.
    function.parse(&mut tallow_record::Batch::default()).map_err(|error| failed(parse.name(), error))?;
    WindowFunction::open(&window, plan.limits, &plan.specs).map_err(|error| failed(window.name(), error))?;

    println!("pipeline {}", pipeline.id);
    for (role, component) in [("parse", &parse), ("window", &window)] {
        println!("  {role:<7} {}  sha256:{}", component.name(), component.digest());
    }
    for spec in &pipeline.windows {
        println!("  table   speed/{}  ({} aggregates)", pipeline.table(spec), spec.aggregates.len());
    }
    Ok(())
}
