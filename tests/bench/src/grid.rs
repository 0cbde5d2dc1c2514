//! A grid search over two series, by the built program and by Prophet for Python: choice on the test set, cross-validation,
//! and a forecast, with averages of the very day as regressors. tests/bench/grid.py says what is done exactly.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;
use tallow_tests::{paths, tallow};
use tempfile::TempDir;

use crate::batch;
use crate::forecast::Days;
use crate::pairs::seconds;
use crate::report::Measure;

/// Days of the series.
const SERIES: [(&str, usize); 2] = [("AAA", 5_152), ("BBB", 3_582)];
/// How much of Python's time it may take, and MB.
const REACH_RATIO: f64 = 0.7;
const REACH_MB: f64 = 512.0;
/// How far apart the errors may be, as a share: the optimisers end in different places.
const MOST_APART: f64 = 0.1;

/// The same, and beside it what the honest figures need: a cut that chooses and one that judges.
const SEARCH: [&str; 19] = [
    "--leaked",
    "--average",
    "7",
    "--average",
    "30",
    "--set",
    "daily-seasonality=true",
    "--grid",
    "seasonality-mode=additive,multiplicative",
    "--grid",
    "changepoint-prior-scale=0.01,0.05,0.1",
    "--holiday",
    "halving=2016-07-09,2020-05-11,2024-04-20/7",
    "--folds",
    "1",
    "--choose-folds",
    "1",
    "--train",
    "1095",
];

/// What either side found.
#[derive(Debug, Deserialize)]
struct Found {
    seconds: f64,
    fits: u64,
    test: f64,
    cross_validated: f64,
}

pub fn run(measures: &mut Vec<Measure>) -> Result<()> {
    let python = match batch::python("prophet") {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: grid: {why}");
            return Ok(());
        }
    };
    let folder = TempDir::with_prefix("tallow-bench-grid-")?;
    let (mut ours, mut serial, mut processes, mut peak_mb) = (0.0, 0.0, 0.0, 0.0_f64);
    for (symbol, count) in SERIES {
        let days = Days::new(count);
        let klines = folder.path().join(format!("{symbol}.csv"));
        let values = folder.path().join(format!("{symbol}-values.csv"));
        fs::write(&klines, days.klines())?;
        fs::write(&values, days.csv())?;
        eprintln!("grid: {symbol}, {count} days");
        let (found, mb) = by_tallow(folder.path(), symbol, &klines)?;
        eprintln!("  tallow: {:.1} s, {} fits, {mb:.0} MB", found.seconds, found.fits);
        ours += found.seconds;
        peak_mb = peak_mb.max(mb);
        for (way, sum) in [("serial", &mut serial), ("processes", &mut processes)] {
            let theirs = by_python(&python, &values, way)?;
            eprintln!("  python, {way}: {:.1} s, {} fits", theirs.seconds, theirs.fits);
            agree(&found, &theirs)?;
            *sum += theirs.seconds;
        }
    }
    let name = |what: &str| format!("forecast, grid of two symbols: {what}");
    measures.extend([
        Measure::new(name("tallow"), ours, "s").at_most(),
        Measure::new(name("Prophet for Python"), serial, "s").at_most(),
        Measure::new(name("Prophet for Python, processes"), processes, "s").at_most(),
        Measure::new(name("tallow / Python"), ours / serial, "times").reach(REACH_RATIO).at_most(),
        Measure::new(name("tallow / Python, processes"), ours / processes, "times").at_most(),
        Measure::new(name("tallow's memory"), peak_mb, "MB").reach(REACH_MB).at_most(),
    ]);
    Ok(())
}

/// From the start of the process to its end, with the report; and its peak memory in MB.
fn by_tallow(folder: &Path, symbol: &str, klines: &Path) -> Result<(Found, f64)> {
    let lake = folder.join(symbol);
    let (klines, lake_folder) = (klines.display().to_string(), lake.display().to_string());
    let functions = paths::functions().display().to_string();
    let fixed = ["forecast", "--input", &klines, "--symbol", symbol, "--functions", &functions];
    let lake_flag = ["--lake", &lake_folder, "--json"];
    let arguments: Vec<&str> = fixed.iter().chain(&lake_flag).chain(&SEARCH).copied().collect();
    let (seconds, (finished, peak_mb)) = seconds(|| Ok(tallow::run_measured(&arguments)))?;
    ensure!(finished.status.success(), "tallow forecast: {}\n{}", finished.stdout, finished.stderr);
    let path = lake.join(format!("forecast/series/000001/symbol={symbol}/leaked.json"));
    let leaked: Value = serde_json::from_slice(&fs::read(&path)?)?;
    let number =
        |key: &str| leaked["leaked"][key].as_f64().with_context(|| format!("{}: no {key}", path.display()));
    let all = finished.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let fits = all.filter_map(|line| line["all"].as_u64()).max().unwrap_or(0);
    let (test, cross_validated) = (number("test_mape")?, number("cross_validated_mape")?);
    Ok((Found { seconds, fits, test, cross_validated }, peak_mb))
}

fn by_python(python: &str, file: &Path, way: &str) -> Result<Found> {
    let script = paths::root().join("tests/bench/grid.py");
    let ran = Command::new(python)
        .args([script.as_path(), file, Path::new(way)])
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {python}"))?;
    let said = String::from_utf8_lossy(&ran.stdout);
    ensure!(ran.status.success(), "{} failed: {said}", script.display());
    let last = said.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| format!("{} printed `{last}`", script.display()))
}

fn agree(ours: &Found, theirs: &Found) -> Result<()> {
    for (what, ours, theirs) in [
        ("on the test set", ours.test, theirs.test),
        ("cross-validated", ours.cross_validated, theirs.cross_validated),
    ] {
        let apart = (ours / theirs - 1.0).abs();
        ensure!(apart <= MOST_APART, "the error {what} is {ours:.2} %, and Python's is {theirs:.2} %");
    }
    ensure!(ours.fits >= theirs.fits, "{} fits, and {} of Python", ours.fits, theirs.fits);
    Ok(())
}
