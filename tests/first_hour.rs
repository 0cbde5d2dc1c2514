//! The first hour of a new user: an empty folder, an installed program, and what stands in the README.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tallow_tests::kafka::Kafka;
use tallow_tests::{lake, markdown, paths, python, skip_unless_ci};
use tempfile::TempDir;

/// A folder for a new user, with the program installed elsewhere as `make install` does it.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self { folder: TempDir::with_prefix("tallow-home-").unwrap() };
        fs::create_dir_all(home.path("bin")).unwrap();
        fs::create_dir_all(home.path("share/tallow")).unwrap();
        fs::create_dir_all(home.path("work")).unwrap();
        fs::hard_link(paths::program("tallow"), home.path("bin/tallow"))
            .or_else(|_| fs::copy(paths::program("tallow"), home.path("bin/tallow")).map(drop))
            .unwrap();
        for name in ["parse-market", "window", "merge", "parse-kline", "forecast-prophet", "forecast-naive"] {
            let file = format!("{name}.wasm");
            fs::copy(paths::functions().join(&file), home.path("share/tallow").join(&file)).unwrap();
        }
        home
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Types a line in the working folder, with the installed programs on the path.
    fn types(&self, folder: &Path, line: &str) -> Output {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        Command::new("bash")
            .args(["-e", "-c", line])
            .current_dir(folder)
            .env("PATH", path)
            .env("XDG_CACHE_HOME", paths::target().join("tests-cache"))
            .output()
            .unwrap()
    }

    /// The same in `work`, to success; gives what was printed.
    fn shows(&self, folder: &str, line: &str) -> String {
        let output = self.types(&self.path("work").join(folder), line);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{line}\n{text}\n{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// The same to an exit code; gives what was complained of.
    fn fails(&self, folder: &str, line: &str, code: i32) -> String {
        let output = self.types(&self.path("work").join(folder), line);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{line}\n{text}");
        text
    }
}

#[test]
fn init_makes_a_folder_that_works_with_an_installed_tallow() {
    let home = Home::new();
    let made = home.shows("", "tallow init market");
    assert!(
        made.starts_with("made market: spin.toml, sample.jsonl, .gitignore\nnext:\n  cd market\n"),
        "{made}"
    );
    let names: BTreeSet<_> =
        home.path("work/market").read_dir().unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(names, [".gitignore", "sample.jsonl", "spin.toml"].map(Into::into).into());
    assert!(home.shows("market", "tallow check").ends_with("spin.toml: good\n"));
    let shown =
        home.shows("market", "tallow functions run parse-market --input sample.jsonl --candles --json");
    let rows: Vec<serde_json::Value> =
        shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Worked out from the sample by another program: minutes of five trades, of which the second:
    let eth = rows.iter().find(|row| row["symbol"] == "ETHUSDT" && row["complete"] == true).unwrap();
    let of = |name: &str| eth[name].as_str().unwrap().trim_end_matches('0').to_owned();
    assert_eq!([of("open"), of("high"), of("low"), of("close")], ["2511.7", "2511.75", "2510.55", "2510.55"]);
    assert_eq!([of("volume"), of("quote_volume")], ["1.315", "3302.08055"]);
    assert_eq!(rows.iter().filter(|row| row["trades"] == 5).count(), 6, "{shown}");
    assert_eq!(rows.last().unwrap()["counts"]["rows"], 32);
}

#[test]
fn init_overwrites_nothing_and_says_what_is_in_the_way() {
    let home = Home::new();
    home.shows("", "mkdir mine && echo /target > mine/.gitignore && cd mine && tallow init");
    assert_eq!(fs::read_to_string(home.path("work/mine/.gitignore")).unwrap(), "/target\n");
    let manifest = fs::read_to_string(home.path("work/mine/spin.toml")).unwrap();
    assert!(manifest.contains("name = \"mine\""), "{manifest}");
    let said = home.fails("", "tallow init mine", 2);
    assert!(said.contains("mine/spin.toml already exists, and nothing is overwritten"), "{said}");
    fs::write(home.path("work/file"), "").unwrap();
    let said = home.fails("", "tallow init file/market", 1);
    assert!(said.contains("file/market"), "{said}");
    let said = home.fails("", "tallow up", 2);
    assert!(said.contains("spin.toml: there is no such file") && said.contains("tallow init NAME"), "{said}");
}

#[test]
fn a_program_without_its_functions_says_where_it_looked() {
    let home = Home::new();
    fs::remove_dir_all(home.path("share")).unwrap();
    let made = home.shows("", "tallow init market");
    assert!(made.contains("No functions were found beside this program"), "{made}");
    let said = home.fails("market", "tallow up", 2);
    assert!(said.contains("parse-market.wasm") && said.contains("--functions DIR"), "{said}");
    let functions = paths::functions().display().to_string();
    home.shows("market", &format!("tallow check --functions '{functions}'"));
    // As someone copies them by hand.
    std::os::unix::fs::symlink(paths::functions(), home.path("bin/functions")).unwrap();
    home.shows("market", "tallow check");
}

#[test]
fn the_demo_needs_no_manifest_and_its_summary_is_the_lake() {
    let home = Home::new();
    let shown = home.shows("", "tallow demo --seconds 3 --lake lake");
    let number = |what: &str| -> usize {
        let line = shown.lines().find(|line| line.trim_start().starts_with(what)).unwrap();
        line.trim_start().trim_start_matches(what).replace(' ', "").parse().unwrap()
    };
    let root = home.path("work/lake");
    let rows = |table: &str| lake::table(&root, table);
    let candles = [rows("speed/candles_1m"), rows("speed/candles_1d")].concat();
    assert_eq!(candles.len(), number("candles "), "{shown}");
    assert_eq!(rows("dead-letter/candles").len(), number("dead letters"), "{shown}");
    let records = shown.lines().find_map(|line| line.trim_start().strip_prefix("records ")).unwrap().trim();
    assert!(shown.contains(&format!("balanced over {records} records")), "{shown}");
    // Each trade is in one minute, and in one day.
    let trades =
        |rows: &[lake::Row]| rows.iter().map(|row| row["trades"].parse::<usize>().unwrap()).sum::<usize>();
    let minutes = trades(&rows("speed/candles_1m"));
    assert_eq!(minutes, trades(&rows("speed/candles_1d")));
    assert!(candles.iter().all(|row| row["missing"] == "0"), "what was on its way has arrived");
    // The first minute of a symbol cannot be complete, nor the one that is still open.
    let complete = candles.iter().filter(|row| row["complete"] == "true").count();
    assert!(complete > candles.len() / 2, "{complete} complete of {}", candles.len());
    let query = shown.lines().find(|line| line.starts_with("  duckdb -c")).unwrap();
    assert!(
        query.contains("'lake/speed/candles_1m/*/*.parquet'") && query.contains("revision DESC"),
        "{query}"
    );
}

#[test]
fn what_the_demo_says_to_type_can_be_typed() {
    let home = Home::new();
    home.shows("", "tallow init 'a market'");
    let manifest = home.path("work/a market/spin.toml");
    let more = fs::read_to_string(paths::root().join("host/src/cli/demo/more.toml")).unwrap();
    fs::write(&manifest, format!("{}\n{more}", fs::read_to_string(&manifest).unwrap())).unwrap();
    let shown = home.shows("", "tallow demo --seconds 2 -f 'a market/spin.toml' --lake \"it's a lake\"");
    let line = shown.lines().find(|line| line.contains("gaps: see `")).unwrap();
    let typed = line.split('`').nth(1).unwrap();
    let status = home.shows("", &format!("{typed} --brokers localhost:1"));
    assert!(status.contains("daily: merge, run 1") && status.contains("SYNBTC"), "{typed}\n{status}");
    with_duckdb(&home, "what_the_demo_says_to_type_can_be_typed", |home| {
        let query = shown.lines().find(|line| line.starts_with("  duckdb -c")).unwrap();
        assert!(home.shows("", query).contains("SYN"), "{query}");
    });
}

/// A `duckdb` on the path that asks Python's; what needs it is left out where there is none.
fn with_duckdb(home: &Home, test: &str, then: impl FnOnce(&Home)) {
    let python = match python::with("duckdb") {
        Ok(python) => python,
        Err(why) => return skip_unless_ci(test, &why),
    };
    // As text, since some values want Python packages more.
    let script = "import duckdb, sys\n\
                  sql = 'select columns(*)::varchar from (' + sys.argv[2] + ')'\n\
                  for row in duckdb.connect().execute(sql).fetchall(): print(*row, sep='|')";
    let program = format!("#!/bin/sh\nexec '{python}' -c \"{script}\" \"$@\"\n");
    fs::write(home.path("bin/duckdb"), program).unwrap();
    fs::set_permissions(home.path("bin/duckdb"), fs::Permissions::from_mode(0o755)).unwrap();
    then(home);
}

/// The README's blocks, typed line by line on an empty machine with a Kafka.
#[test]
fn the_quick_start_ends_with_complete_candles_twice_in_a_row() {
    let test = "the_quick_start_ends_with_complete_candles_twice_in_a_row";
    let kafka = match Kafka::start() {
        Ok(kafka) => kafka,
        Err(why) => return skip_unless_ci(test, &why),
    };
    kafka.topic_named("trades", 4);
    let home = Home::new();
    let section = |begins: &str| {
        let blocks = markdown::blocks_of("README.md");
        blocks.into_iter().find(|block| block.text.starts_with(begins)).unwrap().commands()
    };
    for line in section("tallow init market") {
        // `cd` holds for the lines after it.
        let (folder, line) = match line.starts_with("tallow init") {
            true => ("", line.as_str()),
            false => ("market", line.as_str()),
        };
        home.shows(folder, line);
    }
    // The README's broker is on another port than the test's.
    let manifest = home.path("work/market/spin.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    assert!(text.contains("\"localhost:9092\""));
    fs::write(&manifest, text.replace("localhost:9092", &kafka.bootstrap)).unwrap();
    with_duckdb(&home, test, |home| {
        let lines = section("tallow check");
        let mut before = BTreeSet::new();
        for round in 1..=2 {
            let mut shown = String::new();
            for line in &lines {
                shown = home.shows("market", line);
                if line.starts_with("tallow up") {
                    assert!(shown.contains(" 0 conflicts,") && shown.contains(" 0 late,"), "{shown}");
                }
            }
            let candles: BTreeSet<String> = shown.lines().map(str::to_owned).collect();
            assert_eq!(candles.len(), 16, "round {round}:\n{shown}");
            assert!(candles.iter().all(|row| row.ends_with("|true")), "round {round}:\n{shown}");
            let symbols: BTreeSet<&str> = candles.iter().filter_map(|row| row.split('|').next()).collect();
            assert_eq!(symbols.len(), 8, "{shown}");
            before.extend(candles);
        }
        // The second round may end within the minute that the first one ended in, and never shows another candle of it.
        let keys: BTreeSet<String> =
            before.iter().map(|row| row.splitn(3, '|').take(2).collect::<Vec<_>>().join("|")).collect();
        assert_eq!(keys.len(), before.len(), "a candle is shown in two ways: {before:#?}");
        home.shows("market", "tallow verify");
    });
}

