//! How earlier forecasts compare with what came: each step that has closed since, beside the newest forecast that was made
//! before it.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use serde::Serialize;
use tallow_lake::forecast as paths;
use tallow_store::Store;
use tallow_table::file;

use crate::error::ForecastError;
use crate::input::Input;
use crate::runs;
use crate::series::Series;

/// Newest runs that are looked at.
const MOST_RUNS: usize = 60;

/// The error of a symbol's earlier forecasts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Running {
    pub symbol: String,
    /// Steps that were forecast and have closed.
    pub rows: usize,
    /// Start of the newest of them, µs since 1970-01-01 UTC.
    pub newest_us: i64,
    /// How many of them lay in the band.
    pub inside: usize,
    /// Mean of |y - yhat| / |y|, in percent; `None` if a value is 0.
    pub mape: Option<f64>,
    /// The same of the last value that each forecast knew.
    pub last_value_mape: Option<f64>,
}

/// A step ahead of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    yhat: f64,
    lower: f64,
    upper: f64,
    /// The last value that the run knew.
    last: f64,
}

/// The errors of the forecast `name`, by symbol; symbols of which nothing that was forecast has closed are left out.
pub fn errors(
    store: &Store,
    name: &str,
    inputs: &[Input],
    step_us: i64,
) -> Result<Vec<Running>, ForecastError> {
    let runs = runs::list(store, name)?;
    let newest = &runs[runs.len().saturating_sub(MOST_RUNS)..];
    let mut all = Vec::new();
    for input in inputs {
        // By time; a later run knew more.
        let mut steps: BTreeMap<i64, Step> = BTreeMap::new();
        for run in newest.iter().filter(|run| run.symbols.contains_key(&input.symbol)) {
            let path = paths::file(name, run.results, &input.symbol, "forecast.parquet");
            if let Some(content) = file::read(store, &path)? {
                ahead(&content.rows, &mut steps).map_err(ForecastError::input(&store.at(&path)))?;
            }
        }
        let known = Series::closes(&input.points, step_us);
        all.extend(compare(&input.symbol, &steps, &known));
    }
    Ok(all)
}

/// Takes the steps ahead of a run's forecast.
fn ahead(rows: &RecordBatch, steps: &mut BTreeMap<i64, Step>) -> Result<(), String> {
    let column = |name: &str| rows.column_by_name(name).ok_or_else(|| format!("it has no column `{name}`"));
    let doubles = |name: &str| {
        column(name)?.as_primitive_opt::<Float64Type>().ok_or_else(|| format!("`{name}` is not of doubles"))
    };
    let times = column("ds")?.as_primitive_opt::<TimestampMicrosecondType>().ok_or("`ds` is not of times")?;
    let step = column("step")?.as_primitive_opt::<Int64Type>().ok_or("`step` is not of integers")?;
    let (y, yhat, lower, upper) =
        (doubles("y")?, doubles("yhat")?, doubles("yhat_lower")?, doubles("yhat_upper")?);
    let mut last = f64::NAN;
    for row in 0..rows.num_rows() {
        if step.value(row) > 0 {
            let it = Step { yhat: yhat.value(row), lower: lower.value(row), upper: upper.value(row), last };
            steps.insert(times.value(row), it);
        } else if y.is_valid(row) {
            last = y.value(row);
        }
    }
    Ok(())
}

fn compare(symbol: &str, steps: &BTreeMap<i64, Step>, known: &BTreeMap<i64, f64>) -> Option<Running> {
    let pairs: Vec<(f64, Step)> =
        steps.iter().filter_map(|(time_us, step)| Some((*known.get(time_us)?, *step))).collect();
    let newest_us = steps.keys().rev().find(|time_us| known.contains_key(time_us))?;
    let mape = |of: fn(&Step) -> f64| {
        let shares = pairs.iter().map(|(y, step)| (y - of(step)).abs() / y.abs());
        Some(100.0 * shares.sum::<f64>() / pairs.len() as f64).filter(|it| it.is_finite())
    };
    Some(Running {
        symbol: symbol.to_owned(),
        rows: pairs.len(),
        newest_us: *newest_us,
        inside: pairs.iter().filter(|(y, step)| step.lower <= *y && *y <= step.upper).count(),
        mape: mape(|step| step.yhat),
        last_value_mape: mape(|step| step.last),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_held_beside_the_forecast_and_the_last_value() {
        let step = |yhat: f64| Step { yhat, lower: yhat - 5.0, upper: yhat + 5.0, last: 90.0 };
        let steps = BTreeMap::from([(1, step(98.0)), (2, step(120.0)), (3, step(0.0))]);
        let running = compare("A", &steps, &BTreeMap::from([(0, 90.0), (1, 100.0), (2, 100.0)])).unwrap();
        assert_eq!((running.rows, running.newest_us, running.inside), (2, 2, 1));
        assert_eq!((running.mape, running.last_value_mape), (Some(11.0), Some(10.0)));
        assert_eq!(compare("A", &steps, &BTreeMap::from([(9, 1.0)])), None);
        assert_eq!(compare("A", &steps, &BTreeMap::from([(1, 0.0)])).unwrap().mape, None);
    }
}
