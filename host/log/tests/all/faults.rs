//! Faults of a store and of owners, and what a shard does about them.

use std::time::Duration;

use tallow_log::record::{Kind, SeqRange, SetAside, State};
use tallow_log::{Draft, LogError, Retention, status};
use tallow_store::StoreError;
use tallow_test_support::faulty::{Fault, Op};

use crate::bench::{bench, commit, draft};

const LOG: &str = "_tallow/jobs/btc/0/log";

fn record_path(seq: u64) -> String {
    format!("{LOG}/{seq:020}")
}

#[test]
fn a_first_start_has_no_state_and_a_second_goes_on_in_the_same_chain() {
    let bench = bench(1);
    let opened = bench.open().unwrap();
    assert!(opened.first);
    let mut job = opened.log;
    assert_eq!((job.newest().seq, job.newest().term, job.newest().kind), (1, 1, Kind::Fence));
    commit(&mut job).unwrap();
    let (chain, state) = (job.newest().chain.clone(), job.newest().state.clone());

    let again = bench.open().unwrap();
    assert!(!again.first);
    let fence = again.log.newest();
    assert_eq!((fence.seq, fence.term, &fence.chain, &fence.state), (3, 2, &chain, &state));
    let part = &fence.state.parts[0];
    assert_eq!(again.log.read_blob(&part.blob).unwrap(), "state at 10");
}

#[test]
fn a_torn_state_blob_stops_the_start_and_is_named() {
    let bench = bench(2);
    let mut job = bench.job();
    commit(&mut job).unwrap();
    let blob = job.newest().state.parts[0].blob.clone();
    let path = format!("_tallow/jobs/btc/0/blob/{}", blob.name);
    let before = bench.log();

    bench.store.put_overwrite(&path, "state a").unwrap();
    let error = bench.open().err().unwrap();
    assert!(error.to_string().contains(&path) && error.to_string().contains("damaged"), "{error}");
    bench.store.delete(&path).unwrap();
    assert!(bench.open().err().unwrap().to_string().contains("it is missing"));
    assert_eq!(bench.log(), before, "a start that stops leaves the log alone");

    bench.store.put_overwrite(&path, "state at 11").unwrap();
    let error = bench.open().unwrap().log.read_blob(&blob).unwrap_err();
    assert!(error.to_string().contains("SHA-256"), "{error}");
    assert_eq!(error.exit_code(), 65);
}

