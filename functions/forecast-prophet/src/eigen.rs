//! Eigenvalues and eigenvectors of a symmetric matrix: to three diagonals by Householder's reflections, then by the
//! implicit QL method (Bowdler, Martin, Reinsch and Wilkinson, "The QR and QL Algorithms for Symmetric Matrices", 1968; the
//! routines `tred2` and `tql2` of EISPACK).

use crate::problem::{add_scaled, dot};

/// Most turns for one eigenvalue; a few are enough.
const MOST_TURNS: usize = 60;

/// The eigenvalues, and the eigenvectors one after the other.
pub fn eigen(matrix: Vec<f64>, size: usize) -> (Vec<f64>, Vec<f64>) {
    let mut work = Work { size, vectors: matrix, values: vec![0.0; size], beside: vec![0.0; size] };
    if size > 0 {
        work.leave_three_diagonals();
        work.accumulate();
        work.leave_one_diagonal();
    }
    (work.values, work.vectors)
}

struct Work {
    size: usize,
    /// Column by column: what was the matrix becomes the eigenvectors.
    vectors: Vec<f64>,
    /// The diagonal.
    values: Vec<f64>,
    /// What is beside it.
    beside: Vec<f64>,
}

impl Work {
    fn at(&self, row: usize, column: usize) -> f64 {
        self.vectors[column * self.size + row]
    }

    fn set(&mut self, row: usize, column: usize, value: f64) {
        self.vectors[column * self.size + row] = value;
    }

    fn leave_three_diagonals(&mut self) {
        let last = self.size - 1;
        (0..self.size).for_each(|column| self.values[column] = self.at(last, column));
        for row in (1..self.size).rev() {
            let scale: f64 = self.values[..row].iter().map(|it| it.abs()).sum();
            self.values[row] = if scale == 0.0 { self.leave_row(row) } else { self.reflect_row(row, scale) };
        }
    }

    /// A row that is zero beside the diagonal already.
    fn leave_row(&mut self, row: usize) -> f64 {
        self.beside[row] = self.values[row - 1];
        for column in 0..row {
            self.values[column] = self.at(row - 1, column);
            self.set(row, column, 0.0);
            self.set(column, row, 0.0);
        }
        0.0
    }

    /// Makes a row zero but beside the diagonal. Gives half of the reflection's square.
    fn reflect_row(&mut self, row: usize, scale: f64) -> f64 {
        let size = self.size;
        self.values[..row].iter_mut().for_each(|it| *it /= scale);
        let square = dot(&self.values[..row], &self.values[..row]);
        let before = self.values[row - 1];
        let root = if before > 0.0 { -square.sqrt() } else { square.sqrt() };
        self.beside[row] = scale * root;
        let half = square - before * root;
        self.values[row - 1] = before - root;
        self.beside[..row].fill(0.0);
        for column in 0..row {
            let value = self.values[column];
            self.set(column, row, value);
            let below = &self.vectors[column * size..][column + 1..row];
            let sum = self.beside[column]
                + self.vectors[column * size + column] * value
                + dot(below, &self.values[column + 1..row]);
            add_scaled(&mut self.beside[column + 1..row], value, below);
            self.beside[column] = sum;
        }
        self.beside[..row].iter_mut().for_each(|it| *it /= half);
        let share = dot(&self.beside[..row], &self.values[..row]) / (half + half);
        add_scaled(&mut self.beside[..row], -share, &self.values[..row]);
        for column in 0..row {
            let (value, beside) = (self.values[column], self.beside[column]);
            let below = &mut self.vectors[column * size..][column..row];
            add_scaled(below, -value, &self.beside[column..row]);
            add_scaled(below, -beside, &self.values[column..row]);
            self.values[column] = self.at(row - 1, column);
            self.set(row, column, 0.0);
        }
        half
    }

    /// The product of all reflections.
    fn accumulate(&mut self) {
        let (size, last) = (self.size, self.size - 1);
        for row in 0..last {
            let diagonal = self.at(row, row);
            self.set(last, row, diagonal);
            self.set(row, row, 1.0);
            let half = self.values[row + 1];
            let (known, next) = self.vectors.split_at_mut((row + 1) * size);
            let next = &mut next[..=row];
            if half != 0.0 {
                for (value, it) in self.values.iter_mut().zip(next.iter()) {
                    *value = it / half;
                }
                for column in known.chunks_exact_mut(size) {
                    let share = dot(next, &column[..=row]);
                    add_scaled(&mut column[..=row], -share, &self.values[..=row]);
                }
            }
            next.fill(0.0);
        }
        for column in 0..size {
            self.values[column] = self.at(last, column);
            self.set(last, column, 0.0);
        }
        self.set(last, last, 1.0);
        self.beside[0] = 0.0;
    }

    fn leave_one_diagonal(&mut self) {
        let size = self.size;
        self.beside.rotate_left(1);
        self.beside[size - 1] = 0.0;
        let (mut shift, mut largest) = (0.0, 0.0);
        for low in 0..size {
            largest = f64::max(largest, self.values[low].abs() + self.beside[low].abs());
            let small = f64::EPSILON * largest;
            let high = (low..size).find(|at| self.beside[*at].abs() <= small).unwrap_or(size - 1);
            for _ in 0..MOST_TURNS {
                if high == low || self.beside[low].abs() <= small {
                    break;
                }
                shift += self.turn(low, high);
            }
            self.values[low] += shift;
            self.beside[low] = 0.0;
        }
    }

    /// One turn of what is from `low` to `high`. Gives by how much the eigenvalues were shifted.
    fn turn(&mut self, low: usize, high: usize) -> f64 {
        let size = self.size;
        let (value, off) = (self.values[low], self.beside[low]);
        let ratio = (self.values[low + 1] - value) / (2.0 * off);
        let length = ratio.hypot(1.0).copysign(ratio);
        self.values[low] = off / (ratio + length);
        self.values[low + 1] = off * (ratio + length);
        let (next, shifted) = (self.values[low + 1], value - self.values[low]);
        self.values[low + 2..].iter_mut().for_each(|it| *it -= shifted);
        let mut along = self.values[high];
        let after_low = self.beside[low + 1];
        let (mut cosine, mut cosine_2, mut cosine_3) = (1.0, 1.0, 1.0);
        let (mut sine, mut sine_2) = (0.0, 0.0);
        for at in (low..high).rev() {
            (cosine_3, cosine_2, sine_2) = (cosine_2, cosine, sine);
            let (turned, kept) = (cosine * self.beside[at], cosine * along);
            let length = along.hypot(self.beside[at]);
            self.beside[at + 1] = sine * length;
            sine = self.beside[at] / length;
            cosine = along / length;
            along = cosine * self.values[at] - sine * turned;
            self.values[at + 1] = kept + sine * (cosine * turned + sine * self.values[at]);
            let (left, right) = self.vectors[at * size..].split_at_mut(size);
            for (left, right) in left.iter_mut().zip(&mut right[..size]) {
                (*left, *right) = (cosine * *left - sine * *right, sine * *left + cosine * *right);
            }
        }
        along = -sine * sine_2 * cosine_3 * after_low * self.beside[low] / next;
        self.beside[low] = sine * along;
        self.values[low] = cosine * along;
        shifted
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
    fn a_diagonal_matrix_is_its_own_answer() {
        let (values, vectors) = eigen(vec![3.0, 0.0, 0.0, -2.0], 2);
        assert_eq!((values, vectors), (vec![3.0, -2.0], vec![1.0, 0.0, 0.0, 1.0]));
    }
}
