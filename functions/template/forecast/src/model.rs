//! The model: what is expected of a row, and how far off that may be. This one is small: each row is expected to be the
//! mean of those at its place in the season. Change it into yours.

use std::collections::BTreeMap;

/// Settings: each a name, its default, and what it does.
pub const SETTINGS: [(&str, &str, &str); 1] =
    [("season", "7", "Rows in a season: a whole number from 1 to 10000.")];

/// Rows with a value that the model needs at least.
pub const LEAST_ROWS: u32 = 2;

/// What is known: the rows with a value, each by its step from the first row.
pub struct Series {
    pub steps: Vec<i64>,
    pub y: Vec<f64>,
}

/// What is expected of a row.
#[derive(Debug, PartialEq)]
pub struct Expected {
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
}

/// What is expected of each row to forecast, and what a person has to know of it.
///
/// `setting` gives the value of a setting. An error names the setting or row, and what is wrong with it.
pub fn forecast(
    series: &Series,
    future_steps: &[i64],
    setting: impl Fn(&str) -> String,
) -> Result<(Vec<Expected>, Vec<String>), String> {
    let season: i64 = match setting("season").parse() {
        Ok(season) if (1..=10_000).contains(&season) => season,
        _ => {
            let season = setting("season");
            return Err(format!(
                "`season` is `{}`: a number from 1 to 10000 is needed",
                season.escape_debug()
            ));
        }
    };
    let mut places: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (step, y) in series.steps.iter().zip(&series.y) {
        places.entry(step.rem_euclid(season)).or_default().push(*y);
    }
    let means: BTreeMap<i64, f64> = places.iter().map(|(place, y)| (*place, mean(y))).collect();
    let squares: Vec<f64> =
        places.iter().flat_map(|(place, y)| y.iter().map(|y| (y - means[place]).powi(2))).collect();
    let (all, deviation) = (mean(&series.y), mean(&squares).sqrt());
    let of_place = |step: &i64| means.get(&step.rem_euclid(season)).copied();
    let expected =
        future_steps.iter().map(|step| Expected { mean: of_place(step).unwrap_or(all), deviation });
    let expected: Vec<Expected> = expected.collect();
    let unknown = future_steps.iter().filter(|step| of_place(step).is_none()).count();
    let note = format!(
        "{unknown} rows have no row at their place in the season: the mean of all is expected of them."
    );
    Ok((expected, if unknown > 0 { vec![note] } else { Vec::new() }))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
