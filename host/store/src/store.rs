//! Objects under a root: a folder, a bucket, or memory. Calls block, have a deadline, and try again on what
//! passes by itself. The protocol needs one thing of a store beyond reading and listing: that an object is
//! created only where there is none ([`Store::create`], checked by [`Store::probe`]).

mod create;
mod error;
mod large;
mod open;
mod options;
mod probe;
mod retry;
mod staged;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use tallow_env::{Clock, Random};
use tokio::runtime::Runtime;

pub use create::Create;
use error::Failure;
pub use error::StoreError;
pub use large::Found;
use retry::cut_off;

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// One request.
    pub attempt: Duration,
    /// A call with all its tries. The last try may begin just before it and end an `attempt` later.
    pub whole: Duration,
    /// How many times as long a request may take that makes the store move a large object (a copy, or the end of an
    /// upload), and a call that moves one with all its tries.
    pub long: u32,
}

impl Patience {
    /// This patience, where the other is not even less.
    fn at_most(self, other: Self) -> Self {
        Self {
            attempt: self.attempt.min(other.attempt),
            whole: self.whole.min(other.whole),
            long: self.long.min(other.long),
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempt: Duration::from_secs(40), whole: Duration::from_secs(120), long: 15 }
    }
}

const READS_AT_ONCE: usize = 16;

/// An object as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// The store's own mark of the content (its ETag): another one means that the object was written again.
    pub tag: String,
}

/// Paths are relative to the root, with `/` between segments; segments that hold foreign text (symbols) are
/// percent-encoded by the caller. Not to be called from asynchronous code: calls block.
///
/// ```
/// use tallow_store::{Create, Store};
///
/// let store = Store::memory()?;
/// assert_eq!(store.create("a/b", "mine")?, Create::Created);
/// // The same bytes again are the same object; others leave it as it is.
/// assert_eq!(store.create("a/b", "mine")?, Create::Created);
/// assert_eq!(store.create("a/b", "yours")?, Create::Exists { theirs: "mine".into() });
/// assert_eq!(store.list("a")?, [("a/b".to_owned(), 4)]);
/// # Ok::<(), tallow_store::StoreError>(())
/// ```
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    /// The folder of a local store.
    root: Option<Arc<std::path::Path>>,
    /// The root as people write it, without secrets.
    url: Arc<str>,
    runtime: Arc<Runtime>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    patience: Patience,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.url)
    }
}

impl Store {
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// The same store with another clock (for deadlines and pauses) and randomness (for jitter).
    pub fn with_edge(self, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { clock, random, ..self }
    }