#[test]
fn a_damaged_record_stops_the_start_and_is_named() {
    for (damaged, blamed) in [(4, 4), (3, 3)] {
        let bench = bench(3);
        let mut job = bench.job();
        for _ in 0..3 {
            commit(&mut job).unwrap();
        }
        let mut bytes = bench.store.get(&record_path(damaged)).unwrap().unwrap().to_vec();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        bench.store.put_overwrite(&record_path(damaged), bytes).unwrap();
        let error = bench.open().err().unwrap();
        assert!(matches!(error, LogError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains(&record_path(blamed)), "{error}");
        assert_eq!(bench.log(), ["1", "2", "3", "4"]);
    }
}

#[test]
fn a_record_replaced_by_another_valid_one_is_seen_by_the_chain() {
    let bench = bench(4);
    let mut job = bench.job();
    for _ in 0..3 {
        commit(&mut job).unwrap();
    }
    let mut other = status::record(&bench.store, "btc", 0, 3).unwrap().unwrap();
    other.at_us += 1;
    bench.store.put_overwrite(&record_path(3), other.encode().unwrap()).unwrap();
    let error = bench.open().err().unwrap();
    assert!(error.to_string().contains(&record_path(4)), "{error}");
}

#[test]
fn a_create_that_was_stored_though_its_answer_was_lost_is_a_commit() {
    let bench = bench(5);
    let mut job = bench.job();
    bench.faulty.script(Op::Create, LOG, Fault::AnswerLost);
    assert_eq!(commit(&mut job).unwrap(), 2);
    assert_eq!(bench.log(), ["1", "2"]);
    assert_eq!(bench.faulty.unmet(), 0);
}

#[test]
fn a_create_that_is_told_of_its_own_earlier_write_is_a_commit() {
    let bench = bench(6);
    let mut job = bench.job();
    // The first create is stored and answered with 500, and reading back fails: the second create is answered
    // with 412 because of the first.
    bench.faulty.script(Op::Create, LOG, Fault::AnswerLost);
    bench.faulty.script(Op::Get, LOG, Fault::Unavailable);
    assert_eq!(commit(&mut job).unwrap(), 2);
    let creates =
        bench.faulty.requests().into_iter().filter(|(op, path)| *op == Op::Create && path.ends_with('2'));
    assert_eq!(creates.filter(|(_, path)| path.contains("/log/")).count(), 2);
    assert_eq!(commit(&mut job).unwrap(), 3);
}

#[test]
fn a_conflict_that_left_no_object_is_tried_again() {
    let bench = bench(7);
    let mut job = bench.job();
    bench.faulty.script(Op::Create, LOG, Fault::Conflict);
    bench.faulty.script(Op::Create, "/blob/", Fault::Conflict);
    assert_eq!(commit(&mut job).unwrap(), 2);
    assert_eq!(bench.faulty.unmet(), 0);
}

#[test]
fn of_two_owners_the_earlier_one_is_fenced_and_changes_nothing() {
    let bench = bench(8);
    let mut earlier = bench.job();
    commit(&mut earlier).unwrap();
    let ready = draft(&earlier).unwrap();
    let mut later = bench.job();
    let error = earlier.commit(ready).unwrap_err();
    assert!(matches!(error, LogError::Fenced { their_term: 2, our_term: 1, .. }), "{error}");
    assert!(error.is_fenced() && error.exit_code() == 78);
    assert_eq!(commit(&mut later).unwrap(), 4);
    assert_eq!(bench.log(), ["1", "2", "3", "4"]);
}

#[test]
fn an_owner_that_is_fenced_while_its_commit_is_in_doubt_finds_out() {
    let bench = bench(9);
    let mut earlier = bench.job();
    let ready = draft(&earlier).unwrap();
    bench.faulty.down_until(bench.clock_us() + 600_000_000);
    assert!(earlier.commit(ready).unwrap_err().is_transient());
    bench.wait(Duration::from_secs(600));
    let mut later = bench.job();
    assert!(earlier.settle().unwrap_err().is_fenced());
    assert_eq!(commit(&mut later).unwrap(), 3);
}

#[test]
fn an_owner_that_slept_through_a_clean_up_finds_its_place_empty_and_is_fenced_all_the_same() {
    let bench = bench(10);
    let mut zombie = bench.job();
    commit(&mut zombie).unwrap();
    zombie.published("lake", 2);
    let ready = draft(&zombie).unwrap();
    let mut later = bench.job();
    for _ in 0..20 {
        let seq = commit(&mut later).unwrap();
        later.published("lake", seq);
    }
    let removed = later.clean_up(Retention { keep: 5, not_from: None }).unwrap();
    assert!(removed.boundary > 3 && !bench.log().contains(&"3".to_owned()));

    let error = zombie.commit(ready).unwrap_err();
    assert!(matches!(error, LogError::Overtaken { .. }), "{error}");
    assert_eq!(error.exit_code(), 78);
    // What the zombie left behind does no harm.
    assert!(bench.log().contains(&"3".to_owned()));
    assert_eq!(commit(&mut later).unwrap(), 24);
    assert_eq!(bench.open().unwrap().log.newest().seq, 25);
}

#[test]
fn what_was_not_known_to_be_published_is_published_again_in_order() {
    let bench = bench(11);
    let mut job = bench.job();
    for _ in 0..4 {
        let seq = commit(&mut job).unwrap();
        if seq <= 3 {
            job.published("lake", seq);
        }
    }
    // The commit of 5 wrote down that 3 was published; 4 and 5 may or may not have been.
    let opened = bench.open().unwrap();
    let due: Vec<_> = opened.to_publish.iter().map(|it| (it.sink.as_str(), it.seq)).collect();
    assert_eq!(due, [("lake", 4), ("lake", 5)]);
    let out = &opened.to_publish[0].outbox[0];
    assert_eq!(opened.log.read_blob(&out.blob).unwrap(), "rows 20 to 30");
}

#[test]
fn held_results_wait_and_a_rollback_makes_them_void() {
    let bench = bench(12);
    let mut job = bench.job();
    commit(&mut job).unwrap();
    job.published("lake", 2);
    let before_swap = job.newest().state.clone();
    for kind in [Kind::Swap, Kind::Commit] {
        let mut draft = Draft { kind, ..draft(&job).unwrap() };
        draft.state.released_through.insert("lake".into(), 2);
        job.commit(draft).unwrap();
    }
    assert!(bench.open().unwrap().to_publish.is_empty(), "nothing is released yet");

    let mut job = bench.job();
    let newest = job.newest().seq;
    let rollback = |from| Draft {
        kind: Kind::Rollback,
        epoch: Default::default(),
        state: State { released_through: Default::default(), ..before_swap.clone() },
        voided: Some(SeqRange { from, through: newest }),
    };
    job.commit(rollback(3)).unwrap();
    assert!(bench.open().unwrap().to_publish.is_empty(), "what is void is never published");
    assert_eq!(bench.job().newest().state.partitions[0].next, 10);
}

#[test]
fn ten_minutes_without_the_store_leave_one_commit() {
    let bench = bench(13);
    let mut job = bench.job();
    commit(&mut job).unwrap();
    let ready = draft(&job).unwrap();
    bench.faulty.down_until(bench.clock_us() + 600_000_000);
    let error = job.commit(ready.clone()).unwrap_err();
    assert!(matches!(error, LogError::Store(StoreError::Unknown { .. })), "{error}");
    assert_eq!(error.exit_code(), 69);
    assert!(matches!(job.commit(ready), Err(LogError::Unsettled { .. })));
    let mut tries = 0;
    while job.is_unsettled() {
        match job.settle() {
            Ok(committed) => assert!(committed),
            Err(error) => assert!(error.is_transient(), "{error}"),
        }
        tries += 1;
    }
    assert!(tries > 1 && tries < 10, "{tries} tries of two minutes each for ten minutes");
    assert_eq!(job.newest().seq, 3);
    assert_eq!(bench.log(), ["1", "2", "3"]);
    assert!(!job.settle().unwrap(), "nothing is open any more");
}

#[test]
fn an_answer_after_thirty_seconds_is_an_answer() {
    let bench = bench(14);
    let mut job = bench.job();
    for (op, path) in [(Op::Create, "/blob/"), (Op::Create, LOG), (Op::List, "/gc")] {
        bench.faulty.script(op, path, Fault::Slow(Duration::from_secs(30)));
    }
    assert_eq!(commit(&mut job).unwrap(), 2);
    assert_eq!(bench.faulty.unmet(), 0);
}

#[test]
fn missing_rights_are_said_at_once_and_leave_no_doubt() {
    let bench = bench(15);
    let mut job = bench.job();
    bench.faulty.script(Op::Create, LOG, Fault::Denied);
    let error = commit(&mut job).unwrap_err();
    assert!(matches!(error, LogError::Store(StoreError::Denied { .. })), "{error}");
    assert!(!job.is_unsettled());
    assert_eq!(commit(&mut job).unwrap(), 2);
}

#[test]
fn a_draft_that_contradicts_the_record_before_is_refused_and_changes_nothing() {
    let bench = bench(16);
    let mut job = bench.job();
    commit(&mut job).unwrap();
    let good = draft(&job).unwrap();
    let refusal = |job: &mut tallow_log::Log, change: &dyn Fn(&mut Draft)| {
        let mut draft = good.clone();
        change(&mut draft);
        let error = job.commit(draft).unwrap_err();
        assert!(matches!(error, LogError::Contradiction { .. }), "{error}");
        error.to_string()
    };
    assert!(
        refusal(&mut job, &|draft| draft.epoch.chunks[0].from += 1).contains("trades/0: offsets 10 to 10")
    );
    assert!(refusal(&mut job, &|draft| draft.epoch.chunks[0].from -= 1).contains("taken twice"));
    assert!(refusal(&mut job, &|draft| draft.epoch.watermark_us = Some(5)).contains("watermark"));
    assert!(refusal(&mut job, &|draft| draft.epoch.ledger.window("1m").late = 1).contains("window `1m`"));
    assert!(refusal(&mut job, &|draft| draft.kind = Kind::Fence).contains("fence"));
    assert!(refusal(&mut job, &|draft| draft.kind = Kind::Rollback).contains("rollback"));
    assert_eq!(bench.log(), ["1", "2"]);
    assert_eq!(job.commit(good).unwrap().seq, 3);
}

#[test]
fn a_long_list_of_set_aside_records_lives_in_a_blob_that_the_record_keeps() {
    let bench = bench(17);
    let mut job = bench.job();
    let mut draft = draft(&job).unwrap();
    let list = job.put_blob("[]").unwrap();
    draft.epoch.set_aside = SetAside::Blob(list.clone());
    job.commit(draft).unwrap();
    let mut later = bench.job();
    later.clean_up(Retention::default()).unwrap();
    assert_eq!(later.read_blob(&list).unwrap(), "[]");
}

#[test]
fn looking_at_a_shard_fences_nobody() {
    let bench = bench(18);
    let mut job = bench.job();
    commit(&mut job).unwrap();
    commit(&mut job).unwrap();
    let seen = status::last_records(&bench.store, "btc", 0, 2).unwrap();
    assert_eq!(seen.iter().map(|record| record.seq).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(&seen[0], job.newest());
    assert_eq!(status::shards(&bench.store).unwrap(), [("btc".to_owned(), 0)]);
    assert!(status::last_records(&bench.store, "none", 0, 2).unwrap().is_empty());
    assert_eq!(commit(&mut job).unwrap(), 4);
}

#[test]
fn an_owner_can_ask_whether_it_still_is_one() {
    let bench = bench(40);
    let mut first = bench.job();
    commit(&mut first).unwrap();
    first.check_owner().unwrap();
    let mut second = bench.job();
    assert!(first.check_owner().unwrap_err().is_fenced());
    for _ in 0..10 {
        let seq = commit(&mut second).unwrap();
        second.published("lake", seq);
    }
    // The place where the first owner would look has been cleaned away.
    second.clean_up(Retention { keep: 2, not_from: None }).unwrap();
    assert!(first.check_owner().unwrap_err().is_fenced());
    second.check_owner().unwrap();
}
