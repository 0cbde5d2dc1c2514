//! `tallow backfill` against an exchange on this machine that behaves and misbehaves: what comes out is what the bars
//! give when they are added up without the functions.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use tallow_tests::bars::{self, Bar};
use tallow_tests::exchange::{Exchange, Fault};
use tallow_tests::lake::{self, Row};
use tallow_tests::{disk, skip};

#[path = "backfill/scene.rs"]
mod scene;
use scene::{Scene, files, published};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// 2024-03-01, in ms.
const MARCH: i64 = 1_709_251_200_000;

const TO_MARCH_5: [&str; 2] = ["--to", "2024-03-05"];

/// Four days of minutes.
fn four_days() -> Vec<Bar> {
    bars::synthetic(1, MARCH, MINUTE_MS, 4 * 1440)
}

#[test]
fn a_lake_without_a_row_is_filled_from_where_the_manifest_says() {
    let scene = Scene::new();
    let bars = four_days();
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    let finished = scene.backfill(&TO_MARCH_5).success();
    assert!(finished.stdout.contains("100 windows published"), "{}", finished.stdout);
    for (table, window_ms) in [("speed/klines_1h", HOUR_MS), ("speed/klines_1d", DAY_MS)] {
        let rows = lake::table(&scene.lake(), table);
        lake::assert_same_rows(table, &published(bars::windows("AB", &bars, window_ms), 1), &rows);
    }
}

#[test]
fn a_second_run_asks_nothing_and_changes_no_byte() {
    let scene = Scene::new();
    scene.exchange.list("AB", MINUTE_MS, four_days());
    scene.backfill(&TO_MARCH_5).success();
    let (before, asked) = (files(&scene.lake()), scene.exchange.asked().len());
    let finished = scene.backfill(&TO_MARCH_5).success();
    assert!(finished.stdout.contains("nothing is missing"), "{}", finished.stdout);
    assert_eq!(scene.exchange.asked().len(), asked);
    assert!(files(&scene.lake()) == before, "files were added or changed");
}

#[test]
fn a_dry_run_says_what_it_would_ask_and_asks_nothing() {
    let scene = Scene::new();
    scene.exchange.list("AB", MINUTE_MS, four_days());
    let plan = scene.backfill(&["--to", "2024-03-05", "--dry-run"]).success().stdout;
    assert!(plan.contains("AB  1d  2024-03-01 00:00:00.000Z to 2024-03-05 00:00:00.000Z  4d"), "{plan}");
    assert!(plan.contains("AB  6 requests of weight 12"), "{plan}");
    assert_eq!((scene.exchange.asked().len(), files(&scene.lake()).len()), (0, 0));
    scene.backfill(&TO_MARCH_5).success();
    assert_eq!(scene.exchange.asked().len(), 6);
}

#[test]
fn an_exchange_that_misbehaves_costs_time_and_nothing_else() {
    let scene = Scene::new().with("timeout = \"2s\"", "timeout = \"500ms\"\nattempts = 12");
    let bars = four_days();
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    let faults = [
        Fault::TooMany(1),
        Fault::Banned(1),
        Fault::Status(500),
        Fault::Status(503),
        Fault::CutShort,
        Fault::Slow(Duration::from_secs(30)),
        Fault::WrongJson,
        Fault::Overlap,
    ];
    faults.into_iter().for_each(|fault| scene.exchange.misbehave(0, fault));
    let finished = scene.backfill(&TO_MARCH_5).success();
    assert!(finished.stdout.contains("7 tried again"), "{}", finished.stdout);
    let rows = lake::table(&scene.lake(), "speed/klines_1d");
    lake::assert_same_rows("days", &published(bars::windows("AB", &bars, DAY_MS), 1), &rows);
}

#[test]
fn what_was_committed_is_not_fetched_again() {
    let scene = Scene::new();
    let bars = bars::synthetic(2, MARCH, MINUTE_MS, 20 * 1440);
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    // A week is a commit, of 11 requests.
    scene.exchange.misbehave(12, Fault::Banned(3600));
    let banned = scene.backfill(&["--to", "2024-03-21"]);
    assert_eq!(banned.status.code(), Some(69), "{}", banned.stderr);
    assert!(banned.stderr.contains("left alone for 3600 s"), "{}", banned.stderr);
    assert_eq!(lake::table(&scene.lake(), "speed/klines_1d").len(), 7);

    let before = scene.exchange.asked().len();
    scene.backfill(&["--to", "2024-03-21"]).success();
    let again = &scene.exchange.asked()[before..];
    assert_eq!(again.len(), 11 + 9, "a week, and six days: {again:?}");
    let rows = lake::table(&scene.lake(), "speed/klines_1h");
    lake::assert_same_rows("hours", &published(bars::windows("AB", &bars, HOUR_MS), 1), &rows);
}

