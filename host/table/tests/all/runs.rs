//! Runs without faults: what is written, and what is not.

use tallow_table::Done;
use tallow_table::job::peek;
use tallow_test_support::faulty::Op;

use crate::bench::{JOB, bench, partition, path, run};

#[test]
fn only_partitions_whose_bytes_changed_are_written() {
    let bench = bench();
    let mut job = bench.open().unwrap();
    let first = run(&mut job, &[(2024, &[1]), (2025, &[2])]).unwrap();
    assert_eq!(first, Done { run: Some(1), written: vec![path(2024), path(2025)], removed: vec![] });
    let second = run(&mut job, &[(2024, &[1]), (2025, &[2, 3])]).unwrap();
    assert_eq!(second, Done { run: Some(2), written: vec![path(2025)], removed: vec![] });
    assert_eq!(bench.read(), [(2024, vec![1]), (2025, vec![2, 3])]);
    let overwritten = bench.faulty.requests().into_iter().filter(|(op, _)| *op == Op::Overwrite);
    let paths: Vec<String> = overwritten.map(|(_, path)| path).collect();
    assert_eq!(paths, [path(2024), path(2025), path(2025)].map(|path| format!("lake/{path}")));
}

#[test]
fn a_run_that_changes_nothing_writes_nothing() {
    let bench = bench();
    let mut job = bench.open().unwrap();
    run(&mut job, &[(2025, &[2])]).unwrap();
    let before = bench.store.list_tagged("").unwrap();
    assert_eq!(run(&mut job, &[(2025, &[2])]).unwrap(), Done::default());
    assert_eq!(bench.store.list_tagged("").unwrap(), before);
}

#[test]
fn inputs_that_changed_without_effect_are_noted_and_no_partition_is_written() {
    let bench = bench();
    let mut job = bench.open().unwrap();
    run(&mut job, &[(2025, &[2])]).unwrap();
    let mut again = partition(2025, &[2]);
    again.inputs[0].tag = "another".to_owned();
    let mut next = job.run();
    assert!(!next.put(again).unwrap());
    assert_eq!(next.commit().unwrap(), Done::default());
    assert_eq!(peek(&bench.store, JOB).unwrap().unwrap().partitions[&path(2025)].inputs[0].tag, "another");
}

#[test]
fn partitions_and_notes_stay_until_a_run_changes_them() {
    let bench = bench();
    let mut job = bench.open().unwrap();
    let mut first = job.run();
    first.put(partition(2024, &[1])).unwrap();
    *first.notes() = serde_json::json!({ "seen": 7 });
    first.commit().unwrap();
    run(&mut job, &[(2025, &[2])]).unwrap();
    drop(job);
    let job = bench.open().unwrap();
    assert_eq!(job.state().notes["seen"], 7);
    let known: Vec<(&String, u64)> =
        job.state().partitions.iter().map(|(path, it)| (path, it.since)).collect();
    assert_eq!(known, [(&path(2024), 1), (&path(2025), 2)]);
    assert_eq!(job.state().runs.iter().map(|run| run.written).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(peek(&bench.store, JOB).unwrap().as_ref(), Some(job.state()));
    assert_eq!(peek(&bench.store, "merge.other").unwrap(), None);
}

#[test]
fn an_object_that_somebody_removed_is_written_again_once_it_is_distrusted() {
    let bench = bench();
    let mut job = bench.open().unwrap();
    run(&mut job, &[(2025, &[2])]).unwrap();
    bench.store.delete(&path(2025)).unwrap();
    assert_eq!(run(&mut job, &[(2025, &[2])]).unwrap(), Done::default());
    let mut healing = job.run();
    healing.distrust(&path(2025));
    assert!(healing.put(partition(2025, &[2])).unwrap());
    assert_eq!(healing.commit().unwrap().written, [path(2025)]);
    assert_eq!(bench.read(), [(2025, vec![2])]);
}

#[test]
fn the_log_and_the_backups_do_not_grow_for_ever() {
    let bench = bench();
    let mut objects = Vec::new();
    for number in 0..30 {
        let mut job = bench.open().unwrap();
        run(&mut job, &[(2025, &[number])]).unwrap();
        objects.push(bench.store.list("").unwrap().len());
    }
    assert_eq!(objects[20], objects[29]);
    assert_eq!(bench.store.list("_tallow/backup").unwrap().len(), 3);
}
