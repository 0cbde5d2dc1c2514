//! Minimising by Newton's method as Stan does (`newton.hpp`): the curvature by differences of the gradient, made positive
//! definite by its eigenvalues, and the step halved until the value is no larger. Few rows are fitted so.

use crate::eigen::eigen;
use crate::line_search::Point;
use crate::problem::{EXACT, Problem, dot};

/// Stan takes ten times as many. Some two hundred are usual, and each costs hundreds of evaluations.
pub const MOST_STEPS: u32 = 1_000;
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
        let exact = here.x[problem.noise()] < EXACT;
        if exact || (here.value - value).abs() <= CONVERGED {
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
    // They mostly are, and then there is a way that takes a hundredth of the time.
    if let Some(solved) = by_cholesky(matrix.clone(), vector) {
        return solved;
    }
    let (values, vectors) = eigen(matrix, size);
    let mut solved = vec![0.0; size];
    for (value, along) in values.iter().zip(vectors.chunks_exact(size)) {
        let share = dot(along, vector) / value.abs();
        solved.iter_mut().zip(along).for_each(|(it, along)| *it += share * along);
    }
    solved
}

/// The inverse of a positive definite matrix times a vector, by Cholesky's factors (Golub and Van Loan, section 4.2);
/// `None` for any other matrix.
fn by_cholesky(mut matrix: Vec<f64>, vector: &[f64]) -> Option<Vec<f64>> {
    let size = vector.len();
    for row in 0..size {
        for column in 0..=row {
            let (upper, lower) = matrix.split_at_mut(row * size);
            let ahead = if column == row { &lower[..column] } else { &upper[column * size..][..column] };
            let rest = lower[column] - dot(&lower[..column], ahead);
            lower[column] = if column == row { rest.sqrt() } else { rest / upper[column * size + column] };
        }
        // A square root of a negative number is none of these.
        if !(matrix[row * size + row].is_finite() && matrix[row * size + row] > 0.0) {
            return None;
        }
    }
    let mut solved = vector.to_vec();
    for row in 0..size {
        let known = dot(&matrix[row * size..][..row], &solved[..row]);
        solved[row] = (solved[row] - known) / matrix[row * size + row];
    }
    for row in (0..size).rev() {
        solved[row] /= matrix[row * size + row];
        let value = solved[row];
        let factors = &matrix[row * size..][..row];
        solved[..row].iter_mut().zip(factors).for_each(|(it, factor)| *it -= factor * value);
    }
    Some(solved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_solve_a_positive_definite_matrix_alike() {
        let size = 9;
        let root: Vec<f64> = (0..size * size).map(|at| ((at * 37 % 11) as f64 - 5.0) / 7.0).collect();
        let row = |at: usize| &root[at * size..][..size];
        let square =
            |at: usize| dot(row(at / size), row(at % size)) + f64::from(u8::from(at / size == at % size));
        let matrix: Vec<f64> = (0..size * size).map(square).collect();
        let vector: Vec<f64> = (0..size).map(|at| at as f64 - 3.0).collect();
        let solved = by_cholesky(matrix.clone(), &vector).unwrap();
        for (row, expected) in matrix.chunks_exact(size).zip(&vector) {
            assert!((dot(row, &solved) - expected).abs() < 1e-10);
        }
        let (values, vectors) = eigen(matrix, size);
        for (value, along) in values.iter().zip(vectors.chunks_exact(size)) {
            assert!((dot(along, &solved) - dot(along, &vector) / value).abs() < 1e-10);
        }
        assert_eq!(by_cholesky(vec![1.0, 2.0, 2.0, 1.0], &[1.0, 1.0]), None);
    }

    #[test]
    fn a_negative_curvature_is_taken_as_a_positive_one() {
        assert_eq!(solve(vec![-2.0, 0.0, 0.0, 4.0], &[2.0, 2.0]), [1.0, 0.5]);
    }
}
