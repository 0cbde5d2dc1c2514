//! `tallow batch` over files as people have them: other orders, names, times and numbers. The values are worked out by
//! hand, or by a script that shares nothing with tallow.

#![allow(clippy::unwrap_used)]

use std::fs;

use serde_json::Value;
use tallow_tests::batch::Job;
use tallow_tests::lake::Row;
use tallow_tests::{paths, tallow};

fn case(name: &str) -> Vec<u8> {
    fs::read(paths::root().join("tests/batch/cases").join(name)).unwrap()
}

/// A job over one of the made-up files, and its summary.
fn of_case(name: &str, keys: &str) -> (Job, Value) {
    of_bytes(case(name), keys)
}

fn of_bytes(bytes: impl AsRef<[u8]>, keys: &str) -> (Job, Value) {
    let job = Job::new(&format!("input = \"a.csv\"\n{keys}"));
    job.file("a.csv", bytes);
    let summary = job.run();
    (job, summary)
}

/// Prices, volume and rows of each day that has rows.
fn days(job: &Job) -> Vec<String> {
    let columns = ["open", "high", "low", "close", "volume", "klines"];
    let shown = |row: Row| {
        let values = columns.map(|column| row[column].clone()).join(" ");
        format!("{} {values}", &row["window_start"][..10])
    };
    job.days().into_iter().filter(|row| row["filled"] == "false").map(shown).collect()
}

fn column(job: &Job, name: &str) -> Vec<String> {
    job.days().into_iter().map(|row| row[name].clone()).collect()
}

fn remarks(summary: &Value) -> Vec<String> {
    summary["report"]["remarks"].as_object().unwrap().keys().cloned().collect()
}

/// The error of a job that publishes nothing.
fn refused(bytes: impl AsRef<[u8]>, keys: &str) -> String {
    let job = Job::new(&format!("input = \"a.csv\"\n{keys}"));
    job.file("a.csv", bytes);
    let finished = tallow::run(&job.arguments());
    assert_eq!(finished.status.code(), Some(65), "{}", finished.stderr);
    assert!(job.days().is_empty(), "{:?}", job.days());
    finished.stderr
}

const TRUE_DAY: &str = "2022-03-01 40000 40079 39975 40046 6475 1440";

#[test]
fn the_files_own_word_and_arithmetic_say_which_column_is_what() {
    for name in ["header-MTS_OPEN_CLOSE_HIGH_LOW_VOLUME.csv", "no-header_t_o_c_h_l_v.csv"] {
        let (job, summary) = of_case(name, "symbol = \"BTCUSD\"");
        assert_eq!(days(&job), [TRUE_DAY], "{name}");
        assert_eq!(column(&job, "flagged"), ["0"]);
        assert_eq!(summary["report"]["interval_us"], 60_000_000);
    }
    let text = String::from_utf8(case("header-MTS_OPEN_CLOSE_HIGH_LOW_VOLUME.csv")).unwrap();
    for before in ["\n", "# of an exchange\n", "https://www.example-download.com\n", "\u{feff}"] {
        let (job, summary) = of_bytes(format!("{before}{text}"), "symbol = \"BTCUSD\"");
        assert_eq!(days(&job), [TRUE_DAY], "{before:?}");
        assert_eq!(summary["report"]["rejected"], serde_json::json!({}), "{before:?}");
    }
}

#[test]
fn a_second_header_in_another_order_holds_from_there_on() {
    let text = String::from_utf8(case("header-MTS_OPEN_CLOSE_HIGH_LOW_VOLUME.csv")).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let swapped = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        [cells[5], cells[4], cells[3], cells[2], cells[1], cells[0]].join(",")
    };
    let rows: Vec<&str> = rows.lines().collect();
    // Of more lines than are parsed at once, so that most of them stand in other pieces than their header.
    let mut lines = vec![header.to_owned()];
    let shifted = |line: &str, day: i64| {
        let (time, rest) = line.split_once(',').unwrap();
        format!("{},{rest}", time.parse::<i64>().unwrap() + day * 86_400_000)
    };
    for day in 0..40 {
        if day == 10 {
            lines.push(swapped(header));
        }
        if day == 30 {
            lines.push(header.to_owned());
        }
        lines.extend(rows.iter().map(|line| {
            let line = shifted(line, day);
            if (10..30).contains(&day) { swapped(&line) } else { line }
        }));
    }
    let (job, summary) = of_bytes(lines.join("\n"), "symbol = \"BTCUSD\"");
    let days = days(&job);
    assert_eq!(days.len(), 40);
    assert!(days.iter().all(|day| day[10..] == TRUE_DAY[10..]), "{days:?}");
    assert_eq!(summary["report"]["ignored"], serde_json::json!({ "header": 3 }));
}

