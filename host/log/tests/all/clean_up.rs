//! What a clean-up removes, and what it must not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tallow_env::{Clock, ManualClock, Random, SeededRandom, SystemClock};
use tallow_log::{Log, Retention};
use tallow_store::{Store, StoreError};
use tallow_test_support::faulty::{Fault, Op};

use crate::bench::{self, Bench, bench, commit};

fn keep(keep: u64) -> Retention {
    Retention { keep, not_from: None }
}

/// Commits and publishes `count` epochs; each stores two blobs.
fn go_on(job: &mut Log, count: usize) {
    for _ in 0..count {
        let seq = commit(job).unwrap();
        job.published("lake", seq);
    }
}

fn readable(bench: &Bench) -> Log {
    let opened = bench.open().unwrap();
    for part in &opened.log.newest().state.parts {
        opened.log.read_blob(&part.blob).unwrap();
    }
    for publication in &opened.to_publish {
        opened.log.read_blob(&publication.outbox[0].blob).unwrap();
    }
    opened.log
}

#[test]
fn the_newest_records_stay_with_their_blobs_and_the_rest_goes() {
    let bench = bench(30);
    let mut job = bench.job();
    go_on(&mut job, 20);
    let removed = job.clean_up(keep(5)).unwrap();
    assert_eq!((removed.boundary, removed.records, removed.blobs), (17, 16, 30));
    assert_eq!(bench.log(), ["17", "18", "19", "20", "21"]);
    assert_eq!(bench.blobs(), 10);
    assert_eq!(readable(&bench).newest().seq, 22);
}

#[test]
fn a_clean_up_with_nothing_to_remove_changes_nothing() {
    let bench = bench(31);
    let mut job = bench.job();
    go_on(&mut job, 3);
    let removed = job.clean_up(keep(100)).unwrap();
    assert_eq!((removed.boundary, removed.records, removed.blobs), (1, 0, 0));
    assert!(bench.store.list("_tallow/jobs/btc/0/gc").unwrap().is_empty());
}

#[test]
fn an_owner_whose_log_is_gone_halts_and_writes_nothing() {
    let bench = bench(33);
    let mut job = bench.job();
    go_on(&mut job, 3);
    let draft = bench::draft(&job).unwrap();
    // The newest record came while the lake was being deleted.
    for (path, _) in
        bench.store.list("").unwrap().iter().filter(|(path, _)| !path.ends_with("/log/00000000000000000004"))
    {
        bench.store.delete(path).unwrap();
    }
    let error = job.check_owner().unwrap_err();
    assert!(error.to_string().contains("the lake was deleted or replaced"), "{error}");
    let error = job.commit(draft).unwrap_err();
    assert_eq!((error.exit_code(), error.is_transient(), error.is_fenced()), (65, false, false), "{error}");
    assert_eq!(bench.log(), ["4"]);
}

#[test]
fn an_owner_whose_record_another_one_has_cleaned_away_is_fenced() {
    let bench = bench(34);
    let mut slept = bench.job();
    go_on(&mut slept, 2);
    let mut later = bench.job();
    go_on(&mut later, 10);
    later.clean_up(keep(2)).unwrap();
    let error = commit(&mut slept).unwrap_err();
    assert!(error.is_fenced(), "{error}");
}

#[test]
fn what_is_not_published_or_still_wanted_stays() {
    let bench = bench(32);
    let mut job = bench.job();
    go_on(&mut job, 5);
    for _ in 0..10 {
        commit(&mut job).unwrap();
    }
    // The sink stands at 6, and the log knows it from 7 on.
    assert_eq!(job.clean_up(keep(2)).unwrap().boundary, 7);
    let mut job = readable(&bench);
    go_on(&mut job, 3);
    assert_eq!(job.clean_up(Retention { keep: 2, not_from: Some(9) }).unwrap().boundary, 9);
    assert_eq!(job.clean_up(keep(2)).unwrap().boundary, 19);
    readable(&bench);
}

