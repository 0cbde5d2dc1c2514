//! A hole is noted for a backfill; once it is mended the next merge serves it and says so.

use tallow_merge::peek;
use tallow_table::{Wanted, wanted};

use crate::bench::{Bench, Candle, DAY_US, bench, btc, day_number, partial};

fn wanted(bench: &Bench) -> Vec<Wanted> {
    wanted::read(&bench.store, "speed/candles_1d").unwrap()
}

fn want(from: &str, to: &str, partial: bool) -> Wanted {
    let us = |day| day_number(day) * DAY_US;
    Wanted { table: "speed/candles_1d".into(), key: "BTC".into(), from_us: us(from), to_us: us(to), partial }
}

#[test]
fn missing_and_partial_days_are_wanted_until_they_are_complete() {
    let bench = bench();
    bench.batch(2025, &[btc("2025-01-01", 10.0)]);
    bench.speed("a", &[partial(btc("2025-01-04", 40.0))]);
    bench.speed("b", &[btc("2025-01-05", 50.0)]);
    bench.merge();
    assert_eq!(
        wanted(&bench),
        [want("2025-01-02", "2025-01-04", false), want("2025-01-04", "2025-01-05", true)]
    );

    let newer = |candle: Candle| Candle { revision: 1, ..candle };
    bench.backfill("c", &[newer(btc("2025-01-04", 41.0))]);
    let report = bench.merge();
    assert_eq!(wanted(&bench), [want("2025-01-02", "2025-01-04", false)]);
    assert_eq!(report.healed.len(), 1);
    assert_eq!(
        (report.healed[0].from_us, report.healed[0].key.as_str()),
        (day_number("2025-01-04") * DAY_US, "BTC")
    );
    assert_eq!(bench.served("BTC", 2025)[3], "2025-01-04 41 backfill 20.333333333333332");

    bench.backfill("d", &[newer(btc("2025-01-02", 20.0))]);
    assert_eq!(bench.merge().healed, [], "half of a hole is not it");
    bench.backfill("e", &[newer(btc("2025-01-03", 30.0))]);
    assert_eq!(bench.merge().healed.len(), 1);
    assert_eq!(wanted(&bench), []);
    let (_, notes) = peek(&bench.store, "merge.daily").unwrap().unwrap();
    assert_eq!(notes.healed.len(), 2);
}

#[test]
fn a_window_that_has_not_ended_is_not_wanted() {
    let bench = bench();
    bench.speed("a", &[btc("2025-02-28", 10.0)]);
    bench.speed("b", &[partial(btc("2025-03-01", 11.0))]);
    bench.merge();
    assert_eq!(wanted(&bench), []);
    bench.clock.advance(std::time::Duration::from_secs(86_400));
    bench.merge();
    assert_eq!(wanted(&bench), [want("2025-03-01", "2025-03-02", true)]);
}

#[test]
fn a_merge_that_is_not_to_heal_wants_nothing() {
    let mut bench = bench();
    bench.settings.heal = false;
    bench.batch(2025, &[btc("2025-01-01", 10.0), btc("2025-01-03", 10.0)]);
    assert_eq!(bench.merge().gaps, 1);
    assert_eq!(wanted(&bench), []);
}
