//! A speed table by day: `speed/<table>/date=YYYY-MM-DD/….parquet`.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, UInt32Array};
use arrow_schema::DataType;
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use chrono::{Datelike, NaiveDate};
use tallow_engine::{MergeInput, MergeSource, from_arrow};
use tallow_lake::{hive, tables};
use tallow_store::{Digest, Listed, Store};
use tallow_table::{TableError, file};

use crate::MergeError;

/// Says in a file's footer what made it; absent: the stream.
const SOURCE: &str = "tallow.source";

/// The files of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    pub files: Vec<Listed>,
    /// SHA-256 of the files' paths, sizes and tags.
    pub tag: Digest,
}

/// The days of a speed table that have files, by their text (`2025-01-31`).
pub fn days(store: &Store, table: &str) -> Result<BTreeMap<String, Day>, TableError> {
    let root = tables::speed_table(table);
    let mut files: BTreeMap<String, Vec<Listed>> = BTreeMap::new();
    for listed in store.list_tagged(&root)? {
        let day = tables::day_of(&root, &listed.path).filter(|day| year(day).is_some());
        if let Some(day) = day.map(str::to_owned) {
            files.entry(day).or_default().push(listed);
        }
    }
    Ok(files.into_iter().map(|(day, files)| (day, Day { tag: tag(&files), files })).collect())
}

fn tag(files: &[Listed]) -> Digest {
    let lines: Vec<String> = files.iter().map(|it| format!("{} {} {}\n", it.path, it.size, it.tag)).collect();
    Digest::of(lines.concat().as_bytes())
}

/// The year of a day's text.
pub fn year(day: &str) -> Option<i32> {
    NaiveDate::parse_from_str(day, "%Y-%m-%d").ok().map(|day| day.year())
}

/// First moment of a day's text, µs since 1970-01-01 UTC.
pub fn start_us(day: &str) -> Option<i64> {
    let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
}

/// Rows of one key, from one kind of source.
type Rows = Vec<(MergeSource, RecordBatch)>;

/// The rows of some days by key (percent-encoded as in paths).
#[derive(Default)]
pub struct SpeedRows {
    keys: BTreeMap<String, Rows>,
}

impl SpeedRows {
    pub fn read<'a>(
        store: &Store,
        key: &str,
        days: impl Iterator<Item = &'a Day>,
    ) -> Result<Self, MergeError> {
        let mut rows = Self::default();
        for listed in days.flat_map(|day| &day.files) {
            // One that was listed and is gone was removed by hand: the next run sees it.
            let Some(content) = file::read(store, &listed.path)? else { continue };
            let source = match content.footer.get(SOURCE).map(String::as_str) {
                Some("backfill") => MergeSource::Backfill,
                _ => MergeSource::Speed,
            };
            rows.take_in(source, &content.rows, key).map_err(MergeError::input(&listed.path))?;
        }
        Ok(rows)
    }

    fn take_in(&mut self, source: MergeSource, rows: &RecordBatch, key: &str) -> Result<(), String> {
        for (value, indices) in by_key(rows, key)? {
            let of_key =
                take_record_batch(rows, &UInt32Array::from(indices)).map_err(|error| error.to_string())?;
            self.keys.entry(hive::encode(value)).or_default().push((source, of_key));
        }
        Ok(())
    }

    pub fn keys(&self) -> BTreeSet<String> {
        self.keys.keys().cloned().collect()
    }

    /// Each set of columns that rows come in, as rows.
    pub fn samples(&self) -> impl Iterator<Item = &RecordBatch> {
        let mut seen = Vec::new();
        self.keys.values().flatten().map(|(_, rows)| rows).filter(move |rows| {
            let new = !seen.contains(rows.schema_ref());
            if new {
                seen.push(rows.schema_ref().clone());
            }
            new
        })
    }

    /// The inputs of a key: rows of one source with the same columns are one. `path`: for the error.
    pub fn inputs(&self, key: &str, path: &str) -> Result<Vec<MergeInput>, MergeError> {
        let mut groups: Vec<(MergeSource, Vec<&RecordBatch>)> = Vec::new();
        for (source, rows) in self.keys.get(key).into_iter().flatten() {
            let group = groups
                .iter_mut()
                .find(|(of, group)| of == source && group[0].schema_ref() == rows.schema_ref());
            match group {
                Some((_, group)) => group.push(rows),
                None => groups.push((*source, vec![rows])),
            }
        }
        groups
            .into_iter()
            .map(|(source, group)| {
                let rows = concat_batches(group[0].schema_ref(), group).map_err(MergeError::input(path))?;
                let table = from_arrow(&rows).map_err(MergeError::input(path))?;
                Ok(MergeInput { source, table, covers: None })
            })
            .collect()
    }
}

/// Row indices by the value of a text column.
fn by_key<'a>(rows: &'a RecordBatch, key: &str) -> Result<BTreeMap<&'a str, Vec<u32>>, String> {
    let Some(column) = rows.column_by_name(key) else { return Err(format!("it has no column `{key}`")) };
    if column.data_type() != &DataType::Utf8 {
        return Err(format!("its column `{key}` is {}, not text", column.data_type()));
    }
    let texts = column.as_string::<i32>();
    let mut indices: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for row in 0..rows.num_rows() {
        if texts.is_null(row) {
            return Err(format!("row {row} has no `{key}`"));
        }
        indices.entry(texts.value(row)).or_default().push(row as u32);
    }
    Ok(indices)
}
