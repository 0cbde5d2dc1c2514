//! What is added to the trend, or multiplies it: the columns of seasonalities, holidays and regressors.

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::PI;

use forecast::{Holiday, Known};

use crate::plan::{Mode, Plan, Season, Switch};

pub const DAY_US: i64 = 86_400_000_000;

/// Columns that share a name and a prior.
pub struct Part {
    /// As the contract names components: `season:yearly`.
    pub name: String,
    pub mode: Mode,
    pub prior: f64,
    source: Source,
}

enum Source {
    /// Sine and cosine of each multiple.
    Season { days: f64, order: u32 },
    /// The days on which each column is 1.
    Holiday(Vec<BTreeSet<i64>>),
    /// The place among the regressors, what is subtracted, and what it is divided by.
    Regressor { place: usize, mean: f64, deviation: f64 },
}

impl Part {
    pub fn columns(&self) -> usize {
        match &self.source {
            Source::Season { order, .. } => 2 * *order as usize,
            Source::Holiday(columns) => columns.len(),
            Source::Regressor { .. } => 1,
        }
    }

    /// Whether it is a holiday that none of these times is on.
    pub fn is_never(&self, times_us: &[i64]) -> bool {
        let Source::Holiday(columns) = &self.source else { return false };
        let is_on = |time_us: &i64| columns.iter().any(|days| days.contains(&time_us.div_euclid(DAY_US)));
        !times_us.iter().any(is_on)
    }

    /// Appends the values of a row's columns.
    pub fn row(&self, time_us: i64, regressor: impl Fn(usize) -> f64, into: &mut Vec<f64>) {
        match &self.source {
            Source::Season { days, order } => {
                let turn = PI * 2.0 * (time_us as f64 / DAY_US as f64);
                for multiple in 1..=*order {
                    let angle = f64::from(multiple) / days * turn;
                    into.extend([angle.sin(), angle.cos()]);
                }
            }
            Source::Holiday(columns) => {
                let day = time_us.div_euclid(DAY_US);
                into.extend(columns.iter().map(|days| f64::from(u8::from(days.contains(&day)))));
            }
            Source::Regressor { place, mean, deviation } => into.push((regressor(*place) - mean) / deviation),
        }
    }
}

/// The parts of a model, in Prophet's order. `times_us`: of the rows that are fitted.
pub fn parts(
    plan: &Plan,
    times_us: &[i64],
    holidays: &[Holiday],
    regressors: &[Known],
    fitted: &[usize],
) -> Vec<Part> {
    let mut parts: Vec<Part> =
        seasons(plan, times_us).into_iter().map(|season| season_part(plan, season)).collect();
    parts.extend(holiday_parts(plan, holidays));
    parts.extend(regressors.iter().enumerate().map(|(place, known)| {
        let values: Vec<f64> = fitted.iter().filter_map(|row| known.history.get(*row)).copied().collect();
        let (mean, deviation) = standard(&values);
        Part {
            name: format!("regressor:{}", known.name),
            mode: plan.regressor_mode,
            prior: plan.regressor_prior,
            source: Source::Regressor { place, mean, deviation },
        }
    }));
    parts
}

fn season_part(plan: &Plan, season: Season) -> Part {
    Part {
        name: format!("season:{}", season.name),
        mode: plan.season_mode,
        prior: plan.season_prior,
        source: Source::Season { days: season.days, order: season.order },
    }
}

/// Further seasonalities, then those of Prophet that the history is long and dense enough for.
fn seasons(plan: &Plan, times_us: &[i64]) -> Vec<Season> {
    let span_us = times_us.last().zip(times_us.first()).map_or(0, |(last, first)| last - first);
    let least_us = times_us.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(i64::MAX);
    let mut all = plan.seasons.clone();
    let built_in = [
        ("yearly", plan.yearly, 365.25, 10, span_us >= 730 * DAY_US),
        ("weekly", plan.weekly, 7.0, 3, span_us >= 14 * DAY_US && least_us < 7 * DAY_US),
        ("daily", plan.daily, 1.0, 4, span_us >= 2 * DAY_US && least_us < DAY_US),
    ];
    for (name, switch, days, usual, fits) in built_in {
        let order = match switch {
            Switch::Auto if plan.seasons.iter().any(|season| season.name == name) => 0,
            Switch::Auto => u32::from(fits) * usual,
            Switch::Off => 0,
            Switch::On => usual,
            Switch::Order(order) => order,
        };
        if order > 0 {
            all.retain(|season| season.name != name);
            all.push(Season { name: name.to_owned(), days, order });
        }
    }
    all
}

