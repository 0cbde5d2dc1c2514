//! A merge that dies at any of its requests is completed by the next one, with the same bytes.

use tallow_test_support::faulty::{Fault, Op};

use crate::bench::{Bench, Candle, DAY_US, bench, btc, partial};

/// A lake that was merged once, and changed since: a hole mended, a day come, files old enough to go.
fn changed() -> Bench {
    let mut bench = bench();
    bench.batch(2024, &[btc("2024-12-30", 10.0)]);
    bench.speed("a", &[partial(btc("2025-01-02", 30.0))]);
    bench.merge();
    bench.backfill("b", &[Candle { revision: 1, ..btc("2025-01-01", 25.0) }]);
    bench.backfill("c", &[Candle { revision: 1, ..btc("2025-01-02", 31.0) }]);
    bench.speed("d", &[btc("2025-02-28", 50.0)]);
    bench.settings.speed_retention_us = Some(10 * DAY_US);
    bench
}

fn contents(bench: &Bench) -> Vec<(String, Vec<u8>)> {
    let paths = bench.objects().into_iter().map(|object| object.path);
    paths.map(|path| (path.clone(), bench.store.get(&path).unwrap().unwrap().to_vec())).collect()
}

#[test]
fn a_merge_that_dies_is_completed_by_the_next() {
    let bench = changed();
    let before = contents(&bench);
    let first = bench.faulty.requests().len();
    bench.merge();
    let requests = bench.faulty.requests().split_off(first);
    let after = contents(&bench);
    let speed = bench.store.list("speed").unwrap();
    assert!(speed.len() < 4 && before != after);

    let deaths = requests.iter().enumerate().filter(|(_, (op, _))| *op != Op::List);
    for (at, (op, path)) in deaths {
        let bench = changed();
        let spared = requests[..at].iter().filter(|(other, _)| other == op).count();
        bench.faulty.script_after(spared, *op, "", Fault::Denied);
        let died = bench.try_merge();
        for (path, bytes) in contents(&bench) {
            let whole = |objects: &[(String, Vec<u8>)]| objects.contains(&(path.clone(), bytes.clone()));
            assert!(whole(&before) || whole(&after), "{op:?} {path}");
        }
        bench.merge();
        assert!(contents(&bench) == after, "{op:?} {path} {died:?}");
        assert_eq!(bench.store.list("speed").unwrap(), speed, "{op:?} {path}");
    }
}
