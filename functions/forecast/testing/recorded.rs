//! What the tests of the forecast functions share. A function's tests know nothing of the workspace's: they are built with it
//! alone.

#![allow(clippy::expect_used)]

use std::io::Read;

const FILE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/daily/BTCUSD_1d_2011-2025.csv.gz");

/// Times (µs since 1970-01-01 UTC) and closes of BTCUSD by day; `None`, and a line that says so, if the recording is absent.
pub fn closes(what: &str) -> Option<Vec<(i64, f64)>> {
    let Ok(file) = std::fs::File::open(FILE) else {
        println!("skipped: {what}: no recording {FILE}");
        return None;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("a recording is whole");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        Some((cells.get(4)?.parse::<i64>().ok()? * 1_000_000, cells.get(2)?.parse::<f64>().ok()?))
    };
    Some(text.lines().skip(1).map(|line| row(line).expect("a time and a close")).collect())
}
