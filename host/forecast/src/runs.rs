//! The runs of a forecast: numbered, listed, restored. A run is one once it has a record; until then its folder belongs to
//! the plan that was first written there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tallow_lake::forecast as paths;
use tallow_store::{Create, Digest, Store};

use crate::error::ForecastError;
use crate::results::pretty;

/// What a run's record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    pub run: u64,
    /// The run whose results these are; another one where this one restores it.
    pub results: u64,
    /// What the results follow from: settings, functions, series.
    pub address: Digest,
    pub function: String,
    /// The first symbol's.
    pub verdict: String,
    /// Symbols with results, each with its verdict.
    pub symbols: BTreeMap<String, String>,
    /// Symbols without, each with the reason.
    pub left_out: BTreeMap<String, String>,
}

/// The runs of the forecast `name`, by number.
pub fn list(store: &Store, name: &str) -> Result<Vec<RunRecord>, ForecastError> {
    let mut runs = Vec::new();
    for (path, _) in store.list(&paths::runs(name))? {
        let Some(number) = paths::number_of(name, &path) else { continue };
        let Some(bytes) = store.get(&path)? else { continue };
        let record: RunRecord =
            serde_json::from_slice(&bytes).map_err(ForecastError::input(&store.at(&path)))?;
        if record.run == number {
            runs.push(record);
        }
    }
    runs.sort_by_key(|record| record.run);
    Ok(runs)
}

/// Makes a run the newest one again.
pub fn restore(store: &Store, name: &str, run: u64) -> Result<RunRecord, ForecastError> {
    let runs = list(store, name)?;
    let Some(found) = runs.iter().find(|record| record.run == run) else {
        let there: Vec<String> = runs.iter().map(|record| record.run.to_string()).collect();
        let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
        return Err(ForecastError::NoRun { run, there });
    };
    let newest = runs.iter().map(|record| record.run).max().unwrap_or(0);
    let mut number = newest + 1;
    loop {
        let record = RunRecord { run: number, ..found.clone() };
        let plan = pretty(&serde_json::json!({ "restores": found.results, "run": number }));
        // A number that another process has taken, or that a killed run has left, is passed by.
        let ours = store.create(&paths::plan(name, number), plan)? == Create::Created;
        if ours && write_record(store, name, &record)? {
            return Ok(record);
        }
        number += 1;
    }
}

/// False where another record is there.
pub fn write_record(store: &Store, name: &str, record: &RunRecord) -> Result<bool, ForecastError> {
    let path = paths::record(name, record.run);
    let bytes = serde_json::to_value(record).map_err(ForecastError::unwritable(&path))?;
    Ok(store.create(&path, pretty(&bytes))? == Create::Created)
}

/// The number for a plan: the first after the newest run's that nobody else has. With it, numbers before it that were
/// begun from other plans and never finished.
pub fn claim(
    store: &Store,
    name: &str,
    runs: &[RunRecord],
    plan: &Value,
) -> Result<(u64, Vec<u64>), ForecastError> {
    let mut number = runs.iter().map(|record| record.run).max().unwrap_or(0) + 1;
    let mut unfinished = Vec::new();
    loop {
        if store.create(&paths::plan(name, number), pretty(plan))? == Create::Created {
            return Ok((number, unfinished));
        }
        unfinished.push(number);
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(run: u64, address: &str) -> RunRecord {
        RunRecord {
            run,
            results: run,
            address: Digest::of(address.as_bytes()),
            function: "forecast-naive".into(),
            verdict: "x".into(),
            symbols: BTreeMap::new(),
            left_out: BTreeMap::new(),
        }
    }

    #[test]
    fn a_killed_runs_number_is_its_own_plans_alone() {
        let store = Store::memory().unwrap();
        let (one, other) = (json!({ "plan": 1 }), json!({ "plan": 2 }));
        assert_eq!(claim(&store, "d", &[], &one).unwrap(), (1, vec![]));
        assert_eq!(claim(&store, "d", &[], &one).unwrap(), (1, vec![]), "after a kill");
        assert_eq!(claim(&store, "d", &[], &other).unwrap(), (2, vec![1]));
        assert_eq!(list(&store, "d").unwrap(), []);
        assert!(write_record(&store, "d", &record(2, "b")).unwrap());
        assert!(!write_record(&store, "d", &record(2, "c")).unwrap(), "another one is there");
        let runs = list(&store, "d").unwrap();
        assert_eq!(runs, [record(2, "b")]);
        assert_eq!(claim(&store, "d", &runs, &one).unwrap(), (3, vec![]));
    }

    #[test]
    fn a_restored_run_is_the_newest_and_points_to_its_results() {
        let store = Store::memory().unwrap();
        for run in [1, 2] {
            write_record(&store, "d", &record(run, &run.to_string())).unwrap();
        }
        claim(&store, "d", &list(&store, "d").unwrap(), &json!("killed")).unwrap();
        let restored = restore(&store, "d", 1).unwrap();
        assert_eq!((restored.run, restored.results), (4, 1), "3 was begun and not finished");
        let again = restore(&store, "d", 4).unwrap();
        assert_eq!((again.run, again.results), (5, 1));
        assert_eq!(list(&store, "d").unwrap().len(), 4);
        let error = restore(&store, "d", 9).unwrap_err().to_string();
        assert_eq!(error, "there is no run 9; there are: 1, 2, 4, 5");
    }
}
