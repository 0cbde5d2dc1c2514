//! The contract of a merge function, tried on tables of two places that overlap, lack windows, and contradict each other.

use tallow_engine::{
    Average, CallError, Column, ColumnData, Component, MergeFunction, MergeInput, MergeSettings, MergeSource,
    Table, Text, golden,
};

use crate::refusal::Trial;
use crate::{Candidate, Refusal, Rule};

/// 2025-01-01.
const FROM_US: i64 = 1_735_689_600_000_000;
const DAY_US: i64 = 86_400_000_000;
/// Days that each place has; neither has the days in between.
const BATCH_DAYS: [i64; 5] = [0, 1, 2, 5, 6];
const SPEED_DAYS: [i64; 4] = [9, 6, 6, 8];

/// Tries the contract: every window that an input has comes out once, in order, and the same each time.
pub fn check(component: &Component, candidate: &Candidate<'_>, trial: &mut Trial<'_>) -> Result<(), Refusal> {
    trial.begin(Rule::Contract);
    let mut tried = 0;
    for fill in [false, true] {
        for inputs in [vec![], vec![batch()], vec![speed()], vec![batch(), speed()], vec![speed(), batch()]] {
            let settings = settings(fill);
            let first = merge(component, candidate, &inputs, &settings, trial)?;
            let again = merge(component, candidate, &inputs, &settings, trial)?;
            if golden::json_rows(&first) != golden::json_rows(&again) {
                return Err(trial.refuse_as(
                    Rule::Pure,
                    "the same tables merged twice gave different rows",
                    "let nothing but the inputs and settings decide",
                ));
            }
            every_window_once(&inputs, &first, trial)?;
            tried += 1;
        }
    }
    let on = format!("{tried} merges made for it");
    [Rule::Trap, Rule::Contract, Rule::Pure].into_iter().for_each(|rule| trial.pass(rule, on.clone()));
    Ok(())
}

/// In a new instance: what was merged before must not count.
fn merge(
    component: &Component,
    candidate: &Candidate<'_>,
    inputs: &[MergeInput],
    settings: &MergeSettings,
    trial: &Trial<'_>,
) -> Result<Table, Refusal> {
    let mut function = MergeFunction::new(component, candidate.limits)
        .map_err(|error| trial.failed(&error, "starting it"))?;
    match function.merge(None, inputs, settings) {
        Ok(merged) => Ok(merged.table),
        Err(CallError::Refused(why)) => Err(trial.refuse(
            format!("it refuses tables that the contract allows: {why}"),
            "take any columns beside the window's own",
        )),
        Err(error) => Err(trial.failed(&error, "merging two tables")),
    }
}

fn every_window_once(inputs: &[MergeInput], merged: &Table, trial: &Trial<'_>) -> Result<(), Refusal> {
    let starts = |table: &Table| -> Vec<i64> {
        let column = table.columns.iter().find(|column| column.name == "window_start");
        match column.map(|column| &column.data) {
            Some(ColumnData::TimestampUs(starts)) => starts.clone(),
            _ => Vec::new(),
        }
    };
    let found = starts(merged);
    let lost = inputs.iter().flat_map(|input| starts(&input.table)).find(|start| !found.contains(start));
    if let Some(lost) = lost {
        let seen = format!("the window that starts at {lost} µs is in an input and not in what it gave");
        return Err(trial.refuse(seen, "give each window of the inputs once"));
    }
    match found.is_sorted_by(|left, right| left < right) {
        true => Ok(()),
        false => Err(trial
            .refuse("its windows are not in order, each once", "sort them, and drop all but the best row")),
    }
}

fn settings(fill: bool) -> MergeSettings {
    MergeSettings {
        keys: vec!["symbol".to_owned()],
        step_us: DAY_US as u64,
        fill,
        until_us: None,
        carried: vec!["close".to_owned()],
        zeroed: vec!["trades".to_owned()],
        averages: vec![Average { name: "ma7".to_owned(), column: "close".to_owned(), length: 7 }],
    }
}

fn batch() -> MergeInput {
    MergeInput { source: MergeSource::Batch, table: table(&BATCH_DAYS, None), covers: None }
}

/// The day that comes twice has two revisions.
fn speed() -> MergeInput {
    MergeInput { source: MergeSource::Speed, table: table(&SPEED_DAYS, Some(vec![0, 0, 1, 0])), covers: None }
}

fn table(days: &[i64], revisions: Option<Vec<i64>>) -> Table {
    let column = |name: &str, data| Column { name: name.to_owned(), data, validity: None };
    let start = |day: &i64| FROM_US + day * DAY_US;
    let symbol = Text { bytes: b"BTCUSDT".to_vec(), ends: vec![7], codes: vec![0; days.len()] };
    let mut columns = vec![
        column("symbol", ColumnData::Text(symbol)),
        column("window_start", ColumnData::TimestampUs(days.iter().map(start).collect())),
        column("window_end", ColumnData::TimestampUs(days.iter().map(|day| start(day) + DAY_US).collect())),
        column("close", ColumnData::Float64(days.iter().map(|day| 100.0 + *day as f64).collect())),
        column("trades", ColumnData::Int64(days.iter().map(|day| 10 + day).collect())),
        column("complete", ColumnData::Boolean(days.iter().map(|day| day % 2 == 0).collect())),
    ];
    columns.extend(revisions.map(|revisions| column("revision", ColumnData::Int64(revisions))));
    Table { rows: days.len() as u32, columns }
}
