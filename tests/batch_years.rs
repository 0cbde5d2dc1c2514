//! `tallow batch` over years of minutes into minutes and months of seconds into seconds: what it holds.

#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};

use tallow_tests::batch::{Job, summary};
use tallow_tests::tallow;

const HEADER: &str = "open_time,open,high,low,close,volume\n";
/// 2017-01-01 00:00 UTC.
const START_S: i64 = 1_483_228_800;
const YEAR_MINUTES: i64 = 365 * 1_440;

/// Years of minutes from 2017 on, no two of them alike in a row.
fn job_of_years(years: i64) -> Job {
    let job = Job::new("input = \"*.csv\"\nsymbol = \"A\"\ntumbling = \"1m\"");
    let mut file = BufWriter::new(File::create(job.path("a.csv")).unwrap());
    file.write_all(HEADER.as_bytes()).unwrap();
    for minute in 0..years * YEAR_MINUTES {
        let price = 1_000_000 + minute * 7_919 % 500_009;
        let (units, cents, volume) = (price / 100, price % 100, minute * 104_729 % 99_999_989);
        let time = START_S + minute * 60;
        writeln!(
            file,
            "{time}000,{units}.{cents:02},{}.{cents:02},{units}.00,{units}.{cents:02},{}.{volume:08}",
            units + 1,
            minute % 97
        )
        .unwrap();
    }
    file.flush().unwrap();
    job
}

#[test]
fn seven_years_of_minutes_take_less_than_300_mb() {
    let [one, seven] = [1, 7].map(|years| {
        let job = job_of_years(years);
        let (finished, peak_mb) = tallow::run_measured(&job.arguments());
        let report = summary(&finished.success().stdout)["report"].clone();
        assert_eq!((&report["windows"], &report["filled"]), (&(years * YEAR_MINUTES).into(), &0.into()));
        println!("{years} years: {peak_mb:.0} MB");
        peak_mb
    });
    // Where there is no /proc it is 0.
    assert!(seven < 300.0, "{seven} MB");
    assert!(seven < one * 1.2, "{one} MB for a year, {seven} MB for seven");
}

#[test]
fn a_year_whose_file_is_larger_than_300_mb_takes_less_than_that() {
    const SECONDS: i64 = 4_200_000;
    let job = Job::new("input = \"*.csv\"\nsymbol = \"A\"\ntumbling = \"1s\"");
    let mut file = BufWriter::new(File::create(job.path("a.csv")).unwrap());
    file.write_all(HEADER.as_bytes()).unwrap();
    // Digits of which no two rows have the same: little can be saved on them.
    let mut state = 1u64;
    let mut digits = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 34
    };
    for second in 0..SECONDS {
        let time = START_S + second;
        let [open, high, low, close, volume] = std::array::from_fn(|_| digits());
        writeln!(file, "{time}000,5.{open:010},6.{high:010},4.{low:010},5.{close:010},1.{volume:010}")
            .unwrap();
    }
    file.flush().unwrap();
    let (finished, peak_mb) = tallow::run_measured(&job.arguments());
    let summary = summary(&finished.success().stdout);
    assert_eq!(summary["report"]["windows"], SECONDS);
    let written = summary["written"][0].as_str().unwrap();
    let size_mb = fs::metadata(job.lake().join(written)).unwrap().len() >> 20;
    println!("{size_mb} MB written: {peak_mb:.0} MB");
    assert!(size_mb > 300, "{size_mb} MB");
    assert!(peak_mb < 300.0, "{peak_mb} MB");
}
