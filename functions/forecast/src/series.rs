//! The series of a request: rows with a value, on steps of the commonest distance.

use std::collections::BTreeMap;

use tallow_contract::forecast::{times_us, values};

use crate::{Refusal, Request, refuse};

/// What is known, and how far apart it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The rows with a `y`, ascending.
    pub times_us: Vec<i64>,
    pub y: Vec<f64>,
    /// The commonest distance of two rows of the history; the smallest of those that are equally common.
    pub step_us: i64,
    /// Steps from the first of these rows to each of them, rounded.
    pub steps: Vec<i64>,
}

/// Where a row to forecast is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The last known row before it; `None` if it is not after the first one.
    pub before: Option<usize>,
    /// Steps from that row, or, without one, from the first; at least 1.
    pub ahead: u32,
}

impl Series {
    /// Reads the history of a request.
    ///
    /// # Errors
    /// Names the column and row that are not as the contract asks; there are fewer than `least` rows with a `y`.
    pub fn read(request: &Request, least: u32) -> Result<Self, Refusal> {
        let all_us = times_us(&request.history, "the history")?;
        let all = values(&request.history, "y").map_err(|why| why.within("the history"))?;
        let rows = all_us.iter().zip(&all).filter_map(|(time_us, y)| Some((*time_us, (*y)?)));
        let (times_us, y): (Vec<i64>, Vec<f64>) = rows.unzip();
        if times_us.len() < least.max(1) as usize {
            let (rows, found) = (all.len(), times_us.len());
            refuse!("the history has {found} rows with a `y` (of {rows}), and at least {least} are needed");
        }
        let step_us = commonest_step_us(all_us).unwrap_or(1);
        let first_us = times_us[0];
        let steps = times_us.iter().map(|time_us| steps(*time_us, first_us, step_us)).collect();
        Ok(Self { times_us, y, step_us, steps })
    }

    /// Rows with a `y`.
    pub fn len(&self) -> usize {
        self.y.len()
    }

    /// Whether there is no row with a `y`: never, once it was read.
    pub fn is_empty(&self) -> bool {
        self.y.is_empty()
    }

    /// The index of the last row.
    pub fn last(&self) -> usize {
        self.len().saturating_sub(1)
    }

    /// Steps from one row to the next one that is known; 1 if none is missing.
    pub fn apart(&self, row: usize) -> u32 {
        clamped(self.steps[row] - self.steps[row - 1])
    }

    /// Steps between the first and the last row at which there is no row.
    pub fn missing(&self) -> u64 {
        let gaps = self.steps.windows(2).map(|pair| pair[1].saturating_sub(pair[0]).saturating_sub(1).max(0));
        gaps.fold(0, |sum, gap| sum.saturating_add(gap.unsigned_abs()))
    }

    /// Where a row of this time is.
    pub fn place(&self, time_us: i64) -> Place {
        let before = self.times_us.partition_point(|known_us| *known_us < time_us).checked_sub(1);
        let from_us = self.times_us[before.unwrap_or(0)];
        Place { before, ahead: clamped(steps(time_us, from_us, self.step_us)) }
    }

    /// The step of a time, counted from the first row.
    pub fn step_of(&self, time_us: i64) -> i64 {
        steps(time_us, self.times_us[0], self.step_us)
    }
}

fn clamped(steps: i64) -> u32 {
    u32::try_from(steps.unsigned_abs()).unwrap_or(u32::MAX).max(1)
}

/// Steps from one time to another, rounded to the nearest.
fn steps(time_us: i64, from_us: i64, step_us: i64) -> i64 {
    let (distance, step) = (i128::from(time_us) - i128::from(from_us), i128::from(step_us));
    let rounded = (2 * distance + step).div_euclid(2 * step);
    i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
}

/// The distance that most neighbours have; `None` for fewer than two rows.
fn commonest_step_us(times_us: &[i64]) -> Option<i64> {
    let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
    for pair in times_us.windows(2) {
        *counts.entry(pair[1].saturating_sub(pair[0])).or_default() += 1;
    }
    let most = counts.values().max().copied()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(step_us, _)| step_us)
}

#[cfg(test)]
mod tests {
    use tallow_contract::Table;
    use tallow_contract::forecast::{column, ds};

    use super::*;

    fn read(times_us: &[i64], y: &[f64], validity: Option<Vec<u8>>) -> Result<Series, Refusal> {
        let y = tallow_contract::Column { validity, ..column("y", y.to_vec()) };
        let history = Table { rows: times_us.len() as u32, columns: vec![ds(times_us), y] };
        Series::read(&Request { history, ..Request::default() }, 2)
    }

    #[test]
    fn the_step_is_the_commonest_and_what_is_missing_is_counted() {
        let series = read(&[0, 10, 20, 50, 60], &[1.0, 2.0, 3.0, 4.0, 5.0], Some(vec![0b11101])).unwrap();
        assert_eq!((series.step_us, series.missing()), (10, 3));
        assert_eq!((&series.steps[..], &series.y[..]), (&[0, 2, 5, 6][..], &[1.0, 3.0, 4.0, 5.0][..]));
        assert_eq!((series.apart(1), series.apart(3)), (2, 1));
    }

    #[test]
    fn a_row_is_placed_after_the_last_known_one_before_it() {
        let series = read(&[0, 10, 20], &[1.0, 2.0, 3.0], None).unwrap();
        for (time_us, before, ahead) in [
            (50, Some(2), 3),
            (54, Some(2), 3),
            (56, Some(2), 4),
            (21, Some(2), 1),
            (20, Some(1), 1),
            (0, None, 1),
        ] {
            assert_eq!(series.place(time_us), Place { before, ahead }, "{time_us}");
        }
        assert_eq!(series.place(i64::MAX).ahead, u32::MAX);
        assert_eq!(series.place(i64::MIN).before, None);
    }

    #[test]
    fn a_history_that_is_too_short_or_out_of_order_is_refused() {
        let said =
            |times_us: &[i64], y: &[f64], validity| read(times_us, y, validity).unwrap_err().to_string();
        let short = "the history has 1 rows with a `y` (of 2), and at least 2 are needed";
        assert_eq!(said(&[0, 1], &[1.0, 2.0], Some(vec![0b10])), short);
        assert_eq!(said(&[1, 0], &[1.0, 2.0], None), "`ds` of the history does not ascend at row 1");
        let infinite = "the history: `y` is inf in row 1: a finite number is needed";
        assert_eq!(said(&[0, 1], &[1.0, f64::INFINITY], None), infinite);
    }
}
