//! Batch years and speed days into one table: `tallow merge` as a process, in turn with the same by DuckDB over the same
//! files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tallow_tests::{paths, tallow};
use tempfile::TempDir;

use crate::batch;
use crate::pairs::{Pairs, median, seconds};
use crate::report::Measure;

const PAIRS: usize = 5;
const YEARS: u32 = 4;
const SYMBOLS: u32 = 4;
/// What a run leaves in the lake.
const MADE: [&str; 3] = ["_tallow", "serving", "prophet_input"];

pub fn run(measures: &mut Vec<Measure>) -> Result<()> {
    let python = match batch::python("duckdb") {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: merge: {why}");
            return Ok(());
        }
    };
    let lake = Lake::make(&python)?;
    let rows = std::cell::Cell::new(0.0);
    let mut memory = Vec::new();
    let pairs = Pairs::measure(
        PAIRS,
        || {
            let (seconds, peak_mb) = lake.merge()?;
            eprintln!("  tallow: {seconds:.2} s, {peak_mb:.0} MB");
            memory.push(peak_mb);
            Ok(1.0 / seconds)
        },
        || {
            let seconds = lake.query(&rows)?;
            eprintln!("  duckdb: {seconds:.2} s");
            Ok(1.0 / seconds)
        },
    )?;
    let rate = |runs: &[f64]| rows.get() * median(runs.iter().copied());
    measures.extend([
        Measure::new("merge: tallow", rate(&pairs.a), "rows/s"),
        Measure::new("merge: duckdb", rate(&pairs.b), "rows/s"),
        Measure::new("merge: tallow / duckdb", pairs.ratio(), "times"),
        Measure::new("merge: tallow's memory", median(memory), "MB"),
    ]);
    Ok(())
}

/// A lake of batch and speed files.
struct Lake {
    root: PathBuf,
    python: String,
}

#[derive(Deserialize)]
struct Asked {
    seconds: f64,
}

#[derive(Deserialize)]
struct Compared {
    rows: u64,
    differing: u64,
}

impl Lake {
    /// Makes it in a folder of the build; what an earlier run made is taken.
    fn make(python: &str) -> Result<Self> {
        let root = paths::target().join(format!("bench/merge-{YEARS}-{SYMBOLS}"));
        let lake = Self { root, python: python.to_owned() };
        let done = lake.root.join("made");
        if !done.exists() {
            eprintln!("merge: making {YEARS} years of minutes of {SYMBOLS} symbols");
            lake.script(&[
                "make".as_ref(),
                &lake.root,
                YEARS.to_string().as_ref(),
                SYMBOLS.to_string().as_ref(),
            ])?;
            fs::write(done, "")?;
        }
        Ok(lake)
    }

    /// Seconds from the process's start to its end, and its peak memory in MB.
    fn merge(&self) -> Result<(f64, f64)> {
        for folder in MADE.map(|name| self.root.join(name)).iter().filter(|folder| folder.exists()) {
            fs::remove_dir_all(folder)?;
        }
        let folder = TempDir::with_prefix("tallow-bench-merge-")?;
        let manifest = folder.path().join("spin.toml");
        fs::write(&manifest, self.manifest())?;
        let manifest = manifest.display().to_string();
        let (seconds, ran) = seconds(|| Ok(tallow::run_measured(&["merge", "-f", &manifest])))?;
        let (finished, peak_mb) = ran;
        ensure!(finished.status.success(), "tallow merge: {}\n{}", finished.stdout, finished.stderr);
        Ok((seconds, peak_mb))
    }

    fn manifest(&self) -> String {
        let (lake, functions) = (self.root.display(), paths::functions().display().to_string());
        let component = |name: &str| format!("[component.{name}]\nsource = \"{functions}/{name}.wasm\"\n");
        let components = ["parse-market", "window", "merge"].map(component).concat();
        format!(
            r#"spin_manifest_version = 2
[application]
name = "bench"
[application.trigger.kafka]
brokers = "localhost:1"
lake = "{lake}"
[application.trigger.kafka.merge.minutes]
batch = "minutes"
speed = "candles_1m"
[[trigger.kafka]]
id = "candles"
topic = "trades"
parse = "parse-market"
[[trigger.kafka.windows]]
name = "1m"
kinds = ["trade"]
tumbling = "1m"
keys = ["symbol"]
aggregates = {{ close = "last(price)" }}
{components}"#
        )
    }

    /// Seconds that DuckDB takes for the same. Every row is held to the one that was served before.
    fn query(&self, rows: &std::cell::Cell<f64>) -> Result<f64> {
        let folder = TempDir::with_prefix("tallow-bench-merge-")?;
        let asked: Asked = self.answer(&["query".as_ref(), &self.root, folder.path()])?;
        let compared: Compared = self.answer(&["compare".as_ref(), &self.root, folder.path()])?;
        ensure!(compared.rows > 0, "no rows were merged");
        ensure!(compared.differing == 0, "{} of {} rows differ", compared.differing, compared.rows);
        rows.set(compared.rows as f64);
        Ok(asked.seconds)
    }

    fn answer<T: DeserializeOwned>(&self, arguments: &[&Path]) -> Result<T> {
        let said = self.script(arguments)?;
        let last = said.lines().last().unwrap_or_default();
        serde_json::from_str(last).with_context(|| format!("merge.py printed `{last}`"))
    }

    fn script(&self, arguments: &[&Path]) -> Result<String> {
        let script = paths::root().join("tests/bench/merge.py");
        let ran = Command::new(&self.python).arg(&script).args(arguments).output();
        let ran = ran.with_context(|| format!("cannot run {}", self.python))?;
        ensure!(ran.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&ran.stderr));
        Ok(String::from_utf8(ran.stdout)?)
    }
}
