//! What a served table lacks, for a backfill that can fetch it: `_tallow/wanted/<name>`, JSON, overwritten by each run of the
//! job that serves the table. A view, not a result: nothing that was served depends on it.

use serde::{Deserialize, Serialize};
use tallow_sink::ReadError;
use tallow_store::Store;

use crate::TableError;

/// Consecutive windows of one key that a table has no complete row of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Wanted {
    /// The table whose next revision would mend it, such as `speed/candles_1d`.
    pub table: String,
    /// The key's value, such as `BTCUSDT`.
    pub key: String,
    /// First moment, µs since 1970-01-01 UTC.
    pub from_us: i64,
    /// First moment after it.
    pub to_us: i64,
    /// Whether the best rows are partial; else there are none.
    pub partial: bool,
}

/// Says what a job's table lacks; nothing lacks: the object is removed.
pub fn write(store: &Store, name: &str, wanted: &[Wanted]) -> Result<(), TableError> {
    let path = tallow_lake::wanted(name);
    if wanted.is_empty() {
        return Ok(store.delete(&path)?);
    }
    let unwritable = |why: String| TableError::Unwritable { path: path.clone(), why };
    let bytes = serde_json::to_vec_pretty(wanted).map_err(|error| unwritable(error.to_string()))?;
    if store.get(&path)?.is_some_and(|written| *written == bytes[..]) {
        return Ok(());
    }
    Ok(store.put_overwrite(&path, bytes)?)
}

/// What all jobs want of a table, by key and time.
pub fn read(store: &Store, table: &str) -> Result<Vec<Wanted>, TableError> {
    let mut all = Vec::new();
    for (path, _) in store.list(tallow_lake::WANTED)? {
        let Some(bytes) = store.get(&path)? else { continue };
        let wanted: Vec<Wanted> =
            serde_json::from_slice(&bytes).map_err(|error| ReadError::new(&path, error))?;
        all.extend(wanted.into_iter().filter(|wanted| wanted.table == table));
    }
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_read_by_table_and_is_gone_once_nothing_is() {
        let store = Store::memory().unwrap();
        let wanted = |table: &str, from_us| Wanted {
            table: table.to_owned(),
            key: "a/b".to_owned(),
            from_us,
            to_us: 9,
            partial: false,
        };
        write(&store, "daily", &[wanted("speed/x", 5), wanted("speed/y", 1)]).unwrap();
        write(&store, "other", &[wanted("speed/x", 3)]).unwrap();
        assert_eq!(read(&store, "speed/x").unwrap(), [wanted("speed/x", 3), wanted("speed/x", 5)]);
        write(&store, "daily", &[]).unwrap();
        assert_eq!(read(&store, "speed/x").unwrap(), [wanted("speed/x", 3)]);
        assert_eq!(read(&store, "speed/y").unwrap(), []);
    }
}