#[test]
fn produce_needs_no_manifest_and_follows_what_the_topic_holds() {
    let Some(kafka) = Kafka::shared("produce_needs_no_manifest_and_follows_what_the_topic_holds") else {
        return;
    };
    let home = Home::new();
    let topic = kafka.topic("demo-twice", 3);
    let produce = format!("tallow produce --source demo --brokers {} --topic {topic}", kafka.bootstrap);
    let first = home.shows("", &format!("{produce} --messages 20000 --rate max"));
    assert!(first.starts_with("20 000 messages, ") && !first.contains("follow"), "{first}");
    // As often as it is typed, ended by its time, by its number or by hand.
    let second = home.shows("", &format!("{produce} --seconds 1"));
    assert!(second.contains("; its ids follow those in the topic"), "{second}");
    home.shows("", &format!("{produce} --messages 3000 --rate max --seed 9"));
    home.shows("", &format!("{produce} & sleep 1; kill -INT $!; wait $!"));
    home.shows("", "tallow init market");
    let up = format!(
        "sed -i 's/topic = \"trades\"/topic = \"{topic}\"/' spin.toml && \
         tallow up --available-now --close-all --brokers {} --json",
        kafka.bootstrap
    );
    let shown = home.shows("market", &up);
    let summary: serde_json::Value = serde_json::from_str(shown.lines().last().unwrap()).unwrap();
    let counts = &summary["counts"]["windows"]["1m"];
    assert_eq!((&counts["conflicts"], &counts["late"]), (&0.into(), &0.into()), "{summary}");
    let rows = lake::table(&home.path("work/market/lake"), "speed/candles_1m");
    assert!(rows.iter().all(|row| row["missing"] == "0"), "{rows:?}");
}

#[test]
fn produce_says_at_once_what_is_not_there() {
    let home = Home::new();
    let said = home.fails("", "tallow produce --source demo --brokers 127.0.0.1:1", 69);
    assert!(said.contains("no spin.toml here: writing into the topic `trades` on 127.0.0.1:1"), "{said}");
    assert!(said.contains("no broker answers") && said.contains("refused"), "{said}");
    let Some(kafka) = Kafka::shared("produce_says_at_once_what_is_not_there") else { return };
    let said = home.fails(
        "",
        &format!("tallow produce --source demo --brokers {} --topic nope", kafka.bootstrap),
        2,
    );
    assert!(said.contains("topic `nope` does not exist") && said.contains("--create --topic nope"), "{said}");
}
