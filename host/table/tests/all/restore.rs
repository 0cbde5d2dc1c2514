//! Bringing back what runs replaced.

use tallow_table::{Done, TableError};

use crate::bench::{bench, partition, path, run};

#[test]
fn a_restore_brings_back_what_a_run_left_and_is_a_run_that_can_be_undone() {
    let bench = bench();
    let mut job = bench.open().unwrap();
    run(&mut job, &[(2023, &[1]), (2024, &[1])]).unwrap();
    run(&mut job, &[(2024, &[2])]).unwrap();
    let mut third = job.run();
    third.put(partition(2024, &[3])).unwrap();
    third.put(partition(2025, &[3])).unwrap();
    third.remove(&path(2023));
    third.commit().unwrap();
    assert_eq!(bench.read(), [(2024, vec![3]), (2025, vec![3])]);

    let done = job.restore(1, |_, _| {}).unwrap();
    let written = vec![path(2023), path(2024)];
    assert_eq!(done, Done { run: Some(4), written, removed: vec![path(2025)] });
    assert_eq!(bench.read(), [(2023, vec![1]), (2024, vec![1])]);
    assert_eq!(job.state().runs.last().unwrap().restored, Some(1));

    job.restore(3, |_, _| {}).unwrap();
    assert_eq!(bench.read(), [(2024, vec![3]), (2025, vec![3])]);
}

#[test]
fn a_restored_partition_keeps_its_inputs_and_stays_until_they_change() {
    let bench = bench();
    let mut job = bench.open().unwrap();
    run(&mut job, &[(2025, &[1])]).unwrap();
    run(&mut job, &[(2025, &[2])]).unwrap();
    job.restore(1, |_, _| {}).unwrap();
    assert_eq!(bench.read(), [(2025, vec![1])]);
    assert_eq!(job.state().partitions[&path(2025)].inputs, partition(2025, &[2]).inputs);
}

#[test]
fn runs_that_backups_do_not_reach_are_refused() {
    let bench = bench();
    let mut job = bench.open().unwrap();
    for number in 0..6 {
        run(&mut job, &[(2025, &[number])]).unwrap();
    }
    for out_of_reach in [0, 2, 6, 99] {
        let error = job.restore(out_of_reach, |_, _| {}).unwrap_err();
        assert!(matches!(error, TableError::Restore(_)), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
    job.restore(3, |_, _| {}).unwrap();
    assert_eq!(bench.read(), [(2025, vec![2])]);
}
