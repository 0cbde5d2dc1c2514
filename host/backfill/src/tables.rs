//! What the lake's tables say of their windows.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::{Array, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use bytes::Bytes;
use tallow_lake::{hive, tables};
use tallow_sink::{LakeFile, ReadError, column, optional_column};
use tallow_store::Store;
use tallow_table::ids::Ids;

use super::coverage::{Seen, Windows};
use crate::error::BackfillError;

/// Files read at once: their bytes are in memory together.
const FILES_AT_ONCE: usize = 64;

/// Windows by symbol.
pub type Symbols = BTreeMap<String, Windows>;

/// A speed table, of files that never change: each is read once.
pub struct SpeedTable {
    folder: String,
    key: String,
    read: BTreeSet<String>,
    symbols: Symbols,
}

impl SpeedTable {
    pub fn new(pipeline: &str, window: &str, key: &str) -> Self {
        let folder = tables::speed(pipeline, window);
        Self { folder, key: key.to_owned(), read: BTreeSet::new(), symbols: Symbols::new() }
    }

    /// Its folder in the lake: `speed/<pipeline>_<window>`.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// Reads what is new of the days from `from_us` on.
    pub fn refresh(&mut self, store: &Store, from_us: Option<i64>) -> Result<&Symbols, BackfillError> {
        let first_day = from_us.map(hive::day);
        let is_new = |path: &String| {
            let day = tables::day_of(&self.folder, path);
            let in_time = day.is_some_and(|day| first_day.as_deref().is_none_or(|first| day >= first));
            in_time && !self.read.contains(path)
        };
        let listed = store.list(&self.folder)?;
        let paths: Vec<String> = listed.into_iter().map(|(path, _)| path).filter(is_new).collect();
        for some in paths.chunks(FILES_AT_ONCE) {
            for (path, bytes) in some.iter().zip(store.get_all(some)?) {
                // It may have been removed since it was listed.
                let Some(bytes) = bytes else { continue };
                for row in rows(store, path, bytes, &self.key)? {
                    let whole = row.complete != Some(false) && !row.filled;
                    let seen = Seen { whole, ids: row.ids, revision: row.revision };
                    let windows = self.symbols.entry(row.symbol).or_default();
                    windows.entry(row.start_us).or_default().merge(seen);
                }
                self.read.insert(path.clone());
            }
        }
        Ok(&self.symbols)
    }

    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }
}

/// Windows of one symbol that stand in a rebuilt table (`batch/…`, `serving/…`) whole and not filled, as spans with
/// the window's own size.
pub fn whole_windows(
    store: &Store,
    table: &str,
    key: &str,
    symbol: &str,
) -> Result<Vec<(i64, i64)>, BackfillError> {
    let of_symbol = format!("/{}/", hive::segment(key, symbol));
    let listed = store.list(table)?;
    let paths: Vec<String> = listed
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.ends_with(".parquet"))
        .filter(|path| path.contains(&of_symbol) || !path.contains(&format!("/{key}=")))
        .collect();
    let mut spans = Vec::new();
    for some in paths.chunks(FILES_AT_ONCE) {
        for (path, bytes) in some.iter().zip(store.get_all(some)?) {
            let Some(bytes) = bytes else { continue };
            let rows = rows(store, path, bytes, key)?;
            let whole = rows.into_iter().filter(|row| row.complete != Some(false) && !row.filled);
            spans.extend(whole.filter(|row| row.symbol == symbol).map(|row| (row.start_us, row.end_us)));
        }
    }
    Ok(spans)
}

struct Row {
    symbol: String,
    start_us: i64,
    end_us: i64,
    complete: Option<bool>,
    filled: bool,
    ids: Option<Ids>,
    revision: i64,
}

fn rows(store: &Store, path: &str, bytes: Bytes, key: &str) -> Result<Vec<Row>, BackfillError> {
    let broken =
        |error| BackfillError::Usage(format!("{error}. Restore the file from a backup, or remove it"));
    let wanted = [key, "window_start", "window_end", "complete", "filled", "first_id", "last_id", "revision"];
    let symbol = symbol_of(path, key);
    let at = store.at(path);
    let mut rows = Vec::new();
    for batch in LakeFile::open_columns(&at, bytes, &wanted).map_err(broken)? {
        read_batch(&at, &batch.map_err(broken)?, key, symbol.as_deref(), &mut rows).map_err(broken)?;
    }
    Ok(rows)
}

/// The symbol that a path names: `…/symbol=BTCUSDT/…`.
fn symbol_of(path: &str, key: &str) -> Option<String> {
    let parts = path.split('/');
    let mut values = parts.filter_map(|part| part.strip_prefix(key)?.strip_prefix('='));
    hive::decode(values.next()?)
}

fn read_batch(
    path: &str,
    batch: &RecordBatch,
    key: &str,
    symbol: Option<&str>,
    rows: &mut Vec<Row>,
) -> Result<(), ReadError> {
    let starts: &TimestampMicrosecondArray = column(path, batch, "window_start")?;
    let ends: &TimestampMicrosecondArray = column(path, batch, "window_end")?;
    let keys = match symbol {
        Some(_) => optional_column::<StringArray>(batch, key),
        None => Some(column(path, batch, key)?),
    };
    let flag = |name: &str| optional_column::<BooleanArray>(batch, name);
    let number = |name: &str| optional_column::<Int64Array>(batch, name);
    let (complete, filled) = (flag("complete"), flag("filled"));
    let at = |column: Option<&Int64Array>, row| column.filter(|it| it.is_valid(row)).map(|it| it.value(row));
    let (first_ids, last_ids, revisions) = (number("first_id"), number("last_id"), number("revision"));
    for row in 0..batch.num_rows() {
        let symbol = keys.map_or(symbol.unwrap_or_default(), |keys| keys.value(row));
        rows.push(Row {
            symbol: symbol.to_owned(),
            start_us: starts.value(row),
            end_us: ends.value(row),
            complete: complete.filter(|it| it.is_valid(row)).map(|it| it.value(row)),
            filled: filled.is_some_and(|it| it.is_valid(row) && it.value(row)),
            ids: at(first_ids, row).zip(at(last_ids, row)).map(|(first, last)| Ids { first, last }),
            revision: at(revisions, row).unwrap_or(0),
        });
    }
    Ok(())
}