#[test]
fn an_ambiguous_order_is_refused_with_those_that_fit() {
    // Open is low and close is high, or the other way round.
    let either = "1646092800000,9,11,11,9,5\n1646092860000,9,11,11,9,5\n";
    let said = refused(either, "symbol = \"A\"");
    for order in ["open_time,open,close,high,low,volume", "open_time,low,high,open,close,volume", "--columns"]
    {
        assert!(said.contains(order), "{said}");
    }
    let nine = "1646092800000,10,12,9,11,5,1,1,1\n1646092860000,10,12,9,11,5,1,1,1\n";
    assert!(refused(nine, "symbol = \"A\"").contains("9 fields, and no header that is known"));
}

#[test]
fn a_group_whose_rows_contradict_is_not_published() {
    let text = String::from_utf8(case("header-MTS_OPEN_CLOSE_HIGH_LOW_VOLUME.csv")).unwrap();
    let wrong = text.replace("MTS,OPEN,CLOSE,HIGH,LOW", "time,open,high,low,close");
    let said = refused(&wrong, "symbol = \"A\"");
    assert!(said.contains("1440 of 1440 rows contradict themselves"), "{said}");
    assert!(said.contains("a.csv:2: `1646092800000,40000,40007,40030,39975,1.5`"), "{said}");
}

#[test]
fn times_are_read_in_nanoseconds_in_two_columns_and_by_dates() {
    let (job, _) = of_case("nanoseconds.csv", "");
    assert_eq!(days(&job), [TRUE_DAY, TRUE_DAY]);
    assert_eq!(column(&job, "symbol"), ["SYN1", "SYN2"]);
    let (job, summary) = of_case("date-and-time-apart.csv", "symbol = \"A\"");
    assert_eq!(days(&job), ["2024-01-02 1 1.01539 0.999 1.01459 17280 1440"]);
    assert_eq!(column(&job, "complete"), ["true"]);
    assert_eq!(remarks(&summary), ["no header: read as day,time_of_day,open,high,low,close,volume"]);
    let (job, summary) = of_case("times-spoiled-by-a-spreadsheet_1h.csv", "");
    let expected =
        ["2021-05-20 2000 2024.5 1999 2023.5 2676 24", "2021-05-21 2024 2048.5 2023 2047.5 3252 24"];
    assert_eq!(days(&job), expected);
    assert_eq!(column(&job, "complete"), ["true", "true"]);
    let remark = "times are those of the column `date`, since those of `unix` cannot be read";
    assert!(remarks(&summary).contains(&remark.to_owned()), "{summary}");
}

#[test]
fn times_spoiled_for_good_are_refused_by_name() {
    let text = String::from_utf8(case("times-spoiled-by-a-spreadsheet_1h.csv")).unwrap();
    let said = refused(text.replace("unix,date", "unix,remark"), "");
    let says = "event_time: its last digits were lost in a spreadsheet: \"1.62164E+12\"";
    assert!(said.contains(says), "{said}");
}

#[test]
fn a_minute_without_prices_is_a_hole_and_no_dead_letter() {
    let (job, summary) = of_case("minutes-of-NaN.csv", "symbol = \"BTCUSD\"");
    let report = &summary["report"];
    assert_eq!((&report["ignored"]["no prices"], &report["rows"]), (&3240.into(), &1080.into()));
    assert_eq!(report["rejected"], serde_json::json!({}));
    let expected = [
        "2011-12-31 4.39 4.5 4.38 4.49 110.25057054 242",
        "2012-01-01 4.49 4.64 4.48 4.63 164.0091132 360",
        "2012-01-02 4.63 4.78 4.62 4.77 164.0091132 360",
        "2012-01-03 4.77 4.83 4.76 4.82 53.75854266 118",
    ];
    assert_eq!(days(&job), expected);
    assert_eq!(column(&job, "missing"), ["723", "1080", "1080", "354"]);
}

#[test]
fn numbers_are_read_in_every_form() {
    let (job, summary) = of_case("number-forms.csv", "symbol = \"A\"");
    assert_eq!(summary["report"]["rejected"], serde_json::json!({}));
    assert_eq!(days(&job), ["2022-03-01 0.00012 1234.6 0.00011 1.5 1209 7"]);
    let (job, _) = of_case("seven-columns-no-header.csv", "symbol = \"A\"");
    let expected = [
        "2023-01-01 90.74 91.01 89.99 90.81 432.07056926 288",
        "2023-01-02 90.55 91.01 89.99 90.22 438.68383414 285",
    ];
    assert_eq!(days(&job), expected);
    assert_eq!(column(&job, "trades"), ["1483", "1375"]);
}

