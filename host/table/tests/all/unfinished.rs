//! Work that commits hold for the next owner.

use tallow_table::job::peek;
use tallow_table::{Stored, TableJob, Unfinished};

use crate::bench::{Bench, JOB, bench, partition, path, run};

/// Stores a partition, and commits an account of it without taking it in.
fn begin(job: &mut TableJob, year: i32, numbers: &[i64]) -> Stored {
    let stored = job.store_partition(partition(year, numbers)).unwrap();
    let account = job.put_blob(b"half done".as_slice()).unwrap();
    let mut run = job.run();
    run.hold(Unfinished { account, blobs: stored.blob.clone().into_iter().collect() });
    run.commit().unwrap();
    stored
}

fn blobs(bench: &Bench) -> usize {
    bench.store.list("_tallow/jobs").unwrap().iter().filter(|(path, _)| path.contains("/blob/")).count()
}

#[test]
fn the_next_owner_finds_it_and_can_take_what_is_stored_and_nobody_sees_it_before() {
    let bench = bench();
    let mut job = bench.open().unwrap();
    run(&mut job, &[(2024, &[1])]).unwrap();
    let stored = begin(&mut job, 2025, &[2]);
    assert_eq!(bench.read(), [(2024, vec![1])]);
    assert_eq!(peek(&bench.store, JOB).unwrap().unwrap().partitions.len(), 1);
    drop(job);
    // A clean-up comes with each owner's first commit.
    let mut next = bench.open().unwrap();
    let held = next.unfinished().cloned().unwrap();
    assert_eq!(&next.read_blob(&held.account).unwrap()[..], b"half done");
    assert_eq!(held.blobs, [stored.blob.clone().unwrap()]);
    let mut taking = next.run();
    assert!(taking.take(stored));
    taking.commit().unwrap();
    assert!(next.unfinished().is_none());
    assert_eq!(bench.read(), [(2024, vec![1]), (2025, vec![2])]);
}

#[test]
fn a_commit_without_it_lets_its_blobs_go_once_the_newest_records_are_others() {
    let (with, without) = (bench(), bench());
    let mut jobs = [with.open().unwrap(), without.open().unwrap()];
    begin(&mut jobs[0], 2020, &[7]);
    for number in 0..20 {
        jobs.iter_mut().for_each(|job| drop(run(job, &[(2025, &[number])]).unwrap()));
    }
    assert!(blobs(&without) > 0);
    assert_eq!(blobs(&with), blobs(&without));
}

#[test]
fn a_partition_whose_bytes_were_there_can_be_had_until_they_are_replaced() {
    let bench = bench();
    let mut job = bench.open().unwrap();
    run(&mut job, &[(2024, &[1])]).unwrap();
    let stored = job.store_partition(partition(2024, &[1])).unwrap();
    assert_eq!(stored.blob, None);
    assert!(stored.holds(job.state()));
    run(&mut job, &[(2024, &[2])]).unwrap();
    assert!(!stored.holds(job.state()));
    job.distrust(&path(2024));
    assert!(job.store_partition(partition(2024, &[2])).unwrap().blob.is_some());
}
