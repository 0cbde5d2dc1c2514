//! Moving averages of y as regressors, and how they continue where y is not known.

use std::ops::Range;

/// What stands in an average's place after the rows that are learnt from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continue {
    /// The last one that was known at the cut.
    Held,
    /// The true one, which holds the very value that is forecast: a leak.
    Leaked,
}

pub fn name(length: usize) -> String {
    format!("ma{length}")
}

/// The average of each row with those before it, of fewer rows at the start. `known`: rows that are learnt from; the
/// first average is of its first row.
pub fn of(y: &[f64], length: usize, known: &Range<usize>, continued: Continue) -> Vec<f64> {
    let first = |row: usize| {
        if row >= known.start {
            known.start.max((row + 1).saturating_sub(length))
        } else {
            (row + 1).saturating_sub(length)
        }
    };
    let average = |row: usize| {
        let rows = &y[first(row)..=row];
        rows.iter().sum::<f64>() / rows.len() as f64
    };
    let held = known.end.checked_sub(1).map_or(0.0, average);
    (0..y.len())
        .map(|row| if continued == Continue::Held && row >= known.end { held } else { average(row) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_is_of_its_row_and_those_before_it() {
        let y = [2.0, 4.0, 9.0, 5.0, 1.0];
        assert_eq!(of(&y, 2, &(0..5), Continue::Leaked), [2.0, 3.0, 6.5, 7.0, 3.0]);
        assert_eq!(of(&y, 9, &(0..5), Continue::Leaked), [2.0, 3.0, 5.0, 5.0, 4.2]);
    }

    #[test]
    fn nothing_after_the_cut_is_in_what_is_held() {
        let y = [2.0, 4.0, 9.0, 5.0, 1.0];
        let held = of(&y, 2, &(0..3), Continue::Held);
        assert_eq!(held, [2.0, 3.0, 6.5, 6.5, 6.5]);
        let other = of(&[2.0, 4.0, 9.0, 500.0, 100.0], 2, &(0..3), Continue::Held);
        assert_eq!(held, other);
        assert_eq!(
            of(&y, 3, &(1..3), Continue::Held)[1..],
            [4.0, 6.5, 6.5, 6.5],
            "from the window's first row on"
        );
    }
}
