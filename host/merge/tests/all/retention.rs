//! Speed files that are served may go, and nothing is lost with them.

use tallow_merge::MergeError;

use crate::bench::{Bench, Candle, DAY_US, bench, btc, candle, partial};

/// Three days are served, two of them old enough to go.
fn dropping() -> Bench {
    let mut bench = bench();
    bench.batch(2025, &[btc("2025-02-20", 1.0)]);
    bench.speed("a", &[btc("2025-02-21", 10.0)]);
    bench.speed("b", &[btc("2025-02-22", 20.0), candle("ETH", "2025-02-22", 2.0)]);
    bench.backfill("b2", &[Candle { revision: 1, ..btc("2025-02-22", 21.0) }]);
    bench.speed("c", &[btc("2025-02-28", 30.0)]);
    bench.settings.speed_retention_us = Some(5 * DAY_US);
    bench
}

fn speed_files(bench: &Bench) -> Vec<String> {
    let listed = bench.store.list("speed").unwrap();
    listed.into_iter().map(|(path, _)| path.trim_start_matches("speed/candles_1d/date=").to_owned()).collect()
}

#[test]
fn old_served_files_are_removed_and_their_rows_stay() {
    let bench = dropping();
    assert_eq!(bench.merge().dropped_files, 3);
    assert_eq!(speed_files(&bench), ["2025-02-28/c.parquet"]);
    let served = bench.served("BTC", 2025);
    assert_eq!(served[1..3], ["2025-02-21 10 speed 5.5", "2025-02-22 21 backfill 10.666666666666666"]);

    assert_eq!(bench.merge().run, None, "that files went is no change");
    bench.speed("d", &[btc("2025-03-01", 40.0)]);
    bench.merge();
    let later = bench.served("BTC", 2025);
    assert_eq!(later[..served.len()], served[..]);
    assert_eq!(later.last().unwrap(), "2025-03-01 40 speed 30.333333333333332");
    assert_eq!(bench.served("ETH", 2025), ["2025-02-22 2 speed 2"]);
}

#[test]
fn batch_and_newer_revisions_win_over_rows_of_removed_files() {
    let bench = dropping();
    bench.merge();
    bench.batch(2025, &[btc("2025-02-20", 1.0), btc("2025-02-21", 11.0)]);
    bench.backfill("e", &[Candle { revision: 2, ..btc("2025-02-22", 22.0) }]);
    bench.merge();
    let served = bench.served("BTC", 2025);
    assert_eq!(served[1..3], ["2025-02-21 11 batch 6", "2025-02-22 22 backfill 11.333333333333334"]);
    assert_eq!(speed_files(&bench), ["2025-02-28/c.parquet"], "the new file, served, is gone again");
}

#[test]
fn a_day_that_is_not_served_in_full_keeps_its_files() {
    let bench = dropping();
    bench.speed("f", &[partial(candle("SOL", "2025-02-21", 5.0))]);
    bench.merge();
    assert_eq!(speed_files(&bench)[..2], ["2025-02-21/a.parquet", "2025-02-21/f.parquet"]);
    assert_eq!(speed_files(&bench).len(), 3);
}

#[test]
fn a_run_from_before_the_files_went_cannot_be_restored() {
    let mut bench = dropping();
    bench.settings.speed_retention_us = None;
    bench.merge();
    bench.speed("d", &[btc("2025-03-01", 40.0)]);
    bench.settings.speed_retention_us = Some(5 * DAY_US);
    bench.merge();
    let error = bench.merger().restore(1).unwrap_err();
    assert!(matches!(error, MergeError::Dropped { run: 1, dropped: 2 }), "{error}");
}
