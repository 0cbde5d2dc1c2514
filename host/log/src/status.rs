//! Looking at a shard without owning it: no fence, nothing written.

use bytes::Bytes;

use crate::LogError;
use crate::log;
use crate::record::{Content, Record};
use tallow_lake::Folder;
use tallow_lake::job::{JOBS, seq_of};
use tallow_store::Store;

/// The last `count` records of a pipeline, newest first; empty if the shard has no log.
pub fn last_records(
    store: &Store,
    pipeline: &str,
    shard: u32,
    count: usize,
) -> Result<Vec<Record>, LogError> {
    last_of(store, pipeline, shard, count)
}

/// The same of any job.
pub fn last_of<C: Content>(
    store: &Store,
    job: &str,
    shard: u32,
    count: usize,
) -> Result<Vec<Record<C>>, LogError> {
    let folder = Folder::new(job, shard)?;
    let boundary = log::highest_boundary(store, &folder)?.unwrap_or(1);
    let listed = store.list(&folder.log())?;
    let kept = listed.iter().filter_map(|(path, _)| seq_of(path)).filter(|seq| *seq >= boundary);
    let mut newest_first: Vec<u64> = kept.collect();
    newest_first.sort_unstable_by_key(|seq| std::cmp::Reverse(*seq));
    newest_first.truncate(count);
    let paths: Vec<String> = newest_first.iter().map(|&seq| folder.record(seq)).collect();
    let mut records = Vec::with_capacity(paths.len());
    for (path, bytes) in paths.iter().zip(store.get_all(&paths)?) {
        // The owner may have cleaned up since it was listed.
        let Some(bytes) = bytes else { continue };
        let object = store.at(path);
        records.push(Record::decode(&bytes).map_err(|why| LogError::Format { object, why })?);
    }
    Ok(records)
}

/// The record with that seq; `None` if it was never written or has been cleaned away.
pub fn record(store: &Store, pipeline: &str, shard: u32, seq: u64) -> Result<Option<Record>, LogError> {
    let path = Folder::new(pipeline, shard)?.record(seq);
    let object = store.at(&path);
    store
        .get(&path)?
        .map(|bytes| Record::decode(&bytes).map_err(|why| LogError::Format { object, why }))
        .transpose()
}

/// The seqs of the oldest record that counts and of the newest one; `None` if the shard has no log.
pub fn extent(store: &Store, pipeline: &str, shard: u32) -> Result<Option<(u64, u64)>, LogError> {
    let folder = Folder::new(pipeline, shard)?;
    // Listed before the boundary is: the other way round, a clean-up in between would look like a hole.
    let listed = store.list(&folder.log())?;
    let oldest = log::highest_boundary(store, &folder)?.unwrap_or(1);
    let newest = listed.iter().filter_map(|(path, _)| seq_of(path)).filter(|seq| *seq >= oldest).max();
    Ok(newest.map(|newest| (oldest, newest)))
}

/// The bytes of the records `from` to `through`; `None` if a record is not there.
pub fn record_bytes(
    store: &Store,
    pipeline: &str,
    shard: u32,
    from: u64,
    through: u64,
) -> Result<Vec<(u64, Option<Bytes>)>, LogError> {
    let folder = Folder::new(pipeline, shard)?;
    let paths: Vec<String> = (from..=through).map(|seq| folder.record(seq)).collect();
    Ok((from..=through).zip(store.get_all(&paths)?).collect())
}

/// The pipelines and shards that have a folder in the store, sorted.
pub fn shards(store: &Store) -> Result<Vec<(String, u32)>, LogError> {
    let mut found: Vec<(String, u32)> = Vec::new();
    for (path, _) in store.list(JOBS)? {
        found.extend(Folder::owner_of(&path).map(|(pipeline, shard)| (pipeline.to_owned(), shard)));
    }
    found.sort();
    found.dedup();
    Ok(found)
}
