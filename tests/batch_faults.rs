//! `tallow batch` where something is odd or goes wrong.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::process::Command;

use flate2::write::GzEncoder;
use serde_json::json;
use tallow_tests::batch::{Job, summary};
use tallow_tests::{disk, paths, skip, tallow};

const HEADER: &str = "open_time,open,high,low,close,volume\n";
/// 2024-08-09 00:00 UTC.
const START_MS: i64 = 1_723_161_600_000;
const MINUTE_MS: i64 = 60_000;

/// A kline a minute from a minute of the day on.
fn minutes(from: i64, count: i64) -> String {
    (from..from + count).map(|minute| line(minute, "100", "1")).collect()
}

fn line(minute: i64, price: &str, volume: &str) -> String {
    format!("{},{price},{price},{price},{price},{volume}\n", START_MS + minute * MINUTE_MS)
}

#[test]
fn bad_lines_are_dead_letters_and_the_rest_continues() {
    let job = Job::new("input = \"data/*.csv\"\nsymbol = \"A\"\ninterval = \"1m\"");
    let text = [
        HEADER.to_owned(),
        line(0, "100", "1"),
        "not,a,kline,at,all,!\n".to_owned(),
        line(1, "-5", "1"),
        line(2, "100", "4e-7"),
        "1723161780000,100,100\n".to_owned(),
        "\n".to_owned(),
        format!("{},100,90,110,100,1\n", START_MS + 4 * MINUTE_MS),
        format!("{},100,100,100,100,1e99\n", START_MS + 5 * MINUTE_MS),
        // Beyond the clock, by far.
        "4102444800000,100,100,100,100,1\n".to_owned(),
        line(6, "101", "1").trim_end().to_owned(),
    ];
    job.file("data/a.csv", text.concat());
    let report = job.run()["report"].clone();
    assert_eq!((&report["lines"], &report["rows"], &report["accepted"]), (&11.into(), &4.into(), &4.into()));
    assert_eq!(report["ignored"], json!({ "header": 1, "empty line": 1 }));
    let letters: Vec<(String, String, String, String)> = {
        let mut letters = job.dead_letters();
        letters.sort_by_key(|letter| letter["offset"].parse::<i64>().unwrap());
        letters
            .iter()
            .map(|row| {
                (row["topic"].clone(), row["offset"].clone(), row["reason"].clone(), row["value"].clone())
            })
            .collect()
    };
    let expected = [
        ("3", "event_time: not a time: \"not\"", text[2].trim_end()),
        ("4", "open: negative: \"-5\"", text[3].trim_end()),
        ("6", "3 fields, not 6", text[5].trim_end()),
        ("9", "volume: more than 38 digits at scale 8: \"1e99\"", text[8].trim_end()),
        ("10", "event time is more than 86400 s ahead of the clock", text[9].trim_end()),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(line, reason, value)| {
            ("data/a.csv".to_owned(), line.to_string(), reason.to_string(), value.to_string())
        })
        .collect();
    assert_eq!(letters, expected);
    let days = job.days();
    assert_eq!(days.len(), 1);
    let day = &days[0];
    let cells = ["open", "high", "low", "close", "volume", "klines", "flagged", "filled", "complete"];
    let cells: Vec<&str> = cells.iter().map(|column| day[*column].as_str()).collect();
    assert_eq!(cells, ["100", "101", "100", "101", "3.0000004", "4", "1", "false", "false"]);
}

#[test]
fn duplicates_are_dropped_and_the_first_row_counts() {
    let job = Job::new("input = \"*.csv\"\nsymbol = \"A\"");
    job.file("1.csv", [HEADER, &minutes(0, 10)].concat());
    // The same ten again, but one of them, and one more.
    job.file("2.csv", [HEADER, &minutes(0, 4), &line(4, "200", "7"), &minutes(5, 6)].concat());
    let report = job.run()["report"].clone();
    assert_eq!(
        (&report["accepted"], &report["duplicates"], &report["conflicts"]),
        (&11.into(), &9.into(), &1.into())
    );
    let day = &job.days()[0];
    assert_eq!((day["high"].as_str(), day["volume"].as_str()), ("100", "11"));
    let letters = job.dead_letters();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0]["topic"].as_str(), letters[0]["offset"].as_str()), ("2.csv", "6"));
    assert_eq!(letters[0]["reason_kind"], "conflict");
}