#[test]
fn blobs_that_an_earlier_owner_never_committed_go_and_those_under_way_stay() {
    let bench = bench(33);
    let mut earlier = bench.job();
    go_on(&mut earlier, 1);
    let orphan = earlier.put_blob("an epoch that was never committed").unwrap();
    let mut job = bench.job();
    let under_way = job.put_blob("an epoch that is being committed").unwrap();
    assert_eq!(job.clean_up(keep(100)).unwrap().blobs, 1);
    assert!(job.read_blob(&orphan).is_err());
    assert_eq!(job.read_blob(&under_way).unwrap(), "an epoch that is being committed");
    assert_eq!(bench.blobs(), 3);
}

#[test]
fn state_of_earlier_owners_stays_as_long_as_the_newest_record_needs_it() {
    let bench = bench(34);
    let mut job = bench.job();
    go_on(&mut job, 1);
    for _ in 0..10 {
        job = bench.job();
        job.clean_up(keep(2)).unwrap();
    }
    assert_eq!(readable(&bench).newest().state.partitions[0].next, 10);
}

/// At whichever request a clean-up dies, the next owner starts, and its clean-up finishes the work.
#[test]
fn a_clean_up_that_dies_anywhere_is_taken_up_again() {
    let count = {
        let bench = bench(35);
        let mut job = bench.job();
        go_on(&mut job, 8);
        let before = bench.faulty.requests().len();
        job.clean_up(keep(2)).unwrap();
        bench.faulty.requests().len() - before
    };
    assert!(count > 10);
    for dies_at in 0..count {
        let bench = bench(35);
        let mut job = bench.job();
        go_on(&mut job, 8);
        // Requests of a clean-up come in one order only: this one fails for good where its turn comes.
        let ops: Vec<Op> = {
            let probe = crate::bench::bench(35);
            let mut job = probe.job();
            go_on(&mut job, 8);
            let before = probe.faulty.requests().len();
            job.clean_up(keep(2)).unwrap();
            probe.faulty.requests()[before..].iter().map(|(op, _)| *op).collect()
        };
        let same_before = ops[..dies_at].iter().filter(|op| **op == ops[dies_at]).count();
        bench.faulty.script_after(same_before, ops[dies_at], "", Fault::Denied);
        let died = job.clean_up(keep(2));
        assert!(
            matches!(died, Err(tallow_log::LogError::Store(StoreError::Denied { .. }))),
            "request {dies_at}: {died:?}"
        );
        let mut next = readable(&bench);
        go_on(&mut next, 2);
        next.clean_up(keep(2)).unwrap();
        assert_eq!(bench.log(), ["11", "12"], "request {dies_at}");
        assert_eq!(bench.blobs(), 4, "request {dies_at}");
    }
}

#[test]
fn what_killed_uploads_left_in_a_folder_goes_with_an_owner_an_hour_later() {
    let place = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(SystemClock::new().now_us()));
    let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1));
    let store = Store::open(place.path().to_str().unwrap(), &BTreeMap::new()).unwrap();
    let store = store.with_edge(clock.clone(), random.clone());
    let open = || <Log>::open(&store, "btc", 0, "test", clock.clone(), random.clone()).unwrap().log;
    open().put_blob("a blob").unwrap();
    let folder = place.path().join("_tallow/jobs/btc/0");
    let [left, other, beside] =
        [folder.join("blob/1-2#3"), folder.join("blob/1-2#x"), place.path().join("a#1")];
    for path in [&left, &other, &beside] {
        std::fs::write(path, "half of it").unwrap();
    }
    let there = || [&left, &other, &beside].map(|path| path.exists());
    open();
    assert_eq!(there(), [true; 3], "it may be an upload that goes on");
    clock.advance(Duration::from_secs(3_700));
    open();
    assert_eq!(there(), [false, true, true]);
    assert_eq!(store.list("_tallow/jobs/btc/0/blob").unwrap().len(), 2, "a blob, and what is no upload's");
}
