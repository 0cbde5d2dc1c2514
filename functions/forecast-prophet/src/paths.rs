//! The band ahead, by simulated futures: the trend changes ahead as often as it could in the history, by as much as it did
//! in the mean (`_sample_uncertainty` of Prophet 1.5).

use crate::fit::Fitted;
use crate::problem::{Growth, segments};
use crate::random::Random;

/// The rows ahead, in their order.
pub struct Ahead {
    /// Scaled times, all above 1.
    pub t: Vec<f64>,
    /// Scaled capacities; empty unless the growth is logistic.
    pub cap: Vec<f64>,
    /// Mean distance of two rows.
    pub step: f64,
}

/// For each row ahead, how far each of `samples` simulated trends is from the expected one. Row by row.
pub fn departures(
    growth: Growth,
    fitted: &Fitted,
    changes: &[f64],
    ahead: &Ahead,
    samples: usize,
    random: &mut Random,
) -> Vec<Vec<f64>> {
    let mut rows = vec![vec![0.0; samples]; ahead.t.len()];
    if growth == Growth::Flat {
        return rows;
    }
    let chance = changes.len() as f64 * ahead.step;
    let size =
        fitted.deltas.iter().map(|it| it.abs()).sum::<f64>() / fitted.deltas.len().max(1) as f64 + 1e-8;
    for sample in 0..samples {
        let mut before = 0.0;
        // Half of a change counts from its own row on, all of it from the next.
        let shifts: Vec<f64> = (0..rows.len())
            .map(|_| {
                let shift = if random.uniform() < chance { random.laplace(size) } else { 0.0 };
                let counted = (before + shift) / 2.0;
                before = shift;
                counted
            })
            .collect();
        match growth {
            Growth::Logistic => {
                logistic_path(fitted, changes, ahead, &shifts, |row, value| rows[row][sample] = value)
            }
            _ => {
                let (mut slope, mut value) = (0.0, 0.0);
                for (row, shift) in rows.iter_mut().zip(shifts) {
                    slope += shift;
                    value += slope;
                    row[sample] = value * ahead.step;
                }
            }
        }
    }
    if growth == Growth::Logistic {
        for row in &mut rows {
            let mean = row.iter().sum::<f64>() / samples as f64;
            row.iter_mut().for_each(|it| *it -= mean);
        }
    }
    rows
}

/// A trend between bounds that changes at each row ahead by a shift.
fn logistic_path(
    fitted: &Fitted,
    changes: &[f64],
    ahead: &Ahead,
    shifts: &[f64],
    mut into: impl FnMut(usize, f64),
) {
    let known = segments(Growth::Logistic, fitted.k, fitted.m, &fitted.deltas, changes);
    let (mut rate, mut offset) = known.last().map_or((fitted.k, fitted.m), |last| (last.rate, last.offset));
    for (row, ((t, cap), shift)) in ahead.t.iter().zip(&ahead.cap).zip(shifts).enumerate() {
        if *shift != 0.0 {
            let next = rate + shift;
            offset += (t - offset) * (1.0 - rate / next);
            rate = next;
        }
        into(row, cap * crate::problem::logistic(rate * (t - offset)));
    }
}

/// A quantile between the sorted values next to it, as NumPy takes it. Sorts the values.
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let place = share * (values.len() - 1) as f64;
    let low = place.floor() as usize;
    let high = (low + 1).min(values.len() - 1);
    values[low] + (values[high] - values[low]) * (place - low as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_between_the_values_next_to_them() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(
            (quantile(&mut values, 0.5), quantile(&mut values, 0.1), quantile(&mut values, 1.0)),
            (2.5, 1.3, 4.0)
        );
    }

    #[test]
    fn the_band_widens_with_the_distance_and_the_size_of_changes() {
        let spread = |deltas: f64| {
            let fitted = Fitted { k: 0.5, m: 0.1, deltas: vec![deltas; 25], noise: 0.1, beta: vec![] };
            let changes: Vec<f64> = (1..=25).map(|at| at as f64 * 0.03).collect();
            let ahead =
                Ahead { t: (1..=30).map(|at| 1.0 + at as f64 / 100.0).collect(), cap: vec![], step: 0.01 };
            let mut rows = departures(Growth::Linear, &fitted, &changes, &ahead, 500, &mut Random::new(1));
            [0, 10, 29].map(|row| quantile(&mut rows[row], 0.9) - quantile(&mut rows[row], 0.1))
        };
        let (small, large) = (spread(0.01), spread(0.1));
        assert!(small[0] <= small[1] && small[1] < small[2], "{small:?}");
        assert!(large[2] > 5.0 * small[2], "{small:?} {large:?}");
    }
}
