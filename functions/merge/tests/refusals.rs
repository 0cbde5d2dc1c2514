//! What cannot be merged is refused, and the error says what and where.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use merge::{Average, Input, Settings, Source, merge};
use support::{DAY_US, input, row, settings, shown, table};
use tallow_contract::{ColumnData, Table};

fn refused(inputs: &[Input], settings: &Settings) -> String {
    merge(None, inputs, settings).unwrap_err().to_string()
}

fn one() -> Vec<Input> {
    vec![input(Source::Batch, &[row(0, 1)])]
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let average =
        |name: &str, column: &str, length| Average { name: name.into(), column: column.into(), length };
    let with = |change: &dyn Fn(&mut Settings)| {
        let mut settings = settings();
        change(&mut settings);
        refused(&one(), &settings)
    };
    for (error, wanted) in [
        (with(&|it| it.step_us = 0), "a step of 0 µs"),
        (with(&|it| it.step_us = u64::MAX), "a step of"),
        (with(&|it| it.zeroed.push("close".into())), "`close` is both carried and zeroed"),
        (with(&|it| it.carried.push("window_end".into())), "`window_end` cannot be carried"),
        (with(&|it| it.zeroed.push("symbol".into())), "`symbol` cannot be zeroed"),
        (with(&|it| it.carried.push("opne".into())), "no input has a column `opne`: there are `symbol`,"),
        (with(&|it| it.zeroed.push("complete".into())), "`complete` cannot be zeroed"),
        (with(&|it| it.averages[0].length = 0), "over no windows"),
        (with(&|it| it.averages.push(average("ma3", "close", 7))), "`ma3` is there twice"),
        (with(&|it| it.averages.push(average("volume", "close", 7))), "the name of another column"),
        (with(&|it| it.averages.push(average("x", "ma3", 7))), "`ma3` is not a column of the inputs"),
        (with(&|it| it.averages.push(average("x", "symbol", 7))), "`symbol` is not a number"),
        (with(&|it| it.keys = vec!["market".into()]), "the key's column `market`"),
        (with(&|it| it.keys = vec!["close".into()]), "`close`"),
    ] {
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn a_broken_input_is_named_with_its_column_or_row() {
    let broken = |change: &dyn Fn(&mut Table)| {
        let mut inputs =
            vec![input(Source::Batch, &[row(0, 1)]), input(Source::Speed, &[row(1, 1), row(2, 1)])];
        change(&mut inputs[1].table);
        refused(&inputs, &settings())
    };
    for (error, wanted) in [
        (
            broken(&|it| _ = it.columns.remove(1)),
            "input 1 (speed): column `window_start` is not in the table",
        ),
        (
            broken(&|it| it.columns[1].data = ColumnData::Int64(vec![0, 1])),
            "is int64, and timestamp-us is needed",
        ),
        (broken(&|it| it.columns[1].validity = Some(vec![0b01])), "row 1 has no `window_start`"),
        (
            broken(&|it| it.columns[2].data = ColumnData::TimestampUs(vec![2 * DAY_US, 4 * DAY_US])),
            "row 1: the window",
        ),
        (broken(&|it| it.columns[3].data = ColumnData::Boolean(vec![true, true])), "no type holds both"),
        (broken(&|it| it.columns[5].data = ColumnData::Int64(vec![1, 1])), "`complete` is int64"),
        (broken(&|it| it.columns[4].validity = Some(vec![])), "0 bytes of validity"),
        (broken(&|it| it.columns[3].data = ColumnData::Float64(vec![1.0])), "has 1 rows of 2"),
    ] {
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn rows_of_two_keys_are_refused() {
    let other = Input { source: Source::Speed, table: table("Y", &[row(1, 1)]), covers: None };
    let error = refused(&[one().remove(0), other], &settings());
    assert!(error.contains("`X` in one row and `Y` in another"), "{error}");
}

#[test]
fn windows_off_the_grid_and_before_what_was_given_are_refused() {
    let mut inputs = one();
    inputs[0].table = table("X", &[row(0, 1), row(1, 1)]);
    inputs[0].table.columns[1].data = ColumnData::TimestampUs(vec![0, DAY_US + 1]);
    inputs[0].table.columns[2].data = ColumnData::TimestampUs(vec![DAY_US, 2 * DAY_US + 1]);
    assert!(refused(&inputs, &settings()).contains("does not lie on the grid"));

    let before = merge(None, &[input(Source::Batch, &[row(0, 1), row(1, 1)])], &settings()).unwrap().table;
    let error =
        merge(Some(&before), &[input(Source::Batch, &[row(1, 2)])], &settings()).unwrap_err().to_string();
    assert!(error.contains("before the end of what was given"), "{error}");
}

#[test]
fn a_time_in_the_wrong_unit_is_not_filled_up_to() {
    let settings = Settings { step_us: 1000, ..settings() };
    let mut inputs = one();
    inputs[0].table = table("X", &[row(0, 1), row(1, 1)]);
    inputs[0].table.columns[1].data = ColumnData::TimestampUs(vec![0, i64::MAX / 2000 * 1000]);
    inputs[0].table.columns[2].data = ColumnData::TimestampUs(vec![1000, i64::MAX / 2000 * 1000 + 1000]);
    assert!(refused(&inputs, &settings).contains("are filled at most"));
}

#[test]
fn nothing_gives_nothing() {
    let nothing = merge(None, &[], &settings()).unwrap();
    assert_eq!((nothing.table, nothing.gaps), (Table::default(), vec![]));
    let empty = merge(None, &[input(Source::Batch, &[])], &settings()).unwrap().table;
    assert_eq!(empty.rows, 0);
    assert!(empty.columns.iter().any(|column| column.name == "ma3"));
}

#[test]
fn columns_of_different_inputs_are_joined_in_the_type_that_holds_both() {
    let mut inputs = vec![input(Source::Batch, &[row(0, 150)]), input(Source::Speed, &[row(1, 250)])];
    inputs[1].table.columns[3].data = ColumnData::Float64(vec![0.1]);
    inputs[0].table.columns.remove(4);
    let joined = merge(None, &inputs, &settings()).unwrap().table;
    assert_eq!(shown(&joined, "close"), ["1.5", "0.1"]);
    assert_eq!(shown(&joined, "volume"), ["-", "100"]);
    let names: Vec<&str> = joined.columns.iter().map(|column| column.name.as_str()).collect();
    let wanted = [
        "symbol",
        "window_start",
        "window_end",
        "close",
        "revision",
        "volume",
        "complete",
        "source",
        "filled",
        "ma3",
    ];
    assert_eq!(names, wanted);
}
