//! One symbol's values, a row per step, and what is wrong with them.

use std::collections::BTreeMap;

use chrono::DateTime;
use tallow_store::{Digest, Hasher};

/// Steps that may be missing, as a share of all.
const MOST_MISSING: f64 = 0.1;

/// Ascending by time, each step at most once; every value is finite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    pub symbol: String,
    /// Starts of the steps, µs since 1970-01-01 UTC.
    pub ds_us: Vec<i64>,
    pub y: Vec<f64>,
    /// What else is known of each step, for charts; empty if nothing is.
    pub candles: Vec<Option<Candle>>,
}

/// A step's prices beside its close.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candle {
    pub open: f64,
    pub high: f64,
    pub low: f64,
}

impl Candle {
    /// Of two candles, the earlier one first.
    fn and(self, later: Self) -> Self {
        Self { open: self.open, high: self.high.max(later.high), low: self.low.min(later.low) }
    }
}

/// A value as it was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub time_us: i64,
    /// `None` where there is none: it was not known, or was filled in.
    pub value: Option<f64>,
    /// Where the value is the close of one.
    pub candle: Option<Candle>,
}

/// Why a series is not forecast.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error(
        "it has {rows} rows, and {least} are needed: {why}. Give it more history, or a smaller `horizon`"
    )]
    Short { rows: usize, least: usize, why: String },
    #[error("it is {value} in all of its {rows} rows: there is nothing to forecast")]
    Flat { value: String, rows: usize },
    #[error(
        "{missing} of its {steps} steps are missing, the longest gap {longest} from {from}: a forecast would be made up. \
         Fill or backfill them, cut the series, or name a longer `step`"
    )]
    Gaps { missing: usize, steps: usize, longest: usize, from: String },
    #[error("`log` needs values above 0, and it is {value} on {day}: leave `log` out")]
    NotPositive { value: String, day: String },
}

impl Series {
    /// The last value of each step, and what people should know of how it was made.
    ///
    /// # Errors
    /// Too much of it is missing, or it does not change.
    pub fn of_points(symbol: &str, points: &[Point], step_us: i64) -> Result<(Self, Vec<String>), Flaw> {
        let mut remarks = Vec::new();
        let mut by_time: BTreeMap<i64, (f64, Option<Candle>)> = BTreeMap::new();
        let (mut unknown, mut twice, mut differ) = (0_usize, 0_usize, 0_usize);
        for point in points {
            let Some(value) = point.value.filter(|value| value.is_finite()) else {
                unknown += 1;
                continue;
            };
            if let Some((before, _)) = by_time.insert(point.time_us, (value, point.candle)) {
                twice += 1;
                differ += usize::from(before != value);
            }
        }
        if unknown > 0 {
            remarks.push(format!(
                "{unknown} rows have no value, or one that was filled in: they count as missing"
            ));
        }
        if twice > 0 {
            remarks.push(format!(
                "{twice} rows are of a time that was there before, {differ} of them with another value: the last one counts"
            ));
        }
        let mut steps: BTreeMap<i64, (f64, Option<Candle>)> = BTreeMap::new();
        for (time_us, &(value, candle)) in &by_time {
            let step = steps.entry(time_us.div_euclid(step_us) * step_us).or_insert((value, candle));
            // Of a step with a row that has no candle nothing is known.
            let both = step.1.zip(candle).map(|(earlier, later)| earlier.and(later));
            *step = (value, both);
        }
        if steps.len() < by_time.len() {
            remarks.push(format!(
                "{} rows are {} steps: the last value of each counts",
                by_time.len(),
                steps.len()
            ));
        }
        let (ds_us, values): (Vec<i64>, Vec<(f64, Option<Candle>)>) = steps.into_iter().unzip();
        let (y, mut candles): (Vec<f64>, Vec<Option<Candle>>) = values.into_iter().unzip();
        if candles.iter().all(Option::is_none) {
            candles.clear();
        }
        let series = Self { symbol: symbol.to_owned(), ds_us, y, candles };
        series.check_gaps(step_us, &mut remarks)?;
        series.check_flat()?;
        Ok((series, remarks))
    }

    /// The last value of each step that has one, by the step's start.
    pub fn closes(points: &[Point], step_us: i64) -> BTreeMap<i64, f64> {
        let known = |point: &Point| Some((point.time_us, point.value.filter(|value| value.is_finite())?));
        let by_time: BTreeMap<i64, f64> = points.iter().filter_map(known).collect();
        by_time.into_iter().map(|(time_us, value)| (time_us.div_euclid(step_us) * step_us, value)).collect()
    }

    pub fn len(&self) -> usize {
        self.y.len()
    }

    pub fn is_empty(&self) -> bool {
        self.y.is_empty()
    }