#[test]
fn an_outage_of_the_exchange_is_asked_for_once() {
    let scene = Scene::new();
    scene.exchange.list("AB", MINUTE_MS, four_days());
    // All of the third, and half an hour before and after.
    let outage = (MARCH + 2 * DAY_MS - 30 * MINUTE_MS, MARCH + 3 * DAY_MS + 30 * MINUTE_MS);
    scene.exchange.outage("AB", outage.0, outage.1);
    let finished = scene.backfill(&TO_MARCH_5).success();
    assert!(finished.stdout.contains("25 the exchange does not have"), "{}", finished.stdout);
    let left: Vec<Bar> =
        four_days().into_iter().filter(|bar| !(outage.0..outage.1).contains(&bar.open_ms)).collect();
    for (table, window_ms) in [("speed/klines_1h", HOUR_MS), ("speed/klines_1d", DAY_MS)] {
        let rows = lake::table(&scene.lake(), table);
        lake::assert_same_rows(table, &published(bars::windows("AB", &left, window_ms), 1), &rows);
    }
    let asked = scene.exchange.asked().len();
    scene.backfill(&TO_MARCH_5).success();
    assert_eq!(scene.exchange.asked().len(), asked);
}

#[test]
fn a_backfill_killed_again_and_again_gives_each_window_once() {
    let scene = Scene::new();
    let bars = bars::synthetic(3, MARCH, MINUTE_MS, 70 * 1440);
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    let to = ["--to", "2024-05-10"];
    let mut kills = 0;
    for requests in [3, 12, 14, 25] {
        let seen = scene.exchange.asked().len();
        let running = scene.start("backfill", &to, &[]);
        kills += usize::from(running.kill_when(|| scene.exchange.asked().len() >= seen + requests));
    }
    assert!(kills > 2, "no run lived long enough to be killed");
    scene.backfill(&to).success();
    for (table, window_ms) in [("speed/klines_1h", HOUR_MS), ("speed/klines_1d", DAY_MS)] {
        let rows = lake::table(&scene.lake(), table);
        lake::assert_same_rows(table, &published(bars::windows("AB", &bars, window_ms), 1), &rows);
    }
}

#[test]
fn after_a_full_disk_each_window_comes_once() {
    if !disk::mounts() {
        return skip("a_full_disk_publishes_no_half", "a test may not mount a disk of its own here");
    }
    let whole = Scene::new();
    whole.exchange.list("AB", MINUTE_MS, four_days());
    whole.backfill(&TO_MARCH_5).success();
    let published_bytes = disk::bytes_of(&whole.lake().join("speed"));
    assert!(published_bytes >= 2 * 4096, "at least two files are published");
    // Full at the first blob, and at the last file that is published.
    for size_bytes in [8 << 10, disk::bytes_of(&whole.lake()) - 4096] {
        let scene = Scene::new();
        scene.exchange.list("AB", MINUTE_MS, four_days());
        fs::create_dir(scene.lake()).unwrap();
        let place = scene.place.path();
        let arguments = scene.arguments("backfill", &TO_MARCH_5);
        let ran = disk::full_and_grown(&scene.lake(), size_bytes, place, 8, &arguments);
        assert!(!ran.status.success());
        let said = ran.stderr;
        assert!(said.contains("No space left on device") && said.contains("Make room there"), "{said}");
        let [mut full, mut all] = [0, 0];
        for (table, window_ms) in [("speed/klines_1h", HOUR_MS), ("speed/klines_1d", DAY_MS)] {
            let expected = published(bars::windows("AB", &four_days(), window_ms), 1);
            // Each file that is there can be read to its end.
            full += lake::table(&place.join("full"), table).len();
            all += expected.len();
            lake::assert_same_rows(table, &expected, &lake::table(&place.join("grown"), table));
        }
        assert!(full < all, "{size_bytes}: {full} windows of {all}");
    }
}

