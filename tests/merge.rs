//! `tallow merge` as a program, on a lake in a folder, against DuckDB over the same files.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use tallow_engine::{Column, ColumnData, Table, Text};
use tallow_env::{Random, SeededRandom};
use tallow_lake::{Partition, Partitioned, hive, partition};
use tallow_table::File;
use tallow_tests::duckdb::DuckDb;
use tallow_tests::{disk, paths, skip, tallow};
use tempfile::TempDir;

const DAY_US: i64 = 86_400_000_000;
const SYMBOLS: [&str; 3] = ["BTCUSDT", "ETH/USD", "1INCH"];

#[derive(Clone, Copy)]
struct Candle {
    day: i64,
    close: f64,
    volume: f64,
    complete: Option<bool>,
    revision: i64,
    filled: bool,
}

/// Prices and volumes that are not round: sums of them depend on their order.
fn candle(random: &dyn Random, day: i64) -> Candle {
    let close = 100.0 * (1.0 + random.unit()) / 3.0;
    Candle { day, close, volume: random.unit() * 1e7, complete: Some(true), revision: 0, filled: false }
}

fn table(symbol: &str, candles: &[Candle]) -> Table {
    let symbols =
        Text { bytes: symbol.into(), ends: vec![symbol.len() as u32], codes: vec![0; candles.len()] };
    let column = |name: &str, data| Column { name: name.to_owned(), data, validity: None };
    let times = |offset: i64| candles.iter().map(|candle| (candle.day + offset) * DAY_US).collect();
    let floats = |of: &dyn Fn(&Candle) -> f64| ColumnData::Float64(candles.iter().map(of).collect());
    let mut known = vec![0u8; candles.len().div_ceil(8)];
    for (row, candle) in candles.iter().enumerate() {
        known[row / 8] |= u8::from(candle.complete.is_some()) << (row % 8);
    }
    let complete = candles.iter().map(|candle| candle.complete.unwrap_or(false)).collect();
    let columns = vec![
        column("symbol", ColumnData::Text(symbols)),
        column("window_start", ColumnData::TimestampUs(times(0))),
        column("window_end", ColumnData::TimestampUs(times(1))),
        column("open", floats(&|candle| candle.close - 0.1)),
        column("high", floats(&|candle| candle.close + 0.7)),
        column("low", floats(&|candle| candle.close - 0.3)),
        column("close", floats(&|candle| candle.close)),
        column("volume", floats(&|candle| candle.volume)),
        column("trades", ColumnData::Int64(candles.iter().map(|candle| candle.day % 97 + 1).collect())),
        Column { validity: Some(known), ..column("complete", ColumnData::Boolean(complete)) },
        column("revision", ColumnData::Int64(candles.iter().map(|candle| candle.revision).collect())),
        column("filled", ColumnData::Boolean(candles.iter().map(|candle| candle.filled).collect())),
    ];
    Table { rows: candles.len() as u32, columns }
}

/// A lake and a manifest with a merge of it.
struct Lake {
    place: TempDir,
}

impl Lake {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let functions = paths::functions().display().to_string();
        let manifest = include_str!("merge/spin.toml").replace("{functions}", &functions);
        fs::write(place.path().join("spin.toml"), manifest).unwrap();
        Self { place }
    }

    fn root(&self) -> PathBuf {
        self.place.path().join("lake")
    }

    fn write(&self, path: &str, footer: &[(&str, String)], table: &Table) {
        let file = self.root().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let made = File::of_table(path, table, "window_start", footer).unwrap();
        fs::write(file, made.body.bytes().unwrap()).unwrap();
    }

    fn write_batch(&self, symbol: &str, candles: &[Candle]) {
        let batch = Partitioned::batch("daily", "symbol");
        for of_year in candles.chunk_by(|one, next| year(one) == year(next)) {
            let path = batch.path(&Partition::of(symbol, year(&of_year[0])));
            self.write(&path, &[], &table(symbol, of_year));
        }
    }

    fn write_speed(&self, name: &str, source: &str, symbol: &str, candle: Candle) {
        let mut table = table(symbol, &[candle]);
        table.columns.pop();
        let day = hive::day(candle.day * DAY_US);
        let footer = [("tallow.source", source.to_owned())];
        self.write(&format!("speed/candles_1d/date={day}/{name}.parquet"), &footer, &table);
    }

    fn run(&self, arguments: &[&str]) -> tallow::Finished {
        let manifest = self.place.path().join("spin.toml").display().to_string();
        let all: Vec<&str> = arguments.iter().copied().chain(["-f", &manifest]).collect();
        tallow::run(&all).success()
    }

    /// Days expected, served and given to the forecast; days that differ, and some of these.
    fn compare(&self, duckdb: &DuckDb) -> Vec<String> {
        let sql = include_str!("merge/served.sql").replace("{lake}", &self.root().display().to_string());
        duckdb.rows(&sql).remove(0)
    }
}

fn year(candle: &Candle) -> i32 {
    partition::year(candle.day * DAY_US)
}

