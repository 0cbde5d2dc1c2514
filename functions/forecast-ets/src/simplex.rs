//! The search for the least value of a function.

/// The least value that is found from `start` on, with the usual moves of J. A. Nelder and R. Mead (1965), "A Simplex
/// Method for Function Minimization", The Computer Journal 7, 308-313. The same function and start give the same bits.
pub fn least(start: &[f64], most_calls: usize, cost: &mut impl FnMut(&[f64]) -> f64) -> (Vec<f64>, f64) {
    let mut corners = corners(start, cost);
    let mut calls = corners.len();
    while calls < most_calls {
        corners.sort_by(|left, right| left.1.total_cmp(&right.1));
        let (best, worst) = (corners[0].1, corners[corners.len() - 1].1);
        if worst - best <= 1e-10 * (best.abs() + 1e-10) {
            break;
        }
        calls += step(&mut corners, cost);
    }
    corners.sort_by(|left, right| left.1.total_cmp(&right.1));
    corners.swap_remove(0)
}

type Corner = (Vec<f64>, f64);

/// The start, and a corner per number that differs in it.
fn corners(start: &[f64], cost: &mut impl FnMut(&[f64]) -> f64) -> Vec<Corner> {
    let mut at = |point: Vec<f64>| {
        let value = cost(&point);
        (point, value)
    };
    let mut corners = vec![at(start.to_vec())];
    for index in 0..start.len() {
        let mut point = start.to_vec();
        point[index] += if point[index] == 0.0 { 1e-3 } else { 0.05 * point[index] };
        corners.push(at(point));
    }
    corners
}

/// Moves the worst corner, or all towards the best one. Gives how often the cost was asked for.
fn step(corners: &mut [Corner], cost: &mut impl FnMut(&[f64]) -> f64) -> usize {
    let last = corners.len() - 1;
    let (best, second, worst) = (corners[0].1, corners[last - 1].1, corners[last].1);
    let centre: Vec<f64> = (0..last)
        .map(|index| corners[..last].iter().map(|(point, _)| point[index]).sum::<f64>() / last as f64)
        .collect();
    let from = corners[last].0.clone();
    let mut towards = |by: f64| {
        let point: Vec<f64> =
            centre.iter().zip(&from).map(|(centre, from)| centre + by * (from - centre)).collect();
        let value = cost(&point);
        (point, value)
    };
    let mirrored = towards(-1.0);
    if mirrored.1 < best {
        let farther = towards(-2.0);
        corners[last] = if farther.1 < mirrored.1 { farther } else { mirrored };
        return 2;
    }
    if mirrored.1 < second {
        corners[last] = mirrored;
        return 1;
    }
    let (nearer, limit) =
        if mirrored.1 < worst { (towards(-0.5), mirrored.1) } else { (towards(0.5), worst) };
    if nearer.1 < limit {
        corners[last] = nearer;
        return 2;
    }
    let best = corners[0].0.clone();
    for (point, value) in &mut corners[1..] {
        point.iter_mut().zip(&best).for_each(|(number, best)| *number = best + 0.5 * (*number - best));
        *value = cost(point);
    }
    2 + last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_valley_of_rosenbrock_is_walked_to_its_end() {
        let mut valley = |at: &[f64]| (1.0 - at[0]).powi(2) + 100.0 * (at[1] - at[0] * at[0]).powi(2);
        let (at, value) = least(&[-1.2, 1.0], 1_000, &mut valley);
        assert!((at[0] - 1.0).abs() < 1e-4 && (at[1] - 1.0).abs() < 1e-4 && value < 1e-8, "{at:?} {value}");
    }

    #[test]
    fn walls_are_not_crossed() {
        let mut wall = |at: &[f64]| if at[0] < 2.0 { f64::INFINITY } else { at[0] };
        let (at, _) = least(&[3.0], 200, &mut wall);
        assert!(at[0] >= 2.0 && at[0] < 2.001, "{at:?}");
    }
}
