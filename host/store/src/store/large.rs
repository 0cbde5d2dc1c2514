//! Large objects: written, copied, read and compared without ever being in memory whole.

use std::cell::Cell;
use std::io::Write;
use std::ops::Range;
use std::path::Path as Folder;

use bytes::Bytes;
use futures::future::Either;
use futures::{StreamExt, TryStreamExt, future, stream};
use object_store::{MultipartUpload, ObjectStoreExt};
use tallow_digest::{Digest, Hasher};

use super::error::Failure;
use super::{Listed, Store, StoreError, cut_off};
use crate::{Body, BodyWriter};

/// Bytes that are sent or read by one request. S3 takes no part below 5 MiB but the last, and no more than 10,000.
const PART_BYTES: u64 = 8 << 20;
const PARTS_AT_ONCE: usize = 3;

/// What a read that may be refused for its size found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Nothing,
    Whole(Bytes),
    /// That many bytes, which were not read.
    Large(u64),
}

impl Store {
    /// The whole object, unless it has more than `most` bytes.
    pub fn get_up_to(&self, path: &str, most: u64) -> Result<Found, StoreError> {
        let location = self.location(path)?;
        let read = || {
            self.run(async {
                let found = self.objects.get(&location).await?;
                match found.meta.size {
                    size if size > most => Ok(Found::Large(size)),
                    _ => Ok(Found::Whole(found.bytes().await?)),
                }
            })
        };
        self.retry("read", path, || match read() {
            Err(Failure::Missing(_)) => Ok(Found::Nothing),
            other => other,
        })
    }

    /// Writes the object whether or not there is one, as [`put_overwrite`](Store::put_overwrite) does. What is in a
    /// scratch file is sent in parts, a few at a time; the object appears whole or not at all.
    pub fn put_file(&self, path: &str, body: &Body) -> Result<(), StoreError> {
        if let Some(bytes) = body.bytes() {
            return self.put_overwrite(path, bytes.clone());
        }
        let location = self.location(path)?;
        self.retry_long("write", path, || Ok(()), || {
            let mut upload = self.run(self.objects.put_multipart(&location))?;
            let sent = self.send(&mut *upload, body);
            if sent.is_err()
                && let Err(failure) = self.run(upload.abort())
            {
                let why = failure.text();
                tracing::debug!(store = %self.url, path, why, "an upload that failed may have left its parts");
            }
            sent
        })
    }

    fn send(&self, upload: &mut dyn MultipartUpload, body: &Body) -> Result<(), Failure> {
        let attempt = self.patience.attempt;
        let parts = ranges(body.length()).map(|range| match body.read(range) {
            Ok(bytes) => Either::Left(cut_off(attempt, upload.put_part(bytes.into()))),
            Err(error) => {
                let why = format!("the scratch file with its bytes cannot be read: {error}");
                Either::Right(future::ready(Err(Failure::Wrong(why))))
            }
        });
        let sent = stream::iter(parts).buffer_unordered(PARTS_AT_ONCE).try_for_each(|()| future::ok(()));
        self.runtime.block_on(sent)?;
        self.run_long(upload.complete()).map(drop)
    }

    /// Makes the object `to` what the object `from` is, whether or not there is one. The store does it by itself: no
    /// byte of it comes here. S3 refuses to copy more than 5 GiB.
    pub fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.copy_while(from, to, || Ok(()))
    }

    /// The same. Before each request `allowed` is asked; its error ends the call, so that of a caller that has lost the
    /// right to write at most one request is under way.
    pub fn copy_while<E: From<StoreError>>(
        &self,
        from: &str,
        to: &str,
        allowed: impl FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        let (source, target) = (self.location(from)?, self.location(to)?);
        self.retry_long("copy", to, allowed, || self.run_long(self.objects.copy(&source, &target)))
    }

    /// The same where there is no object at `to`; else nothing. A store that cannot tell by itself is asked before:
    /// there, of calls that race, the last one may have its way, if `allowed` lets it.
    pub fn copy_new<E: From<StoreError>>(
        &self,
        from: &str,
        to: &str,
        mut allowed: impl FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        let (source, target) = (self.location(from)?, self.location(to)?);
        let conditional = self.retry_long("copy", to, &mut allowed, || {
            match self.run_long(self.objects.copy_if_not_exists(&source, &target)) {
                Ok(()) => Ok(true),
                // S3 answers so to requests that race, too, and may have carried out none of them.
                Err(Failure::Exists(why)) => match self.run(self.objects.head(&target)) {
                    Ok(_) => Ok(true),
                    Err(Failure::Missing(_)) => Err(Failure::Passing(why)),
                    Err(failure) => Err(failure),
                },
                Err(Failure::Unsupported(_)) => Ok(false),
                Err(failure) => Err(failure),
            }
        })?;
        if conditional {
            return Ok(());
        }
        let there = Cell::new(false);
        let missing_and_allowed = || {
            there.set(self.head(to)?.is_some());
            allowed()
        };
        self.retry_long("copy", to, missing_and_allowed, || match there.get() {
            true => Ok(()),
            false => self.run_long(self.objects.copy(&source, &target)),
        })
    }

    /// SHA-256 and length in bytes of the object, read piece by piece; `None` if there is no such object. An error
    /// where it is overwritten meanwhile.
    pub fn digest(&self, path: &str) -> Result<Option<(Digest, u64)>, StoreError> {
        let Some(object) = self.head(path)? else { return Ok(None) };
        let mut hasher = Hasher::default();
        self.pieces(&object).try_for_each(|piece| piece.map(|bytes| hasher.update(&bytes)))?;
        Ok(Some((hasher.finish(), object.size)))
    }

    /// The object as a body, in a scratch file in `folder` where it is large; `None` if there is no such object. An
    /// error where it is overwritten meanwhile.
    pub fn get_file(&self, path: &str, folder: &Folder) -> Result<Option<Body>, StoreError> {
        let Some(object) = self.head(path)? else { return Ok(None) };
        let mut body = BodyWriter::new(folder);
        for piece in self.pieces(&object) {
            body.write_all(&piece?).map_err(|error| StoreError::Scratch {
                url: self.url.to_string(),
                path: path.to_owned(),
                why: error.to_string(),
            })?;
        }
        Ok(Some(body.finish()))
    }

    fn pieces<'a>(&'a self, object: &'a Listed) -> impl Iterator<Item = Result<Bytes, StoreError>> + 'a {
        ranges(object.size).map(|range| self.get_range(&object.path, range, &object.tag))
    }
}

/// An object's bytes, in the pieces that go by one request.
fn ranges(length: u64) -> impl Iterator<Item = Range<u64>> {
    (0..length).step_by(PART_BYTES as usize).map(move |from| from..length.min(from + PART_BYTES))
}
