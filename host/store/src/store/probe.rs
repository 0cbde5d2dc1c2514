//! Does the store keep what the protocol rests on? Some gateways take a conditional write and overwrite all
//! the same, in silence; two owners would then both believe that they had committed.

use std::time::Duration;

use bytes::Bytes;
use object_store::PutMode;
use tallow_env::Random;

use super::error::Failure;
use super::{Patience, Store, StoreError};

/// Where the probes' objects are.
const FOLDER: &str = "_tallow/probe";

/// A probe's object this old was left by a process that was killed: no probe takes so long.
const LEFT: Duration = Duration::from_secs(3_600);

/// For [`Store::probe_soon`].
const SOON: Patience = Patience { attempt: Duration::from_secs(8), whole: Duration::from_secs(12), long: 1 };

impl Store {
    /// Checks on its own object under `_tallow/probe/`, removed afterwards, that a second create of one
    /// object is refused and leaves it alone, and that what was written is read and listed at once. Objects
    /// of probes that were killed are removed an hour later.
    pub fn probe(&self, random: &dyn Random) -> Result<(), StoreError> {
        // The time comes first, so that a later probe can tell how old the object is.
        let path = format!("{FOLDER}/{:016x}-{:016x}", self.clock.now_us(), random.next_u64());
        match self.probe_at(&path) {
            // Nothing is gained by waiting for it once more.
            Err(error) if error.is_transient() => Err(self.away(error)),
            checked => checked.and(self.delete(&path)),
        }
    }

    /// The same with little patience, for a program's start: a person who has just typed a wrong address waits for the answer.
    pub fn probe_soon(&self, random: &dyn Random) -> Result<(), StoreError> {
        self.clone().with_patience(SOON.at_most(self.patience)).probe(random)
    }

    /// Of the probe's own object there is nothing to find out later.
    fn away(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Unknown { path, why, .. } => self.unreachable("create", &path, why),
            other => other,
        }
    }

    fn probe_at(&self, path: &str) -> Result<(), StoreError> {
        let (first, second) = (Bytes::from_static(b"first"), Bytes::from_static(b"second"));
        let location = self.location(path)?;
        self.create(path, first.clone())?;
        let mut overwritten = false;
        // Twice: a lone answer that the object exists may be that of a race, with nothing carried out.
        for _ in 0..2 {
            overwritten |=
                self.retry("create", path, || match self.try_put(&location, &second, PutMode::Create) {
                    Ok(()) => Ok(true),
                    Err(Failure::Exists(_)) => Ok(false),
                    Err(failure) => Err(failure),
                })?;
        }
        let found = self.get(path)?;
        if overwritten || found.as_ref() == Some(&second) {
            return Err(self.unfit("this store overwrites: a second create of an object was not refused"));
        }
        if found != Some(first) {
            return Err(self.unfit("an object that was just written is not read back"));
        }
        let listed = self.list(FOLDER)?;
        if !listed.iter().any(|(found, _)| found == path) {
            return Err(self.unfit("an object that was just written is not listed"));
        }
        let before_us = self.clock.now_us().saturating_sub(LEFT.as_micros() as i64);
        let left = listed.iter().filter(|(found, _)| begun_us(found).is_some_and(|us| us < before_us));
        left.map(|(found, _)| found.as_str()).try_for_each(|found| self.delete(found))
    }

    fn unfit(&self, what: &str) -> StoreError {
        StoreError::Misconfigured {
            url: self.url().to_owned(),
            path: FOLDER.to_owned(),
            why: format!(
                "{what}. Exactly once cannot be kept on it: use a store with conditional writes \
                 (`If-None-Match: *`), or turn them on"
            ),
        }
    }
}

/// When the probe of this object began, by its name.
fn begun_us(path: &str) -> Option<i64> {
    let (begun, _) = path.rsplit_once('/')?.1.split_once('-')?;
    i64::from_str_radix(begun, 16).ok()
}
