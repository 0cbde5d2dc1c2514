//! Components in the lake, by digest: what a log names can be run again, wherever its file has gone.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tallow_engine::{Component, Contract, LoadError, Runtime};
use tallow_store::{Create, Digest, Store, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(
        "{object} holds other bytes than its name says: remove it, and the component is stored there again"
    )]
    Occupied { object: String },
    #[error(
        "component `{name}` of the checkpoint, {object}, {why}: bring it back, or build the file that the manifest names \
         again; a changed file is taken instead"
    )]
    Lost { name: String, object: String, why: &'static str },
    #[error("what is known of a component cannot be written: {0}")]
    Card(#[from] serde_json::Error),
}

/// What is known of a component beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The name that it had in a manifest when it was first kept.
    pub name: String,
    /// The interface that it exports.
    pub contract: String,
    /// Where it came from: a file, a URL, an image.
    pub origin: String,
    /// Wall clock, µs since 1970-01-01 UTC.
    pub kept_at_us: i64,
}

impl Card {
    pub fn new(component: &Component, origin: String, kept_at_us: i64) -> Self {
        let (name, contract) = (component.name().to_owned(), component.contract().interface().to_owned());
        Self { name, contract, origin, kept_at_us }
    }
}

/// A component that the lake holds.
#[derive(Clone, Debug)]
pub struct Kept {
    pub digest: Digest,
    pub size_bytes: u64,
    /// `None` if only the bytes are there: its writer died between the two.
    pub card: Option<Card>,
}

/// What the lake has under a component's digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Nothing,
    It,
    /// Bytes of another digest.
    Other,
}

#[derive(Clone)]
pub struct Library {
    runtime: Arc<Runtime>,
    store: Store,
}

impl Library {
    pub fn new(runtime: Arc<Runtime>, store: Store) -> Self {
        Self { runtime, store }
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Compiles and checks a component's bytes; the lake does not get them.
    pub fn read(&self, name: &str, bytes: &[u8], contract: Contract) -> Result<Component, LibraryError> {
        Ok(self.runtime.load(name, bytes, contract)?)
    }

    /// Puts a component into the lake, where it is not there yet.
    pub fn keep(&self, bytes: Bytes, card: &Card) -> Result<Digest, LibraryError> {
        let digest = Digest::of(&bytes);
        let path = tallow_lake::component(digest);
        if let Create::Exists { theirs } = self.store.create(&path, bytes)?
            && Digest::of(&theirs) != digest
        {
            return Err(LibraryError::Occupied { object: self.store.at(&path) });
        }
        let card = serde_json::to_vec_pretty(card)?;
        // An older card says where the component was first seen, which is as true.
        self.store.create(&tallow_lake::component_card(digest), card)?;
        Ok(digest)
    }

    /// A component that the lake holds, compiled and checked.
    pub fn load(&self, name: &str, digest: Digest, contract: Contract) -> Result<Component, LibraryError> {
        self.read(name, &self.bytes(name, digest)?, contract)
    }

    pub fn bytes(&self, name: &str, digest: Digest) -> Result<Bytes, LibraryError> {
        let path = tallow_lake::component(digest);
        let lost = |why| {
            let object = self.store.at(&path);
            LibraryError::Lost { name: name.to_owned(), object, why }
        };
        let bytes = self.store.get(&path)?.ok_or_else(|| lost("is not there"))?;
        if Digest::of(&bytes) != digest {
            return Err(lost("is damaged"));
        }
        Ok(bytes)
    }

    /// Whether the lake holds a component's bytes, and they are what their name says.
    pub fn holds(&self, digest: Digest) -> Result<Holds, LibraryError> {
        let bytes = self.store.get(&tallow_lake::component(digest))?;
        Ok(match bytes {
            None => Holds::Nothing,
            Some(bytes) if Digest::of(&bytes) == digest => Holds::It,
            Some(_) => Holds::Other,
        })
    }

    /// All of them, by digest.
    pub fn list(&self) -> Result<Vec<Kept>, LibraryError> {
        let mut kept = Vec::new();
        for (path, size_bytes) in self.store.list(tallow_lake::FUNCTIONS)? {
            let Some(digest) = tallow_lake::component_of(&path) else { continue };
            let card = self.store.get(&tallow_lake::component_card(digest))?;
            let card = card.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            kept.push(Kept { digest, size_bytes, card });
        }
        Ok(kept)
    }
}