/// Three symbols over three years in batch, and on by stream and backfill: holes, days that are partial or of which
/// nothing is known, several revisions, days that both have, days that batch has filled.
fn fill(lake: &Lake, random: &dyn Random) {
    let first = 19_000;
    for (index, symbol) in SYMBOLS.iter().enumerate() {
        let last = first + 900 + 150 * index as i64;
        let mut batch = Vec::new();
        let mut gap_until = 0;
        for day in first..last {
            if random.below(40) == 0 {
                gap_until = day + random.below(60) as i64;
            }
            let mut candle = candle(random, day);
            candle.filled = day < gap_until;
            candle.complete = if candle.filled { Some(false) } else { completeness(random) };
            if !(candle.filled && random.below(2) == 0) {
                batch.push(candle);
            }
        }
        lake.write_batch(symbol, &batch);
        for day in last - 200..last + 200 {
            for revision in 0..random.below(4) as i64 {
                let source = if revision > 0 && random.below(3) > 0 { "backfill" } else { "stream" };
                let complete = completeness(random);
                let candle = Candle { revision, complete, ..candle(random, day) };
                lake.write_speed(&format!("{index}-{revision}"), source, symbol, candle);
            }
        }
    }
}

fn completeness(random: &dyn Random) -> Option<bool> {
    match random.below(10) {
        0 => None,
        1 | 2 => Some(false),
        _ => Some(true),
    }
}

/// Every object of the served tables, with its bytes.
fn objects(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![root.join("serving"), root.join("prophet_input")];
    open.retain(|folder| folder.exists());
    while let Some(folder) = open.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push((path.clone(), fs::read(path).unwrap())) }
        }
    }
    found.sort();
    found
}

/// The same by their paths within the lake.
fn served(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let relative = |(path, bytes): (PathBuf, _)| (path.strip_prefix(root).unwrap().to_owned(), bytes);
    objects(root).into_iter().map(relative).collect()
}

#[test]
fn what_is_served_is_what_duckdb_makes_of_the_same_files() {
    let Some(duckdb) = DuckDb::find("what_is_served_is_what_duckdb_makes_of_the_same_files") else { return };
    for seed in [1, 2] {
        let lake = Lake::new();
        let random = SeededRandom::new(seed);
        fill(&lake, &random);
        lake.run(&["merge"]);
        let compared = lake.compare(&duckdb);
        let days: u64 = compared[0].parse().unwrap();
        assert!(days > 3000, "{compared:?}");
        assert_eq!(compared, [&compared[0], &compared[0], &compared[0], "0", ""], "seed {seed}");

        // More of the same, so that some partitions are merged again and others stand.
        let day = 19_000 + 900 + 150;
        let mended = Candle { revision: 9, ..candle(&random, day) };
        lake.write_speed("mended", "backfill", SYMBOLS[0], mended);
        lake.run(&["merge", "daily"]);
        let compared = lake.compare(&duckdb);
        assert_eq!(compared[3..], ["0", ""], "seed {seed}, merged again");
    }
}

#[test]
fn a_second_run_and_other_time_zones_give_the_same_bytes() {
    let lake = Lake::new();
    fill(&lake, &SeededRandom::new(3));
    lake.run(&["merge"]);
    let first = objects(&lake.root());
    let again = lake.run(&["merge", "--json"]);
    assert!(again.stdout.contains("\"run\":null"), "{}", again.stdout);
    assert_eq!(objects(&lake.root()), first);
    for zone in ["Asia/Ho_Chi_Minh", "America/New_York"] {
        let other = Lake::new();
        fill(&other, &SeededRandom::new(3));
        let manifest = other.place.path().join("spin.toml").display().to_string();
        tallow::run_with(&[("TZ", zone)], &["merge", "-f", &manifest]).success();
        assert!(served(&other.root()) == served(&lake.root()), "{zone}");
    }
}

#[test]
fn a_killed_merge_is_completed_by_the_next_with_the_same_bytes() {
    let whole = Lake::new();
    fill(&whole, &SeededRandom::new(4));
    whole.run(&["merge"]);
    let expected = served(&whole.root());

    let lake = Lake::new();
    fill(&lake, &SeededRandom::new(4));
    let manifest = lake.place.path().join("spin.toml").display().to_string();
    let mut kills = 0;
    // Killed at ever more objects: while blobs are put, at the commit, while partitions are written.
    for wanted in [1, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30] {
        let below = |folder: &str| tallow_tests::lake::objects(&lake.root().join(folder));
        let count = || below("_tallow") + below("serving");
        let running = tallow::start(&["merge", "-f", &manifest]);
        kills += usize::from(running.kill_when(|| count() >= wanted));
    }
    assert!(kills > 3, "no run lived long enough to be killed");
    lake.run(&["merge"]);
    assert!(served(&lake.root()) == expected);
}

