//! One pass over a series: what is expected of each step, and what the errors come to.

use crate::form::{Form, Trend};

/// How fast level and growth follow, and where they start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothing {
    /// Share of an error that the level takes on.
    pub alpha: f64,
    /// Share of an error that the growth takes on.
    pub beta: f64,
    /// Share of its growth that a step hands on.
    pub phi: f64,
    /// Before the first step.
    pub level: f64,
    pub growth: f64,
}

impl Smoothing {
    /// From the numbers that are searched: alpha, beta, phi, level, growth, as far as the model has them.
    pub fn of(form: Form, searched: &[f64]) -> Self {
        match (form.trend, searched) {
            (Trend::Additive, &[alpha, beta, level, growth]) => Self { alpha, beta, phi: 1.0, level, growth },
            (Trend::Damped, &[alpha, beta, phi, level, growth]) => Self { alpha, beta, phi, level, growth },
            (_, &[alpha, level, ..]) => Self { alpha, beta: 0.0, phi: 1.0, level, growth: 0.0 },
            _ => Self { alpha: 1.0, beta: 0.0, phi: 1.0, level: 0.0, growth: 0.0 },
        }
    }

    /// Whether it is within the usual bounds, those of R's `ets`.
    pub fn is_usual(self, trend: Trend) -> bool {
        let alpha = (1e-4..=0.9999).contains(&self.alpha);
        let beta = trend == Trend::None || (1e-4..=self.alpha).contains(&self.beta);
        let phi = trend != Trend::Damped || (0.8..=0.98).contains(&self.phi);
        alpha && beta && phi
    }
}

/// What a pass comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Passed {
    /// After the last step.
    pub level: f64,
    pub growth: f64,
    /// Sum of the squares of the errors; of their shares, if they multiply.
    pub squares: f64,
    /// Twice the negative logarithm of the likelihood, but for a constant; infinite if an error cannot multiply.
    pub unlikely: f64,
}

/// Passes over the steps, and gives what is expected of each to `each`.
///
/// Both kinds of error move the state alike: an error that multiplies is its share times what was expected. A step
/// without a value moves it by nothing.
pub fn pass(form: Form, smoothing: Smoothing, y: &[Option<f64>], mut each: impl FnMut(f64)) -> Passed {
    let Smoothing { alpha, beta, phi, mut level, mut growth } = smoothing;
    let (mut squares, mut known, mut logarithms) = (0.0, 0.0, Logarithms::default());
    for y in y {
        let expected = level + phi * growth;
        each(expected);
        let error = y.map_or(0.0, |y| y - expected);
        level = expected + alpha * error;
        growth = phi * growth + beta * error;
        if y.is_some() {
            known += 1.0;
            if form.multiplies {
                squares += (error / expected).powi(2);
                logarithms.add(expected);
            } else {
                squares += error * error;
            }
        }
    }
    let likelihood = known * squares.max(f64::MIN_POSITIVE).ln();
    let unlikely = if form.multiplies { likelihood + 2.0 * logarithms.sum() } else { likelihood };
    Passed { level, growth, squares, unlikely: if unlikely.is_nan() { f64::INFINITY } else { unlikely } }
}

/// A sum of logarithms, of products where these can be held.
struct Logarithms {
    product: f64,
    sum: f64,
}

impl Default for Logarithms {
    fn default() -> Self {
        Self { product: 1.0, sum: 0.0 }
    }
}

impl Logarithms {
    /// A value that is not positive makes the sum no number.
    fn add(&mut self, value: f64) {
        self.product *= if value > 0.0 { value } else { f64::NAN };
        if !(1e-100..=1e100).contains(&self.product) {
            self.sum += self.product.ln();
            self.product = 1.0;
        }
    }

    fn sum(&self) -> f64 {
        self.sum + self.product.ln()
    }
}
