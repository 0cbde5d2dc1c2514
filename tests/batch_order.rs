//! `tallow batch` over rows in any order: by time, far from it, and symbol after symbol.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;

use tallow_tests::batch::Job;
use tallow_tests::{lake, tallow};

const HEADER: &str = "open_time,open,high,low,close,volume\n";
const HEADER_WITH_SYMBOL: &str = "symbol,open_time,open,high,low,close,volume\n";
/// 2017-01-01 00:00 UTC.
const START_S: i64 = 1_483_228_800;
const KEYS: &str = "input = \"*.csv\"\nsymbol = \"A\"\ntumbling = \"1m\"\ngap = \"1d\"";

fn line(minute: i64) -> String {
    let price = 1_000 + minute * 7_919 % 509;
    format!("{}000,{price},{},{price},{price},{}\n", START_S + minute * 60, price + 1, minute % 97)
}

/// Seven months of minutes: more than open windows may take, so that they are closed on the way.
fn seven_months() -> Vec<String> {
    (0..300_000).filter(|minute| minute % 50_000 != 7).map(line).collect()
}

fn job_of(keys: &str, header: &str, lines: &[String]) -> Job {
    let job = Job::new(keys);
    job.file("a.csv", [header, &lines.concat()].concat());
    job
}

#[test]
fn minutes_close_on_the_way_though_lines_are_far_out_of_place() {
    let sorted = job_of(KEYS, HEADER, &seven_months());
    let summary = sorted.run();
    assert_eq!((&summary["report"]["windows"], &summary["report"]["filled"]), (&300_000.into(), &6.into()));
    assert_eq!(summary["groups_sorted"], 0);
    let mut lines = seven_months();
    lines.chunks_mut(3_000).for_each(<[String]>::reverse);
    let mixed = job_of(KEYS, HEADER, &lines);
    assert_eq!(mixed.run()["groups_sorted"], 0);
    assert!(mixed.objects() == sorted.objects());
}

#[test]
fn lines_months_out_of_place_give_the_same_bytes() {
    let sorted = job_of(KEYS, HEADER, &seven_months());
    let expected = (sorted.run()["report"].clone(), sorted.objects());
    let mut lines = seven_months();
    lines.reverse();
    for turn in ["newest first", "torn"] {
        if turn == "torn" {
            lines.rotate_left(180_000);
        }
        let job = job_of(KEYS, HEADER, &lines);
        let summary = job.run();
        assert_eq!(summary["groups_sorted"], 1, "{turn}");
        assert_eq!(summary["report"], expected.0, "{turn}");
        assert!(job.objects() == expected.1, "{turn}");
        assert_eq!(job.run()["groups_unchanged"], 1, "{turn}");
        // Some more: the whole group again, sorted from the start.
        job.file("b.csv", [HEADER, &line(300_000)].concat());
        assert_eq!(job.run()["report"]["windows"], 300_001, "{turn}");
    }
}

#[test]
fn one_file_of_symbols_gives_what_a_file_for_each_gives() {
    let symbols = ["A", "B", "C", "D", "E", "F", "G", "H"];
    let alone = Job::new("input = \"*.csv\"\nsymbol-from = \"^[A-Z]\"\ntumbling = \"1m\"");
    let mut together = HEADER_WITH_SYMBOL.to_owned();
    for (index, symbol) in symbols.into_iter().enumerate() {
        // Each begins some days after the one before; none has all rows, and some have rows twice.
        let first = index as i64 * 5_000;
        let minutes = (first..first + 125_000).filter(|minute| minute % (11 + index as i64) != 0);
        let lines: Vec<String> =
            minutes.flat_map(|minute| vec![line(minute); if minute % 1_000 == 13 { 2 } else { 1 }]).collect();
        lines.iter().for_each(|line| write!(together, "{symbol},{line}").unwrap());
        alone.file(&format!("{symbol}.csv"), [HEADER, &lines.concat()].concat());
    }
    let job = Job::new("input = \"*.csv\"\ntumbling = \"1m\"");
    job.file("all.csv", together);
    let (finished, peak_mb) = tallow::run_measured(&job.arguments());
    let [together, each] = [tallow_tests::batch::summary(&finished.success().stdout), alone.run()];
    assert_eq!((&together["groups_sorted"], &each["groups_sorted"]), (&1.into(), &0.into()));
    let (report, of_each) = (&together["report"], &each["report"]);
    for count in
        ["rows", "accepted", "duplicates", "conflicts", "windows", "filled", "partial", "gaps", "gaps_us"]
    {
        assert_eq!(report[count], of_each[count], "{count}");
    }
    assert_eq!(
        (&report["spans_us"], &report["longest_gaps"]),
        (&of_each["spans_us"], &of_each["longest_gaps"])
    );
    assert!(job.objects() == alone.objects());
    println!("{peak_mb:.0} MB");
    // Where there is no /proc it is 0.
    assert!(peak_mb < 300.0, "{peak_mb} MB");
}

