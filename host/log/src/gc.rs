//! Cleaning up: records and blobs that nobody will read again. A boundary object comes first, so that a writer
//! that slept through it finds out; records go last, so that a clean-up that was interrupted is taken up again
//! from what they name.

use std::collections::BTreeSet;

use crate::name::BlobName;
use crate::record::{Content, Record};
use crate::resolve;
use crate::{Log, LogError};
use tallow_lake::job::seq_of;

/// Bounds the memory for records that are read to be removed.
const RECORDS_AT_ONCE: usize = 64;

/// What a clean-up has to keep.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// The newest records, fences included; at least 1.
    pub keep: u64,
    /// Nothing from this seq on is removed: what a probation, a shadow or `verify` still wants.
    pub not_from: Option<u64>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { keep: 100, not_from: None }
    }
}

/// What a clean-up removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// The lowest record that is kept.
    pub boundary: u64,
    pub records: u64,
    pub blobs: u64,
}

impl<C: Content> Log<C> {
    /// Removes what lies below the last records that `retention` keeps, save what some sink has not published
    /// or a rollback may return to. Removes, too, what earlier owners stored and never committed; this owner's
    /// own blobs only with the records that name them, since a commit may be under way.
    ///
    /// Fine to fail half-way: the next one continues.
    pub fn clean_up(&mut self, retention: Retention) -> Result<Removed, LogError> {
        let newest = self.newest();
        let released = |sink: &str| newest.released_through(sink);
        let Some(boundary) =
            resolve::boundary(&self.kept, retention.keep, &newest.published_through, released)
        else {
            return Ok(Removed::default());
        };
        let oldest = self.kept.first().map_or(1, |record| record.seq);
        let boundary = boundary.min(retention.not_from.unwrap_or(u64::MAX)).max(oldest);
        if boundary > 1 {
            self.store.create(&self.folder.boundary(boundary), Vec::new())?;
        }
        self.kept.retain(|record| record.seq >= boundary);
        let wanted: BTreeSet<&String> = self.kept.iter().flat_map(|record| &record.blobs).collect();
        let (records, dropped) = self.below(boundary)?;
        let mut removed = Removed { boundary, records: records.len() as u64, blobs: 0 };
        for (path, _) in self.store.list(&self.folder.blobs())? {
            let Some(name) = BlobName::of_path(&path) else { continue };
            let text = name.to_string();
            let done_with = name.term < self.newest().term || dropped.contains(&text);
            if done_with && !wanted.contains(&text) {
                self.store.delete(&path)?;
                removed.blobs += 1;
            }
        }
        for path in records {
            self.store.delete(&path)?;
        }
        for (path, _) in self.store.list(&self.folder.boundaries())? {
            if seq_of(&path).is_some_and(|older| older < boundary) {
                self.store.delete(&path)?;
            }
        }
        Ok(removed)
    }

    /// The paths of the records below the boundary, and the names of the blobs that they need.
    fn below(&self, boundary: u64) -> Result<(Vec<String>, BTreeSet<String>), LogError> {
        let listed = self.store.list(&self.folder.log())?;
        let paths: Vec<String> = listed
            .into_iter()
            .map(|(path, _)| path)
            .filter(|path| seq_of(path).is_some_and(|seq| seq < boundary))
            .collect();
        let mut blobs = BTreeSet::new();
        for some in paths.chunks(RECORDS_AT_ONCE) {
            for bytes in self.store.get_all(some)?.into_iter().flatten() {
                // One that cannot be read is removed all the same: nobody will read it again.
                if let Ok(record) = Record::<C>::decode(&bytes) {
                    blobs.extend(record.blobs().map(|blob| blob.name.to_string()));
                }
            }
        }
        Ok((paths, blobs))
    }
}
