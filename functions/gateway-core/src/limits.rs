//! How much one request may ask for. A platform may run a request for ever and give it any memory, so what it costs is
//! bounded before a function is called: by the size of the body, and by what a small body can blow up to.

use crate::contracts::{backfill, merge, types, window};
use crate::http::Refused;

/// Records of a batch.
const MAX_RECORDS: usize = 100_000;
/// Windows of a pipeline.
const MAX_SPECS: usize = 64;
/// Columns that a window makes, averages of a merge.
const MAX_COLUMNS: usize = 64;
/// Steps of one request.
const MAX_STEPS: usize = 1_000;
/// (Row, window) pairs of one request: a sliding window of a day that slides by a second has 86,400 for each row.
const MAX_ASSIGNMENTS: u64 = 5_000_000;
/// Windows of a merge, those that are made up included, and a row's part in all averages.
const MAX_MERGED: u64 = 1_000_000;
/// Bars of a plan.
const MAX_BARS: u64 = 10_000_000;

pub fn records(records: usize) -> Result<(), Refused> {
    at_most("records", records as u64, MAX_RECORDS as u64)
}

pub fn specs(specs: &[window::Spec]) -> Result<(), Refused> {
    at_most("specs", specs.len() as u64, MAX_SPECS as u64)?;
    let columns = specs.iter().map(|spec| spec.aggregates.len()).max().unwrap_or(0);
    at_most("aggregates of a spec", columns as u64, MAX_COLUMNS as u64)
}

pub fn steps(specs: &[window::Spec], steps: usize, rows: u64) -> Result<(), Refused> {
    at_most("steps", steps as u64, MAX_STEPS as u64)?;
    let pairs = specs.iter().map(windows_of_a_row).fold(0_u64, u64::saturating_add);
    at_most("assignments of rows to windows", rows.saturating_mul(pairs), MAX_ASSIGNMENTS)
}

fn windows_of_a_row(spec: &window::Spec) -> u64 {
    match spec.shape {
        window::Shape::Sliding(window::Sliding { size_us, slide_us }) if slide_us > 0 => {
            size_us.div_ceil(slide_us)
        }
        _ => 1,
    }
}

pub fn merge(inputs: &[merge::Input], settings: &merge::Settings) -> Result<(), Refused> {
    at_most("inputs", inputs.len() as u64, MAX_SPECS as u64)?;
    at_most("averages", settings.averages.len() as u64, MAX_COLUMNS as u64)?;
    let starts = || inputs.iter().flat_map(|input| times(&input.table, "window_start"));
    let rows = starts().count() as u64;
    let (first, last) = (starts().min().unwrap_or(0), starts().max().unwrap_or(0));
    let last = settings.until_us.map_or(last, |until_us| last.max(until_us));
    let span = if rows == 0 || !settings.fill { 0 } else { last.abs_diff(first) };
    at_most("windows", rows.max(span / settings.step_us.max(1)), MAX_MERGED)
}

fn times<'a>(table: &'a types::Table, name: &str) -> impl Iterator<Item = i64> + use<'a> {
    let column = table.columns.iter().find(|column| column.name == name);
    let values = match column.map(|column| &column.data) {
        Some(types::ColumnData::TimestampUs(values)) => values.as_slice(),
        _ => &[],
    };
    values.iter().copied()
}

pub fn plan(options: &backfill::Options, wanted: &[backfill::Span]) -> Result<(), Refused> {
    let spans = wanted.iter().map(|span| span.to_us.saturating_sub(span.from_us).max(0) as u64);
    let whole = spans.fold(0_u64, u64::saturating_add);
    at_most("bars", whole / options.interval_us.max(1), MAX_BARS)
}

fn at_most(what: &str, asked: u64, most: u64) -> Result<(), Refused> {
    if asked <= most {
        return Ok(());
    }
    Err(Refused::too_large(format!("{asked} {what}; one request may have {most}: send less at once")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sliding(size_us: u64, slide_us: u64) -> window::Spec {
        window::Spec {
            name: "w".into(),
            kinds: Vec::new(),
            keys: Vec::new(),
            time: "event_time".into(),
            ids: None,
            shape: window::Shape::Sliding(window::Sliding { size_us, slide_us }),
            offset_us: 0,
            aggregates: Vec::new(),
        }
    }

    #[test]
    fn a_small_body_cannot_ask_for_a_million_windows_a_row() {
        assert!(steps(&[sliding(86_400_000_000, 1_000_000)], 1, 10).is_ok());
        let refused = steps(&[sliding(86_400_000_000, 1_000)], 1, 10).unwrap_err();
        assert_eq!(refused.status, 413);
        assert!(refused.error.contains("assignments"), "{}", refused.error);
        assert!(steps(&[sliding(u64::MAX, 1), sliding(u64::MAX, 1)], 1, u64::MAX).is_err());
    }

    #[test]
    fn a_merge_of_two_rows_that_are_an_age_apart_is_refused_only_where_the_age_is_to_be_filled() {
        let table = types::Table {
            rows: 2,
            columns: vec![types::Column {
                name: "window_start".into(),
                data: types::ColumnData::TimestampUs(vec![i64::MIN, i64::MAX]),
                validity: None,
            }],
        };
        let inputs = [merge::Input { source: merge::Source::Batch, table, covers: None }];
        let settings = |fill| merge::Settings {
            keys: Vec::new(),
            step_us: 60_000_000,
            fill,
            until_us: None,
            carried: Vec::new(),
            zeroed: Vec::new(),
            averages: Vec::new(),
        };
        assert!(merge(&inputs, &settings(false)).is_ok());
        assert_eq!(merge(&inputs, &settings(true)).unwrap_err().status, 413);
    }

    #[test]
    fn a_plan_of_all_time_in_seconds_is_refused() {
        let options = |interval_us| backfill::Options {
            symbol: "A".into(),
            listed_as: "A".into(),
            interval_us,
            settings: Vec::new(),
        };
        let all = [backfill::Span { from_us: 0, to_us: 1_700_000_000_000_000 }];
        assert!(plan(&options(86_400_000_000), &all).is_ok());
        assert!(plan(&options(1_000_000), &all).is_err());
        assert!(plan(&options(0), &all).is_err());
    }
}
