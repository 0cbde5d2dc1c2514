//! Backfills in memory: the exchange, the lake and the clock are the test's.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{MINUTES, OPEN_US, Row, SECOND_US, World, manifest, trade};
use tallow_backfill::{Backfilling, Wanted};
use tallow_engine::Contract;
use tallow_env::{Clock, SeededRandom};
use tallow_lake::Folder;
use tallow_log::read_blob;
use tallow_log::record::{Kind, Record};
use tallow_log::status::last_records;
use tallow_manifest::Manifest;
use tallow_merge::Merger;
use tallow_test_support::http::Handler;
use tallow_tests::bars::{self, Bar};
use tallow_tests::exchange::{Exchange, Fault};
use tallow_tests::{lake, recordings, reference};
use tallow_worker::plan::Mode;

const MINUTE_US: i64 = 60 * SECOND_US;
const DAY_US: i64 = 1440 * MINUTE_US;

/// A backfill of the pipeline's minutes, with more keys.
fn filled(keys: &str) -> Manifest {
    filled_over(MINUTES, keys)
}

fn filled_over(minutes: &str, keys: &str) -> Manifest {
    let table = format!(
        r#"
[application.trigger.kafka.backfill.history]
pipeline = "candles"
function = "backfill-binance"
base-url = "http://exchange.test"
internal = true
{keys}
[application.trigger.kafka.backfill.history.aggregates]
open = "first(open)"
high = "max(high)"
low = "min(low)"
close = "last(close)"
volume = "sum(volume)"
trades = "sum(trades)"
"#
    );
    manifest("", minutes, &table)
}

/// A market of one symbol, whose day opens with the tests' market.
fn market(minutes: i64) -> (Exchange, Vec<Bar>) {
    let exchange = Exchange::default();
    let bars = bars::synthetic(7, OPEN_US / 1000, 60_000, minutes);
    exchange.list("AB", 60_000, bars.clone());
    (exchange, bars)
}

fn until(minute: i64) -> Wanted {
    Wanted {
        from_us: Some(OPEN_US),
        to_us: Some(OPEN_US + minute * MINUTE_US),
        symbols: vec!["AB".to_owned()],
        again: false,
        behind_stream: false,
    }
}

/// A world in which the market has been open for so many days.
fn world(days: i64) -> World {
    let world = World::new(1);
    world.clock.advance(Duration::from_micros((days * DAY_US) as u64));
    world
}

fn commits(world: &World) -> Vec<Record> {
    let records = last_records(&world.store, "backfill.history", 0, 1000).unwrap();
    records.into_iter().filter(|record| record.kind == Kind::Commit).collect()
}

#[test]
fn an_exchange_that_asks_for_time_gets_it() {
    let world = world(2);
    let (exchange, _) = market(1440);
    exchange.misbehave(0, Fault::TooMany(120));
    let mut backfilling = world.backfilling(&filled(""), exchange.handler());
    let before = world.clock.now_us();
    backfilling.run(&until(1440)).unwrap();
    assert!(world.clock.now_us() - before >= 120 * SECOND_US);
    assert_eq!(world.rows("speed/candles_1m").len(), 1440);
    assert_eq!(exchange.asked().len(), 3);
}

#[test]
fn a_retry_date_is_kept_by_the_exchanges_clock_or_else_by_ours() {
    let theirs = Some("Fri, 09 Aug 2019 10:00:00 GMT");
    let until_us = world(2).clock.now_us() + 120 * SECOND_US;
    let moment = chrono::DateTime::from_timestamp_micros(until_us).unwrap();
    let by_ours = moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for (asks, date, waits) in [
        ("Fri, 09 Aug 2019 10:02:00 GMT", theirs, true),
        (&by_ours, None, true),
        (&by_ours, Some("soon"), true),
        ("Fri, 32 Aug 2019 10:02:00 GMT", theirs, false),
    ] {
        let world = world(2);
        let (exchange, _) = market(1440);
        exchange.misbehave(0, Fault::TooManyUntil(asks.to_owned(), date));
        let mut backfilling = world.backfilling(&filled(""), exchange.handler());
        let before = world.clock.now_us();
        backfilling.run(&until(1440)).unwrap();
        let waited = (world.clock.now_us() - before) / SECOND_US;
        // A try in between may take a pause of its own.
        assert_eq!((119..180).contains(&waited), waits, "{asks}, {date:?}: {waited} s");
        assert_eq!(world.rows("speed/candles_1m").len(), 1440);
    }
}

