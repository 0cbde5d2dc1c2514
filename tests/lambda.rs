//! The whole: files by `tallow batch`, a stream by `tallow up`, the hole between them from an exchange on this machine,
//! and one served table without a hole and without a double, whatever was killed on the way.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use tallow_test_support::http::local::Server;
use tallow_tests::bars::{self, Bar};
use tallow_tests::exchange::Exchange;
use tallow_tests::lake::{self, Row};
use tallow_tests::messages::{Message, produce};
use tallow_tests::tallow::{Finished, Running};
use tallow_tests::{paths, tallow};
use tempfile::TempDir;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// 2024-03-01, in ms.
const MARCH: i64 = 1_709_251_200_000;
/// Days that files have, days until the stream begins, days in all.
const BATCH_DAYS: i64 = 12;
const STREAM_FROM: i64 = 17;
const DAYS: i64 = 22;

/// The columns of a served day that a kline decides.
const COMPARED: [&str; 9] =
    ["symbol", "window_start", "open", "high", "low", "close", "volume", "quote_volume", "trades"];

struct Scene {
    place: TempDir,
    server: Server,
    cluster: MockCluster<'static, DefaultProducerContext>,
    bars: Vec<Bar>,
}

impl Scene {
    /// An exchange that has everything, files of the first days, a topic with the last ones.
    fn new() -> Self {
        let bars = bars::synthetic(7, MARCH, MINUTE_MS, DAYS * 1440);
        let exchange = Exchange::default();
        exchange.list("AB", MINUTE_MS, bars.clone());
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("klines", 1, 1).unwrap();
        let scene = Self { place: tempfile::tempdir().unwrap(), server: exchange.serve(), cluster, bars };
        scene.write_files();
        // The stream begins at noon: its first day is not whole. A bar after its last day closes that.
        let streamed = &scene.bars[(STREAM_FROM * 1440 + 720) as usize..];
        let after = bars::synthetic(8, MARCH + DAYS * DAY_MS, MINUTE_MS, 1);
        scene.stream(&[streamed, &after].concat());
        scene
    }

    fn write_files(&self) {
        let folder = self.place.path().join("history");
        fs::create_dir_all(&folder).unwrap();
        let mut text = "open_time,open,high,low,close,volume,close_time,quote_volume,count\n".to_owned();
        for bar in &self.bars[..(BATCH_DAYS * 1440) as usize] {
            let Bar { open_ms, open, high, low, close, volume, quote_volume, trades } = bar;
            let close_ms = open_ms + MINUTE_MS - 1;
            text += &format!(
                "{open_ms},{open},{high},{low},{close},{volume},{close_ms},{quote_volume},{trades}\n"
            );
        }
        fs::write(folder.join("AB.csv"), text).unwrap();
        let manifest = include_str!("lambda/spin.toml")
            .replace("{base-url}", &self.server.url())
            .replace("{functions}", &paths::functions().display().to_string());
        fs::write(self.place.path().join("spin.toml"), manifest).unwrap();
    }

    fn stream(&self, bars: &[Bar]) {
        let messages: Vec<Message> = bars
            .iter()
            .map(|bar| Message {
                partition: Some(0),
                value: Some(bar.as_message("AB", "1m", MINUTE_MS).into_bytes()),
                ..Message::default()
            })
            .collect();
        produce(&self.cluster.bootstrap_servers(), "klines", &messages);
    }

    fn lake(&self) -> PathBuf {
        self.place.path().join("lake")
    }

    fn start(&self, arguments: &[&str]) -> Running {
        let file = self.place.path().join("spin.toml").display().to_string();
        let brokers = self.cluster.bootstrap_servers();
        let mut all = arguments.to_vec();
        all.extend(["-f", &file, "--brokers", &brokers]);
        tallow::start(&all)
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        self.start(arguments).wait().success()
    }

    /// The served days, each once, and where each comes from.
    fn assert_served(&self) {
        let rows = lake::table(&self.lake(), "serving/daily");
        lake::assert_no_duplicates(&rows, &["symbol"]);
        let cut = |rows: Vec<Row>| -> Vec<Row> {
            let cells =
                |row: Row| row.into_iter().filter(|(name, _)| COMPARED.contains(&name.as_str())).collect();
            rows.into_iter().map(cells).collect()
        };
        lake::assert_same_rows("served", &cut(bars::windows("AB", &self.bars, DAY_MS)), &cut(rows.clone()));
        let mut sources: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for row in &rows {
            assert_eq!((row["filled"].as_str(), row["complete"].as_str()), ("false", "true"), "{row:?}");
            sources.entry(&row["source"]).or_default().push(&row["window_start"]);
        }
        let count = |source: &str| sources.get(source).map_or(0, Vec::len) as i64;
        // The stream's first day was not whole: the backfill has it.
        assert_eq!(count("batch"), BATCH_DAYS, "{sources:?}");
        assert_eq!(count("backfill"), STREAM_FROM + 1 - BATCH_DAYS, "{sources:?}");
        assert_eq!(count("speed"), DAYS - STREAM_FROM - 1, "{sources:?}");
    }
}

/// All files of a folder with their bytes.
fn files(root: &Path, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.join(folder)];
    while let Some(folder) = open.pop() {
        let Ok(entries) = folder.read_dir() else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => open.push(path),
                false => {
                    _ = found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap())
                }
            }
        }
    }
    found
}