    /// Of its times, values and candles; not of its name.
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        self.ds_us.iter().for_each(|ds_us| hasher.update(&ds_us.to_le_bytes()));
        self.y.iter().for_each(|y| hasher.update(&y.to_bits().to_le_bytes()));
        for (row, candle) in self.candles.iter().enumerate() {
            let Some(Candle { open, high, low }) = candle else { continue };
            hasher.update(&(row as u64).to_le_bytes());
            [open, high, low].iter().for_each(|price| hasher.update(&price.to_bits().to_le_bytes()));
        }
        hasher.finish()
    }

    /// That there are so many rows.
    pub fn check_length(&self, least: usize, why: impl FnOnce() -> String) -> Result<(), Flaw> {
        if self.len() >= least { Ok(()) } else { Err(Flaw::Short { rows: self.len(), least, why: why() }) }
    }

    /// That a logarithm can be taken.
    pub fn check_positive(&self) -> Result<(), Flaw> {
        match self.y.iter().position(|y| *y <= 0.0) {
            Some(row) => Err(Flaw::NotPositive { value: self.y[row].to_string(), day: day(self.ds_us[row]) }),
            None => Ok(()),
        }
    }

    fn check_gaps(&self, step_us: i64, remarks: &mut Vec<String>) -> Result<(), Flaw> {
        let (Some(first), Some(last)) = (self.ds_us.first(), self.ds_us.last()) else {
            return Ok(());
        };
        let steps = ((last - first) / step_us + 1) as usize;
        let missing = steps - self.len();
        if missing == 0 {
            return Ok(());
        }
        let gaps = self
            .ds_us
            .windows(2)
            .map(|pair| (((pair[1] - pair[0]) / step_us - 1) as usize, pair[0] + step_us));
        let (longest, from_us) = gaps.max_by_key(|(length, _)| *length).unwrap_or_default();
        let from = day(from_us);
        if missing as f64 > MOST_MISSING * steps as f64 {
            return Err(Flaw::Gaps { missing, steps, longest, from });
        }
        remarks.push(format!(
            "{missing} of {steps} steps are missing, the longest gap {longest} from {from}: they are left out"
        ));
        Ok(())
    }

    fn check_flat(&self) -> Result<(), Flaw> {
        let Some(first) = self.y.first() else { return Ok(()) };
        match self.len() > 1 && self.y.iter().all(|y| y == first) {
            true => Err(Flaw::Flat { value: first.to_string(), rows: self.len() }),
            false => Ok(()),
        }
    }
}

/// `2025-01-31`, with the time of day where it is not midnight.
pub fn day(time_us: i64) -> String {
    let time = DateTime::from_timestamp_micros(time_us).unwrap_or_default();
    let midnight = time_us.rem_euclid(86_400_000_000) == 0;
    time.format(if midnight { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_US: i64 = 86_400_000_000;

    fn at(time_us: i64, value: f64) -> Point {
        Point { time_us, value: Some(value), candle: None }
    }

    #[test]
    fn the_last_value_of_each_step_counts_in_any_order() {
        let points = [at(DAY_US + 5, 4.0), at(0, 1.0), at(DAY_US - 1, 2.0), at(DAY_US, 3.0)];
        let (series, remarks) = Series::of_points("A", &points, DAY_US).unwrap();
        assert_eq!((series.ds_us, series.y), (vec![0, DAY_US], vec![2.0, 4.0]));
        assert_eq!(remarks, ["4 rows are 2 steps: the last value of each counts"]);
    }

    #[test]
    fn the_candles_of_a_step_are_one() {
        let candle = |open, high, low| Some(Candle { open, high, low });
        let points = [
            Point { candle: candle(3.0, 9.0, 2.0), ..at(5, 4.0) },
            Point { candle: candle(1.0, 5.0, 0.5), ..at(0, 3.0) },
            Point { candle: candle(4.0, 6.0, 4.0), ..at(DAY_US, 5.0) },
            at(DAY_US + 1, 6.0),
        ];
        let (series, _) = Series::of_points("A", &points, DAY_US).unwrap();
        assert_eq!((series.y, series.candles), (vec![4.0, 6.0], vec![candle(1.0, 9.0, 0.5), None]));
        let (series, _) = Series::of_points("A", &[at(0, 1.0), at(DAY_US, 2.0)], DAY_US).unwrap();
        assert!(series.candles.is_empty());
    }

    #[test]
    fn what_is_there_twice_or_not_at_all_is_said() {
        let none = Point { time_us: 3, value: None, candle: None };
        let points = [at(0, 1.0), at(0, 1.0), at(1, 2.0), at(1, 5.0), none, at(2, f64::NAN)];
        let (series, remarks) = Series::of_points("A", &points, 1).unwrap();
        assert_eq!(series.y, [1.0, 5.0]);
        assert!(remarks[0].starts_with("2 rows have no value"), "{remarks:?}");
        assert!(
            remarks[1].starts_with("2 rows are of a time that was there before, 1 of them"),
            "{remarks:?}"
        );
    }

    #[test]
    fn few_missing_steps_are_said_and_many_are_a_flaw() {
        let days = |missing: &[i64]| {
            let there = (0..30).filter(|day| !missing.contains(day));
            there.map(|day| at(day * DAY_US, 1.0 + day as f64)).collect::<Vec<_>>()
        };
        let (series, remarks) = Series::of_points("A", &days(&[4, 7, 8]), DAY_US).unwrap();
        assert_eq!(series.len(), 27);
        assert_eq!(
            remarks,
            ["3 of 30 steps are missing, the longest gap 2 from 1970-01-08: they are left out"]
        );
        let flaw = Series::of_points("A", &days(&[4, 7, 8, 9]), DAY_US).unwrap_err();
        assert!(
            flaw.to_string().starts_with("4 of its 30 steps are missing, the longest gap 3 from 1970-01-08")
        );
    }

    #[test]
    fn a_series_that_does_not_change_is_a_flaw() {
        let flaw = Series::of_points("A", &[at(0, 2.5), at(1, 2.5)], 1).unwrap_err();
        assert_eq!(flaw.to_string(), "it is 2.5 in all of its 2 rows: there is nothing to forecast");
        assert!(Series::of_points("A", &[], 1).unwrap().0.is_empty());
    }

    #[test]
    fn a_logarithm_is_taken_of_values_above_zero() {
        let (series, _) = Series::of_points("A", &[at(0, 2.5), at(DAY_US, 0.0)], DAY_US).unwrap();
        assert!(series.check_positive().unwrap_err().to_string().contains("it is 0 on 1970-01-02"));
        assert!(
            series.check_length(3, || "x".to_owned()).is_err() && series.check_length(2, String::new).is_ok()
        );
    }
}
