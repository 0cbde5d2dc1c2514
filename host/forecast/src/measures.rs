//! How far forecasts are from what came. e is y − ŷ; every measure is a mean over the steps of an origin, and then over
//! origins. Definitions: Hyndman and Koehler, "Another look at measures of forecast accuracy" (2006), for MASE and RMSSE;
//! sMAPE as in the M4 competition, 0 to 200; the pinball loss as in the M5 competition, not doubled.

use serde::Serialize;

/// Rows with y = 0 that are left out of MAPE at most, as a share of all; with more there is no MAPE.
const MOST_ZEROS: f64 = 0.01;

/// One origin: what came and what was expected, step by step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fold {
    pub y: Vec<f64>,
    pub yhat: Vec<f64>,
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
    pub scale: Scale,
}

/// What errors are divided by: of the origin's own training window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scale {
    /// Mean of |y_t − y_(t−1)|.
    pub absolute: f64,
    /// Mean of (y_t − y_(t−1))².
    pub squared: f64,
}

impl Scale {
    /// Of a training window, by steps of one row. 0 where it has one row or does not change.
    pub fn of(train: &[f64]) -> Self {
        let steps = || train.windows(2).map(|pair| pair[1] - pair[0]);
        Self {
            absolute: mean(steps().map(f64::abs)).unwrap_or(0.0),
            squared: mean(steps().map(|it| it * it)).unwrap_or(0.0),
        }
    }
}

/// The measures of one model; `None` where one is not defined.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Measures {
    /// 100·mean(|e| ÷ |y|), in percent.
    pub mape: Option<f64>,
    /// 200·mean(|e| ÷ (|y| + |ŷ|)), in percent; 0 ÷ 0 counts as 0.
    pub smape: Option<f64>,
    /// mean |e|, in the unit of y.
    pub mae: Option<f64>,
    /// √mean e², per origin, in the unit of y.
    pub rmse: Option<f64>,
    /// mean |e| ÷ mean |y_t − y_(t−1)| of the training window.
    pub mase: Option<f64>,
    /// √(mean e² ÷ mean (y_t − y_(t−1))² of the training window).
    pub rmsse: Option<f64>,
    /// Share of y within the band.
    pub coverage: Option<f64>,
    /// Mean pinball loss of both ends of the band ÷ the scale of MASE.
    pub pinball: Option<f64>,
    /// Rows with y = 0, which MAPE leaves out.
    pub zeros: usize,
    /// Rows that were judged.
    pub rows: usize,
}

/// The measures over all origins. `level`: the share that the band is to hold.
pub fn of(folds: &[Fold], level: f64) -> Measures {
    let rows = folds.iter().map(|fold| fold.y.len()).sum();
    let zeros = folds.iter().flat_map(|fold| &fold.y).filter(|y| **y == 0.0).count();
    let over = |each: &dyn Fn(&Fold) -> Option<f64>| mean_of_all(folds.iter().map(each));
    let mape =
        if zeros as f64 > MOST_ZEROS * rows as f64 { None } else { mean(folds.iter().filter_map(mape)) };
    Measures {
        mape,
        smape: over(&smape),
        mae: over(&mae),
        rmse: over(&|fold| Some(mean_square(fold)?.sqrt())),
        mase: over(&mase),
        rmsse: over(&|fold| {
            (fold.scale.squared > 0.0).then_some((mean_square(fold)? / fold.scale.squared).sqrt())
        }),
        coverage: over(&coverage),
        pinball: over(&|fold| pinball(fold, level)),
        zeros,
        rows,
    }
}

/// The measures of each step of the horizon, over all origins that reach it.
pub fn per_step(folds: &[Fold], level: f64) -> Vec<Measures> {
    let steps = folds.iter().map(|fold| fold.y.len()).max().unwrap_or(0);
    let at = |step: usize| {
        let reach = folds.iter().filter(|fold| fold.y.len() > step);
        reach.map(|fold| fold.step(step)).collect::<Vec<Fold>>()
    };
    (0..steps).map(|step| of(&at(step), level)).collect()
}

impl Fold {
    /// One step of it as a fold.
    fn step(&self, step: usize) -> Self {
        let one = |values: &[f64]| vec![values[step]];
        Self {
            y: one(&self.y),
            yhat: one(&self.yhat),
            lower: one(&self.lower),
            upper: one(&self.upper),
            scale: self.scale,
        }
    }

    fn errors(&self) -> impl Iterator<Item = f64> + '_ {
        self.y.iter().zip(&self.yhat).map(|(y, yhat)| y - yhat)
    }
}

/// The MASE of one origin.
pub fn mase(fold: &Fold) -> Option<f64> {
    (fold.scale.absolute > 0.0).then_some(mae(fold)? / fold.scale.absolute)
}

/// The MAPE of one origin, without rows of 0.
pub fn mape(fold: &Fold) -> Option<f64> {
    let shares = fold.errors().zip(&fold.y).filter(|(_, y)| **y != 0.0).map(|(e, y)| (e / y).abs());
    mean(shares).map(|share| 100.0 * share)
}