#[test]
fn a_gap_of_79_days_of_minutes_keeps_within_the_allowance() {
    let world = world(80);
    let (exchange, bars) = market(79 * 1440);
    let mut backfilling = world.backfilling(&filled("weight = 60"), exchange.handler());
    let before = world.clock.now_us();
    let summary = backfilling.run(&until(79 * 1440)).unwrap();
    assert_eq!(summary.windows["AB"], 79 * 1440);
    // 12 chunks of 11 or 3 requests of weight 2; the first 60 are there, the rest come at one a second.
    let weight = 2 * exchange.asked().len() as i64;
    assert_eq!(weight, 2 * (11 * 11 + 3));
    let seconds = (world.clock.now_us() - before) / SECOND_US;
    assert!(seconds >= weight - 60, "{weight} in {seconds} s");
    assert!(seconds < weight, "the allowance was not used: {weight} in {seconds} s");

    let rows = world.rows("speed/candles_1m");
    let closes: BTreeMap<i64, &str> =
        rows.iter().map(|row| (row["window_start"].parse().unwrap(), row["close"].as_str())).collect();
    let wanted: BTreeMap<i64, f64> =
        bars.iter().map(|bar| (bar.open_ms * 1000, bar.close.parse().unwrap())).collect();
    let found: BTreeMap<i64, f64> =
        closes.iter().map(|(start, close)| (*start, close.parse().unwrap())).collect();
    assert!(found == wanted);
}

#[test]
fn an_exchange_that_is_away_is_given_up_and_what_it_gave_stays() {
    let world = world(20);
    let (exchange, _) = market(16 * 1440);
    (0..4).for_each(|index| exchange.misbehave(if index == 0 { 15 } else { 0 }, Fault::Status(503)));
    let mut backfilling = world.backfilling(&filled("attempts = 4"), exchange.handler());
    let error = backfilling.run(&until(16 * 1440)).unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert_eq!(error.exit_code(), 69);
    assert!(error.to_string().contains("4 tries"), "{error}");
    assert_eq!(world.rows("speed/candles_1m").len(), 10_080);

    let asked = exchange.asked().len();
    backfilling.run(&until(16 * 1440)).unwrap();
    assert_eq!(world.rows("speed/candles_1m").len(), 16 * 1440);
    assert_eq!(exchange.asked().len() - asked, 11 + 3, "the first week was fetched again");
}

#[test]
fn the_answers_are_kept_with_the_commit_that_they_gave() {
    let world = world(3);
    let (exchange, _) = market(2 * 1440);
    let answers: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let handler: Handler = {
        let (inner, answers) = (exchange.handler(), answers.clone());
        Arc::new(move |received| {
            let answer = inner(received);
            answers.lock().unwrap().push(answer.body.to_vec());
            answer
        })
    };
    exchange.misbehave(1, Fault::Status(500));
    world.backfilling(&filled(""), handler).run(&until(2 * 1440)).unwrap();
    let mut sent = answers.lock().unwrap().clone();
    sent.remove(1);
    let commits = commits(&world);
    let [commit] = &commits[..] else { panic!("{} commits", commits.len()) };
    let blob =
        read_blob(&world.store, &Folder::new("backfill.history", 0).unwrap(), &commit.epoch.inputs[0].blob);
    let blob = blob.unwrap();
    let kept: Vec<Vec<u8>> = commit
        .epoch
        .inputs
        .iter()
        .map(|input| blob[input.from as usize..(input.from + input.length) as usize].to_vec())
        .collect();
    assert_eq!(kept.len(), 3);
    assert!(kept == sent);
    assert!(commit.epoch.inputs[0].name.starts_with("/api/v3/klines?symbol=AB&interval=1m&startTime="));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || {
        let world = world(9);
        let (exchange, _) = market(8 * 1440);
        exchange.outage("AB", OPEN_US / 1000 + 3_600_000, OPEN_US / 1000 + 7_200_000);
        exchange.misbehave(3, Fault::Status(500));
        world.backfilling(&filled(""), exchange.handler()).run(&until(8 * 1440)).unwrap();
        let objects = world.store.list("").unwrap();
        let name_and_bytes = |(path, _): (String, u64)| {
            let bytes = world.store.get(&path).unwrap().unwrap();
            // A log record names the process that wrote it.
            if path.contains("/log/") {
                (path, bytes.len()..bytes.len(), None)
            } else {
                (path, 0..0, Some(bytes))
            }
        };
        objects.into_iter().map(name_and_bytes).collect::<Vec<_>>()
    };
    let first = run();
    assert!(first.len() > 20, "{} objects", first.len());
    assert!(run() == first);
}

