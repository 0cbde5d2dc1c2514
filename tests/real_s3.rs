//! A lake in a real S3 gateway instead of a folder.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use tallow_tests::bars::{self, Bar};
use tallow_tests::batch::{Job, summary};
use tallow_tests::folder::Folder;
use tallow_tests::s3::{Metadata, S3};
use tallow_tests::{lake, paths, skip_unless_ci, tallow};
use tempfile::TempDir;

/// 2020-01-01, in ms.
const START_MS: i64 = 1_577_836_800_000;

#[test]
fn a_lake_in_s3_holds_the_same_rows_when_killed_and_resumed() {
    let s3 = match S3::start(Metadata::Kept) {
        Ok(s3) => s3,
        Err(why) => return skip_unless_ci("a_lake_in_s3_holds_the_same_rows_when_killed_and_resumed", &why),
    };
    let folder = Folder::open("ohlcv-trades");
    let (_place, manifest) = manifest(&folder, &s3);
    let run = || tallow::start(&tallow::drain(&manifest, &s3.lake(), &folder.brokers()));
    let seen = tallow::log_records(&s3.folder());
    run().kill_when(|| tallow::log_records(&s3.folder()) >= seen + 2);
    run().wait().success();
    folder.compare("in S3", &s3.folder());
}

#[test]
fn a_store_that_overwrites_is_refused_at_the_start() {
    let s3 = match S3::start(Metadata::Dropped) {
        Ok(s3) => s3,
        Err(why) => {
            return skip_unless_ci("a_store_that_overwrites_is_refused_at_the_start", &why);
        }
    };
    let folder = Folder::open("ohlcv-trades");
    let (_place, manifest) = manifest(&folder, &s3);
    let finished = tallow::start(&tallow::drain(&manifest, &s3.lake(), &folder.brokers())).wait();
    assert!(!finished.status.success(), "{}", finished.stderr);
    assert!(finished.stderr.contains("create"), "{}", finished.stderr);
    assert!(!s3.folder().join("speed").exists(), "candles were written");
}

/// Batch and merge, whose objects are overwritten rather than created.
#[test]
fn rebuilt_tables_in_s3_are_those_in_a_folder() {
    let s3 = match S3::start(Metadata::Kept) {
        Ok(s3) => s3,
        Err(why) => {
            let test = "rebuilt_tables_in_s3_are_those_in_a_folder";
            return skip_unless_ci(test, &why);
        }
    };
    let place = tempfile::tempdir().unwrap();
    let history = place.path().join("history");
    fs::create_dir_all(&history).unwrap();
    let day_ms = 24 * 3_600_000;
    let write = |days: usize| {
        let mut text = "open_time,open,high,low,close,volume\n".to_owned();
        for Bar { open_ms, open, high, low, close, volume, .. } in
            &bars::synthetic(1, START_MS, day_ms, 800)[..days]
        {
            text += &format!("{open_ms},{open},{high},{low},{close},{volume}\n");
        }
        fs::write(history.join("AB.csv"), text).unwrap();
    };
    let manifest = include_str!("lambda/spin.toml")
        .replace("{base-url}", "http://localhost:1")
        .replace("{functions}", &paths::functions().display().to_string());
    let run = |lake: &str, options: &str, arguments: &[&str]| {
        let file = place.path().join("spin.toml").display().to_string();
        fs::write(&file, manifest.clone() + options).unwrap();
        let all: Vec<&str> = arguments.iter().copied().chain(["-f", &file, "--lake", lake]).collect();
        tallow::run(&all).success().stdout
    };
    let folder = place.path().join("lake");
    let rows = |lake: &Path| lake::table(lake, "serving/daily");
    for days in [700, 800] {
        write(days);
        run(&folder.display().to_string(), "", &["batch", "daily"]);
        run(&s3.lake(), &s3.options(), &["batch", "daily"]);
        assert_eq!(rows(&folder).len(), days);
        lake::assert_same_rows("in S3", &rows(&folder), &rows(&s3.folder()));
        let again = run(&s3.lake(), &s3.options(), &["merge", "--json"]);
        assert!(again.contains("\"run\":null") && again.contains("\"merged\":0"), "{again}");
    }
    let restored = run(&s3.lake(), &s3.options(), &["merge", "daily", "--restore", "1"]);
    assert!(restored.contains("run 3"), "{restored}");
    assert_eq!(rows(&s3.folder()).len(), 700);
}

