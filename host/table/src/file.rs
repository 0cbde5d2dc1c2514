//! A Parquet file of the lake, to a function's table and back.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use bytes::Bytes;
use tallow_engine::{Table, from_arrow, to_arrow};
use tallow_lake::{Partition, Partitioned};
use tallow_sink::{BodyReader, LakeFile, PiecesDigest, ReadError};
use tallow_store::{Body, Digest, Listed, Store};

use crate::{FileWriter, TableError};

/// A file that is ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub body: Body,
    pub rows: u64,
    /// [`PiecesDigest`] of the rows.
    pub rows_digest: Digest,
}

impl File {
    /// A table's rows, sorted by the column `sorted_by`, with `footer` and the rows' digest in the footer. The same
    /// rows and footer give the same bytes. `path`: for the error.
    pub fn of_table(
        path: &str,
        table: &Table,
        sorted_by: &str,
        footer: &[(&str, String)],
    ) -> Result<Self, TableError> {
        let wrong = |why: String| TableError::Unwritable { path: path.to_owned(), why };
        Self::of_rows(path, &to_arrow(table).map_err(|error| wrong(error.to_string()))?, sorted_by, footer)
    }

    /// The same of an Arrow batch.
    pub fn of_rows(
        path: &str,
        rows: &RecordBatch,
        sorted_by: &str,
        footer: &[(&str, String)],
    ) -> Result<Self, TableError> {
        let mut writer = FileWriter::new(path, rows.schema(), sorted_by, &std::env::temp_dir())?;
        writer.write(rows)?;
        writer.finish(footer)
    }

    /// A file's bytes as they are; its rows are read piece by piece. `path`: for the error.
    pub fn of_body(path: &str, body: Body) -> Result<Self, TableError> {
        let wrong = |error| ReadError::new(path, error);
        let pieces = LakeFile::open(path, BodyReader(body.clone()))?;
        let mut digest = PiecesDigest::new(pieces.schema());
        let mut rows = 0;
        for piece in pieces {
            let piece = piece?;
            rows += piece.num_rows() as u64;
            digest.add(&piece).map_err(wrong)?;
        }
        let (rows_digest, _) = digest.finish().map_err(wrong)?;
        Ok(Self { body, rows, rows_digest })
    }
}

/// What a file holds.
#[derive(Clone, Debug)]
pub struct Content {
    pub rows: RecordBatch,
    /// Keys and values of the footer.
    pub footer: BTreeMap<String, String>,
}

impl Content {
    /// The rows as a function takes them. `path`: for the error.
    pub fn table(&self, path: &str) -> Result<Table, TableError> {
        from_arrow(&self.rows).map_err(|error| ReadError::new(path, error).into())
    }
}

/// The partitions of a table that are there, with their objects.
pub fn list(store: &Store, table: &Partitioned) -> Result<Vec<(Partition, Listed)>, TableError> {
    let listed = store.list_tagged(&table.root)?;
    Ok(listed.into_iter().filter_map(|it| Some((table.partition(&it.path)?, it))).collect())
}

/// Reads the Parquet file at a path of the store; `None` if there is none.
pub fn read(store: &Store, path: &str) -> Result<Option<Content>, TableError> {
    let at = store.at(path);
    store.get(path)?.map(|bytes| decode(&at, bytes)).transpose()
}

/// Reads a Parquet file's bytes. `path`: for the error.
pub fn decode(path: &str, bytes: Bytes) -> Result<Content, TableError> {
    let mut file = LakeFile::open(path, bytes)?;
    Ok(Content { rows: file.rows()?, footer: file.footer().clone() })
}
