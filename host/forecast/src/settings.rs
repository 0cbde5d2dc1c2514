//! What is forecast, and how: a forecast of the manifest, in plain words.

use std::collections::BTreeMap;

use serde::Serialize;

/// The function that forecasts are compared with.
pub const NAIVE: &str = "forecast-naive";

/// What does not change while a forecast runs. Its JSON is part of what a run goes by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Settings {
    pub name: String,
    /// Name of the forecast function.
    pub function: String,
    /// The column that is forecast.
    pub column: String,
    /// Rows to forecast.
    pub horizon: usize,
    /// Time between rows.
    pub step_us: i64,
    /// The function's own settings.
    pub settings: BTreeMap<String, String>,
    /// Settings of the function to choose from: each combination is tried.
    pub grid: Vec<(String, Vec<String>)>,
    pub folds: Folds,
    /// Regressors: moving averages of y over so many rows, the row itself among them; `ma7` is one of 7.
    pub averages: Vec<usize>,
    pub holidays: Vec<Holidays>,
    /// Whether the logarithm of y is forecast.
    pub log: bool,
    /// How far the series can grow, for functions that grow between bounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<f64>,
    /// What it cannot fall below, with `cap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<f64>,
    /// The share of outcomes that the band is to hold; between 0 and 1.
    pub level: f64,
    pub seed: u64,
    /// Whether the figures with leaks are computed, too.
    pub leaked: bool,
}

/// Where a series is cut to judge forecasts. Counts are of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Folds {
    /// Cuts that judge.
    pub count: usize,
    /// Cuts before them that choose from the grid.
    pub choose: usize,
    /// Between cuts.
    pub spacing: usize,
    /// Rows to learn from; all where it is `None`.
    pub train: Option<usize>,
}

/// Days that share an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holidays {
    pub name: String,
    /// Their starts, µs since 1970-01-01 UTC.
    pub days_us: Vec<i64>,
    /// Days before each that count too.
    pub before: u32,
    /// Days after each that count too.
    pub after: u32,
}

impl Settings {
    /// Rows before a cut that are learnt from at least. `least`: what the function needs.
    pub fn least_train(&self, least: usize) -> usize {
        let averages = self.averages.iter().copied().max().unwrap_or(0);
        least.max(2 * self.horizon).max(averages).max(2)
    }
}
