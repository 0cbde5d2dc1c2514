//! Minimising by Newton's method as Stan does (`newton.hpp`): the curvature by differences of the gradient, made positive
//! definite by its eigenvalues, and the step halved until the value is no larger. Few rows are fitted so.

use crate::line_search::Point;
use crate::problem::{Problem, dot};

const MOST_STEPS: u32 = 10_000;
const CONVERGED: f64 = 1e-8;
const LEAST_STEP: f64 = 1e-50;
/// Of the differences, and the weights of the gradients at -2, -1, 1 and 2 of them.
const DIFFERENCE: f64 = 1e-3;
const WEIGHTS: [(f64, f64); 4] =
    [(-2.0, 1.0 / 12.0), (-1.0, -2.0 / 3.0), (1.0, 2.0 / 3.0), (2.0, -1.0 / 12.0)];

/// Minimises from `start`. Gives the last point, and whether it converged.
pub fn minimize(problem: &Problem, start: Vec<f64>) -> (Point, bool) {
    let mut here = Point::at(problem, start);
    for _ in 0..MOST_STEPS {
        let value = here.value;
        here = step(problem, &here);
        if (here.value - value).abs() <= CONVERGED {
            return (here, true);
        }
    }
    (here, false)
}

fn step(problem: &Problem, here: &Point) -> Point {
    let direction = solve(curvature(problem, &here.x), &here.gradient);
    let mut size = 1.0;
    while size >= LEAST_STEP {
        let x = here.x.iter().zip(&direction).map(|(x, by)| x - size * by).collect();
        let next = Point::at(problem, x);
        if next.value.is_finite() && next.value <= here.value {
            return next;
        }
        size *= 0.5;
    }
    here.clone()
}

/// The second derivatives, row by row.
fn curvature(problem: &Problem, x: &[f64]) -> Vec<f64> {
    let size = x.len();
    let mut hessian = vec![0.0; size * size];
    let (mut moved, mut gradient) = (x.to_vec(), vec![0.0; size]);
    for row in 0..size {
        for (steps, weight) in WEIGHTS {
            moved[row] = x[row] + steps * DIFFERENCE;
            problem.evaluate(&moved, &mut gradient);
            for (column, slope) in gradient.iter().enumerate() {
                let share = 0.5 * weight * slope / DIFFERENCE;
                hessian[row * size + column] += share;
                hessian[column * size + row] += share;
            }
        }
        moved[row] = x[row];
    }
    hessian
}

/// The inverse of a symmetric matrix times a vector, with all eigenvalues made positive.
fn solve(matrix: Vec<f64>, vector: &[f64]) -> Vec<f64> {
    let size = vector.len();
    let (values, vectors) = eigen(matrix, size);
    let mut solved = vec![0.0; size];
    for (value, along) in values.iter().zip(vectors.chunks_exact(size)) {
        let share = dot(along, vector) / value.abs();
        solved.iter_mut().zip(along).for_each(|(it, along)| *it += share * along);
    }
    solved
}

/// Most passes over the matrix; a few are enough.
const MOST_SWEEPS: usize = 60;

/// The eigenvalues of a symmetric matrix and its eigenvectors, one after the other, by Jacobi's rotations (Golub and Van
/// Loan, "Matrix Computations", section 8.5).
fn eigen(mut matrix: Vec<f64>, size: usize) -> (Vec<f64>, Vec<f64>) {
    let mut vectors = vec![0.0; size * size];
    (0..size).for_each(|at| vectors[at * size + at] = 1.0);
    for _ in 0..MOST_SWEEPS {
        let beside = |(at, value): (usize, &f64)| if at / size == at % size { 0.0 } else { value * value };
        let off: f64 = matrix.iter().enumerate().map(beside).sum();
        let all = dot(&matrix, &matrix);
        if off <= all * f64::EPSILON * f64::EPSILON {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(&mut matrix, &mut vectors, size, p, q);
            }
        }
    }
    ((0..size).map(|at| matrix[at * size + at]).collect(), vectors)
}

/// Makes the element at `p`, `q` zero.
fn rotate(matrix: &mut [f64], vectors: &mut [f64], size: usize, p: usize, q: usize) {
    let off = matrix[p * size + q];
    if off == 0.0 {
        return;
    }
    let half = (matrix[q * size + q] - matrix[p * size + p]) / (2.0 * off);
    let tangent = half.signum() / (half.abs() + (1.0 + half * half).sqrt());
    let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
    let sine = tangent * cosine;
    let turn = |left: f64, right: f64| (cosine * left - sine * right, sine * left + cosine * right);
    for at in 0..size {
        let (left, right) = turn(matrix[at * size + p], matrix[at * size + q]);
        (matrix[at * size + p], matrix[at * size + q]) = (left, right);
    }
    for at in 0..size {
        let (left, right) = turn(matrix[p * size + at], matrix[q * size + at]);
        (matrix[p * size + at], matrix[q * size + at]) = (left, right);
        let (left, right) = turn(vectors[p * size + at], vectors[q * size + at]);
        (vectors[p * size + at], vectors[q * size + at]) = (left, right);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvectors_are_only_stretched() {
        let size = 6;
        let at =
            |row: usize, column: usize| ((row + 1) * (column + 1) % 7) as f64 - (row + column) as f64 / 5.0;
        let matrix: Vec<f64> = (0..size * size).map(|it| at(it / size, it % size)).collect();
        let symmetric: Vec<f64> =
            (0..size * size).map(|it| matrix[it] + matrix[it % size * size + it / size]).collect();
        let (values, vectors) = eigen(symmetric.clone(), size);
        for (value, vector) in values.iter().zip(vectors.chunks_exact(size)) {
            assert!((dot(vector, vector) - 1.0).abs() < 1e-12);
            for (row, it) in symmetric.chunks_exact(size).zip(vector) {
                assert!((dot(row, vector) - value * it).abs() < 1e-10);
            }
        }
    }

    #[test]
    fn a_negative_curvature_is_taken_as_a_positive_one() {
        assert_eq!(solve(vec![-2.0, 0.0, 0.0, 4.0], &[2.0, 2.0]), [1.0, 0.5]);
    }
}
