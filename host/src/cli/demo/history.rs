//! The synthetic market's past, from files by `tallow batch`'s own job: the batch side of the served table.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::json;
use tallow_manifest::Manifest;
use tallow_produce::history;

use crate::cli::wire::World;
use crate::cli::{Failure, settings};
use tallow_batch::plan::Plan;
use tallow_batch::run::{Outcome, run};
use tallow_batch::services::Services;
use tallow_env::exit;
use tallow_log::owner;

const DAY_US: i64 = 86_400_000_000;
/// Days of history.
const DAYS: i64 = 90;
/// Days between its end and today: nobody has them, so they are filled.
const DAYS_MISSING: i64 = 2;
const SYMBOLS: usize = 8;

/// Writes the market's history into files of a folder, and makes the table `batch/<table>` of them. `demo`: the manifest
/// that the demo runs.
pub fn make(
    world: &World,
    settings: &settings::Args,
    demo: &Manifest,
    folder: &Path,
    table: &str,
    seed: u64,
) -> Result<Outcome, Failure> {
    let today_us = world.clock.now_us().div_euclid(DAY_US) * DAY_US;
    let to_us = today_us - DAYS_MISSING * DAY_US;
    let failed = |error: std::io::Error| {
        Failure::new(exit::FAILED, format!("{}: cannot be written: {error}", folder.display()))
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    for history in history(seed, SYMBOLS, to_us - DAYS * DAY_US, to_us) {
        std::fs::write(folder.join(format!("{}.csv", history.symbol)), history.csv).map_err(failed)?;
    }
    batch(world, settings, demo, folder, table)
}

fn batch(
    world: &World,
    settings: &settings::Args,
    demo: &Manifest,
    folder: &Path,
    table: &str,
) -> Result<Outcome, Failure> {
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = \"demo\"\n[application.trigger.kafka]\nbrokers = \
         \"localhost\"\nlake = \"lake\"\n[application.trigger.kafka.batch.{}]\ninput = {}\nsymbol-from = \
         \"([A-Z]+)\\\\.csv$\"\n[[trigger.none]]\ncomponent = \"window\"\n",
        json!(table),
        json!(format!("{}/*.csv", folder.display())),
    );
    let components = ["parse-kline", "window", "merge"]
        .map(|name| format!("[component.{name}]\nsource = \"target/functions/{name}.wasm\"\n"));
    let manifest = settings.resolve(&(text + &components.concat()), Path::new("the demo's history"))?;
    let usage = |text: String| Failure::new(exit::FAILED, text);
    let job = manifest.batch(table).ok_or_else(|| usage(format!("no batch `{table}`")))?;
    let plan = Plan::new(job);
    let failed = |error: &dyn std::fmt::Display| usage(format!("the demo's history: {error}"));
    let files = tallow_files::expand(&job.inputs, Path::new(""), &Default::default())
        .map_err(|error| failed(&error))?;
    // The components are where the demo's own manifest says.
    let functions = world.gate.of_batch(demo, &world.runtime, job)?;
    let services = Services {
        parse: functions.parse.component,
        window: functions.window.component,
        merge: functions.merge.component,
        store: world.store.clone(),
        clock: world.clock.clone(),
        random: world.random.clone(),
        stop: Arc::new(AtomicBool::new(false)),
        watch: Box::new(|_| {}),
        plan,
    };
    run(&services, files, &owner::name()).map_err(|error| failed(&error))
}
