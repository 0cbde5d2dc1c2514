//! What the flags of `tallow forecast` say of a forecast, and the manifest that they stand for without one.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};
use tallow_manifest::{Forecast, Manifest};

use super::Args;
use crate::cli::{Failure, settings};

/// What results are called where the command line names nothing.
const UNNAMED: &str = "series";

/// What the command line says about a forecast, in place of the manifest.
#[derive(clap::Args)]
pub struct Job {
    /// Table of the lake that holds the series: serving/NAME, prophet_input/NAME or batch/NAME
    #[arg(long, value_name = "TABLE", conflicts_with = "input")]
    table: Option<String>,
    /// Column to forecast; otherwise close
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// Time between the rows that are forecast; otherwise 1d
    #[arg(long, value_name = "DURATION")]
    step: Option<String>,
    /// Steps to forecast; otherwise 30
    #[arg(long, value_name = "STEPS")]
    horizon: Option<i64>,
    /// Forecast function; otherwise forecast-prophet
    #[arg(long, value_name = "NAME")]
    function: Option<String>,
    /// A setting of the function; may be given more than once
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Values of a setting to choose from, as NAME=VALUE,VALUE; may be given more than once
    #[arg(long, value_name = "NAME=VALUES")]
    grid: Vec<String>,
    /// Cuts at which the forecast is judged; otherwise 12
    #[arg(long, value_name = "NUMBER")]
    folds: Option<i64>,
    /// Cuts before these at which the grid is tried; otherwise 4
    #[arg(long, value_name = "NUMBER")]
    choose_folds: Option<i64>,
    /// Rows between cuts; otherwise the horizon
    #[arg(long, value_name = "ROWS")]
    spacing: Option<i64>,
    /// Rows before a cut that are learnt from; otherwise all
    #[arg(long, value_name = "ROWS")]
    train: Option<i64>,
    /// Moving average over so many rows as a regressor; may be given more than once
    #[arg(long, value_name = "ROWS")]
    average: Vec<i64>,
    /// Days that share an effect, as NAME=DAY,DAY or, with days around each, NAME=DAY,DAY/DAYS; may be given more than once
    #[arg(long, value_name = "NAME=DAYS")]
    holiday: Vec<String>,
    /// Forecast the logarithm
    #[arg(long)]
    logarithm: bool,
    /// How far the series can grow, with --set growth=logistic
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    cap: Option<f64>,
    /// What the series cannot fall below, with --cap
    #[arg(long, value_name = "NUMBER", requires = "cap", allow_negative_numbers = true)]
    floor: Option<f64>,
    /// Share of outcomes that the band is to hold; otherwise 0.8
    #[arg(long, value_name = "SHARE")]
    level: Option<f64>,
    /// Where the function's generator starts; otherwise 42
    #[arg(long, value_name = "NUMBER")]
    seed: Option<i64>,
    /// Compute figures with leaks, too, as others report them
    #[arg(long)]
    leaked: bool,
}

impl Args {
    /// The manifest, and the forecast with what the flags change of it.
    pub fn manifest(&self) -> Result<(Manifest, Forecast), Failure> {
        let job = self.job.keys()?;
        if !self.input.is_empty() || self.job.table.is_some() {
            let name = self.name.as_deref().unwrap_or(UNNAMED);
            let manifest = self.alone(name, job)?;
            let forecast =
                settings::named(&manifest, "forecast", &manifest.forecasts, |it| &it.name, name)?.clone();
            return Ok((manifest, forecast));
        }
        let manifest = self.settings.load()?;
        let name = self.name.as_deref().unwrap_or(UNNAMED);
        let mut forecast =
            settings::named(&manifest, "forecast", &manifest.forecasts, |it| &it.name, name)?.clone();
        let changed: Vec<String> = job.keys().cloned().collect();
        let flags = self.alone(name, job)?;
        if let Some(flags) = flags.forecasts.into_iter().next() {
            changed.iter().for_each(|key| change(&mut forecast, key, &flags));
        }
        Ok((manifest, forecast))
    }

