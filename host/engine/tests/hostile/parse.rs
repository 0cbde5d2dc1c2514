//! Misdeeds of a parse function that is otherwise well made.

use std::time::Duration;

use tallow_engine::{CallError, ColumnData, Limits, ParseFunction, ParseOptions, Parsed, WantedColumn};

use crate::support::{GOOD, LIMITS, batch, hostile_parse, parse_function};

/// Parses one bad record between two good ones; then shows that the same function still parses good ones.
fn misdeed(text: &str) -> CallError {
    let mut function = parse_function(LIMITS);
    let mut bad = batch(&[GOOD, text, GOOD]);
    let before = bad.clone();
    let error = function.parse(&mut bad).expect_err(text);
    assert_eq!(bad, before, "the batch is given back whole, to be bisected");
    let parsed = function.parse(&mut batch(&[GOOD, GOOD])).expect("the next call works");
    assert_eq!(prices(&parsed), [6_012_350_000_000; 2]);
    error
}

fn prices(parsed: &Parsed) -> &[i64] {
    let price = parsed.rows.table.columns.iter().find(|column| column.name == "price");
    match price.map(|column| &column.data) {
        Some(ColumnData::Decimal(decimals)) => &decimals.values,
        other => panic!("{other:?}"),
    }
}

fn contract(text: &str) -> String {
    match misdeed(text) {
        CallError::Contract(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn records_without_misdeeds_become_rows_or_are_set_apart_with_a_reason() {
    let mut input = batch(&[GOOD, "neither", "ETHUSDT 2000000 2683.07 18 1"]);
    let parsed = parse_function(LIMITS).parse(&mut input).unwrap();
    assert_eq!(parsed.rows.records, [0, 2]);
    assert_eq!(prices(&parsed), [6_012_350_000_000, 268_307_000_000]);
    let rejected: Vec<_> = parsed.rejected.iter().collect();
    assert_eq!(rejected, [(1, "neither a trade nor a misdeed")]);
}

#[test]
fn an_unreachable_instruction_is_a_trap_that_says_so() {
    assert!(matches!(misdeed("trap"), CallError::Trap(why) if why.contains("unreachable")));
}

#[test]
fn a_panic_is_a_trap() {
    assert!(matches!(misdeed("panic"), CallError::Trap(_)));
}

#[test]
fn endless_recursion_is_a_trap_that_names_the_stack() {
    assert!(matches!(misdeed("stack"), CallError::Trap(why) if why.contains("stack")));
}

#[test]
fn an_endless_loop_misses_its_deadline() {
    assert_eq!(misdeed("loop"), CallError::Deadline { deadline_ms: 300 });
}

#[test]
fn a_slow_call_misses_a_short_deadline_and_makes_a_long_one() {
    let slow = "slow 1000";
    let mut function = parse_function(Limits { deadline: Duration::from_millis(20), ..LIMITS });
    assert_eq!(function.parse(&mut batch(&[slow])).unwrap_err(), CallError::Deadline { deadline_ms: 20 });
    function.set_deadline(Duration::from_secs(600));
    assert_eq!(function.parse(&mut batch(&[slow])).unwrap().rows.table.rows, 1);
}

#[test]
fn each_call_has_the_whole_deadline() {
    let mut function = parse_function(LIMITS);
    for _ in 0..3 {
        std::thread::sleep(2 * LIMITS.deadline);
        function.parse(&mut batch(&[GOOD])).expect("time between calls does not count");
    }
}

#[test]
fn memory_beyond_the_cap_is_named_with_the_cap() {
    assert_eq!(misdeed("hog"), CallError::Memory { cap_bytes: 32 << 20 });
}

#[test]
fn results_beyond_the_output_cap_are_refused_and_results_below_it_pass() {
    assert_eq!(misdeed("huge 5"), CallError::Output { cap_bytes: 4 << 20 });
    assert!(parse_function(LIMITS).parse(&mut batch(&["huge 3"])).is_ok());
}

#[test]
fn the_output_cap_does_not_count_what_goes_in() {
    let mut function = parse_function(Limits { memory_bytes: 256 << 20, output_bytes: 64 << 10, ..LIMITS });
    let large = "x".repeat(8 << 20);
    let parsed = function.parse(&mut batch(&[&large])).unwrap();
    assert_eq!(parsed.rejected.len(), 1);
}

#[test]
fn columns_of_unequal_length_break_the_contract() {
    assert_eq!(contract("unequal"), "`price` has 2 entries for 3");
}

#[test]
fn codes_out_of_range_break_the_contract() {
    assert_eq!(contract("codes"), "`kinds` row 0 has code 7 of 1");
}

#[test]
fn a_forgotten_record_breaks_the_contract() {
    assert_eq!(contract("lost"), "record 1 of 3 is in 0 of rows, ignored and rejected");
}

#[test]
fn a_record_in_two_lists_breaks_the_contract() {
    assert_eq!(contract("twice"), "record 1 of 3 is in 2 of rows, ignored and rejected");
}

#[test]
fn records_out_of_order_break_the_contract() {
    assert_eq!(contract("backwards"), "record 0 of 3 is in 0 of rows, ignored and rejected");
}

#[test]
fn text_that_is_not_utf8_breaks_the_contract() {
    assert_eq!(contract("latin1"), "the dictionary of `rejected` is not UTF-8");
}

#[test]
fn a_refusal_is_told_in_the_functions_own_words() {
    assert_eq!(misdeed("refuse"), CallError::Refused("a record asked for it".into()));
}

#[test]
fn an_unknown_column_is_refused_by_name() {
    let columns = vec![WantedColumn { name: "colour".into(), scale: 0 }];
    let options = ParseOptions { columns, ..ParseOptions::default() };
    let mut function = ParseFunction::new(hostile_parse(), LIMITS, options).unwrap();
    let error = function.parse(&mut batch(&[GOOD])).unwrap_err();
    assert_eq!(error, CallError::Refused("there is no column `colour`".into()));
}
