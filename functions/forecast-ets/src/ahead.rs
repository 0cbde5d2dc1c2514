//! What a fitted model expects of the steps after the series.

use crate::fit::Fit;

impl Fit {
    /// Mean and deviation of each step up to `horizon`.
    ///
    /// With errors that add, the variance is that of all errors since, each weighed by what is left of it; with errors
    /// that multiply it follows from the second moments (chapter 6, class 2, of the book).
    pub fn ahead(&self, horizon: u32) -> Vec<(f64, f64)> {
        let (mut handed_on, mut grown) = (1.0, 0.0);
        let (mut means, mut weights) = (Vec::new(), Vec::new());
        for _ in 0..horizon {
            handed_on *= self.smoothing.phi;
            grown += handed_on;
            means.push(self.level + grown * self.growth);
            weights.push((self.smoothing.alpha + self.smoothing.beta * grown).powi(2));
        }
        let variances =
            if self.form.multiplies { self.multiplied(&means, &weights) } else { self.added(&weights) };
        means.into_iter().zip(variances).map(|(mean, variance)| (mean, variance.max(0.0).sqrt())).collect()
    }

    /// `weights`: of the error of one step on each later one, squared.
    fn added(&self, weights: &[f64]) -> Vec<f64> {
        let mut sum = 1.0;
        let one = |weight: &f64| {
            let variance = self.variance * sum;
            sum += weight;
            variance
        };
        weights.iter().map(one).collect()
    }

    fn multiplied(&self, means: &[f64], weights: &[f64]) -> Vec<f64> {
        let mut moments: Vec<f64> = Vec::with_capacity(means.len());
        for mean in means {
            let carried: f64 =
                moments.iter().rev().zip(weights).map(|(moment, weight)| moment * weight).sum();
            moments.push(mean * mean + self.variance * carried);
        }
        moments.iter().zip(means).map(|(moment, mean)| (1.0 + self.variance) * moment - mean * mean).collect()
    }
}