    /// A manifest of this forecast alone, and of a batch that reads its files.
    fn alone(&self, name: &str, job: Map<String, Value>) -> Result<Manifest, Failure> {
        let step = job.get("step").cloned().unwrap_or_else(|| json!("1d"));
        let mut batch = json!({ "input": self.input, "tumbling": step, "fill": false, "averages": {} });
        for (key, value) in [("symbol", &self.symbol), ("symbol-from", &self.symbol_from)] {
            if let Some(value) = value {
                batch[key] = json!(value);
            }
        }
        if let Some(columns) = &self.columns {
            batch["parse-settings"] = json!({ "columns": columns });
        }
        let batch = (!self.input.is_empty()).then_some(batch);
        self.settings.one_forecast(name, job, batch, Path::new("the command line"))
    }
}

impl Job {
    /// The keys of a forecast's table that the flags give.
    fn keys(&self) -> Result<Map<String, Value>, Failure> {
        let mut keys = Map::new();
        let texts = [
            ("table", &self.table),
            ("column", &self.column),
            ("step", &self.step),
            ("function", &self.function),
        ];
        let numbers = [
            ("horizon", self.horizon),
            ("folds", self.folds),
            ("choose-folds", self.choose_folds),
            ("spacing", self.spacing),
            ("train", self.train),
            ("seed", self.seed),
        ];
        let given = texts.into_iter().filter_map(|(key, value)| Some((key, json!(value.as_ref()?))));
        let given = given.chain(numbers.into_iter().filter_map(|(key, value)| Some((key, json!(value?)))));
        keys.extend(given.map(|(key, value)| (key.to_owned(), value)));
        let mut put = |key: &str, value: Value| _ = keys.insert(key.to_owned(), value);
        for (key, number) in [("level", self.level), ("cap", self.cap), ("floor", self.floor)] {
            number.into_iter().for_each(|number| put(key, json!(number)));
        }
        [("log", self.logarithm), ("leaked", self.leaked)]
            .iter()
            .filter(|(_, yes)| *yes)
            .for_each(|(key, _)| put(key, json!(true)));
        if !self.average.is_empty() {
            put("averages", json!(self.average));
        }
        if !self.set.is_empty() {
            let pairs = self.set.iter().map(|text| pair("--set", text));
            put("settings", json!(pairs.collect::<Result<BTreeMap<&str, &str>, Failure>>()?));
        }
        if !self.grid.is_empty() {
            let mut grid = Map::new();
            for text in &self.grid {
                let (name, values) = pair("--grid", text)?;
                grid.insert(name.to_owned(), json!(values.split(',').collect::<Vec<_>>()));
            }
            put("grid", grid.into());
        }
        if !self.holiday.is_empty() {
            let mut holidays = Map::new();
            for text in &self.holiday {
                let (name, days) = pair("--holiday", text)?;
                let (days, around) = days.split_once('/').unwrap_or((days, "0"));
                let wrong = |_| Failure::usage(format!("--holiday {text}: after `/` comes a number of days"));
                let around: u32 = around.parse().map_err(wrong)?;
                let days: Vec<&str> = days.split(',').collect();
                holidays.insert(name.to_owned(), json!({ "days": days, "before": around, "after": around }));
            }
            put("holidays", holidays.into());
        }
        Ok(keys)
    }
}

fn pair<'t>(flag: &str, text: &'t str) -> Result<(&'t str, &'t str), Failure> {
    let form = || Failure::usage(format!("{flag} {text}: write it as NAME=VALUE"));
    text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(form)
}

/// Takes a key from the flags.
fn change(forecast: &mut Forecast, key: &str, flags: &Forecast) {
    match key {
        "column" => forecast.column.clone_from(&flags.column),
        "step" => forecast.step_us = flags.step_us,
        "function" => forecast.function.clone_from(&flags.function),
        "horizon" => forecast.horizon = flags.horizon,
        "folds" => forecast.folds = flags.folds,
        "choose-folds" => forecast.choose_folds = flags.choose_folds,
        "spacing" => forecast.spacing = flags.spacing,
        "train" => forecast.train = flags.train,
        "seed" => forecast.seed = flags.seed,
        "level" => forecast.level = flags.level,
        "cap" => forecast.cap = flags.cap,
        "floor" => forecast.floor = flags.floor,
        "log" => forecast.log = true,
        "leaked" => forecast.leaked = true,
        "averages" => forecast.averages.clone_from(&flags.averages),
        "settings" => forecast.settings.extend(flags.settings.clone()),
        "grid" => forecast.grid.clone_from(&flags.grid),
        "holidays" => forecast.holidays.clone_from(&flags.holidays),
        _ => {}
    }
}