#[test]
fn a_vendors_quoted_numbers_and_dates_are_read() {
    let (job, summary) = of_case("vendor_investing.csv", "symbol = \"BTCUSD\"");
    let days = days(&job);
    assert_eq!(days.len(), 10);
    assert_eq!(days[0], "2024-01-01 42000 42300 41750 42050 20500 1");
    assert_eq!(days[9], "2024-01-10 42900 43200 42650 42950 29500 1");
    assert_eq!(remarks(&summary), ["columns not read: `Change %`", "dates are read month-first"]);
}

#[test]
fn tiny_prices_name_the_setting_that_reads_them() {
    let said = refused(case("tiny-prices.csv"), "symbol = \"A\"");
    let says = "open: not zero, but zero at scale 8 (raise it by `scales`): \"4.1200e-09\"";
    assert!(said.contains(says), "{said}");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), case("tiny-prices.csv")).unwrap();
    let (input, lake) = (folder.path().join("a.csv"), folder.path().join("lake"));
    let arguments =
        ["batch", "--json", "--symbol", "A", "--scale", "18", "--scale", "volume=2"].map(str::to_owned);
    let functions = paths::functions();
    let paths = [("--input", &input), ("--lake", &lake), ("--functions", &functions)];
    let paths = paths.into_iter().flat_map(|(flag, path)| [flag.to_owned(), path.display().to_string()]);
    tallow::run(&arguments.into_iter().chain(paths).collect::<Vec<_>>()).success();
    let rows = tallow_tests::lake::table(&lake, "batch/daily");
    let values =
        ["open", "high", "low", "close", "volume"].map(|column| rows[0][column].parse::<f64>().unwrap());
    assert_eq!(values, [4.12e-9, 4.38e-9, 4.1e-9, 4.36e-9, 36_000_000_000_276.0]);
}

#[test]
fn a_price_that_would_lose_its_digits_is_no_price() {
    let (job, summary) = of_bytes(
        "time,open,high,low,close,volume\n1646092800,0.00000412,0.00000412,0.00000412,0.00000412,1\n\
         1646092860,0.000004123,0.000004123,0.000004123,0.000004123,1\n",
        "symbol = \"A\"",
    );
    assert_eq!(summary["report"]["rows"], 1);
    let reason =
        "open: it loses more than a part in 10,000 at scale 8 (raise it by `scales`): \"0.000004123\"";
    assert_eq!(job.dead_letters()[0]["reason"], reason);
}

#[test]
fn the_symbol_says_which_volume_is_whose() {
    let (job, _) = of_case("volume-named-by-coin_ETHUSDT_1h.csv", "");
    let expected = ["2020-06-01 230 242.75 229 241.75 516 24", "2020-06-02 242 254.75 241 253.75 1092 24"];
    assert_eq!(days(&job), expected);
    assert_eq!(column(&job, "quote_volume"), ["122222", "271118"]);
    assert_eq!(column(&job, "trades"), ["2676", "3252"]);
    let (job, summary) = of_case("volume-of-two-coins_ETHBTC_1h.csv", "");
    let expected =
        ["2020-06-01 0.0252 0.0254 0.025 0.0253 516 24", "2020-06-02 0.0252 0.0254 0.025 0.0253 1092 24"];
    assert_eq!(days(&job), expected);
    assert_eq!(column(&job, "quote_volume"), ["13.0032", "27.5184"]);
    assert_eq!(remarks(&summary), ["columns not read: `date`"]);
    let (job, summary) = of_case("unknown-quote-volume.csv", "");
    assert_eq!(
        (days(&job), column(&job, "quote_volume")),
        (vec![TRUE_DAY.to_owned()], vec!["259157825".to_owned()])
    );
    assert_eq!(remarks(&summary), ["columns not read: `vol_ccy`, `confirm`"]);
}

#[test]
fn a_guessed_interval_throws_no_row_away() {
    let (job, summary) = of_case("sparse-minutes.csv", "symbol = \"A\"");
    assert_eq!(days(&job), ["2018-04-06 0.0251 0.025197 0.025098 0.025195 9.5 10"]);
    assert_eq!(
        (&summary["report"]["conflicts"], &summary["report"]["interval_us"]),
        (&0.into(), &60_000_000.into())
    );
    let events =
        "time,open,high,low,close,volume\n1646092800,1,1,1,1,1\n1646102800,1,1,1,1,1\n1646112800,1,1,1,1,1\n";
    assert_eq!(of_bytes(events, "symbol = \"A\"").1["report"]["rows"], 3, "10,000 s are nobody's fault");
}

