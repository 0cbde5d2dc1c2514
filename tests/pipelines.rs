//! Each folder of `tests/pipelines` runs straight, then killed at epochs and resumed, then with one and with
//! four parse workers: always the same rows come out.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use tallow_tests::folder::{self, Folder};
use tallow_tests::tallow;
use tempfile::TempDir;

/// A test a folder, and a list of them.
macro_rules! pipelines {
    ($($test:ident: $folder:literal,)*) => {
        const FOLDERS: &[&str] = &[$($folder),*];
        $(
            #[test]
            fn $test() {
                check($folder);
            }
        )*
    };
}

pipelines! {
    trades_become_candles_of_minutes_and_days: "ohlcv-trades",
    klines_become_candles_of_hours: "klines-to-hour",
    tickers_keep_rolling_values_apart: "tickers",
    a_sliding_window_counts_a_row_in_each_of_its_windows: "sliding",
    sessions_end_after_a_gap_and_merge: "session",
    late_rows_are_judged_by_the_watermark_at_the_epochs_start: "late-rows",
    duplicates_count_once_and_holes_are_counted: "duplicates-and-holes",
    trades_off_the_market_are_in_no_candle_and_not_missing: "trades-off-the-market",
    broken_messages_become_dead_letters: "broken-messages",
    timed_messages_are_counted: "sources-json",
    any_json_becomes_rows_by_a_schema: "any-json",
    permissive_keeps_rows_that_are_broken_in_part: "any-json-permissive",
    an_empty_partition_holds_nothing_back: "empty-partition",
    partitions_that_end_apart_close_their_windows: "uneven-partitions",
    a_session_judges_a_row_by_its_own_gap: "session-late",
    late_words_are_judged_as_in_sparks_guide: "spark-late-words",
    windows_are_those_of_sparks_own_tests: "spark-time-windows",
    sessions_are_those_of_sparks_own_tests: "spark-sessions",
    sessions_merge_as_in_kafka_streams: "kafka-streams-sessions",
    arrays_and_missing_times_are_as_in_spark: "spark-explode-and-nulls",
    windows_without_rows_are_filled_between_two_with_rows: "filled",
}

#[test]
fn every_folder_has_a_test() {
    let entries = folder::all().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    let there: BTreeSet<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    assert_eq!(there, FOLDERS.iter().map(|name| (*name).to_owned()).collect());
}

/// Logs hold their first record, the fence, before anything is read.
const FENCES: usize = 1;

fn check(name: &str) {
    let folder = Folder::open(name);

    let straight = Scene::new(&folder, 2);
    straight.start().wait().success();
    folder.compare("straight", &straight.lake());

    let killed = Scene::new(&folder, 2);
    let kills = (1..=3).filter(|commits| {
        let seen = tallow::log_records(&killed.lake());
        killed.start().kill_when(|| tallow::log_records(&killed.lake()) >= seen + FENCES + commits)
    });
    assert!(kills.count() > 0, "no run lived long enough to be killed");
    killed.start().wait().success();
    folder.compare("killed and resumed", &killed.lake());

    for workers in [1, 4] {
        let scene = Scene::new(&folder, workers);
        scene.start().wait().success();
        folder.compare(&format!("with {workers} parse workers"), &scene.lake());
    }
}

/// An empty lake and the runs that fill it.
struct Scene {
    place: TempDir,
    brokers: String,
}

impl Scene {
    fn new(folder: &Folder, workers: usize) -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("spin.toml"), folder.manifest(workers)).unwrap();
        Self { place, brokers: folder.brokers() }
    }

    fn lake(&self) -> PathBuf {
        self.place.path().join("lake")
    }

    fn start(&self) -> tallow::Running {
        let lake = self.lake().display().to_string();
        tallow::start(&tallow::drain(&self.place.path().join("spin.toml"), &lake, &self.brokers))
    }
}

/// Windows without rows are part of a commit, and of its proof.
#[test]
fn filled_windows_are_proved() {
    let folder = Folder::open("filled");
    let scene = Scene::new(&folder, 1);
    scene.start().wait().success();
    let (manifest, lake) = (scene.place.path().join("spin.toml"), scene.lake());
    let [manifest, lake] = [manifest, lake].map(|path| path.display().to_string());
    let brokers = folder.brokers();
    let verify = ["verify", "--json", "-f", &manifest, "--lake", &lake, "--brokers", &brokers];
    let proved = tallow::run(&verify).success().stdout;
    assert!(proved.lines().last().unwrap().contains(r#""verdict":"proved""#), "{proved}");
}
