//! Misdeeds of a window function that is otherwise well made.

use tallow_engine::{
    Aggregate, CallError, ColumnData, Fill, FillWith, IdColumns, Operation, Output, Rows, Shape, Spec,
    WindowFunction,
};

use crate::support::{LIMITS, batch, hostile_window, old_window, parse_function};

const SECOND_US: u64 = 1_000_000;

fn spec(name: &str) -> Spec {
    Spec {
        name: name.into(),
        kinds: vec!["trade".into()],
        keys: vec!["symbol".into()],
        time: "event_time".into(),
        ids: Some(IdColumns::unbounded("id", "id")),
        shape: Shape::Tumbling(SECOND_US),
        offset_us: 0,
        aggregates: vec![Aggregate {
            name: "count".into(),
            operation: Operation::Count,
            column: None,
            by: None,
        }],
    }
}

fn open(spec_name: &str) -> WindowFunction {
    let function = WindowFunction::open(hostile_window(), LIMITS, &[spec("well-behaved"), spec(spec_name)]);
    function.expect(spec_name)
}

/// A row a (time, id).
fn rows(trades: &[(i64, i64)]) -> Rows {
    let values: Vec<_> = trades.iter().map(|(time_us, id)| format!("BTCUSDT {time_us} 1 {id} 1")).collect();
    let values: Vec<_> = values.iter().map(String::as_str).collect();
    parse_function(LIMITS).parse(&mut batch(&values)).unwrap().rows
}

fn counts(outputs: &[Output]) -> Vec<i64> {
    let columns = outputs.iter().flat_map(|output| &output.table.columns);
    let counts = columns.filter(|column| column.name == "count").map(|column| match &column.data {
        ColumnData::Int64(counts) => counts.clone(),
        other => panic!("{other:?}"),
    });
    counts.flatten().collect()
}

fn is_unreachable<T: std::fmt::Debug>(result: Result<T, CallError>) -> bool {
    matches!(result, Err(CallError::Trap(why)) if why.contains("unreachable"))
}

#[test]
fn windows_close_at_the_watermark_and_late_rows_are_told() {
    let mut function = open("b");
    function.update(&rows(&[(100, 1), (999_999, 2), (1_000_000, 3)])).unwrap();
    assert_eq!(counts(&function.advance(1_000_000).unwrap()), [2, 2]);
    let reports = function.update(&rows(&[(5, 4), (1_000_001, 5)])).unwrap();
    assert_eq!(reports.iter().map(|it| it.late_rows.clone()).collect::<Vec<_>>(), [[0], [0]]);
}

#[test]
fn a_row_that_traps_in_update_is_a_trap() {
    assert!(is_unreachable(open("b").update(&rows(&[(1, 1), (2, 666)]))));
}

#[test]
fn a_row_that_loops_in_update_misses_its_deadline() {
    let error = open("b").update(&rows(&[(1, 667)])).unwrap_err();
    assert_eq!(error, CallError::Deadline { deadline_ms: 300 });
}

#[test]
fn a_row_that_hogs_in_update_hits_the_memory_cap() {
    let error = open("b").update(&rows(&[(1, 668)])).unwrap_err();
    assert_eq!(error, CallError::Memory { cap_bytes: 32 << 20 });
}

#[test]
fn traps_are_traps_in_every_function() {
    assert!(is_unreachable(open("trap-in-advance").advance(1)));
    assert!(is_unreachable(open("trap-in-close-all").close_all()));
    assert!(is_unreachable(open("trap-in-changed").changed()));
    assert!(is_unreachable(open("trap-in-snapshot").snapshot(0)));
    assert!(is_unreachable(open("trap-in-stats").stats()));
    let specs = [spec("trap-in-open")];
    assert!(is_unreachable(WindowFunction::open(hostile_window(), LIMITS, &specs).map(drop)));
    let specs = [spec("trap-in-restore")];
    assert!(is_unreachable(WindowFunction::restore(hostile_window(), LIMITS, &specs, 0, &[]).map(drop)));
}

#[test]
fn deadlines_and_caps_hold_in_advance_snapshot_and_restore() {
    let late = CallError::Deadline { deadline_ms: 300 };
    assert_eq!(open("loop-in-advance").advance(1).unwrap_err(), late);
    assert_eq!(open("loop-in-snapshot").snapshot(0).unwrap_err(), late);
    let specs = [spec("hog-in-restore")];
    let error = WindowFunction::restore(hostile_window(), LIMITS, &specs, 0, &[]).err();
    assert_eq!(error, Some(CallError::Memory { cap_bytes: 32 << 20 }));
}

