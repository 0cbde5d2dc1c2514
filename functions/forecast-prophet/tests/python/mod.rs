//! Prophet for Python as a process, and what it is asked.

#[path = "../../../forecast/testing/recorded.rs"]
mod recorded;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use forecast::{Holiday, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use tallow_contract::Table;
use tallow_contract::forecast::{column, ds};

const DAY_US: i64 = 86_400_000_000;
const FIRST_DAY: i64 = 18_000;
const AHEAD: usize = 30;
const LEVEL: f64 = 0.8;

/// A series of days, with what the model knows about it.
#[derive(Clone)]
pub struct Case {
    pub name: &'static str,
    pub y: Vec<f64>,
    settings: Vec<(&'static str, &'static str)>,
    /// Floor and cap.
    bounds: Option<(f64, f64)>,
    holidays: Vec<(&'static str, i64, i32, i32)>,
    regressors: BTreeMap<&'static str, Vec<f64>>,
}

/// The last line of a job's answer.
#[derive(Deserialize)]
pub struct Answer {
    pub yhat: Vec<f64>,
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
    pub trend: Vec<f64>,
    pub k: f64,
    pub m: f64,
    pub sigma_obs: f64,
}

impl Case {
    pub fn new(name: &'static str, y: Vec<f64>) -> Self {
        Case { name, y, settings: vec![], bounds: None, holidays: vec![], regressors: BTreeMap::new() }
    }

    pub fn named(&self, name: &'static str) -> Self {
        Case { name, ..self.clone() }
    }

    pub fn set(mut self, name: &'static str, value: &'static str) -> Self {
        self.settings.push((name, value));
        self
    }

    pub fn between(mut self, floor: f64, cap: f64) -> Self {
        self.bounds = Some((floor, cap));
        self
    }

    /// Days are counted from the first one of the series.
    pub fn holidays(mut self, holidays: &[(&'static str, i64, i32, i32)]) -> Self {
        self.holidays = holidays.to_vec();
        self
    }

    /// One that is 0 or 1, and one of numbers.
    pub fn regressors(mut self) -> Self {
        let of = |value: fn(usize) -> f64| (0..self.y.len() + AHEAD).map(value).collect::<Vec<f64>>();
        self.regressors.insert("flag", of(|day| f64::from(u8::from(day % 11 == 0))));
        self.regressors.insert("wave", of(|day| 50.0 + 7.0 * (day as f64 / 40.0).sin()));
        self
    }

    fn times_us(count: usize) -> Vec<i64> {
        (0..count as i64).map(|day| (FIRST_DAY + day) * DAY_US).collect()
    }

    pub fn request(&self) -> Request {
        let table = |rows: usize, y: Option<&[f64]>| {
            let mut columns = vec![ds(&Self::times_us(rows))];
            columns.extend(y.map(|y| column("y", y.to_vec())));
            columns
                .extend(self.regressors.iter().map(|(name, values)| column(name, values[..rows].to_vec())));
            if let Some((floor, cap)) = self.bounds {
                columns.extend([column("floor", vec![floor; rows]), column("cap", vec![cap; rows])]);
            }
            Table { rows: rows as u32, columns }
        };
        let holiday = |(name, day, lower_days, upper_days): &(&str, i64, i32, i32)| Holiday {
            name: (*name).to_owned(),
            ds_us: (FIRST_DAY + day) * DAY_US,
            lower_days: *lower_days,
            upper_days: *upper_days,
        };
        Request {
            history: table(self.y.len(), Some(&self.y)),
            future: table(self.y.len() + AHEAD, None),
            regressors: self.regressors.keys().map(|name| (*name).to_owned()).collect(),
            holidays: self.holidays.iter().map(holiday).collect(),
            level: LEVEL,
            seed: 42,
            settings: self
                .settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    fn job(&self) -> Value {
        let holiday =
            |(name, day, lower, upper): &(&str, i64, i32, i32)| json!([name, FIRST_DAY + day, lower, upper]);
        json!({
            "ds": (0..self.y.len() as i64).map(|day| FIRST_DAY + day).collect::<Vec<_>>(),
            "y": self.y,
            "ahead": AHEAD,
            "level": LEVEL,
            "settings": self.settings.iter().map(|(name, value)| (name.replace('-', "_"), typed(value))).collect::<BTreeMap<_, _>>(),
            "floor": self.bounds.map(|(floor, _)| floor),
            "cap": self.bounds.map(|(_, cap)| cap),
            "holidays": self.holidays.iter().map(holiday).collect::<Vec<_>>(),
            "regressors": self.regressors,
        })
    }
}

/// As Prophet's constructor takes it.
fn typed(value: &str) -> Value {
    serde_json::from_str(value).unwrap_or_else(|_| Value::from(value))
}

pub struct Python {
    child: Child,
    jobs: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// `None`, and a line that says so, if there is no Prophet for Python. The build machine has one.
    pub fn find() -> Option<Self> {
        // Below the target folder, in which this test is `release/deps/NAME`.
        let running = std::env::current_exe().ok();
        let tools = running.and_then(|it| Some(it.ancestors().nth(3)?.join("tools/python/bin/python")));
        let named = std::env::var_os("TALLOW_TEST_PYTHON").map(PathBuf::from);
        let all = named.into_iter().chain(tools).chain([PathBuf::from("python3")]);
        let has = |python: &PathBuf| {
            let asked = Command::new(python).args(["-c", "import prophet, cmdstanpy"]).output();
            asked.is_ok_and(|output| output.status.success())
        };
        let Some(python) = all.into_iter().find(has) else {
            let why = "no Python with prophet: pip install prophet==1.5.0 cmdstanpy==1.3.2, and set TALLOW_TEST_PYTHON";
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{why}");
            eprintln!("skipped: fits beside Prophet for Python: {why}");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/ask.py");
        let mut child = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python answered before");
        let jobs = child.stdin.take().expect("it is piped");
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Some(Python { child, jobs, answers })
    }

    pub fn ask(&mut self, case: &Case) -> Answer {
        writeln!(self.jobs, "{}", case.job()).expect("Python runs");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("Python answers");
        serde_json::from_str(&line).unwrap_or_else(|why| panic!("{}: {why}: `{line}`", case.name))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It has nothing to finish.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Daily closes of BTCUSD, if the recordings are there.
pub fn recorded_closes() -> Option<Vec<f64>> {
    Some(recorded::closes("fits of recorded prices")?.into_iter().map(|(_, close)| close).collect())
}
