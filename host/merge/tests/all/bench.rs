//! A lake in memory: batch partitions and speed files of plain candles, and a merge over them.

use std::ops::Deref;
use std::path::Path;
use std::sync::OnceLock;

use tallow_engine::{Column, ColumnData, Component, Contract, Limits, Runtime, Table, Text};
use tallow_lake::{Partition, Partitioned, hive, partition};
use tallow_merge::{MergeError, Merger, Report, Settings};
use tallow_table::{File, file};
use tallow_test_support::faulty::FaultyStore;

pub const DAY_US: i64 = 86_400_000_000;

/// A candle of a day; open, high and low follow from the close.
#[derive(Clone, Copy, Debug)]
pub struct Candle {
    pub symbol: &'static str,
    pub day: &'static str,
    pub close: f64,
    pub complete: bool,
    pub revision: i64,
    /// First and last trade id.
    pub ids: Option<(i64, i64)>,
}

pub fn candle(symbol: &'static str, day: &'static str, close: f64) -> Candle {
    Candle { symbol, day, close, complete: true, revision: 0, ids: None }
}

pub fn btc(day: &'static str, close: f64) -> Candle {
    candle("BTC", day, close)
}

pub fn partial(candle: Candle) -> Candle {
    Candle { complete: false, ..candle }
}

/// Days since 1970-01-01 of a date.
pub fn day_number(day: &str) -> i64 {
    let parts: Vec<i64> = day.split('-').map(|part| part.parse().unwrap()).collect();
    let (year, month, day) = (parts[0], parts[1], parts[2]);
    let before = partition::year_start_us(year as i32) / DAY_US;
    let leap = i64::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    let months = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    before + months[..month as usize - 1].iter().sum::<i64>() + day - 1
}

pub struct Bench {
    lake: FaultyStore,
    pub settings: Settings,
}

/// A lake at noon of 2025-03-01.
pub fn bench() -> Bench {
    let lake = FaultyStore::new("lake", day_number("2025-03-01") * DAY_US + DAY_US / 2, 1);
    let settings = Settings {
        name: "daily".into(),
        batch: Some("daily".into()),
        speed: Some("candles_1d".into()),
        key: "symbol".into(),
        step_us: DAY_US as u64,
        fill: true,
        carry: None,
        zero: None,
        averages: Some(vec![("ma3".into(), "close".into(), 3)]),
        prophet: Some("close".into()),
        heal: true,
        keep_backups: 3,
        speed_retention_us: None,
    };
    Bench { lake, settings }
}

impl Deref for Bench {
    type Target = FaultyStore;

    fn deref(&self) -> &FaultyStore {
        &self.lake
    }
}

fn component() -> Component {
    static COMPONENT: OnceLock<Component> = OnceLock::new();
    let load = || {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/functions/merge.wasm");
        let runtime = Runtime::new(None).unwrap();
        runtime
            .load_file("merge", &file, Contract::Merge)
            .unwrap_or_else(|error| panic!("{error}; run `make functions`"))
    };
    COMPONENT.get_or_init(load).clone()
}

