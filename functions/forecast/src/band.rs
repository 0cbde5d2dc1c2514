//! The band around what is expected.

use crate::quantile;

/// How wide a band is at a level: between the quantiles of a normal distribution that leave out as much above as below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    z: f64,
}

impl Band {
    /// `level`: the share of outcomes inside, between 0 and 1, both excluded.
    pub fn new(level: f64) -> Self {
        Self { z: quantile(0.5 + level / 2.0) }
    }

    /// Lower and upper bound around `mean`, of a deviation in the same unit.
    pub fn around(self, mean: f64, deviation: f64) -> (f64, f64) {
        (mean - self.z * deviation, mean + self.z * deviation)
    }

    /// The deviation of the sum of `steps` independent steps of this deviation.
    pub fn after(steps: u32, deviation: f64) -> f64 {
        deviation * f64::from(steps).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_of_95_percent_is_1_96_deviations_to_each_side() {
        let (lower, upper) = Band::new(0.95).around(10.0, Band::after(4, 0.5));
        assert!((lower - 8.04).abs() < 1e-4 && (upper - 11.96).abs() < 1e-4, "{lower} {upper}");
    }
}
