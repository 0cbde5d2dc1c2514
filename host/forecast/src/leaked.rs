//! Figures as they are often reported, to be compared with such reports: regressors that hold the very value that is
//! forecast, settings chosen on the test set. They say nothing about a forecast, and are never mixed with those that do.

use serde::Serialize;

use crate::averages::Continue;
use crate::error::ForecastError;
use crate::fits::{Contender, Task};
use crate::grid::{self, Point};
use crate::origins::{self, Origin};
use crate::request::{Fitted, Rows};
use crate::series::Series;
use crate::settings::Settings;
use crate::studying::Studying;

/// Averages where the settings name none.
const AVERAGES: [usize; 2] = [7, 30];
/// Share of the rows that are learnt from.
const TRAIN: f64 = 0.8;
/// In place of y where it is smaller.
const LEAST_Y: f64 = 1e-8;
/// Prophet's longest season with its defaults, and the span from which on it has it.
const YEAR_US: f64 = 365.25 * 86_400e6;
const TWO_YEARS_US: i64 = 730 * 86_400_000_000;

/// What was found; each figure is leaked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leaked {
    /// Each combination's error on the test set.
    pub tried: Vec<Tried>,
    /// The one with the smallest error on the test set.
    pub chosen: Point,
    /// 100·mean(|e| ÷ max(y, 1e-8)) over the test rows, of the chosen one.
    pub test_mape: Option<f64>,
    pub test_mae: Option<f64>,
    pub test_rmse: Option<f64>,
    /// The same over all rows of a cross-validation of the chosen one, cut within the training rows as Prophet does it.
    pub cross_validated_mape: Option<f64>,
    pub cross_validated_cuts: usize,
    pub train_rows: usize,
    pub test_rows: usize,
    /// Regressors.
    pub averages: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tried {
    pub settings: Point,
    pub test_mape: Option<f64>,
}

/// How many fits it takes.
pub fn count(settings: &Settings, series: &Series, points: usize) -> usize {
    points + cuts(settings, series).len()
}

fn train_rows(series: &Series) -> usize {
    (TRAIN * series.len() as f64) as usize
}

fn cuts(settings: &Settings, series: &Series) -> Vec<Origin> {
    let rows = train_rows(series);
    let span_us = rows.checked_sub(1).map_or(0, |last| series.ds_us[last] - series.ds_us[0]);
    let season = if span_us >= TWO_YEARS_US { YEAR_US / settings.step_us as f64 } else { 0.0 };
    origins::of_prophet(rows, settings.horizon, (3 * settings.horizon).max(season as usize))
}

/// Fits all combinations on the first part, chooses by the rest, and cross-validates the one that was chosen.
pub fn study(
    studying: &mut Studying<'_, '_>,
    series: &Series,
    failures: &mut Vec<String>,
) -> Result<Leaked, ForecastError> {
    let settings = studying.fitting.settings;
    let averages = if settings.averages.is_empty() { AVERAGES.to_vec() } else { settings.averages.clone() };
    let task = |point: &Point, origin: &Origin, what: String| Task {
        contender: Contender::Model(point.clone()),
        rows: Rows { train: origin.train.clone(), asked: origin.test.clone(), beyond: 0 },
        continued: Continue::Leaked,
        averages: averages.clone(),
        what,
    };
    let train = train_rows(series);
    let whole = Origin { train: 0..train, test: train..series.len() };
    let points = grid::points(&settings.grid);
    let tasks: Vec<Task> =
        points.iter().map(|point| task(point, &whole, "leaked, the test set".to_owned())).collect();
    let fits = studying.fit(series, &tasks, failures, &mut |_, _, _| {})?;
    let tried: Vec<Tried> = points
        .iter()
        .zip(&fits)
        .map(|(point, fitted)| Tried {
            settings: point.clone(),
            test_mape: fitted.as_ref().and_then(|it| mape(&[(&whole, it)], series)),
        })
        .collect();
    let key = |it: &&(&Tried, &Option<Fitted>)| it.0.test_mape.unwrap_or(f64::INFINITY);
    let all: Vec<_> = tried.iter().zip(&fits).collect();
    let best = all.iter().min_by(|one, other| key(one).total_cmp(&key(other)));
    let chosen = best.map(|(tried, _)| tried.settings.clone()).unwrap_or_default();
    let best = best.and_then(|(_, fitted)| fitted.as_ref());

    let cuts = cuts(settings, series);
    let what =
        |cut: &Origin| format!("leaked, cutoff {}", crate::series::day(crate::fits::cutoff_us(series, cut)));
    let tasks: Vec<Task> = cuts.iter().map(|cut| task(&chosen, cut, what(cut))).collect();
    let folds = studying.fit(series, &tasks, failures, &mut |_, _, _| {})?;
    let made: Vec<(&Origin, &Fitted)> =
        cuts.iter().zip(&folds).filter_map(|(cut, it)| Some((cut, it.as_ref()?))).collect();
    let errors = |fitted: &Fitted| {
        let pairs = series.y[whole.test.clone()].iter().zip(&fitted.yhat);
        pairs.map(|(y, yhat)| y - yhat).collect::<Vec<f64>>()
    };
    let mean = |of: fn(f64) -> f64| crate::measures::mean(errors(best?).into_iter().map(of));
    Ok(Leaked {
        test_mape: best.and_then(|it| mape(&[(&whole, it)], series)),
        test_mae: mean(f64::abs),
        test_rmse: mean(|e| e * e).map(f64::sqrt),
        cross_validated_mape: mape(&made, series),
        cross_validated_cuts: made.len(),
        train_rows: train,
        test_rows: whole.test.len(),
        averages: averages.iter().map(|length| crate::averages::name(*length)).collect(),
        chosen,
        tried,
    })
}

/// Over all rows of all fits.
fn mape(fits: &[(&Origin, &Fitted)], series: &Series) -> Option<f64> {
    let shares = fits.iter().flat_map(|(origin, fitted)| {
        let pairs = series.y[origin.test.clone()].iter().zip(&fitted.yhat);
        pairs.map(|(y, yhat)| (y - yhat).abs() / y.max(LEAST_Y))
    });
    crate::measures::mean(shares).map(|share| 100.0 * share)
}
