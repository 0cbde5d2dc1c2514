//! The synthetic market's past, from files by `tallow batch`'s own job: the batch side of the served table.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tallow_manifest::Manifest;
use tallow_produce::history;

use crate::cli::compose::Host;
use crate::cli::{Failure, settings};
use tallow_batch::{Outcome, Services, run};
use tallow_log::owner;

const DAY_US: i64 = 86_400_000_000;
/// Days of history.
const DAYS: i64 = 120;
/// Days between its end and today: there is no data for them, so they are filled.
const DAYS_MISSING: i64 = 2;
const SYMBOLS: usize = 8;

/// Writes the market's history into files of a folder, and makes the table `batch/<table>` of them. `demo`: the manifest
/// that the demo runs.
pub fn make(
    host: &Host,
    settings: &settings::Args,
    demo: &Manifest,
    folder: &Path,
    table: &str,
    seed: u64,
) -> Result<Outcome, Failure> {
    let today_us = host.clock.now_us().div_euclid(DAY_US) * DAY_US;
    let to_us = today_us - DAYS_MISSING * DAY_US;
    let failed =
        |error: std::io::Error| Failure::failed(format!("{}: cannot be written: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    for history in history(seed, SYMBOLS, to_us - DAYS * DAY_US, to_us) {
        std::fs::write(folder.join(format!("{}.csv", history.symbol)), history.csv).map_err(failed)?;
    }
    batch(host, settings, demo, folder, table)
}

fn batch(
    host: &Host,
    settings: &settings::Args,
    demo: &Manifest,
    folder: &Path,
    table: &str,
) -> Result<Outcome, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(format!("the demo's history: {error}"));
    let job = json!({ "input": format!("{}/*.csv", folder.display()), "symbol-from": "([A-Z]+)\\.csv$" });
    let manifest = settings.one_batch(table, &job, Path::new("the demo's history"))?;
    let job = manifest.batch(table).ok_or_else(|| failed(&"it has no batch"))?;
    let files = tallow_files::expand(&job.inputs, Path::new(""), &Default::default())
        .map_err(|error| failed(&error))?;
    // The components are where the demo's own manifest says. The time of the demo is over, and this is not part of it.
    let services = Services { stop: Arc::default(), ..host.batch(demo, job)? };
    run(&services, files, &owner::name()).map_err(|error| failed(&error))
}