/// Files that go up in parts and are copied within the store, over each other and into backups.
#[test]
fn large_partitions_in_s3_are_those_in_a_folder() {
    let s3 = match S3::start(Metadata::Kept) {
        Ok(s3) => s3,
        Err(why) => {
            let test = "large_partitions_in_s3_are_those_in_a_folder";
            return skip_unless_ci(test, &why);
        }
    };
    let job = Job::new("input = \"*.csv\"\nsymbol = \"A\"\ntumbling = \"1s\"");
    let in_folder = job.arguments();
    let in_s3: Vec<String> = {
        let manifest = job.path("spin.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        let with_options = job.file("s3.toml", text + &s3.options());
        let with_options = with_options.display().to_string();
        ["batch", "days", "--json", "-f", &with_options, "--lake", &s3.lake()].map(str::to_owned).to_vec()
    };
    let mut written = Vec::new();
    for factor in [7_919_u64, 7_927] {
        let mut text = "open_time,open,high,low,close,volume\n".to_owned();
        for second in 0..400_000 {
            let [a, b] = [104_729, 1_299_709].map(|prime| second * factor * prime % 9_999_991);
            let time = START_MS / 1_000 + second as i64;
            text += &format!("{time}000,5.{a:07},6.{b:07},4.{a:07},5.{b:07},1.{a:07}\n");
        }
        job.file("a.csv", text);
        let [here, there] = [&in_folder, &in_s3].map(|arguments| {
            let summary = summary(&tallow::run(arguments).success().stdout);
            PathBuf::from(summary["written"][0].as_str().unwrap())
        });
        let bytes = fs::read(s3.folder().join(&there)).unwrap();
        assert!(bytes.len() > 16 << 20, "{} bytes", bytes.len());
        assert!(bytes == fs::read(job.lake().join(&here)).unwrap(), "{factor}");
        assert!(!written.contains(&(there.clone(), bytes.clone())), "{factor}");
        written.push((there, bytes));
    }
    let (path, first) = &written[0];
    let kept = s3.folder().join(format!("_tallow/backup/batch-days/{:020}", 2)).join(path);
    assert!(fs::read(&kept).unwrap() == *first, "{}", kept.display());
}

#[test]
fn a_batch_reads_objects_as_it_reads_files() {
    let s3 = match S3::start(Metadata::Kept) {
        Ok(s3) => s3,
        Err(why) => return skip_unless_ci("a_batch_reads_objects_as_it_reads_files", &why),
    };
    let lines: String = (0..100_000i64)
        .map(|minute| format!("{},1,2,0.5,1.5,3\n", 1_700_006_400_000 + minute * 60_000))
        .collect();
    let (here, there) = (Job::new("input = \"*/*.csv\"\nsymbol-from = '([A-Z]+)\\.csv'"), {
        let keys = "input = \"s3://lake/klines/*.csv\"\nsymbol-from = '([A-Z]+)\\.csv'";
        Job::new(&format!("{keys}\n[application.trigger.kafka.batch.days.input-options]\n{}", s3.settings()))
    });
    fs::create_dir_all(s3.folder().join("klines")).unwrap();
    for symbol in ["A", "B"] {
        here.file(&format!("klines/{symbol}.csv"), &lines);
        fs::write(s3.folder().join(format!("klines/{symbol}.csv")), &lines).unwrap();
    }
    here.run();
    there.run();
    assert!(here.days().len() > 100);
    assert_eq!(here.days(), there.days());
}

/// The folder's manifest with the way to the gateway in it.
fn manifest(folder: &Folder, s3: &S3) -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("spin.toml");
    fs::write(&file, folder.manifest(2) + &s3.options()).unwrap();
    (place, file)
}
