//! What is asked for.

use tallow_contract::list;
use tallow_contract::merge::{Average, Settings};
use tallow_contract::{Refusal, refuse};

/// Columns of the result that are not the inputs' own.
pub const MADE: [&str; 2] = ["source", "filled"];

/// Columns that the function itself understands.
const UNDERSTOOD: [&str; 4] = ["window_start", "window_end", "complete", "revision"];

/// The window's size, once all settings were found to make sense.
pub fn check(settings: &Settings) -> Result<i64, Refusal> {
    let step_us = i64::try_from(settings.step_us).ok().filter(|step_us| *step_us > 0);
    let step_us = step_us.ok_or_else(|| format!("a step of {} µs is not one", settings.step_us))?;
    let taken = |name: &str| {
        let own = MADE.contains(&name) || UNDERSTOOD.contains(&name);
        own || settings.keys.iter().any(|key| key == name)
    };
    for (what, names) in [("carried", &settings.carried), ("zeroed", &settings.zeroed)] {
        if let Some(name) = names.iter().find(|name| taken(name)) {
            refuse!("column `{name}` cannot be {what}: it is a key, or a column that the merge itself uses");
        }
    }
    if let Some(name) = settings.zeroed.iter().find(|name| settings.carried.contains(name)) {
        refuse!("column `{name}` is both carried and zeroed");
    }
    for (index, average) in settings.averages.iter().enumerate() {
        let name = &average.name;
        if average.length == 0 {
            refuse!("average `{name}` is over no windows: a length of 1 is the least");
        }
        if taken(name) || settings.carried.contains(name) || settings.zeroed.contains(name) {
            refuse!("average `{name}` has the name of another column");
        }
        if settings.averages[..index].iter().any(|other| other.name == *name) {
            refuse!("average `{name}` is there twice");
        }
        let of_average = |other: &Average| other.name == average.column;
        if settings.averages.iter().any(of_average) || MADE.contains(&average.column.as_str()) {
            let column = &average.column;
            refuse!("average `{name}`: `{column}` is not a column of the inputs");
        }
    }
    Ok(step_us)
}

/// Whether a column of an input is made again rather than taken over: inputs may be results of earlier calls.
pub fn remakes(settings: &Settings, column: &str) -> bool {
    MADE.contains(&column) || settings.averages.iter().any(|average| average.name == column)
}

/// Checks that every column that the settings name is one of `there`.
pub fn check_columns(settings: &Settings, there: &[&str]) -> Result<(), Refusal> {
    let averaged = settings.averages.iter().map(|average| &average.column);
    let named = settings.carried.iter().chain(&settings.zeroed).chain(averaged);
    match named.into_iter().find(|name| !there.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => refuse!("no input has a column `{name}`: there are {}", list(there)),
    }
}
