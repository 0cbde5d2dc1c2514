//! What the settings ask for.

use forecast::{Refusal, Settings, refuse};

use crate::problem::Growth;

/// Names, defaults and meanings. Names and defaults are Prophet's.
pub const SETTINGS: &[(&str, &str, &str)] = &[
    (
        "growth",
        "linear",
        "linear, logistic (between the columns `floor`, 0 without it, and `cap`), or flat: how the trend grows.",
    ),
    ("n-changepoints", "25", "Places at which the trend's rate may change; 0 to 1000."),
    (
        "changepoint-range",
        "0.8",
        "The share of the history, from its start, that has these places; above 0, up to 1.",
    ),
    (
        "changepoint-prior-scale",
        "0.05",
        "How much the rate may change: larger values make the trend more flexible; 0.0001 to 1000.",
    ),
    (
        "yearly-seasonality",
        "auto",
        "auto (on from two years of history), true, false, or its order, 1 to 100.",
    ),
    (
        "weekly-seasonality",
        "auto",
        "auto (on from two weeks of history with steps below a week), true, false, or its order, 1 to 100.",
    ),
    (
        "daily-seasonality",
        "auto",
        "auto (on from two days of history with steps below a day), true, false, or its order, 1 to 100.",
    ),
    (
        "seasonalities",
        "",
        "Further seasonalities, each as name:days:order, with spaces between them: `monthly:30.5:5`.",
    ),
    (
        "seasonality-mode",
        "additive",
        "additive or multiplicative: whether seasonalities are added to the trend or scale it.",
    ),
    ("seasonality-prior-scale", "10", "How strong seasonalities may be; 0.0001 to 1000."),
    ("holidays-mode", "", "additive or multiplicative; empty: as `seasonality-mode`."),
    ("holidays-prior-scale", "10", "How strong the effects of holidays may be; 0.0001 to 1000."),
    ("regressors-mode", "", "additive or multiplicative; empty: as `seasonality-mode`."),
    (
        "regressors-prior-scale",
        "",
        "How strong the effects of regressors may be; empty: as `holidays-prior-scale`.",
    ),
    (
        "scaling",
        "absmax",
        "absmax or minmax: whether `y` is divided by its largest distance from 0, or shifted and divided by its range.",
    ),
    ("uncertainty-samples", "1000", "Simulated futures from which the band ahead is taken; 10 to 100000."),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Additive,
    Multiplicative,
}

/// A built-in seasonality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    Auto,
    Off,
    On,
    Order(u32),
}

/// A further seasonality.
#[derive(Clone, Debug, PartialEq)]
pub struct Season {
    pub name: String,
    pub days: f64,
    pub order: u32,
}

pub struct Plan {
    pub growth: Growth,
    pub change_count: usize,
    pub change_range: f64,
    pub tau: f64,
    pub yearly: Switch,
    pub weekly: Switch,
    pub daily: Switch,
    pub seasons: Vec<Season>,
    pub season_mode: Mode,
    pub season_prior: f64,
    pub holiday_mode: Mode,
    pub holiday_prior: f64,
    pub regressor_mode: Mode,
    pub regressor_prior: f64,
    pub by_range: bool,
    pub samples: usize,
}

const PRIORS: std::ops::RangeInclusive<f64> = 0.0001..=1000.0;

impl Plan {
    pub fn read(settings: &Settings) -> Result<Self, Refusal> {
        let growth = match settings.word("growth", &["linear", "logistic", "flat"])? {
            "logistic" => Growth::Logistic,
            "flat" => Growth::Flat,
            _ => Growth::Linear,
        };
        let change_range = settings.number("changepoint-range", 0.0..=1.0)?;
        if change_range == 0.0 {
            refuse!("`changepoint-range` is 0: set `n-changepoints` to 0 for a trend without changes");
        }
        let season_mode = mode(settings, "seasonality-mode", Mode::Additive)?;
        let holiday_prior = settings.number("holidays-prior-scale", PRIORS)?;
        Ok(Plan {
            growth,
            change_count: settings.number("n-changepoints", 0..=1000)?,
            change_range,
            tau: settings.number("changepoint-prior-scale", PRIORS)?,
            yearly: switch(settings, "yearly-seasonality")?,
            weekly: switch(settings, "weekly-seasonality")?,
            daily: switch(settings, "daily-seasonality")?,
            seasons: seasons(settings.text("seasonalities"))?,
            season_mode,
            season_prior: settings.number("seasonality-prior-scale", PRIORS)?,
            holiday_mode: mode(settings, "holidays-mode", season_mode)?,
            holiday_prior,
            regressor_mode: mode(settings, "regressors-mode", season_mode)?,
            regressor_prior: match settings.text("regressors-prior-scale") {
                "" => holiday_prior,
                _ => settings.number("regressors-prior-scale", PRIORS)?,
            },
            by_range: settings.word("scaling", &["absmax", "minmax"])? == "minmax",
            samples: settings.number("uncertainty-samples", 10..=100_000)?,
        })
    }
}

fn mode(settings: &Settings, name: &str, otherwise: Mode) -> Result<Mode, Refusal> {
    if settings.text(name).is_empty() {
        return Ok(otherwise);
    }
    Ok(match settings.word(name, &["additive", "multiplicative"])? {
        "multiplicative" => Mode::Multiplicative,
        _ => Mode::Additive,
    })
}

fn switch(settings: &Settings, name: &str) -> Result<Switch, Refusal> {
    Ok(match settings.text(name) {
        "auto" => Switch::Auto,
        "true" => Switch::On,
        "false" => Switch::Off,
        other => match other.parse() {
            Ok(order) if (1..=100).contains(&order) => Switch::Order(order),
            _ => refuse!(
                "`{name}` is `{}`: auto, true, false, or an order from 1 to 100",
                other.escape_debug()
            ),
        },
    })
}

fn seasons(text: &str) -> Result<Vec<Season>, Refusal> {
    let mut seasons: Vec<Season> = Vec::new();
    for item in text.split_whitespace() {
        let parts: Vec<&str> = item.split(':').collect();
        let season = match parts[..] {
            [name, days, order] if !name.is_empty() => days
                .parse()
                .ok()
                .zip(order.parse().ok())
                .map(|(days, order)| Season { name: name.to_owned(), days, order }),
            _ => None,
        };
        match season {
            Some(season)
                if season.days >= 1e-3 && season.days <= 1e5 && (1..=100).contains(&season.order) =>
            {
                if seasons.iter().any(|other| other.name == season.name) {
                    refuse!("`seasonalities` has `{}` twice", season.name);
                }
                seasons.push(season);
            }
            _ => refuse!(
                "`seasonalities` has `{}`: each is name:days:order, with 0.001 to 100000 days and an order of 1 to 100",
                item.escape_debug()
            ),
        }
    }
    Ok(seasons)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seasonalities_are_read_or_refused_by_name() {
        let read = seasons("monthly:30.5:5  quarter:91.25:2").unwrap();
        assert_eq!(read[1], Season { name: "quarter".to_owned(), days: 91.25, order: 2 });
        for wrong in
            ["monthly", "monthly:30.5", "monthly:x:5", ":3:1", "m:0:1", "m:nan:1", "m:7:0", "m:7:1 m:8:1"]
        {
            assert!(seasons(wrong).unwrap_err().to_string().starts_with("`seasonalities` has `"), "{wrong}");
        }
    }
}
