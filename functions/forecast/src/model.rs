//! What differs from model to model, and what follows from it.

use tallow_contract::Table;
use tallow_contract::forecast::{column, ds, known, times_us};

use crate::{Description, Outcome, Parameter, Refusal, Request, Series, Setting, Settings, refuse};

/// A model: its settings, and how it makes rows of a series.
pub trait Model: 'static {
    const NAME: &'static str;
    const VERSION: &'static str;
    /// Each a name, its default, and what it means.
    const SETTINGS: &'static [(&'static str, &'static str, &'static str)];
    /// Whether it takes regressors.
    const REGRESSORS: bool = false;
    /// Whether it takes holidays.
    const HOLIDAYS: bool = false;
    /// Rows with a `y` that it needs at least.
    const LEAST_ROWS: u32;

    /// The rows of a request that is sound. An error names the setting, column or row, and what is wrong with it.
    fn forecast(asked: &Asked<'_>) -> Result<Rows, Refusal>;
}

/// A request that is sound.
pub struct Asked<'a> {
    pub series: Series,
    /// Times of the rows to forecast.
    pub future_us: &'a [i64],
    pub settings: Settings,
    /// The regressors, in the request's order.
    pub regressors: Vec<Known>,
    pub request: &'a Request,
}

/// A regressor's values.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    pub name: String,
    /// For each row of the request's history, also those without a `y`.
    pub history: Vec<f64>,
    /// For each row to forecast.
    pub future: Vec<f64>,
}

/// What a model expects: one value per row to forecast, in each list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    pub yhat: Vec<f64>,
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
    /// Columns by name, `trend` first.
    pub components: Vec<(String, Vec<f64>)>,
    /// Components that are shares of the trend.
    pub multiplicative: Vec<String>,
    pub parameters: Vec<Parameter>,
    /// What a person has to know of this fit, one sentence each.
    pub notes: Vec<String>,
}

impl Rows {
    /// Adds a row without components.
    pub fn push(&mut self, yhat: f64, (lower, upper): (f64, f64)) {
        self.yhat.push(yhat);
        self.lower.push(lower);
        self.upper.push(upper);
    }

    /// Adds a fitted parameter.
    pub fn parameter(&mut self, name: &str, values: &[f64]) {
        self.parameters.push(Parameter { name: name.to_owned(), values: values.to_vec() });
    }
}

/// A model's description.
pub fn describe<M: Model>() -> Description {
    Description {
        name: M::NAME.to_owned(),
        version: M::VERSION.to_owned(),
        settings: settings::<M>(),
        regressors: M::REGRESSORS,
        holidays: M::HOLIDAYS,
        least_rows: M::LEAST_ROWS,
    }
}

fn settings<M: Model>() -> Vec<Setting> {
    let setting = |(name, default, meaning): &(&str, &str, &str)| Setting {
        name: (*name).to_owned(),
        default: (*default).to_owned(),
        meaning: (*meaning).to_owned(),
    };
    M::SETTINGS.iter().map(setting).collect()
}

/// What a model makes of a request.
///
/// # Errors
/// The request is not as the contract asks, the model does not have what it asks for, or a result is no finite number.
pub fn forecast<M: Model>(request: &Request) -> Result<Outcome, Refusal> {
    check::<M>(request)?;
    let series = Series::read(request, M::LEAST_ROWS)?;
    let future_us = times_us(&request.future, "the future")?;
    let asked = Asked {
        series,
        future_us,
        settings: Settings::read(&settings::<M>(), &request.settings)?,
        regressors: request
            .regressors
            .iter()
            .map(|name| regressor(request, name))
            .collect::<Result<_, _>>()?,
        request,
    };
    outcome(future_us, M::forecast(&asked)?)
}

fn check<M: Model>(request: &Request) -> Result<(), Refusal> {
    if !(request.level > 0.0 && request.level < 1.0) {
        refuse!("`level` is {}: a number between 0 and 1 is needed, such as 0.8", request.level);
    }
    if !M::REGRESSORS && !request.regressors.is_empty() {
        refuse!("{} takes no regressors: leave out `{}`", M::NAME, request.regressors.join("`, `"));
    }
    if !M::HOLIDAYS && !request.holidays.is_empty() {
        refuse!("{} takes no holidays: leave them out", M::NAME);
    }
    match request.holidays.iter().find(|it| it.lower_days > 0 || it.upper_days < 0) {
        Some(it) => refuse!(
            "the holiday `{}` counts from day {} to day {}: the first must be 0 or less, the second 0 or more",
            it.name,
            it.lower_days,
            it.upper_days
        ),
        None => Ok(()),
    }
}

fn regressor(request: &Request, name: &str) -> Result<Known, Refusal> {
    if request.regressors.iter().filter(|other| *other == name).count() > 1 {
        refuse!("the regressor `{name}` is there twice");
    }
    Ok(Known {
        name: name.to_owned(),
        history: known(&request.history, name).map_err(|why| why.within("the history"))?,
        future: known(&request.future, name).map_err(|why| why.within("the future"))?,
    })
}

fn outcome(future_us: &[i64], rows: Rows) -> Result<Outcome, Refusal> {
    let mut columns = vec![ds(future_us)];
    let made = [("yhat", rows.yhat), ("lower", rows.lower), ("upper", rows.upper)];
    let made = made.into_iter().map(|(name, values)| (name.to_owned(), values));
    for (name, values) in made.chain(rows.components) {
        if let Some(row) = values.iter().position(|value| !value.is_finite()) {
            refuse!(
                "`{name}` of row {row} is beyond what a number can hold: scale `y` down, or take another setting"
            );
        }
        columns.push(column(&name, values));
    }
    Ok(Outcome {
        forecast: Table { rows: future_us.len() as u32, columns },
        multiplicative: rows.multiplicative,
        parameters: rows.parameters,
        notes: rows.notes,
    })
}
