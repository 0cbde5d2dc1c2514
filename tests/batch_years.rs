//! `tallow batch` over years of minutes into minutes: what it holds.

#![allow(clippy::unwrap_used)]

use std::fs::File;
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
fn seven_years_of_minutes_into_minutes_take_less_than_300_mb_and_hardly_more_than_one_does() {
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