#[test]
fn files_of_several_intervals_stand_side_by_side() {
    let line = |minute: i64| format!("{},1,1,1,1,1\n", 1_646_092_800 + minute * 60);
    let hours: String = (0..24).map(|hour| line(hour * 60)).collect();
    let minutes: String = (1440..2880).map(line).collect();
    let job = Job::new("input = \"*.csv\"\nsymbol = \"A\"");
    job.file("1h.csv", &hours);
    job.file("1m.csv", &minutes);
    job.run();
    assert_eq!(
        (column(&job, "klines"), column(&job, "volume")),
        (vec!["24".into(), "1440".into()], vec!["24".into(), "1440".into()])
    );
    assert_eq!(
        (column(&job, "missing"), column(&job, "complete")),
        (vec!["0".into(), "0".into()], vec!["true".into(), "true".into()])
    );
    // The same time twice, once by hours and once by minutes, would count twice.
    job.file("1m.csv", (720..2880).map(line).collect::<String>());
    let finished = tallow::run(&job.arguments());
    assert_eq!(finished.status.code(), Some(65), "{}", finished.stderr);
    let says = "1m.csv:1: a row of 1m for a time for which there are rows of 1h";
    assert!(finished.stderr.contains(says), "{}", finished.stderr);
}

#[test]
fn a_file_of_one_row_is_of_the_interval_of_the_others() {
    let line = |minute: i64| format!("{},1,1,1,1,1\n", 1_646_092_800 + minute * 60);
    for (one, many) in [("1.csv", "2.csv"), ("2.csv", "1.csv")] {
        let job = Job::new("input = \"*.csv\"\nsymbol = \"A\"");
        job.file(one, line(1440));
        job.file(many, (0..1440).map(line).collect::<String>());
        job.run();
        assert_eq!(column(&job, "klines"), ["1440", "1"]);
        assert_eq!(column(&job, "complete"), ["true", "false"]);
    }
}

#[test]
fn klines_that_the_exchange_cut_short_count_by_their_open_time() {
    let (job, summary) = of_case("cut-short-by-the-exchange_BTCUSDT-1h-2018-02.csv", "symbol = \"BTCUSDT\"");
    assert_eq!(summary["report"]["rejected"], serde_json::json!({}));
    let rows = job.days();
    let of = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("volume"), ["2676", "124", "1980", "3636", "4212"]);
    assert_eq!(of("klines"), ["24", "1", "15", "24", "24"]);
    assert_eq!(of("complete"), ["true", "false", "false", "true", "true"]);
    // Within one hour, too: 100 and 101 are two klines.
    let twice = "1517961600000,1,1,1,1,100,1517963599999,1,1,1,1,0\n1517963600000,1,1,1,1,101,1517965199999,1,1,1,1,0\n\
                 1517965200000,1,1,1,1,102,1517968799999,1,1,1,1,0\n1517968800000,1,1,1,1,103,1517972399999,1,1,1,1,0\n\
                 1517972400000,1,1,1,1,104,1517975999999,1,1,1,1,0\n";
    let (job, summary) = of_bytes(twice, "symbol = \"A\"");
    assert_eq!(
        (column(&job, "volume"), &summary["report"]["conflicts"]),
        (vec!["510".to_owned()], &0.into())
    );
    assert_eq!(column(&job, "missing"), ["0"]);
}

#[test]
fn rows_longer_than_the_window_are_refused_with_one_that_fits() {
    let said = refused(case("weeks.csv"), "symbol = \"A\"");
    let says = "its rows are 1w long, longer than a window of 1d: take tumbling = \"1w\", offset = \"4d\"";
    assert!(said.contains(says), "{said}");
    let said = refused(case("weeks.csv"), "symbol = \"A\"\ntumbling = \"7d\"");
    assert!(
        said.contains("begin at other times than the windows: take tumbling = \"1w\", offset = \"4d\""),
        "{said}"
    );
    let (job, _) = of_case("weeks.csv", "symbol = \"A\"\ntumbling = \"7d\"\noffset = \"4d\"");
    assert_eq!(column(&job, "volume"), ["700", "700", "700", "700"]);
}

#[test]
fn every_encoding_and_line_end_gives_the_same_day() {
    let text = String::from_utf8(case("header-MTS_OPEN_CLOSE_HIGH_LOW_VOLUME.csv")).unwrap();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [
        [b"\xff\xfe", &wide[..]].concat(),
        text.replace('\n', "\r").into_bytes(),
        text.replace('\n', "\r\n").into_bytes(),
        text.replace(',', ";").into_bytes(),
        text.replace(',', "\t").into_bytes(),
    ] {
        assert_eq!(days(&of_bytes(&bytes, "symbol = \"A\"").0), [TRUE_DAY], "{:?}", &bytes[..20]);
    }
}
