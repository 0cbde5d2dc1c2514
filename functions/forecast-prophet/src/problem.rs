//! What is minimised: the negative logarithm of the posterior density of Prophet's model, without constants, and its
//! gradient (prophet.stan of Prophet 1.5; Taylor and Letham, "Forecasting at Scale", 2018).
//!
//! The parameters are one vector: `k`, `m`, the changes of the rate, the logarithm of the noise, the coefficients. There is
//! no Jacobian for the logarithm: Stan's optimisers leave it out.

/// How the trend grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    Linear,
    Logistic,
    Flat,
}

/// Standard deviation of the priors of `k` and `m`.
const GROWTH_PRIOR: f64 = 5.0;
/// Scale of the noise's prior.
const NOISE_PRIOR: f64 = 0.5;

/// Logarithm of noise that is none: below a billionth of the values, the way down has no end.
pub const EXACT: f64 = -20.7;

/// The scaled data.
pub struct Problem {
    pub growth: Growth,
    /// Times from 0 to 1, ascending.
    pub t: Vec<f64>,
    pub y: Vec<f64>,
    /// Capacities; empty unless the growth is logistic.
    pub cap: Vec<f64>,
    /// Times at which the rate may change, ascending.
    pub changes: Vec<f64>,
    /// The terms of each row, row by row: those that are added to the trend, then those that multiply it.
    pub terms: Vec<f64>,
    /// How many terms a row has, and how many of them are added.
    pub term_count: usize,
    pub added: usize,
    /// Standard deviation of each coefficient's prior.
    pub priors: Vec<f64>,
    /// Scale of the changes' prior.
    pub tau: f64,
}

/// Places in the vector of parameters.
pub const K: usize = 0;
pub const M: usize = 1;
pub const DELTA: usize = 2;

/// The rate and the offset of the trend from each change on.
pub struct Segment {
    pub rate: f64,
    pub offset: f64,
}

impl Problem {
    pub fn rows(&self) -> usize {
        self.y.len()
    }

    /// Place of the noise's logarithm.
    pub fn noise(&self) -> usize {
        DELTA + self.changes.len()
    }

    /// Place of the first coefficient.
    pub fn beta(&self) -> usize {
        self.noise() + 1
    }

    pub fn parameters(&self) -> usize {
        self.beta() + self.term_count
    }

    /// The value at `x`; `gradient` gets its gradient. A value that is not finite says that `x` is out of bounds.
    pub fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let beta = &x[self.beta()..];
        let noise = x[self.noise()].exp();
        let precision = 1.0 / (noise * noise);
        gradient.fill(0.0);
        let segments = segments(self.growth, x[K], x[M], &x[DELTA..self.noise()], &self.changes);
        let (slopes, coefficients) = gradient.split_at_mut(self.beta());
        // The derivatives by rate and offset of each segment.
        let mut by_segment = vec![(0.0, 0.0); segments.len()];
        let mut squares = 0.0;
        let mut segment = 0;
        for row in 0..self.rows() {
            let terms = &self.terms[row * self.term_count..][..self.term_count];
            let t = self.t[row];
            while self.changes.get(segment).is_some_and(|change| t >= *change) {
                segment += 1;
            }
            let Segment { rate, offset } = segments[segment];
            let (trend, by_rate, by_offset) = match self.growth {
                Growth::Linear => (rate * t + offset, t, 1.0),
                Growth::Flat => (offset, 0.0, 1.0),
                Growth::Logistic => {
                    let share = logistic(rate * (t - offset));
                    let slope = self.cap[row] * share * (1.0 - share);
                    (self.cap[row] * share, slope * (t - offset), -slope * rate)
                }
            };
            let (added, factor) = (dot(&terms[..self.added], &beta[..self.added]), self.factor(terms, beta));
            let residual = self.y[row] - trend * factor - added;
            squares += residual * residual;
            let pull = residual * precision;
            add_scaled(&mut coefficients[..self.added], pull, &terms[..self.added]);
            add_scaled(&mut coefficients[self.added..], pull * trend, &terms[self.added..]);
            by_segment[segment].0 += pull * factor * by_rate;
            by_segment[segment].1 += pull * factor * by_offset;
        }
        self.share_out(&segments, by_segment, slopes);
        slopes[self.noise()] = squares * precision - self.rows() as f64;
        let log_density = -0.5 * squares * precision - self.rows() as f64 * x[self.noise()];
        let value = log_density + self.priors(x, noise, gradient);
        gradient.iter_mut().for_each(|it| *it = -*it);
        -value
    }

    fn factor(&self, terms: &[f64], beta: &[f64]) -> f64 {
        if self.added == self.term_count { 1.0 } else { 1.0 + dot(&terms[self.added..], &beta[self.added..]) }
    }

    /// From the derivatives by the segments' rates and offsets to those by `k`, `m` and the changes.
    fn share_out(&self, segments: &[Segment], mut by_segment: Vec<(f64, f64)>, slopes: &mut [f64]) {
        for index in (1..segments.len()).rev() {
            let (by_rate, by_offset) = by_segment[index];
            let change = self.changes[index - 1];
            let (before, after) = (&segments[index - 1], &segments[index]);
            match self.growth {
                // The offset falls by `change * delta`, the rate rises by `delta`.
                Growth::Linear => {
                    slopes[DELTA + index - 1] = by_rate - by_offset * change;
                    by_segment[index - 1].0 += by_rate;
                    by_segment[index - 1].1 += by_offset;
                }
                Growth::Logistic => {
                    let ratio = before.rate / after.rate;
                    let gap = change - before.offset;
                    let all_of_rate = by_rate + by_offset * gap * ratio / after.rate;
                    slopes[DELTA + index - 1] = all_of_rate;
                    by_segment[index - 1].0 += all_of_rate - by_offset * gap / after.rate;
                    by_segment[index - 1].1 += by_offset * ratio;
                }
                Growth::Flat => by_segment[index - 1].1 += by_offset,
            }
        }
        (slopes[K], slopes[M]) = by_segment[0];
    }

    /// The logarithm of the priors' density; their derivatives are added to `gradient`.
    fn priors(&self, x: &[f64], noise: f64, gradient: &mut [f64]) -> f64 {
        let mut density = 0.0;
        for place in [K, M] {
            let scaled = x[place] / GROWTH_PRIOR;
            density -= 0.5 * scaled * scaled;
            gradient[place] -= scaled / GROWTH_PRIOR;
        }
        for place in DELTA..self.noise() {
            density -= x[place].abs() / self.tau;
            gradient[place] -= sign(x[place]) / self.tau;
        }
        let scaled = noise / NOISE_PRIOR;
        density -= 0.5 * scaled * scaled;
        gradient[self.noise()] -= scaled * scaled;
        for (place, prior) in (self.beta()..).zip(&self.priors) {
            let scaled = x[place] / prior;
            density -= 0.5 * scaled * scaled;
            gradient[place] -= scaled / prior;
        }
        density
    }
}