#[test]
fn every_packing_gives_the_same_days() {
    let text = [HEADER, &minutes(0, 2_000)].concat();
    let (first, second) = (minutes(0, 700), minutes(700, 1_300));
    // A Mac adds files of its own; the second file has no header, and the first no line end.
    let several: [(&str, &[u8]); 4] = [
        ("klines/2.csv", second.as_bytes()),
        ("__MACOSX/klines/._1.csv", b"\0\x05\x16\x07 not a kline"),
        ("klines/.DS_Store", b"\0\0\0\x01Bud1"),
        ("klines/1.csv", &[HEADER, &first].concat().into_bytes()[..HEADER.len() + first.len() - 1]),
    ];
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let packings: [(&str, Vec<u8>); 6] = [
        ("a.csv", text.clone().into_bytes()),
        ("a.csv.gz", gzip.finish().unwrap()),
        ("a.csv.zst", zstd::encode_all(text.as_bytes(), 3).unwrap()),
        ("a.zip", zip(&[("a.csv", text.as_bytes())])),
        ("several.zip", zip(&several)),
        ("large.zip", zip64("a.csv", text.as_bytes())),
    ];
    let mut days = Vec::new();
    for (name, bytes) in packings {
        let job = Job::new(&format!("input = \"{name}\"\nsymbol = \"A\""));
        job.file(name, bytes);
        job.run();
        days.push(job.days());
    }
    assert_eq!(days[0].len(), 2);
    assert!(days.iter().all(|other| *other == days[0]));
    // Parquet: what the batch itself has made, days to one week.
    let job = Job::new("input = \"a.csv\"\nsymbol = \"A\"");
    job.file("a.csv", &text);
    job.run();
    let again = Job::new("input = \"*.parquet\"\ntumbling = \"7d\"\noffset = \"4d\"");
    fs::copy(job.lake().join("batch/days/symbol=A/year=2024/data.parquet"), again.path("days.parquet"))
        .unwrap();
    again.run();
    let weeks = again.days();
    assert_eq!(weeks.len(), 1, "{weeks:?}");
    assert_eq!((weeks[0]["volume"].as_str(), weeks[0]["close"].as_str()), ("2000", "100"));
}

#[test]
fn contradicting_rows_are_found_in_a_file_newest_first() {
    let job = Job::new("input = \"*.csv\"\nsymbol = \"A\"");
    let mut lines: Vec<String> = (0..3_000).rev().map(|minute| line(minute, "100", "1")).collect();
    // Minute 500 again with another price, beside it, and minute 400 again as it was.
    lines.insert(2_500, line(500, "200", "7"));
    lines.insert(2_602, line(400, "100", "1"));
    job.file("a.csv", [HEADER, &lines.concat()].concat());
    let report = job.run()["report"].clone();
    let counts = ["accepted", "duplicates", "conflicts"].map(|count| report[count].as_u64().unwrap());
    assert_eq!(counts, [3_000, 1, 1]);
    assert_eq!(job.dead_letters().len(), 1);
}

/// Python's own zip, which is not the one that is tested.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let made = Command::new("python3")
        .args(["-m", "zipfile", "-c", "made.zip"])
        .args(names)
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(made.success());
    fs::read(folder.path().join("made.zip")).unwrap()
}

/// The same with sizes in the fields for archives beyond 4 GiB.
fn zip64(name: &str, content: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("content"), content).unwrap();
    let script = "import sys, zipfile\nwith zipfile.ZipFile('made.zip', 'w', zipfile.ZIP_DEFLATED) as archive:\n                   with archive.open(sys.argv[1], 'w', force_zip64=True) as file:\n                    file.write(open('content', 'rb').read())";
    let made =
        Command::new("python3").args(["-c", script, name]).current_dir(folder.path()).status().unwrap();
    assert!(made.success());
    fs::read(folder.path().join("made.zip")).unwrap()
}

