//! Only partitions whose inputs changed are merged again, and only those whose bytes changed are written.

use crate::bench::{bench, btc, candle, prophet, serving, speed_path};

#[test]
fn run_twice_nothing_is_read_again_nor_written() {
    let bench = bench();
    bench.batch(2024, &[btc("2024-12-31", 20.0)]);
    bench.speed("a", &[btc("2025-01-01", 30.0)]);
    bench.merge();
    let before = bench.objects();
    let requests = bench.faulty.requests().len();
    let report = bench.merge();
    assert_eq!((report.run, report.merged), (None, 0));
    assert_eq!(bench.objects(), before);
    let read: Vec<String> = bench
        .faulty
        .requests()
        .split_off(requests)
        .into_iter()
        .map(|(_, path)| path)
        .filter(|path| path.ends_with(".parquet"))
        .collect();
    assert_eq!(read, [""; 0], "no table is read");
}

#[test]
fn a_new_day_touches_its_own_year_and_symbol() {
    let bench = bench();
    bench.batch(2024, &[btc("2024-12-31", 20.0)]);
    bench.batch(2024, &[candle("ETH", "2024-12-31", 2.0)]);
    bench.speed("a", &[btc("2025-01-01", 30.0), candle("ETH", "2025-01-01", 3.0)]);
    bench.merge();
    bench.speed("b", &[btc("2025-01-02", 40.0)]);
    let report = bench.merge();
    assert_eq!(report.merged, 1);
    assert_eq!(report.written, [prophet("BTC", 2025), serving("BTC", 2025)]);
}

#[test]
fn only_a_change_at_a_years_end_reaches_the_next_averages() {
    let bench = bench();
    let december = |first: f64, last: f64| {
        bench.batch(
            2024,
            &[
                btc("2024-12-28", first),
                btc("2024-12-29", 1.0),
                btc("2024-12-30", 1.0),
                btc("2024-12-31", last),
            ],
        );
    };
    december(1.0, 1.0);
    bench.speed("a", &[btc("2025-01-01", 4.0)]);
    bench.merge();
    assert_eq!(bench.served("BTC", 2025), ["2025-01-01 4 speed 2"]);
    december(1.0, 4.0);
    assert_eq!(bench.merge().merged, 2);
    assert_eq!(bench.served("BTC", 2025), ["2025-01-01 4 speed 3"]);
    december(7.0, 4.0);
    assert_eq!(bench.merge().merged, 1);
}

#[test]
fn the_last_real_close_is_an_input_however_far_back_it_is() {
    let bench = bench();
    bench.batch(2023, &[btc("2023-01-01", 1.0)]);
    bench.speed("a", &[btc("2025-01-01", 4.0)]);
    bench.merge();
    assert_eq!(bench.served("BTC", 2024)[0], "2024-01-01 1 - 1 filled");
    bench.batch(2023, &[btc("2023-01-01", 7.0)]);
    assert_eq!(bench.merge().merged, 3);
    assert_eq!(bench.served("BTC", 2024)[0], "2024-01-01 7 - 7 filled");
    assert_eq!(bench.served("BTC", 2025), ["2025-01-01 4 speed 6"]);
}

#[test]
fn what_goes_is_gone_from_what_is_served() {
    let bench = bench();
    bench.batch(2024, &[btc("2024-12-31", 20.0)]);
    bench.speed("a", &[btc("2025-01-01", 30.0)]);
    bench.speed("b", &[candle("ETH", "2025-01-02", 3.0)]);
    bench.merge();
    bench.store.delete(&speed_path("2025-01-01", "a")).unwrap();
    bench.store.delete(&speed_path("2025-01-02", "b")).unwrap();
    let report = bench.merge();
    assert_eq!(report.removed.len(), 4, "{report:?}");
    assert_eq!((report.partitions, bench.objects().len()), (1, 2));
    assert_eq!(bench.served("BTC", 2024), ["2024-12-31 20 batch 20"]);
}

#[test]
fn an_object_that_was_removed_or_cut_is_served_again() {
    let bench = bench();
    bench.batch(2025, &[btc("2025-01-01", 20.0)]);
    bench.merge();
    let served = bench.served("BTC", 2025);
    bench.store.delete(&serving("BTC", 2025)).unwrap();
    bench.store.put_overwrite(&prophet("BTC", 2025), "cut").unwrap();
    bench.merge();
    assert_eq!(bench.served("BTC", 2025), served);
    assert!(bench.objects().iter().all(|object| object.size > 100));
}

#[test]
fn other_settings_serve_everything_again() {
    let mut bench = bench();
    bench.batch(2024, &[btc("2024-12-31", 20.0)]);
    bench.batch(2025, &[btc("2025-01-01", 40.0)]);
    bench.merge();
    bench.settings.averages = Some(vec![("ma3".into(), "close".into(), 1)]);
    assert_eq!(bench.merge().merged, 2);
    assert_eq!(bench.served("BTC", 2025), ["2025-01-01 40 batch 40"]);
    bench.settings.prophet = None;
    let report = bench.merge();
    assert_eq!(report.removed, [prophet("BTC", 2024), prophet("BTC", 2025)]);
}