#[test]
fn an_instance_that_trapped_is_spent_and_a_snapshot_brings_its_state_back() {
    let mut function = open("b");
    function.update(&rows(&[(1, 1), (2, 2)])).unwrap();
    let snapshot = function.snapshot(0).unwrap();
    assert!(is_unreachable(function.update(&rows(&[(3, 666)]))));
    function.update(&rows(&[(4, 4)])).expect_err("its memory may be in any state");

    let specs = [spec("well-behaved"), spec("b")];
    let mut again = WindowFunction::restore(hostile_window(), LIMITS, &specs, 0, &snapshot.parts).unwrap();
    again.update(&rows(&[(4, 4)])).unwrap();
    assert_eq!(counts(&again.advance(1_000_000).unwrap()), [3, 3]);
}

#[test]
fn a_function_of_the_contract_before_works_as_it_did() {
    assert_eq!(old_window().exports(), ["tallow:window/window@0.1.0"]);
    assert_eq!(WindowFunction::describe(old_window(), LIMITS).unwrap().name, "window-0-1");
    let specs = [spec("well-behaved"), spec("b")];
    let mut function = WindowFunction::open(old_window(), LIMITS, &specs).unwrap();
    let reports = function.update(&rows(&[(1, 1), (999_999, 2), (1_000_000, 3)])).unwrap();
    assert_eq!(reports.iter().map(|it| (it.accepted, it.untracked)).collect::<Vec<_>>(), [(3, 0); 2]);
    assert_eq!(counts(&function.changed().unwrap()), [2, 1, 2, 1]);
    let snapshot = function.snapshot(0).unwrap();
    assert_eq!(function.stats().unwrap()[1].open_assignments, 3);
    assert_eq!(counts(&function.advance(1_000_000).unwrap()), [2, 2]);

    let mut again = WindowFunction::restore(old_window(), LIMITS, &specs, 0, &snapshot.parts).unwrap();
    assert_eq!(counts(&again.close_all().unwrap()), [2, 1, 2, 1]);
    assert_eq!(counts(&again.advance(2_000_000).unwrap()), [2, 1, 2, 1]);
    assert!(is_unreachable(again.update(&rows(&[(3_000_000, 666)]))));
}

#[test]
fn a_function_that_does_not_fill_refuses_to() {
    let mut asks = spec("b");
    let fill = Fill { with: FillWith::Zero, for_us: 1, keep_us: 2 };
    asks.aggregates.push(fill.aggregate());
    for component in [hostile_window(), old_window()] {
        let error = WindowFunction::open(component, LIMITS, std::slice::from_ref(&asks)).err();
        assert!(matches!(error, Some(CallError::Refused(_))), "{error:?}");
    }
}

#[test]
fn an_answer_without_end_breaks_the_contract() {
    let empty = [spec("never-ends")];
    let mut function = WindowFunction::open(hostile_window(), LIMITS, &empty).unwrap();
    function.update(&rows(&[(1, 1)])).unwrap();
    let error = function.advance(1_000_000).unwrap_err();
    assert!(matches!(&error, CallError::Contract(why) if why.contains("there is more")), "{error}");
    let mut function = WindowFunction::open(hostile_window(), LIMITS, &[spec("never-saved")]).unwrap();
    function.update(&rows(&[(1, 1)])).unwrap();
    let error = function.snapshot(0).unwrap_err();
    assert!(matches!(&error, CallError::Contract(why) if why.contains("there is more")), "{error}");
}

#[test]
fn an_output_for_a_spec_that_nobody_asked_for_breaks_the_contract() {
    let error = open("foreign-output").advance(1).unwrap_err();
    assert_eq!(error, CallError::Contract("an output of spec 1000 of 2".into()));
}

#[test]
fn a_missing_report_breaks_the_contract() {
    let error = open("no-report").update(&rows(&[(1, 1)])).unwrap_err();
    assert_eq!(error, CallError::Contract("1 reports for 2 specs".into()));
}

#[test]
fn a_refusal_in_update_leaves_the_instance_usable() {
    let mut function = open("b");
    let mut without_times = rows(&[(1, 1)]);
    without_times.table.columns.retain(|column| column.name != "event_time");
    assert!(
        matches!(function.update(&without_times), Err(CallError::Refused(why)) if why.contains("event_time"))
    );
    function.update(&rows(&[(1, 1)])).unwrap();
}
