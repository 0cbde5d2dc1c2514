//! Owners that come, go and overlap on a store that fails one request in three. Whatever the seed: the log
//! stays a chain, every acknowledged commit is in it once, and the offsets are taken once each.

use tallow_env::Random;
use tallow_log::record::Kind;
use tallow_log::{Log, LogError, Retention, status};
use tallow_test_support::faulty::Op;

use crate::bench::{Bench, bench, commit};

const STEPS: usize = 60;

/// What was done to which object, in order.
type Trace = Vec<(Op, String)>;

fn open(bench: &Bench) -> Log {
    loop {
        match bench.open() {
            Ok(opened) => return opened.log,
            Err(error) => {
                assert!(error.is_transient() || matches!(error, LogError::Contended { .. }), "{error}")
            }
        }
    }
}

/// One step of an owner. False: it was fenced.
fn step(bench: &Bench, job: &mut Log, acknowledged: &mut Vec<u64>) -> bool {
    let done = if job.is_unsettled() {
        job.settle().map(|committed| committed.then(|| job.newest().seq))
    } else if bench.random.below(10) == 0 {
        job.clean_up(Retention { keep: 5, not_from: Some(1) }).map(|_| None)
    } else {
        commit(job).map(Some)
    };
    match done {
        Ok(Some(seq)) => {
            acknowledged.push(seq);
            if bench.random.below(3) > 0 {
                job.published("lake", seq);
            }
        }
        Ok(None) => {}
        Err(error) if error.is_fenced() => return false,
        Err(error) => assert!(error.is_transient(), "{error}"),
    }
    true
}

fn run(seed: u64) -> Trace {
    let bench = bench(seed);
    bench.faulty.draw(bench.random.clone(), 3);
    let mut owners: Vec<Log> = Vec::new();
    let mut acknowledged = Vec::new();
    for _ in 0..STEPS {
        match bench.random.below(8) {
            0 => owners.push(open(&bench)),
            1 if !owners.is_empty() => {
                owners.remove(bench.random.below(owners.len() as u64) as usize);
            }
            _ if owners.is_empty() => owners.push(open(&bench)),
            _ => {
                let index = bench.random.below(owners.len() as u64) as usize;
                if !step(&bench, &mut owners[index], &mut acknowledged) {
                    owners.remove(index);
                }
            }
        }
    }
    bench.faulty.draw(bench.random.clone(), 0);
    check(&bench, &acknowledged, seed);
    bench.faulty.requests()
}

fn check(bench: &Bench, acknowledged: &[u64], seed: u64) {
    let last = bench.job().newest().seq;
    let mut records = status::last_records(&bench.store, "btc", 0, usize::MAX).unwrap();
    records.reverse();
    assert_eq!(records.last().unwrap().seq, last, "seed {seed}");
    assert!(records.iter().zip(1..).all(|(record, seq)| record.seq == seq), "seed {seed}: a hole");
    assert!(records.is_sorted_by_key(|record| record.term), "seed {seed}: a term went back");
    let mut once = acknowledged.to_vec();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), acknowledged.len(), "seed {seed}: a commit was acknowledged twice");
    let commits: Vec<_> = records.iter().filter(|record| record.kind == Kind::Commit).collect();
    for seq in acknowledged {
        assert!(commits.iter().any(|record| record.seq == *seq), "seed {seed}: commit {seq} was lost");
    }
    for (index, record) in commits.iter().enumerate() {
        let from = index as i64 * 10;
        assert_eq!(record.epoch.chunks[0].from, from, "seed {seed}: offsets of record {}", record.seq);
    }
}

#[test]
fn whatever_fails_and_whoever_owns_commits_happen_once() {
    for seed in 0..200 {
        run(seed);
    }
}

#[test]
fn the_same_seed_gives_the_same_requests() {
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
