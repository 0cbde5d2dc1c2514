//! What is asked for.

use function_table::table::list;

/// Columns of the result that are not the inputs' own.
pub const MADE: [&str; 2] = ["source", "filled"];

/// Columns that the function itself understands.
const UNDERSTOOD: [&str; 4] = ["window_start", "window_end", "complete", "revision"];

/// The mean of a column over a window and those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Average {
    pub name: String,
    pub column: String,
    /// In windows, this one included.
    pub length: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The key's columns.
    pub keys: Vec<String>,
    /// Size of a window.
    pub step_us: u64,
    /// Whether windows that no input has are made up between those that some input has.
    pub fill: bool,
    /// Windows that start before it are filled even where no row follows.
    pub until_us: Option<i64>,
    /// What a filled window has from the last real one; key columns always.
    pub carried: Vec<String>,
    /// What is 0 in a filled window.
    pub zeroed: Vec<String>,
    pub averages: Vec<Average>,
}

impl Settings {
    /// The window's size, once all settings were found to make sense.
    pub fn check(&self) -> Result<i64, String> {
        let step_us = i64::try_from(self.step_us).ok().filter(|step_us| *step_us > 0);
        let step_us = step_us.ok_or_else(|| format!("a step of {} µs is not one", self.step_us))?;
        let taken = |name: &str| {
            let own = MADE.contains(&name) || UNDERSTOOD.contains(&name);
            own || self.keys.iter().any(|key| key == name)
        };
        for (what, names) in [("carried", &self.carried), ("zeroed", &self.zeroed)] {
            if let Some(name) = names.iter().find(|name| taken(name)) {
                return Err(format!("column `{name}` cannot be {what}: it has a meaning of its own"));
            }
        }
        if let Some(name) = self.zeroed.iter().find(|name| self.carried.contains(name)) {
            return Err(format!("column `{name}` is both carried and zeroed"));
        }
        for (index, average) in self.averages.iter().enumerate() {
            let name = &average.name;
            if average.length == 0 {
                return Err(format!("average `{name}` is over no windows: a length of 1 is the least"));
            }
            if taken(name) || self.carried.contains(name) || self.zeroed.contains(name) {
                return Err(format!("average `{name}` has the name of another column"));
            }
            if self.averages[..index].iter().any(|other| other.name == *name) {
                return Err(format!("average `{name}` is there twice"));
            }
            let of_average = |other: &Average| other.name == average.column;
            if self.averages.iter().any(of_average) || MADE.contains(&average.column.as_str()) {
                let column = &average.column;
                return Err(format!("average `{name}`: `{column}` is not a column of the inputs"));
            }
        }
        Ok(step_us)
    }

    /// Whether a column of an input is made anew rather than taken over: inputs may be results of earlier calls.
    pub fn remakes(&self, column: &str) -> bool {
        MADE.contains(&column) || self.averages.iter().any(|average| average.name == column)
    }

    /// Checks that every column that the settings name is one of `there`.
    pub fn check_columns(&self, there: &[&str]) -> Result<(), String> {
        let averaged = self.averages.iter().map(|average| &average.column);
        let named = self.carried.iter().chain(&self.zeroed).chain(averaged);
        match named.into_iter().find(|name| !there.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(format!("no input has a column `{name}`: there are {}", list(there))),
        }
    }
}