#[test]
fn of_sorted_rows_the_first_one_counts() {
    let mut lines = seven_months();
    lines.reverse();
    let last = lines.len();
    // The same minute again, at the other end of the file: once as it was, once with another volume.
    lines.push(line(299_990));
    lines.push(format!("{}000,1,1,1,1,12345\n", START_S + 299_992 * 60));
    let job = job_of(KEYS, HEADER, &lines);
    let report = job.run()["report"].clone();
    assert_eq!((&report["conflicts"], &report["rows"]), (&1.into(), &(last as u64 + 2).into()));
    let letters = job.dead_letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["offset"], (last + 3).to_string());
    assert_eq!((letters[0]["reason_kind"].as_str(), letters[0]["row"].as_str()), ("conflict", "0"));
    assert!(letters[0]["value"].contains("12345"), "{:?}", letters[0]);
}

#[test]
fn a_missing_scratch_folder_publishes_nothing() {
    let mut lines = seven_months();
    lines.reverse();
    let job = job_of(&format!("{KEYS}\nscratch = \"not/there\""), HEADER, &lines);
    let finished = tallow::run(&job.arguments());
    assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
    let folder = job.path("not/there");
    assert!(finished.stderr.contains(&folder.display().to_string()), "{}", finished.stderr);
    assert!(finished.stderr.contains("Make this folder"), "{}", finished.stderr);
    assert!(job.objects().is_empty());
    fs::create_dir_all(&folder).unwrap();
    job.run();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "nothing is left in it");
}

#[test]
fn a_key_that_pauses_keeps_its_rows_and_the_pause_is_filled() {
    // From November on. B has rows up to its 30,000th minute and again from one of the next year on.
    let start_s = START_S + 304 * 86_400;
    let has_b = |minute: i64| !(30_000..180_000).contains(&minute);
    let mut text = HEADER_WITH_SYMBOL.to_owned();
    for minute in 0..240_000 {
        for symbol in if has_b(minute) { &["A", "B"][..] } else { &["A"] } {
            writeln!(text, "{symbol},{}000,1,1,1,1,1", start_s + minute * 60).unwrap();
        }
    }
    for (tumbling, minutes, sorted) in [("1m", 1, 1), ("1h", 60, 0)] {
        let job = Job::new(&format!("input = \"*.csv\"\ntumbling = \"{tumbling}\""));
        job.file("a.csv", &text);
        let summary = job.run();
        let (windows, filled) = (480_000 / minutes, 150_000 / minutes);
        assert_eq!(summary["groups_sorted"], sorted);
        let report = &summary["report"];
        assert_eq!((&report["windows"], &report["filled"]), (&windows.into(), &filled.into()));
        let mut of_b = lake::table(&job.lake(), "batch/days/symbol=B");
        of_b.sort_by(|a, b| a["window_start"].cmp(&b["window_start"]));
        let filled: Vec<bool> = of_b.iter().map(|row| row["filled"] == "true").collect();
        let expected = (0..240_000 / minutes).map(|window| !has_b(window * minutes));
        assert_eq!(filled, expected.collect::<Vec<_>>());
        let of_2017 = 61 * 1_440 / minutes;
        for (year, windows) in [("2017", of_2017), ("2018", 240_000 / minutes - of_2017)] {
            let rows = lake::table(&job.lake(), &format!("batch/days/symbol=B/year={year}"));
            assert_eq!(rows.len() as i64, windows);
            assert!(rows.iter().all(|row| row["window_start"].starts_with(year)), "{year}");
        }
    }
}
