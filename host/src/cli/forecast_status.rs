//! What `tallow status` shows about a forecast.

use serde_json::{Value, json};
use tallow_forecast::running::{self, Running};
use tallow_forecast::{ForecastError, RunRecord, input, runs};
use tallow_lake::forecast as paths;
use tallow_manifest::Forecast;
use tallow_store::Store;

use super::compose::table_of;
use super::report::{counted, grouped, time};
use super::table::{indented, table};

/// Runs that are listed.
const RUNS_SHOWN: usize = 5;

/// What is known about a forecast.
pub struct Status {
    forecast: Forecast,
    runs: Vec<RunRecord>,
    /// How earlier runs compare with what came; why that is not known.
    running: Result<Vec<Running>, String>,
}

impl Status {
    pub fn of(store: &Store, forecast: &Forecast) -> Result<Self, ForecastError> {
        let runs = runs::list(store, &forecast.name)?;
        let running = match runs.is_empty() {
            true => Ok(Vec::new()),
            false => input::of_table(store, &table_of(forecast), &forecast.column)
                .and_then(|inputs| running::errors(store, &forecast.name, &inputs, forecast.step_us as i64))
                .map_err(|error| error.to_string()),
        };
        Ok(Self { forecast: forecast.clone(), runs, running })
    }

    pub fn print(&self, store: &Store) {
        let name = &self.forecast.name;
        let Some(newest) = self.runs.last() else {
            println!("{name}: not forecast yet in {}", store.url());
            return;
        };
        println!("{name}: forecast, run {} in {}", newest.run, store.at(&paths::run(name, newest.results)));
        println!("  verdict    {}", newest.verdict);
        for (symbol, why) in &newest.left_out {
            println!("  left out   {symbol}: {why}");
        }
        match &self.running {
            Err(why) => println!("  since      not known: {why}"),
            Ok(running) if running.is_empty() => {
                println!("  since      nothing that was forecast has closed yet")
            }
            Ok(running) => print_running(running),
        }
        let mut table = table(&["run", "results of", "symbols"]);
        for run in self.runs.iter().rev().take(RUNS_SHOWN) {
            let of = if run.results == run.run { String::new() } else { format!("run {}", run.results) };
            table.add_row([run.run.to_string(), of, grouped(run.symbols.len() as u64)]);
        }
        println!("{}", indented(&table));
        if self.runs.len() > RUNS_SHOWN {
            println!("  {} in all: `tallow forecast {name} --list`", counted(self.runs.len() as u64, "run"));
        }
    }

    pub fn as_json(&self) -> Value {
        let newest = self.runs.last();
        json!({
            "forecast": self.forecast.name,
            "run": newest.map(|run| run.run),
            "verdict": newest.map(|run| &run.verdict),
            "left_out": newest.map(|run| &run.left_out),
            "since": self.running.as_ref().ok(),
            "since_unknown": self.running.as_ref().err(),
        })
    }
}

fn print_running(running: &[Running]) {
    let share = |value: Option<f64>| value.map_or("-".to_owned(), |it| format!("{it:.2}"));
    let mut table = table(&["symbol", "came since", "newest", "in the band", "MAPE %", "last value's"]);
    for it in running {
        table.add_row([
            it.symbol.clone(),
            grouped(it.rows as u64),
            time(it.newest_us),
            grouped(it.inside as u64),
            share(it.mape),
            share(it.last_value_mape),
        ]);
    }
    println!("{}", indented(&table));
}