    /// The root as people write it, without secrets.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// An object as people write it: the root and its path.
    pub fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.url)
    }

    /// The whole object; `None` if there is no such object.
    pub fn get(&self, path: &str) -> Result<Option<Bytes>, StoreError> {
        let location = self.location(path)?;
        self.retry("read", path, || self.try_get(&location))
    }

    /// What the store says about an object; `None` if there is no such object.
    pub fn head(&self, path: &str) -> Result<Option<Listed>, StoreError> {
        let location = self.location(path)?;
        let found = self.retry("look at", path, || match self.run(self.objects.head(&location)) {
            Ok(object) => Ok(Some(object)),
            Err(Failure::Missing(_)) => Ok(None),
            Err(failure) => Err(failure),
        })?;
        Ok(found.map(|object| Listed { path: path.to_owned(), size: object.size, tag: tag(&object) }))
    }

    /// Bytes `range` of the object, if it is still the one that `tag` was told of: an error where it is not, or is
    /// shorter.
    pub fn get_range(&self, path: &str, range: Range<u64>, tag: &str) -> Result<Bytes, StoreError> {
        let location = self.location(path)?;
        let length = range.end - range.start;
        let corrupt = |why: &str| StoreError::Corrupt {
            url: self.url.to_string(),
            path: path.to_owned(),
            why: why.to_owned(),
        };
        let options = GetOptions { range: Some(range.into()), ..GetOptions::default() };
        let (found, bytes) = self.retry("read", path, || {
            self.run(async {
                let got = self.objects.get_opts(&location, options.clone()).await?;
                let found = self::tag(&got.meta);
                Ok((found, got.bytes().await?))
            })
        })?;
        match found == tag && bytes.len() as u64 == length {
            true => Ok(bytes),
            false => Err(corrupt("it changed while it was read")),
        }
    }

    /// The objects at `paths`, in their order, several at a time.
    pub fn get_all(&self, paths: &[String]) -> Result<Vec<Option<Bytes>>, StoreError> {
        let mut found: Vec<Option<Bytes>> = vec![None; paths.len()];
        let mut left: Vec<(usize, Path)> = Vec::with_capacity(paths.len());
        for (index, path) in paths.iter().enumerate() {
            left.push((index, self.location(path)?));
        }
        let mut pauses = self.pauses();
        while !left.is_empty() {
            let mut failed = None;
            for (index, answer) in self.get_each(&left) {
                match answer {
                    Ok(object) => {
                        found[index] = object;
                        left.retain(|(other, _)| *other != index);
                    }
                    Err(Failure::Passing(why)) => failed = Some((index, why)),
                    Err(failure) => return Err(self.error("read", &paths[index], failure)),
                }
            }
            if let Some((index, why)) = failed
                && !pauses.wait()
            {
                return Err(self.unreachable("read", &paths[index], why));
            }
        }
        Ok(found)
    }

    /// Every object whose path begins with the folder `prefix`, with its size in bytes, sorted by path. An
    /// empty prefix lists all.
    pub fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, StoreError> {
        Ok(self.list_tagged(prefix)?.into_iter().map(|listed| (listed.path, listed.size)).collect())
    }

    /// The same with each object's tag, which changes when the object does.
    pub fn list_tagged(&self, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        let folder = self.location(prefix)?;
        let mut found = self.retry("list", prefix, || {
            self.run(async {
                let listed: Vec<_> = self.objects.list(Some(&folder)).try_collect().await?;
                Ok(listed)
            })
        })?;
        found.sort_by(|a, b| a.location.cmp(&b.location));
        let listed = |object: ObjectMeta| {
            let path = self.relative(&object.location)?;
            Some(Listed { path, size: object.size, tag: tag(&object) })
        };
        Ok(found.into_iter().filter_map(listed).collect())
    }

    /// Removes the object; that there is none is fine.
    pub fn delete(&self, path: &str) -> Result<(), StoreError> {
        let location = self.location(path)?;
        self.retry("delete", path, || match self.run(self.objects.delete(&location)) {
            Err(Failure::Missing(_)) => Ok(()),
            other => other,
        })
    }

    /// Writes the object whether or not there is one. For rebuilt tables and signs of life: nothing that makes
    /// results exactly once may depend on it.
    pub fn put_overwrite(&self, path: &str, bytes: impl Into<Bytes>) -> Result<(), StoreError> {
        let location = self.location(path)?;
        let bytes = bytes.into();
        self.retry("write", path, || self.try_put(&location, &bytes, PutMode::Overwrite))
    }

    fn try_get(&self, location: &Path) -> Result<Option<Bytes>, Failure> {
        found(self.run(async { self.objects.get(location).await?.bytes().await }))
    }

    /// One request for each, several at a time.
    fn get_each(&self, locations: &[(usize, Path)]) -> Vec<(usize, Result<Option<Bytes>, Failure>)> {
        let attempt = self.patience.attempt;
        let reads = locations.iter().map(|(index, location)| async move {
            let read = async { self.objects.get(location).await?.bytes().await };
            (*index, found(cut_off(attempt, read).await))
        });
        self.runtime.block_on(futures::stream::iter(reads).buffer_unordered(READS_AT_ONCE).collect())
    }

    fn try_put(&self, location: &Path, bytes: &Bytes, mode: PutMode) -> Result<(), Failure> {
        let payload = PutPayload::from_bytes(bytes.clone());
        let options = PutOptions { mode, ..PutOptions::default() };
        self.run(async { self.objects.put_opts(location, payload, options).await.map(|_| ()) })
    }

    fn location(&self, path: &str) -> Result<Path, StoreError> {
        let relative = Path::parse(path).map_err(|error| StoreError::Misconfigured {
            url: self.url.to_string(),
            path: path.to_owned(),
            why: error.to_string(),
        })?;
        Ok(self.prefix.parts().chain(relative.parts()).collect())
    }

    fn relative(&self, location: &Path) -> Option<String> {
        let parts: Path = location.prefix_match(&self.prefix)?.collect();
        Some(parts.to_string())
    }
}

fn tag(object: &ObjectMeta) -> String {
    match &object.e_tag {
        Some(tag) => tag.clone(),
        None => object.last_modified.to_rfc3339(),
    }
}

fn found(read: Result<Bytes, Failure>) -> Result<Option<Bytes>, Failure> {
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Failure::Missing(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}