#[test]
fn the_machines_time_zone_changes_nothing() {
    let run = |zone: &str| {
        let scene = Scene::new();
        scene.exchange.list("AB", MINUTE_MS, four_days());
        scene.start("backfill", &TO_MARCH_5, &[("TZ", zone)]).wait().success();
        let mut rows = lake::table(&scene.lake(), "speed/klines_1d");
        rows.extend(lake::table(&scene.lake(), "speed/klines_1h"));
        let days: BTreeSet<String> = files(&scene.lake().join("speed"))
            .keys()
            .map(|path| path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        (rows, days)
    };
    let utc = run("UTC");
    assert_eq!(utc.0.len(), 100);
    assert!(run("Asia/Ho_Chi_Minh") == utc);
    assert!(run("America/New_York") == utc);
}

#[test]
fn an_internal_address_needs_the_manifests_consent() {
    let scene = Scene::new().with("internal = true\n", "");
    scene.exchange.list("AB", MINUTE_MS, four_days());
    let port = scene.server.address().port();
    let own = scene.server.url();
    let mut scene = scene;
    let mut last = own;
    for host in ["127.0.0.1", "localhost", "0x7f000001", "2130706433", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{port}");
        scene = scene.with(&last, &url);
        let refused = scene.backfill(&TO_MARCH_5);
        assert_eq!(refused.status.code(), Some(2), "{url}: {}", refused.stderr);
        assert!(refused.stderr.contains("nothing was sent"), "{url}: {}", refused.stderr);
        last = url;
    }
    assert_eq!(scene.exchange.asked().len(), 0);
}

#[test]
fn a_redirect_leads_nowhere_that_the_manifest_does_not_allow() {
    let other = Exchange::default();
    other.list("AB", MINUTE_MS, four_days());
    let elsewhere = other.serve();
    for to in [
        "http://169.254.169.254/latest/meta-data/iam/".to_owned(),
        "file:///etc/passwd".to_owned(),
        elsewhere.url(),
        "http://[::1]/".to_owned(),
    ] {
        let scene = Scene::new();
        scene.exchange.list("AB", MINUTE_MS, four_days());
        scene.exchange.misbehave(0, Fault::Redirect(to.clone()));
        let refused = scene.backfill(&TO_MARCH_5);
        assert_eq!(refused.status.code(), Some(2), "{to}: {}", refused.stderr);
        assert_eq!(lake::table(&scene.lake(), "speed/klines_1d").len(), 0);
    }
    assert_eq!(other.asked().len(), 0);
}

#[test]
fn a_refused_symbol_does_not_hold_up_the_others() {
    let scene = Scene::new().with("symbols = [\"AB\"]", "symbols = [\"AA\", \"AB\"]");
    let bars = four_days();
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    let finished = scene.backfill(&TO_MARCH_5);
    assert_eq!(finished.status.code(), Some(65), "{}", finished.stderr);
    assert!(finished.stderr.contains("AA cannot be fetched"), "{}", finished.stderr);
    assert!(finished.stderr.contains("Invalid symbol."), "{}", finished.stderr);
    let rows = lake::table(&scene.lake(), "speed/klines_1d");
    lake::assert_same_rows("days", &published(bars::windows("AB", &bars, DAY_MS), 1), &rows);
}

#[test]
fn a_window_with_a_broken_bar_waits_until_the_bar_is_mended() {
    let scene = Scene::new();
    let bars = four_days();
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    scene.exchange.misbehave(2, Fault::BrokenBar);
    let finished = scene.backfill(&TO_MARCH_5);
    assert_eq!(finished.status.code(), Some(65), "{}", finished.stderr);
    assert!(finished.stderr.contains("see dead-letter/klines"), "{}", finished.stderr);
    let dead = lake::table(&scene.lake(), "dead-letter/klines");
    assert_eq!(dead.len(), 1);
    assert!(dead[0]["value"].contains("\"-1\""), "{dead:?}");
    // The third page spans the second and the third day, and only its first bar is broken: a bar of the second.
    assert_eq!(lake::table(&scene.lake(), "speed/klines_1d").len(), 3);
    assert_eq!(lake::table(&scene.lake(), "speed/klines_1h").len(), 95);

    scene.backfill(&TO_MARCH_5).success();
    for (table, window_ms) in [("speed/klines_1h", HOUR_MS), ("speed/klines_1d", DAY_MS)] {
        let rows = lake::table(&scene.lake(), table);
        lake::assert_same_rows(table, &published(bars::windows("AB", &bars, window_ms), 1), &rows);
    }
}

#[test]
fn a_bar_that_contradicts_itself_keeps_its_windows_back() {
    let scene = Scene::new();
    let mut bars = four_days();
    let sound = bars[1500].high.clone();
    bars[1500].high = "0.01".to_owned();
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    let finished = scene.backfill(&TO_MARCH_5);
    assert_eq!(finished.status.code(), Some(65), "{}", finished.stderr);
    assert!(finished.stderr.contains("2 windows of AB kept as before"), "{}", finished.stderr);
    let dead = lake::table(&scene.lake(), "dead-letter/klines");
    assert_eq!(dead.len(), 1);
    assert!(dead[0]["reason"].starts_with("kline: its prices contradict each other: "), "{dead:?}");
    let rows = |table: &str| lake::table(&scene.lake(), table).len();
    assert_eq!((rows("speed/klines_1h"), rows("speed/klines_1d")), (95, 3));
    bars[1500].high = sound;
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    scene.backfill(&TO_MARCH_5).success();
    let rows = lake::table(&scene.lake(), "speed/klines_1d");
    lake::assert_same_rows("days", &published(bars::windows("AB", &bars, DAY_MS), 1), &rows);
}

#[test]
fn bars_that_an_outage_cut_short_belong_to_their_windows() {
    let scene = Scene::new();
    let mut bars = four_days();
    // From minute 1,000 to 1,600 the exchange is away; it comes back off its grid, and is on it again at 1,700.
    bars.retain(|bar| !(1_000..1_600).contains(&((bar.open_ms - MARCH) / MINUTE_MS)));
    for bar in &mut bars[1_000..1_100] {
        bar.open_ms += 14_789;
    }
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    scene.exchange.cut_short("AB", MARCH + 999 * MINUTE_MS, MARCH + 999 * MINUTE_MS + 28_246);
    scene.exchange.cut_short("AB", MARCH + 1_699 * MINUTE_MS + 14_789, MARCH + 1_700 * MINUTE_MS - 1);
    scene.backfill(&TO_MARCH_5).success();
    assert!(lake::table(&scene.lake(), "dead-letter/klines").is_empty());
    for (table, window_ms) in [("speed/klines_1h", HOUR_MS), ("speed/klines_1d", DAY_MS)] {
        let rows = lake::table(&scene.lake(), table);
        lake::assert_same_rows(table, &published(bars::windows("AB", &bars, window_ms), 1), &rows);
    }
}

#[test]
fn an_exchange_that_has_nothing_is_not_believed_for_ever() {
    let scene = Scene::new().with("from = \"2024-03-01\"\n", "from = \"2024-03-01\"\nask-again = \"0s\"\n");
    let bars = four_days();
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    scene.exchange.outage("AB", MARCH + DAY_MS, MARCH + 2 * DAY_MS);
    scene.backfill(&TO_MARCH_5).success();
    assert_eq!(lake::table(&scene.lake(), "speed/klines_1d").len(), 3);
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    scene.backfill(&TO_MARCH_5).success();
    let rows = lake::table(&scene.lake(), "speed/klines_1d");
    lake::assert_same_rows("days", &published(bars::windows("AB", &bars, DAY_MS), 1), &rows);
    // It is believed for a week by default, unless it is asked again on purpose.
    let scene = Scene::new();
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    scene.exchange.outage("AB", MARCH + DAY_MS, MARCH + 2 * DAY_MS);
    scene.backfill(&TO_MARCH_5).success();
    scene.exchange.list("AB", MINUTE_MS, bars);
    assert!(scene.backfill(&TO_MARCH_5).success().stdout.contains("nothing is missing"));
    scene.backfill(&["--to", "2024-03-05", "--again"]).success();
    assert_eq!(lake::table(&scene.lake(), "speed/klines_1d").len(), 4);
}

#[test]
fn an_exchange_is_not_believed_where_the_stream_has_trades() {
    let scene = Scene::new();
    let bars = four_days();
    // The stream lacks half an hour of minutes, so that its hour is incomplete.
    let streamed: Vec<Bar> = bars
        .iter()
        .filter(|bar| !(70..100).contains(&((bar.open_ms - MARCH) / MINUTE_MS)))
        .cloned()
        .collect();
    scene.stream("AB", "1m", MINUTE_MS, &streamed);
    scene.start("up", &["--available-now"], &[]).wait().success();
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    scene.exchange.outage("AB", MARCH, MARCH + 4 * DAY_MS);
    let finished = scene.backfill(&["--to", "2024-03-02"]);
    assert_eq!(finished.status.code(), Some(65), "{}", finished.stderr);
    assert!(finished.stderr.contains("in which the stream has trades of AB"), "{}", finished.stderr);
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    scene.backfill(&["--to", "2024-03-02"]).success();
    let hours = bars::windows("AB", &bars[..1440], HOUR_MS);
    let newest = scene.newest("speed/klines_1h");
    let newest: Vec<Row> =
        newest.into_iter().filter(|row| row["window_start"].as_str() < "2024-03-02").collect();
    lake::assert_same_rows("hours", &hours, &newest);
}

#[test]
fn another_exchange_gives_the_same_candles() {
    let scene = Scene::new()
        .with("function = \"backfill-binance\"", "function = \"backfill-coinbase\"")
        .with("symbols = [\"AB\"]", "symbols = { ABUSD = \"AB-USD\" }");
    let bars = four_days();
    scene.exchange.list("AB-USD", MINUTE_MS, bars.clone());
    scene.backfill(&TO_MARCH_5).success();
    let asked = scene.exchange.asked();
    assert_eq!(asked.len(), 20, "5,760 minutes are 19.2 pages: {asked:?}");
    let mut wanted = published(bars::windows("ABUSD", &bars, HOUR_MS), 1);
    for row in &mut wanted {
        // Coinbase gives neither.
        row.extend(
            [("quote_volume", ""), ("trades", "")].map(|(name, cell)| (name.to_owned(), cell.to_owned())),
        );
    }
    lake::assert_same_rows("hours", &wanted, &lake::table(&scene.lake(), "speed/klines_1h"));
}

/// A stream of minutes with holes: what it closes incomplete is filled by `tallow up` itself.
#[test]
fn up_fills_the_holes_of_its_stream_by_itself() {
    let scene = Scene::new().with("# auto", "backfill = \"auto\"").with("from = \"2024-03-01\"\n", "");
    let bars = four_days();
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    // Ten minutes of the first day, and from the second day's noon to the third's.
    let lost = |at: i64| (100..110).contains(&at) || (2160..3600).contains(&at);
    let kept: Vec<Bar> = (0..).zip(&bars).filter(|(at, _)| !lost(*at)).map(|(_, bar)| bar.clone()).collect();
    scene.stream("AB", "1m", MINUTE_MS, &kept);
    let finished = scene.start("up", &["--available-now"], &[]).wait().success();

    let (hours, days) = (scene.newest("speed/klines_1h"), scene.newest("speed/klines_1d"));
    let closed = |rows: Vec<Row>, before: &str| -> Vec<Row> {
        rows.into_iter().filter(|row| row["window_start"].as_str() < before).collect()
    };
    // The last hour and the last day are open: no row has come after their end.
    let wanted = closed(bars::windows("AB", &bars, HOUR_MS), "2024-03-04T23:00:00Z");
    lake::assert_same_rows("hours", &wanted, &hours);
    let wanted = closed(bars::windows("AB", &bars, DAY_MS), "2024-03-04T00:00:00Z");
    lake::assert_same_rows("days", &wanted, &days);
    assert!(hours.iter().chain(&days).all(|row| row["complete"] == "true"), "{}", finished.stderr);
    // The first hour, the one with ten minutes missing, a day, and the hour after it; the one before it if the hole
    // was seen before it closed.
    let revised: BTreeSet<usize> =
        (0..).zip(&hours).filter(|(_, row)| row["revision"] == "1").map(|(hour, _)| hour).collect();
    let certain: BTreeSet<usize> = [0, 1].into_iter().chain(36..=60).collect();
    assert!(revised.is_superset(&certain), "{revised:?}");
    assert!(revised.is_subset(&certain.iter().copied().chain([35]).collect()), "{revised:?}");
}

#[test]
fn up_fills_holes_while_it_runs() {
    let scene = Scene::new().with("# auto", "backfill = \"auto\"").with("from = \"2024-03-01\"\n", "");
    let bars = four_days();
    scene.exchange.list("AB", MINUTE_MS, bars.clone());
    scene.stream("AB", "1m", MINUTE_MS, &bars[..100]);
    let running = scene.start("up", &[], &[]);
    let mut sent = false;
    let finished = running.stop_when(|| {
        let rows = lake::table(&scene.lake(), "speed/klines_1h");
        let revised =
            |start: &str| rows.iter().any(|row| row["window_start"] == start && row["revision"] == "1");
        if !sent && revised("2024-03-01T00:00:00Z") {
            // The first hour was filled at the start: now a hole of three hours shows.
            scene.stream("AB", "1m", MINUTE_MS, &bars[300..500]);
            sent = true;
        }
        sent && revised("2024-03-01T03:00:00Z") && revised("2024-03-01T05:00:00Z")
    });
    finished.success();
    let wanted: Vec<Row> = bars::windows("AB", &bars, HOUR_MS)
        .into_iter()
        .filter(|row| row["window_start"].as_str() < "2024-03-01T08:00:00Z")
        .collect();
    lake::assert_same_rows("hours", &wanted, &scene.newest("speed/klines_1h"));
}

/// The recorded hours of 2018, with the outage of 8 February (33 hours).
#[test]
fn a_gap_of_79_days_is_filled_with_what_the_exchange_has() {
    let test = "a_gap_of_79_days_is_filled_with_what_the_exchange_has";
    let Some(bars) = bars::recorded(test, "hourly/BTCUSDT_1h_2017-2025.csv.gz") else { return };
    let scene = Scene::new()
        .with("symbols = [\"AB\"]", "symbols = [\"BTCUSDT\"]\ninterval = \"1h\"")
        .with("from = \"2024-03-01\"\n", "")
        .with("# auto", "backfill = \"auto\"");
    // 2017-12-31, the day that is stored, and 2018-03-21, 79 days after it.
    let (stored, today) = (1_514_678_400_000i64, 1_521_590_400_000i64);
    let of = |from: i64, to: i64| -> Vec<Bar> {
        bars.iter().filter(|bar| (from..to).contains(&bar.open_ms)).cloned().collect()
    };
    let whole = of(stored, today + 2 * DAY_MS);
    scene.exchange.list("BTCUSDT", HOUR_MS, bars.clone());
    scene.stream("BTCUSDT", "1h", HOUR_MS, &of(stored, stored + DAY_MS));
    scene.stream("BTCUSDT", "1h", HOUR_MS, &of(today, today + 2 * DAY_MS));
    scene.start("up", &["--available-now"], &[]).wait().success();

    let closed = |rows: Vec<Row>, before: &str| -> Vec<Row> {
        rows.into_iter().filter(|row| row["window_start"].as_str() < before).collect()
    };
    let hours = closed(bars::windows("BTCUSDT", &whole, HOUR_MS), "2018-03-22T23:00:00Z");
    let days = closed(bars::windows("BTCUSDT", &whole, DAY_MS), "2018-03-22T00:00:00Z");
    assert_eq!(days.len(), 81);
    lake::assert_same_rows("hours", &hours, &scene.newest("speed/klines_1h"));
    lake::assert_same_rows("days", &days, &scene.newest("speed/klines_1d"));

    let asked = scene.exchange.asked();
    let before = files(&scene.lake().join("speed"));
    scene.backfill(&["--to", "2018-03-22"]).success();
    assert_eq!(scene.exchange.asked(), asked, "the outage was asked for again");
    assert!(files(&scene.lake().join("speed")) == before);
}

#[test]
fn a_recorded_month_gives_its_hours_and_days_to_the_last_digit() {
    let test = "a_recorded_month_gives_its_hours_and_days_to_the_last_digit";
    let Some(bars) = bars::recorded(test, "kline12/DOTUSDT-1m-2024-11.csv.gz") else { return };
    let scene = Scene::new()
        .with("symbols = [\"AB\"]", "symbols = [\"DOTUSDT\"]")
        .with("from = \"2024-03-01\"", "from = \"2024-11-01\"");
    scene.exchange.list("DOTUSDT", MINUTE_MS, bars.clone());
    scene.backfill(&["--to", "2024-12-01"]).success();
    for (table, window_ms) in [("speed/klines_1h", HOUR_MS), ("speed/klines_1d", DAY_MS)] {
        let rows = lake::table(&scene.lake(), table);
        lake::assert_same_rows(table, &published(bars::windows("DOTUSDT", &bars, window_ms), 1), &rows);
    }
}
