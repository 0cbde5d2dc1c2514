//! What is asked for.

use tallow_contract::list;
use tallow_contract::merge::{Average, Settings};

/// Columns of the result that are not the inputs' own.
pub const MADE: [&str; 2] = ["source", "filled"];

/// Columns that the function itself understands.
const UNDERSTOOD: [&str; 4] = ["window_start", "window_end", "complete", "revision"];

/// The window's size, once all settings were found to make sense.
pub fn check(settings: &Settings) -> Result<i64, String> {
    let step_us = i64::try_from(settings.step_us).ok().filter(|step_us| *step_us > 0);
    let step_us = step_us.ok_or_else(|| format!("a step of {} µs is not one", settings.step_us))?;
    let taken = |name: &str| {
        let own = MADE.contains(&name) || UNDERSTOOD.contains(&name);
        own || settings.keys.iter().any(|key| key == name)
    };
    for (what, names) in [("carried", &settings.carried), ("zeroed", &settings.zeroed)] {
        if let Some(name) = names.iter().find(|name| taken(name)) {
            return Err(format!("column `{name}` cannot be {what}: it has a meaning of its own"));
        }
    }
    if let Some(name) = settings.zeroed.iter().find(|name| settings.carried.contains(name)) {
        return Err(format!("column `{name}` is both carried and zeroed"));
    }
    for (index, average) in settings.averages.iter().enumerate() {
        let name = &average.name;
        if average.length == 0 {
            return Err(format!("average `{name}` is over no windows: a length of 1 is the least"));
        }
        if taken(name) || settings.carried.contains(name) || settings.zeroed.contains(name) {
            return Err(format!("average `{name}` has the name of another column"));
        }
        if settings.averages[..index].iter().any(|other| other.name == *name) {
            return Err(format!("average `{name}` is there twice"));
        }
        let of_average = |other: &Average| other.name == average.column;
        if settings.averages.iter().any(of_average) || MADE.contains(&average.column.as_str()) {
            let column = &average.column;
            return Err(format!("average `{name}`: `{column}` is not a column of the inputs"));
        }
    }
    Ok(step_us)
}

/// Whether a column of an input is made again rather than taken over: inputs may be results of earlier calls.
pub fn remakes(settings: &Settings, column: &str) -> bool {
    MADE.contains(&column) || settings.averages.iter().any(|average| average.name == column)
}

/// Checks that every column that the settings name is one of `there`.
pub fn check_columns(settings: &Settings, there: &[&str]) -> Result<(), String> {
    let averaged = settings.averages.iter().map(|average| &average.column);
    let named = settings.carried.iter().chain(&settings.zeroed).chain(averaged);
    match named.into_iter().find(|name| !there.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(format!("no input has a column `{name}`: there are {}", list(there))),
    }
}
