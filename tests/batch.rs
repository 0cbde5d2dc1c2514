//! `tallow batch` over recorded klines: against DuckDB, against sums of their own, against known outages.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;

use flate2::read::MultiGzDecoder;
use tallow_tests::batch::{Job, recordings};
use tallow_tests::lake::{self, Row};
use tallow_tests::{paths, python, skip_unless_ci};

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;

/// Cells of each line after the header.
fn lines(file: &Path) -> Vec<Vec<String>> {
    let reader = BufReader::new(MultiGzDecoder::new(File::open(file).unwrap()));
    reader.lines().skip(1).map(|line| line.unwrap().split(',').map(str::to_owned).collect()).collect()
}

/// A decimal as whole units of `10^-places`; no place may be lost.
fn units(text: &str, places: usize) -> i128 {
    let (integer, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    assert!(fraction.len() <= places, "{text} has more than {places} places");
    format!("{integer}{fraction:0<places$}").parse().unwrap()
}

/// A number with places as many as it needs.
fn plain(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

fn real(rows: Vec<Row>) -> Vec<Row> {
    rows.into_iter().filter(|row| row["filled"] == "false").collect()
}

#[test]
fn minutes_give_the_days_that_duckdb_gives_to_the_last_digit() {
    const TEST: &str = "minutes_give_the_days_that_duckdb_gives_to_the_last_digit";
    let Some(folder) = recordings(TEST, "minute") else { return };
    let python = match python::with("duckdb") {
        Ok(python) => python,
        Err(why) => return skip_unless_ci(TEST, &why),
    };
    for name in ["BTCUSD_1m_bitfinex_2013-2019", "ETHUSD_1m_bitfinex_2016-2019"] {
        let file = folder.join(name).with_extension("csv.gz");
        let job = Job::new(&format!(
            "input = '{}'\nsymbol-from = '([A-Z]+)_1m'\nscales = {{ volume = 18 }}\ndecimals = \"decimal\"\ngap = \"1h\"",
            file.display()
        ));
        job.run();
        let output = job.path("days.csv");
        let script = paths::root().join("tests/batch/days.py");
        let ran = Command::new(&python).args([&script, &file, &output]).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let columns = ["open", "high", "low", "close", "klines"];
        let day = |row: &Row, start: String, volume: i128| {
            let cells = columns.map(|column| (column.to_owned(), plain(&row[column])));
            let of_row = [("day".to_owned(), start), ("volume".to_owned(), volume.to_string())];
            cells.into_iter().chain(of_row).collect::<Row>()
        };
        let expected: Vec<Row> = lake::read_csv(&output)
            .iter()
            .map(|row| {
                let start = lake::time(row["day"].parse::<i64>().unwrap() * DAY_US);
                day(row, start, row["volume"].parse().unwrap())
            })
            .collect();
        let days = real(job.days());
        assert!(days.len() > 1_300, "{name}: {} days", days.len());
        let found: Vec<Row> =
            days.iter().map(|row| day(row, row["window_start"].clone(), units(&row["volume"], 18))).collect();
        lake::assert_same_rows(name, &expected, &found);
    }
}

/// Hours of Binance against days of another source (US dollars, a mixture of exchanges, another volume): only prices
/// can be near each other, and no nearer than the exchanges were.
#[test]
fn hours_give_days_that_are_near_another_source() {
    const TEST: &str = "hours_give_days_that_are_near_another_source";
    let Some(hourly) = recordings(TEST, "hourly") else { return };
    let Some(daily) = recordings(TEST, "daily") else { return };
    let job = Job::new(&format!("input = '{}/BTCUSDT_1h*.gz'\nsymbol-from = '[A-Z]+'", hourly.display()));
    job.run();
    let from_hours: BTreeMap<String, Row> =
        real(job.days()).into_iter().map(|row| (row["window_start"].clone(), row)).collect();
    let other = Job::new(&format!("input = '{}/BTCUSD_1d*.gz'\nsymbol = 'BTCUSD'", daily.display()));
    other.run();
    let mut far: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for row in real(other.days()) {
        let Some(ours) = from_hours.get(&row["window_start"]) else { continue };
        for column in ["open", "high", "low", "close"] {
            let [a, b] = [ours, &row].map(|row| row[column].parse::<f64>().unwrap());
            far.entry(column).or_default().push((a / b - 1.0).abs());
        }
    }
    for (column, mut far) in far {
        far.sort_by(f64::total_cmp);
        let (median, high) = (far[far.len() / 2], far[far.len() * 99 / 100]);
        println!(
            "{column}: {} days, median {:.3} %, 99 of 100 within {:.2} %",
            far.len(),
            median * 100.0,
            high * 100.0
        );
        assert!(far.len() > 2_900 && median < 0.002 && high < 0.05, "{column}: {median} {high}");
    }
}

/// The times without a kline of at least so long, from the file itself.
fn gaps(file: &Path, interval_us: i64, least_us: i64) -> Vec<(i64, i64)> {
    let mut times: Vec<i64> =
        lines(file).iter().map(|cells| cells[0].parse::<i64>().unwrap() * 1_000).collect();
    times.sort_unstable();
    let holes = times.windows(2).map(|pair| (pair[0] + interval_us, pair[1]));
    holes.filter(|(from, to)| to - from >= least_us.max(1)).collect()
}

fn reported_gaps(report: &serde_json::Value) -> Vec<(i64, i64)> {
    let gaps = report["longest_gaps"].as_array().unwrap().iter();
    let mut gaps: Vec<(i64, i64)> =
        gaps.map(|gap| (gap["from_us"].as_i64().unwrap(), gap["to_us"].as_i64().unwrap())).collect();
    gaps.sort_unstable();
    gaps
}

#[test]
fn known_outages_are_found_each_with_its_true_length() {
    const TEST: &str = "known_outages_are_found_each_with_its_true_length";
    let (Some(minute), Some(hourly)) = (recordings(TEST, "minute"), recordings(TEST, "hourly")) else {
        return;
    };
    let file = minute.join("BTCUSD_1m_bitfinex_2013-2019.csv.gz");
    let job = Job::new(&format!("input = '{}'\nsymbol = \"BTCUSD\"\ngap = \"1h\"", file.display()));
    let report = job.run()["report"].clone();
    assert_eq!(report["interval_us"], 60_000_000);
    let found = reported_gaps(&report);
    assert_eq!(found, gaps(&file, 60_000_000, HOUR_US));
    let at = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros();
    // The halt of 2016, and three holes of the collector.
    for (from, to) in [
        ("2016-08-02T18:03:00Z", "2016-08-10T15:53:00Z"),
        ("2014-11-21T23:04:00Z", "2015-01-01T00:00:00Z"),
        ("2015-05-01T04:00:00Z", "2015-06-01T00:00:00Z"),
        ("2016-04-01T00:01:00Z", "2016-06-01T00:00:00Z"),
    ] {
        assert!(found.contains(&(at(from), at(to))), "{from}");
    }
    let days = job.days();
    let filled = days.iter().filter(|row| row["filled"] == "true");
    let inside = filled.filter(|row| {
        row["window_start"].as_str() > "2016-08-02" && row["window_start"].as_str() < "2016-08-10T"
    });
    let inside: Vec<_> = inside
        .map(|row| (row["window_start"][..10].to_owned(), row["close"].clone(), row["volume"].clone()))
        .collect();
    let before = days.iter().find(|row| row["window_start"].starts_with("2016-08-02")).unwrap();
    let carried = |day: u32| (format!("2016-08-{day:02}"), before["close"].clone(), "0".to_owned());
    assert_eq!(inside, (3..=9).map(carried).collect::<Vec<_>>());
    assert_eq!(before["complete"], "false");

    for name in ["BTCUSDT", "ETHUSDT"] {
        let file = hourly.join(format!("{name}_1h_2017-2025.csv.gz"));
        let job = Job::new(&format!("input = '{}'\nsymbol = \"{name}\"", file.display()));
        let report = job.run()["report"].clone();
        assert_eq!((&report["gaps"], &report["gaps_us"]), (&28.into(), &(128 * HOUR_US).into()), "{name}");
        let found = reported_gaps(&report);
        assert_eq!(found, gaps(&file, HOUR_US, 0));
        assert!(found.contains(&(at("2018-02-08T01:00:00Z"), at("2018-02-09T10:00:00Z"))), "33 h: {found:?}");
        assert_eq!(report["filled"], 0, "every day is there");
    }
}

/// By a sum of its own: exact integers, without code that the functions share.
#[test]
fn klines_of_twelve_columns_add_up_in_each_of_them() {
    const TEST: &str = "klines_of_twelve_columns_add_up_in_each_of_them";
    let Some(folder) = recordings(TEST, "kline12") else { return };
    let aggregates = "{ open = \"first(open)\", high = \"max(high)\", low = \"min(low)\", close = \"last(close)\", volume = \
                      \"sum(volume)\", quote_volume = \"sum(quote_volume)\", trades = \"sum(trades)\", taker = \
                      \"sum(taker_buy_volume)\", taker_quote = \"sum(taker_buy_quote_volume)\", klines = \"count()\", \
                      flagged = \"sum(flagged)\" }";
    let job = Job::new(&format!(
        "input = '{}/*.csv.gz'\nsymbol-from = '([A-Z]+)-1m'\naggregates = {aggregates}\ndecimals = \"decimal\"",
        folder.display()
    ));
    let summary = job.run();
    assert_eq!(summary["groups_made"], 3);
    let mut days: BTreeMap<(String, i64), ([String; 4], [i128; 6])> = BTreeMap::new();
    let mut count = 0;
    for entry in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        let symbol = name.split('-').next().unwrap().to_owned();
        for cells in lines(&entry) {
            count += 1;
            let day = cells[0].parse::<i64>().unwrap() / 86_400_000;
            let unit = |index: usize| units(&cells[index], 8);
            let sums = [5, 7, 9, 10].map(unit);
            let (prices, so_far) = days
                .entry((symbol.clone(), day))
                .or_insert_with(|| ([1, 2, 3, 4].map(|index| cells[index].clone()), [0; 6]));
            if unit(2) > units(&prices[1], 8) {
                prices[1].clone_from(&cells[2]);
            }
            if unit(3) < units(&prices[2], 8) {
                prices[2].clone_from(&cells[3]);
            }
            prices[3].clone_from(&cells[4]);
            so_far[..4].iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
            so_far[4] += cells[8].parse::<i128>().unwrap();
            so_far[5] += 1;
        }
    }
    assert_eq!(summary["report"]["rows"], count);
    let found = real(job.days());
    assert_eq!(found.len(), days.len());
    for row in found {
        let start = chrono::DateTime::parse_from_rfc3339(&row["window_start"]).unwrap().timestamp() / 86_400;
        let (prices, sums) = &days[&(row["symbol"].clone(), start)];
        for (column, expected) in ["open", "high", "low", "close"].into_iter().zip(prices) {
            assert_eq!(units(&row[column], 8), units(expected, 8), "{row:?}");
        }
        let decimals =
            ["volume", "quote_volume", "taker", "taker_quote"].map(|column| units(&row[column], 8));
        assert_eq!(decimals, sums[..4], "{row:?}");
        assert_eq!((units(&row["trades"], 0), row["klines"].parse::<i128>().unwrap()), (sums[4], sums[5]));
        assert_eq!(row["complete"], "true", "{row:?}");
    }
}
