//! Where partitions are: `<table>/symbol=BTCUSDT/year=2025/data.parquet`, as Hive, Spark and DuckDB read them.

use chrono::{DateTime, Datelike, NaiveDate};

use crate::hive;

/// The one object of a partition.
pub const FILE: &str = "data.parquet";

/// A table whose rows are in partitions of a key and a UTC year: `batch/daily`, `serving/daily` …
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partitioned {
    /// Folder of the table in the lake, without a slash at its end.
    pub root: String,
    /// The key's column, such as `symbol`.
    pub key: String,
}

/// Which partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition {
    /// The key's value, such as `BTCUSDT`, as the path has it: percent-encoded.
    pub key: String,
    /// UTC year of the rows' `window_start`.
    pub year: i32,
}

impl Partition {
    pub fn of(key: &str, year: i32) -> Self {
        Self { key: hive::encode(key), year }
    }
}

impl Partitioned {
    /// What a batch makes.
    pub fn batch(table: &str, key: &str) -> Self {
        Self { root: batch(table), key: key.to_owned() }
    }

    /// What a merge serves.
    pub fn serving(merge: &str, key: &str) -> Self {
        Self { root: serving(merge), key: key.to_owned() }
    }

    /// What a merge makes for Prophet.
    pub fn prophet(merge: &str, key: &str) -> Self {
        Self { root: format!("prophet_input/{}", hive::encode(merge)), key: key.to_owned() }
    }

    /// Path of a partition's object.
    pub fn path(&self, partition: &Partition) -> String {
        format!("{}/{}={}/year={}/{FILE}", self.root, self.key, partition.key, partition.year)
    }

    /// The partition whose object has this path; `None` for other objects.
    pub fn partition(&self, path: &str) -> Option<Partition> {
        let rest = path.strip_prefix(&self.root)?.strip_prefix('/')?;
        let (key, rest) = rest.strip_prefix(&self.key)?.strip_prefix('=')?.split_once('/')?;
        let year = rest.strip_prefix("year=")?.strip_suffix(FILE)?.strip_suffix('/')?;
        Some(Partition { key: key.to_owned(), year: year.parse().ok()? })
    }
}

/// The folder of a batch's table.
pub fn batch(table: &str) -> String {
    format!("batch/{}", hive::encode(table))
}

/// The folder of a merge's served table.
pub fn serving(merge: &str) -> String {
    format!("serving/{}", hive::encode(merge))
}

/// The UTC year of a time, µs since 1970-01-01 UTC; times beyond chrono's are in the first or last of its years.
pub fn year(time_us: i64) -> i32 {
    let latest =
        if time_us < 0 { DateTime::<chrono::Utc>::MIN_UTC } else { DateTime::<chrono::Utc>::MAX_UTC };
    DateTime::from_timestamp_micros(time_us).unwrap_or(latest).year()
}

/// First moment of a UTC year, µs since 1970-01-01 UTC.
pub fn year_start_us(year: i32) -> i64 {
    let day = NaiveDate::from_ymd_opt(year, 1, 1);
    day.and_then(|day| day.and_hms_opt(0, 0, 0)).map_or(i64::MAX, |start| start.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_back_and_foreign_objects_are_none() {
        let table = Partitioned::serving("daily", "symbol");
        for (symbol, path) in [
            ("BTCUSDT", "serving/daily/symbol=BTCUSDT/year=2025/data.parquet"),
            ("a/b", "serving/daily/symbol=a%2Fb/year=2025/data.parquet"),
            ("../x", "serving/daily/symbol=%2E.%2Fx/year=2025/data.parquet"),
        ] {
            let partition = Partition::of(symbol, 2025);
            assert_eq!(table.path(&partition), path);
            assert_eq!(table.partition(path), Some(partition));
        }
        for other in [
            "serving/daily2/symbol=X/year=2025/data.parquet",
            "serving/daily/symbol=X/year=2025/other.parquet",
            "serving/daily/market=X/year=2025/data.parquet",
            "serving/daily/symbol=X/data.parquet",
            "serving/daily/symbol=X/year=MMXXV/data.parquet",
        ] {
            assert_eq!(table.partition(other), None, "{other}");
        }
    }

    #[test]
    fn years_are_of_utc_and_begin_with_their_first_microsecond() {
        assert_eq!(year_start_us(1970), 0);
        assert_eq!(year_start_us(2025), 1_735_689_600_000_000);
        for a_year in [1969, 1970, 2012, 2024, 2025, 9999] {
            assert_eq!(year(year_start_us(a_year)), a_year);
            assert_eq!(year(year_start_us(a_year) - 1), a_year - 1);
        }
        assert_eq!((year(i64::MIN), year(i64::MAX)), (-262_143, 262_142));
    }
}
