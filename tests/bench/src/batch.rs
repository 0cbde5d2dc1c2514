//! Minutes to days from CSV: `tallow batch` as a process, in turn with Polars and DuckDB over the same files.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tallow_tests::{lake, paths, tallow};
use tempfile::TempDir;

use crate::klines::Klines;
use crate::pairs::{Pairs, median, seconds};
use crate::report::Measure;

const PAIRS: usize = 3;
/// How many times faster than Polars tallow is to be.
const REACH_RATIO: f64 = 1.2;
const AIM_RATIO: f64 = 2.0;
/// Resident memory of the whole process.
const MOST_MB: f64 = 300.0;
const PYTHON: &str = "TALLOW_BENCH_PYTHON";

/// Open, high, low, close, volume and klines of a symbol's day.
type Days = BTreeMap<(String, String), [f64; 6]>;

pub fn run(rows: u64, measures: &mut Vec<Measure>) -> Result<()> {
    eprintln!("batch: {rows} rows of klines");
    let klines = Klines::write(&paths::target().join("bench"), rows)?;
    eprintln!("  {:.1} bytes a row", klines.bytes as f64 / klines.rows as f64);
    for engine in ["polars", "duckdb"] {
        match python(engine) {
            Ok(python) => beside(&klines, engine, &python, measures)?,
            Err(why) => eprintln!("skipped: batch beside {engine}: {why}"),
        }
    }
    Ok(())
}

/// The Python that has the engine, or what to do where there is none.
pub fn python(engine: &str) -> Result<String, String> {
    let tools = paths::target().join("tools/python/bin/python");
    let default = if tools.exists() { tools.display().to_string() } else { "python3".to_owned() };
    let python = std::env::var(PYTHON).unwrap_or(default);
    match Command::new(&python).args(["-c", &format!("import {engine}")]).output() {
        Ok(output) if output.status.success() => Ok(python),
        _ => Err(format!(
            "{python} has no {engine}: python3 -m venv py && py/bin/pip install polars duckdb, then set {PYTHON}=py/bin/python"
        )),
    }
}

fn beside(klines: &Klines, engine: &str, python: &str, measures: &mut Vec<Measure>) -> Result<()> {
    let count = klines.rows as f64;
    let ours = std::cell::RefCell::new(Days::new());
    let mut memory = Vec::new();
    let pairs = Pairs::measure(
        PAIRS,
        || {
            let (seconds, peak_mb, days) = tallow_batch(klines)?;
            eprintln!("  tallow: {seconds:.2} s, {peak_mb:.0} MB");
            memory.push(peak_mb);
            ours.replace(days);
            Ok(count / seconds)
        },
        || {
            let (seconds, days) = query(klines, engine, python)?;
            eprintln!("  {engine}: {seconds:.2} s");
            agree(engine, &ours.borrow(), &days)?;
            Ok(count / seconds)
        },
    )?;
    let ratio = Measure::new(format!("batch: tallow / {engine}"), pairs.ratio(), "times");
    measures.extend([
        Measure::new(format!("batch: tallow, beside {engine}"), median(pairs.a.clone()), "rows/s"),
        Measure::new(format!("batch: {engine}"), median(pairs.b.clone()), "rows/s"),
        if engine == "polars" { ratio.reach(REACH_RATIO).aim(AIM_RATIO) } else { ratio },
        Measure::new(format!("batch: tallow's memory, beside {engine}"), median(memory), "MB")
            .reach(MOST_MB)
            .at_most(),
    ]);
    Ok(())
}

/// Seconds from the process's start to its end, its peak memory in MB, and what it made.
fn tallow_batch(klines: &Klines) -> Result<(f64, f64, Days)> {
    let folder = TempDir::with_prefix("tallow-bench-batch-")?;
    let tables = folder.path().join("lake");
    let functions = paths::functions().display().to_string();
    let (pattern, lake_folder) = (klines.pattern(), tables.display().to_string());
    let arguments = [
        "batch",
        "--input",
        &pattern,
        "--symbol-from",
        "([A-Z]+)-[^/]*$",
        "--functions",
        &functions,
        "--lake",
        &lake_folder,
        "--json",
    ];
    let (seconds, finished) = seconds(|| Ok(tallow::run_measured(&arguments)))?;
    let (finished, peak_mb) = finished;
    ensure!(finished.status.success(), "tallow batch: {}\n{}", finished.stdout, finished.stderr);
    let rows = lake::table(&tables, "batch/daily");
    let days = rows.iter().filter(|row| row.get("filled").is_some_and(|filled| filled == "false"));
    let day = |row: &lake::Row| {
        let start = row.get("window_start").context("no window_start")?;
        Ok(((row["symbol"].clone(), start[..10].to_owned()), values(row)?))
    };
    Ok((seconds, peak_mb, days.map(day).collect::<Result<Days>>()?))
}

#[derive(Deserialize)]
struct Answer {
    seconds: f64,
}

fn query(klines: &Klines, engine: &str, python: &str) -> Result<(f64, Days)> {
    let folder = TempDir::with_prefix("tallow-bench-batch-")?;
    let script = paths::root().join("tests/bench/batch.py");
    let output = folder.path().join("days.csv");
    let ran = Command::new(python)
        .args([script.as_path(), Path::new(engine), Path::new(&klines.pattern()), &output])
        .output()
        .with_context(|| format!("cannot run {python}"))?;
    let (said, errors) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    ensure!(ran.status.success(), "{}: {errors}", script.display());
    let last = said.lines().last().unwrap_or_default();
    let answer: Answer =
        serde_json::from_str(last).with_context(|| format!("{} printed `{last}`", script.display()))?;
    let day = |row: &lake::Row| {
        let number: i64 = row.get("day").context("no day")?.parse()?;
        let start = lake::time(number * 86_400_000_000);
        Ok(((row["symbol"].clone(), start[..10].to_owned()), values(row)?))
    };
    Ok((answer.seconds, lake::read_csv(&output).iter().map(day).collect::<Result<Days>>()?))
}

fn values(row: &lake::Row) -> Result<[f64; 6]> {
    let mut values = [0.0; 6];
    for (value, name) in values.iter_mut().zip(["open", "high", "low", "close", "volume", "klines"]) {
        *value = row.get(name).with_context(|| format!("no column {name}"))?.parse()?;
    }
    Ok(values)
}

/// Prices and counts are the same; sums of doubles differ in their last places from exact ones.
fn agree(engine: &str, ours: &Days, theirs: &Days) -> Result<()> {
    ensure!(ours.len() == theirs.len(), "{} days, {engine} has {}", ours.len(), theirs.len());
    for (key, values) in ours {
        let Some(other) = theirs.get(key) else { bail!("{engine} lacks {key:?}") };
        let near = (values[4] - other[4]).abs() <= 1e-9 * values[4].abs();
        let same = [0, 1, 2, 3, 5].iter().all(|index| values[*index] == other[*index]);
        ensure!(near && same, "{key:?}: {values:?}, {engine} says {other:?}");
    }
    Ok(())
}
