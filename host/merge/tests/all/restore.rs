//! Restores of whole runs.

use crate::bench::{bench, btc, partial};

#[test]
fn a_restored_table_stays_until_one_of_its_inputs_changes() {
    let bench = bench();
    bench.batch(2025, &[btc("2025-01-01", 10.0)]);
    bench.merge();
    bench.batch(2025, &[btc("2025-01-01", 99.0)]);
    bench.merge();
    let report = bench.merger().restore(1).unwrap();
    assert_eq!((report.run, report.written.len()), (Some(3), 2));
    assert_eq!(bench.served("BTC", 2025), ["2025-01-01 10 batch 10"]);
    assert_eq!(bench.merge().run, None);
    assert_eq!(bench.served("BTC", 2025), ["2025-01-01 10 batch 10"]);
    bench.batch(2025, &[btc("2025-01-01", 7.0)]);
    bench.merge();
    assert_eq!(bench.served("BTC", 2025), ["2025-01-01 7 batch 7"]);
}

#[test]
fn what_was_restored_covers_nothing() {
    let mut bench = bench();
    bench.speed("a", &[btc("2025-01-01", 10.0)]);
    bench.speed("b", &[btc("2025-01-02", 20.0)]);
    bench.merge();
    bench.speed("c", &[btc("2025-01-03", 30.0)]);
    bench.merge();
    bench.merger().restore(1).unwrap();
    bench.settings.speed_retention_us = Some(0);
    assert_eq!(bench.merge().dropped_files, 0, "the third day is served no more");
    bench.speed("d", &[partial(btc("2025-01-04", 40.0))]);
    assert_eq!(bench.merge().dropped_files, 3);
    assert_eq!(bench.served("BTC", 2025).len(), 4);
}
