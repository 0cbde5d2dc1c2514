//! The series by steps: one place per step, without a value where no row is.

use forecast::{Refusal, Series, refuse};

/// Steps per row that a series may have, and how many it may have in any case.
const STEPS_PER_ROW: usize = 20;
const STEPS: usize = 2_000;

pub struct Grid {
    /// Values as shares of `scale`, so that one search fits all.
    pub y: Vec<Option<f64>>,
    /// The largest value's size; 1 if all are 0.
    pub scale: f64,
    /// Steps with a value.
    pub known: usize,
    /// Rows that fell onto the step of another one.
    pub doubled: usize,
}

impl Grid {
    /// # Errors
    /// Almost all of the steps would be without a row.
    pub fn new(series: &Series) -> Result<Self, Refusal> {
        let steps = usize::try_from(series.steps[series.last()]).unwrap_or(usize::MAX);
        if steps > (series.len().saturating_mul(STEPS_PER_ROW)).max(STEPS) {
            refuse!(
                "the {} rows with a `y` are spread over {steps} steps of {} µs, the commonest distance: almost all are \
                 missing, so bring the series to steps of one length first",
                series.len(),
                series.step_us
            );
        }
        let largest = series.y.iter().fold(0.0_f64, |largest, y| largest.max(y.abs()));
        let scale = if largest > 0.0 { largest } else { 1.0 };
        let mut y = vec![None; steps + 1];
        for (step, value) in series.steps.iter().zip(&series.y) {
            if let Some(place) = usize::try_from(*step).ok().and_then(|step| y.get_mut(step)) {
                *place = Some(value / scale);
            }
        }
        let known = y.iter().flatten().count();
        Ok(Self { y, scale, known, doubled: series.len() - known })
    }

    /// Whether errors may multiply.
    pub fn is_positive(&self) -> bool {
        self.y.iter().flatten().all(|y| *y > 0.0)
    }
}
