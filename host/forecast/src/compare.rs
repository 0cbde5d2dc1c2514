//! Whether one model's errors are smaller than another's by more than chance: the test of Diebold and Mariano ("Comparing
//! predictive accuracy", 1995) with the correction of Harvey, Leybourne and Newbold (1997) for few origins.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Below it a difference is not put down to chance.
pub const SIGNIFICANT: f64 = 0.05;

/// What the test says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Test {
    /// Above 0: the first model's losses are larger.
    pub statistic: f64,
    /// Two-sided, of Student's t with one degree of freedom less than there are origins.
    pub p: f64,
    pub origins: usize,
}

/// Compares the losses of two models at the same origins, in their order. `horizon` and `spacing` in rows: forecasts that
/// overlap are not independent. `None` where there are too few origins, or the losses do not differ by varying amounts.
pub fn diebold_mariano(losses: &[f64], others: &[f64], horizon: usize, spacing: usize) -> Option<Test> {
    let differences: Vec<f64> = losses.iter().zip(others).map(|(one, other)| one - other).collect();
    let count = differences.len();
    let n = count as f64;
    let h = horizon.div_ceil(spacing.max(1)).max(1);
    if count < 2 || h >= count {
        return None;
    }
    let mean = differences.iter().sum::<f64>() / n;
    let covariance = |lag: usize| {
        let pairs = differences[lag..].iter().zip(&differences);
        pairs.map(|(one, other)| (one - mean) * (other - mean)).sum::<f64>() / n
    };
    let variance = (covariance(0) + 2.0 * (1..h).map(covariance).sum::<f64>()) / n;
    let h = h as f64;
    let correction = ((n + 1.0 - 2.0 * h + h * (h - 1.0) / n) / n).sqrt();
    // The same difference at each origin, but for rounding.
    let size = differences.iter().fold(0.0_f64, |most, it| most.max(it.abs()));
    if variance.is_nan() || variance <= (size * 1e-12).powi(2) {
        return None;
    }
    let statistic = mean / variance.sqrt() * correction;
    let student = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
    let p = (2.0 * student.cdf(-statistic.abs())).min(1.0);
    Some(Test { statistic, p, origins: count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statistic_is_what_its_formula_gives_by_hand() {
        // d = 1, 3, 2, 2: mean 2, γ0 = 0.5; √(0.5 ÷ 4) = 0.353553; × √(3 ÷ 4).
        let test = diebold_mariano(&[2.0, 4.0, 3.0, 3.0], &[1.0; 4], 30, 90).unwrap();
        assert!((test.statistic - 4.898_979_485_566_356).abs() < 1e-12, "{test:?}");
        // Student's t of 3 degrees: F(t) in closed form, by θ = atan(t ÷ √3).
        let theta = (test.statistic / 3.0_f64.sqrt()).atan();
        let p = 1.0 - 2.0 / std::f64::consts::PI * (theta + theta.sin() * theta.cos());
        assert!((test.p - p).abs() < 1e-9, "{} is not {p}", test.p);
    }

    #[test]
    fn forecasts_that_overlap_count_with_their_covariance() {
        // h = 2; d = 1, 3, 2, 2: γ1 = (−1·1 + 1·0 + 0·0) ÷ 4 = −0.25; variance (0.5 − 0.5) ÷ 4 = 0.
        assert_eq!(diebold_mariano(&[2.0, 4.0, 3.0, 3.0], &[1.0; 4], 30, 15), None);
        // d = 1, 2, 3, 2: γ0 = 0.5, γ1 = (0 + 0 + 0) ÷ 4 = 0: variance 0.125; × √((5 − 4 + 0.5) ÷ 4).
        let test = diebold_mariano(&[1.0, 2.0, 3.0, 2.0], &[0.0; 4], 30, 15).unwrap();
        assert!((test.statistic - 2.0 / 0.125_f64.sqrt() * 0.375_f64.sqrt()).abs() < 1e-12, "{test:?}");
    }

    #[test]
    fn what_cannot_be_tested_is_not() {
        assert_eq!(diebold_mariano(&[1.0], &[2.0], 1, 1), None);
        assert_eq!(diebold_mariano(&[1.0, 2.0, 3.0], &[0.0, 1.0, 2.0], 1, 1), None);
        assert_eq!(diebold_mariano(&[1.0, 2.0], &[0.0, 0.0], 60, 10), None);
        assert_eq!(diebold_mariano(&[f64::NAN, 2.0, 1.0], &[0.0; 3], 1, 1), None);
    }

    #[test]
    fn models_change_places_and_the_sign_alone_changes() {
        let (one, other) = ([3.0, 1.0, 4.0, 1.0, 5.0], [2.0, 7.0, 1.0, 8.0, 2.0]);
        let (test, turned) =
            (diebold_mariano(&one, &other, 1, 1).unwrap(), diebold_mariano(&other, &one, 1, 1).unwrap());
        assert!((test.statistic + turned.statistic).abs() < 1e-12 && (test.p - turned.p).abs() < 1e-12);
    }
}
