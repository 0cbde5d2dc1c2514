//! Minimising by L-BFGS as Stan does (`bfgs.hpp`, `lbfgs_update.hpp`; Nocedal and Wright, algorithms 7.4 and 7.5): the
//! same memory, first step, resets and tolerances. The posterior has corners at changes of 0, where the way that is taken
//! decides where it ends.

use std::collections::VecDeque;

use crate::line_search::{LEAST_STEP, Point, cubic_minimum, search};
use crate::problem::{EXACT, Problem, add_scaled, dot};

/// Steps that are remembered.
const MEMORY: usize = 5;
const FIRST_STEP: f64 = 1e-3;
pub const MOST_STEPS: u32 = 10_000;
/// Of the value, absolute, and relative in units of rounding.
const VALUE: f64 = 1e-12;
const RELATIVE_VALUE: f64 = 1e4;
/// Of the gradient.
const GRADIENT: f64 = 1e-8;
const RELATIVE_GRADIENT: f64 = 1e7;
/// Of the parameters.
const MOVE: f64 = 1e-8;

/// Why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Converged,
    /// After [`MOST_STEPS`].
    TooManySteps,
    /// No step makes the value smaller.
    NoStep,
}

/// A step that is remembered.
struct Step {
    moved: Vec<f64>,
    turned: Vec<f64>,
    /// 1 over their product.
    weight: f64,
}

#[derive(Default)]
struct Memory {
    steps: VecDeque<Step>,
    /// Length of the newest step over that of its change of gradient.
    scale: f64,
}

impl Memory {
    /// Takes a step. After a `reset` it gives the first guess of the curvature, else 1.
    fn take(&mut self, moved: Vec<f64>, turned: Vec<f64>, reset: bool) -> f64 {
        let (product, square) = (dot(&turned, &moved), dot(&turned, &turned));
        if reset {
            self.steps.clear();
        }
        self.scale = product / square;
        if self.steps.len() == MEMORY {
            self.steps.pop_front();
        }
        self.steps.push_back(Step { moved, turned, weight: 1.0 / product });
        if reset { square / product } else { 1.0 }
    }

    /// Minus the inverse of the curvature times the gradient.
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut direction: Vec<f64> = gradient.iter().map(|it| -it).collect();
        let mut shares = Vec::with_capacity(self.steps.len());
        for step in self.steps.iter().rev() {
            let share = step.weight * dot(&step.moved, &direction);
            add_scaled(&mut direction, -share, &step.turned);
            shares.push(share);
        }
        direction.iter_mut().for_each(|it| *it *= self.scale);
        for (step, share) in self.steps.iter().zip(shares.iter().rev()) {
            let back = step.weight * dot(&step.turned, &direction);
            add_scaled(&mut direction, share - back, &step.moved);
        }
        direction
    }
}

/// Minimises from `start`, whose value is finite. Gives the last point and why it is the last.
pub fn minimize(problem: &Problem, start: Vec<f64>) -> (Point, End) {
    let mut here = Point::at(problem, start);
    let mut next = here.clone();
    let mut memory = Memory::default();
    let mut direction: Vec<f64> = here.gradient.iter().map(|it| -it).collect();
    // The step before: its length, its direction, the value and the slope at its start.
    let mut before: Option<(f64, Vec<f64>, f64, f64)> = None;
    for count in 1.. {
        let mut reset = count == 1;
        let first = match &before {
            Some((length, along, value, slope)) => {
                let end_slope = dot(&here.gradient, along);
                let guess = cubic_minimum(*slope, *length, here.value - value, end_slope, LEAST_STEP, 1.0);
                (1.01 * guess).min(1.0)
            }
            None => FIRST_STEP,
        };
        let mut taken = search(problem, &here, &direction, first, &mut next);
        if taken.is_none() && !reset {
            reset = true;
            direction = here.gradient.iter().map(|it| -it).collect();
            taken = search(problem, &here, &direction, FIRST_STEP, &mut next);
        }
        let Some(length) = taken else { return (here, End::NoStep) };
        std::mem::swap(&mut here, &mut next);
        let moved: Vec<f64> = here.x.iter().zip(&next.x).map(|(now, was)| now - was).collect();
        let turned: Vec<f64> = here.gradient.iter().zip(&next.gradient).map(|(now, was)| now - was).collect();
        let move_length = dot(&moved, &moved).sqrt();
        let curvature = memory.take(moved, turned, reset);
        let following = memory.direction(&here.gradient);
        direction.iter_mut().for_each(|it| *it /= curvature);
        let slope = dot(&next.gradient, &direction);
        before = Some((length * curvature, direction, next.value, slope));
        direction = following;
        if here.x[problem.noise()] < EXACT {
            return (here, End::Converged);
        }
        if let Some(end) = ends(&here, &next, move_length, &direction, count) {
            return (here, end);
        }
    }
    (here, End::TooManySteps)
}

fn ends(here: &Point, was: &Point, move_length: f64, direction: &[f64], count: u32) -> Option<End> {
    let decrease = (was.value - here.value).abs();
    let size = here.value.abs().max(1.0);
    if decrease < VALUE || dot(&here.gradient, &here.gradient).sqrt() < GRADIENT || move_length < MOVE {
        return Some(End::Converged);
    }
    if count >= MOST_STEPS {
        return Some(End::TooManySteps);
    }
    let relative = decrease / was.value.abs().max(size);
    let slope = -dot(direction, &here.gradient) / size;
    (relative < RELATIVE_VALUE * f64::EPSILON || slope < RELATIVE_GRADIENT * f64::EPSILON)
        .then_some(End::Converged)
}