impl Bench {
    pub fn merger(&self) -> Merger {
        Merger {
            settings: self.settings.clone(),
            component: component(),
            limits: Limits::default(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            owner: "test".into(),
        }
    }

    pub fn try_merge(&self) -> Result<Report, MergeError> {
        self.merger().run(&mut |_| {})
    }

    pub fn merge(&self) -> Report {
        self.try_merge().unwrap()
    }

    /// Replaces a partition of the batch table.
    pub fn batch(&self, year: i32, candles: &[Candle]) {
        let table = Partitioned::batch("daily", "symbol");
        let path = table.path(&Partition::of(candles[0].symbol, year));
        let file = File::of_table(&path, &rows(candles), "window_start", &[]).unwrap();
        self.store.put_overwrite(&path, file.body.bytes().unwrap().clone()).unwrap();
    }

    /// Adds a file of the speed table, all of one day.
    pub fn speed(&self, name: &str, candles: &[Candle]) {
        self.speed_file(name, "stream", &rows(candles), candles[0].day);
    }

    pub fn backfill(&self, name: &str, candles: &[Candle]) {
        self.speed_file(name, "backfill", &rows(candles), candles[0].day);
    }

    pub fn speed_file(&self, name: &str, source: &str, table: &Table, day: &str) {
        let path = speed_path(day, name);
        let footer = [("tallow.source", source.to_owned())];
        let file = File::of_table(&path, table, "window_start", &footer).unwrap();
        self.store.put_overwrite(&path, file.body.bytes().unwrap().clone()).unwrap();
    }

    /// A line a row of a served partition: day, close, source, ma3.
    pub fn served(&self, symbol: &str, year: i32) -> Vec<String> {
        let path = serving(symbol, year);
        let Some(content) = file::read(&self.store, &path).unwrap() else { return Vec::new() };
        let table = content.table(&path).unwrap();
        let line = |row: usize| {
            let start: i64 = shown(&table, "window_start", row).parse().unwrap();
            let filled = if shown(&table, "filled", row) == "true" { " filled" } else { "" };
            let parts = ["close", "source", "ma3"].map(|name| shown(&table, name, row));
            format!("{} {}{filled}", date(start), parts.join(" "))
        };
        (0..table.rows as usize).map(line).collect()
    }

    /// Every object of the tables with its tag: another tag means that it was written again.
    pub fn objects(&self) -> Vec<tallow_store::Listed> {
        let mut all = self.store.list_tagged("serving").unwrap();
        all.extend(self.store.list_tagged("prophet_input").unwrap());
        all
    }
}

pub fn serving(symbol: &str, year: i32) -> String {
    Partitioned::serving("daily", "symbol").path(&Partition::of(symbol, year))
}

pub fn prophet(symbol: &str, year: i32) -> String {
    Partitioned::prophet("daily", "symbol").path(&Partition::of(symbol, year))
}

pub fn speed_path(day: &str, name: &str) -> String {
    format!("speed/candles_1d/date={day}/{name}.parquet")
}

fn date(start_us: i64) -> String {
    hive::day(start_us)
}

pub fn rows(candles: &[Candle]) -> Table {
    let mut symbols = Text { bytes: Vec::new(), ends: Vec::new(), codes: Vec::new() };
    for (code, candle) in candles.iter().enumerate() {
        symbols.bytes.extend_from_slice(candle.symbol.as_bytes());
        symbols.ends.push(symbols.bytes.len() as u32);
        symbols.codes.push(code as u32);
    }
    let column = |name: &str, data| Column { name: name.to_owned(), data, validity: None };
    let times = |offset| {
        ColumnData::TimestampUs(candles.iter().map(|it| (day_number(it.day) + offset) * DAY_US).collect())
    };
    let price = |add: f64| ColumnData::Float64(candles.iter().map(|candle| candle.close + add).collect());
    let mut columns = vec![
        column("symbol", ColumnData::Text(symbols)),
        column("window_start", times(0)),
        column("window_end", times(1)),
        column("open", price(-1.0)),
        column("high", price(2.0)),
        column("low", price(-2.0)),
        column("close", price(0.0)),
        column("volume", ColumnData::Float64(vec![10.0; candles.len()])),
        column("trades", ColumnData::Int64(vec![5; candles.len()])),
        column("complete", ColumnData::Boolean(candles.iter().map(|it| it.complete).collect())),
        column("revision", ColumnData::Int64(candles.iter().map(|it| it.revision).collect())),
    ];
    let ids: Option<Vec<(i64, i64)>> = candles.iter().map(|candle| candle.ids).collect();
    if let Some(ids) = ids {
        columns.push(column("first_id", ColumnData::Int64(ids.iter().map(|ids| ids.0).collect())));
        columns.push(column("last_id", ColumnData::Int64(ids.iter().map(|ids| ids.1).collect())));
    }
    Table { rows: candles.len() as u32, columns }
}

/// A value as text, null as `-`.
pub fn shown(table: &Table, name: &str, row: usize) -> String {
    let Some(column) = table.columns.iter().find(|column| column.name == name) else {
        panic!("no column {name}");
    };
    if !column.is_valid(row) {
        return "-".to_owned();
    }
    match &column.data {
        ColumnData::Int64(values) | ColumnData::TimestampUs(values) => values[row].to_string(),
        ColumnData::Float64(values) => values[row].to_string(),
        ColumnData::Boolean(values) => values[row].to_string(),
        ColumnData::Text(text) => {
            let code = text.codes[row] as usize;
            let from = if code == 0 { 0 } else { text.ends[code - 1] as usize };
            String::from_utf8(text.bytes[from..text.ends[code] as usize].to_vec()).unwrap()
        }
        ColumnData::Decimal(decimals) => format!("{}e-{}", decimals.values[row], decimals.scale),
    }
}
