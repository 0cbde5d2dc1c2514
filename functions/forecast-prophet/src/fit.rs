//! The fit: which optimiser, from where, and what is said of it.

use forecast::{Refusal, refuse};

use crate::line_search::Point;
use crate::problem::{DELTA, K, M, Problem};
use crate::{lbfgs, newton, scaled};

/// Below so many rows Newton's method is taken at once.
const FEW_ROWS: usize = 100;
/// Of a series that never changes, which is not fitted.
const NO_NOISE: f64 = 1e-9;

/// The parameters that were found.
pub struct Fitted {
    pub k: f64,
    pub m: f64,
    pub deltas: Vec<f64>,
    pub noise: f64,
    pub beta: Vec<f64>,
}

/// Fits a problem. `notes` gets what a person has to know. `constant`: all values are the same.
pub fn fit(problem: &Problem, constant: bool, notes: &mut Vec<String>) -> Result<Fitted, Refusal> {
    let start = start(problem);
    if constant {
        let noise = NO_NOISE;
        return Ok(Fitted { noise, ..fitted(problem, &start) });
    }
    if !Point::at(problem, start.clone()).is_finite() {
        refuse!("`y` spans more than a number can hold: scale it, or forecast its logarithm");
    }
    let found = if problem.rows() < FEW_ROWS {
        by_newton(problem, start, notes)
    } else {
        match lbfgs::minimize(problem, start.clone()) {
            (_, lbfgs::End::NoStep) => {
                notes.push(
                    "The first way of fitting (L-BFGS) found no better step, so Newton's was taken."
                        .to_owned(),
                );
                by_newton(problem, start, notes)
            }
            (found, lbfgs::End::TooManySteps) => {
                let most = lbfgs::MOST_STEPS;
                notes.push(format!("The fit had not settled after {most} steps, and stands as it was then."));
                found
            }
            (found, lbfgs::End::Converged) => found,
        }
    };
    if !found.is_finite() {
        refuse!("the fit left what a number can hold: scale `y`, or forecast its logarithm");
    }
    Ok(fitted(problem, &found.x))
}

fn by_newton(problem: &Problem, start: Vec<f64>, notes: &mut Vec<String>) -> Point {
    let (found, settled) = newton::minimize(problem, start);
    if !settled {
        let most = newton::MOST_STEPS;
        notes.push(format!("The fit had not settled after {most} steps, and stands as it was then."));
    }
    found
}

/// The line through the first and the last row, no changes, noise of 1, no effects.
fn start(problem: &Problem) -> Vec<f64> {
    let mut x = vec![0.0; problem.parameters()];
    (x[K], x[M]) = scaled::start(problem.growth, &problem.t, &problem.y, &problem.cap);
    x
}

fn fitted(problem: &Problem, x: &[f64]) -> Fitted {
    Fitted {
        k: x[K],
        m: x[M],
        deltas: x[DELTA..problem.noise()].to_vec(),
        noise: x[problem.noise()].exp(),
        beta: x[problem.beta()..].to_vec(),
    }
}