/// One part per name. Prophet sorts the columns by their names, which end in the sign and the number of the day.
fn holiday_parts(plan: &Plan, holidays: &[Holiday]) -> Vec<Part> {
    let mut by_name: BTreeMap<&str, BTreeMap<String, BTreeSet<i64>>> = BTreeMap::new();
    for holiday in holidays {
        let columns = by_name.entry(&holiday.name).or_default();
        let day = holiday.ds_us.div_euclid(DAY_US);
        for offset in holiday.lower_days..=holiday.upper_days {
            let sign = if offset >= 0 { '+' } else { '-' };
            let column = format!("{sign}{}", offset.unsigned_abs());
            columns.entry(column).or_default().insert(day.saturating_add(i64::from(offset)));
        }
    }
    let part = |(name, columns): (&str, BTreeMap<String, BTreeSet<i64>>)| Part {
        name: format!("holiday:{name}"),
        mode: plan.holiday_mode,
        prior: plan.holiday_prior,
        source: Source::Holiday(columns.into_values().collect()),
    };
    by_name.into_iter().map(part).collect()
}

/// Mean and deviation (by n - 1) by which a regressor is standardised; 0 and 1 if it is constant or only 0 and 1.
fn standard(values: &[f64]) -> (f64, f64) {
    let first = values.first().copied().unwrap_or(0.0);
    if values.iter().all(|it| *it == first) || values.iter().all(|it| *it == 0.0 || *it == 1.0) {
        return (0.0, 1.0);
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|it| (it - mean) * (it - mean)).sum();
    (mean, (squares / (count - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(settings: &[(&str, &str)]) -> Plan {
        crate::testing::plan(settings)
    }

    fn names(plan: &Plan, days: i64, step_us: i64) -> Vec<String> {
        let times_us: Vec<i64> = (0..=days * DAY_US / step_us).map(|step| step * step_us).collect();
        seasons(plan, &times_us)
            .into_iter()
            .map(|season| format!("{}:{}", season.name, season.order))
            .collect()
    }

    #[test]
    fn seasonalities_follow_the_length_and_the_steps() {
        let auto = plan(&[]);
        assert_eq!(names(&auto, 729, DAY_US), ["weekly:3"]);
        assert_eq!(names(&auto, 730, DAY_US), ["yearly:10", "weekly:3"]);
        assert_eq!(names(&auto, 728, 7 * DAY_US), [""; 0]);
        assert_eq!(names(&auto, 13, DAY_US), [""; 0]);
        assert_eq!(names(&auto, 2, DAY_US / 24), ["daily:4"]);
        let set =
            [("yearly-seasonality", "false"), ("weekly-seasonality", "5"), ("daily-seasonality", "true")];
        assert_eq!(names(&plan(&set), 800, DAY_US), ["weekly:5", "daily:4"]);
        assert_eq!(names(&plan(&[("seasonalities", "weekly:7:2")]), 20, DAY_US), ["weekly:2"]);
    }

    #[test]
    fn a_holiday_has_a_column_for_each_of_its_days() {
        let holiday =
            |day: i64| Holiday { name: "h".to_owned(), ds_us: day * DAY_US, lower_days: -1, upper_days: 1 };
        let parts = holiday_parts(&plan(&[]), &[holiday(10), holiday(20)]);
        let row = |day: i64| {
            let mut row = Vec::new();
            parts[0].row(day * DAY_US + 5, |_| 0.0, &mut row);
            row
        };
        // Of +0, +1 and -1.
        assert_eq!(
            (row(10), row(21), row(19), row(15)),
            (vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 0.0], vec![0.0, 0.0, 1.0], vec![0.0; 3])
        );
    }

    #[test]
    fn regressors_of_0_and_1_and_constant_ones_stay_as_they_are() {
        assert_eq!(standard(&[0.0, 1.0, 1.0]), (0.0, 1.0));
        assert_eq!(standard(&[7.0, 7.0]), (0.0, 1.0));
        assert_eq!(standard(&[1.0, 2.0, 3.0]), (2.0, 1.0));
    }
}
