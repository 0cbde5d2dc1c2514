//! The model that fits a series best.

use crate::form::{Form, Trend};
use crate::grid::Grid;
use crate::simplex;
use crate::state::{Passed, Smoothing, pass};

/// Rows that the first state is guessed from.
const FIRST: usize = 10;
/// Passes of one search.
const PASSES: usize = 1_000;

/// A fitted model. Values are shares of the grid's scale.
pub struct Fit {
    pub form: Form,
    pub smoothing: Smoothing,
    /// After the last step.
    pub level: f64,
    pub growth: f64,
    /// Of an error, or of its share if it multiplies.
    pub variance: f64,
    /// What was expected of each step.
    pub expected: Vec<f64>,
    /// The corrected information criterion of Akaike, in the unit of the series; `None` for the last value.
    pub criterion: Option<f64>,
}

impl Fit {
    /// The best of some models by the corrected information criterion of Akaike; the last value if the rows are too
    /// few for each of them.
    pub fn best(forms: &[Form], grid: &Grid) -> Self {
        let mut best: Option<(f64, Form, Smoothing)> = None;
        for form in forms {
            let Some((criterion, smoothing)) = search(*form, grid) else { continue };
            if best.is_none_or(|(least, ..)| criterion < least) {
                best = Some((criterion, *form, smoothing));
            }
        }
        match best {
            Some((criterion, form, smoothing)) => {
                let criterion = criterion + 2.0 * grid.known as f64 * grid.scale.ln();
                Self::of(form, smoothing, grid, form.searched(), Some(criterion))
            }
            None => {
                let form = Form { multiplies: false, trend: Trend::None };
                let level = grid.y.first().copied().flatten().unwrap_or(0.0);
                let smoothing = Smoothing { alpha: 1.0, beta: 0.0, phi: 1.0, level, growth: 0.0 };
                Self::of(form, smoothing, grid, 1, None)
            }
        }
    }

    /// `fitted`: numbers that the rows have to pay for.
    fn of(form: Form, smoothing: Smoothing, grid: &Grid, fitted: usize, criterion: Option<f64>) -> Self {
        let mut expected = Vec::with_capacity(grid.y.len());
        let Passed { level, growth, squares, .. } = pass(form, smoothing, &grid.y, |it| expected.push(it));
        let left = grid.known.saturating_sub(fitted).max(1);
        Self { form, smoothing, level, growth, variance: squares / left as f64, expected, criterion }
    }

    /// What was expected of a step of the history, and its deviation.
    pub fn fitted(&self, step: usize) -> (f64, f64) {
        let expected = self.expected.get(step).copied().unwrap_or(self.level);
        let unit = if self.form.multiplies { expected.abs() } else { 1.0 };
        (expected, self.variance.sqrt() * unit)
    }
}

/// The least criterion of a model, and the numbers that give it; `None` if the rows are too few for it.
fn search(form: Form, grid: &Grid) -> Option<(f64, Smoothing)> {
    // The variance is estimated, too.
    let parameters = form.searched() + 1;
    let left = grid.known.checked_sub(parameters + 1).filter(|left| *left > 0)?;
    let mut cost = |searched: &[f64]| {
        let smoothing = Smoothing::of(form, searched);
        match smoothing.is_usual(form.trend) {
            true => pass(form, smoothing, &grid.y, |_| {}).unlikely,
            false => f64::INFINITY,
        }
    };
    let mut best: Option<(Vec<f64>, f64)> = None;
    for start in starts(form, grid) {
        // A second search from where the first one ended leaves a simplex that has shrunk too early.
        let (first, _) = simplex::least(&start, PASSES, &mut cost);
        let found = simplex::least(&first, PASSES, &mut cost);
        if best.as_ref().is_none_or(|best| found.1 < best.1) {
            best = Some(found);
        }
    }
    let (found, unlikely) = best?;
    let (parameters, left) = (parameters as f64, left as f64);
    let criterion = unlikely + 2.0 * parameters + 2.0 * parameters * (parameters + 1.0) / left;
    criterion.is_finite().then(|| (criterion, Smoothing::of(form, &found)))
}

/// Where searches start: as R's `ets` does, from the line through the first rows, or their mean; and from a level that
/// follows at once, as that of prices does, with growth and without.
fn starts(form: Form, grid: &Grid) -> Vec<Vec<f64>> {
    let known = grid.y.iter().enumerate().filter_map(|(step, y)| Some((step as f64 + 1.0, (*y)?)));
    let first: Vec<(f64, f64)> = known.take(FIRST).collect();
    let count = first.len().max(1) as f64;
    let mean_step = first.iter().map(|(step, _)| step).sum::<f64>() / count;
    let mean = first.iter().map(|(_, y)| y).sum::<f64>() / count;
    if form.trend == Trend::None {
        return vec![vec![0.2, mean], vec![0.95, mean]];
    }
    let squares: f64 = first.iter().map(|(step, _)| (step - mean_step).powi(2)).sum();
    let products: f64 = first.iter().map(|(step, y)| (step - mean_step) * (y - mean)).sum();
    let growth = if squares > 0.0 { products / squares } else { 0.0 };
    let mut level = mean - growth * mean_step;
    if form.multiplies && level <= 0.0 {
        // Nothing that multiplies starts at or below 0.
        level = first.first().map_or(mean, |(_, y)| *y);
    }
    let start = |(alpha, beta, growth): (f64, f64, f64)| match form.trend {
        Trend::Damped => vec![alpha, beta, 0.978, level, growth],
        _ => vec![alpha, beta, level, growth],
    };
    [(0.2, 0.02, growth), (0.95, 0.001, growth), (0.95, 0.05, 0.0)].map(start).into()
}
