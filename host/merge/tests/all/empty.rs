//! Days without trades, as ids prove them: no gaps, whatever the rows around them are.

use tallow_table::wanted;

use crate::bench::{Bench, Candle, bench, btc, partial};

fn traded(day: &'static str, close: f64, first_id: i64, last_id: i64) -> Candle {
    Candle { ids: Some((first_id, last_id)), ..btc(day, close) }
}

fn lacking(bench: &Bench) -> Vec<(i64, i64)> {
    let wanted = wanted::read(&bench.store, "speed/candles_1d").unwrap();
    wanted.iter().map(|it| (it.from_us, it.to_us)).collect()
}

/// Day, whether it is filled and whether it is complete.
fn served(bench: &Bench, year: i32) -> Vec<String> {
    let path = crate::bench::serving("BTC", year);
    let content = tallow_table::file::read(&bench.store, &path).unwrap().unwrap();
    let table = content.table(&path).unwrap();
    let line = |row| ["filled", "complete"].map(|name| crate::bench::shown(&table, name, row)).join(" ");
    let days = bench.served("BTC", year);
    (0..table.rows as usize).map(|row| format!("{} {}", &days[row][..10], line(row))).collect()
}

#[test]
fn days_between_ids_that_follow_each_other_are_no_gap() {
    let bench = bench();
    bench.speed("a", &[traded("2025-01-01", 10.0, 1, 9)]);
    bench.speed("b", &[traded("2025-01-04", 40.0, 10, 12)]);
    // Of these, one trade is missing.
    bench.speed("c", &[traded("2025-01-06", 60.0, 14, 15)]);
    let report = bench.merge();
    assert_eq!(report.gaps, 1);
    assert_eq!(
        served(&bench, 2025),
        [
            "2025-01-01 false true",
            "2025-01-02 true true",
            "2025-01-03 true true",
            "2025-01-04 false true",
            "2025-01-05 true false",
            "2025-01-06 false true",
        ]
    );
    assert_eq!(lacking(&bench).len(), 1);
    // The missing trade comes with a day of its own.
    bench.speed("d", &[traded("2025-01-05", 50.0, 13, 13)]);
    assert_eq!((bench.merge().gaps, lacking(&bench)), (0, vec![]));
}

#[test]
fn ids_prove_it_whichever_row_of_the_day_is_served() {
    let bench = bench();
    // The stream began in the middle of the day; a backfill, which has no ids, mended that. The batch has the other.
    bench.speed("a", &[partial(traded("2025-01-01", 9.0, 5, 9))]);
    bench.backfill("b", &[Candle { revision: 1, ..btc("2025-01-01", 10.0) }]);
    bench.speed("c", &[traded("2025-01-04", 40.0, 10, 12)]);
    bench.batch(2025, &[btc("2025-01-04", 40.0)]);
    assert_eq!((bench.merge().gaps, lacking(&bench)), (0, vec![]));
    assert_eq!(served(&bench, 2025)[1..3], ["2025-01-02 true true", "2025-01-03 true true"]);
}

#[test]
fn ids_prove_it_across_the_turn_of_years() {
    let bench = bench();
    bench.speed("a", &[traded("2023-12-30", 10.0, 1, 9)]);
    assert_eq!(bench.merge().gaps, 0, "nothing is known of what follows");
    bench.speed("b", &[traded("2025-01-03", 40.0, 10, 12)]);
    let report = bench.merge();
    assert_eq!((report.gaps, report.partitions, lacking(&bench)), (0, 3, vec![]));
    assert_eq!(served(&bench, 2023), ["2023-12-30 false true", "2023-12-31 true true"]);
    assert_eq!(served(&bench, 2024).len(), 366);
    assert!(served(&bench, 2024).iter().all(|day| day.ends_with(" true true")));
    assert_eq!(
        served(&bench, 2025),
        ["2025-01-01 true true", "2025-01-02 true true", "2025-01-03 false true"]
    );
    assert_eq!(bench.merge().run, None, "nothing changed");

    // A trade in between that did not come: the years on both sides of it know.
    bench.speed("c", &[partial(traded("2025-01-03", 40.0, 11, 12))]);
    bench.store.delete("speed/candles_1d/date=2025-01-03/b.parquet").unwrap();
    assert_eq!(bench.merge().gaps, 4, "three years of it, and the partial day");
}

#[test]
fn a_day_that_was_lost_is_a_gap_though_the_next_is_whole() {
    let bench = bench();
    bench.speed("a", &[traded("2025-01-01", 10.0, 1, 9)]);
    bench.speed("b", &[traded("2025-01-02", 20.0, 10, 19)]);
    bench.speed("c", &[traded("2025-01-03", 30.0, 20, 29)]);
    assert_eq!(bench.merge().gaps, 0);
    bench.store.delete("speed/candles_1d/date=2025-01-02/b.parquet").unwrap();
    assert_eq!(bench.merge().gaps, 1);
}
