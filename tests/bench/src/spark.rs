//! The same job by Spark Structured Streaming over the same topic, in turn with tallow.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use tallow_tests::{kafka::Kafka, lake, paths};
use tempfile::TempDir;

use crate::pairs::{Pairs, median};
use crate::process::{Job, trades};
use crate::report::Measure;
use crate::topic::Topic;

const PAIRS: usize = 2;
/// How many times faster tallow is to be.
const REACH_RATIO: f64 = 5.0;
const PYTHON: &str = "TALLOW_BENCH_PYTHON";

/// What `spark.py` prints at its end.
#[derive(Debug, Deserialize)]
struct Answer {
    /// From the start of the query to its end, without the start of the JVM.
    seconds: f64,
    trades: u64,
    /// The newest candle's end, as the lake's rows write it.
    last_window_end: String,
}

/// The Python that has Spark, or what to do where there is none.
pub fn python() -> Result<String, String> {
    let python = std::env::var(PYTHON).unwrap_or_else(|_| "python3".to_owned());
    let asked = Command::new(&python).args(["-c", "import pyspark"]).output();
    match asked {
        Ok(output) if output.status.success() => Ok(python),
        _ => Err(format!(
            "{python} has no pyspark: python3 -m venv spark && spark/bin/pip install pyspark==3.5.3, then set \
             {PYTHON}=spark/bin/python"
        )),
    }
}

pub fn run(kafka: &Kafka, python: &str, records: u64, measures: &mut Vec<Measure>) -> Result<()> {
    eprintln!("spark: filling a topic with {records} trades");
    let topic = Topic::fill(kafka, records)?;
    let job = Job { fetch_clients: 1, delay: "10s", windows: &["1m"] };
    job.check(&topic)?;
    let count = topic.records as f64;
    let candles = std::cell::RefCell::new(Vec::new());
    let pairs = Pairs::measure(
        PAIRS,
        || {
            let run = job.run(&topic)?;
            eprintln!("  tallow: {:.2} s", run.seconds);
            candles.replace(run.candles);
            Ok(count / run.seconds)
        },
        || {
            let answer = query(python, &topic)?;
            eprintln!("  spark: {:.2} s", answer.seconds);
            agree(&answer, &candles.borrow())?;
            Ok(count / answer.seconds)
        },
    )?;
    measures.extend([
        Measure::new("spark: tallow", median(pairs.a.clone()), "records/s"),
        Measure::new("spark: spark", median(pairs.b.clone()), "records/s"),
        Measure::new("spark: tallow / spark", pairs.ratio(), "times").reach(REACH_RATIO),
    ]);
    Ok(())
}

fn query(python: &str, topic: &Topic<'_>) -> Result<Answer> {
    let folder = TempDir::with_prefix("tallow-bench-spark-")?;
    let script = paths::root().join("tests/bench/spark.py");
    let output = Command::new(python)
        .args([script.as_path(), Path::new(&topic.kafka.bootstrap), Path::new(&topic.name), folder.path()])
        .output()
        .with_context(|| format!("cannot run {python}"))?;
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{}: {errors}", script.display());
    let last = said.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| format!("{} printed `{last}`", script.display()))
}

/// Spark leaves the windows open that its watermark has not passed. Those that it closed hold the trades that
/// tallow's candles hold.
fn agree(answer: &Answer, candles: &[lake::Row]) -> Result<()> {
    let closed = candles.iter().filter(|candle| {
        candle.get("window_end").is_some_and(|end| !end.is_empty() && *end <= answer.last_window_end)
    });
    let expected = trades(closed)?;
    ensure!(expected == answer.trades, "Spark's candles hold {} trades, tallow's {expected}", answer.trades);
    Ok(())
}
