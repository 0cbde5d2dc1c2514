//! At which rows a series is cut, what is learnt from and what is judged.

use std::ops::Range;

use crate::settings::Folds;

/// One cut: the model sees `train` and is judged on `test`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub train: Range<usize>,
    pub test: Range<usize>,
}

/// The cuts of a series, each list from the oldest to the newest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// By which settings are chosen. All their rows come before the first cut of `judge`.
    pub choose: Vec<Origin>,
    /// By which the chosen settings are judged.
    pub judge: Vec<Origin>,
}

/// The newest cut leaves `horizon` rows; each one before it is `spacing` rows earlier. Those that would leave fewer than
/// `least` rows to learn from are left out: fewer come back than asked for.
pub fn rolling(rows: usize, horizon: usize, least: usize, folds: &Folds, choosing: bool) -> Origins {
    let cut = |at: usize| {
        let first = folds.train.map_or(0, |train| at.saturating_sub(train));
        Origin { train: first..at, test: at..at + horizon }
    };
    let back = |from: Option<usize>, count: usize| {
        let steps = (0..count).map_while(|step| from?.checked_sub(step * folds.spacing));
        let mut cuts: Vec<Origin> = steps.take_while(|at| *at >= least).map(cut).collect();
        cuts.reverse();
        cuts
    };
    let newest = rows.checked_sub(horizon);
    if !choosing {
        return Origins { choose: Vec::new(), judge: back(newest, folds.count) };
    }
    let all = back(newest, rows).len();
    // A cut at least is left to choose by, where there are two.
    let count = folds.count.min(all.saturating_sub(1)).max(usize::from(all == 1));
    let mut judge = back(newest, count);
    let choose = loop {
        let before = judge.first().and_then(|first| first.train.end.checked_sub(horizon));
        let choose = back(before, folds.choose);
        if !choose.is_empty() || judge.len() <= 1 {
            break choose;
        }
        judge.remove(0);
    };
    Origins { choose, judge }
}

/// Prophet's own cross-validation with its defaults: cuts back from the last row that leaves `horizon` rows, half a
/// horizon apart, while they leave `initial` rows; all rows before a cut are learnt from.
pub fn of_prophet(rows: usize, horizon: usize, initial: usize) -> Vec<Origin> {
    let Some(newest) = rows.checked_sub(horizon) else { return Vec::new() };
    let period = (horizon / 2).max(1);
    let cuts = (0..).map_while(|step: usize| newest.checked_sub(step.checked_mul(period)?));
    let mut cuts: Vec<Origin> = cuts
        .take_while(|at| *at > initial)
        .map(|at| Origin { train: 0..at, test: at..at + horizon })
        .collect();
    cuts.reverse();
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folds(count: usize, spacing: usize, train: Option<usize>) -> Folds {
        Folds { count, choose: 2, spacing, train }
    }

    #[test]
    fn the_newest_cut_leaves_the_horizon_and_others_lie_before_it() {
        let found = rolling(100, 10, 20, &folds(3, 15, Some(30)), false);
        let cuts: Vec<_> = found.judge.iter().map(|it| (it.train.clone(), it.test.clone())).collect();
        assert_eq!(cuts, [(30..60, 60..70), (45..75, 75..85), (60..90, 90..100)]);
        assert_eq!(found.choose, []);
        let all = rolling(100, 10, 20, &folds(1, 15, None), false);
        assert_eq!(all.judge, [Origin { train: 0..90, test: 90..100 }]);
    }

    #[test]
    fn settings_are_chosen_by_rows_before_the_first_judged_cut() {
        for (rows, spacing) in [(100, 15), (100, 3), (60, 10), (45, 10)] {
            let found = rolling(rows, 10, 20, &folds(3, spacing, None), true);
            let first = found.judge[0].train.end;
            assert!(!found.choose.is_empty() || found.judge.len() == 1, "{rows} {spacing}");
            assert!(
                found.choose.iter().all(|it| it.test.end <= first && it.train.len() >= 20),
                "{rows}: {found:?}"
            );
        }
        let found = rolling(100, 10, 20, &folds(3, 15, None), true);
        let ends = |of: &[Origin]| of.iter().map(|it| it.train.end).collect::<Vec<_>>();
        assert_eq!((ends(&found.choose), ends(&found.judge)), (vec![35, 50], vec![60, 75, 90]));
    }

    #[test]
    fn a_short_series_has_fewer_cuts_or_none() {
        assert_eq!(rolling(40, 10, 20, &folds(12, 10, None), false).judge.len(), 2);
        assert_eq!(rolling(29, 10, 20, &folds(12, 10, None), false).judge, []);
        assert_eq!(rolling(5, 10, 2, &folds(12, 10, None), true), Origins::default());
        let one = rolling(30, 10, 20, &folds(12, 10, None), true);
        assert_eq!((one.choose.len(), one.judge.len()), (0, 1));
    }

    #[test]
    fn prophets_own_cuts_are_half_a_horizon_apart() {
        let ends: Vec<usize> = of_prophet(100, 10, 75).iter().map(|it| it.train.end).collect();
        assert_eq!(ends, [80, 85, 90]);
        assert_eq!(of_prophet(5, 10, 0), []);
    }
}