#[test]
fn a_broken_archive_publishes_nothing_and_says_which_file() {
    let text = [HEADER, &minutes(0, 5_000)].concat();
    let sound = zip(&[("A-1m.csv", text.as_bytes())]);
    let sum = |bytes: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("f"), bytes).unwrap();
        let said = Command::new("sha256sum").arg(folder.path().join("f")).output().unwrap().stdout;
        format!("{}  A-1m.zip\n", String::from_utf8(said).unwrap().split(' ').next().unwrap())
    };
    let mut turned = sound.clone();
    turned[200] ^= 1;
    let cut = sound[..sound.len() / 2].to_vec();
    for (bytes, checksum, code, says) in [
        (sound.clone(), Some(sum(&sound)), 0, ""),
        (sound.clone(), Some(sum(b"another")), 65, "fetch it again"),
        (turned, None, 65, "A-1m.zip is broken"),
        (cut, None, 65, "it is cut off"),
        (
            zip(&[("[Content_Types].xml", b"<xml>"), ("sheet1.xml", b"<xml>")]),
            None,
            65,
            "it is a spreadsheet",
        ),
        (b"\xfd7zXZ\0\0\x04".to_vec(), None, 65, "compressed by xz: unpack it first"),
    ] {
        let job = Job::new("input = \"*.zip\"\nsymbol-from = \"^[A-Z]+\"");
        job.file("A-1m.zip", bytes);
        if let Some(checksum) = checksum {
            job.file("A-1m.zip.CHECKSUM", checksum);
        }
        let finished = tallow::run(&job.arguments());
        assert_eq!(finished.status.code(), Some(code), "{}", finished.stderr);
        assert!(finished.stderr.contains(says), "{says}: {}", finished.stderr);
        assert_eq!(job.objects().is_empty(), code != 0, "a partition appears whole or not at all");
    }
    let job = Job::new("input = \"*.zip\"\nsymbol = \"A\"\nchecksums = \"required\"");
    job.file("A-1m.zip", sound);
    let finished = tallow::run(&job.arguments());
    assert_eq!(finished.status.code(), Some(2), "{}", finished.stderr);
}

