//! The series as it is fitted: times from 0 to 1, values near them, and the places at which the trend may change.

use forecast::{Refusal, Series, refuse};

use crate::plan::Plan;
use crate::problem::Growth;

/// Capacity and floor of one row, in units of `y`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub cap: f64,
    pub floor: f64,
}

/// How times and values are scaled.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    start_us: i64,
    span_us: f64,
    /// What is subtracted from values that have no floor of their own.
    low: f64,
    pub size: f64,
}

impl Scale {
    /// `bounds`: of the rows with a value; empty unless the growth is logistic.
    pub fn new(plan: &Plan, series: &Series, bounds: &[Bounds]) -> Self {
        let y = &series.y;
        let (low, size) = match (bounds.is_empty(), plan.by_range) {
            (true, false) => (0.0, largest(y.iter().copied())),
            (true, true) => {
                let (low, high) = range(y.iter().copied());
                (low, high - low)
            }
            (false, false) => (0.0, largest(y.iter().zip(bounds).map(|(y, bounds)| y - bounds.floor))),
            (false, true) => {
                let low = range(bounds.iter().map(|it| it.floor)).0;
                (low, range(bounds.iter().map(|it| it.cap)).1 - low)
            }
        };
        let start_us = series.times_us[0];
        Scale {
            start_us,
            span_us: (series.times_us[series.last()] - start_us) as f64,
            low,
            size: if size == 0.0 { 1.0 } else { size },
        }
    }

    pub fn time(&self, time_us: i64) -> f64 {
        (time_us as f64 - self.start_us as f64) / self.span_us
    }

    pub fn floor(&self, bounds: Option<Bounds>) -> f64 {
        bounds.map_or(self.low, |bounds| bounds.floor)
    }

    pub fn value(&self, y: f64, bounds: Option<Bounds>) -> f64 {
        (y - self.floor(bounds)) / self.size
    }

    pub fn cap(&self, bounds: Bounds) -> f64 {
        (bounds.cap - bounds.floor) / self.size
    }
}

fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |most, it| f64::max(most, it.abs()))
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| (low.min(it), high.max(it)))
}

/// Rows at which the trend may change: as many as asked for, evenly over the first rows, the first row left out. Fewer if
/// there are not enough rows.
pub fn change_rows(rows: usize, plan: &Plan) -> Vec<usize> {
    let within = (rows as f64 * plan.change_range).floor() as usize;
    let count = plan.change_count.min(within.saturating_sub(1));
    let step = within.saturating_sub(1) as f64 / count.max(1) as f64;
    (1..=count).map(|index| (index as f64 * step).round_ties_even() as usize).collect()
}

/// The capacities and floors of a table's rows. `floor` is 0 without a column.
pub fn bounds(cap: Vec<f64>, floor: Option<Vec<f64>>, what: &str) -> Result<Vec<Bounds>, Refusal> {
    let floor = floor.unwrap_or_else(|| vec![0.0; cap.len()]);
    let all: Vec<Bounds> = cap.into_iter().zip(floor).map(|(cap, floor)| Bounds { cap, floor }).collect();
    match all.iter().position(|it| it.cap <= it.floor) {
        Some(row) => {
            let Bounds { cap, floor } = all[row];
            refuse!("`cap` is {cap} in row {row} of {what}, and has to be above `floor`, which is {floor}")
        }
        None => Ok(all),
    }
}

/// The rate and the offset that the fit starts from: those of the trend through the first and the last row.
pub fn start(growth: Growth, t: &[f64], y: &[f64], cap: &[f64]) -> (f64, f64) {
    let last = y.len() - 1;
    let span = t[last] - t[0];
    match growth {
        Growth::Linear => {
            let rate = (y[last] - y[0]) / span;
            (rate, y[0] - rate * t[0])
        }
        Growth::Flat => (0.0, y.iter().sum::<f64>() / y.len() as f64),
        Growth::Logistic => {
            let odds = |row: usize| cap[row] / y[row].clamp(0.01 * cap[row], 0.99 * cap[row]);
            let (mut first, end) = (odds(0), odds(last));
            if (first - end).abs() <= 0.01 {
                first *= 1.05;
            }
            let (first, end) = ((first - 1.0).ln(), (end - 1.0).ln());
            ((first - end) / span, first * span / (first - end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::plan;

    /// By NumPy: `np.linspace(0, 79, 26).round().astype(int)[1:]` and so on.
    #[test]
    fn changes_are_where_prophet_has_them() {
        let auto = plan(&[]);
        let rows = change_rows(100, &auto);
        assert_eq!(
            rows,
            [3, 6, 9, 13, 16, 19, 22, 25, 28, 32, 35, 38, 41, 44, 47, 51, 54, 57, 60, 63, 66, 70, 73, 76, 79]
        );
        assert_eq!(change_rows(10, &auto), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(change_rows(2, &auto), [0; 0]);
        assert_eq!(
            change_rows(100, &plan(&[("n-changepoints", "2"), ("changepoint-range", "0.5")])),
            [24, 49]
        );
        assert_eq!(change_rows(100, &plan(&[("n-changepoints", "0")])), [0; 0]);
    }
}
