//! The contract `tallow:forecast` around [`crate::model`]. It need not be changed.

wit_bindgen::generate!({
    path: ["wit/types", "wit/forecast"],
    world: "tallow:forecast/forecast-function",
    generate_all,
});

use std::collections::BTreeMap;

use exports::tallow::forecast::forecast as contract;
use tallow::types::types::{Column, ColumnData, Table};

use crate::model::{self, Series};

struct Component;

export!(Component);

impl contract::Guest for Component {
    fn describe() -> contract::Description {
        let setting = |(name, default, meaning): (&str, &str, &str)| contract::Setting {
            name: name.to_owned(),
            default: default.to_owned(),
            meaning: meaning.to_owned(),
        };
        contract::Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            settings: model::SETTINGS.map(setting).into(),
            regressors: false,
            holidays: false,
            least_rows: model::LEAST_ROWS,
        }
    }

    fn forecast(request: contract::Request) -> Result<contract::Outcome, String> {
        check(&request)?;
        let history_us = times_us(&request.history, "the history")?;
        let future_us = times_us(&request.future, "the future")?;
        let y = values(&request.history)?;
        let found = y.iter().flatten().count();
        if found < (model::LEAST_ROWS.max(1)) as usize {
            let least = model::LEAST_ROWS;
            return Err(format!("the history has {found} rows with a `y`, and at least {least} are needed"));
        }
        let step_us = commonest_step_us(history_us);
        let first_us = history_us.first().copied().unwrap_or_default();
        let step = |time_us: &i64| {
            (i128::from(*time_us) - i128::from(first_us)).div_euclid(i128::from(step_us)) as i64
        };
        let known = history_us.iter().zip(&y).filter_map(|(time_us, y)| Some((step(time_us), (*y)?)));
        let (steps, y): (Vec<i64>, Vec<f64>) = known.unzip();
        let future_steps: Vec<i64> = future_us.iter().map(step).collect();
        let setting = |name: &str| {
            let given =
                request.settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            let default = model::SETTINGS.iter().find(|(known, ..)| *known == name).map(|it| it.1.to_owned());
            given.or(default).unwrap_or_default()
        };
        let (expected, notes) = model::forecast(&Series { steps, y }, &future_steps, setting)?;
        outcome(future_us, &expected, request.level, notes)
    }
}

fn check(request: &contract::Request) -> Result<(), String> {
    if !(request.level > 0.0 && request.level < 1.0) {
        return Err(format!("`level` is {}: a number between 0 and 1 is needed", request.level));
    }
    if !request.regressors.is_empty() || !request.holidays.is_empty() {
        return Err("regressors and holidays are not taken: leave them out".to_owned());
    }
    for (index, (name, _)) in request.settings.iter().enumerate() {
        if !model::SETTINGS.iter().any(|(known, ..)| known == name) {
            let known = model::SETTINGS.map(|(known, ..)| known).join("`, `");
            return Err(format!("there is no setting `{}`; there are: `{known}`", name.escape_debug()));
        }
        if request.settings[..index].iter().any(|(before, _)| before == name) {
            return Err(format!("the setting `{name}` is there twice"));
        }
    }
    Ok(())
}

fn column<'a>(table: &'a Table, name: &str) -> Result<&'a Column, String> {
    table
        .columns
        .iter()
        .find(|column| column.name == name)
        .ok_or_else(|| format!("there is no column `{name}`"))
}

fn times_us<'a>(table: &'a Table, name: &str) -> Result<&'a [i64], String> {
    let ds = column(table, "ds").map_err(|why| format!("{name}: {why}"))?;
    match &ds.data {
        ColumnData::TimestampUs(times_us) if ds.validity.is_none() => {
            match times_us.windows(2).position(|pair| pair[0] >= pair[1]) {
                Some(row) => Err(format!("`ds` of {name} does not ascend at row {}", row + 1)),
                None => Ok(times_us),
            }
        }
        _ => Err(format!("`ds` of {name} is no timestamp, or is null in places")),
    }
}

/// `y` of each row; `None` if it is not known.
fn values(history: &Table) -> Result<Vec<Option<f64>>, String> {
    let y = column(history, "y").map_err(|why| format!("the history: {why}"))?;
    let ColumnData::Float64(values) = &y.data else { return Err("`y` is not float64".to_owned()) };
    let valid = |row: usize| match &y.validity {
        Some(bits) => bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1),
        None => true,
    };
    let one = |(row, value): (usize, &f64)| match (valid(row), value.is_finite()) {
        (false, _) => Ok(None),
        (true, true) => Ok(Some(*value)),
        (true, false) => Err(format!("`y` is {value} in row {row}: a finite number is needed")),
    };
    values.iter().enumerate().map(one).collect()
}

/// The commonest distance of two rows; the smallest of those that are equally common.
fn commonest_step_us(times_us: &[i64]) -> i64 {
    let mut counts: BTreeMap<i64, u32> = BTreeMap::new();
    for pair in times_us.windows(2) {
        *counts.entry(pair[1].saturating_sub(pair[0])).or_default() += 1;
    }
    let most = counts.values().max().copied().unwrap_or_default();
    counts.into_iter().find(|(_, count)| *count == most).map_or(1, |(step_us, _)| step_us)
}

fn outcome(
    future_us: &[i64],
    expected: &[model::Expected],
    level: f64,
    notes: Vec<String>,
) -> Result<contract::Outcome, String> {
    let z = quantile(0.5 + level / 2.0);
    let float = |name: &str, of: &dyn Fn(&model::Expected) -> f64| {
        let values: Vec<f64> = expected.iter().map(of).collect();
        match values.iter().position(|value| !value.is_finite()) {
            Some(row) => Err(format!("`{name}` of row {row} is beyond what a number can hold")),
            None => Ok(Column { name: name.to_owned(), data: ColumnData::Float64(values), validity: None }),
        }
    };
    let ds =
        Column { name: "ds".to_owned(), data: ColumnData::TimestampUs(future_us.to_vec()), validity: None };
    let columns = vec![
        ds,
        float("yhat", &|it| it.mean)?,
        float("lower", &|it| it.mean - z * it.deviation)?,
        float("upper", &|it| it.mean + z * it.deviation)?,
        float("trend", &|it| it.mean)?,
    ];
    Ok(contract::Outcome {
        forecast: Table { rows: future_us.len() as u32, columns },
        multiplicative: Vec::new(),
        parameters: Vec::new(),
        notes,
    })
}

/// The value that a standard normal variable is below with probability `p`, from 0.5 to 1, to three digits: 26.2.23 of
/// Abramowitz and Stegun, "Handbook of Mathematical Functions".
fn quantile(p: f64) -> f64 {
    let t = (-2.0 * (1.0 - p).max(f64::MIN_POSITIVE).ln()).sqrt();
    let above = 2.515517 + t * (0.802853 + t * 0.010328);
    let below = 1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308));
    (t - above / below).max(0.0)
}
