//! A step along a direction that meets the strong Wolfe conditions (Nocedal and Wright, "Numerical Optimization", 2nd
//! edition, algorithms 3.5 and 3.6), with the constants and the order of trials of Stan's `bfgs_linesearch.hpp`: a fit then
//! goes the way that Stan's goes.

use crate::problem::{Problem, add_scaled, dot};

/// Sufficient decrease, and curvature.
const C1: f64 = 1e-4;
const C2: f64 = 0.9;
pub const LEAST_STEP: f64 = 1e-12;
const LEAST_RANGE: f64 = 1e-16;
const MOST_TRIALS: u32 = 20;
const MOST_RESTARTS: u32 = 10;

/// A point, its value and its gradient.
#[derive(Clone)]
pub struct Point {
    pub x: Vec<f64>,
    pub value: f64,
    pub gradient: Vec<f64>,
}

impl Point {
    pub fn at(problem: &Problem, x: Vec<f64>) -> Self {
        let mut gradient = vec![0.0; x.len()];
        let value = problem.evaluate(&x, &mut gradient);
        Point { x, value, gradient }
    }

    /// Whether all of it can be counted with.
    pub fn is_finite(&self) -> bool {
        self.value.is_finite() && self.gradient.iter().all(|it| it.is_finite())
    }

    fn move_to(&mut self, problem: &Problem, from: &Point, step: f64, direction: &[f64]) {
        self.x.copy_from_slice(&from.x);
        add_scaled(&mut self.x, step, direction);
        self.value = problem.evaluate(&self.x, &mut self.gradient);
    }
}

/// One end of a range that holds a good step.
#[derive(Clone, Copy)]
struct End {
    step: f64,
    value: f64,
    slope: f64,
}

/// Where the search starts from, and in which direction.
struct Line<'a> {
    problem: &'a Problem,
    from: &'a Point,
    direction: &'a [f64],
    slope: f64,
}

/// Searches from `from` along `direction`, with `step` as the first trial. Gives the step that was taken, to `to`; `None` if
/// there is none.
pub fn search(problem: &Problem, from: &Point, direction: &[f64], step: f64, to: &mut Point) -> Option<f64> {
    let line = Line { problem, from, direction, slope: dot(&from.gradient, direction) };
    let mut before = End { step: LEAST_STEP, value: from.value, slope: line.slope };
    let (mut trial, mut trials, mut restarts) = (step, 0, 0);
    while trials < MOST_TRIALS {
        to.move_to(problem, from, trial, direction);
        if !to.is_finite() {
            if restarts >= MOST_RESTARTS {
                return None;
            }
            trial = 0.5 * (before.step + trial);
            restarts += 1;
            continue;
        }
        restarts = 0;
        let here = End { step: trial, value: to.value, slope: dot(&to.gradient, direction) };
        // Stan compares with the first trial here, whatever the current one is.
        if here.value > from.value + step * C1 * line.slope || (here.value >= before.value && trials > 0) {
            return line.zoom(before, here, to);
        }
        if here.slope.abs() <= -C2 * line.slope {
            return Some(trial);
        }
        if here.slope >= 0.0 {
            return line.zoom(here, before, to);
        }
        before = here;
        trial *= 10.0;
        trials += 1;
    }
    None
}

impl Line<'_> {
    /// Narrows a range down whose end `low` has the lower value.
    fn zoom(&self, mut low: End, mut high: End, to: &mut Point) -> Option<f64> {
        for trial in 1.. {
            if (low.step - high.step).abs() < LEAST_RANGE {
                return None;
            }
            let mut step = if trial % 5 == 0 { middle(low, high) } else { between(low, high) };
            to.move_to(self.problem, self.from, step, self.direction);
            while !to.is_finite() {
                let least = low.step.min(high.step);
                step = 0.5 * (step + least);
                if (least - step).abs() < LEAST_RANGE {
                    return None;
                }
                to.move_to(self.problem, self.from, step, self.direction);
            }
            let here = End { step, value: to.value, slope: dot(&to.gradient, self.direction) };
            if here.value > self.from.value + step * C1 * self.slope || here.value >= low.value {
                high = here;
                continue;
            }
            if here.slope.abs() <= -C2 * self.slope {
                return Some(step);
            }
            if here.slope * (high.step - low.step) >= 0.0 {
                high = low;
            }
            low = here;
        }
        None
    }
}

fn middle(low: End, high: End) -> f64 {
    0.5 * (low.step + high.step)
}

/// The minimum of the cubic through both ends, unless it is too near one of them.
fn between(low: End, high: End) -> f64 {
    let d1 = low.slope + high.slope - 3.0 * (low.value - high.value) / (low.step - high.step);
    let root = (d1 * d1 - low.slope * high.slope).sqrt();
    let d2 = if high.step < low.step { -root } else { root };
    let step =
        high.step - (high.step - low.step) * (high.slope + d2 - d1) / (high.slope - low.slope + 2.0 * d2);
    let margin = 0.01 * (low.step - high.step).abs();
    let (least, most) = (low.step.min(high.step) + margin, low.step.max(high.step) - margin);
    if step.is_finite() && step >= least && step <= most { step } else { middle(low, high) }
}

/// The place from `least` to `most` at which a cubic is lowest: it is 0 at 0 with slope `slope`, and has the value `value`
/// and the slope `end_slope` at `end`.
pub fn cubic_minimum(slope: f64, end: f64, value: f64, end_slope: f64, least: f64, most: f64) -> f64 {
    let c3 = (-12.0 * value + 6.0 * end * (slope + end_slope)) / (end * end * end);
    let c2 = -(4.0 * slope + 2.0 * end_slope) / end + 6.0 * value / (end * end);
    let root = (c2 * c2 - 2.0 * slope * c3).sqrt();
    let at = |x: f64| x * (x * (x * c3 / 3.0 + c2) / 2.0 + slope);
    let mut best = (at(least), least);
    for x in [most, -(c2 + root) / c3, -(c2 - root) / c3] {
        if (x == most || (least < x && x < most)) && at(x) < best.0 {
            best = (at(x), x);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cubic_is_lowest_at_its_minimum_or_an_end() {
        // x^3 - x: 0 at 0 with slope -1; at 2 it is 6 with slope 11; its minimum is at 1 / sqrt(3).
        assert!((cubic_minimum(-1.0, 2.0, 6.0, 11.0, 0.0, 1.0) - 1.0 / 3f64.sqrt()).abs() < 1e-12);
        assert_eq!(cubic_minimum(-1.0, 2.0, 6.0, 11.0, 0.0, 0.5), 0.5);
    }
}