#[test]
fn a_second_backfill_fences_the_first() {
    let world = world(30);
    let (exchange, _) = market(28 * 1440);
    let second: Arc<Mutex<Option<Backfilling>>> = Arc::default();
    let asked = AtomicUsize::new(0);
    let handler: Handler = {
        let (inner, second) = (exchange.handler(), second.clone());
        Arc::new(move |received| {
            // While the first one waits for the answer that its second week lacks, another one does all the work.
            if asked.fetch_add(1, Ordering::SeqCst) == 15 {
                let mut other = second.lock().unwrap().take().unwrap();
                other.run(&until(28 * 1440)).unwrap();
            }
            inner(received)
        })
    };
    *second.lock().unwrap() = Some(world.backfilling(&filled(""), exchange.handler()));
    let mut first = world.backfilling(&filled(""), handler);
    let error = first.run(&until(28 * 1440)).unwrap_err();
    assert_eq!(error.exit_code(), 78, "{error}");
    let rows = world.rows("speed/candles_1m");
    let starts: std::collections::BTreeSet<&String> = rows.iter().map(|row| &row["window_start"]).collect();
    assert_eq!((rows.len(), starts.len()), (28 * 1440, 28 * 1440));
    // Its next run finds that nothing is left to do.
    assert_eq!(first.run(&until(28 * 1440)).unwrap().windows.len(), 0);
}

/// Newest revision of each minute, by its number since the market's opening.
fn newest(rows: &[Row]) -> BTreeMap<i64, &Row> {
    let mut newest: BTreeMap<i64, &Row> = BTreeMap::new();
    let revision = |row: &Row| row["revision"].parse::<i64>().unwrap();
    for row in rows {
        let minute = (row["window_start"].parse::<i64>().unwrap() - OPEN_US) / MINUTE_US;
        let known = newest.entry(minute).or_insert(row);
        if revision(known) < revision(row) {
            *known = row;
        }
    }
    newest
}

#[test]
fn revisions_follow_the_streams_and_skip_open_windows() {
    let world = World::new(1);
    let manifest = filled("settle = \"0s\"");
    let pipeline = &manifest.pipelines[0];
    let (exchange, bars) = market(10);
    let second = |second: i64| trade("AB", 1000 + second, second * SECOND_US, "100.5", "1");
    // Minute 1 lacks its second half when it is published open, and still when it closes.
    (0..90).for_each(|at| world.append(0, second(at)));
    world.run_as(pipeline, Mode { available_now: true, close_all: true }).outcome.unwrap();
    let mut backfilling = world.backfilling(&manifest, exchange.handler());
    let wanted = Wanted { behind_stream: true, ..Wanted::default() };
    backfilling.run(&wanted).unwrap();
    let rows = world.rows("speed/candles_1m");
    let numbers: Vec<(i64, &str)> =
        newest(&rows).into_iter().map(|(minute, row)| (minute, row["revision"].as_str())).collect();
    assert_eq!(numbers, [(0, "1"), (1, "0")], "minute 1 is open: only minute 0 was filled");

    (130..200).for_each(|at| world.append(0, second(at)));
    world.run(pipeline).outcome.unwrap();
    backfilling.run(&wanted).unwrap();
    let rows = world.rows("speed/candles_1m");
    let newest = newest(&rows);
    let numbers: Vec<(i64, &str)> =
        newest.iter().map(|(minute, row)| (*minute, row["revision"].as_str())).collect();
    assert_eq!(numbers, [(0, "1"), (1, "2"), (2, "1")]);
    for (minute, row) in newest {
        assert_eq!(row["close"].parse::<f64>(), bars[minute as usize].close.parse::<f64>());
        assert_eq!(
            row["trades"],
            bars[minute as usize].trades.to_string(),
            "an integer, as the stream counts"
        );
        assert_eq!((row["complete"].as_str(), row["missing"].as_str()), ("true", "0"));
        assert_eq!(row["first_id"], "null");
    }
}

