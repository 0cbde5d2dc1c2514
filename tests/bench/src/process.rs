//! Whole runs of the built program over a topic.

use std::fs;

use anyhow::{Context, Result, ensure};
use tallow_tests::{lake, tallow};
use tempfile::TempDir;

use crate::functions;
use crate::pairs::seconds;
use crate::topic::Topic;

/// What the program is to do; the rest are the manifest's defaults.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    pub fetch_clients: usize,
    /// How late a trade may be.
    pub delay: &'static str,
    /// Tumbling windows to make, such as `1m`.
    pub windows: &'static [&'static str],
}

/// One run, from the start of the process to its end.
#[derive(Debug)]
pub struct Run {
    pub seconds: f64,
    /// Of the process, user and system.
    pub cpu_seconds: f64,
    /// Records a second while it ran, by its own account; none where it ended too soon to give one.
    pub steady: Option<f64>,
    /// Candles by minute.
    pub candles: Vec<lake::Row>,
}

impl Job {
    /// Compiles the components into the cache, as a first run does once.
    pub fn check(&self, topic: &Topic<'_>) -> Result<()> {
        let folder = TempDir::with_prefix("tallow-bench-")?;
        let manifest = folder.path().join("spin.toml");
        fs::write(&manifest, self.manifest(topic)?)?;
        let finished = tallow::run(&["check".as_ref(), "-f".as_ref(), manifest.as_os_str()]);
        ensure!(finished.status.success(), "tallow check: {}\n{}", finished.stdout, finished.stderr);
        Ok(())
    }

    /// Takes the whole topic into an empty lake. An error where the candles do not hold every trade once.
    pub fn run(&self, topic: &Topic<'_>) -> Result<Run> {
        let folder = TempDir::with_prefix("tallow-bench-")?;
        let (manifest, tables) = (folder.path().join("spin.toml"), folder.path().join("lake"));
        fs::write(&manifest, self.manifest(topic)?)?;
        let arguments = [
            "up".as_ref(),
            "--available-now".as_ref(),
            "--close-all".as_ref(),
            "--json".as_ref(),
            "-f".as_ref(),
            manifest.as_os_str(),
            "--lake".as_ref(),
            tables.as_os_str(),
        ];
        let cpu_before = children_cpu_seconds()?;
        let (seconds, finished) = seconds(|| Ok(tallow::run(&arguments)))?;
        let cpu_seconds = children_cpu_seconds()? - cpu_before;
        ensure!(finished.status.success(), "tallow up: {}\n{}", finished.stdout, finished.stderr);
        let candles = lake::table(&tables, "speed/candles_1m");
        let trades = trades(&candles)?;
        ensure!(trades == topic.records, "the candles hold {trades} of {} trades", topic.records);
        Ok(Run { seconds, cpu_seconds, steady: steady(&finished.stdout), candles })
    }

    /// The checkout's `spin.toml` over this topic, with these windows.
    pub fn manifest(&self, topic: &Topic<'_>) -> Result<String> {
        let mut text = format!(
            r#"spin_manifest_version = 2
[application]
name = "bench"
[application.trigger.kafka]
brokers = "{brokers}"
lake = "lake"
[component.parse-market]
source = '{parse}'
[component.window]
source = '{window}'
[[trigger.kafka]]
id = "candles"
topic = "{topic}"
parse = "parse-market"
delay = "{delay}"
scales = {{ price = 8, quantity = 8 }}
fetch-clients = {clients}
"#,
            brokers = topic.kafka.bootstrap,
            parse = functions::file("parse-market")?.display(),
            window = functions::file("window")?.display(),
            topic = topic.name,
            delay = self.delay,
            clients = self.fetch_clients,
        );
        for window in self.windows {
            text.push_str(&format!(
                r#"[[trigger.kafka.windows]]
name = "{window}"
kinds = ["trade"]
tumbling = "{window}"
keys = ["symbol"]
ids = "id"
[trigger.kafka.windows.aggregates]
open = "first(price)"
high = "max(price)"
low = "min(price)"
close = "last(price)"
volume = "sum(quantity)"
quote_volume = "sum_product(price, quantity)"
trades = "count()"
"#
            ));
        }
        Ok(text)
    }
}

/// Trades that candles hold, all together.
pub fn trades<'a>(candles: impl IntoIterator<Item = &'a lake::Row>) -> Result<u64> {
    let count = |candle: &lake::Row| {
        let cell = candle.get("trades").context("a candle without `trades`")?;
        cell.parse::<u64>().with_context(|| format!("`trades` is `{cell}`"))
    };
    candles.into_iter().map(count).sum()
}

/// The largest of the rates that the program gave on its way.
fn steady(stdout: &str) -> Option<f64> {
    let lines = stdout.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines.filter_map(|line| line["records_per_s"].as_f64()).max_by(f64::total_cmp)
}

/// CPU time of children that have ended and were waited for, from `/proc` (Linux counts in hundredths).
fn children_cpu_seconds() -> Result<f64> {
    let stat =
        fs::read_to_string("/proc/self/stat").context("CPU time is read from /proc, as Linux has it")?;
    // The name of the program, in parentheses, may itself hold spaces and parentheses.
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let ticks = fields.skip(13).take(2).map(|ticks| Ok(ticks.parse::<u64>()?));
    Ok(ticks.sum::<Result<u64>>()? as f64 / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steady_rate_is_the_largest_that_was_given() {
        let said = "{\"progress\":\"a\",\"records_per_s\":5.0}\nnot json\n{\"progress\":\"a\",\"records_per_s\":7.5}\n";
        assert_eq!(steady(said), Some(7.5));
        assert_eq!(steady("{\"summary\":\"a\"}\n"), None);
    }
}
