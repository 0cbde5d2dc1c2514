//! Bytes at an offset of a file or of an object in a store.

use std::fs;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tallow_store::Store;

use crate::FileError;

/// What tells one content of a file from another without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub size_bytes: u64,
    /// Of a file its inode and time of change, of an object what the store calls it.
    pub tag: String,
}

/// Where a file's bytes are.
#[derive(Clone, Debug)]
pub enum Place {
    Local(PathBuf),
    Object { store: Store, path: String },
}

impl Place {
    /// `None` if there is nothing.
    pub fn version(&self, name: &str) -> Result<Option<Version>, FileError> {
        match self {
            Place::Local(path) => match fs::metadata(path) {
                Ok(metadata) => Ok(Some(version_of(&metadata))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(unreadable(name, &error)),
            },
            Place::Object { store, path } => {
                let head = store.head(path)?;
                Ok(head.map(|head| Version { size_bytes: head.size, tag: head.tag }))
            }
        }
    }

    /// The place with `suffix` after its name.
    pub fn beside(&self, suffix: &str) -> Self {
        match self {
            Place::Local(path) => {
                let mut path = path.clone().into_os_string();
                path.push(suffix);
                Place::Local(path.into())
            }
            Place::Object { store, path } => {
                Place::Object { store: store.clone(), path: format!("{path}{suffix}") }
            }
        }
    }
}

/// A file that has been opened; reads of it give what was there then, or an error.
#[derive(Debug)]
pub enum Object {
    Local(fs::File),
    Remote { store: Store, path: String, tag: String },
}

impl Object {
    pub fn open(place: &Place, version: &Version, name: &str) -> Result<Self, FileError> {
        match place {
            Place::Local(path) => open_local(path, version, name),
            Place::Object { store, path } => {
                Ok(Object::Remote { store: store.clone(), path: path.clone(), tag: version.tag.clone() })
            }
        }
    }

    /// Reads up to `into.len()` bytes from `offset` on; 0 at the end.
    pub fn read_at(&self, into: &mut [u8], offset: u64, size_bytes: u64) -> io::Result<usize> {
        match self {
            Object::Local(file) => file.read_at(into, offset),
            Object::Remote { .. } => {
                let bytes =
                    self.range(offset, (into.len() as u64).min(size_bytes - offset.min(size_bytes)))?;
                into[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len())
            }
        }
    }

    /// Exactly so many bytes from `offset` on.
    pub fn range(&self, offset: u64, length: u64) -> io::Result<Bytes> {
        match self {
            Object::Local(file) => {
                let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
                file.read_exact_at(&mut bytes, offset)?;
                Ok(bytes.into())
            }
            Object::Remote { .. } if length == 0 => Ok(Bytes::new()),
            Object::Remote { store, path, tag } => {
                store.get_range(path, offset..offset + length, tag).map_err(io::Error::other)
            }
        }
    }
}

fn open_local(path: &Path, version: &Version, name: &str) -> Result<Object, FileError> {
    let file = fs::File::open(path).map_err(|error| unreadable(name, &error))?;
    let opened = file.metadata().map_err(|error| unreadable(name, &error))?;
    if version_of(&opened) != *version {
        return Err(FileError::Changed { file: name.to_owned() });
    }
    Ok(Object::Local(file))
}

fn version_of(metadata: &fs::Metadata) -> Version {
    let tag = format!("{}-{}.{:09}", metadata.ino(), metadata.mtime(), metadata.mtime_nsec());
    Version { size_bytes: metadata.len(), tag }
}

pub fn unreadable(name: &str, error: &io::Error) -> FileError {
    FileError::Unreadable { file: name.to_owned(), why: error.to_string() }
}
