//! The methods: what is expected of a row, and how far off that may be.

use std::collections::BTreeMap;

use forecast::{Refusal, Rows, Series, refuse};

/// Names of the methods.
pub const WORDS: [&str; 4] = ["last", "drift", "seasonal-naive", "mean"];

/// A method with what it has fitted.
pub enum Method {
    Last,
    Drift {
        /// Change per step.
        slope: f64,
    },
    Seasonal {
        /// Steps in a season.
        season: i64,
        /// Values by their step.
        by_step: BTreeMap<i64, f64>,
    },
    Mean {
        mean: f64,
    },
}

/// The deviation of a step.
pub struct Sigma {
    pub value: f64,
    /// Residuals that it is of.
    pub residuals: usize,
}

/// What is expected of a row.
pub struct Expected {
    pub mean: f64,
    /// How much wider its deviation is than a step's.
    pub widened: f64,
}

impl Method {
    pub fn fit(word: &str, season: u32, series: &Series) -> Result<Self, Refusal> {
        let steps = series.steps[series.last()].max(1) as f64;
        Ok(match word {
            "drift" => Self::Drift { slope: (series.y[series.last()] - series.y[0]) / steps },
            "seasonal-naive" => {
                let by_step: BTreeMap<i64, f64> =
                    series.steps.iter().copied().zip(series.y.iter().copied()).collect();
                let method = Self::Seasonal { season: i64::from(season), by_step };
                if method.residuals(series).next().is_none() {
                    refuse!(
                        "no two of the {} rows with a `y` are a `season` of {season} rows apart: a longer history or a \
                         shorter season is needed",
                        series.len()
                    );
                }
                method
            }
            "mean" => Self::Mean { mean: series.y.iter().sum::<f64>() / series.len() as f64 },
            _ => Self::Last,
        })
    }

    /// Parameters that were fitted, which residuals are fewer by.
    pub fn fitted(&self) -> usize {
        match self {
            Self::Last | Self::Seasonal { .. } => 0,
            Self::Drift { .. } | Self::Mean { .. } => 1,
        }
    }

    /// The root of the mean square of the residuals. The mean is over the residuals less the fitted parameters; 0 if
    /// none are left.
    pub fn sigma(&self, series: &Series) -> Sigma {
        let (residuals, squares) =
            self.residuals(series).fold((0_usize, 0.0), |(count, sum), it| (count + 1, sum + it * it));
        let value = match residuals.saturating_sub(self.fitted()) {
            0 => 0.0,
            left => (squares / left as f64).sqrt(),
        };
        Sigma { value, residuals }
    }

    /// Deviations from what the rows before them make expected, each of one step.
    fn residuals<'a>(&'a self, series: &'a Series) -> Box<dyn Iterator<Item = f64> + 'a> {
        let change = move |row: usize, slope: f64| {
            let apart = f64::from(series.apart(row));
            (series.y[row] - series.y[row - 1] - slope * apart) / apart.sqrt()
        };
        match self {
            Self::Last => Box::new((1..series.len()).map(move |row| change(row, 0.0))),
            Self::Drift { slope } => Box::new((1..series.len()).map(move |row| change(row, *slope))),
            Self::Mean { mean } => Box::new(series.y.iter().map(move |y| y - mean)),
            Self::Seasonal { season, by_step } => Box::new(
                by_step
                    .iter()
                    .filter_map(move |(step, y)| Some(y - by_step.get(&step.checked_sub(*season)?)?)),
            ),
        }
    }

    /// What is expected of a row, of what lies before it.
    pub fn at(&self, series: &Series, time_us: i64) -> Expected {
        let place = series.place(time_us);
        let before = place.before.map_or(series.y[0], |row| series.y[row]);
        let ahead = f64::from(place.ahead);
        match self {
            Self::Last => Expected { mean: before, widened: ahead.sqrt() },
            Self::Drift { slope } => {
                let steps = series.steps[series.last()].max(1) as f64;
                let mean = if place.before.is_some() { before + slope * ahead } else { before };
                Expected { mean, widened: (ahead * (1.0 + ahead / steps)).sqrt() }
            }
            Self::Mean { mean } => {
                Expected { mean: *mean, widened: (1.0 + 1.0 / series.len() as f64).sqrt() }
            }
            Self::Seasonal { .. } => match self.season_before(series, time_us) {
                Some((mean, seasons)) => Expected { mean, widened: (seasons as f64).sqrt() },
                None => Expected { mean: series.y[0], widened: 1.0 },
            },
        }
    }

    /// Whether there is something that a row is expected from.
    pub fn knows(&self, series: &Series, time_us: i64) -> bool {
        match self {
            Self::Last | Self::Drift { .. } => series.place(time_us).before.is_some(),
            Self::Mean { .. } => true,
            Self::Seasonal { .. } => self.season_before(series, time_us).is_some(),
        }
    }

    /// The newest value that lies whole seasons before a row, and how many.
    fn season_before(&self, series: &Series, time_us: i64) -> Option<(f64, i64)> {
        let Self::Seasonal { season, by_step } = self else { return None };
        let step = series.step_of(time_us);
        let newest = by_step.range(..step).rev();
        let mut whole = newest.filter(|(known, _)| (step - **known) % season == 0);
        whole.next().map(|(known, y)| (*y, (step - known) / season))
    }

    pub fn parameters(&self, rows: &mut Rows) {
        match self {
            Self::Last => {}
            Self::Drift { slope } => rows.parameter("slope", &[*slope]),
            Self::Mean { mean } => rows.parameter("mean", &[*mean]),
            Self::Seasonal { season, .. } => rows.parameter("season", &[*season as f64]),
        }
    }
}
