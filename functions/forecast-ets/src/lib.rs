//! Exponential smoothing without a season: a level, a growth that may fade, errors that add or multiply. Of six models
//! the one with the least corrected information criterion is taken, as R's `ets` does.
//!
//! Models, their errors and the variance of their forecasts are those of R. J. Hyndman, A. B. Koehler, J. K. Ord,
//! R. D. Snyder, "Forecasting with Exponential Smoothing" (2008): chapters 2, 5 and 6. In the order of the data's way:
//! `grid` (the series by steps, with its gaps) → `form` (which models there are) → `state` (one pass) → `fit` over
//! `simplex` (the search) → `ahead` (mean and deviation of each step).

mod ahead;
mod fit;
mod form;
mod grid;
mod simplex;
mod state;

use forecast::{Asked, Band, Model, Place, Refusal, Rows, refuse};

use crate::fit::Fit;
use crate::form::Trend;
use crate::grid::Grid;
use crate::state::Smoothing;

#[cfg(target_arch = "wasm32")]
mod component {
    type Component = forecast::adapter::Adapter<crate::Ets>;
    forecast::adapter::export_forecast!(Component with_types_in forecast::adapter);
}

pub struct Ets;

/// Steps that are forecast at most: the work grows with their square.
const FARTHEST: u32 = 5_000;

impl Model for Ets {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SETTINGS: &'static [(&'static str, &'static str, &'static str)] = &[(
        "model",
        "ZZN",
        "Error, trend and season in a letter each: error A (it adds), M (it multiplies) or Z (the better one); trend N \
         (none), A (growth), Ad (growth that fades) or Z (the best one); season N: there is no other.",
    )];
    const LEAST_ROWS: u32 = 2;

    fn forecast(asked: &Asked<'_>) -> Result<Rows, Refusal> {
        let grid = Grid::new(&asked.series)?;
        let forms = form::candidates(asked.settings.text("model"), grid.is_positive())?;
        let fit = Fit::best(&forms, &grid);
        let mut rows = rows(asked, &grid, &fit)?;
        parameters(&fit, &grid, &mut rows);
        notes(&fit, &grid, &mut rows);
        Ok(rows)
    }
}

/// What was expected of a row of the history, of the rows before it, and what is expected of those after it.
fn rows(asked: &Asked<'_>, grid: &Grid, fit: &Fit) -> Result<Rows, Refusal> {
    let (series, band) = (&asked.series, Band::new(asked.request.level));
    let places: Vec<Place> = asked.future_us.iter().map(|time_us| series.place(*time_us)).collect();
    let ahead_of = |place: &Place| (place.before == Some(series.last())).then_some(place.ahead);
    let horizon = places.iter().filter_map(ahead_of).max().unwrap_or(0);
    if horizon > FARTHEST {
        refuse!("a row to forecast lies {horizon} steps after the history: at most {FARTHEST} are forecast");
    }
    let ahead = fit.ahead(horizon);
    let mut rows = Rows::default();
    let mut before = 0;
    for (time_us, place) in asked.future_us.iter().zip(&places) {
        let (mean, deviation) = match ahead_of(place) {
            Some(steps) => ahead[steps as usize - 1],
            None => {
                let step = series.step_of(*time_us);
                before += u32::from(step < 0);
                fit.fitted(usize::try_from(step).unwrap_or(0))
            }
        };
        rows.push(mean * grid.scale, band.around(mean * grid.scale, deviation * grid.scale));
    }
    rows.components.push(("trend".to_owned(), rows.yhat.clone()));
    if before > 0 {
        rows.notes.push(format!("{before} rows lie before the history, and stand as its first one."));
    }
    Ok(rows)
}

fn parameters(fit: &Fit, grid: &Grid, rows: &mut Rows) {
    let Smoothing { alpha, beta, phi, .. } = fit.smoothing;
    rows.parameter("alpha", &[alpha]);
    rows.parameter("level", &[fit.level * grid.scale]);
    if fit.form.trend != Trend::None {
        rows.parameter("beta", &[beta]);
        rows.parameter("growth", &[fit.growth * grid.scale]);
    }
    if fit.form.trend == Trend::Damped {
        rows.parameter("phi", &[phi]);
    }
    if let Some(criterion) = fit.criterion {
        rows.parameter("aicc", &[criterion]);
    }
    // Of errors that multiply, it is a share.
    let unit = if fit.form.multiplies { 1.0 } else { grid.scale };
    rows.parameter("sigma", &[fit.variance.sqrt() * unit]);
}

fn notes(fit: &Fit, grid: &Grid, rows: &mut Rows) {
    if fit.criterion.is_none() {
        rows.notes.push(format!(
            "{} rows are too few to fit a model of this kind: the last value is taken, with the band of its changes.",
            grid.known
        ));
    } else {
        rows.notes.push(format!("The model is {}.", fit.form));
    }
    if fit.variance == 0.0 {
        rows.notes.push("The band has no width: the model meets every row exactly.".to_owned());
    }
    let missing = grid.y.len() - grid.known;
    if missing > 0 {
        rows.notes.push(format!(
            "{missing} rows are missing in the history: the level and growth before a gap are carried through it."
        ));
    }
    if grid.doubled > 0 {
        rows.notes.push(format!(
            "{} rows are less than half a step from the next one, which alone counts.",
            grid.doubled
        ));
    }
}

#[cfg(test)]
mod tests;
