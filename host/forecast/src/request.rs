//! A part of a series as a request of the contract, and the answer in the unit of y.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use tallow_contract::forecast::{Holiday, Outcome, Request, column, ds};
use tallow_contract::{ColumnData, Table};
use tallow_store::{Digest, Hasher};

use crate::averages::{self, Continue};
use crate::series::Series;
use crate::settings::Settings;

/// What a fit gave, one value for each row that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    pub ds_us: Vec<i64>,
    pub yhat: Vec<f64>,
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
    /// In the unit that the function saw: of logarithms where these were forecast.
    pub components: Vec<(String, Vec<f64>)>,
    /// Components that are shares of the trend.
    pub multiplicative: Vec<String>,
    pub parameters: Vec<(String, Vec<f64>)>,
    pub notes: Vec<String>,
}

/// Which rows are learnt from, and which are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    pub train: Range<usize>,
    /// Rows of the series that are asked for.
    pub asked: Range<usize>,
    /// Steps beyond the series that are asked for.
    pub beyond: usize,
}

/// How a model is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub settings: &'a Settings,
    /// Of the function, beside those of `settings`; they count more.
    pub point: &'a [(String, String)],
    /// Whether it gets regressors and holidays.
    pub rich: bool,
    /// How regressors continue after the rows that are learnt from.
    pub continued: Continue,
    pub averages: &'a [usize],
    pub log: bool,
}

impl Asked<'_> {
    pub fn request(&self, series: &Series, rows: &Rows) -> Request {
        let Settings { settings, level, seed, .. } = self.settings;
        let train = rows.train.clone();
        let y = &series.y[train.clone()];
        let y = if self.log { y.iter().map(|y| y.ln()).collect() } else { y.to_vec() };
        let asked_us = self.times(series, rows);
        let mut history = vec![ds(&series.ds_us[train.clone()]), column("y", y)];
        let mut future = vec![ds(&asked_us)];
        let mut regressors = Vec::new();
        for length in if self.rich { self.averages } else { &[] } {
            let name = averages::name(*length);
            let all = averages::of(&series.y, *length, &rows.train, self.continued);
            let last = all.last().copied().unwrap_or(0.0);
            history.push(column(&name, all[train.clone()].to_vec()));
            let mut values = all[rows.asked.clone()].to_vec();
            values.resize(asked_us.len(), last);
            future.push(column(&name, values));
            regressors.push(name);
        }
        for (name, bound) in if self.rich { self.bounds() } else { Vec::new() } {
            history.push(column(name, vec![bound; train.len()]));
            future.push(column(name, vec![bound; asked_us.len()]));
        }
        let given =
            settings.iter().filter(|(name, _)| self.rich && !self.point.iter().any(|(set, _)| set == *name));
        let given = given.map(|(name, value)| (name.clone(), value.clone()));
        Request {
            history: table(history, train.len()),
            future: table(future, asked_us.len()),
            regressors,
            holidays: if self.rich { self.holidays() } else { Vec::new() },
            level: *level,
            seed: *seed,
            settings: given.chain(self.point.iter().cloned()).collect(),
        }
    }

    /// What the series grows between, in the unit that the function sees.
    fn bounds(&self) -> Vec<(&'static str, f64)> {
        let Settings { cap, floor, .. } = self.settings;
        let bounds = [("cap", *cap), ("floor", *floor)].into_iter();
        let seen = |bound: f64| if self.log { bound.ln() } else { bound };
        bounds.filter_map(|(name, bound)| Some((name, seen(bound?)))).collect()
    }

    fn times(&self, series: &Series, rows: &Rows) -> Vec<i64> {
        let mut times_us = series.ds_us[rows.asked.clone()].to_vec();
        let last_us = series.ds_us.last().copied().unwrap_or(0);
        times_us.extend((1..=rows.beyond as i64).map(|step| last_us + step * self.settings.step_us));
        times_us
    }

    fn holidays(&self) -> Vec<Holiday> {
        let of = |holidays: &crate::settings::Holidays| {
            let (name, before, after) = (holidays.name.clone(), holidays.before, holidays.after);
            let one = move |ds_us: &i64| Holiday {
                name: name.clone(),
                ds_us: *ds_us,
                lower_days: -(before as i32),
                upper_days: after as i32,
            };
            holidays.days_us.iter().map(one).collect::<Vec<_>>()
        };
        self.settings.holidays.iter().flat_map(of).collect()
    }

    /// The answer, back from logarithms where these were forecast.
    pub fn answer(&self, outcome: Outcome) -> Fitted {
        let Outcome { forecast, multiplicative, parameters, notes } = outcome;
        let back = |values: Vec<f64>| match self.log {
            true => values.into_iter().map(f64::exp).collect(),
            false => values,
        };
        let mut fitted = Fitted {
            multiplicative,
            notes,
            parameters: parameters.into_iter().map(|it| (it.name, it.values)).collect(),
            ..Fitted::default()
        };
        for column in forecast.columns {
            match (column.name.as_str(), column.data) {
                ("ds", ColumnData::TimestampUs(times)) => fitted.ds_us = times,
                ("yhat", ColumnData::Float64(values)) => fitted.yhat = back(values),
                ("lower", ColumnData::Float64(values)) => fitted.lower = back(values),
                ("upper", ColumnData::Float64(values)) => fitted.upper = back(values),
                (name, ColumnData::Float64(values)) => fitted.components.push((name.to_owned(), values)),
                _ => {}
            }
        }
        fitted
    }
}

impl Fitted {
    /// Whether there are finite numbers for each row; `exp` of a large logarithm is not finite.
    pub fn is_sound(&self, rows: usize) -> bool {
        let columns = [&self.yhat, &self.lower, &self.upper];
        columns.iter().all(|values| values.len() == rows && values.iter().all(|value| value.is_finite()))
    }
}

/// What a fit goes by: the function's digest and all of the request.
pub fn address(function: Digest, request: &Request) -> Digest {
    let mut hasher = Hasher::default();
    let mut text = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    text(&function.to_string());
    for table in [&request.history, &request.future] {
        text(&table.rows.to_string());
        for column in &table.columns {
            text(&column.name);
            match &column.data {
                ColumnData::TimestampUs(times) => times.iter().for_each(|time| text(&time.to_string())),
                ColumnData::Float64(values) => {
                    values.iter().for_each(|value| text(&value.to_bits().to_string()))
                }
                _ => {}
            }
        }
    }
    text(&format!("{:?}", request.holidays));
    text(&format!(
        "{:?} {:?} {} {}",
        request.regressors,
        request.settings,
        request.level.to_bits(),
        request.seed
    ));
    hasher.finish()
}

fn table(columns: Vec<tallow_contract::Column>, rows: usize) -> Table {
    Table { rows: rows as u32, columns }
}
