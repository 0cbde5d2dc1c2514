//! Where forecasts are: `forecast/<name>/<run>/…`, one folder per run and in it one per symbol. A run is there once its
//! record is.

use tallow_digest::Digest;

use crate::hive;

/// All runs of a forecast.
pub fn runs(name: &str) -> String {
    format!("forecast/{}", hive::encode(name))
}

/// The folder of a run.
pub fn run(name: &str, number: u64) -> String {
    format!("{}/{number:06}", runs(name))
}

/// What a run is made of: written first, if there is none, so that two processes do not share a number.
pub fn plan(name: &str, number: u64) -> String {
    format!("{}/plan.json", run(name, number))
}

/// The record that makes a run one that is listed: written last.
pub fn record(name: &str, number: u64) -> String {
    format!("{}/run.json", run(name, number))
}

/// The number of the run whose record has this path.
pub fn number_of(name: &str, path: &str) -> Option<u64> {
    numbered(name, path).filter(|(_, file)| *file == "run.json").map(|(number, _)| number)
}

/// The number of the run, and what is below its folder.
pub fn numbered<'a>(name: &str, path: &'a str) -> Option<(u64, &'a str)> {
    let (number, file) = path.strip_prefix(&runs(name))?.strip_prefix('/')?.split_once('/')?;
    Some((number.parse().ok()?, file))
}

/// The folder of a symbol in a run.
pub fn symbol(name: &str, number: u64, symbol: &str) -> String {
    format!("{}/{}", run(name, number), hive::segment("symbol", symbol))
}

/// A file of a symbol in a run.
pub fn file(name: &str, number: u64, of: &str, file: &str) -> String {
    format!("{}/{file}", symbol(name, number, of))
}

/// The record that makes a symbol's results whole.
pub fn symbol_record(name: &str, number: u64, of: &str) -> String {
    file(name, number, of, "result.json")
}

/// The report of a run, for people.
pub fn report(name: &str, number: u64) -> String {
    format!("{}/report.html", run(name, number))
}

/// The measures of all symbols of a run.
pub fn metrics(name: &str, number: u64) -> String {
    format!("{}/metrics.json", run(name, number))
}

/// Fits of a run that is not finished.
pub fn all_kept(name: &str) -> String {
    format!("_tallow/forecast/{}", hive::encode(name))
}

/// One of them.
pub fn kept(name: &str, address: Digest) -> String {
    format!("{}/{address}.fit", all_kept(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runs_number_is_read_back_from_its_record_alone() {
        assert_eq!(record("daily", 3), "forecast/daily/000003/run.json");
        assert_eq!(number_of("daily", &record("daily", 1_234_567)), Some(1_234_567));
        assert_eq!(number_of("daily", &report("daily", 3)), None);
        assert_eq!(number_of("dail", &record("daily", 3)), None);
        assert_eq!(numbered("daily", &plan("daily", 3)), Some((3, "plan.json")));
    }

    #[test]
    fn symbols_of_any_text_stay_inside_their_run() {
        let path = file("daily", 3, "../x", "chart.svg");
        assert_eq!(path, "forecast/daily/000003/symbol=%2E.%2Fx/chart.svg");
        assert_eq!(number_of("daily", &symbol_record("daily", 3, "run.json")), None);
    }
}