#[test]
fn a_broken_file_keeps_no_other_symbol_back() {
    let job = Job::new("input = \"data/*\"\nsymbol-from = \"([A-Z]+).csv\"");
    for symbol in ["A", "C"] {
        job.file(&format!("data/{symbol}.csv"), [HEADER, &minutes(0, 3_000)].concat());
    }
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all([HEADER, &minutes(0, 3_000)].concat().as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    job.file("data/B.csv.gz", &gzip[..gzip.len() / 2]);
    let finished = tallow::run(&job.arguments());
    assert_eq!(finished.status.code(), Some(65), "{}", finished.stderr);
    assert!(finished.stderr.contains("B.csv.gz is broken"), "{}", finished.stderr);
    let symbols: Vec<String> = job.days().iter().map(|row| row["symbol"].clone()).collect();
    assert_eq!(symbols, ["A", "A", "A", "C", "C", "C"]);
}

#[test]
fn empty_files_are_named_and_alone_they_are_an_error() {
    let job = Job::new("input = \"*.csv\"\nsymbol = \"A\"");
    job.file("1.csv", "");
    job.file("2.csv", HEADER);
    let finished = tallow::run(&job.arguments());
    assert_eq!(finished.status.code(), Some(65), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("1.csv is empty; 2.csv holds no kline in 1 line"),
        "{}",
        finished.stderr
    );
    assert_eq!(job.objects(), []);
    let meant: Vec<String> = job.arguments().into_iter().chain(["--allow-empty".to_owned()]).collect();
    assert_eq!(summary(&tallow::run(&meant).success().stdout)["report"]["windows"], 0);
    job.file("3.csv", [HEADER, &minutes(0, 3)].concat());
    let report = job.run()["report"].clone();
    assert_eq!((&report["files"], &report["without_rows"]), (&3.into(), &json!(["1.csv", "2.csv"])));
    assert_eq!(job.days().len(), 1);
}

/// A file of klines, and what may lie in its place after a bad night.
#[test]
fn what_holds_no_klines_takes_no_partitions_place() {
    let job = Job::new("input = \"*.csv\"\nsymbol-from = \"^[A-Z]+\"");
    let whole = [HEADER, &minutes(0, 2_000)].concat();
    for symbol in ["A", "B"] {
        job.file(&format!("{symbol}.csv"), &whole);
    }
    job.run();
    let before = job.objects();
    let page = "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code></Error>\n";
    let utf16: Vec<u8> = "no klines, either\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let half = [HEADER, &minutes(0, 1_000)].concat();
    for (bytes, says) in [
        (
            page.as_bytes(),
            "A.csv holds no kline that can be read in 2 lines, such as A.csv:1: `<?xml version",
        ),
        (b"", "A.csv is empty"),
        (HEADER.as_bytes(), "A.csv holds no kline in 1 line"),
        (&utf16, "A.csv"),
        (b"\x89HDF\r\n\x1a\n", "it is HDF5"),
        (half.as_bytes(), "there were 2000 rows, and there are 1000 now: more than 5 % of them are lost"),
    ] {
        job.file("A.csv", bytes);
        let finished = tallow::run(&job.arguments());
        assert_eq!(finished.status.code(), Some(65), "{says}: {}", finished.stderr);
        assert!(finished.stderr.contains(says), "{says}: {}", finished.stderr);
        assert!(job.objects() == before, "{says}");
    }
    let meant: Vec<String> = job.arguments().into_iter().chain(["--allow-empty".to_owned()]).collect();
    let report = summary(&tallow::run(&meant).success().stdout)["report"].clone();
    assert_eq!(report["rows"], 3_000);
    // What was meant once is what is there now.
    assert_eq!(job.run()["groups_unchanged"], 2);
}

#[test]
fn the_summary_shows_a_line_for_each_reason_and_counts_them() {
    let job = Job::new("input = \"data/*.csv\"\nsymbol = \"A\"\ninterval = \"1m\"");
    let bad = "1723161780000,100,100\n1723161780000,7\n";
    job.file("data/a.csv", [HEADER, &minutes(0, 3), bad, &line(0, "200", "1")].concat());
    let arguments: Vec<String> = job.arguments().into_iter().filter(|it| it != "--json").collect();
    let said = tallow::run(&arguments).success().stdout;
    for line in [
        "dead letter             2  3 fields, not 6; the first: data/a.csv:5: `1723161780000,100,100`",
        "contradicts  the first: its id was seen before with other content, data/a.csv:7: `1723161600000,200,",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn a_killed_run_continues_and_a_finished_one_changes_no_byte() {
    let make = || {
        let job = Job::new("input = \"*.csv\"\nsymbol-from = \"^[A-Z]+\"");
        for (index, symbol) in ["A", "B", "C", "D"].into_iter().enumerate() {
            job.file(&format!("{symbol}.csv"), [HEADER, &minutes(index as i64 * 1_000, 120_000)].concat());
        }
        job
    };
    let straight = make();
    straight.run();
    let expected = straight.objects();
    assert_eq!(expected.len(), 4);
    let killed = make();
    // At every stage of the run: by what stands in the log.
    for records in 1..6 {
        tallow::start(&killed.arguments()).kill_when(|| tallow::log_records(&killed.lake()) >= records);
        let seen: Vec<_> = killed.objects();
        assert!(seen.iter().all(|object| expected.contains(object)), "half a partition can be seen");
    }
    killed.run();
    assert_eq!(killed.objects(), expected);
    let again = killed.run();
    assert_eq!((&again["written"], &again["groups_made"]), (&json!([]), &0.into()));
    assert_eq!(killed.objects(), expected);
    // Another file: its group is made anew, and no other.
    killed.file("C-2.csv", [HEADER, &minutes(130_000, 10)].concat());
    let more = killed.run();
    assert_eq!((&more["groups_made"], &more["groups_unchanged"]), (&1.into(), &3.into()));
    assert_eq!(more["written"].as_array().unwrap().len(), 1);
}

#[test]
fn a_deleted_or_cut_partition_is_made_again_with_the_same_bytes() {
    let job = Job::new("input = \"*.csv\"\ntumbling = \"1d\"\nsymbol = \"X\"");
    job.file("a.csv", [HEADER, &minutes(0, 3 * 1_440)].concat());
    job.run();
    let path = job.lake().join("batch/days/symbol=X/year=2024/data.parquet");
    let bytes = fs::read(&path).unwrap();
    for spoil in ["delete", "cut off", "leave"] {
        match spoil {
            "delete" => fs::remove_file(&path).unwrap(),
            "cut off" => fs::write(&path, &bytes[..10]).unwrap(),
            _ => {}
        }
        let report = job.run();
        let made = u64::from(spoil != "leave");
        assert_eq!(
            (&report["groups_made"], &report["groups_unchanged"]),
            (&made.into(), &(1 - made).into()),
            "{spoil}"
        );
        assert_eq!(fs::read(&path).unwrap(), bytes, "{spoil}");
    }
}

#[test]
fn days_are_utc_wherever_the_machine_is() {
    let dates = "timestamp,open,high,low,close,volume\n2024-03-10 06:59:00,1,1,1,1,1\n2024-03-10 23:59:00,2,2,2,2,1\n\
                 2024-03-11 00:00:00,3,3,3,3,1\n";
    let mut seen = Vec::new();
    for zone in ["UTC", "Asia/Ho_Chi_Minh", "America/New_York"] {
        let job = Job::new("input = \"*.csv\"\nsymbol = \"A\"\ninterval = \"1m\"");
        job.file("a.csv", dates);
        let ran =
            Command::new(paths::program("tallow")).args(job.arguments()).env("TZ", zone).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        seen.push(job.objects());
        let starts: Vec<String> = job.days().iter().map(|row| row["window_start"].clone()).collect();
        assert_eq!(starts, ["2024-03-10T00:00:00Z", "2024-03-11T00:00:00Z"], "{zone}");
    }
    assert!(seen.iter().all(|objects| *objects == seen[0]));
}

#[test]
fn volumes_beyond_64_bits_are_exact() {
    // A day of SHIB: a minute of 1.5 * 10^11 at 8 places is beyond 64 bits together, and one alone is.
    let job = Job::new("input = \"*.csv\"\nsymbol-from = \"^[A-Z]+\"\ndecimals = \"decimal\"");
    let day: String = (0..1_440).map(|minute| line(minute, "0.00001234", "987654321012.12345678")).collect();
    job.file("SHIBUSDT.csv", [HEADER, &day].concat());
    // A rolling volume of BTT, as its ticker tells it.
    job.file("BTTUSDT.csv", [HEADER, &line(0, "0.00000069", "2893413294820.00000001")].concat());
    assert_eq!(job.run()["report"]["rounded"], 0);
    let days = job.days();
    let volume = |symbol: &str| days.iter().find(|row| row["symbol"] == symbol).unwrap()["volume"].clone();
    // 987654321012.12345678 * 1440
    assert_eq!(volume("SHIBUSDT"), "1422222222257457.77776320");
    assert_eq!(volume("BTTUSDT"), "2893413294820.00000001");
}

#[test]
fn a_full_disk_is_an_error_that_leaves_no_half_of_anything() {
    let name = "a_full_disk_is_an_error_that_leaves_no_half_of_anything";
    if !disk::mounts() {
        return skip(name, "a test may not mount a disk of its own here");
    }
    let make = || {
        let job = Job::new("input = \"*.csv\"\nsymbol-from = \"^[A-Z]+\"");
        for symbol in ["A", "B"] {
            job.file(&format!("{symbol}.csv"), [HEADER, &minutes(0, 600_000)].concat());
        }
        fs::create_dir(job.lake()).unwrap();
        job
    };
    let whole = make();
    whole.run();
    let expected = whole.objects();
    let [lake_bytes, table_bytes] = [whole.lake(), whole.lake().join("batch")].map(|it| disk::bytes_of(&it));
    // Full at the first blob, and when half of the partitions are published.
    for (size_bytes, published) in [(16 << 10, 0), (lake_bytes - table_bytes / 2, expected.len() / 2)] {
        let job = make();
        let ran = disk::full_and_grown(&job.lake(), size_bytes, job.folder.path(), 8, &job.arguments());
        assert!(!ran.status.success());
        let said = ran.stderr;
        assert!(said.contains("No space left on device") && said.contains("Make room there"), "{said}");
        let seen = |folder: &str| tallow_tests::batch::objects(&job.path(folder));
        let full = seen("full");
        assert!(full.iter().all(|object| expected.contains(object)), "half a partition is there");
        assert_eq!(full.len(), published, "of {}: {said}", expected.len());
        assert!(seen("grown") == expected, "{size_bytes}");
    }
}

#[test]
fn mistakes_of_use_are_reported_with_what_to_do() {
    let job = Job::new("input = \"*.csv\"\nsymbol-from = \"^([0-9]+)\"");
    job.file("A.csv", [HEADER, &minutes(0, 3)].concat());
    let finished = tallow::run(&job.arguments());
    assert_eq!(finished.status.code(), Some(2));
    assert!(
        finished.stderr.contains("A.csv: `symbol-from` finds no symbol in its name"),
        "{}",
        finished.stderr
    );
    let nothing = Job::new("input = \"no/*.csv\"\nsymbol = \"A\"");
    let finished = tallow::run(&nothing.arguments());
    assert_eq!(finished.status.code(), Some(2));
    assert!(finished.stderr.contains("no file matches `no/*.csv`"), "{}", finished.stderr);
    let manifest = nothing.path("spin.toml").display().to_string();
    let finished = tallow::run(&["batch", "weeks", "-f", &manifest]);
    assert!(finished.stderr.contains("no batch `weeks`; there are: days"), "{}", finished.stderr);
}

#[test]
fn klines_of_a_calendar_month_have_the_length_of_theirs() {
    let keys = "input = \"*.csv\"\nsymbol = \"A\"\ntumbling = \"1d\"\nfill = false";
    let job = Job::new(&format!("{keys}\ninterval = \"1M\""));
    // The exchange's columns, February to April 2024: `date -u -d 2024-02-01 +%s`.
    let month = |open: i64, close: i64| format!("{open}000,1,2,0.5,1.5,3,{close}999,4,5,1,1,0\n");
    let months = [
        month(1_706_745_600, 1_709_251_199),
        month(1_709_251_200, 1_711_929_599),
        month(1_711_929_600, 1_714_521_599),
    ];
    job.file("a.csv", months.concat());
    let report = job.run()["report"].clone();
    assert_eq!((&report["accepted"], &report["rejected"]), (&3.into(), &json!({})));
    let days = job.days();
    let starts: Vec<&str> = days.iter().map(|row| &row["window_start"][..10]).collect();
    assert_eq!(starts, ["2024-02-01", "2024-03-01", "2024-04-01"]);
    // Nobody takes a month for a day but on purpose.
    let job = Job::new(keys);
    job.file("a.csv", months.concat());
    let finished = tallow::run(&job.arguments());
    assert_eq!(finished.status.code(), Some(65), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("its rows are calendar months, which make no windows of 1d"),
        "{}",
        finished.stderr
    );
}

#[test]
fn flags_do_what_a_manifest_does() {
    let job = Job::new("input = \"*.csv\"\nsymbol = \"A\"\ninterval = \"1m\"");
    let text = "1,2,3,4,5,6\n".replace("1,", &format!("{START_MS},"));
    job.file("a.csv", &text);
    let lake = job.path("other").display().to_string();
    let functions = paths::functions().display().to_string();
    let input = job.path("a.csv").display().to_string();
    let flags = [
        "batch",
        "--input",
        &input,
        "--symbol",
        "A",
        "--interval",
        "1m",
        "--window",
        "1h",
        "--table",
        "hours",
        "--columns",
        "time,close,open,high,low,volume",
        "--functions",
        &functions,
        "--lake",
        &lake,
    ];
    let finished = tallow::run(&flags).success();
    assert!(finished.stdout.contains("1 partition written"), "{}", finished.stdout);
    let rows = tallow_tests::lake::table(&job.path("other"), "batch/hours");
    assert_eq!(rows.len(), 1);
    let cells = ["open", "high", "low", "close", "volume"].map(|column| rows[0][column].as_str());
    assert_eq!(cells, ["3", "4", "5", "2", "6"]);
    assert_eq!(rows[0]["flagged"], "1", "a high below the open");
}