fn smape(fold: &Fold) -> Option<f64> {
    let shares = fold.errors().zip(fold.y.iter().zip(&fold.yhat)).map(|(e, (y, yhat))| {
        let size = y.abs() + yhat.abs();
        if size == 0.0 { 0.0 } else { e.abs() / size }
    });
    mean(shares).map(|share| 200.0 * share)
}

fn mae(fold: &Fold) -> Option<f64> {
    mean(fold.errors().map(f64::abs))
}

fn mean_square(fold: &Fold) -> Option<f64> {
    mean(fold.errors().map(|e| e * e))
}

fn coverage(fold: &Fold) -> Option<f64> {
    let bands = fold.lower.iter().zip(&fold.upper);
    mean(fold.y.iter().zip(bands).map(|(y, (lower, upper))| f64::from(u8::from(lower <= y && y <= upper))))
}

fn pinball(fold: &Fold, level: f64) -> Option<f64> {
    let (low, high) = ((1.0 - level) / 2.0, (1.0 + level) / 2.0);
    let loss = |q: f64, y: f64, quantile: f64| (q * (y - quantile)).max((q - 1.0) * (y - quantile));
    let bands = fold.lower.iter().zip(&fold.upper);
    let both = fold
        .y
        .iter()
        .zip(bands)
        .map(|(y, (lower, upper))| (loss(low, *y, *lower) + loss(high, *y, *upper)) / 2.0);
    (fold.scale.absolute > 0.0).then_some(mean(both)? / fold.scale.absolute)
}

/// `None` of nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// `None` where one of them is not defined, too: a mean over fewer origins than another model's would not compare.
fn mean_of_all(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    mean(values.collect::<Option<Vec<f64>>>()?.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<f64>, wanted: f64) {
        assert!(found.is_some_and(|found| (found - wanted).abs() < 1e-12), "{found:?} is not {wanted}");
    }

    fn fold(y: &[f64], yhat: &[f64], train: &[f64]) -> Fold {
        let shifted = |by: f64| yhat.iter().map(|it| it + by).collect();
        Fold {
            y: y.to_vec(),
            yhat: yhat.to_vec(),
            lower: shifted(-1.0),
            upper: shifted(1.0),
            scale: Scale::of(train),
        }
    }

    #[test]
    fn each_measure_is_what_its_definition_gives_by_hand() {
        // e = 1, −2, 0; the training window moves by 1, 3: absolute 2, squared 5.
        let found = of(&[fold(&[10.0, 20.0, 8.0], &[9.0, 22.0, 8.0], &[5.0, 6.0, 9.0])], 0.8);
        near(found.mape, 100.0 * (0.1 + 0.1 + 0.0) / 3.0);
        near(found.smape, 200.0 * (1.0 / 19.0 + 2.0 / 42.0) / 3.0);
        near(found.mae, 1.0);
        near(found.rmse, (5.0_f64 / 3.0).sqrt());
        near(found.mase, 0.5);
        near(found.rmsse, (5.0_f64 / 3.0 / 5.0).sqrt());
        near(found.coverage, 2.0 / 3.0);
        // Lower 8, 21, 7 at q = 0.1: 0.2, 0.9, 0.1. Upper 10, 23, 9 at q = 0.9: 0, 0.3, 0.1.
        near(found.pinball, (0.2 + 0.9 + 0.1 + 0.0 + 0.3 + 0.1) / 6.0 / 2.0);
        assert_eq!((found.rows, found.zeros), (3, 0));
    }

    #[test]
    fn origins_count_alike_however_many_steps_they_have() {
        let folds =
            [fold(&[2.0], &[1.0], &[0.0, 1.0]), fold(&[4.0, 4.0, 4.0], &[4.0, 4.0, 4.0], &[0.0, 4.0])];
        near(of(&folds, 0.8).mae, 0.5);
        near(of(&folds, 0.8).mase, 0.5);
        let steps = per_step(&folds, 0.8);
        assert_eq!(steps.len(), 3);
        near(steps[0].mae, 0.5);
        near(steps[2].mae, 0.0);
        near(steps[0].mase, 0.5);
    }

    #[test]
    fn a_measure_that_is_not_defined_is_none() {
        let flat = of(&[fold(&[1.0], &[2.0], &[3.0, 3.0])], 0.8);
        assert_eq!((flat.mase, flat.rmsse, flat.pinball), (None, None, None));
        near(flat.mae, 1.0);
        let zero = of(&[fold(&[0.0, 1.0], &[0.0, 1.0], &[0.0, 1.0])], 0.8);
        assert_eq!((zero.mape, zero.zeros), (None, 1));
        near(zero.smape, 0.0);
        let mut many = vec![1.0; 199];
        many.push(0.0);
        near(of(&[fold(&many, &[2.0; 200], &[0.0, 1.0])], 0.8).mape, 100.0);
        assert_eq!(of(&[], 0.8), Measures::default());
    }

    #[test]
    fn a_scale_is_the_mean_step_of_the_training_window() {
        assert_eq!(Scale::of(&[1.0, 4.0, 2.0]), Scale { absolute: 2.5, squared: 6.5 });
        assert_eq!(Scale::of(&[1.0]), Scale::default());
    }
}