/// The trend's segments: the first is before any change. Offsets keep the trend in one piece.
pub fn segments(growth: Growth, k: f64, m: f64, deltas: &[f64], changes: &[f64]) -> Vec<Segment> {
    let mut segments = vec![Segment { rate: k, offset: m }];
    let (mut rate, mut offset) = (k, m);
    for (delta, change) in deltas.iter().zip(changes) {
        let next = rate + delta;
        offset += match growth {
            Growth::Linear => -change * delta,
            Growth::Logistic => (change - offset) * (1.0 - rate / next),
            Growth::Flat => 0.0,
        };
        rate = next;
        segments.push(Segment { rate, offset });
    }
    segments
}

/// `1 / (1 + exp(-x))`, without overflow.
pub fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let power = x.exp();
        power / (1.0 + power)
    }
}

/// 0 at 0, where the prior has a corner.
fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

/// In four sums, which need not wait for each other.
#[inline]
pub fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (left_fours, right_fours) = (left.chunks_exact(4), right.chunks_exact(4));
    let rest: f64 = left_fours.remainder().iter().zip(right_fours.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in left_fours.zip(right_fours) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

/// `into += factor * of`.
#[inline]
pub fn add_scaled(into: &mut [f64], factor: f64, of: &[f64]) {
    for (into, of) in into.iter_mut().zip(of) {
        *into += factor * of;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(growth: Growth, added: usize) -> Problem {
        let rows = 40;
        let t: Vec<f64> = (0..rows).map(|row| row as f64 / (rows - 1) as f64).collect();
        let y = t.iter().map(|t| 0.3 + 0.4 * t + 0.1 * (9.0 * t).sin()).collect();
        let terms = t.iter().flat_map(|t| [(20.0 * t).sin(), (20.0 * t).cos(), (7.0 * t).sin()]).collect();
        Problem {
            growth,
            cap: if growth == Growth::Logistic { vec![1.3; rows] } else { Vec::new() },
            t,
            y,
            changes: vec![0.2, 0.45, 0.7],
            terms,
            term_count: 3,
            added,
            priors: vec![10.0, 0.5, 2.0],
            tau: 0.05,
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_value() {
        for growth in [Growth::Linear, Growth::Logistic, Growth::Flat] {
            for added in [0, 2, 3] {
                let problem = problem(growth, added);
                let x = [0.7, 0.2, 0.11, -0.2, 0.05, -1.1, 0.3, -0.2, 0.1];
                let mut gradient = vec![0.0; x.len()];
                problem.evaluate(&x, &mut gradient);
                for place in 0..x.len() {
                    let at = |step: f64| {
                        let mut moved = x;
                        moved[place] += step;
                        problem.evaluate(&moved, &mut vec![0.0; x.len()])
                    };
                    let slope = (at(1e-6) - at(-1e-6)) / 2e-6;
                    let found = gradient[place];
                    assert!(
                        (slope - found).abs() < 1e-5 * (1.0 + slope.abs()),
                        "{growth:?} {added} {place}: {slope} {found}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_trend_has_no_jumps() {
        for growth in [Growth::Linear, Growth::Logistic] {
            let changes = [0.3, 0.6];
            let all = segments(growth, 0.8, 0.1, &[0.4, -0.9], &changes);
            for (pair, change) in all.windows(2).zip(changes) {
                let at = |segment: &Segment| match growth {
                    Growth::Logistic => segment.rate * (change - segment.offset),
                    _ => segment.rate * change + segment.offset,
                };
                assert!((at(&pair[0]) - at(&pair[1])).abs() < 1e-12);
            }
        }
    }
}
