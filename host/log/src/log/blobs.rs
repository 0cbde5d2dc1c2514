//! A shard's blobs: bytes that its records refer to.

use bytes::Bytes;
use tallow_lake::Folder;
use tallow_store::{Body, Create, Digest, Store};

use super::{Log, corrupt};
use crate::LogError;
use crate::name::BlobName;
use crate::record::{BlobRef, Content};

impl<C: Content> Log<C> {
    /// Stores bytes under a name of their own. Unless a commit refers to it, a later owner removes it.
    pub fn put_blob(&self, bytes: impl Into<Bytes>) -> Result<BlobRef, LogError> {
        self.put_blob_file(&Body::of(bytes))
    }

    /// The same of a body that may be in a scratch file.
    pub fn put_blob_file(&self, body: &Body) -> Result<BlobRef, LogError> {
        let name = BlobName::new(self.newest.term, body.digest(), &*self.random);
        let path = self.folder.blob(&name);
        match body.bytes() {
            Some(bytes) => {
                if let Create::Exists { .. } = self.store.create(&path, bytes.clone())? {
                    return Err(corrupt(
                        &self.store,
                        &path,
                        "another object has the name of a new blob".to_owned(),
                    ));
                }
            }
            None => self.store.put_file(&path, body)?,
        }
        Ok(BlobRef { name, length: body.length() })
    }

    /// The bytes of a blob, checked against its digest.
    pub fn read_blob(&self, blob: &BlobRef) -> Result<Bytes, LogError> {
        read_blob(&self.store, &self.folder, blob)
    }

    /// Checks a blob against its digest, as [`read_blob`](Log::read_blob) does, without holding it.
    pub fn check_blob(&self, blob: &BlobRef) -> Result<(), LogError> {
        let path = self.folder.blob(&blob.name);
        let found = self.store.digest(&path)?;
        as_named(blob, found).map_err(|why| corrupt(&self.store, &path, why))
    }

    /// Makes the object `path` what a blob is, whether or not there is one, as [`Store::copy`] does. Whether this owner
    /// still has the shard is asked before each try: tries may continue for long, and a later owner's object must stay.
    pub fn copy_blob(&self, blob: &BlobRef, path: &str) -> Result<(), LogError> {
        self.store.copy_while(&self.folder.blob(&blob.name), path, || self.check_owner())
    }
}

/// The bytes of a blob, checked against its digest: for readers that do not own the shard, too.
pub fn read_blob(store: &Store, folder: &Folder, blob: &BlobRef) -> Result<Bytes, LogError> {
    let path = folder.blob(&blob.name);
    let bytes = store.get(&path)?;
    let found = bytes.as_ref().map(|bytes| (Digest::of(bytes), bytes.len() as u64));
    as_named(blob, found).map_err(|why| corrupt(store, &path, why))?;
    Ok(bytes.unwrap_or_default())
}

/// Whether a blob's object, by its digest and length, is what its name says.
fn as_named(blob: &BlobRef, found: Option<(Digest, u64)>) -> Result<(), String> {
    match found {
        None => Err("it is missing".to_owned()),
        Some((_, length)) if length != blob.length => {
            Err(format!("it should hold {} bytes, and holds {length}", blob.length))
        }
        Some((digest, _)) if digest != blob.name.sha256 => {
            Err(format!("its SHA-256 is {digest}, not the one in its name"))
        }
        Some(_) => Ok(()),
    }
}
