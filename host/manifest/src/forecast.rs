//! `[application.trigger.kafka.forecast.NAME]`: series and their future.

mod forms;

use std::collections::BTreeMap;

use self::forms::{AVERAGES, BOUND, GRID, HOLIDAYS, LEVEL, SERIES, SYMBOLS};
use crate::error::Report;
use crate::forms::{BOOLEAN, COLUMN, COMPONENT, Integer, PLAIN_SETTINGS, POSITIVE_US, TEXT};
use crate::merge::Merge;
use crate::names;
use crate::node::Node;
use crate::section::{Written, read_section};
use crate::table::table;

table! {
    /// A forecast with everything decided but what its function says.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Forecast in "[application.trigger.kafka.forecast.NAME]",
        "A forecast: `tallow forecast NAME` forecasts each symbol of a table, judges the forecasts, and writes both under \
         `forecast/NAME/RUN`.";
    fn read(reader, report, called: &str);

    "What the job is called."
    pub name: String = from(names::job(called, reader.node(), report));

    "The table of the lake that holds the series."
    let from_table: Option<String> = key("table", SERIES, none("`serving/NAME`"));

    "The table that holds the series."
    pub table: String = from(Some(from_table?.unwrap_or_else(|| format!("serving/{called}"))));

    "The table's key: the column by which it is partitioned."
    pub key: String = key("key", TEXT.called("a text column"), default("\"symbol\""));

    "The symbols to forecast."
    pub symbols: Option<Vec<String>> = key("symbols", SYMBOLS, none("all of the table"));

    "The forecast function."
    pub function: String = key("function", COMPONENT, default("\"forecast-prophet\""));

    "The function that gives the last value and drift, which every forecast is compared with."
    pub naive: String = key("naive", COMPONENT, default("\"forecast-naive\""));

    "The column that is forecast; `close` is `y` in a table of `prophet_input`."
    pub column: String = key("column", COLUMN, default("\"close\""));

    "Time between the rows that are forecast. Of shorter rows the last one of each step counts."
    pub step_us: u64 = key("step", POSITIVE_US, default("\"1d\""));

    "How many steps are forecast."
    pub horizon: usize = key("horizon", Integer(1, 10_000), default("30"));

    "The function's own settings, as `tallow functions show` lists them."
    pub settings: BTreeMap<String, String> = key("settings", PLAIN_SETTINGS, empty("no settings"));

    "Settings of the function to choose from. Each combination is tried at cuts that come before those that judge."
    pub grid: Vec<(String, Vec<String>)> = key("grid", GRID, empty("no choice"));

    "At how many cuts of the series the forecast is judged. The newest one leaves the horizon to be judged by."
    pub folds: usize = key("folds", Integer(1, 1000), default("12"));

    "At how many cuts before these the grid is tried."
    pub choose_folds: usize = key("choose-folds", Integer(1, 1000), default("4"));

    "Rows between cuts."
    let between: Option<usize> = key("spacing", Integer(1, 100_000), none("the horizon"));

    "Rows between cuts."
    pub spacing: usize = from(between?.or(horizon));

    "How many rows before a cut are learnt from, and before the forecast itself."
    pub train: Option<usize> = key("train", Integer(2, 10_000_000), none("all rows"));

    "Moving averages of the forecast column over so many rows, as regressors; `7` is `ma7`. After a cut the last one that \
     was known there is held."
    pub averages: Vec<usize> = key("averages", AVERAGES, empty("no regressors"));

    "Days that share an effect, each with `days`, and with `before` and `after` (days around each that count too, 0 if \
     absent)."
    pub holidays: Vec<Holidays> = key("holidays", HOLIDAYS, empty("no holidays"));

    "Whether the logarithm is forecast. It keeps forecasts above 0 and makes growth a share; values have to be above 0."
    pub log: bool = key("log", BOOLEAN, default("false"));

    "How far the series can grow, for a function that is asked for growth between bounds: forecast-prophet with \
     `settings = { growth = \"logistic\" }`."
    pub cap: Option<f64> = key("cap", BOUND, none("no bound"));

    "The value that the series cannot fall below, with `cap`."
    pub floor: Option<f64> = key("floor", BOUND, none("0, or no bound of a logarithm"));

    "The share of outcomes that the band is to hold."
    pub level: f64 = key("level", LEVEL, default("0.8"));

    "Where the function's generator starts. The same seed gives the same bytes."
    pub seed: u64 = key("seed", Integer(0, i64::MAX), default("42"));

    "Whether figures are computed, too, as others report them: regressors of the same day, settings chosen on the test \
     set. They are named leaked, and never mixed with others."
    pub leaked: bool = key("leaked", BOOLEAN, default("false"));

    "Whether `tallow up` forecasts again after the merge that writes the table, which then has to be a merge of this \
     manifest with `auto`."
    pub auto: bool = key("auto", BOOLEAN, default("false"));
}

impl Forecast {
    /// Whether a merge writes the table.
    pub fn follows(&self, merge: &str) -> bool {
        [SERVING, PROPHET_INPUT].iter().any(|root| self.table.strip_prefix(root) == Some(merge))
    }
}

/// The roots of the tables that merges write.
const SERVING: &str = "serving/";
const PROPHET_INPUT: &str = "prophet_input/";

/// A forecast that runs by itself needs a merge that does and writes its table.
pub(crate) fn check_auto(forecasts: &[Written<Forecast>], merges: &[Written<Merge>], report: &mut Report) {
    for (node, forecast) in forecasts.iter().filter(|(_, forecast)| forecast.auto) {
        if merges.iter().any(|(_, merge)| merge.auto && forecast.follows(&merge.name)) {
            continue;
        }
        let names: Vec<&str> =
            merges.iter().filter(|(_, merge)| merge.auto).map(|(_, merge)| merge.name.as_str()).collect();
        let there = if names.is_empty() {
            "there is none".to_owned()
        } else {
            format!("there are: {}", names.join(", "))
        };
        let problem = format!(
            "nothing in this manifest writes the table `{}`: `auto` needs a merge with `auto = true`, and {there}",
            forecast.table
        );
        report.at(node.find(&["auto"]).unwrap_or(node), problem);
    }
}

/// Days that share an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holidays {
    pub name: String,
    /// Their starts, µs since 1970-01-01 UTC, ascending.
    pub days_us: Vec<i64>,
    /// Days before each that count too.
    pub before: u32,
    /// Days after each that count too.
    pub after: u32,
}

/// The forecasts of `[application.trigger.kafka]`, by name, each with its table.
pub(crate) fn read_all(cluster: &Node, report: &mut Report) -> Vec<Written<Forecast>> {
    let mut forecasts = read_section(cluster, "forecast", report, |entry, _, report| {
        Forecast::read(&entry.node, &entry.key, report)
    });
    forecasts.sort_by(|(_, one), (_, other)| one.name.cmp(&other.name));
    forecasts
}
