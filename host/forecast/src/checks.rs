//! Whether the settings fit the function: asked once, before any fit.

use tallow_contract::forecast::Description;
use tallow_engine::CallError;

use crate::averages::Continue;
use crate::error::ForecastError;
use crate::grid;
use crate::model::Functions;
use crate::request::{Asked, Rows};
use crate::series::Series;
use crate::settings::Settings;

/// How alike a name must be to be offered: Jaro-Winkler, 1 for the same.
const ALIKE: f64 = 0.8;
/// What a setting says that asks for growth between `floor` and `cap`.
const LOGISTIC: &str = "logistic";
/// Rows of a series that values are tried on: enough for a function not to take its way for few rows, which may be slow.
const TRIED: usize = 200;

/// What the function says about itself, if it takes the settings.
///
/// # Errors
/// It has no such setting, does not take regressors or holidays, or refuses a value.
pub fn check(settings: &Settings, functions: &Functions) -> Result<Description, ForecastError> {
    let of_function = |error| ForecastError::Function { function: settings.function.clone(), error };
    let mut model = functions.model.open().map_err(of_function)?;
    let description = model.describe().map_err(of_function)?;
    names(settings, &description)?;
    bounds(settings)?;
    let series = tried(settings, description.least_rows as usize);
    for point in grid::points(&settings.grid) {
        let asked = Asked {
            settings,
            point: &point,
            rich: true,
            continued: Continue::Held,
            averages: &settings.averages,
            log: settings.log,
        };
        let rows = Rows { train: 0..series.len(), asked: 0..0, beyond: 1 };
        match model.forecast(&asked.request(&series, &rows)) {
            Ok(_) => {}
            Err(CallError::Refused(why)) => {
                let why = format!("function `{}` refuses {}: {why}", settings.function, grid::name(&point));
                return Err(ForecastError::Settings(why));
            }
            Err(error) => return Err(of_function(error)),
        }
    }
    Ok(description)
}

fn names(settings: &Settings, description: &Description) -> Result<(), ForecastError> {
    let known: Vec<&str> = description.settings.iter().map(|it| it.name.as_str()).collect();
    let function = &settings.function;
    let given = settings.settings.keys().chain(settings.grid.iter().map(|(name, _)| name));
    let wrong = |why: String| Err(ForecastError::Settings(why));
    for name in given {
        if !known.contains(&name.as_str()) {
            return wrong(format!("function `{function}` has no setting `{name}`; {}", offer(name, &known)));
        }
    }
    for (name, values) in &settings.grid {
        if values.is_empty() {
            return wrong(format!("the grid lists no value of `{name}`"));
        }
        if settings.settings.contains_key(name) {
            return wrong(format!("`{name}` is set, and the grid lists values of it: leave one of them out"));
        }
    }
    if !description.regressors && (!settings.averages.is_empty() || settings.leaked) {
        return wrong(format!(
            "function `{function}` takes no regressors: leave out `averages` and `leaked`"
        ));
    }
    if !description.holidays && !settings.holidays.is_empty() {
        return wrong(format!("function `{function}` takes no holidays: leave them out"));
    }
    Ok(())
}

/// Whether there is growth between `floor` and `cap`.
fn bounds(settings: &Settings) -> Result<(), ForecastError> {
    let Settings { cap, floor, log, grid, .. } = settings;
    let wrong = |why: &str| Err(ForecastError::Settings(why.to_owned()));
    let Some(cap) = cap else {
        return match floor {
            None => Ok(()),
            Some(_) => wrong("`floor` is set without `cap`: set both, or neither"),
        };
    };
    if floor.is_some_and(|floor| floor >= *cap) {
        return wrong("`floor` is not below `cap`");
    }
    if *log && (*cap <= 0.0 || floor.is_some_and(|floor| floor <= 0.0)) {
        return wrong("the logarithm is forecast, so `cap` and `floor` have to be above 0");
    }
    let all = settings.settings.values().chain(grid.iter().flat_map(|(_, values)| values));
    match all.into_iter().any(|value| value == LOGISTIC) {
        true => Ok(()),
        false => wrong(
            "`cap` is set, but no setting of the function asks for growth between bounds: set `growth` to `logistic`, or \
             leave `cap` out",
        ),
    }
}

fn offer(name: &str, known: &[&str]) -> String {
    let alike = |other: &&&str| strsim::jaro_winkler(name, other);
    let nearest = known.iter().max_by(|one, other| alike(one).total_cmp(&alike(other)));
    match nearest {
        None => "it has none".to_owned(),
        Some(nearest) if alike(&nearest) >= ALIKE => format!("did you mean `{nearest}`?"),
        Some(_) => format!("it has: {}", known.join(", ")),
    }
}

/// A series that no function has a reason to refuse but for its settings.
fn tried(settings: &Settings, least: usize) -> Series {
    let rows = TRIED.max(least);
    let ds_us = (0..rows as i64).map(|row| row * settings.step_us).collect();
    // It wanders: averages of a straight line would be the trend itself, which optimisers are slow to tell apart.
    let mut state = 1_u64;
    let mut value = 1_000.0;
    let mut step = |_: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        value *= 1.0 + ((state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5) / 20.0;
        value
    };
    let y = (0..rows).map(&mut step).collect();
    Series { ds_us, y, ..Series::default() }
}
