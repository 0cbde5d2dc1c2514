//! `tallow up`: runs the pipelines of a manifest, each in a thread, until stopped or drained.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clap::Args as ClapArgs;
use tallow_manifest::Pipeline;

use super::report::Reporter;
use super::wire::{World, first_failure};
use super::{Failure, settings, stop};
use crate::error::PipelineError;
use crate::pipeline::{self, Wiring};
use crate::plan::Mode;
use crate::progress::Progress;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// Run this pipeline and no other
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Take what the topics hold now, in bounded epochs, then stop
    #[arg(long)]
    available_now: bool,
    /// Publish the windows that are still open at the end, as incomplete ones
    #[arg(long, requires = "available_now")]
    close_all: bool,
    /// Print progress and the summary as JSON lines
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let manifest = args.settings.load()?;
    let stop = stop::on_signal()?;
    for trigger in &manifest.skipped_triggers {
        tracing::info!(trigger, "not run by `tallow up`: `spin up` serves it");
    }
    let world = World::new(&manifest, stop)?;
    let mode = Mode { available_now: args.available_now, close_all: args.close_all };
    let pipelines = settings::pipelines(&manifest, args.only.as_deref())?;
    let merging = world.merging(&manifest, &pipelines)?;
    let mut wirings = Vec::new();
    for pipeline in &pipelines {
        let viewers = merging.viewer(tables(pipeline)).into_iter().collect();
        wirings.push(world.wire(&manifest, pipeline, mode, Arc::new(Progress::new(viewers)))?);
    }
    let reporter = Reporter::new(args.json, world.clock.clone());
    let failures = merging.beside(|| run_all(&wirings, &reporter));
    // A pipeline that could not begin has nothing to sum up.
    let began = |wiring: &&Wiring| failures.is_empty() || wiring.progress.counts().epochs > 0;
    for wiring in wirings.iter().filter(began) {
        reporter.summary(wiring.plan.name(), &wiring.progress.counts(), world.store.url());
    }
    first_failure(failures)
}

/// A pipeline's tables by the names of their windows.
pub fn tables(pipeline: &Pipeline) -> BTreeMap<String, String> {
    pipeline.windows.iter().map(|window| (window.name.clone(), pipeline.table(window))).collect()
}

/// Runs pipelines side by side. Where one fails the others finish their epoch and stop.
fn run_all(wirings: &[Wiring], reporter: &Reporter) -> Vec<(String, PipelineError)> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = wirings
            .iter()
            .map(|wiring| {
                scope.spawn(move || {
                    let done = pipeline::run(wiring);
                    if done.is_err() {
                        wiring.stop.store(true, Ordering::Relaxed);
                    }
                    done
                })
            })
            .collect();
        let mut leaving = None;
        while threads.iter().any(|thread| !thread.is_finished()) {
            reporter.progress(wirings.iter().map(|wiring| (wiring.plan.name(), wiring.progress.counts())));
            stop::leave_in_time(wirings, &mut leaving);
        }
        let names = wirings.iter().map(|wiring| wiring.plan.name().to_owned());
        let done = threads.into_iter().map(|thread| thread.join().unwrap_or(Err(PipelineError::Broken)));
        names.zip(done).filter_map(|(name, done)| done.err().map(|error| (name, error))).collect()
    })
}
