//! A run that dies at any of its requests has happened, or it has not; and the next owner completes it.

use tallow_table::TableError;
use tallow_test_support::faulty::{Fault, Op};

use crate::bench::{Bench, bench, partition, path, run};

type Years = Vec<(i32, Vec<i64>)>;

const OLD: &[(i32, &[i64])] = &[(2023, &[1]), (2024, &[10, 11]), (2025, &[20])];

fn as_read(partitions: &[(i32, &[i64])]) -> Years {
    partitions.iter().map(|(year, numbers)| (*year, numbers.to_vec())).collect()
}

fn new() -> Years {
    as_read(&[(2024, &[10]), (2025, &[20, 21, 22]), (2026, &[30])])
}

/// Replaces two partitions, adds one, removes one.
fn change(bench: &Bench) -> Result<(), TableError> {
    let mut job = bench.open()?;
    let mut run = job.run();
    for (year, numbers) in new() {
        run.put(partition(year, &numbers))?;
    }
    run.remove(&path(2023));
    run.commit().map(drop)
}

/// The requests that a change makes, of those kinds that the faulty store can tell apart.
fn requests() -> Vec<(Op, String)> {
    let bench = bench();
    run(&mut bench.open().unwrap(), OLD).unwrap();
    let before = bench.faulty.requests().len();
    change(&bench).unwrap();
    let requests = bench.faulty.requests().split_off(before);
    assert_eq!(bench.read(), new());
    requests
}

/// A store on which the change's request number `at` meets `fault`.
fn broken(at: usize, requests: &[(Op, String)], fault: Fault) -> Bench {
    let bench = bench();
    run(&mut bench.open().unwrap(), OLD).unwrap();
    let op = requests[at].0;
    let spared = requests[..at].iter().filter(|(other, _)| *other == op).count();
    bench.faulty.script_after(spared, op, "", fault);
    bench
}

#[test]
fn a_run_that_dies_anywhere_has_happened_or_not_and_a_partition_is_whole() {
    let requests = requests();
    let (mut happened, mut not) = (0, 0);
    for at in 0..requests.len() {
        let bench = broken(at, &requests, Fault::Denied);
        let died = change(&bench);
        // Half-way: each partition is the old or the new one.
        for (year, numbers) in bench.read() {
            let old = OLD.iter().any(|(other, old)| *other == year && *old == numbers);
            assert!(old || new().contains(&(year, numbers.clone())), "request {at}: {year} {numbers:?}");
        }
        // The next owner completes it, or nothing has happened.
        drop(bench.open().unwrap());
        let seen = bench.read();
        assert!(seen == new() || seen == as_read(OLD), "request {at} {:?}: {seen:?}", requests[at]);
        if seen == new() {
            happened += 1
        } else {
            not += 1
        }
        if died.is_ok() {
            assert_eq!(seen, new(), "request {at}");
        }
        change(&bench).unwrap();
        assert_eq!(bench.read(), new(), "request {at}");
    }
    assert!(happened > 10 && not > 10, "{happened} {not}");
}

#[test]
fn faults_that_pass_are_ridden_out() {
    let requests = requests();
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::Unavailable] {
        for at in 0..requests.len() {
            let bench = broken(at, &requests, fault);
            change(&bench).unwrap_or_else(|error| panic!("request {at} {:?}: {error}", requests[at]));
            assert_eq!(bench.read(), new(), "request {at}");
        }
    }
}

#[test]
fn backups_of_a_run_that_was_taken_up_again_are_what_was_there_before_it() {
    let requests = requests();
    for at in 0..requests.len() {
        let bench = broken(at, &requests, Fault::Denied);
        let _ = change(&bench);
        let mut job = bench.open().unwrap();
        if job.state().run < 2 {
            continue;
        }
        job.restore(1, |_, _| {}).unwrap();
        assert_eq!(bench.read(), as_read(OLD), "request {at} {:?}", requests[at]);
    }
}

#[test]
fn an_owner_that_was_fenced_writes_nothing() {
    let bench = bench();
    let mut first = bench.open().unwrap();
    run(&mut first, OLD).unwrap();
    let mut second = bench.open().unwrap();
    let error = run(&mut first, &[(2024, &[99])]).unwrap_err();
    assert_eq!(error.exit_code(), 78);
    run(&mut second, &[(2024, &[12])]).unwrap();
    assert_eq!(bench.read()[1], (2024, vec![12]));
}

#[test]
fn what_an_owner_committed_and_did_not_put_the_next_one_puts_and_the_first_is_out() {
    let bench = bench();
    let mut first = bench.open().unwrap();
    run(&mut first, OLD).unwrap();
    bench.faulty.script(Op::Overwrite, "year=2024", Fault::Denied);
    assert!(run(&mut first, &[(2024, &[12]), (2025, &[22])]).is_err());
    assert_eq!(bench.read(), as_read(OLD));
    let mut second = bench.open().unwrap();
    assert_eq!(bench.read()[1..], as_read(&[(2024, &[12]), (2025, &[22])]));
    run(&mut second, &[(2024, &[13])]).unwrap();
    assert_eq!(run(&mut first, &[(2024, &[99])]).unwrap_err().exit_code(), 78);
    assert_eq!(bench.read()[1], (2024, vec![13]));
}