#[test]
fn windows_that_another_table_has_whole_are_not_fetched() {
    let (exchange, _) = market(60);
    // What a batch or a merge has written: here the first forty minutes.
    let other = world(1);
    other.backfilling(&filled(""), exchange.handler()).run(&until(40)).unwrap();
    let (path, _) = other.store.list("speed/candles_1m").unwrap().remove(0);
    let bytes = other.store.get(&path).unwrap().unwrap();
    // A merge of these windows needs no word of it in the backfill's table.
    for (table, keys) in
        [("batch/minutes", "covered-by = [\"batch/minutes\"]"), ("serving/minutes", ""), ("batch/other", "")]
    {
        let world = world(1);
        let path = format!("{table}/symbol=AB/year=2024/data.parquet");
        world.store.create(&path, bytes.clone()).unwrap();
        world.backfilling(&filled(keys), exchange.handler()).run(&until(60)).unwrap();
        let rows = world.rows("speed/candles_1m");
        let minutes: Vec<i64> = newest(&rows).into_keys().collect();
        let first = if table == "batch/other" { 0 } else { 40 };
        assert_eq!(minutes, (first..60).collect::<Vec<_>>(), "{table}");
    }
}

/// A merge of the pipeline's minutes.
fn merger(world: &World) -> Merger {
    let settings = tallow_merge::Settings {
        name: "minutes".to_owned(),
        batch: None,
        speed: Some("candles_1m".to_owned()),
        key: "symbol".to_owned(),
        step_us: MINUTE_US as u64,
        fill: true,
        carry: None,
        zero: None,
        averages: Some(Vec::new()),
        prophet: None,
        heal: true,
        keep_backups: 1,
        speed_retention_us: None,
    };
    Merger {
        settings,
        component: world.component("merge", Contract::Merge),
        limits: tallow_engine::Limits::default(),
        store: world.store.clone(),
        clock: world.clock.clone(),
        random: Arc::new(SeededRandom::new(1)),
        owner: "a test".to_owned(),
    }
}

/// Minutes of an hour without a trade: what the merge calls a gap is what the backfill asks for.
#[test]
fn merge_and_backfill_agree_about_quiet_minutes() {
    let world = world(1);
    let manifest = filled("settle = \"0s\"");
    let (exchange, _) = market(60);
    let mut id = 0;
    let mut send = |seconds: std::ops::Range<i64>| {
        for second in seconds {
            id += 1;
            world.append(0, trade("AB", id, second * SECOND_US, "100.5", "1"));
        }
    };
    // Nothing is traded from minute 2 to 7, nor in minute 10.
    send(0..120);
    send(420..600);
    send(660..790);
    world.run(&manifest.pipelines[0]).outcome.unwrap();
    let gaps = |merger: &Merger| {
        merger.run(&mut |_| {}).unwrap();
        let (_, notes) = tallow_merge::peek(&world.store, "merge.minutes").unwrap().unwrap();
        let gaps = tallow_merge::gaps::all(&merger.settings, &notes);
        gaps.into_iter()
            .map(|(_, gap)| ((gap.from_us - OPEN_US) / MINUTE_US, gap.windows, gap.partial))
            .collect::<Vec<_>>()
    };
    let merger = merger(&world);
    // Nobody knows what came before the first trade.
    assert_eq!(gaps(&merger), [(0, 1, true)]);
    let mut backfilling = world.backfilling(&manifest, exchange.handler());
    backfilling.run(&Wanted { behind_stream: true, ..Wanted::default() }).unwrap();
    let filled: Vec<i64> = newest(&world.rows("speed/candles_1m"))
        .into_iter()
        .filter(|(_, row)| row["revision"] != "0")
        .map(|(minute, _)| minute)
        .collect();
    assert_eq!(filled, [0], "the ids say that nothing was traded in the quiet minutes");
    assert_eq!(gaps(&merger), []);
}