fn served(scene: &Scene) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = files(&scene.lake(), "serving");
    found.extend(files(&scene.lake(), "prophet_input"));
    found
}

#[test]
fn batch_stream_and_the_gap_between_become_one_table() {
    let scene = Scene::new();
    let batch = scene.run(&["batch", "daily"]).stdout;
    assert!(batch.contains("daily: run 1: 2 files written"), "merged by itself: {batch}");
    scene.run(&["up", "--available-now"]);
    scene.assert_served();

    let status = scene.run(&["status"]).stdout;
    assert!(status.contains("gaps       0"), "{status}");
    let before = (served(&scene), files(&scene.lake(), "speed"), files(&scene.lake(), "batch"));
    for again in [&["batch", "daily"][..], &["up", "--available-now"], &["backfill"], &["merge"]] {
        scene.run(again);
    }
    let after = (served(&scene), files(&scene.lake(), "speed"), files(&scene.lake(), "batch"));
    assert!(before == after, "run again, same bytes");
}

#[test]
fn a_hole_opens_a_backfill_and_the_next_merge_reports_it_mended() {
    let scene = Scene::new();
    let manual = |text: String| text.replace("backfill = \"auto\"", "backfill = \"manual\"");
    let file = scene.place.path().join("spin.toml");
    fs::write(&file, manual(fs::read_to_string(&file).unwrap())).unwrap();
    scene.run(&["batch", "daily"]);
    scene.run(&["up", "--available-now"]);
    let status = scene.run(&["status"]).stdout;
    assert!(status.contains("AB 2024-03-13 to 2024-03-18: 5 windows missing"), "{status}");
    assert!(status.contains("AB 2024-03-18 to 2024-03-19: 1 window partial"), "{status}");
    assert_eq!(files(&scene.lake(), "_tallow/wanted").len(), 1);

    let done = scene.run(&["backfill", "--to", "2024-03-23"]).stdout;
    assert!(done.contains("mended: AB 2024-03-13 to 2024-03-18"), "{done}");
    scene.assert_served();
    assert_eq!(files(&scene.lake(), "_tallow/wanted").len(), 0);
    let status = scene.run(&["status"]).stdout;
    assert!(status.contains("mended     AB 2024-03-13 to 2024-03-18"), "{status}");
}

#[test]
fn killed_in_each_step_it_is_the_same_table() {
    let straight = Scene::new();
    straight.run(&["batch", "daily"]);
    straight.run(&["up", "--available-now"]);
    straight.assert_served();

    let scene = Scene::new();
    let objects = || lake::objects(&scene.lake());
    let mut kills = 0;
    for step in [&["batch", "daily"][..], &["up", "--available-now"], &["merge"]] {
        for more in [1, 4, 8, 13] {
            let seen = objects();
            let running = scene.start(step);
            kills += usize::from(running.kill_when(|| objects() >= seen + more));
        }
        scene.run(step);
    }
    assert!(kills > 5, "few runs lived long enough to be killed: {kills}");
    scene.assert_served();
    let rows = |scene: &Scene| lake::table(&scene.lake(), "prophet_input/daily");
    lake::assert_same_rows("prophet", &rows(&straight), &rows(&scene));
}

#[test]
fn a_forecast_follows_the_merges_and_status_holds_it_up() {
    let scene = Scene::new();
    let file = scene.place.path().join("spin.toml");
    let functions = paths::functions().display().to_string();
    let forecast = format!(
        "\n[application.trigger.kafka.forecast.daily]\nfunction = \"forecast-ets\"\nhorizon = 3\nfolds = 2\nauto = true\n\
         \n[component.forecast-ets]\nsource = \"{functions}/forecast-ets.wasm\"\n\
         \n[component.forecast-naive]\nsource = \"{functions}/forecast-naive.wasm\"\n"
    );
    fs::write(&file, fs::read_to_string(&file).unwrap() + &forecast).unwrap();
    scene.run(&["batch", "daily"]);
    scene.run(&["up", "--available-now"]);
    let since = || {
        let status: serde_json::Value =
            serde_json::from_str(&scene.run(&["status", "--json"]).stdout).unwrap();
        status["forecasts"][0].clone()
    };
    let first = since();
    assert!(
        first["run"].as_u64() >= Some(1) && first["verdict"].as_str().unwrap().contains("the last value"),
        "{first}"
    );
    assert!(files(&scene.lake(), "forecast/daily").keys().any(|path| path.ends_with("report.html")));
    let closed = |status: &serde_json::Value| status["since"][0]["rows"].as_u64().unwrap_or(0);

    // Three more days, the first minute of which has been sent, and a bar that closes the last one.
    let more = bars::synthetic(9, MARCH + DAYS * DAY_MS, MINUTE_MS, 3 * 1440 + 1);
    scene.stream(&more[1..]);
    scene.run(&["up", "--available-now"]);
    let second = since();
    assert!(second["run"].as_u64() > first["run"].as_u64(), "{first} {second}");
    assert_eq!(closed(&second), closed(&first) + 3, "{first} {second}");
    assert!(second["since"][0]["mape"].as_f64().unwrap() > 0.0, "{second}");
    let text = scene.run(&["status"]).stdout;
    assert!(text.contains("came since") && text.contains("daily: forecast, run"), "{text}");
}
