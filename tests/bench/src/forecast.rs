//! Prophet's fit and forecast in the sandbox, in turn with Prophet for Python on the same days.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::json;
use tallow_contract::Table;
use tallow_contract::forecast::{Request, column, ds, known};
use tallow_engine::{Component, Contract, ForecastFunction, Limits, Runtime};
use tallow_tests::{lake, paths};
use tempfile::TempDir;

use crate::batch;
use crate::functions;
use crate::pairs::{Pairs, median, seconds};
use crate::report::Measure;

const PAIRS: usize = 5;
/// As `tallow forecast` gives.
const DEADLINE: Duration = Duration::from_secs(600);
const HORIZON_DAYS: usize = 30;
const DAY_US: i64 = 86_400_000_000;
/// Three years, as in a backtest, and a whole history.
const LENGTHS: [usize; 2] = [1_095, 5_152];
/// How much longer than Python a fit may take.
const REACH_RATIO: f64 = 1.2;
const AIM_RATIO: f64 = 0.8;
/// How far apart the forecasts may be, as a share of the largest value.
const MOST_APART: f64 = 0.02;

pub fn run(measures: &mut Vec<Measure>) -> Result<()> {
    let python = match batch::python("prophet") {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: forecast: {why}");
            return Ok(());
        }
    };
    let runtime = Runtime::new(None)?;
    let component = functions::component(&runtime, "forecast-prophet", Contract::Forecast)?;
    let mut python = Python::start(&python)?;
    for length in LENGTHS {
        eprintln!("forecast: {length} days, {PAIRS} pairs");
        let days = Days::new(length);
        let folder = TempDir::with_prefix("tallow-bench-forecast-")?;
        let file = folder.path().join("days.csv");
        fs::write(&file, days.csv())?;
        let ours = std::cell::RefCell::new(Vec::new());
        let pairs = Pairs::measure(
            PAIRS,
            || {
                let (seconds, yhat) = seconds(|| forecast(&component, &days))?;
                eprintln!("  tallow: {seconds:.3} s");
                ours.replace(yhat);
                Ok(seconds)
            },
            || {
                let answer = python.forecast(&file)?;
                eprintln!("  python: {:.3} s", answer.seconds);
                agree(&ours.borrow(), &answer.yhat, days.largest())?;
                Ok(answer.seconds)
            },
        )?;
        let name = |what: &str| format!("forecast, {length} days: {what}");
        measures.extend([
            Measure::new(name("tallow"), median(pairs.a.clone()), "s").at_most(),
            Measure::new(name("Prophet for Python"), median(pairs.b.clone()), "s").at_most(),
            Measure::new(name("tallow / Python"), pairs.ratio(), "times")
                .reach(REACH_RATIO)
                .at_most()
                .aim(AIM_RATIO),
        ]);
    }
    Ok(())
}

/// Fit, forecast of history and horizon, and intervals, in a new instance: what a fold of a backtest costs.
fn forecast(component: &Component, days: &Days) -> Result<Vec<f64>> {
    let limits = Limits { deadline: DEADLINE, ..Limits::default() };
    let mut function = ForecastFunction::new(component, limits)?;
    let outcome = function.forecast(&days.request())?;
    let yhat = known(&outcome.forecast, "yhat")?;
    ensure!(yhat.len() == days.y.len() + HORIZON_DAYS, "{} rows came back", yhat.len());
    Ok(yhat[days.y.len()..].to_vec())
}

fn agree(ours: &[f64], theirs: &[f64], largest: f64) -> Result<()> {
    ensure!(ours.len() == theirs.len(), "{} days, Python has {}", ours.len(), theirs.len());
    let apart = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / largest).fold(0.0, f64::max);
    ensure!(apart <= MOST_APART, "the forecasts differ by {:.2} % of the largest value", 100.0 * apart);
    Ok(())
}

/// A made-up price, by day: a walk of logarithms with weeks and years in it.
pub struct Days {
    y: Vec<f64>,
}

impl Days {
    pub fn new(count: usize) -> Self {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        // A sum of twelve uniform numbers is near enough to a normal one.
        let mut normal = || {
            let uniform = |_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 11) as f64 / (1_u64 << 53) as f64
            };
            (0..12).map(uniform).sum::<f64>() - 6.0
        };
        let mut walk = 6.0;
        let day = |day: usize| {
            walk += 0.0008 + 0.03 * normal();
            let season = 0.05 * (day as f64 / 365.25 * std::f64::consts::TAU).sin()
                + 0.01 * (day as f64 / 7.0 * std::f64::consts::TAU).cos();
            (walk + season).exp()
        };
        Days { y: (0..count).map(day).collect() }
    }

    fn largest(&self) -> f64 {
        self.y.iter().copied().fold(0.0, f64::max)
    }

    fn times_us(count: usize) -> Vec<i64> {
        // 2011-08-18.
        (0..count as i64).map(|day| 1_313_625_600_000_000 + day * DAY_US).collect()
    }

    fn request(&self) -> Request {
        let history = Self::times_us(self.y.len());
        let future = Self::times_us(self.y.len() + HORIZON_DAYS);
        Request {
            history: Table {
                rows: history.len() as u32,
                columns: vec![ds(&history), column("y", self.y.clone())],
            },
            future: Table { rows: future.len() as u32, columns: vec![ds(&future)] },
            level: 0.8,
            ..Request::default()
        }
    }

    /// `ds,y`.
    pub fn csv(&self) -> String {
        let row = |(time_us, y)| format!("{},{y}\n", &lake::time(time_us)[..10]);
        let rows = Self::times_us(self.y.len()).into_iter().zip(&self.y).map(row);
        std::iter::once("ds,y\n".to_owned()).chain(rows).collect()
    }

    /// As an exchange's klines.
    pub fn klines(&self) -> String {
        let row = |(time_us, y): (i64, &f64)| format!("{},{y},{y},{y},{y},1\n", time_us / 1_000);
        let rows = Self::times_us(self.y.len()).into_iter().zip(&self.y).map(row);
        std::iter::once("open_time,open,high,low,close,volume\n".to_owned()).chain(rows).collect()
    }
}

/// Python with Prophet, started once.
struct Python {
    child: Child,
    jobs: ChildStdin,
    answers: BufReader<ChildStdout>,
}

#[derive(Deserialize)]
struct Answer {
    seconds: f64,
    yhat: Vec<f64>,
}

impl Python {
    fn start(python: &str) -> Result<Self> {
        let script = paths::root().join("tests/bench/forecast.py");
        let mut child = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {python}"))?;
        let jobs = child.stdin.take().context("no standard input")?;
        let answers = BufReader::new(child.stdout.take().context("no standard output")?);
        Ok(Python { child, jobs, answers })
    }

    fn forecast(&mut self, file: &Path) -> Result<Answer> {
        let job = json!({ "file": file, "horizon": HORIZON_DAYS, "settings": {} });
        writeln!(self.jobs, "{job}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("forecast.py printed `{line}`"))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It has nothing to finish.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