/// Minutes without rows that the stream publishes are no data to backfills and merges.
#[test]
fn filled_minutes_are_fetched_unless_ids_prove_them_empty() {
    let world = world(1);
    let minutes = MINUTES.replace("ids = \"id\"", "ids = \"id\"\nfill = \"previous\"");
    let manifest = filled_over(&minutes, "settle = \"0s\"");
    let (exchange, bars) = market(60);
    // Nothing is traded in minute 2. What is traded in minutes 4 and 5 is lost.
    for (first_id, seconds) in [(1, 0..120), (121, 180..240), (301, 360..430)] {
        for (id, second) in (first_id..).zip(seconds) {
            world.append(0, trade("AB", id, second * SECOND_US, "100.5", "1"));
        }
    }
    world.run(&manifest.pipelines[0]).outcome.unwrap();
    let told = |rows: &[Row]| {
        let told = newest(rows).into_iter().map(|(minute, row)| {
            (minute, row["filled"].clone(), row["complete"].clone(), row["revision"].clone())
        });
        told.collect::<Vec<_>>()
    };
    let row = |minute: i64, filled: &str, complete: &str, revision: &str| {
        (minute, filled.to_owned(), complete.to_owned(), revision.to_owned())
    };
    let streamed = [
        row(0, "false", "false", "0"),
        row(1, "false", "true", "0"),
        row(2, "true", "true", "0"),
        row(3, "false", "false", "0"),
        row(4, "true", "false", "0"),
        row(5, "true", "false", "0"),
        row(6, "false", "false", "0"),
    ];
    assert_eq!(told(&world.rows("speed/candles_1m")), streamed);
    let wanted = Wanted { behind_stream: true, ..Wanted::default() };
    world.backfilling(&manifest, exchange.handler()).run(&wanted).unwrap();
    let rows = world.rows("speed/candles_1m");
    let fetched = [0, 3, 4, 5, 6];
    let healed = streamed.map(|(minute, filled, complete, revision)| match fetched.contains(&minute) {
        true => row(minute, "false", "true", "1"),
        false => (minute, filled, complete, revision),
    });
    assert_eq!(told(&rows), healed, "minute 2 is proven to be empty");
    let close: f64 = newest(&rows)[&4]["close"].parse().unwrap();
    assert_eq!(close, bars[4].close.parse::<f64>().unwrap(), "of the exchange, not of the minute before");
    merger(&world).run(&mut |_| {}).unwrap();
    let served = world.rows("serving/minutes");
    let minute = |row: &Row| (row["window_start"].parse::<i64>().unwrap() - OPEN_US) / MINUTE_US;
    let filled: Vec<i64> = served.iter().filter(|row| row["filled"] == "true").map(minute).collect();
    assert_eq!((filled, served.len()), (vec![2], 7));
}

/// The recording of a real market, streamed with holes and filled from the klines that the whole recording gives:
/// every candle is the one of the whole recording.
#[test]
fn holes_filled_from_klines_give_the_whole_recordings_candles() {
    let test = "holes_filled_from_klines_give_the_whole_recordings_candles";
    let Some(recorded) = recordings::trades(test, "BTCUSDT") else { return };
    let messages: Vec<&str> = recorded.iter().map(|it| it.message.as_str()).collect();
    let whole = reference::candles(messages.iter().copied(), MINUTE_US);
    let exchange = Exchange::default();
    let klines = whole.iter().map(|candle| Bar {
        open_ms: candle.window_start_us / 1000,
        open: candle.open.to_string(),
        high: candle.high.to_string(),
        low: candle.low.to_string(),
        close: candle.close.to_string(),
        volume: candle.volume.to_string(),
        quote_volume: candle.quote_volume.to_string(),
        trades: candle.trades,
    });
    exchange.list("BTCUSDT", 60_000, klines);

    let world = World::new(1);
    let manifest = filled("settle = \"0s\"");
    // Four blocks of messages, and a third of the recording in one piece.
    let third = messages.len() / 3..messages.len() * 2 / 3;
    let lost = |at: usize| (at / 500) % 40 == 7 || third.contains(&at);
    for (at, message) in messages.iter().enumerate() {
        if !lost(at) {
            world.append(0, *message);
        }
    }
    world.run(&manifest.pipelines[0]).outcome.unwrap();
    let before = world.rows("speed/candles_1m");
    assert!(before.iter().filter(|row| row["complete"] == "false").count() > 2, "the stream has no holes");
    let wanted = Wanted { behind_stream: true, ..Wanted::default() };
    world.backfilling(&manifest, exchange.handler()).run(&wanted).unwrap();

    let rows = world.rows("speed/candles_1m");
    let newest = newest(&rows);
    let by_start: BTreeMap<i64, &reference::Candle> = whole
        .iter()
        .map(|candle| ((candle.window_start_us - OPEN_US).div_euclid(MINUTE_US), candle))
        .collect();
    // The last minute is open.
    assert_eq!(newest.len(), by_start.len() - 1);
    for (minute, row) in newest {
        let candle = by_start[&minute];
        let number = |column: &str| row[column].parse::<f64>().unwrap();
        let found = ["open", "high", "low", "close", "volume", "trades"].map(number);
        let wanted =
            [candle.open, candle.high, candle.low, candle.close, candle.volume, candle.trades as f64];
        assert_eq!(found, wanted, "{}", lake::time(candle.window_start_us));
        assert_eq!(row["complete"], "true", "{}", lake::time(candle.window_start_us));
    }
}