#[test]
fn after_a_full_disk_the_merge_ends_with_the_same_bytes() {
    if !disk::mounts() {
        return skip(
            "a_full_disk_leaves_no_half_of_a_partition",
            "a test may not mount a disk of its own here",
        );
    }
    let whole = Lake::new();
    fill(&whole, &SeededRandom::new(6));
    let input_bytes = disk::bytes_of(&whole.root());
    whole.run(&["merge"]);
    let (expected, whole_bytes) = (served(&whole.root()), disk::bytes_of(&whole.root()));
    let served_bytes: usize =
        ["serving", "prophet_input"].iter().map(|it| disk::bytes_of(&whole.root().join(it))).sum();
    // Full in the middle of the blobs, and in the middle of the partitions, when all blobs and the commit are there.
    let sizes = [(input_bytes + served_bytes / 2, false), (whole_bytes - served_bytes / 2, true)];
    std::thread::scope(|scope| {
        for (size_bytes, is_committed) in sizes {
            let expected = &expected;
            scope.spawn(move || full_and_grown(expected, size_bytes, is_committed));
        }
    });
}

fn full_and_grown(expected: &[(PathBuf, Vec<u8>)], size_bytes: usize, is_committed: bool) {
    let lake = Lake::new();
    fill(&lake, &SeededRandom::new(6));
    let place = lake.place.path();
    let manifest = place.join("spin.toml").display().to_string();
    let arguments = ["merge", "-f", &manifest].map(str::to_owned);
    let ran = disk::full_and_grown(&lake.root(), size_bytes, place, 170, &arguments);
    assert_eq!(ran.status.code(), Some(69), "{}", ran.stderr);
    let said = ran.stderr.lines().find(|line| line.starts_with("tallow:")).unwrap_or_default();
    assert!(said.contains("No space left on device"), "{}", ran.stderr);
    assert!(said.contains("Make room there, then run the same again"), "{said}");
    let full = served(&place.join("full"));
    assert!(full.iter().all(|object| expected.contains(object)), "half a partition is served");
    assert_eq!(!full.is_empty(), is_committed, "{} of {} partitions", full.len(), expected.len());
    assert!(full.len() < expected.len());
    assert!(served(&place.join("grown")) == expected);
}

#[test]
fn a_run_is_listed_restored_and_undone() {
    let lake = Lake::new();
    let random = SeededRandom::new(5);
    lake.write_batch("BTCUSDT", &[candle(&random, 20_000), candle(&random, 20_003)]);
    lake.run(&["merge"]);
    let first = objects(&lake.root());
    lake.write_speed("a", "backfill", "BTCUSDT", candle(&random, 20_001));
    let mended = lake.run(&["merge"]);
    assert!(mended.stdout.contains("run 2: 2 files written"), "{}", mended.stdout);
    let second = objects(&lake.root());
    assert!(first != second);
    let status = lake.run(&["status", "--brokers", "localhost:1"]).stdout;
    assert!(status.contains("BTCUSDT 2024-10-06 to 2024-10-07: 1 window missing"), "{status}");
    lake.run(&["merge", "daily", "--restore", "1"]);
    assert!(objects(&lake.root()) == first);
    lake.run(&["merge"]);
    assert!(objects(&lake.root()) == first, "its inputs are the same");
    lake.run(&["merge", "daily", "--restore", "2"]);
    assert!(objects(&lake.root()) == second);
}

#[test]
fn the_demo_ends_with_a_served_table_and_its_forecast() {
    let place = tempfile::tempdir().unwrap();
    let manifest = paths::root().join("spin.toml").display().to_string();
    let lake = place.path().join("lake");
    let lake_text = lake.display().to_string();
    let shown =
        tallow::run(&["demo", "--seconds", "2", "-f", &manifest, "--lake", &lake_text]).success().stdout;
    assert!(shown.contains("SYNBTC by day, batch and stream as one table (serving/daily)"), "{shown}");
    let rows = tallow_tests::lake::table(&lake, "serving/daily");
    tallow_tests::lake::assert_no_duplicates(&rows, &["symbol"]);
    let count = |column: &str, value: &str| rows.iter().filter(|row| row[column] == value).count();
    // Eight symbols: four months of files, two days that nobody has, and the day of the stream (two at midnight).
    assert_eq!(rows.len() - count("source", "batch") - count("filled", "true"), count("source", "speed"));
    assert!(count("source", "batch") >= 8 * 117 && count("source", "speed") >= 8, "{shown}");
    assert!(count("filled", "true") >= 8 * 2 + 3 * 3, "{shown}");
    for symbol in ["SYNBTC", "SYNDOGE"] {
        assert!(shown.lines().any(|line| line.starts_with(symbol) && line.contains('▁')), "{shown}");
    }
    let (_, forecast) = shown.split_once("\nSYNBTC: Prophet ").unwrap_or_else(|| panic!("{shown}"));
    assert!(forecast.contains("last value") && forecast.contains('░'), "{shown}");
    let report = lake.join("forecast/daily/000001/report.html");
    assert!(forecast.contains(&report.display().to_string()), "{shown}");
    assert!(std::fs::read_to_string(report).unwrap().contains("SYNBTC"));
}
